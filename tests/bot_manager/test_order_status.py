"""The demonstration flow against its server over HTTP: found, not found, slow, down; a call-back is taken once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from bot_manager.actions import ActionWorker
from bot_manager.targets import targets_of
from devstack.order_server import OrderServer
from dialogue.effects import Effect


@pytest.fixture
async def shop() -> AsyncIterator[tuple[OrderServer, int]]:
    orders = OrderServer()
    server = TestServer(orders.app())
    await server.start_server()
    yield orders, int(server.port or 0)
    await server.close()


def asking(port: int) -> Callable[..., Effect]:
    def made(path: str, method: str = "GET", **more: object) -> Effect:
        asked: dict[str, object] = {"action": "find", "method": method, "url": f"http://127.0.0.1:{port}{path}"}
        asked |= {"query": {}, "headers": {}, "body": None, "timeout_ms": 1_000, "retries": 0, "cache_s": 0, "key": "k"}
        return Effect("c:1:http", "http", asked | more)

    return made


async def test_the_server_of_the_demonstration(shop: tuple[OrderServer, int], tmp_path: Path) -> None:
    orders, port = shop
    worker, ask = ActionWorker(targets_of("", f"127.0.0.1:{port}"), tmp_path), asking(port)

    async def comes_to(effect: Effect) -> str:
        return str(((await worker.perform(effect)).result or {})["outcome"])

    assert await comes_to(ask("/orders", query={"telephone": "+33612345678"})) == "ok"
    assert await comes_to(ask("/orders/999999")) == "not_found"
    for _ in range(2):
        assert await comes_to(ask("/call_backs", "POST", body='{"order": "123456"}')) == "ok"
    assert orders.call_backs == {"k": {"order": "123456"}}
    orders.slow_s = 5.0
    assert await comes_to(ask("/orders/123456", timeout_ms=100)) == "timeout"
    orders.slow_s, orders.down = 0.0, True
    assert [await comes_to(ask("/orders/123456")) for _ in range(3)] == ["error"] * 3
    orders.down = False
    assert await comes_to(ask("/orders/123456")) == "error"  # left alone for a minute
    await worker.close()
