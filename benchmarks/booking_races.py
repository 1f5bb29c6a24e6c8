"""Two callers at once for one hour of one person, on real calls by voice: one books, the other hears other times in the
same turn; how many appointments are there afterwards?

    python -m benchmarks.booking_races [--races 20]

The scripts are those of tests/calls/races, played at the same moment on one stack, Asterisk to booking service; the
database is emptied and filled anew before each race. "Apart" is the time between the ends of the two callers' last word
before the hour was looked up. Exit status 1 where a race did not go so. Close to a minute each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callers.heard_audio import AnswerTime
from callers.play_script import CallReport
from callers.script import read_script
from callers.script_shop import Booked, ShopAfter, ShopBefore
from config import ROOT
from devstack.demo_salon import Salon
from devstack.processes import wait_for
from devstack.stack import Stack, StackPlan
from pronto.call_cli import play_in_salon

FLOW = "it/booking"
SCRIPTS = ROOT / "tests" / "calls" / "races"
WON, LOST = "done", "caller_hung_up"
CLIENTS = {"elena": "Elena Brambini", "paolo": "Paolo Verdoni"}
SETTLE_S = 20.0
YES = "sì, certo"
"""What both say before the hour is looked up."""


@dataclass(frozen=True)
class Race:
    """How one race went: the call of each, and what was in the database afterwards."""

    reports: Sequence[CallReport]
    after: ShopAfter

    @property
    def winners(self) -> list[str]:
        """Who was told that it is booked."""
        return [one.score.name for one in self.reports if one.view and one.view.outcome == WON]

    @property
    def faults(self) -> list[str]:
        """What is not as it must be; empty: one was told that it is booked, and has the one appointment that there is;
        the other was offered other times."""
        faults = [f"{one.score.name}: {fault}" for one in self.reports for fault in one.faults]
        if len(self.winners) != 1:
            return [*faults, f"{len(self.winners)} were told that it is booked"]
        wanted = Booked(CLIENTS[self.winners[0]], "taglio", 1, "11:00", "Giulia")
        return faults + ([f"booked: {self.after.booked}"] if self.after.booked != (wanted,) else [])

    @property
    def apart_ms(self) -> float:
        """Between the two yeses; NaN where one was not answered."""
        ends = [answer.spoken.last_voiced_s for one in self.reports for answer in _to_the_yes(one)]
        return abs(ends[0] - ends[1]) * 1_000 if len(ends) == len(self.reports) else float("nan")

    @property
    def told_after_ms(self) -> float:
        """From the loser's last sound to the first one of the answer that has the other times."""
        losers = [one for one in self.reports if one.score.name not in self.winners]
        return next((answer.delay_ms for one in losers for answer in _to_the_yes(one)), float("nan"))


def _to_the_yes(report: CallReport) -> list[AnswerTime]:
    """The answer to it, the last one where it was said again; empty where none came."""
    return [answer for answer in report.answers if answer.spoken.label == YES][-1:]


def race(stack: Stack, salon: Salon, patience: int = 0) -> Race:
    """Two calls at once."""
    salon.open(ShopBefore())
    scripts = [read_script(path.read_text("utf-8"), str(path), salon.now()) for path in sorted(SCRIPTS.glob("*.yaml"))]
    reports = asyncio.run(play_in_salon(stack, salon, scripts, patience=patience))
    wait_for(lambda: salon.found().messages == 1, SETTLE_S)
    return Race(reports, salon.found())


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--races", type=int, default=20)
    parser.add_argument("--patience", type=int, default=4, help="how often a caller says again what was misheard")
    arguments = parser.parse_args()
    races = []
    with tempfile.TemporaryDirectory(prefix="pronto-booking-races-") as folder:
        plan = StackPlan(run_dir=Path(folder) / "logs", state_dir=Path(folder) / "state")
        with Salon(Path(folder) / "salon", FLOW) as salon, Stack(salon.plan(plan)) as stack:
            print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
            print(
                "| race | won | apart, ms | loser answered after, ms | asked again | |\n|---|---|---|---|---|---|",
                flush=True,
            )
            for number in range(arguments.races):
                one = race(stack, salon, arguments.patience)
                races.append(one)
                repeats = sum(report.repeats for report in one.reports)
                what = "; ".join(one.faults) or "one booking, other times in the same turn"
                print(
                    f"| {number + 1} | {', '.join(one.winners)} | {one.apart_ms:.0f} | {one.told_after_ms:.0f} "
                    f"| {repeats} | {what} |",
                    flush=True,
                )
    good = [one for one in races if not one.faults]
    print(
        f"{len(good)} of {len(races)} as they must be; {sum(len(one.after.booked) for one in races)} appointments; "
        f"apart {np.nanmedian([one.apart_ms for one in races]):.0f} ms at the median"
    )
    return 0 if len(good) == len(races) else 1


if __name__ == "__main__":
    sys.exit(main())
