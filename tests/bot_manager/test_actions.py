# ruff: noqa: E501 - tables
"""Actions over real HTTP: outcomes, limits, retries, breaker, cache, secrets; and servers that are never reached."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from bot_manager.actions import ActionWorker
from bot_manager.target_breaker import OPEN_S, TargetBreaker
from bot_manager.targets import NotReached, Targets, is_special, targets_of
from dialogue.effects import Effect


@dataclass
class Shop:
    """A server of the world. `came` are requests as (method, path, idempotency key, authorization, body)."""

    server: TestServer
    answers: list[web.Response] = field(default_factory=list)
    came: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    hangs: bool = False

    @property
    def port(self) -> int:
        return int(self.server.port or 0)

    def url(self, path: str = "/orders/1") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async def answer(request: web.Request) -> web.StreamResponse:
        head = request.headers
        body = (await request.read()).decode()
        path = request.raw_path
        found.came.append((request.method, path, head["Idempotency-Key"], head.get("Authorization", ""), body))
        if found.hangs:
            await asyncio.Event().wait()
        return found.answers.pop(0) if found.answers else web.json_response({"status": "sent"})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    found = Shop(TestServer(app))
    await found.server.start_server()
    yield found
    await found.server.close()


class Clock:
    """Seconds that a test lets go by."""

    at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def worker(shop: Shop, tmp_path: Path) -> AsyncIterator[ActionWorker]:
    (tmp_path / "shop").write_text("s3cret-key\n")
    (tmp_path / "two_lines").write_text("a\r\nX-Other: b")
    made = ActionWorker(targets_of("", f"127.0.0.1:{shop.port}"), tmp_path)
    yield made
    await made.close()


def effect(url: str, method: str = "GET", **more: Any) -> Effect:
    asked: dict[str, Any] = {"action": "find", "method": method, "url": url, "query": {}, "headers": {}, "body": None}
    asked |= {"timeout_ms": 1_000, "retries": 0, "cache_s": 0, "key": "k1"}
    return Effect("c:1:http", "http", asked | more)


async def outcome(worker: ActionWorker, made: Effect) -> tuple[str, Any]:
    done = await worker.perform(made)
    assert done.result is not None
    return done.result["outcome"], done.result["body"]


@pytest.mark.parametrize(
    ("status", "text", "wanted"),
    [
        (200, '{"a": 1}', ("ok", {"a": 1})),
        (204, "", ("ok", None)),
        (404, "<html>", ("not_found", None)),
        (410, "", ("not_found", None)),
        (409, '{"error": "taken"}', ("refused", {"error": "taken"})),
        (401, "no", ("refused", None)),
        (500, "", ("error", None)),
        (429, "", ("error", None)),
        (200, "<html>", ("error", None)),
        (200, "[" * 100_000, ("error", None)),
        (200, '"' + "x" * 300_000 + '"', ("error", None)),
        (302, "", ("error", None)),
    ],
)
async def test_outcomes(shop: Shop, worker: ActionWorker, status: int, text: str, wanted: tuple[str, Any]) -> None:
    elsewhere = {"Location": shop.url("/elsewhere")} if status == 302 else {}
    shop.answers = [web.Response(status=status, text=text, headers=elsewhere)]
    assert await outcome(worker, effect(shop.url())) == wanted
    assert len(shop.came) == 1  # a redirect is followed nowhere


async def test_what_is_sent(shop: Shop, worker: ActionWorker) -> None:
    made = effect(
        shop.url("/a%2F..%2Fb"),
        "POST",
        body='{"n": 1}',
        query={"q": "a b&c"},
        headers={"Authorization": [{"secret": "shop"}]},
    )
    assert (await outcome(worker, made))[0] == "ok"
    assert shop.came == [("POST", "/a%2F..%2Fb?q=a+b%26c", "k1", "s3cret-key", '{"n": 1}')]


@pytest.mark.parametrize("name", ["missing", "two_lines", "../shop", ""])
async def test_a_secret_that_is_not_there_is_no_request(shop: Shop, worker: ActionWorker, name: str) -> None:
    assert await outcome(worker, effect(shop.url(), headers={"X": [{"secret": name}]})) == ("error", None)
    assert not shop.came


async def test_an_answer_that_does_not_come_is_a_timeout(shop: Shop, worker: ActionWorker) -> None:
    shop.hangs = True
    assert await outcome(worker, effect(shop.url(), timeout_ms=100)) == ("timeout", None)


async def test_retries_are_those_that_were_allowed_and_carry_the_same_key(shop: Shop, worker: ActionWorker) -> None:
    shop.answers = [web.Response(status=503), web.Response(status=503)]
    assert (await outcome(worker, effect(shop.url(), retries=2)))[0] == "ok"
    assert [came[2] for came in shop.came] == ["k1"] * 3
    shop.answers = [web.Response(status=503)]
    assert (await outcome(worker, effect(shop.url())))[0] == "error"
    assert len(shop.came) == 4


async def test_a_target_that_fails_three_times_is_left_alone_then_probed_once(shop: Shop, tmp_path: Path) -> None:
    clock = Clock()
    worker = ActionWorker(targets_of("", f"127.0.0.1:{shop.port}"), tmp_path, now=clock)
    shop.answers = [web.Response(status=500) for _ in range(4)]
    for _ in range(5):
        assert (await outcome(worker, effect(shop.url())))[0] == "error"
    assert len(shop.came) == 3
    clock.at += OPEN_S
    for _ in range(2):
        assert (await outcome(worker, effect(shop.url())))[0] == "error"
    assert len(shop.came) == 4  # one probe, which failed
    clock.at += OPEN_S
    assert (await outcome(worker, effect(shop.url())))[0] == "ok"
    assert (await outcome(worker, effect(shop.url())))[0] == "ok"
    await worker.close()


def test_one_probe_at_a_time_and_a_refusal_is_no_failure() -> None:
    clock = Clock()
    breaker = TargetBreaker(clock)
    for worked in (False, False, True, False, False, False):
        assert breaker.lets_through()
        breaker.told(worked)
    assert (breaker.state, breaker.lets_through()) == ("open", False)
    clock.at += OPEN_S
    assert (breaker.lets_through(), breaker.lets_through()) == (True, False)
    breaker.given_up()
    assert breaker.lets_through()
    breaker.told(worked=True)
    assert breaker.state == "closed"


async def test_an_answer_is_kept_as_long_as_the_flow_says(shop: Shop, tmp_path: Path) -> None:
    clock = Clock()
    worker = ActionWorker(targets_of("", f"127.0.0.1:{shop.port}"), tmp_path, now=clock)
    for _ in range(2):
        assert (await outcome(worker, effect(shop.url(), cache_s=60)))[0] == "ok"
    await outcome(worker, effect(shop.url("/orders/2"), cache_s=60))
    assert len(shop.came) == 2
    clock.at += 61
    await outcome(worker, effect(shop.url(), cache_s=60))
    assert len(shop.came) == 3
    await worker.close()


# --- servers that are never reached -----------------------------------------------------------------------------------


class Names(AbstractResolver):
    """A name server that tells something else each time."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        address = self.answers.pop(0)
        return [{"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://127.1:{port}/",
        "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0.0.0.0:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
        "http://shop.example.evil.test:{port}/", "http://shop.example@127.0.0.1:{port}/", "http://evil.test:{port}/#shop.example",
        "http://shop.example:1/",
    ],
)  # fmt: skip
async def test_a_server_on_no_list_is_not_reached(shop: Shop, tmp_path: Path, url: str) -> None:
    worker = ActionWorker(targets_of(f"shop.example:{shop.port}", ""), tmp_path)
    assert await outcome(worker, effect(url.format(port=shop.port))) == ("error", None)
    await worker.close()
    assert not shop.came


