"""Jobs of many callers become batches for one engine: one long-lived thread takes whatever is waiting and runs it.

The batcher knows nothing of HTTP, audio or Whisper. It asks the engine which jobs may share a batch, keeps their order,
and is bounded: `submit` refuses at once when twice a batch is waiting, or when what waits will take longer than the job
can wait. Jobs that expired or were cancelled are dropped before they cost anything. A job that fails takes nobody
along: its batch is run again one by one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

J = TypeVar("J")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Full(Exception):
    """Too many jobs wait already, or for too long; come back later."""


class Closed(Exception):
    """The batcher takes no more jobs."""


class Expired(Exception):
    """The job's deadline passed before the engine came to it."""


class OutOfMemory(Exception):
    """Raised by an engine whose device could not hold the batch."""


@dataclass(frozen=True)
class Again(Generic[J]):
    """What an engine answers when a job should be run once more, changed, before it is answered."""

    job: J


class Engine(Protocol[J, R_co]):
    """What a batcher needs of an engine. All of it is called from the batcher's thread only."""

    def key(self, job: J) -> Hashable:
        """Jobs of equal key may share a batch."""

    def run(self, jobs: Sequence[J]) -> Sequence[R_co | Again[J]]:
        """One answer per job, in order."""


@dataclass(frozen=True)
class BatchRun:
    """A batch was run: its size, how long each job had waited, how long the engine took."""

    size: int
    waited_s: tuple[float, ...]
    engine_s: float


@dataclass(frozen=True)
class JobDropped:
    """A job was dropped before it cost anything."""

    reason: Literal["expired", "cancelled"]


@dataclass(frozen=True)
class BatchHalved:
    """The device ran out of memory; batches are at most `max_batch` from now on."""

    max_batch: int


Observer = Callable[[BatchRun | JobDropped | BatchHalved], None]


@dataclass
class _Ticket(Generic[J, R]):
    job: J
    key: Hashable
    expires_at: float
    since: float
    future: Future[R]
    started: bool = False


