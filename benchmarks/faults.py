"""What callers notice when things die: live conversations on the whole stack while its processes are killed, replaced.

    python -m benchmarks.faults --calls 50 --kill            # every service killed in turn, at random moments
    python -m benchmarks.faults --calls 50 --stop 20         # every service stopped (SIGSTOP) for 20 s in turn
    python -m benchmarks.faults --calls 30 --rolling         # every service replaced in turn
    python -m benchmarks.faults --calls 10 --freeze-redis 5  # Redis does not answer for 5 s, all calls live
    python -m benchmarks.faults --calls 10 --kill-redis 3    # it comes back empty; --redis-data: with its data
    python -m benchmarks.faults --calls 10 --kill-asterisk
    python -m benchmarks.faults --calls 20 --flow-gone       # renamed, a kill; deleted, a restart

The callers play scripts of tests/calls over SIP and RTP, are understood by the real recogniser and intents, and say a
thing again when they are asked again. Everything that is said of them is measured at their own ears.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from callers.many_calls import Hall, InjectedFault, Suffered, in_turn
from callers.play_script import CallReport
from callers.script import read_script
from callers.sip_caller import SipCaller
from config import ROOT
from devstack.processes import ProcessFailed
from devstack.remains import remains
from devstack.stack import ASTERISK, REDIS, SERVICES, Stack, StackPlan
from pronto.call_cli import DEFAULT_EXTENSION

SCRIPTS = ("happy_path", "zip_code_by_keypad")  # long ones that end with a whole lead
PAUSE_S = (2.0, 7.0)
"""From the end of one fault to the next: a turn or so."""
STANDBY_DEADLINE_S = 120.0
PATIENT_S = 3.0
"""Nobody should hear nothing for longer."""


@dataclass(frozen=True)
class Outcome:
    """What came of all calls."""

    calls: int
    line_lost: int
    """Never answered, or ended by none of the two: callers hang up themselves where their script cannot go on."""
    as_scripted: int
    """Every prompt came, every slot, outcome and lead was right."""
    asked_again: int
    answers: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    over_3_s: dict[str, int]
    """By the fault that was last made before the answer came."""
    ends: dict[str, int]
    outcomes_recorded: dict[str, int]
    left: dict[str, int]
    """Channels, bridges and keys without expiry when all was over."""
    cores: dict[str, float]
    """Cores that each process used on average; `callers` is this one."""
    faults: list[str]


def outcome_of(
    reports: Sequence[CallReport],
    suffered: Sequence[Suffered],
    records: dict[str, int],
    left: dict[str, int],
    cores: dict[str, float],
) -> Outcome:
    """Sums the reports up."""
    late: Counter[str] = Counter()
    for report in reports:
        for answer in report.answers:
            if answer.delay_ms > PATIENT_S * 1_000:
                at = answer.answer_s + report.clock_offset_s
                made = [f"{item.fault.kind} {item.fault.process}" for item in suffered if item.at < at]
                late[made[-1] if made else "no fault yet"] += 1
    delays = [answer.delay_ms for report in reports for answer in report.answers]
    ends = Counter(report.view.end_reason if report.view else "never answered" for report in reports)
    p50, p95 = np.quantile(delays, [0.5, 0.95]) if delays else (0.0, 0.0)
    return Outcome(
        calls=len(reports),
        line_lost=sum(report.view is None or report.view.end_reason in ("", "lost") for report in reports),
        as_scripted=sum(report.passed for report in reports),
        asked_again=sum(report.repeats for report in reports),
        answers=len(delays),
        p50_ms=round(float(p50)),
        p95_ms=round(float(p95)),
        longest_ms=round(max(delays, default=0.0)),
        over_3_s=dict(late),
        ends=dict(ends),
        outcomes_recorded=records,
        left=left,
        cores=cores,
        faults=[f"{report.score.name}: {fault}" for report in reports for fault in report.faults],
    )


def recorded(stack: Stack) -> dict[str, int]:
    """How many call records there are of each outcome."""
    with closing(sqlite3.connect(stack.database_url.removeprefix("sqlite:///"))) as database:
        return dict(database.execute("select outcome, count(*) from calls where ended_at > 0 group by outcome"))


class CpuMeter:
    """The processor time of a stack's processes, whoever they are at the moment, and of this process."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._began = time.monotonic()
        self._looked = False
        self._used: dict[tuple[str, int], float] = {}
        self._first: dict[tuple[str, int], float] = {}

    async def run(self) -> None:
        """Looks every half second, until cancelled."""
        while True:
            for name, child in {**self._stack.processes, "callers": None}.items():
                with contextlib.suppress(psutil.Error, ProcessFailed):
                    process = psutil.Process(os.getpid() if child is None else child.pid)
                    times = process.cpu_times()
                    seconds = times.user + times.system
                    # what is there at the beginning has a past; what comes later began within our time
                    self._first.setdefault((name, process.pid), 0.0 if self._looked else seconds)
                    self._used[name, process.pid] = seconds
            self._looked = True
            await asyncio.sleep(0.5)

    def cores(self) -> dict[str, float]:
        """Average over the time since the beginning."""
        used: Counter[str] = Counter()
        for (name, pid), seconds in self._used.items():
            used[name] += seconds - self._first[name, pid]  # type: ignore[assignment]
        return {name: round(seconds / (time.monotonic() - self._began), 2) for name, seconds in used.items()}


