"""The long run of every fuzzer: a million datagrams, a hundred thousand events, messages and files, coverage-guided
parsers, schemathesis on the HTTP interfaces. Ends at the first crash, stuck call or counter that does not add up.

    python -m benchmarks.fuzz                              all but the last two, four minutes
    python -m benchmarks.fuzz datagrams --count 1000000
    python -m benchmarks.fuzz coverage http --seconds 60   these two make .pronto/fuzz, a venv of their own

`--seed` makes another run; the seed of the run below is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import psutil

from config import ROOT, STATE
from devstack.processes import ChildProcess, free_tcp_port
from devstack.redis_server import RedisServer
from protocol.bus import connect
from tests.fuzz.calls import storm_of_events, storm_of_messages
from tests.fuzz.datagrams import Storm
from tests.fuzz.parsers import PARSERS, fuzz

TOOLS = ("atheris==3.0.0", "schemathesis==4.32.5")
COVERED = ("rtp", "ari events", "messages", "controller's snapshots", "dialogue's snapshots", "sip", "sdp", "audio")
EXPECTED = """
[checks]
# not ready and too late are answers, 500 is none
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503", "504"]
"""
TOKEN = "a-token-for-fuzzing-24-characters"


def datagrams(count: int, seed: int, _: int) -> Counter[str]:
    """Over UDP into the media thread."""
    done: Counter[str] = Counter()
    with Storm(Random(seed)) as storm:
        for part in range(10):
            storm.send(count // 10)
            progress(f"{(part + 1) * count // 10} datagrams")
        done = storm.end()
    return done


def events(count: int, seed: int, _: int) -> Counter[str]:
    """ARI events and commands into the controller."""
    return _with_redis(lambda redis: storm_of_events(redis, Random(seed), count))


def messages(count: int, seed: int, _: int) -> Counter[str]:
    """Bus messages into the bot manager's switchboard."""
    with tempfile.TemporaryDirectory() as folder:
        return _with_redis(lambda redis: storm_of_messages(redis, Random(seed), count, Path(folder)))


def parsers(count: int, seed: int, _: int) -> Counter[str]:
    """Everything that is read: packets, events, messages, snapshots, flows, phrases, prompts, settings, audio."""
    done: Counter[str] = Counter()
    for parser in PARSERS:
        # a YAML file costs milliseconds, a packet microseconds
        share = count // 50 if ".yaml" in parser.name or parser.name in SLOW else count // len(PARSERS)
        found = fuzz(parser, seed, share)
        done += found
        progress(f"{parser.name}: {dict(found)}")
    return done


SLOW = {"flows", "intents", "out of scope", "families", "prompts", "call scripts"}


def coverage(_: int, seed: int, seconds: int) -> Counter[str]:
    """atheris on the parsers: inputs are kept that reach new lines. `seconds` for each parser."""
    python = _tools()
    done: Counter[str] = Counter()
    for name in COVERED:
        command = [str(python), str(ROOT / "benchmarks" / "fuzz_coverage.py"), name]
        command += [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            "-print_final_stats=1",
            "-max_len=4096",
            "-rss_limit_mb=3000",
        ]
        found = _run(command, seconds + 120)
        runs = next((line.split()[-1] for line in found.splitlines() if "number_of_executed_units" in line), "0")
        done[name] = int(runs)
        progress(f"{name}: {runs} inputs")
    return done


def http(_: int, seed: int, seconds: int) -> Counter[str]:
    """schemathesis on the OpenAPI of the two services that have one, as processes, with a token."""
    tool = _tools().parent / "st"
    done: Counter[str] = Counter()
    for service, key in (("intent_service", "INTENT_PORT"), ("whisper_service", "WHISPER_PORT")):
        port = free_tcp_port()
        log = Path(tempfile.mkdtemp()) / "log"
        settings = {key: str(port), "PRONTO_TOKEN": TOKEN, "PYTHONPATH": str(ROOT), "INTENT_LANGUAGES": "fr"}
        child = ChildProcess(service, [sys.executable, "-m", service], log, settings)
        child.start()
        try:
            child.wait_until(lambda port=port: _is_ready(port), 120.0)  # type: ignore[misc]
            command = [str(tool), "run", f"http://127.0.0.1:{port}/openapi.json", "--mode", "all", "--seed", str(seed)]
            command += ["--exclude-path", "/drain"]
            command += ["--header", f"Authorization: Bearer {TOKEN}"]
            command += ["--checks", "not_a_server_error", "--max-time", str(seconds)]
            (log.parent / "schemathesis.toml").write_text(EXPECTED)
            shown = _run(command, seconds + 120, folder=log.parent)
            assert child.exit_status is None, child.log_tail()
            assert "Traceback" not in child.log_tail(100_000), child.log_tail(60)
            generated = re.search(r"(\d+) generated", shown)
            done[service] = int(generated[1]) if generated else 0
            assert done[service], shown[-3_000:]
            progress(f"{service}: {done[service]} requests")
        finally:
            child.stop()
    return done


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _with_redis(storm: Callable[..., object]) -> Counter[str]:
    server = RedisServer()
    server.start()

    async def run() -> Counter[str]:
        redis = connect(server.url)
        try:
            return await storm(redis)  # type: ignore[misc, no-any-return]
        finally:
            await redis.aclose()

    try:
        return asyncio.run(run())
    finally:
        server.stop()


def _run(command: list[str], limit_s: int, folder: Path = ROOT) -> str:
    """Standard output and error. Raises CalledProcessError with the end of them."""
    libraries = next((Path(sys.prefix) / "lib").glob("python3.*")) / "site-packages"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{libraries}"} if "fuzz_coverage" in command[1] else None
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=limit_s, check=False, env=environment
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-6_000:]}\nexit status {done.returncode}")
    return done.stdout + done.stderr


def _tools() -> Path:
    """The Python of a venv with the tools that only this needs."""
    folder = STATE / "fuzz"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *TOOLS], check=True)
        (folder / "made").write_text("\n".join(TOOLS))
    return python


def progress(text: str) -> None:
    """One line."""
    print(f"  {time.strftime('%H:%M:%S')}  {text}", flush=True)


FUZZERS: dict[str, tuple[Callable[[int, int, int], Counter[str]], int]] = {
    "datagrams": (datagrams, 1_000_000),
    "events": (events, 100_000),
    "messages": (messages, 100_000),
    "parsers": (parsers, 100_000),
    "coverage": (coverage, 0),
    "http": (http, 0),
}


def main() -> None:
    """Runs the chosen fuzzers one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", metavar="WHICH", help=f"of {', '.join(FUZZERS)}; by default the first four")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=30)
    args = parser.parse_args()
    if unknown := set(args.which) - FUZZERS.keys():
        parser.error(f"no such fuzzer: {', '.join(sorted(unknown))}")
    logging.basicConfig(level="CRITICAL")
    warnings.simplefilter("ignore")
    process = psutil.Process()
    for name in args.which or list(FUZZERS)[:4]:
        fuzzer, count = FUZZERS[name]
        began, before = time.monotonic(), process.memory_info().rss
        print(f"{name}: {args.count or count or ''}", flush=True)
        done = fuzzer(args.count or count, args.seed, args.seconds)
        grown_mb = (process.memory_info().rss - before) / 2**20
        took_s = time.monotonic() - began
        print(f"{name}: no crash, {sum(done.values())} in {took_s:.0f} s, {grown_mb:+.0f} MB: {dict(done)}", flush=True)


if __name__ == "__main__":
    main()
