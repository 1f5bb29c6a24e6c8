"""The end of a call is told once, signed, however long its receiver or we are away; what nobody takes is listed."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot_manager.actions import ActionWorker
from bot_manager.target_breaker import OPEN_S
from bot_manager.targets import targets_of
from bot_manager.webhooks import CLAIMED_S, WebhookSender, WebhookTarget, call_ended
from dialogue.effects import Effect
from pronto import webhooks_cli
from protocol.signatures import HEADER, is_ours, signature
from records.call import Webhook
from records.database import open_database
from records.engines import connect, writing
from records.outbox import BACK_OFF_S, GIVE_UP_S, listed
from records.retention import anonymise
from records.spool import of_line, to_line
from records.store import store
from tests.bot_manager.bot_process import bot_of
from tests.bot_manager.conftest import Exchange, until
from tests.records.samples import AT, call, turn

KEY = "a-key-of-our-webhooks"


@dataclass
class Crm:
    """A receiver. `came` are the webhooks as (idempotency key, body, whether the signature is good)."""

    server: TestServer
    status: int = 204
    came: list[tuple[str, dict[str, Any], bool]] = field(default_factory=list)
    now: float = 0.0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set nothing is answered."""

    @property
    def port(self) -> int:
        return int(self.server.port or 0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/pronto"

    @property
    def keys(self) -> list[str]:
        return [key for key, _, _ in self.came]


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        at = int(request.headers[HEADER].partition(",")[0].removeprefix("t="))
        good = is_ours(KEY, request.headers[HEADER], body, found.now or at)
        found.came.append((request.headers["Idempotency-Key"], json.loads(body), good))
        await found.answers.wait()
        return web.Response(status=found.status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/pronto", take)
    found = Crm(TestServer(app))
    found.answers.set()
    await found.server.start_server()
    yield found
    await found.server.close()


class Inside(AbstractResolver):
    """A name server that leads to this machine."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


@dataclass
class World:
    """A sender with a clock that a test moves."""

    database: str
    sender: WebhookSender
    clock: list[float]

    def write(self, *webhooks: Webhook) -> None:
        engine = connect(self.database)
        with writing(engine).begin() as connection:
            store(connection, webhooks)
        engine.dispose()

    def states(self) -> dict[str, str]:
        engine = connect(self.database)
        found = {one.id: one.state for one in listed(engine, ["waiting", "delivered", "dead", "dropped"], 100)}
        engine.dispose()
        return found

    def one(self) -> Webhook:
        engine = connect(self.database)
        (found,) = listed(engine, ["waiting", "delivered", "dead", "dropped"], 100)
        engine.dispose()
        return found

    async def wait(self, seconds: float) -> None:
        """Lets time pass, with a look at what is due now and then."""
        until_s, step_s = self.clock[0] + seconds, max(30.0, seconds / 150)
        while self.clock[0] < until_s:
            while await self.sender.send_due():
                pass
            self.clock[0] += step_s


def sender_of(
    database: str, url: str, folder: Path, clock: list[float], private: str, resolver: AbstractResolver | None = None
) -> WebhookSender:
    (folder / "webhook").write_text(KEY)
    receiver = WebhookTarget(url, targets_of("crm.example", private), folder, "webhook")
    return WebhookSender(connect(database), "local", receiver, resolver, now=lambda: clock[0])


@pytest.fixture
async def world(database: str, crm: Crm, tmp_path: Path) -> AsyncIterator[World]:
    open_database(database).dispose()
    clock = [AT + 31.5]
    sender = sender_of(database, crm.url, tmp_path, clock, f"127.0.0.1:{crm.port}")
    yield World(database, sender, clock)
    await sender.close()


# --- the signature ----------------------------------------------------------------------------------------------------


@given(st.text(min_size=16), st.binary(), st.integers(0, 2**33), st.integers(0, 255))
def test_a_signature_holds_for_this_body_this_secret_and_this_time_only(
    secret: str, body: bytes, at: int, place: int
) -> None:
    header = signature(secret, at, body)
    assert is_ours(secret, header, body, at + 299.0)
    assert not is_ours(secret, header, body, at + 301.0)
    assert not is_ours(secret, header, body + b"x", at)
    assert not is_ours(secret + "x", header, body, at)
    assert not is_ours(secret, header.replace(f"t={at}", f"t={at + 1}"), body, at)
    cut = header[: place % len(header)]
    assert not is_ours(secret, cut, body, at)


def test_the_signature_of_a_known_body() -> None:
    """What other programs must come to: HMAC-SHA256 over "1790000000.{}" with this key, in hexadecimal digits."""
    assert signature(KEY, 1_790_000_000, b"{}") == (
        "t=1790000000,v1=124dac456aa9372c5cf43a467786d43ecf883567aecc7e332df7d4adb4f6367f"
    )


# --- sending ----------------------------------------------------------------------------------------------------------


async def test_the_end_of_a_call_is_told_once_and_then_forgotten(world: World, crm: Crm) -> None:
    webhook = call_ended(call())
    world.write(webhook, webhook)
    world.write(call_ended(call()))  # once more, after a restart
    await world.wait(3_600)
    ((key, body, good),) = crm.came
    assert (key, good) == (webhook.id, True)
    assert body["type"] == "call_ended"
    assert body["call"]["lead"] == {"zip_code": "75011", "owner": "yes"}
    assert body["call"]["ended_at"] == "2026-09-21T14:13:51.000+00:00"
    assert (world.one().state, world.one().body, world.one().tries) == ("delivered", "", 1)


async def test_what_has_an_address_of_its_own_goes_there_with_its_headers_and_waits_for_no_other(
    database: str, crm: Crm, tmp_path: Path
) -> None:
    came: list[tuple[str, str, bool]] = []

    async def take(request: web.Request) -> web.Response:
        headers = request.headers
        came.append((headers["Idempotency-Key"], headers["Authorization"], HEADER in headers))
        return web.Response(status=200)

    app = web.Application()
    app.router.add_post("/turns", take)
    open_database(database).dispose()
    (tmp_path / "shop").write_text("a-secret-of-the-shop")
    clock = [AT + 31.5]
    async with TestServer(app) as shop:
        url, headers = f"http://127.0.0.1:{shop.port}/turns", {"Authorization": ["Bearer ", {"secret": "shop"}]}
        private = f"127.0.0.1:{crm.port},127.0.0.1:{shop.port}"
        sender = sender_of(database, crm.url, tmp_path, clock, private)
        world = World(database, sender, clock)
        crm.status = 503
        turns = [Webhook(f"turn-{one}", "local", "turn", "c", "{}", AT, AT, url=url, headers=headers) for one in "ab"]
        nowhere = Webhook(
            "nowhere", "local", "turn", "c", "{}", AT, AT, url="http://127.0.0.2:9/turns", headers=headers
        )
        world.write(call_ended(call()), *turns, nowhere)
        await world.wait(60)
        await sender.close()
    assert sorted(came) == [(f"turn-{one}", "Bearer a-secret-of-the-shop", False) for one in "ab"]
    states = world.states()
    assert [states[one.id] for one in turns] == ["delivered", "delivered"]
    assert (states["nowhere"], states[call_ended(call()).id]) == ("waiting", "waiting")


async def test_what_is_told_of_one_call_is_told_in_its_order_and_keeps_no_other_waiting(world: World, crm: Crm) -> None:
    def told(key: str, call_id: str, at: float) -> Webhook:
        return Webhook(key, "local", "turn", call_id, "{}", at, AT)

    crm.answers.clear()
    world.write(told("a1", "a", AT), told("a2", "a", AT + 1), told("b1", "b", AT + 2))
    sending = asyncio.create_task(world.sender.send_due())
    await until(lambda: len(crm.came) >= 2)
    assert sorted(crm.keys) == ["a1", "b1"]
    crm.answers.set()
    assert await sending == 3
    assert [key for key in crm.keys if key != "b1"] == ["a1", "a2"]


async def test_a_receiver_that_is_away_for_two_days_gets_all_of_it_once(world: World, crm: Crm) -> None:
    webhooks = [call_ended(call(f"call-{number}")) for number in range(20)]
    world.write(*webhooks)
    crm.status = 503
    await world.wait(2 * 86_400)
    assert set(world.states().values()) == {"waiting"}
    tries = len(crm.came)
    assert tries < 20 * (len(BACK_OFF_S) + 8)  # nobody is asked again and again
    crm.status, crm.came = 200, []
    await world.wait(BACK_OFF_S[-1] * 1.2)
    assert sorted(crm.keys) == sorted(one.id for one in webhooks)
    assert set(world.states().values()) == {"delivered"}


async def test_when_it_is_back_nobody_waits_for_their_turn(world: World, crm: Crm) -> None:
    world.write(*(call_ended(call(f"call-{number}")) for number in range(5)))
    crm.status = 500
    await world.wait(6 * 3_600)
    crm.status, crm.came = 200, []
    waited = 0.0
    while not crm.came:
        await world.wait(30.0)
        waited += 30.0
    await world.wait(OPEN_S)
    assert len(crm.came) == 5


async def test_a_sender_that_dies_before_the_answer_sends_again_under_the_same_key(world: World, crm: Crm) -> None:
    world.write(call_ended(call()))
    crm.answers.clear()
    dying = asyncio.create_task(world.sender.send_due())
    await until(lambda: bool(crm.came))
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    crm.answers.set()
    assert await world.sender.send_due() == 0  # whoever died may still be at it
    await world.wait(2 * CLAIMED_S)
    assert crm.keys == [call_ended(call()).id] * 2
    assert (world.one().state, world.one().tries) == ("delivered", 1)


async def test_a_receiver_that_fails_is_left_alone_for_a_while(world: World, crm: Crm) -> None:
    world.write(*(call_ended(call(f"call-{number}")) for number in range(30)))
    crm.status = 500
    await world.sender.send_due()
    await world.sender.send_due()
    assert len(crm.came) < 12


@pytest.mark.parametrize("status", [400, 410, 422])
async def test_what_is_refused_for_good_is_given_up_and_can_be_tried_again(
    world: World, crm: Crm, status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", world.database)
    world.write(call_ended(call()))
    crm.status = status
    await world.wait(7_200)
    assert (len(crm.came), world.one().state, world.one().fault) == (1, "dead", f"HTTP {status}")

    assert command("list", "--dead") == 0
    assert f"HTTP {status}" in capsys.readouterr().out
    assert command("show", world.one().id[:8]) == 0
    assert '"zip_code": "75011"' in capsys.readouterr().out
    assert command("retry") == 2
    assert command("retry", "no-such") == 1
    assert command("retry", world.one().id) == 0
    crm.status = 204
    world.clock[0] = 4_000_000_000.0  # later than the command's own clock
    await world.wait(60)
    assert (len(crm.came), world.one().state) == (2, "delivered")
    capsys.readouterr()
    assert command("list") == 0
    assert "nothing waits" in capsys.readouterr().out


async def test_after_three_days_it_is_given_up_and_can_be_dropped(
    world: World, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", world.database)
    world.write(call_ended(call()))
    crm.status = 503
    await world.wait(GIVE_UP_S - 3_600)
    assert world.one().state == "waiting"
    await world.wait(BACK_OFF_S[-1] * 1.3)
    assert world.one().state == "dead"
    assert command("drop", "--all") == 0
    assert (world.one().state, world.one().body) == ("dropped", "")


def command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    webhooks_cli.add_parser(parser.add_subparsers())
    return webhooks_cli.run(parser.parse_args(["webhooks", *arguments]))


async def test_a_key_that_is_not_there_or_too_short_costs_nothing(world: World, crm: Crm, tmp_path: Path) -> None:
    world.write(call_ended(call()))
    for text in ("", "short"):
        (tmp_path / "webhook").write_text(text)
        await world.wait(3_600)
        assert (crm.came, world.one().tries) == ([], 0)
    (tmp_path / "webhook").write_text(KEY)
    await world.wait(60)
    assert world.states() == {call_ended(call()).id: "delivered"}


async def test_a_receiver_that_redirects_is_not_followed(world: World, crm: Crm) -> None:
    world.write(call_ended(call()))
    crm.status = 307
    await world.wait(60)
    assert (world.one().state, world.one().fault) == ("waiting", "HTTP 307")


@pytest.mark.parametrize(
    ("url", "private", "resolver"),
    [
        ("http://127.0.0.1:{port}/pronto", "", None),
        ("http://[::ffff:127.0.0.1]:{port}/pronto", "crm.example", None),
        ("http://other.example:{port}/pronto", "", None),
        ("http://crm.example/pronto", "", Inside()),
    ],
)
async def test_a_receiver_that_is_not_listed_or_not_public_is_not_reached(
    database: str, crm: Crm, tmp_path: Path, url: str, private: str, resolver: AbstractResolver | None
) -> None:
    open_database(database).dispose()
    clock = [AT + 60.0]
    sender = sender_of(database, url.format(port=crm.port), tmp_path, clock, private, resolver)
    there = World(database, sender, clock)
    there.write(call_ended(call()))
    await there.wait(600)
    assert (crm.came, there.one().state) == ([], "waiting")
    await sender.close()


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_it_waits_on_disk_as_records_do() -> None:
    webhook = call_ended(call())
    assert of_line(to_line(webhook)) == webhook


async def test_retention_takes_what_it_says_and_gives_up_what_still_waits(world: World, crm: Crm) -> None:
    world.write(call_ended(call()))
    engine = connect(world.database)
    with writing(engine).begin() as connection:
        store(connection, [call(), turn()])
        anonymise(connection, "call-1")
    engine.dispose()
    await world.wait(600)
    assert (crm.came, world.one().state, world.one().body) == ([], "dead", "")


# --- messages of flows ------------------------------------------------------------------------------------------------


async def test_a_message_of_a_flow_is_sent_once_however_often_it_is_asked_for(
    world: World, crm: Crm, tmp_path: Path
) -> None:
    asked = {
        "action": "tell",
        "call_id": "c1",
        "to": "+33612345678",
        "text": "À demain.",
        "language": "fr",
        "key": "k1",
    }
    worker = ActionWorker(targets_of("", ""), tmp_path, messages=world.sender.take_message)
    for number in (1, 2):
        done = await worker.perform(Effect(f"c1:{number}:message", "message", asked))
        assert done.result == {"outcome": "ok", "body": None}
    await world.wait(60)
    ((key, body, good),) = crm.came
    assert (key, good, body["type"], body["to"], body["text"]) == ("k1", True, "message", "+33612345678", "À demain.")

    nobody = ActionWorker(targets_of("", ""), tmp_path)
    assert (await nobody.perform(Effect("c1:3:message", "message", asked))).result == {"outcome": "error", "body": None}


# --- kills ------------------------------------------------------------------------------------------------------------


async def test_a_kill_and_a_receiver_that_was_away_cost_no_end_of_a_call(
    bot_settings: dict[str, str], exchange: Exchange, crm: Crm, tmp_path: Path
) -> None:
    """Calls end while nobody takes their webhooks; the bot manager is killed right after, twice. Each end is told."""
    (tmp_path / "webhook").write_text(KEY)
    settings = bot_settings | {
        "WEBHOOK_URL": crm.url,
        "ACTION_PRIVATE_HOSTS": f"127.0.0.1:{crm.port}",
        "ACTION_CREDENTIALS_DIR": str(tmp_path),
    }
    crm.status = 503
    async with bot_of(settings, tmp_path / "bot.log") as bot:
        for number in (1, 2, 3):
            await bot.start()
            line = exchange.line(f"c{number}")
            line.ring()
            await line.prompts()
            line.transcript("au revoir")
            line.hang_up()
            if number < 3:
                if number == 2:
                    await until(lambda: bool(crm.came))
                await bot.end(signal.SIGKILL)
        crm.status = 204
        crm.came.clear()
        await until(lambda: len(set(crm.keys)) == 3, 60.0)
        await bot.end(signal.SIGTERM)
    assert all(good for _, _, good in crm.came)
    taken = {body["call"]["id"] for _, body, _ in crm.came}
    assert taken == {"c1", "c2", "c3"}
