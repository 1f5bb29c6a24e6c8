"""`pronto retention`: deletes recordings and takes numbers and transcripts out of the records of old calls.

Off unless told after how many days. Every call that is touched is a line of the log, with its id and nothing personal.
A run that is broken off is finished by the next one; a second run finds nothing to do. Live calls are never touched: a
call of which nobody told the end is left alone while Redis knows it, or cannot be asked.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from config import BadSettings, RetentionSettings, load
from observability.logs import set_up_logs
from protocol.keys import stream_key
from records.call_records import open_database
from records.retention import anonymise, old_calls, wipe

log = logging.getLogger("pronto.retention")

DAY_S = 86_400


def add_parser(subparsers: Any) -> None:
    """Adds `retention`."""
    parser = subparsers.add_parser("retention", help="delete recordings, numbers and transcripts of old calls")
    parser.add_argument("--days", type=int, help="how old, in days (default: setting RETENTION_DAYS; 0: off)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


@dataclass
class Retention:
    """One run: `before` is the time (seconds since the epoch) up to which nothing personal is kept."""

    engine: Engine
    recordings: Path
    bus: redis.Redis
    before: float
    dry_run: bool

    def run(self) -> Counter[str]:
        """How many calls, turns, recordings and messages were done. Raises SQLAlchemyError and OSError."""
        done: Counter[str] = Counter()
        for call in old_calls(self.engine, self.before):
            if call["ended_at"] is None and self._may_be_live(call["id"]):
                done["left alone"] += 1
                log.warning("left alone: the call may be live", extra={"call_id": call["id"]})
                continue
            self._forget_call(call["id"], call["recording"], done)
        for path in self._old_recordings():
            self._delete(path, done)
        self._trim(done)
        if done["calls"] and not self.dry_run:
            wipe(self.engine)
        return done

    def _forget_call(self, call_id: str, recording: str, done: Counter[str]) -> None:
        # the file first: a run that ends here is finished by the next one, which finds the row as it was
        path = self._recording_of(call_id, recording)
        if path is not None:
            self._delete(path, done)
        turns = 0
        if not self.dry_run:
            with self.engine.begin() as connection:
                turns = anonymise(connection, call_id)
        done["calls"] += 1
        done["turns"] += turns
        log.info("would anonymise" if self.dry_run else "anonymised", extra={"call_id": call_id, "turns": turns})

    def _recording_of(self, call_id: str, recording: str) -> Path | None:
        """The file that a record names, where our folder has it: whatever else a record says is not ours to delete."""
        if not recording:
            return None
        path = self.recordings / Path(recording).name
        if not path.is_file() or path.is_symlink():
            log.info("no recording there", extra={"call_id": call_id})
            return None
        return path

    def _old_recordings(self) -> Iterator[Path]:
        """Recordings that nobody wrote to since, also those of calls without a record."""
        for path in sorted(self.recordings.glob("*.wav")):
            if path.is_file() and not path.is_symlink() and path.stat().st_mtime < self.before:
                yield path

    def _delete(self, path: Path, done: Counter[str]) -> None:
        if not self.dry_run:
            path.unlink(missing_ok=True)
        done["recordings"] += 1
        log.info("would delete" if self.dry_run else "deleted", extra={"path": path.name})

    def _trim(self, done: Counter[str]) -> None:
        """Takes old messages from the bus: on a quiet line its streams would hold them for months."""
        oldest = f"{int(self.before * 1_000)}-0"
        for key in self._keys(stream_key("*", "events")) + self._keys(stream_key("*", "commands")):
            old: Any = self.bus.xrange(key, "-", f"({oldest}")
            if old and not self.dry_run:
                self.bus.xtrim(key, minid=oldest, approximate=False)
            done["messages"] += len(old)

    def _may_be_live(self, call_id: str) -> bool:
        snapshot: Any = self.bus.get(f"pronto:call:{call_id}")
        going_on = snapshot is not None and '"over": true' not in snapshot
        return going_on or bool(self._keys(f"pronto:*:legs:{call_id}"))

    def _keys(self, pattern: str) -> list[str]:
        return [str(key) for key in self.bus.scan_iter(match=pattern, count=500)]


def run(args: argparse.Namespace) -> int:
    """Exit status 2: bad settings, or something could not be reached (nothing more was done then)."""
    try:
        settings = load(RetentionSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    days = settings.retention_days if args.days is None else args.days
    if days < 0:
        print("--days must be 1 or more (0: off)", file=sys.stderr)
        return 2
    if not days:
        print("retention is off: set RETENTION_DAYS or give --days")
        return 0
    bus = redis.Redis.from_url(settings.redis_url, decode_responses=True, encoding_errors="replace", socket_timeout=5.0)
    before = time.time() - days * DAY_S
    try:
        engine = open_database(settings.database_url)
        done = Retention(engine, settings.recordings_dir, bus, before, args.dry_run).run()
    except (SQLAlchemyError, redis.RedisError, OSError) as error:
        print(f"retention broken off: {error}", file=sys.stderr)
        return 2
    finally:
        bus.close()
    what = ", ".join(f"{done[name]} {name}" for name in ("calls", "turns", "recordings", "messages"))
    verb = "would be done" if args.dry_run else "done"
    print(f"older than {days} days, {verb}: {what}" + (f"; {done['left alone']} left alone" * bool(done["left alone"])))
    return 0
