"""Writes records from a thread of its own, so that a slow, locked, stopped or wrong database never holds up a call.

Records wait in memory; when the database has not taken them for some seconds, or many wait, a second thread puts them
on disk (`Spool`), from where they are written, in order, when the database is back: after a restart too. Only a record
that no database can take, or that finds memory and disk full, is dropped, and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from records.call import Record
from records.database import BadSchema, migrate
from records.engines import attempt, writing
from records.faults import is_the_schemas_fault, may_pass, told
from records.spool import Spool
from records.store import store

log = logging.getLogger("pronto.records")

BATCH: Final = 100
MOVED_AT_ONCE: Final = 1_000
BACK_OFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
SPOOL_AFTER_S: Final = 5.0
"""A kill loses no record that is older."""
LOOK_AGAIN_S: Final = 2.0
"""Between looks at a folder on disk that a predecessor still has."""


@dataclass(frozen=True)
class Meters:
    """Called with how many records were written, not taken (and tried again) or dropped, and with how many wait."""

    written: Callable[[int], Any] = lambda count: None
    retried: Callable[[int], Any] = lambda count: None
    dropped: Callable[[int], Any] = lambda count: None
    waiting: Callable[[int], Any] = lambda count: None


class RecordWriter:
    """Two threads between `start()` and `stop()`; `put` never blocks.

    `bound`: records in memory at most; from half of it on they go to the `spool` (None: no disk, the oldest is dropped
    at the bound). The database is migrated by the thread, before its first record.
    """

    def __init__(
        self, engine: Engine, bound: int = 10_000, spool: Spool | None = None, meters: Meters | None = None
    ) -> None:
        self._engine = engine
        self._bound = bound
        self._spool = spool
        self._meters = meters or Meters()
        self._lock = threading.Condition()
        self._waiting: deque[tuple[float, Record]] = deque()  # (time.monotonic() of its coming, record)
        self._in_flight: list[Record] = []  # from memory, on their way to the database, and not on disk
        self._busy = False
        self._moving = False
        self._stopping = False
        self._give_up_at = float("inf")
        self._migrated = False
        self._spool_fault = ""
        self._threads = [
            threading.Thread(target=self._supervised, args=(job,), name=name, daemon=True)
            for job, name in ((self._write_on, "call-records"), (self._spool_on, "call-records-spool"))
        ]
        self.dropped = 0
        self.crashes = 0
        """How often one of the threads failed and began again: a bug."""
        self.trouble = ""
        """Why nothing is written although the database answers; empty while all is well or it is just away."""

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def put(self, record: Record) -> None:
        """Queues a record."""
        with self._lock:
            if len(self._waiting) >= self._bound:
                self._waiting.popleft()
                self._drop(1, "queue full")
            self._waiting.append((time.monotonic(), record))
            self._changed()

    @property
    def alive(self) -> bool:
        """Whether the thread that writes is at work."""
        return self._threads[0].is_alive()

    @property
    def waiting(self) -> int:
        """Records not yet in the database, on disk or not."""
        spooled = self._spool.count if self._spool is not None else 0
        return len(self._waiting) + len(self._in_flight) + spooled

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything is written; False when `timeout_s` was not enough."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._busy and not self._moving and not self.waiting, timeout_s)

    def stop(self, timeout_s: float = 3.0) -> None:
        """Writes what is waiting, for at most `timeout_s`, and ends the threads. What is left goes to the disk, or is
        counted as dropped."""
        with self._lock:
            self._stopping = True
            self._give_up_at = time.monotonic() + timeout_s
            self._lock.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, self._give_up_at + 1.0 - time.monotonic()))
        with self._lock:
            left = [*self._in_flight, *(record for _, record in self._waiting)]
            self._in_flight = []
            self._waiting.clear()
        if left and not self._spooled(left):
            self._drop(len(left), "stopped before the database came back")
        if self._spool is not None:
            self._spool.close()
        self._engine.dispose()

    def _drop(self, count: int, reason: str) -> None:
        with self._lock:
            self.dropped += count
        self._meters.dropped(count)
        log.error("call records dropped", extra={"count": count, "reason": reason})

    def _changed(self) -> None:
        self._meters.waiting(self.waiting)
        self._lock.notify_all()

    def _supervised(self, job: Callable[[], None]) -> None:
        """A thread: its job, again and again until it ends by itself."""
        while True:
            try:
                return job()
            except Exception:
                self.crashes += 1
                log.exception("writing call records failed: it begins again")
                with self._lock:
                    self._moving = False
                    if self._lock.wait_for(lambda: self._stopping, 1.0) and time.monotonic() >= self._give_up_at:
                        return None

    # --- to the database ---

    def _write_on(self) -> None:
        failures = 0
        try:
            self._migrate()  # an older or wrong database is told at the start, and not with the first call
        except (SQLAlchemyError, BadSchema, OSError) as error:
            self._wait_told(error, failures)
        while True:
            batch, on_disk = self._next()
            if not batch:
                return
            trouble = self._delivered(batch)
            if trouble is not None:
                self._wait_told(trouble, failures)
                if not self._pause(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]):
                    return
                failures += 1
                continue
            if failures:
                log.info("call records are written again", extra={"waiting": self.waiting})
            failures, self.trouble = 0, ""
            if on_disk and self._spool is not None:
                self._spool.take_off(len(batch))
            with self._lock:
                if not on_disk:
                    self._in_flight = []
                self._busy = False
                self._changed()

    def _next(self) -> tuple[list[Record], bool]:
        """The oldest records, and whether they are on disk; none when it is time to end."""
        while True:
            others = self._spool is not None and not self._spool.is_open and not self._open_spool()
            with self._lock:
                self._lock.wait_for(lambda: not self._moving)
                if self._stopping and time.monotonic() >= self._give_up_at:
                    return [], False
                if self._in_flight:
                    return self._in_flight, False
                on_disk = self._spool is not None and self._spool.count > 0
                self._busy = on_disk or bool(self._waiting)
                if not on_disk and self._waiting:
                    count = min(BATCH, len(self._waiting))
                    self._in_flight = [self._waiting.popleft()[1] for _ in range(count)]
                    return self._in_flight, False
                if not on_disk:
                    self._lock.notify_all()
                    if self._stopping:
                        return [], False
                    self._lock.wait(LOOK_AGAIN_S if others else None)
                    continue
            batch = self._spool.first(BATCH) if self._spool is not None else []  # no lock: `put` waits for no disk
            if batch:
                return batch, True

    def _delivered(self, batch: list[Record]) -> Exception | None:
        """Writes records, one by one when they do not go together; gives what the database suffers of, if it does."""
        try:
            self._write(batch)
        except Exception as error:
            if may_pass(error):
                return error
            if len(batch) > 1:  # one bad record must not take the others along
                return next((found for found in map(self._delivered, [[one] for one in batch]) if found), None)
            if not isinstance(error, SQLAlchemyError):
                self.crashes += 1
                log.exception("a call record could not be written")
            self._drop(1, told(error))
        return None

    def _write(self, batch: list[Record]) -> None:
        self._migrate()
        with attempt(self._engine), writing(self._engine).begin() as connection:
            store(connection, batch)
        self._meters.written(len(batch))

    def _migrate(self) -> None:
        if not self._migrated:
            migrate(self._engine)
            self._migrated = True

    def _wait_told(self, error: Exception, failures: int) -> None:
        """Tells once what keeps the database from taking records, and looks at its schema anew if that may be it."""
        self._meters.retried(1)
        wrong = is_the_schemas_fault(error)
        self._migrated = self._migrated and not wrong
        self.trouble = told(error) if wrong else ""
        if failures == 0 or (wrong and failures % 100 == 0):
            level = logging.ERROR if wrong else logging.WARNING
            log.log(
                level,
                "call records wait for their database",
                extra={"error": told(error), "waiting": self.waiting},
            )

    def _pause(self, seconds: float) -> bool:
        """Waits before the next attempt; False when the time to stop is over."""
        with self._lock:
            self._lock.wait_for(lambda: self._stopping, min(seconds, max(0.0, self._give_up_at - time.monotonic())))
            if not self._stopping:
                return True
            self._lock.wait(min(0.05, max(0.0, self._give_up_at - time.monotonic())))
            return time.monotonic() < self._give_up_at

    # --- to the disk ---

    def _spool_on(self) -> None:
        if self._spool is None:
            return
        while True:
            with self._lock:
                while not self._is_late() and not self._stopping:
                    self._lock.wait(0.5)
                if self._stopping:
                    return
                self._moving = True
                # what is on its way to the database goes first: when it arrives after all, it is written twice
                count = min(MOVED_AT_ONCE, len(self._waiting))
                moved = [self._waiting.popleft() for _ in range(count)]
                flying = list(self._in_flight)
            kept = self._spooled([*flying, *(record for _, record in moved)])
            with self._lock:
                if not kept:
                    self._waiting.extendleft(reversed(moved))
                elif self._in_flight == flying:
                    self._in_flight = []
                self._moving = False
                self._changed()
                if not kept and self._lock.wait_for(lambda: self._stopping, 1.0):
                    return

    def _is_late(self) -> bool:
        """Whether records have waited in memory for too long, or too many do."""
        if len(self._waiting) >= max(1, self._bound // 2):
            return True
        return bool(self._waiting) and time.monotonic() - self._waiting[0][0] > SPOOL_AFTER_S

    def _open_spool(self) -> bool:
        """Whether the folder on disk is ours: while a predecessor has it, it is not."""
        try:
            return self._spool is not None and self._spool.open()
        except OSError as error:
            if repr(error) != self._spool_fault:
                log.error("the folder of waiting call records cannot be used", extra={"error": repr(error)})
            self._spool_fault = repr(error)
            return False

    def _spooled(self, records: list[Record]) -> bool:
        """Whether the records are on the disk now."""
        if self._spool is None or not self._open_spool():
            return False
        try:
            self._spool.append(records)
        except OSError as error:
            log.error("call records cannot wait on disk", extra={"error": repr(error), "count": len(records)})
            return False
        return True
