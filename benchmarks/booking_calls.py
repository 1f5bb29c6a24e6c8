"""The Italian appointment calls, one after the other on one stack, by voice: did each go as its script says, and is in
the shop's database what must be there and nothing else?

    python -m benchmarks.booking_calls [--only cancel,move_day] [--json FILE]

The scripts are tests/calls/it_booking.yaml and those of tests/calls/booking. Callers speak with Pico's Italian voice,
Whisper base hears them, through Asterisk, the receiver, intents, bot manager, booking service and speech service; the
database is emptied and filled anew before each. Prints the tables of benchmarks/booking.md; exit status 1 where one
failed. Close to half an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.booking_latency import table
from callers.play_script import CallReport, report_json
from callers.script import read_script
from config import ROOT
from devstack.demo_salon import Salon
from devstack.stack import Stack, StackPlan
from pronto.call_cli import play_in_salon

FLOW = "it/booking"
CALLS = ROOT / "tests" / "calls"
LAST = "shop_down"
"""Behind it the breaker of the booking service stays open for a while."""


def scripts(only: str = "") -> list[Path]:
    """The scripts, or those that are named."""
    found = [CALLS / "it_booking.yaml", *sorted((CALLS / "booking").glob("*.yaml"))]
    wanted = [path for path in found if not only or path.stem in only.split(",")]
    return sorted(wanted, key=lambda path: path.stem == LAST)


def row(report: CallReport) -> str:
    """A line of the table."""
    delays = [answer.delay_ms for answer in report.answers]
    times = f"{np.median(delays):.0f}, {max(delays):.0f}" if delays else "-"
    marks = ["yes" if not faults else f"**no**: {faults[0]}" for faults in (report.faults, report.shop_faults)]
    return f"| {report.score.name} | {report.score.about} | {' | '.join(marks)} | {len(delays)} | {times} |"


def play(paths: list[Path], folder: Path) -> list[CallReport]:
    """Plays them; prints each row when it is there."""
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
    print("| script | what | as scripted | database as expected | answers | heard after, ms: median, longest |")
    print("|---|---|---|---|---|---|", flush=True)
    reports = []
    with Salon(folder / "salon", FLOW) as salon:
        stack = Stack(salon.plan(StackPlan(run_dir=folder / "logs", state_dir=folder / "state")))
        with stack:
            for path in paths:
                script = read_script(path.read_text(encoding="utf-8"), str(path), salon.now())
                (report,) = asyncio.run(play_in_salon(stack, salon, [script]))
                reports.append(report)
                print(row(report), flush=True)
            heard = [answer.delay_ms for report in reports for answer in report.answers]
            print(f"\n{table(stack, stack.plan.settings['PRONTO_TOKEN'], heard)}\n")
    return reports


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of scripts, with commas between")
    parser.add_argument("--json", type=Path, help="write the whole timeline of every call")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pronto-booking-calls-") as folder:
        reports = play(scripts(arguments.only), Path(folder))
    if arguments.json:
        whole = json.dumps([report_json(report) for report in reports], ensure_ascii=False, indent=1)
        arguments.json.write_text(whole, encoding="utf-8")
    print(f"{sum(report.passed for report in reports)} of {len(reports)}")
    return 0 if all(report.passed for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
