"""Two processes in one place, and signs of life: real processes, a real lock, a real socket."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import watchdog
from devstack.processes import ChildProcess, wait_for
from devstack.watchdog import Heart, state_of
from observability.heartbeat import beat_every_s, notify

WORKER = """
import sys, time
from observability.heartbeat import notify
from observability.standby import take_place
take_place(sys.argv[1], wait=sys.argv[2] == "wait")
notify("STATUS=works", "WATCHDOG=1")
while True:
    time.sleep(0.05)
    if sys.argv[3] == "beats":
        notify("WATCHDOG=1")
    if sys.argv[3] == "busy":
        while True: pass
"""


class Workers:
    """Processes that want one place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[ChildProcess] = []

    def start(self, how: str = "wait", then: str = "beats") -> tuple[ChildProcess, Heart]:
        heart = Heart()
        command = [sys.executable, "-c", WORKER, str(self._folder / "run" / "place.lock"), how, then]
        child = ChildProcess("worker", command, self._folder / "log", heart=heart)
        self._all.append(child)
        child.start()
        return child, heart

    def stop(self) -> None:
        for child in self._all:
            child.stop()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    some = Workers(tmp_path)
    yield some
    some.stop()


def says(heart: Heart, status: str) -> bool:
    def said() -> bool:
        heart.look()
        return heart.status == status

    return wait_for(said, 20.0)


def test_the_second_waits_loaded_for_the_end_of_the_first(workers: Workers) -> None:
    first, first_heart = workers.start()
    assert says(first_heart, "works")
    second, second_heart = workers.start()
    assert says(second_heart, "standby")
    os.kill(first.pid, signal.SIGKILL)
    assert says(second_heart, "works")
    assert first.stop() == -signal.SIGKILL
    third, third_heart = workers.start()
    assert says(third_heart, "standby")
    third.stop()  # who waits can be told to end
    assert second.exit_status is None


def test_a_successor_works_at_once_and_has_the_place_when_it_is_free(workers: Workers) -> None:
    first, first_heart = workers.start()
    assert says(first_heart, "works")
    successor, heart = workers.start("beside")
    assert says(heart, "works")
    first.stop()
    _, third_heart = workers.start()
    assert says(third_heart, "standby")
    successor.stop()
    assert says(third_heart, "works")


def test_who_waits_gives_signs_of_life(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "SILENT_S", 1.0)
    _, first_heart = workers.start()
    assert says(first_heart, "works")
    second, heart = workers.start()
    assert says(heart, "standby")

    def hung() -> bool:
        heart.look()
        return heart.is_hung(second.pid)

    assert not wait_for(hung, 2.0)
    os.kill(second.pid, signal.SIGSTOP)  # one that could not take the place
    assert wait_for(hung, 5.0)


def test_a_stopped_process_is_hung_a_busy_one_is_not(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "SILENT_S", 0.3)
    beating, heart = workers.start("beside")
    assert not heart.is_hung(beating.pid)  # it has given no sign yet
    assert says(heart, "works")
    busy, busy_heart = workers.start("beside", "busy")
    assert says(busy_heart, "works")
    os.kill(beating.pid, signal.SIGSTOP)
    assert wait_for(lambda: state_of(beating.pid) == "T", 5.0)

    def hung() -> bool:
        heart.look()
        return heart.is_hung(beating.pid)

    assert wait_for(hung, 5.0)
    busy_heart.look()
    assert not busy_heart.is_hung(busy.pid)  # silent for as long, and it asks for the processor
    monkeypatch.setattr(watchdog, "STARVED_S", 0.3)
    assert wait_for(lambda: busy_heart.is_hung(busy.pid), 5.0)  # not for ever
    watchdog.end(beating.pid)
    assert wait_for(lambda: beating.exit_status == -signal.SIGKILL, 5.0)
    heart.forget()
    assert not heart.is_hung(beating.pid)  # the next process has its own time to begin


def test_signs_of_life_go_to_the_supervisor_that_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(key, raising=False)
    notify("WATCHDOG=1")  # nobody: nothing
    assert beat_every_s(0.5) == 0.5
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("WATCHDOG=1")  # it has gone: nothing
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    assert beat_every_s(0.5) == pytest.approx(0.2)
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert beat_every_s(0.5) == 0.5
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    monkeypatch.setenv("WATCHDOG_USEC", "soon")
    assert beat_every_s(0.5) == 0.5
