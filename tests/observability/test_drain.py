"""A process that is taken out of service says so everywhere, and tells how much it has still to finish."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import aiohttp
import pytest

from devstack.processes import free_tcp_port
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve
from observability.lifecycle import until_stopped
from observability.listening import bound_socket, is_served


class Work:
    """What a process has begun."""

    def __init__(self) -> None:
        self.left = 2
        self.drain = Drain(lambda: self.left)

    def metric(self, name: str) -> float | None:
        return self.drain.registry.get_sample_value(name)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def url(work: Work) -> AsyncIterator[str]:
    server = await serve(ServiceReport(dict, lambda: (True, ""), work.drain), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def test_draining_is_seen_and_taken_back_over_http(work: Work, url: str) -> None:
    async with aiohttp.ClientSession(url) as session:
        assert (await session.get("/ready")).status == 200
        assert (work.metric("pronto_draining"), work.metric("pronto_drain_left")) == (0, 0)
        begun = await (await session.post("/drain")).json()
        assert (begun["draining"], begun["left"]) == (True, 2)
        ready = await session.get("/ready")
        assert (ready.status, (await ready.json())["reason"]) == (503, "draining")
        assert (work.metric("pronto_draining"), work.metric("pronto_drain_left")) == (1, 2)
        work.left = 1
        assert (await (await session.get("/drain")).json())["left"] == 1
        assert (await (await session.delete("/drain")).json())["draining"] is False
        assert (await session.get("/ready")).status == 200


async def test_finished_waits_for_what_was_begun_and_not_for_ever(work: Work) -> None:
    work.drain.begin()
    assert not await work.drain.finished(0.05)
    waiting = asyncio.create_task(work.drain.finished(10.0))
    work.left = 0
    assert await waiting


async def test_what_a_signal_begins_is_finished_while_the_service_goes_on(work: Work) -> None:
    steps: list[str] = []

    async def goes_on() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            await asyncio.sleep(0)
            if work.drain.is_draining and work.left:
                steps.append("worked on")
                work.left = 0

    async def finish() -> None:
        work.drain.begin()
        assert await work.drain.finished(10.0)
        steps.append("finished")

    await until_stopped(goes_on(), before_end=finish)
    assert steps == ["worked on", "finished"]


async def test_a_service_that_dies_while_it_finishes_says_so() -> None:
    async def dies() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    async def never() -> None:
        await asyncio.Event().wait()

    async def breaks() -> None:
        await begun.wait()
        raise RuntimeError("broken")

    begun = asyncio.Event()

    async def finish() -> None:
        begun.set()
        await never()

    with pytest.raises(RuntimeError, match="broken"):
        await until_stopped(dies(), breaks(), before_end=finish)


def test_two_processes_share_a_port_only_if_both_say_so() -> None:
    port = free_tcp_port()
    with bound_socket("127.0.0.1", port, reuse_port=True) as first:
        assert not is_served("127.0.0.1", port)  # bound, and given no connection yet
        first.listen()
        assert is_served("127.0.0.1", port)
        with bound_socket("127.0.0.1", port, reuse_port=True):
            pass
        with pytest.raises(OSError, match="in use"):
            bound_socket("127.0.0.1", port, reuse_port=False)
