"""The server inside a service's own loop: it is heard where it was told to be, hands its port over, and dies aloud."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from email.utils import parsedate_to_datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import Server, serve
from observability.lifecycle import until_stopped
from observability.listening import bound_socket
from observability.whole_answers import MAX_HEAD_BYTES

REPORT = ServiceReport(lambda: {"calls": 3}, lambda: (True, ""), Drain(lambda: 0), {"/page": lambda: {"on": "it"}})


async def test_a_server_answers_in_the_loop_of_its_service_and_leaves_signals_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    server = await serve(REPORT, "127.0.0.1", 0)
    port = server.port
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            health = await client.get("/health")
            assert health.json()["calls"] == 3
            assert parsedate_to_datetime(health.headers["date"]).tzinfo is not None
            assert (await client.get("/page")).json() == {"on": "it"}
            assert (await client.head("/health")).status_code == 200
            assert (await client.get("/page/")).status_code == 404  # no redirect, to wherever Host leads
            assert (await client.put("/drain")).status_code == 405
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    finally:
        await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_successor_takes_the_port_over_while_the_old_server_goes_on() -> None:
    old = await serve(REPORT, "127.0.0.1", 0, reuse_port=True)
    port = old.port
    new = await serve(REPORT, "127.0.0.1", port, reuse_port=True)
    with pytest.raises(OSError, match="in use"):
        await serve(REPORT, "127.0.0.1", port)
    await old.stop()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(20):
            assert (await client.get("/health", headers={"Connection": "close"})).status_code == 200
    await new.stop()


async def test_a_server_on_ipv6() -> None:
    server = await serve(REPORT, "::1", 0)
    async with httpx.AsyncClient(base_url=f"http://[::1]:{server.port}") as client:
        assert (await client.post("/drain")).json()["draining"] is True
        await client.delete("/drain")
    await server.stop()


async def test_a_server_that_nobody_stopped_and_that_is_gone_takes_the_service_along() -> None:
    sock = bound_socket("127.0.0.1", 0, reuse_port=False)
    server = Server(Starlette(), sock)
    await server.start()
    service = asyncio.create_task(until_stopped(server.alive()))
    await asyncio.sleep(0)
    sock.close()
    with pytest.raises(RuntimeError, match="the HTTP server has ended"):
        await service
    await server.stop()


async def test_a_request_that_is_inside_is_answered_when_the_server_stops() -> None:
    came, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> PlainTextResponse:
        came.set()
        await may_end.wait()
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/", slow)])
    server = Server(app, bound_socket("127.0.0.1", 0, reuse_port=False))
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        asked = asyncio.create_task(client.get("/"))
        await came.wait()
        stopping = asyncio.create_task(server.stop())
        may_end.set()
        assert (await asked).text == "done"
        await stopping


@pytest.mark.parametrize("piece", [b"x" * 4_096, b"x: y\r\n" * 512], ids=["one header", "many headers"])
async def test_who_sends_a_head_without_end_is_hung_up_on(piece: bytes) -> None:
    server = await serve(REPORT, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nx-long: ")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 100 * MAX_HEAD_BYTES:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
    assert sent < 100 * MAX_HEAD_BYTES
    writer.close()
    await server.stop()
