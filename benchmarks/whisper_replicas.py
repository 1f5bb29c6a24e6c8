"""Two replicas behind HAProxy, one killed with SIGKILL under load: how many of a thousand requests are lost.

python -m benchmarks.whisper_replicas [--model FOLDER] [--requests 1000] [--callers 8]
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import subprocess

from benchmarks.spoken import utterances, wav
from benchmarks.whisper_load import Answers, body, closed_loop
from config import ROOT
from tests.whisper.processes import haproxy, replica


async def kill_at(process: subprocess.Popen[bytes], answers: Answers, count: int) -> None:
    """Kills the process when `count` requests were answered."""
    while len(answers.times) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    process.send_signal(signal.SIGKILL)


async def measure(url: str, bodies: list[bytes], callers: int, requests: int, victim: subprocess.Popen[bytes]) -> None:
    """All requests, the victim killed at a third of them."""
    answers = Answers()
    killer = asyncio.create_task(kill_at(victim, answers, requests // 3))
    await closed_loop(url, bodies, callers, requests, answers=answers, ask_again=False)
    await killer
    print(answers.line())
    print(f"lost: {len(answers.times) - len(answers.of(200))} of {len(answers.times)}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--callers", type=int, default=8)
    arguments = parser.parse_args()
    bodies = [body(wav(samples)) for _, samples in utterances(32)]
    with (
        replica(arguments.model) as (victim, first),
        replica(arguments.model) as (_, second),
        haproxy((first, second)) as port,
    ):
        url = f"http://127.0.0.1:{port}/whisper"
        asyncio.run(measure(url, bodies, arguments.callers, arguments.requests, victim))


if __name__ == "__main__":
    main()
