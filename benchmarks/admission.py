"""What callers who were let in have of a cell that twice as many want to talk to as it carries.

    python -m benchmarks.admission 24 --seconds 90              # 24 callers, then 48, one after the other
    taskset -c 0 python -m benchmarks.admission 12              # with a core taken away
    python -m benchmarks.admission 16 --spinners 1              # with other work beside it at the same priority

Everything is real, on this machine: Asterisk, every service with the demo speech model, the callers. MAX_CALLS is out
of reach, so that only strain decides. A call is right when all that its script expects came; answer times are those
at the caller's ear. Who hears the busy prompt dials again at once: that costs the cell something, too.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callers.crowd import Crowd, Tally
from callers.monitor import Monitor
from callers.script import read_script
from config import ROOT
from devstack.stack import Stack, StackPlan
from protocol.bus import connect
from protocol.strain import read_strain

SCRIPTS = ("happy_path", "refused_not_owner", "zip_code_corrected", "faq_and_back", "objection_busy")
DIALS_PER_S = 4.0
LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Phase:
    """What was measured with so many callers."""

    callers: int
    tally: Tally
    talking: float
    """Calls in progress, in the mean."""
    strain: dict[str, float]
    """The median of each."""

    def row(self) -> str:
        """One line of the table."""
        delays, tally = self.tally.delays_ms, self.tally
        p50, p95 = np.quantile(delays, [0.5, 0.95]) if delays else (0.0, 0.0)
        worst = max(self.strain, key=lambda name: self.strain[name], default="")
        return (
            f"| {self.callers} | {self.talking:.0f} | {tally.right} of {tally.right + tally.wrong} | {tally.refused} "
            f"| {p50:.0f} / {p95:.0f} ({len(delays)}) | {worst} {self.strain.get(worst, 0.0):.2f} |"
        )


def spin() -> None:
    """Other work."""
    while True:
        pass


async def measure(stack: Stack, callers: list[int], seconds: float) -> None:
    """Prints a row per number of callers."""
    scripts = [read_script((ROOT / "tests/calls" / f"{name}.yaml").read_text("utf-8"), name) for name in SCRIPTS]
    redis = connect(stack.redis_url)
    monitor = Monitor(redis, stack.cell)
    await monitor.start()
    crowd = Crowd(("127.0.0.1", stack.sip_port), monitor, scripts)
    try:
        for number in callers:
            crowd.tally = tally = Tally()
            await crowd.resize(number, max(0, number - len(crowd)) / DIALS_PER_S)
            looks, talking = [], []
            for _ in range(int(seconds / LOOK_EVERY_S)):
                await asyncio.sleep(LOOK_EVERY_S)
                looks.append(await read_strain(redis, stack.cell))
                talking.append(sum(not view.ended for view in monitor.calls.values()))
            names = {name for look in looks for name in look}
            strain = {name: float(np.median([look.get(name, 0.0) for look in looks])) for name in names}
            print(Phase(number, tally, float(np.mean(talking)), strain).row(), flush=True)
            for fault, times in sorted(tally.faults.items()):
                print(f"    {times} times: {fault}", flush=True)
    finally:
        await crowd.resize(0, 0.0)
        await monitor.stop()
        await redis.aclose()


def main() -> None:
    """Measures the number, then twice the number."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", type=int, help="what the cell carries")
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--spinners", type=int, default=0, help="so many processes that never rest, beside it")
    parser.add_argument("--limit", default="", help="STRAIN_LIMIT; 0: nobody is refused")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pronto-admission-"))
    settings = {"LOG_LEVEL": "WARNING", "MAX_CALLS": "5000"}
    if chosen.limit:
        settings["STRAIN_LIMIT"] = chosen.limit
    spinners = [multiprocessing.Process(target=spin, daemon=True) for _ in range(chosen.spinners)]
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}, {chosen.spinners} spinners, limit {chosen.limit or 'as set'}")
    print("| callers | talking | right | turned away | answer p50 / p95 ms | most strained |")
    print("|---|---|---|---|---|---|", flush=True)
    try:
        with Stack(StackPlan(run_dir=folder, state_dir=folder, settings=settings)) as stack:
            for spinner in spinners:
                spinner.start()
            asyncio.run(measure(stack, [chosen.calls, 2 * chosen.calls], chosen.seconds))
    finally:
        for spinner in spinners:
            if spinner.is_alive():
                spinner.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
