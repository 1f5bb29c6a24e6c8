"""Two bot managers of one cell, the one that drives is ended: how long until the other answers what a caller says.

    python -m benchmarks.takeover [--rounds 20]

Each round begins a call, ends the driver (SIGKILL, SIGSTOP, SIGTERM in turn), lets the caller press 0 at once (in the
shipped flow a hand-over) and waits for the command that answers it. A real Redis; no Asterisk, audio or intent service.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections import defaultdict
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import redis

from config import ROOT
from devstack.processes import ChildProcess, free_tcp_port, wait_for
from devstack.redis_server import RedisServer
from protocol.codec import decode, encode
from protocol.keys import stream_key
from protocol.messages import CallEnded, CallStarted, DtmfReceived, Message, Say, TransferCall

CELL = "takeover"
HOW = (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)


class Manager:
    """One bot manager as a process."""

    def __init__(self, redis_url: str, folder: Path, name: str) -> None:
        self._port = free_tcp_port()
        environment = {
            "PRONTO_CELL": CELL,
            "REDIS_URL": redis_url,
            "BOT_PORT": str(self._port),
            "DATABASE_URL": f"sqlite:///{folder / 'calls.sqlite'}",
            "RECORDS_SPOOL_DIR": str(folder / "spool"),
            "FLOWS_DIR": str(ROOT / "flows"),
            "BOT_DRAIN_S": "0.1",
        }
        self.child = ChildProcess(
            name, [str(ROOT / ".venv/bin/python"), "-m", "bot_manager"], folder / name, environment
        )

    def says(self, words: str) -> bool:
        """Whether /ready has these words."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=1)
        try:
            connection.request("GET", "/ready")
            return words in connection.getresponse().read().decode()
        except OSError:
            return False
        finally:
            connection.close()

    def start(self, words: str) -> None:
        """Starts it and waits until /ready has these words."""
        self.child.start()
        self.child.wait_until(lambda: self.says(words), 60)


def told(client: Any, call_id: str, kind: type[Message], count: int = 1) -> bool:
    """Whether so many commands of a kind went to a call."""
    found = [decode(fields["m"]) for _, fields in client.xrange(stream_key(CELL, "commands"))]
    return sum(isinstance(message, kind) and message.call_id == call_id for message in found) >= count


def a_round(client: Any, number: int, driver: Manager, how: signal.Signals) -> tuple[float, int]:
    """Seconds from the end of the driver to the answer, and how many answers there were."""
    call_id, events = f"{CELL}-{number}", stream_key(CELL, "events")
    client.xadd(events, {"m": encode(CallStarted(call_id, time.time(), "+33600000001", "+33100000001"))})
    if not wait_for(lambda: told(client, call_id, Say), 10):
        raise RuntimeError("the call did not begin")
    os.kill(driver.child.pid, how)
    at = time.monotonic()
    client.xadd(events, {"m": encode(DtmfReceived(call_id, time.time(), "0"))})
    if not wait_for(lambda: told(client, call_id, Say, 2) or told(client, call_id, TransferCall), 20):
        raise RuntimeError("nobody took over")
    took = time.monotonic() - at
    client.xadd(events, {"m": encode(CallEnded(call_id, time.time(), "caller_hung_up"))})
    found = [decode(fields["m"]) for _, fields in client.xrange(stream_key(CELL, "commands"))]
    ids = [message.playback_id for message in found if isinstance(message, Say) and message.call_id == call_id]
    return took, len(ids) - len(set(ids))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="of each way to end (default 20)")
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = defaultdict(list)
    twice = 0
    with tempfile.TemporaryDirectory() as name:
        server = RedisServer()
        server.start()
        client = redis.Redis.from_url(server.url, decode_responses=True)
        driver, other = (Manager(server.url, Path(name), one) for one in ("one", "two"))
        driver.start("ready")
        other.start("another bot manager")
        try:
            for number in range(rounds * len(HOW)):
                how = HOW[number % len(HOW)]
                took, again = a_round(client, number, driver, how)
                times[how.name].append(took)
                twice += again
                driver.child.stop()
                driver, other = other, driver
                other.start("another bot manager")
                print(f"{number + 1}/{rounds * len(HOW)} {how.name} {took:.2f} s", flush=True)
        finally:
            driver.child.stop()
            other.child.stop()
            server.stop()
    for how_name, found in times.items():
        found.sort()
        print(f"{how_name}: p50 {found[len(found) // 2]:.2f} s, longest {found[-1]:.2f} s ({len(found)} rounds)")
    print(f"prompts asked for twice: {twice}")


if __name__ == "__main__":
    main()
