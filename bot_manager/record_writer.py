"""Writes call records from one thread of its own, so that a slow, locked or full database never holds up a call.

Records wait in a bounded queue; a write that fails is tried again, what does not fit any more is dropped and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError

from bot_manager.metrics import RECORDS_DROPPED, RECORDS_RETRIED, RECORDS_WAITING, RECORDS_WRITTEN
from records.call_records import Record, create_tables, store

log = logging.getLogger("pronto.records")

BATCH = 100
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)


class RecordWriter:
    """A thread between `start()` and `stop()`; `put` never blocks. `bound` is the number of records that may wait."""

    def __init__(self, engine: Engine, bound: int = 10_000) -> None:
        self._engine = engine
        self._bound = bound
        self._waiting: deque[Record] = deque()
        self._lock = threading.Condition()
        self._stopping = False
        self._busy = False
        self._give_up_at = float("inf")
        self._tables = False
        self._thread = threading.Thread(target=self._run, name="call-records", daemon=True)
        self.dropped = 0

    def start(self) -> None:
        """Starts the thread; the tables are made by it, as soon as the database answers."""
        self._thread.start()

    def put(self, record: Record) -> None:
        """Queues a record. A full queue loses its oldest one."""
        with self._lock:
            if len(self._waiting) >= self._bound:
                self._waiting.popleft()
                self._drop(1, "queue full")
            self._waiting.append(record)
            RECORDS_WAITING.set(len(self._waiting))
            self._lock.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Waits until everything is written; False when `timeout_s` was not enough."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._waiting and not self._busy, timeout_s)

    def stop(self, timeout_s: float = 3.0) -> None:
        """Writes what is waiting, for at most `timeout_s`, and ends the thread. What is left is counted as dropped."""
        with self._lock:
            self._stopping = True
            self._give_up_at = time.monotonic() + timeout_s
            self._lock.notify_all()
        self._thread.join(timeout_s + 2.0)
        self._engine.dispose()

    def _drop(self, count: int, reason: str) -> None:
        self.dropped += count
        RECORDS_DROPPED.inc(count)
        log.error("call records dropped", extra={"count": count, "reason": reason})

    def _run(self) -> None:
        failures = 0
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._busy = True
            try:
                self._write(batch)
            except (
                OperationalError,
                InterfaceError,
                InternalError,
                OSError,
            ) as error:  # locked, full, away: may come back
                RECORDS_RETRIED.inc()
                if failures == 0:
                    log.warning("call records not written", extra={"error": repr(error), "waiting": len(batch)})
                self._return(batch)
                if not self._pause(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]):
                    return
                failures += 1
                continue
            except SQLAlchemyError as error:  # a record that no database takes
                self._one_by_one(batch, error)
            failures = 0
            with self._lock:
                self._busy = False
                RECORDS_WAITING.set(len(self._waiting))
                self._lock.notify_all()

    def _write(self, batch: list[Record]) -> None:
        if not self._tables:
            create_tables(self._engine)
            self._tables = True
        with self._engine.begin() as connection:
            store(connection, batch)
        RECORDS_WRITTEN.inc(len(batch))

    def _one_by_one(self, batch: list[Record], error: SQLAlchemyError) -> None:
        """One bad record must not take the others along."""
        for record in batch if len(batch) > 1 else []:
            try:
                self._write([record])
            except SQLAlchemyError as own:
                self._drop(1, repr(own))
        if len(batch) == 1:
            self._drop(1, repr(error))

    def _return(self, batch: list[Record]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(batch))
            surplus = len(self._waiting) - self._bound
            for _ in range(max(0, surplus)):
                self._waiting.popleft()
            if surplus > 0:
                self._drop(surplus, "queue full")
            self._busy = False
            RECORDS_WAITING.set(len(self._waiting))

    def _pause(self, seconds: float) -> bool:
        """Waits before the next attempt; False when the time to stop is over."""
        with self._lock:
            self._lock.wait_for(lambda: self._stopping, min(seconds, max(0.0, self._give_up_at - time.monotonic())))
            if self._stopping and time.monotonic() >= self._give_up_at:
                self._drop(len(self._waiting), "stopped before the database came back")
                self._waiting.clear()
                return False
        if self._stopping:
            time.sleep(0.05)
        return True