class Batcher(Generic[J, R]):
    """A bounded queue and the thread that empties it in batches of at most `max_batch`.

    With `window_s` above 0 a batch that is not full waits that long for more jobs. Times are those of `clock`.
    """

    def __init__(
        self,
        engine: Engine[J, R],
        max_batch: int = 8,
        window_s: float = 0.0,
        observe: Observer = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._max_batch = max_batch
        self._bound = 2 * max_batch
        self._window_s = window_s
        self._observe = observe
        self._clock = clock
        self._running = 0
        self._began_at: float | None = None
        self._failures = 0
        self._job_s = 0.0  # what one job takes of the engine's time, averaged over the last batches
        self._waiting: deque[_Ticket[J, R]] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether `submit` would refuse now."""
        return len(self._waiting) >= self._bound

    @property
    def max_batch(self) -> int:
        """Largest batch, less than at the start when the device ran out of memory."""
        return self._max_batch

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def failures(self) -> int:
        """Jobs that failed alone, one after the other; 0 once a batch is answered."""
        return self._failures

    @property
    def running_s(self) -> float:
        """How long the batch that is in the engine has been there; 0 when there is none."""
        began_at = self._began_at
        return 0.0 if began_at is None else self._clock() - began_at

    def submit(self, job: J, expires_at: float) -> Future[R]:
        """The future answer. Raises Full or Closed at once; the future raises Expired or what the engine raised."""
        ticket = _Ticket[J, R](job, self._engine.key(job), expires_at, self._clock(), Future())
        with self._changed:
            if not self._open:
                raise Closed
            if self.is_full:
                self._drop_dead()
            if self.is_full or self._comes_too_late(expires_at):
                raise Full
            self._waiting.append(ticket)
            self._changed.notify()
        return ticket.future

    def close(self, within_s: float | None = None) -> bool:
        """Takes no more jobs, answers those that wait, then ends the thread; whether it ended in time."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while batch := self._next_batch():
            began = self._began_at = self._clock()
            self._running = len(batch)
            self._run(batch)
            self._running, self._began_at = 0, None
            engine_s = self._clock() - began
            self._job_s += 0.2 * (engine_s / len(batch) - self._job_s)
            self._observe(BatchRun(len(batch), tuple(began - ticket.since for ticket in batch), engine_s))
            del batch  # or the last batch's audio and answers stay alive until the next one comes

    def _comes_too_late(self, expires_at: float) -> bool:
        """Whether the jobs before this one will use up its time. Never when there are none."""
        before = len(self._waiting) + self._running
        return before > 0 and self._clock() + (before + 1) * self._job_s > expires_at

    def _next_batch(self) -> list[_Ticket[J, R]]:
        """The oldest live job and every other that may go with it; empty when closed and done."""
        with self._changed:
            while True:
                self._drop_dead()
                if self._waiting:
                    if self._window_s and self._open and len(self._waiting) < self._max_batch:
                        self._wait_for_more()
                    batch = self._take()
                    if batch:
                        return batch
                elif not self._open:
                    return []
                else:
                    self._changed.wait()

    def _wait_for_more(self) -> None:
        until = self._clock() + self._window_s
        while (left := until - self._clock()) > 0 and len(self._waiting) < self._max_batch and self._open:
            self._changed.wait(left)

    def _take(self) -> list[_Ticket[J, R]]:
        batch: list[_Ticket[J, R]] = []
        rest: deque[_Ticket[J, R]] = deque()
        for ticket in self._waiting:
            fits = len(batch) < self._max_batch and (not batch or ticket.key == batch[0].key)
            if not fits:
                rest.append(ticket)
            elif self._start(ticket):
                batch.append(ticket)
        self._waiting = rest
        return batch

    def _start(self, ticket: _Ticket[J, R]) -> bool:
        """Whether the job is still wanted; from here on it cannot be cancelled."""
        if ticket.started:
            return True
        ticket.started = ticket.future.set_running_or_notify_cancel()
        if ticket.started and self._clock() >= ticket.expires_at:
            ticket.future.set_exception(Expired())
            self._observe(JobDropped("expired"))
            return False
        if not ticket.started:
            self._observe(JobDropped("cancelled"))
        return ticket.started

    def _drop_dead(self) -> None:
        now = self._clock()
        kept: deque[_Ticket[J, R]] = deque()
        for ticket in self._waiting:
            is_dead = not ticket.started and (ticket.future.cancelled() or now >= ticket.expires_at)
            if not is_dead or self._start(ticket):
                kept.append(ticket)
        self._waiting = kept

    def _run(self, batch: Sequence[_Ticket[J, R]]) -> None:
        try:
            answers = self._engine.run([ticket.job for ticket in batch])
            if len(answers) != len(batch):
                raise RuntimeError(f"the engine gave {len(answers)} answers to {len(batch)} jobs")
        except OutOfMemory as error:
            self._halve(batch, error)
        except Exception as error:
            if len(batch) == 1:
                self._fail(batch[0], error)
            else:
                for ticket in batch:
                    self._run([ticket])
        else:
            self._failures = 0
            for ticket, answer in zip(batch, answers, strict=True):
                if isinstance(answer, Again):
                    self._requeue(ticket, answer.job)
                else:
                    ticket.future.set_result(answer)

    def _fail(self, ticket: _Ticket[J, R], error: Exception) -> None:
        self._failures += 1  # counted before it is answered: who hears of it may ask how many there were
        ticket.future.set_exception(error)

    def _halve(self, batch: Sequence[_Ticket[J, R]], error: OutOfMemory) -> None:
        if len(batch) == 1:
            self._fail(batch[0], error)
            return
        half = len(batch) // 2
        self._max_batch = min(self._max_batch, half)
        self._observe(BatchHalved(self._max_batch))
        self._run(batch[:half])
        self._run(batch[half:])

    def _requeue(self, ticket: _Ticket[J, R], job: J) -> None:
        """First in the queue again, whatever the bound: it was let in already."""
        ticket.job, ticket.key = job, self._engine.key(job)
        with self._changed:
            self._waiting.appendleft(ticket)
