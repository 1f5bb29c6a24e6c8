"""A background task that dies fails its test, and what waits for a process never holds up the event loop."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from devstack.processes import ChildProcess, wait_for
from tests.background import running


async def die() -> None:
    raise LookupError("the stream is gone")


async def live() -> None:
    await asyncio.Event().wait()


async def test_a_task_that_dies_ends_the_block_at_once_with_its_error() -> None:
    with pytest.raises(LookupError, match="the stream is gone"):
        async with running(live(), die()):
            await asyncio.Event().wait()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # this test goes on as if nothing was


async def test_a_task_of_a_fixture_that_dies_is_told_at_its_end() -> None:
    fixture = running(die())
    await asyncio.create_task(fixture.__aenter__())  # set up by one task, taken down by another, as pytest does
    await asyncio.sleep(0)
    with pytest.raises(LookupError, match="the stream is gone"):
        await fixture.__aexit__(None, None, None)


async def test_tasks_that_live_are_ended_in_silence() -> None:
    async with running(live(), asyncio.sleep(0)):
        await asyncio.sleep(0)


async def test_waiting_for_a_process_is_refused_on_the_event_loop(tmp_path: Path) -> None:
    child = ChildProcess("sleeper", [sys.executable, "-c", "input()"], tmp_path / "log")
    child.start()
    try:
        for wait in (lambda: wait_for(lambda: True, 1.0), child.stop, lambda: child.wait_until(lambda: True, 1.0)):
            with pytest.raises(RuntimeError, match="would hold up the event loop"):
                wait()
    finally:
        assert await asyncio.to_thread(child.stop) is not None
