"""Four hundred malformed requests, several times over: right statuses, and what the process holds after each time.

python -m benchmarks.whisper_malformed [--model FOLDER] [--rounds 5]
"""

from __future__ import annotations

import argparse
import time

import httpx

from benchmarks.whisper_load import milliseconds
from benchmarks.whisper_overload import resident_mb
from config import ROOT
from tests.whisper.malformed import good_wav, requests
from tests.whisper.processes import replica


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "demo-fr"))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    everything = list(requests(good_wav()))
    with replica(arguments.model) as (process, port), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        print(f"{len(everything)} requests; {resident_mb(process.pid):.0f} MB at the start")
        for number in range(arguments.rounds):
            right, seconds = 0, []
            for one in everything:
                began = time.perf_counter()
                answer = client.request(one.method, one.path, content=one.body, headers=one.headers, timeout=30)
                seconds.append(time.perf_counter() - began)
                right += answer.status_code == one.status
            held = f"{resident_mb(process.pid):.0f} MB"
            print(f"round {number + 1}: {right} right, {milliseconds(seconds)}, {held}", flush=True)
        print(f"ready after all: {client.get('/ready').status_code == 200}")


if __name__ == "__main__":
    main()
