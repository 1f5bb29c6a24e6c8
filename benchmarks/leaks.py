"""Thousands of short calls that end in every way there is, while the controller is killed again and again: is anything
left?

    python -m benchmarks.leaks --calls 2000 --kills 20

Callers hang up in every phase of the set-up and of the conversation, cancel before the answer or in early media, flood
keys, or send no RTP at all. Before and after, with the same few calls in between to warm up: channels, bridges, keys
without expiry, file descriptors, threads and resident memory of every process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from callers.many_calls import Hall, InjectedFault
from callers.rtp_phone import LineClosed
from callers.sip_caller import SipCaller
from devstack.remains import remains
from devstack.stack import Stack, StackPlan
from pronto.call_cli import DEFAULT_EXTENSION

EARLY_MEDIA = """
[bot](+)
exten => early,1,Progress()
 same => n,Playback(demo-congrats,noanswer)
 same => n,Stasis(${PRONTO_APP})
 same => n,Hangup()
"""
PATIENCE_S = 60.0
LINES = 10
ENDS = ("at once", "while prompted", "cancelled", "early media", "keys", "no rtp", "speaking over it")


@dataclass(frozen=True)
class Size:
    """What one process holds."""

    descriptors: int
    threads: int
    resident_mb: int


def sizes(stack: Stack) -> dict[str, Size]:
    """Every process's."""
    found = {}
    for name, child in stack.processes.items():
        with contextlib.suppress(psutil.Error):  # killed a moment ago
            process = psutil.Process(child.pid)
            found[name] = Size(process.num_fds(), process.num_threads(), process.memory_info().rss >> 20)
    return found


async def one_call(stack: Stack, end: str, dice: random.Random) -> str:
    """A call that ends in the given way; what became of it."""
    async with SipCaller(("127.0.0.1", stack.sip_port)) as caller:
        dialing = asyncio.create_task(caller.dial("early" if end == "early media" else DEFAULT_EXTENSION))
        if end in ("cancelled", "early media"):
            while not caller.statuses and not dialing.done():  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.001)
            await asyncio.sleep(dice.uniform(0.0, 0.02 if end == "cancelled" else 1.0))
            if not dialing.done():
                await caller.cancel()
        status = await dialing
        if status != 200:
            return f"{end}: {status}"
        with contextlib.suppress(LineClosed, TimeoutError):
            match end:
                case "at once":
                    await asyncio.sleep(dice.uniform(0.0, 0.1))
                case "keys":
                    await caller.phone.press("0123456789*#" * dice.randrange(1, 3))
                case "no rtp":
                    caller.phone.close()
                    await asyncio.sleep(dice.uniform(0.5, 2.0))
                case _:
                    await caller.ended(dice.uniform(0.2, 3.0))
        return f"{end}: {'ended by ' + (caller.ended_by or 'us')}"


async def many(stack: Stack, calls: int, kills: int, at_once: int, seed: int) -> Counter[str]:
    """All calls, with the controller killed at random moments between the first and the last; every tenth of them a
    line that says what the processes hold meanwhile."""
    dice = random.Random(seed)
    places = asyncio.Semaphore(at_once)
    done: Counter[str] = Counter()

    async def place(number: int) -> None:
        async with places:
            try:
                outcome = await one_call(stack, ENDS[number % len(ENDS)], random.Random(seed + number))
            except TimeoutError:
                outcome = f"{ENDS[number % len(ENDS)]}: no answer from Asterisk"
            done[outcome] += 1
            if done.total() % max(1, calls // LINES) == 0:
                held = ", ".join(f"{name} {one.descriptors}/{one.resident_mb}" for name, one in sizes(stack).items())
                print(f"after {done.total():6} calls, descriptors/MB: {held}", flush=True)

    async with Hall(stack) as hall:
        callers = [asyncio.create_task(place(number)) for number in range(calls)]
        for kill_at in sorted(dice.sample(range(calls), kills)):
            while done.total() < kill_at:  # noqa: ASYNC110 - a counter tells nobody
                await asyncio.sleep(0.01)
            await hall.suffer(InjectedFault("kill", "ari_controller"))
        await asyncio.gather(*callers)
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pronto-leaks-") as folder:
        stack = Stack(StackPlan(Path(folder) / "logs", Path(folder)))
        stack.asterisk.settings = dataclasses.replace(stack.asterisk.settings, extra_dialplan=EARLY_MEDIA)
        with stack:
            asyncio.run(many(stack, args.warm_up, 1, args.at_once, args.seed))
            print("after the warm-up:", remains(stack, PATIENCE_S), flush=True)
            before, began = sizes(stack), time.monotonic()
            done = asyncio.run(many(stack, args.calls, args.kills, args.at_once, args.seed + 1))
            after = remains(stack, PATIENCE_S)
            print(f"{args.calls} calls, {args.kills} kills, {time.monotonic() - began:.0f} s:", after)
            for outcome, count in sorted(done.items()):
                print(f"  {count:6} {outcome}")
            print(f"{'process':18} {'descriptors':>16} {'threads':>14} {'resident MB':>14}")
            for name, size in sizes(stack).items():
                pairs = zip(dataclasses.astuple(before[name]), dataclasses.astuple(size), strict=True)
                print(f"{name:18} " + " ".join(f"{old:6} -> {new:5}" for old, new in pairs))
            print("restarts:", stack.restarts)
    return int(any(after.counts().values()))


if __name__ == "__main__":
    sys.exit(main())
