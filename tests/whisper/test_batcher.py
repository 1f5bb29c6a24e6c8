"""Many jobs on one engine: what is batched, what is refused, and that one bad job harms nobody."""

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import CancelledError, Future

import pytest

from whisper_service.batcher import (
    Again,
    Batcher,
    BatchHalved,
    BatchRun,
    Closed,
    Expired,
    Full,
    JobDropped,
    OutOfMemory,
)

LATER = float("inf")


class Upper:
    """An engine of a few lines: answers in capitals, may share a batch when the first letter is equal.

    It stands at the gate until let through, so that a test decides what waits. `poison` fails, `big` jobs need memory.
    """

    def __init__(self, is_open: bool = False, memory: int = 99) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.memory = memory
        if is_open:
            self.gate.set()

    def key(self, job: str) -> Hashable:
        return job[0]

    def run(self, jobs: Sequence[str]) -> Sequence[str | Again[str]]:
        self.batches.append(list(jobs))
        self.entered.release()
        self.gate.wait()
        if len(jobs) > self.memory:
            raise OutOfMemory
        if any(job.endswith("poison") for job in jobs):
            raise ValueError("poison")
        return [Again(job[:-1]) if job.endswith("?") else job.upper() for job in jobs]


def held(engine: Upper, batcher: Batcher[str, str]) -> Future[str]:
    """Puts one job into the engine, which stays there until the gate opens."""
    future = batcher.submit("z", LATER)
    assert engine.entered.acquire(timeout=10)
    return future


def test_what_waits_is_run_together_in_order() -> None:
    engine = Upper()
    batcher = Batcher(engine, max_batch=3)
    first = held(engine, batcher)
    futures = [batcher.submit(job, LATER) for job in ("a1", "a2", "a3", "a4")]
    engine.gate.set()
    assert [first.result(10), *(future.result(10) for future in futures)] == ["Z", "A1", "A2", "A3", "A4"]
    assert engine.batches == [["z"], ["a1", "a2", "a3"], ["a4"]]
    batcher.close()


def test_jobs_that_may_not_share_a_batch_keep_their_order_of_arrival() -> None:
    engine = Upper()
    batcher = Batcher(engine, max_batch=8)
    held(engine, batcher)
    futures = [batcher.submit(job, LATER) for job in ("a1", "b1", "a2", "c1", "b2")]
    engine.gate.set()
    assert [future.result(10) for future in futures] == ["A1", "B1", "A2", "C1", "B2"]
    assert engine.batches[1:] == [["a1", "a2"], ["b1", "b2"], ["c1"]]
    batcher.close()


def test_a_full_queue_refuses_at_once_and_takes_jobs_again_later() -> None:
    engine = Upper()
    batcher = Batcher(engine, max_batch=2)
    held(engine, batcher)
    futures = [batcher.submit(f"a{i}", LATER) for i in range(4)]
    assert batcher.is_full
    with pytest.raises(Full):
        batcher.submit("one too many", LATER)
    engine.gate.set()
    assert [future.result(10) for future in futures] == ["A0", "A1", "A2", "A3"]
    assert batcher.submit("b", LATER).result(10) == "B"
    batcher.close()


def test_a_job_that_would_be_answered_too_late_is_refused_at_once() -> None:
    now = 100.0
    engine = Upper()
    batcher = Batcher(engine, clock=lambda: now)
    slow = held(engine, batcher)
    now = 110.0
    engine.gate.set()
    slow.result(10)
    engine.gate.clear()
    batcher.submit("an idle engine takes every job", now + 0.1)
    assert engine.entered.acquire(timeout=10)
    with pytest.raises(Full):
        batcher.submit("behind another", now + 1.0)
    patient = batcher.submit("behind another", now + 60.0)
    engine.gate.set()
    assert patient.result(10) == "BEHIND ANOTHER"
    batcher.close()


def test_expired_and_cancelled_jobs_never_reach_the_engine() -> None:
    now = 100.0
    engine = Upper()
    seen: list[object] = []
    batcher = Batcher(engine, observe=seen.append, clock=lambda: now)
    held(engine, batcher)
    late = batcher.submit("a late", now + 1.0)
    gone = batcher.submit("a gone", LATER)
    live = batcher.submit("a live", LATER)
    assert gone.cancel()
    now = 101.0
    engine.gate.set()
    assert live.result(10) == "A LIVE"
    with pytest.raises(Expired):
        late.result(10)
    with pytest.raises(CancelledError):
        gone.result(10)
    batcher.close()
    assert engine.batches == [["z"], ["a live"]]
    assert [event for event in seen if isinstance(event, JobDropped)] == [
        JobDropped("expired"),
        JobDropped("cancelled"),
    ]


