"""The database goes away under load and comes back: is every record written, and does anybody have to wait for it?

    python -m benchmarks.records_away --away-s 600                      # PostgreSQL stopped (SIGSTOP) for ten minutes
    python -m benchmarks.records_away --away-s 120 --how crash          # killed, and started again after that time
    python -m benchmarks.records_away --away-s 120 --how lock           # SQLite, locked by somebody else
    python -m benchmarks.records_away --kill                            # and the process with the writer is killed, too

Calls of three turns arrive at `--calls-per-s` as the bot manager would tell of them: begun, each turn twice (taken,
then with its answer heard), over. `put` is timed, for a call waits for it. At the end each row is compared with what
was told. With `--kill` the writer is a child that is killed (SIGKILL) in the middle of it; what was told in the five
seconds before may be lost then, and nothing older.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
from sqlalchemy import select

from devstack.postgres_server import PostgresServer
from records.call import CallRecord, Record, TurnRecord
from records.database import open_database
from records.engines import connect
from records.models import CallRow, TurnRow
from records.spool import Spool
from records.writer import SPOOL_AFTER_S, RecordWriter

TURNS = 3
BEGAN = 1_790_000_000.0


def records_of(number: int) -> list[Record]:
    """What is told of one call, in order."""
    begun = CallRecord(f"call-{number}", "bench", "+33612345678", "", "fr/heating", "abc", "", BEGAN + number)
    found: list[Record] = [begun]
    for turn in range(1, TURNS + 1):
        taken = TurnRecord(begun.id, turn, turn, "ask_zip", text="soixante-quinze mille onze", intent="zip_code")
        found += [taken, replace(taken, playback_started_at=BEGAN + number + turn)]
    return [*found, replace(begun, ended_at=BEGAN + number + 60, outcome="qualified", lead={"zip_code": "75011"})]


def tell(writer: RecordWriter, calls_per_s: float, stop: Callable[[], bool], first: int = 0) -> tuple[int, list[float]]:
    """Calls at an even rate until `stop`: how many altogether, and how long each `put` took (seconds)."""
    began, number, took = time.perf_counter(), first, []
    while not stop():
        for record in records_of(number):
            at = time.perf_counter()
            writer.put(record)
            took.append(time.perf_counter() - at)
        number += 1
        time.sleep(max(0.0, began + (number - first) / calls_per_s - time.perf_counter()))
    return number, took


def lost(database: str, count: int) -> int:
    """How many rows of `count` calls are not there, or not as they were told last."""
    with connect(database).connect() as connection:
        over = select(CallRow.id).where(CallRow.outcome == "qualified", CallRow.ended_at.is_not(None))
        calls = set(connection.execute(over).scalars())
        heard = select(TurnRow.call_id, TurnRow.number).where(TurnRow.playback_started_at.is_not(None))
        turns = {(call, number) for call, number in connection.execute(heard)}
    names = [f"call-{number}" for number in range(count)]
    there = sum(name in calls for name in names)
    return count * (1 + TURNS) - there - sum((name, turn) in turns for name in names for turn in range(1, TURNS + 1))


class Away:
    """A database, and the two ends of its absence."""

    def __init__(self, how: str, folder: Path) -> None:
        self.how = how
        self._server = None if how == "lock" else PostgresServer()
        self._file = folder / "calls.sqlite"
        self._lock: sqlite3.Connection | None = None
        if self._server is not None:
            self._server.start()
        self.url = f"sqlite:///{self._file}" if self._server is None else self._server.new_database()
        open_database(self.url).dispose()

    def begin(self) -> None:
        """From now on nothing is written."""
        if self._server is None:
            self._lock = sqlite3.connect(self._file, isolation_level=None, timeout=30.0)
            self._lock.execute("BEGIN EXCLUSIVE")
        elif self.how == "stop":
            self._server.pause()
        else:
            self._server.halt(signal.SIGQUIT)

    def end(self) -> None:
        """It is back."""
        if self._lock is not None:
            self._lock.close()
        elif self._server is not None and self.how == "stop":
            self._server.go_on()
        elif self._server is not None:
            self._server.restart()

    def close(self) -> None:
        """Removes what was made."""
        if self._server is not None:
            self._server.stop()


def in_a_child(database: str, folder: str, calls_per_s: float, told: str) -> None:
    """The process that is killed. `told` gets a line per call: its number and when it was told."""
    writer = RecordWriter(connect(database), spool=Spool(Path(folder)))
    writer.start()
    with Path(told).open("w", buffering=1) as log:
        number = 0
        while True:
            for record in records_of(number):
                writer.put(record)
            log.write(f"{number} {time.monotonic()}\n")
            number += 1
            time.sleep(1 / calls_per_s)


def killed(away: Away, folder: Path, args: argparse.Namespace) -> dict[str, object]:
    """Database away, writer killed, database back, a new writer: what is lost of what."""
    told = folder / "told"
    command = (away.url, str(folder / "spool"), args.calls_per_s, str(told))
    child = multiprocessing.get_context("spawn").Process(target=in_a_child, args=command)
    away.begin()
    child.start()
    time.sleep(args.away_s)
    os.kill(child.pid or 0, signal.SIGKILL)
    killed_at = time.monotonic()
    child.join()
    away.end()
    lines = [line.split() for line in told.read_text().splitlines()]
    old = sum(float(at) < killed_at - SPOOL_AFTER_S - 1.0 for _, at in lines)
    writer = RecordWriter(connect(away.url), spool=Spool(folder / "spool"))
    writer.start()
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and (lost(away.url, old) or writer.waiting):
        time.sleep(0.5)
    writer.stop()
    return {"calls told": len(lines), "older than 6 s": old, "lost of these": lost(away.url, old)}


def survived(away: Away, folder: Path, args: argparse.Namespace) -> dict[str, object]:
    """Load before, during and after the absence."""
    writer = RecordWriter(connect(away.url), spool=Spool(folder / "spool"))
    writer.start()
    over = threading.Event()
    result: list[tuple[int, list[float]]] = []
    caller = threading.Thread(target=lambda: result.append(tell(writer, args.calls_per_s, over.is_set)))
    process = psutil.Process()
    before_mb = process.memory_info().rss / 1e6
    caller.start()
    time.sleep(5)
    away.begin()
    time.sleep(args.away_s)
    waited, in_memory = writer.waiting, len(writer._waiting)
    disk_mb = sum(path.stat().st_size for path in (folder / "spool").glob("*.jsonl")) / 1e6
    away.end()
    back_at = time.monotonic()
    while writer.waiting > 1_000:
        time.sleep(0.05)
    caught_up_s = time.monotonic() - back_at
    time.sleep(5)
    over.set()
    caller.join()
    written = writer.flush(120)
    count, took = result[0]
    took.sort()
    writer.stop()
    return {
        "calls": count,
        "records told": len(took),
        "lost rows": lost(away.url, count),
        "dropped": writer.dropped,
        "all written": written,
        "waiting at the end of the absence": waited,
        "of these in memory": in_memory,
        "on disk, MB": round(disk_mb, 1),
        "caught up after, s": round(caught_up_s, 1),
        "put, ms": {"p50": _ms(took, 0.5), "p99": _ms(took, 0.99), "p99.9": _ms(took, 0.999), "max": _ms(took, 1.0)},
        "memory, MB more": round(process.memory_info().rss / 1e6 - before_mb, 1),
    }


def _ms(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000, 3)


def main() -> int:
    """0: nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--away-s", type=float, default=120.0)
    parser.add_argument("--how", choices=["stop", "crash", "lock"], default="stop")
    parser.add_argument("--calls-per-s", type=float, default=5.0, help="a cell of 75 callers has about one")
    parser.add_argument("--kill", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pronto-records-") as name:
        away = Away(args.how, Path(name))
        try:
            found = (killed if args.kill else survived)(away, Path(name), args)
        finally:
            away.close()
    print(json.dumps({"how": args.how, "away, s": args.away_s, **found}, indent=2))
    return 1 if found.get("lost rows") or found.get("lost of these") or found.get("dropped") else 0


if __name__ == "__main__":
    sys.exit(main())
