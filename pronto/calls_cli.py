"""`pronto calls list` and `pronto calls show ID`: what happened in each call, from the call records.

A call is shown as a timeline: seconds since the caller was answered, who said what, and under each turn how long every
stage took in milliseconds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from config import BadSettings, BotSettings, load
from records.call import STAGES, CallRecord, TurnRecord, stage_seconds
from records.call_records import latest_calls, one_call, open_database


def add_parser(subparsers: Any) -> None:
    """Adds `calls`."""
    parser = subparsers.add_parser("calls", help="list the calls, show one as a timeline")
    parser.add_argument("--database", default="", help="SQLAlchemy URL (default: setting DATABASE_URL)")
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
        engine = open_database(args.database or load(BotSettings).database_url)
        if args.calls_command == "list":
            return _list(latest_calls(engine, max(1, args.limit)), args.json)
        found = one_call(engine, args.id)
    except (SQLAlchemyError, BadSettings, OSError) as error:
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
        f"started   {_clock(call.started_at)}" + (f", {_length(call)}" if call.ended_at is not None else ""),
        f"outcome   {call.outcome or 'in progress'}" + (f" ({call.end_reason})" if call.end_reason else ""),
        "lead      " + (", ".join(f"{name}={value}" for name, value in call.lead.items()) or "none"),
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
    if turn.prompts:
        asked = turn.asked_at if turn.asked_at is not None else turn.speech_started_at
        events.append((asked if asked is not None else start, "BOT     " + " + ".join(turn.prompts)))
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


def _list(calls: Sequence[dict[str, Any]], as_array: bool) -> int:
    if as_array:
        print(json.dumps(list(calls), ensure_ascii=False, indent=2))
        return 0
    if not calls:
        print("no calls yet")
    for row in calls:
        call = CallRecord(**row)
        lead = " ".join(f"{name}={value}" for name, value in call.lead.items())
        outcome = call.outcome or "in progress"
        print(
            f"{call.id}  {_clock(call.started_at)}  {_length(call):>8}  {outcome:16}  {call.caller_number:14}  {lead}"
        )
    return 0


def _at(start: float, at: float) -> str:
    return f"{at - start:8.2f}s"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="seconds")


def _length(call: CallRecord) -> str:
    return f"{call.ended_at - call.started_at:.1f} s" if call.ended_at is not None else "running"
