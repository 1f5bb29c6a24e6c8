"""Four times the capacity for a minute: the answered keep their p95, the rest are refused at once, memory is flat.

python -m benchmarks.whisper_overload [--model FOLDER] [--seconds 60] [--times 4]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from benchmarks.spoken import utterances, wav
from benchmarks.whisper_load import Answers, body, closed_loop, milliseconds, open_loop
from config import ROOT
from tests.whisper.processes import replica


def resident_mb(process_id: int) -> float:
    """Memory that a process holds."""
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * 4096 / 2**20


async def watch(process_id: int, into: list[float]) -> None:
    """Notes the memory twice a second."""
    while True:
        into.append(resident_mb(process_id))
        await asyncio.sleep(0.5)


async def watch_ourselves(into: list[float]) -> None:
    """Notes how late this process wakes up: what it measures of others is late by as much."""
    while True:
        due = time.perf_counter() + 0.01
        await asyncio.sleep(0.01)
        into.append(time.perf_counter() - due)


async def measure(url: str, process_id: int, bodies: list[bytes], times: float, seconds: float) -> None:
    """Capacity, overload, recovery."""
    await closed_loop(url, bodies, 8, 100)
    before: Answers = await closed_loop(url, bodies, 24, 400)
    capacity = len(before.of(200)) / before.seconds
    print(f"capacity, 24 callers:   {before.line()}", flush=True)
    memory: list[float] = []
    late: list[float] = []
    watching = [asyncio.create_task(watch(process_id, memory)), asyncio.create_task(watch_ourselves(late))]
    over = await open_loop(url, bodies, times * capacity, seconds)
    for task in watching:
        task.cancel()
    ended = time.perf_counter()
    print(f"{times:g} x capacity = {times * capacity:.0f}/s for {seconds:g} s: {over.statuses()}")
    print(f"  answered: {len(over.of(200)) / over.seconds:6.1f} req/s  {milliseconds(over.of(200))}")
    if over.of(503):
        in_time = sum(took <= 0.05 for took in over.of(503)) / len(over.of(503))
        print(f"  503:                   {milliseconds(over.of(503))}, {in_time:.2%} within 50 ms")
        print(f"  this generator woke up {milliseconds(late)} late")
    quarter = len(memory) // 4
    print(
        f"  memory: {memory[0]:.0f} MB at the start, {memory[quarter]:.0f} after a quarter, {memory[-1]:.0f} at the end"
    )
    after = await closed_loop(url, bodies, 24, int(9 * capacity))
    print(f"capacity right after:   {after.line()}")
    from_2_s = [end for start, end, status in after.times if status == 200 and ended + 2 < start + end < ended + 7]
    print(f"  from 2 s to 7 s after the overload: {len(from_2_s) / 5:.1f} req/s, capacity before: {capacity:.1f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=float, default=4)
    arguments = parser.parse_args()
    bodies = [body(wav(samples)) for _, samples in utterances(32)]
    with replica(arguments.model) as (process, port):
        url = f"http://127.0.0.1:{port}/whisper"
        asyncio.run(measure(url, process.pid, bodies, arguments.times, arguments.seconds))


if __name__ == "__main__":
    main()