def test_dead_jobs_make_room_when_the_queue_is_full() -> None:
    engine = Upper()
    batcher = Batcher(engine, max_batch=1)
    held(engine, batcher)
    dead = [batcher.submit("a", LATER) for _ in range(2)]
    assert all(future.cancel() for future in dead)
    live = batcher.submit("b", LATER)
    engine.gate.set()
    assert live.result(10) == "B"
    batcher.close()


def test_a_poisoned_job_fails_alone() -> None:
    engine = Upper()
    batcher = Batcher(engine)
    held(engine, batcher)
    good, bad, other = (batcher.submit(job, LATER) for job in ("a good", "a poison", "a other"))
    engine.gate.set()
    assert (good.result(10), other.result(10)) == ("A GOOD", "A OTHER")
    with pytest.raises(ValueError, match="poison"):
        bad.result(10)
    assert engine.batches[1:] == [["a good", "a poison", "a other"], ["a good"], ["a poison"], ["a other"]]
    batcher.close()


def test_out_of_memory_halves_the_batch_and_goes_on() -> None:
    engine = Upper(memory=2)
    seen: list[object] = []
    batcher = Batcher(engine, max_batch=8, observe=seen.append)
    held(engine, batcher)
    futures = [batcher.submit(f"a{i}", LATER) for i in range(8)]
    engine.gate.set()
    assert [future.result(10) for future in futures] == [f"A{i}" for i in range(8)]
    assert batcher.max_batch == 2
    batcher.close()
    assert [event.max_batch for event in seen if isinstance(event, BatchHalved)] == [4, 2, 2]


def test_a_single_job_that_does_not_fit_fails_and_the_next_lives() -> None:
    engine = Upper(is_open=True, memory=0)
    batcher = Batcher(engine)
    with pytest.raises(OutOfMemory):
        batcher.submit("a", LATER).result(10)
    engine.memory = 1
    assert batcher.submit("b", LATER).result(10) == "B"
    batcher.close()


def test_a_job_that_is_run_again_is_answered_after_its_neighbours() -> None:
    engine = Upper()
    batcher = Batcher(engine, max_batch=2)
    held(engine, batcher)
    again, plain = batcher.submit("a again?", LATER), batcher.submit("a plain", LATER)
    engine.gate.set()
    assert (again.result(10), plain.result(10)) == ("A AGAIN", "A PLAIN")
    assert engine.batches[1:] == [["a again?", "a plain"], ["a again"]]
    batcher.close()


def test_the_window_gathers_jobs_and_ends_when_the_batch_is_full() -> None:
    engine = Upper(is_open=True)
    batcher = Batcher(engine, max_batch=2, window_s=600)
    futures = [batcher.submit(f"a{i}", LATER) for i in range(2)]
    assert [future.result(10) for future in futures] == ["A0", "A1"]
    assert engine.batches == [["a0", "a1"]]
    batcher.close()


def test_closing_answers_what_waits_and_refuses_the_rest() -> None:
    engine = Upper()
    batcher = Batcher(engine)
    first = held(engine, batcher)
    second = batcher.submit("a", LATER)
    closer = threading.Thread(target=batcher.close)
    closer.start()
    engine.gate.set()
    closer.join(10)
    assert (first.result(0), second.result(0)) == ("Z", "A")
    assert not batcher.is_alive
    with pytest.raises(Closed):
        batcher.submit("b", LATER)


def test_every_batch_is_told_with_its_size_and_waits() -> None:
    engine = Upper(is_open=True)
    seen: list[object] = []
    batcher = Batcher(engine, observe=seen.append)
    batcher.submit("a", LATER).result(10)
    batcher.close()
    (run,) = [event for event in seen if isinstance(event, BatchRun)]
    assert run.size == 1
    assert len(run.waited_s) == 1


def test_a_hundred_threads_get_their_own_answers() -> None:
    engine = Upper(is_open=True)
    batcher = Batcher(engine, max_batch=64)
    answers: dict[str, str] = {}

    def ask(job: str) -> None:
        answers[job] = batcher.submit(job, LATER).result(30)

    threads = [threading.Thread(target=ask, args=(f"{'abc'[i % 3]}{i}",)) for i in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    batcher.close()
    assert answers == {job: job.upper() for job in answers}
    assert len(answers) == 100
