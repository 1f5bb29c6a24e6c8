"""The local stack's supervision, and the command that takes a service out of work."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devstack.processes import ChildProcess, ProcessFailed, free_tcp_port
from devstack.stack import BACK_OFF_S, GROWN_UP_S, Stack, StackPlan, back_off
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve
from pronto.__main__ import main


def test_who_dies_young_again_and_again_is_started_later_each_time() -> None:
    young, pauses = 0, []
    for _ in range(len(BACK_OFF_S) + 2):
        young, pause_s = back_off(0.5, young)
        pauses.append(pause_s)
    assert pauses[0] == 0.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == BACK_OFF_S[-1] == 10.0
    assert back_off(GROWN_UP_S + 1, young) == (0, 0.0)


def test_a_service_whose_successor_does_not_come_up_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(StackPlan(tmp_path))
    old = stack.services["intent_service"] = ChildProcess("old", ["sleep", "60"], tmp_path / "old.log")
    monkeypatch.setattr(stack, "_child", lambda service: ChildProcess(service, ["false"], tmp_path / "new.log"))
    old.start()
    try:
        with pytest.raises(ProcessFailed, match="intent_service ended with status 1"):
            stack.restart("intent_service")
        assert stack.services["intent_service"] is old
        assert old.exit_status is None
    finally:
        old.stop()


class Draining:
    """A service with two calls, of which one ends at each look."""

    def __init__(self) -> None:
        self.calls = 2
        self.drain = Drain(self.left)
        self.port = free_tcp_port()

    def left(self) -> int:
        self.calls = max(0, self.calls - 1)
        return self.calls

    async def command(self, *arguments: str) -> int:
        url = f"http://127.0.0.1:{self.port}"
        return await asyncio.to_thread(main, ["drain", "bot_manager", "--url", url, *arguments])


@pytest.fixture
async def draining() -> AsyncIterator[Draining]:
    found = Draining()
    server = await serve(ServiceReport(dict, lambda: (True, ""), found.drain), "127.0.0.1", found.port)
    yield found
    await server.stop()


async def test_drain_waits_until_the_service_is_empty(draining: Draining, capsys: pytest.CaptureFixture[str]) -> None:
    draining.calls = 6
    assert await draining.command() == 0
    assert draining.drain.is_draining
    printed = capsys.readouterr().out
    assert "left" in printed
    assert "bot_manager is empty and takes no new work" in printed
    assert await draining.command("--undo") == 0
    assert not draining.drain.is_draining


async def test_drain_does_not_wait_for_ever(draining: Draining, capsys: pytest.CaptureFixture[str]) -> None:
    draining.calls = 10**6
    assert await draining.command("--within", "0") == 1
    assert "left after 0 s" in capsys.readouterr().err


async def test_drain_says_when_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_tcp_port()}"
    assert await asyncio.to_thread(main, ["drain", "rtp_receiver", "--url", url]) == 1
    assert "pronto drain: rtp_receiver:" in capsys.readouterr().err