@pytest.mark.parametrize(
    "url", ["http://93.184.216.34/", "https://example.com/", "https://shop.example:444/", "https://a.shop.example/"]
)
def test_a_public_server_on_no_list_is_refused(url: str) -> None:
    with pytest.raises(NotReached, match="is not among ACTION_HOSTS"):
        targets_of("shop.example", "").check(url)
    assert targets_of("shop.example", "").check("https://shop.example/orders") == "shop.example:443"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "127.1", "0.0.0.0", "[::ffff:7f00:1]"])
async def test_a_listed_server_with_a_special_address_is_not_reached(shop: Shop, tmp_path: Path, name: str) -> None:
    worker = ActionWorker(targets_of(f"{name}:{shop.port}", ""), tmp_path)
    assert await outcome(worker, effect(f"http://{name}:{shop.port}/")) == ("error", None)
    await worker.close()
    assert not shop.came


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
async def test_a_name_that_leads_to_a_special_address_is_not_reached(shop: Shop, tmp_path: Path, address: str) -> None:
    worker = ActionWorker(targets_of(f"shop.example:{shop.port}", ""), tmp_path, resolver=Names(address))
    assert await outcome(worker, effect(f"http://shop.example:{shop.port}/")) == ("error", None)
    await worker.close()
    assert not shop.came


async def test_a_name_that_is_bound_anew_is_looked_at_each_time(shop: Shop, tmp_path: Path) -> None:
    """The first look-up gives nothing that answers, the second is ours: neither the list nor the first look-up helps."""
    names = Names("192.0.2.1", "127.0.0.1")
    worker = ActionWorker(targets_of(f"shop.example:{shop.port}", ""), tmp_path, resolver=names)
    for _ in range(2):
        assert (await outcome(worker, effect(f"http://shop.example:{shop.port}/", timeout_ms=200)))[0] in (
            "error",
            "timeout",
        )
    assert not names.answers or len(names.answers) == 0
    await worker.close()
    assert not shop.came


async def test_a_private_server_that_is_listed_as_one_is_reached(shop: Shop, tmp_path: Path) -> None:
    worker = ActionWorker(targets_of("", f"shop.example:{shop.port}"), tmp_path, resolver=Names("127.0.0.1"))
    assert (await outcome(worker, effect(f"http://shop.example:{shop.port}/")))[0] == "ok"
    await worker.close()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255",
     "::1", "::", "fe80::1%eth0", "fd12::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "192.0.2.1", "x"],
)  # fmt: skip
def test_special_addresses(address: str) -> None:
    assert is_special(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert not is_special(address)


def test_a_name_without_a_port_stands_for_the_usual_ones() -> None:
    targets = targets_of("Shop.Example, [2606:2800::1]:8080", "")
    assert targets == Targets(frozenset({"shop.example", "[2606:2800::1]:8080"}), frozenset())
    assert targets.check("https://shop.example/a") == "shop.example:443"
    assert targets.check("http://[2606:2800::1]:8080/") == "2606:2800::1:8080"
    with pytest.raises(NotReached):
        targets.check("http://shop.example:8080/")
