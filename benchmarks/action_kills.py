"""Bot managers killed at random moments while calls wait for an action: what was done how often, what callers heard.

    python -m benchmarks.action_kills [--rounds 200] [--calls 5] [--seed 1]

A real Redis, two bot managers as processes (one drives, one waits), an HTTP server that keeps a ledger: it works after
up to 0.5 s, answers up to 1 s later, and does once what has the same `Idempotency-Key`. Each round kills the driver
(SIGKILL) up to 1.2 s after the callers spoke; every call that was up counts as one kill.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import wave
from pathlib import Path

from audio_prompts.catalogue import read_catalogue
from config import ROOT
from devstack.redis_server import RedisServer
from protocol.bus import connect
from tests.background import running
from tests.bot_manager.action_kills import Kills, ledger_of, write_flow
from tests.bot_manager.conftest import CELL, Exchange


async def measure(redis_url: str, folder: Path, rounds: int, calls: int, seed: int) -> bool:
    """Runs and prints; whether each call booked exactly once."""
    flows, prompts = folder / "flows", folder / "audio_prompts" / "fr"
    shutil.copytree(ROOT / "flows" / "fr", flows / "fr")
    prompts.mkdir(parents=True)
    shutil.copy(ROOT / "audio_prompts" / "fr" / "prompts.yaml", prompts)
    for name in read_catalogue(prompts / "prompts.yaml").texts:
        with wave.open(str(prompts / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8_000, 0, "NONE", ""))
            file.writeframes(bytes(1_600))
    settings = {
        **os.environ,
        "PRONTO_CELL": CELL,
        "REDIS_URL": redis_url,
        "FLOWS_DIR": str(flows),
        "PROMPTS_DIR": str(prompts.parent),
        "DATABASE_URL": f"sqlite:///{folder / 'calls.sqlite'}",
        "RECORDS_SPOOL_DIR": str(folder / "records"),
    }
    redis = connect(redis_url)
    exchange = Exchange(redis)
    async with running(exchange.read(), exchange.write()), ledger_of(seed) as ledger:
        write_flow(flows, ledger.port)
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(data_dir=Path(folder) / "redis")
        server.start()
        try:
            is_good = asyncio.run(measure(server.url, Path(folder), args.rounds, args.calls, args.seed))
        finally:
            server.stop()
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
