"""Records that wait on disk: JSON lines in numbered files, read in the order in which they were written.

A file that was read to its end is deleted. After a kill the first file is read again from its beginning: writing a
record twice does no harm. Of a line that was cut off by a kill nothing is left, all others are whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import logging
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from records.call import CallRecord, FlowVersion, Forgotten, Record, TurnRecord, Webhook

log = logging.getLogger("pronto.records")

FILE_RECORDS: Final = 1_000
_KINDS: Final[dict[str, type[Record]]] = {
    "call": CallRecord,
    "turn": TurnRecord,
    "flow_version": FlowVersion,
    "webhook": Webhook,
    "forgotten": Forgotten,
}


def to_line(record: Record) -> str:
    """A record as a line."""
    kind = next(name for name, cls in _KINDS.items() if isinstance(record, cls))
    return json.dumps({"kind": kind, **vars(record)}, ensure_ascii=True) + "\n"


def of_line(line: str) -> Record:
    """The record of a line; fields that this version does not know are left out. Raises ValueError."""
    try:
        body: dict[str, Any] = json.loads(line)
        cls = _KINDS[body.pop("kind")]
        names = {spec.name for spec in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in body.items() if name in names})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"is no record: {error!r}") from None


class Spool:
    """A folder of one process at a time. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: int | None = None
        self._mark = secrets.token_hex(4)  # files that this object began; process ids come again in containers
        self._sizes: dict[Path, int] = {}  # records per file, oldest first
        self._read: list[Record] = []  # of the oldest file, not yet taken off
        self._reading: Path | None = None
        self._count = 0
        self.damaged = 0
        """Lines that could not be read."""

    def open(self) -> bool:
        """Takes the folder and what an earlier process left in it; False while another process has it. May be called
        again. Raises OSError."""
        with self._lock:
            if self._held is not None:
                return True
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            held = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(held)
                return False
            self._held = held
            for path in sorted(self._folder.glob("*.jsonl")):
                self._sizes[path] = path.read_bytes().count(b"\n")
            self._count = sum(self._sizes.values())
            return True

    def close(self) -> None:
        """Lets go of the folder; what is in it stays."""
        with self._lock:
            if self._held is not None:
                os.close(self._held)
            self._held, self._sizes, self._read, self._reading, self._count = None, {}, [], None, 0

    @property
    def is_open(self) -> bool:
        """Whether the folder is ours. Waits for no disk."""
        return self._held is not None

    @property
    def count(self) -> int:
        """How many records are in it. Waits for no disk."""
        return self._count

    def append(self, records: Sequence[Record]) -> None:
        """Adds records and returns when they are on the disk, all or none. Raises OSError."""
        data = "".join(map(to_line, records)).encode("ascii")
        with self._lock:
            last = next(reversed(self._sizes), None)
            # nothing is added to a file that is being read, nor to one of an earlier process, whose end may be torn
            if (
                last is None
                or last == self._reading
                or self._sizes[last] >= FILE_RECORDS
                or not last.stem.endswith(self._mark)
            ):
                last = self._folder / f"{_number(last) + 1:09d}-{self._mark}.jsonl"
            before = last.stat().st_size if last.exists() else 0
            file = os.open(last, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(file, before)
                raise
            finally:
                os.close(file)
            self._sizes[last] = self._sizes.get(last, 0) + len(records)
            self._count += len(records)

    def first(self, count: int) -> list[Record]:
        """The oldest records, `count` of them at most; they stay until they are taken off. Raises OSError."""
        with self._lock:
            while not self._read and self._sizes:
                oldest = next(iter(self._sizes))
                if self._reading == oldest:
                    self._done_with(oldest)
                    continue
                self._read, self._reading = self._records_of(oldest), oldest
                self._recount()
            return self._read[:count]

    def take_off(self, count: int) -> None:
        """Forgets the oldest `count` records, which `first` gave. Raises OSError."""
        with self._lock:
            del self._read[:count]
            self._recount()
            if not self._read and self._reading is not None:
                self._done_with(self._reading)

    def _done_with(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._sizes.pop(path, None)
        self._reading = None
        self._recount()

    def _recount(self) -> None:
        rest = sum(size for path, size in self._sizes.items() if path != self._reading)
        self._count = rest + len(self._read)

    def _records_of(self, path: Path) -> list[Record]:
        found: list[Record] = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found.append(of_line(line))
            except ValueError:
                self.damaged += 1
                log.error("a record on disk cannot be read", extra={"path": path.name})
        return found


def _number(path: Path | None) -> int:
    digits = path.name.split("-")[0] if path is not None else "0"
    return int(digits) if digits.isdigit() else 0
