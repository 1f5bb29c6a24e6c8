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
from protocol.keys import call_key, legs_key, stream_key
from records.database import BadSchema
from records.engines import connect, writing
from records.retention import anonymise, old_calls, wipe

log = logging.getLogger("pronto.retention")

DAY_S = 86_400
REWRITE_S = 60.0
# Redis marks a trimmed entry as deleted and keeps it until its whole node of about a hundred is: on a busy line until
# the next night, on a quiet one for ever. So a short stream is made anew, with the same entries, in one step.
_MADE_ANEW = """
local rest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1001)
if #rest == 0 or #rest > 1000 then return 0 end
local info, expiry = redis.call('XINFO', 'STREAM', KEYS[1]), redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
for _, entry in ipairs(rest) do redis.call('XADD', KEYS[1], entry[1], unpack(entry[2])) end
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then redis.call('XSETID', KEYS[1], info[i + 1]) end
end
if expiry > 0 then redis.call('PEXPIRE', KEYS[1], expiry) end
return #rest
"""


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
            self._forget_call(call, done)
        for path in self._old_strangers():
            done["unknown recordings"] += 1
            log.warning("an old recording of no record: left alone", extra={"path": path.name})
        self._trim(done)
        if done["calls"] and not self.dry_run:
            wipe(self.engine)
        return done

    def _forget_call(self, call: dict[str, Any], done: Counter[str]) -> None:
        # the files first: a run that ends here is finished by the next one, which finds the row as it was
        call_id = call["id"]
        paths = self._recordings_of(call)
        if not paths:
            log.info("no recording there", extra={"call_id": call_id})
        for path in paths:
            self._delete(path, done)
        turns = 0
        if not self.dry_run:
            with writing(self.engine).begin() as connection:
                turns = anonymise(connection, call_id)
        done["calls"] += 1
        done["turns"] += turns
        log.info("would anonymise" if self.dry_run else "anonymised", extra={"call_id": call_id, "turns": turns})

    def _recordings_of(self, call: dict[str, Any]) -> list[Path]:
        """The files that a record names, where our folder has them: whatever else a record says is not ours to delete.
        Of a call that was lost nobody told the file, which bears the name of the call or of its channel."""
        names = (
            [call["recording"]] if call["recording"] else [f"{name}.wav" for name in (call["id"], call["channel_id"])]
        )
        paths = {self.recordings / Path(name).name for name in names}
        return sorted(path for path in paths if path.is_file() and not path.is_symlink())

    def _old_strangers(self) -> Iterator[Path]:
        """Recordings of that age that are still there: no record named them, and the folder may be shared."""
        for path in sorted(self.recordings.glob("*.wav")):
            if not self.dry_run and path.is_file() and not path.is_symlink() and path.stat().st_mtime < self.before:
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
                self.bus.eval(_MADE_ANEW, 1, key)
            done["messages"] += len(old)
        if done["messages"] and not self.dry_run:
            self._rewrite_log()

    def _rewrite_log(self) -> None:
        """Redis' append-only file holds what was trimmed until it is written anew. Waits until it is."""
        info: Any = self.bus.info("persistence")
        if info.get("aof_enabled"):
            self._rewritten()  # one that began before holds the old messages
            self.bus.bgrewriteaof()
            if not self._rewritten():
                log.warning("redis still rewrites its log")

    def _rewritten(self) -> bool:
        give_up_at = time.monotonic() + REWRITE_S
        while time.monotonic() < give_up_at:
            info: Any = self.bus.info("persistence")
            if not info.get("aof_rewrite_in_progress") and not info.get("aof_rewrite_scheduled"):
                return True
            time.sleep(0.1)
        return False

    def _may_be_live(self, call_id: str) -> bool:
        snapshot: Any = self.bus.get(call_key(call_id))
        going_on = snapshot is not None and '"over": true' not in snapshot
        return going_on or bool(self._keys(legs_key("*", call_id)))

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
        engine = connect(settings.database_url)
        done = Retention(engine, settings.recordings_dir, bus, before, args.dry_run).run()
    except (SQLAlchemyError, BadSchema, redis.RedisError, OSError) as error:
        print(f"retention broken off: {error}", file=sys.stderr)
        return 2
    finally:
        bus.close()
    what = ", ".join(f"{done[name]} {name}" for name in ("calls", "turns", "recordings", "messages"))
    verb = "would be done" if args.dry_run else "done"
    print(f"older than {days} days, {verb}: {what}" + (f"; {done['left alone']} left alone" * bool(done["left alone"])))
    if done["unknown recordings"]:
        print(f"{done['unknown recordings']} old recordings are named by no record and were left alone (see the log)")
    return 0