async def time_to_new_call(stack: Stack) -> float:
    """Seconds from now until a new caller hears the bot."""
    began = time.monotonic()
    async with Hall(stack) as hall:
        while True:
            async with SipCaller(("127.0.0.1", stack.sip_port)) as caller:
                known = len(hall.monitor.calls)
                try:
                    answered = await caller.dial(DEFAULT_EXTENSION, deadline_s=1.0) == 200
                except TimeoutError:
                    continue  # Asterisk is not there yet
                if answered and await hall.monitor.wait_for(lambda known=known: len(hall.monitor.calls) > known, 1.0):  # type: ignore[misc]
                    await caller.phone.prompt_started(deadline_s=10.0)
                    return time.monotonic() - began
            await asyncio.sleep(0.1)


async def lose_flow(hall: Hall, flows_dir: Path, dice: random.Random) -> list[Suffered]:
    """Renames the file of the flow that all calls are in and kills the bot manager, deletes the file and replaces it:
    whoever comes next finds no file of that name."""
    file, other = flows_dir / "fr" / "heating.yaml", flows_dir / "fr" / "renamed.yaml"
    suffered = []
    kill, replace = InjectedFault("kill", "bot_manager"), InjectedFault("restart", "bot_manager")
    for change, fault in ((lambda: file.rename(other), kill), (other.unlink, replace)):
        change()
        await asyncio.sleep(dice.uniform(*PAUSE_S))  # it looks at its files every second
        suffered.append(await hall.suffer(fault))
    return suffered


async def play(
    stack: Stack, faults: Sequence[InjectedFault], args: argparse.Namespace
) -> tuple[list[CallReport], list[Suffered], dict[str, float]]:
    scores = [
        read_script((ROOT / "tests" / "calls" / f"{name}.yaml").read_text(encoding="utf-8"), name) for name in SCRIPTS
    ]
    async with Hall(stack, patience=6) as hall:
        meter = CpuMeter(stack)
        metering = asyncio.create_task(meter.run())
        calls = hall.place(scores, args.calls, over_s=args.over_s)
        if not await hall.all_up(args.calls, args.over_s + 30.0):
            print("not every call was answered", file=sys.stderr)
        dice = random.Random(args.seed)
        shuffled = dice.sample(faults, len(faults))
        suffered = await in_turn(hall, shuffled, dice, PAUSE_S)
        if args.flow_gone:
            suffered += await lose_flow(hall, Path(stack.plan.settings["FLOWS_DIR"]), dice)
        if any(fault.process == ASTERISK for fault in faults):
            print(
                f"a new caller hears the bot {await time_to_new_call(stack) + suffered[-1].ready_after_s:.1f} s after"
            )
        reports = await calls
        metering.cancel()
        return reports, suffered, meter.cores()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--over-s", type=float, default=12.0, help="time over which the calls are placed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kill", nargs="*", metavar="SERVICE", help="kill these (default: every service)")
    parser.add_argument("--stop", type=float, metavar="SECONDS", help="stop every service for so long")
    parser.add_argument("--no-standby", action="store_true", help="nobody waits for the place of a service that ends")
    parser.add_argument("--rolling", action="store_true")
    parser.add_argument("--freeze-redis", type=float, metavar="SECONDS")
    parser.add_argument("--kill-redis", type=int, nargs="?", const=1, default=0, metavar="TIMES")
    parser.add_argument("--redis-data", action="store_true", help="Redis keeps its data over a restart")
    parser.add_argument("--kill-asterisk", action="store_true")
    parser.add_argument("--flow-gone", action="store_true", help="rename and delete the flow's file under the calls")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    faults: list[InjectedFault] = []
    if args.kill is not None:
        faults += [InjectedFault("kill", service) for service in args.kill or SERVICES]
    if args.stop:
        faults += [InjectedFault("freeze", service, args.stop) for service in SERVICES]
    if args.rolling:
        faults += [InjectedFault("restart", service) for service in SERVICES]
    if args.freeze_redis:
        faults.append(InjectedFault("freeze", REDIS, args.freeze_redis))
    faults += [InjectedFault("kill", REDIS)] * args.kill_redis
    if args.kill_asterisk:
        faults.append(InjectedFault("kill", ASTERISK))
    with tempfile.TemporaryDirectory(prefix="pronto-faults-") as folder:
        state = Path(folder)
        redis_dir = state / "redis" if args.redis_data else None
        flows = shutil.copytree(ROOT / "flows", state / "flows")
        settings = {"FLOWS_DIR": str(flows), "STRAIN_LIMIT": "0"}  # what is asked here is not who is admitted
        plan = StackPlan(state / "logs", state, redis_dir=redis_dir, standby=not args.no_standby, settings=settings)
        with Stack(plan) as stack:
            stack.all_stand_by(STANDBY_DEADLINE_S)
            reports, suffered, cores = asyncio.run(play(stack, faults, args))
            for item in suffered:
                print(f"{item.fault.kind:8} {item.fault.process:16} ready again after {item.ready_after_s:5.2f} s")
            result = outcome_of(reports, suffered, recorded(stack), remains(stack, 10.0).counts(), cores)
            trouble = {
                name: path.read_text(encoding="utf-8", errors="replace").count("Traceback")
                for name, path in ((path.stem, path) for path in plan.run_dir.glob("*.log"))
            }
            if args.json:
                logs = {
                    path.stem: path.read_text(encoding="utf-8", errors="replace") for path in plan.run_dir.glob("*.log")
                }
                args.json.write_text(json.dumps({"outcome": vars(result), "logs": logs}, indent=1, default=str))
    for name, value in vars(result).items():
        print(f"{name:18} {value}")
    print(f"{'tracebacks':18} {trouble}")
    return 0 if not result.faults else 1


if __name__ == "__main__":
    sys.exit(main())
