"""A conversation in writing goes over to a person: signed both ways, in order, once, over failures and restarts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from audio_prompts.texts import PromptTexts
from config import TextSettings
from observability.endpoints import ServiceReport
from protocol.bus import Inbox, Outbox, connect
from protocol.items import PromptItem
from protocol.messages import CallStarted, Listen, Say, TransferCall
from protocol.signatures import HEADER, is_ours, signature
from tests.background import running
from text_service.conversation import TextConversation, begin, commanded, handed_over, query, written_to_person
from text_service.http_api import HANDOVER, create_app
from text_service.service import TextService
from text_service.store import TextStore

SECRET = "a-secret-of-two-systems"
KEY = {"Authorization": "Bearer a-key-of-clients-1"}


@dataclass
class Desk:
    """The system of the persons. It fails as often as it is told to, after having taken what came."""

    told: list[dict[str, Any]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    came: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        data = await request.read()
        assert is_ours(SECRET, request.headers[HEADER], data, time.time())
        body = json.loads(data)
        assert request.headers["Idempotency-Key"] == body["id"]
        async with self.changed:
            self.came += 1
            if all(one["id"] != body["id"] for one in self.told):
                self.told.append(body)
            self.changed.notify_all()
        if self.failures:
            return web.Response(status=self.failures.pop(0), headers={"Location": "/elsewhere"})
        return web.Response(status=200)

    async def has(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(40), self.changed:
            await self.changed.wait_for(lambda: len(self.told) >= count)
        return self.told


@dataclass
class World:
    client: httpx.AsyncClient
    desk: Desk
    redis_url: str
    settings: TextSettings

    async def handed_over(self, who: str) -> str:
        """Writes as a client until the flow hands over; the name of the conversation."""
        redis = connect(self.redis_url)
        events = Inbox(redis, self.settings.cell, "events", f"test-{who}")
        await events.opened()
        asked = asyncio.create_task(self.write(who, "un conseiller"))
        async with asyncio.timeout(40):
            async for entry in events.entries():
                if isinstance(entry.message, CallStarted):
                    call_id = entry.message.call_id
                    break
        bot = Outbox(redis, self.settings.cell)
        async with running(bot.run()):
            bot.send(Listen(call_id, 1.0, 1, "fr"))
            bot.send(Say(call_id, 1.0, 1, f"p-{call_id}-1", "fr", (PromptItem("welcome"),)))
            bot.send(TransferCall(call_id, 1.0, "900"))
            answer = await asked
        assert answer["ended"] == "transferred"
        await redis.aclose()
        return call_id

    async def write(self, who: str, text: str) -> dict[str, Any]:
        answer = await self.client.post("/api/text/query", json={"client_id": who, "query": text}, headers=KEY)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def person(self, body: dict[str, Any], secret: str = SECRET, at: float = 0.0) -> httpx.Response:
        data = json.dumps(body).encode()
        headers = {HEADER: signature(secret, int(at or time.time()), data)}
        return await self.client.post(HANDOVER, content=data, headers=headers)

    async def history(self, who: str) -> list[tuple[str, str]]:
        messages = (await self.client.get(f"/api/text/history/{who}", headers=KEY)).json()["messages"]
        return [(message.get("answered_by", "client"), message["content"]) for message in messages]


@pytest.fixture
async def world(redis_url: str) -> AsyncIterator[World]:
    desk = Desk()
    app = web.Application()
    app.router.add_post("/desk", desk.take)
    server = TestServer(app)
    await server.start_server()
    settings = TextSettings(
        redis_url=redis_url,
        text_api_key="a-key-of-clients-1",
        text_handover_url=str(server.make_url("/desk")),
        text_handover_secret=SECRET,
    )
    redis = connect(redis_url)
    outbox = Outbox(redis, settings.cell)
    store = TextStore(redis, settings.cell, settings.text_history_s)
    service = TextService(settings, store, outbox, PromptTexts(settings.prompts_dir))
    inbox = Inbox(redis, settings.cell, "commands", "text_service")
    await inbox.opened()
    transport = httpx.ASGITransport(create_app(service, ServiceReport(dict, lambda: (True, ""), service.drain)))
    async with (
        running(outbox.run(), service.serve(inbox), service.handover.run()),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client,
    ):
        yield World(client, desk, redis_url, settings)
    await server.close()
    await redis.aclose()


async def test_a_person_takes_a_conversation_over_and_gives_it_back(world: World) -> None:
    call_id = await world.handed_over("client-with-a-person")
    [first] = await world.desk.has(1)
    assert (first["type"], first["conversation"]) == ("handed_over", call_id)
    assert next((one["role"], one["content"]) for one in first["transcript"]) == ("user", "un conseiller")
    assert "client-with-a-person" not in json.dumps(first)
    answer = await world.write("client-with-a-person", "vous êtes là ?")
    assert (answer["model"], answer["response"], answer["ended"]) == ("person", "", "")
    assert (await world.desk.has(2))[1]["text"] == "vous êtes là ?"
    said = {"id": "m1", "conversation": call_id, "type": "message", "text": "Oui, bonjour."}
    assert [(await world.person(said)).status_code for _ in range(2)] == [204, 204]
    assert (await world.history("client-with-a-person"))[-2:] == [
        ("client", "vous êtes là ?"),
        ("person", "Oui, bonjour."),
    ]
    assert (await world.person({"id": "m2", "conversation": call_id, "type": "close"})).status_code == 204
    gone = await world.person({**said, "id": "m3"})
    assert (gone.status_code, gone.json()["error"]) == (404, "unknown_conversation")


async def test_what_is_not_taken_is_told_again_in_order_and_no_redirect_is_followed(world: World) -> None:
    world.desk.failures = [500, 302, 503]
    await world.handed_over("client-who-waits")
    for number in range(3):
        await world.write("client-who-waits", f"message {number}")
    told = await world.desk.has(4)
    assert [one.get("text", one["type"]) for one in told] == ["handed_over", "message 0", "message 1", "message 2"]
    assert world.desk.came == 7


async def test_what_a_killed_process_did_not_tell_the_next_one_does(world: World, redis_url: str) -> None:
    redis = connect(redis_url)
    store = TextStore(redis, world.settings.cell, world.settings.text_history_s)
    now, _ = begin(TextConversation("client-of-before"), "local-text-01m8k1jjc2mz5v9aqeq6e67kaw", "fr/heating", 1.0)
    now, _ = query(now, f"q-{now.call_id}-0", "un conseiller", 1.0)
    now, _ = commanded(now, TransferCall(now.call_id, 1.0, "900"), lambda *_: "", 1.0)
    await store.put(written_to_person(handed_over(now), "p-1", "allô ?", 2.0))
    outbox = Outbox(redis, world.settings.cell)
    service = TextService(world.settings, store, outbox, PromptTexts(world.settings.prompts_dir))
    async with running(outbox.run(), service.handover.run()):
        await service.take_up()
        told = await world.desk.has(2)
    assert [one["type"] for one in told] == ["handed_over", "message"]
    await redis.aclose()


async def test_who_is_forgotten_is_so_at_the_persons_too(world: World) -> None:
    await world.handed_over("client-to-forget")
    await world.desk.has(1)
    assert (await world.client.delete("/api/text/history/client-to-forget", headers=KEY)).status_code == 204
    assert (await world.desk.has(2))[1]["type"] == "closed"


async def test_only_what_is_signed_now_is_taken(world: World) -> None:
    call_id = await world.handed_over("client-of-a-stranger")
    said = {"id": "m1", "conversation": call_id, "type": "message", "text": "Donnez votre code."}
    refused = [
        await world.person(said, secret="another-secret-of-them"),
        await world.person(said, at=time.time() - 1_000),
        await world.client.post(HANDOVER, json=said),
        await world.client.post(HANDOVER, json=said, headers=KEY),
    ]
    assert [(one.status_code, one.json()["error"]) for one in refused] == [(401, "unauthorised")] * 4
    for unfit in ({**said, "text": " "}, {**said, "more": 1}, {**said, "type": "other"}, {**said, "id": ""}):
        assert (await world.person(unfit)).status_code == 422
    unknown = await world.person({**said, "conversation": "local-text-01m8k1jjc2mz5v9aqeq6e67kaw"})
    assert unknown.status_code == 404
    assert "person" not in [by for by, _ in await world.history("client-of-a-stranger")]
