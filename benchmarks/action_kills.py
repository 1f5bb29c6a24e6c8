"""Bot managers killed at random moments while calls wait for an action: what was done how often, what callers heard.

    python -m benchmarks.action_kills [--rounds 200] [--calls 5] [--seed 1]

A real Redis, two bot managers as processes (one drives, one waits), an HTTP server that keeps a ledger: it works after
up to 0.5 s, answers up to 1 s later, and does once what has the same `Idempotency-Key`. Each round kills the driver
(SIGKILL) up to 1.2 s after the callers spoke; every call that was up counts as one kill.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.bot_kills import main_of
from protocol.bus import connect
from tests.background import running
from tests.bot_manager.action_kills import Kills, ledger_of, write_flow
from tests.bot_manager.conftest import CELL, Exchange
from tests.bot_manager.shipped import environment_in


async def measure(redis_url: str, folder: Path, rounds: int, calls: int, seed: int) -> bool:
    """Runs and prints; whether each call booked exactly once."""
    settings = environment_in(folder, CELL, redis_url)
    redis = connect(redis_url)
    exchange = Exchange(redis)
    async with running(exchange.read(), exchange.write()), ledger_of(seed) as ledger:
        write_flow(folder / "flows", ledger.port)
        found = await Kills(settings, exchange, ledger, folder).run(rounds, calls, seed)
    await redis.aclose()
    heard = sorted(after for one in found for after in one.heard_after_s)
    again = sum(count > 1 for count in ledger.asked.values())
    booked = sum(one.booked for one in found)
    print(f"{rounds} kills, {rounds * calls} calls in an action: {booked} heard their code, {again} were asked again")
    print(f"effects per call: {sorted(set(ledger.effects.values()))}; calls with an effect: {len(ledger.effects)}")
    if heard:
        print(f"heard after the kill: p50 {heard[len(heard) // 2]:.2f} s, p95 {heard[int(len(heard) * 0.95)]:.2f} s, "
              f"longest {heard[-1]:.2f} s; within 3 s {sum(one <= 3 for one in heard)} of {len(heard)}")  # fmt: skip
    return booked == rounds * calls and set(ledger.effects.values()) == {1}


if __name__ == "__main__":
    sys.exit(main_of(measure, __doc__, rounds=200))
