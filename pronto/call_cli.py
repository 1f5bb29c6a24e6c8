"""`pronto call SCRIPT...`: starts the stack, places the calls of the scripts, prints them live, checks what they gave.

Scripts that name a flow get a stack of that flow; those with a shop get the demo shop behind it, and what must be in
its database afterwards is checked too (devstack.demo_salon).

Exit status 0 only if every expectation of every script was met.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from callers.call_view import CallView, one_line
from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import CallReport, ScriptPlayer, nobody, report_json
from callers.script import BadScript, Script, read_script
from callers.sip_caller import SipCaller
from config import ROOT, STATE
from devstack.demo_salon import Salon, morning_zone
from devstack.processes import ProcessFailed
from devstack.stack import Stack, StackPlan
from protocol.bus import connect
from protocol.items import Item, SpeechItem, label
from protocol.messages import Message, Say

DEFAULT_EXTENSION = "pronto"
FIRST_NUMBER = 33_600_000_001


def add_parser(subparsers: Any) -> None:
    """Adds `call`."""
    parser = subparsers.add_parser("call", help="place a call with a script, print it live, check what must come of it")
    parser.add_argument("scripts", nargs="+", type=Path, metavar="SCRIPT.yaml", help="call scripts, see tests/calls/")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole timeline of every call")
    parser.add_argument(
        "--together", action="store_true", help="place all calls at once instead of one after the other"
    )


def run(args: argparse.Namespace) -> int:
    """Plays the scripts."""
    scores = []
    now = datetime.now(morning_zone(datetime.now(UTC)))
    try:
        scores = [read_script(path.read_text(encoding="utf-8"), str(path), now) for path in args.scripts]
        flow = flow_of(scores)
    except (OSError, UnicodeDecodeError, BadScript) as error:
        print(f"pronto call: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill cleans up like Ctrl-C
    began = time.monotonic()
    with contextlib.ExitStack() as around:
        try:
            salon, plan = None, StackPlan(settings={"DEFAULT_FLOW": flow} if flow else {})
            if any(score.shop for score in scores):
                salon = around.enter_context(Salon(STATE / "run" / f"salon-{os.getpid()}", flow))
                plan = salon.plan()
            stack = Stack(plan)
            around.callback(stack.stop)
            stack.start(lambda line: print(f"[stack] {line}", flush=True))
            reports = asyncio.run(_play(stack, scores, args.together, began, salon))
        except ProcessFailed as error:
            print(f"pronto call: {error}", file=sys.stderr)
            return 1
    if args.json:
        args.json.write_text(
            json.dumps([report_json(report) for report in reports], ensure_ascii=False, indent=1), "utf-8"
        )
    return _conclude(reports, stack)


def flow_of(scores: Sequence[Script]) -> str:
    """The flow that all scripts talk to; empty: the default one. Raises BadScript where they differ."""
    flows = {score.flow for score in scores}
    if len(flows) > 1 or any(score.shop and not score.flow for score in scores):
        raise BadScript("scripts of one command talk to one flow, and one with a shop names it (flow: it/booking)")
    return flows.pop()


async def place(player: ScriptPlayer, score: Script, number: str, sip_port: int) -> CallReport:
    """Dials, plays one script and hangs up; again where the script says that the caller does."""
    number = score.caller.number or number
    whole: CallReport | None = None
    for before, part in enumerate(score.calls()):
        async with SipCaller(("127.0.0.1", sip_port), name=number) as caller:
            status = await caller.dial(score.extension or DEFAULT_EXTENSION)
            if status != 200:
                report = CallReport(part, number, faults=[f"the call was refused with SIP status {status}"])
            else:
                report = await player.play(part, number, caller, before)
        whole = whole.goes_on(score, report) if whole else report
        if report.faults:
            break
    assert whole is not None  # a script has a call
    return whole


async def _play(
    stack: Stack, scores: list[Script], together: bool, began: float, salon: Salon | None
) -> list[CallReport]:
    printer = Printer(began, show_call=together and len(scores) > 1)
    if together:
        return await play_in_salon(stack, salon, scores, printer)
    reports = []
    for score in scores:
        print(f"\n--- {score.name}: {score.about}", flush=True)
        reports += await play_in_salon(stack, salon, [score], printer)
    return reports


async def play_in_salon(
    stack: Stack, salon: Salon | None, scores: list[Script], printer: Printer | None = None, patience: int = 0
) -> list[CallReport]:
    """Places the calls of `scores` at once; what is wrong with the shop's database afterwards is a fault of each.
    `patience`: how often a caller says again what they are asked again."""
    shops = [score.shop for score in scores if score.shop]
    if salon and shops:
        await asyncio.to_thread(salon.open, *shops)
        if any(shop.stands_still for shop in shops):
            salon.stand_still(stack, True)
    redis = connect(stack.redis_url)
    # one for each time: a caller may call again
    monitor = Monitor(redis, stack.cell, printer.message) if printer else Monitor(redis, stack.cell)
    await monitor.start()
    player = ScriptPlayer(monitor, speak, printer.line if printer else nobody, patience=patience)
    try:
        jobs = [place(player, score, f"+{FIRST_NUMBER + index}", stack.sip_port) for index, score in enumerate(scores)]
        reports = list(await asyncio.gather(*jobs))
    finally:
        await monitor.stop()
        await redis.aclose()
        if salon and any(shop.stands_still for shop in shops):
            salon.stand_still(stack, False)
    if salon and shops:
        afters = [score.shop_after for score in scores if score.shop_after]
        faults = await asyncio.to_thread(salon.faults, *afters)
        for report in reports:
            report.shop_faults = faults
    return reports


class Printer:
    """Prints lines with the time since the command began, prompts with their text."""

    def __init__(self, began: float, show_call: bool) -> None:
        self._began = began
        self._show_call = show_call
        self._texts: dict[str, dict[str, str]] = {}

    def line(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.2f}  {text}", flush=True)

    def message(self, view: CallView, message: Message) -> None:
        text = one_line(message)
        if not text:
            return
        if isinstance(message, Say):
            spoken = " ".join(self._text(message.language, item) for item in message.items)
            text = f"bot says       {spoken!r}  [{' '.join(label(item) for item in message.items)}]"
        self.line(f"{view.call_id} {text}" if self._show_call else text)

    def _text(self, language: str, item: Item) -> str:
        if isinstance(item, SpeechItem):
            return item.text
        name = label(item)
        if language not in self._texts:
            self._texts[language] = prompt_texts(language)
        return self._texts[language].get(name, name)


def prompt_texts(language: str) -> dict[str, str]:
    """The spoken text of every prompt of a language; empty when there is no list."""
    path = ROOT / "audio_prompts" / language / "prompts.yaml"
    if not path.exists():
        return {}
    entries = yaml.safe_load(path.read_text(encoding="utf-8")).get("prompts", {})
    return {name: entry if isinstance(entry, str) else str(entry.get("text", "")) for name, entry in entries.items()}


def _conclude(reports: list[CallReport], stack: Stack) -> int:
    print()
    for report in reports:
        print(f"{'PASS' if report.passed else 'FAIL'}  {report.score.name}: {report.score.about}")
        for fault in (*report.faults, *report.shop_faults):
            print(f"        {fault}")
        if report.view is not None:
            lead = ", ".join(f"{name}={value}" for name, value in report.view.lead.items())
            print(f"        outcome    {report.view.outcome or 'none'}")
            print(f"        lead       {lead or 'none'}")
            print(f"        recording  {report.view.recording or 'none'}")
            print(f"        record     bin/pronto calls show {report.view.call_id}")
        if report.stalls:
            print(f"        the caller's own clock stalled {report.stalls} times: its times are not to be trusted")
    delays = [answer.delay_ms for report in reports for answer in report.answers]
    if delays:
        p50, p95 = np.quantile(delays, [0.5, 0.95])
        print(f"\nanswer time heard by the caller, {len(delays)} answers: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    print(f"logs: {stack.plan.run_dir}   call records: {stack.database_url}")
    return 0 if all(report.passed for report in reports) else 1
