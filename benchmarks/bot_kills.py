"""The command line of benchmarks that kill bot managers over and over, in a folder and on a Redis of their own."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

from devstack.redis_server import RedisServer
from tests.bot_manager.shipped import shipped_flows, silent_prompts


class Measure(Protocol):
    """Runs, prints; whether all was as it must be."""

    def __call__(self, redis_url: str, folder: Path, rounds: int, calls: int, seed: int) -> Awaitable[bool]: ...


def main_of(measure: Measure, about: str | None, rounds: int) -> int:
    """The exit status. `measure` finds the shipped flows, with silent prompts, in its folder."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    async def run(redis_url: str, folder: Path) -> bool:
        return await measure(redis_url, folder, args.rounds, args.calls, args.seed)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shipped_flows(folder)
        silent_prompts(folder)
        server = RedisServer(data_dir=folder / "redis")
        server.start()
        try:
            is_good = asyncio.run(run(server.url, folder))
        finally:
            server.stop()
    return 0 if is_good else 1
