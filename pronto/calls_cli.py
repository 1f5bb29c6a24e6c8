"""`pronto calls list` and `pronto calls show ID`: what happened in each call, from the call records.

A call is shown as a timeline: seconds since the caller was answered, who said what, and under each turn how long every
stage took in milliseconds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from config import BadSettings
from pronto.which_records import add_argument, records_of
from records.call import STAGES, CallRecord, TurnRecord, stage_seconds
from records.database import BadSchema
from records.queries import latest_calls, one_call

LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?!.*(?:Z|[+-]\d\d:\d\d)$)")
"""A time, or the first of a stretch, without a zone: that of the call."""


def add_parser(subparsers: Any) -> None:
    """Adds `calls`."""
    parser = subparsers.add_parser("calls", help="list the calls, show one as a timeline")
    add_argument(parser)
    commands = parser.add_subparsers(dest="calls_command", required=True)
    listing = commands.add_parser("list", help="the last calls, newest first")
    listing.add_argument("--limit", type=int, default=20, help="how many (default 20)")
    listing.add_argument("--json", action="store_true", help="as one JSON array")
    show = commands.add_parser("show", help="one call as a timeline")
    show.add_argument("id", help="the call's id, or the beginning of it")
    show.add_argument("--json", action="store_true", help="as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit status 1: no such call; 2: no database."""
    try:
        engine = records_of(args)
        if args.calls_command == "list":
            return _list(latest_calls(engine, max(1, args.limit)), args.json)
        found = one_call(engine, args.id)
    except (SQLAlchemyError, BadSchema, BadSettings, OSError) as error:
        print(f"cannot read the call records: {error}", file=sys.stderr)
        return 2
    if found is None:
        print(f"no call (or more than one) begins with {args.id!r}; `pronto calls list` shows them", file=sys.stderr)
        return 1
    call, turns = found
    if args.json:
        print(json.dumps(as_json(call, turns), ensure_ascii=False, indent=2))
    else:
        print("\n".join(timeline(call, turns)))
    return 0


def as_json(call: CallRecord, turns: Sequence[TurnRecord]) -> dict[str, Any]:
    """The whole record, stages in milliseconds."""
    return {
        **dataclasses.asdict(call),
        "turns": [{**dataclasses.asdict(turn), "stages_ms": stages_ms(turn)} for turn in turns],
    }


def stages_ms(turn: TurnRecord) -> dict[str, int]:
    """The stages of a turn in whole milliseconds."""
    return {name: round(seconds * 1_000) for name, seconds in stage_seconds(turn).items()}


def timeline(call: CallRecord, turns: Sequence[TurnRecord]) -> list[str]:
    """The lines of `pronto calls show`."""
    lines = [
        f"call      {call.id}  (cell {call.cell})",
        f"numbers   {call.caller_number or 'unknown'} -> {call.called_number or 'unknown'}",
        f"flow      {call.flow}, version {call.flow_version}, edited {call.flow_edited_at or 'unknown'}",
        f"started   {_clock(call)}" + (f", {_length(call)}" if call.ended_at is not None else ""),
        f"outcome   {call.outcome or 'in progress'}" + (f" ({call.end_reason})" if call.end_reason else ""),
        "lead      "
        + (", ".join(f"{name}={value}" for name, value in call.lead.items()) or "none")
        + _zone_of_lead(call),
        f"recording {call.recording or 'none'}",
        "",
    ]
    for turn in turns:
        lines += _turn_lines(call.started_at, turn)
    if call.ended_at is not None:
        lines.append(f"{_at(call.started_at, call.ended_at)}  END     {call.end_reason}")
    return lines


def _turn_lines(start: float, turn: TurnRecord) -> list[str]:
    """One turn: what the bot said, what was heard and noted in order of time, what came of it."""
    lines = [f"-- turn {turn.number}: {turn.state or '(not taken)'}"]
    events: list[tuple[float, str]] = []
    said = _said(turn)
    if said:
        asked = turn.asked_at if turn.asked_at is not None else turn.speech_started_at
        events.append((asked if asked is not None else start, f"BOT     {said}"))
    for text in turn.heard:
        said = f'"{text["text"]}"' if text["text"] else f"(nothing: {text['reason'] or 'no words'})"
        kind = "hears..." if text["guess"] else "CALLER  "
        events.append((text["at"], f"{kind} {said}  ({text['confidence']:.2f})"))
    events += [(note["at"], f"note    {note['what']} {note['detail']}".rstrip()) for note in turn.notes]
    lines += [f"{_at(start, at)}  {what}" for at, what in sorted(events, key=lambda item: item[0])]
    meant = f"{turn.intent or 'nothing'} ({turn.score:.2f})" if turn.text or turn.intent else "nothing said"
    slots = ", ".join(f"{name}={value}" for name, value in turn.slots.items())
    lines.append(
        f"{'':>9}  =>      {meant}, {turn.committed or 'open'}"
        + (f", to {turn.next_state}" if turn.next_state else "")
        + (f"  [{slots}]" if slots else "")
    )
    stages = stages_ms(turn)
    if stages:
        lines.append(f"{'':>9}  ms      " + "  ".join(f"{name} {stages[name]}" for name in STAGES if name in stages))
    return lines


def _said(turn: TurnRecord) -> str:
    """What the bot said, and of what was not heard to its end how much was."""
    if not turn.said:
        return " + ".join(turn.prompts)
    parts = []
    for item in turn.said:
        words = f'{item["name"]} "{item["text"]}"'.strip() if item["text"] else item["name"]
        heard, length = item["heard_ms"], item["length_ms"]
        cut = heard is not None and length is not None and heard < length
        parts.append(f"{words} (heard {heard} of {length} ms)" if cut else words)
    return " + ".join(parts)


def _list(calls: Sequence[dict[str, Any]], as_array: bool) -> int:
    if as_array:
        print(json.dumps(list(calls), ensure_ascii=False, indent=2))
        return 0
    if not calls:
        print("no calls yet")
    for row in calls:
        call = CallRecord(**row)
        lead = " ".join(f"{name}={value}" for name, value in call.lead.items()) + _zone_of_lead(call)
        outcome = call.outcome or "in progress"
        if call.end_reason.startswith("adviser_"):  # what became of who was handed over
            outcome += f", {call.end_reason}"
        print(f"{call.id}  {_clock(call)}  {_length(call):>8}  {outcome:16}  {call.caller_number:14}  {lead}")
    return 0


def _zone_of_lead(call: CallRecord) -> str:
    """Whose clock the times of a lead are; nothing where there are none."""
    has_time = any(LOCAL_TIME.match(value) for value in call.lead.values())
    return f"  (times of {call.timezone or 'an unknown zone'})" if has_time else ""


def _at(start: float, at: float) -> str:
    return f"{at - start:8.2f}s"


def _clock(call: CallRecord) -> str:
    """When a call began, in the time zone of its flow, or this machine's where that is not known."""
    try:
        zone = ZoneInfo(call.timezone) if call.timezone else None
    except (ValueError, OSError):  # of a machine that knows more zones
        zone = None
    return datetime.fromtimestamp(call.started_at, UTC).astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _length(call: CallRecord) -> str:
    return f"{call.ended_at - call.started_at:.1f} s" if call.ended_at is not None else "running"
