"""The text service without a bot manager: on a real Redis, nobody answers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from audio_prompts.texts import PromptTexts
from config import TextSettings
from observability.endpoints import ServiceReport
from protocol.bus import Inbox, Outbox, connect
from protocol.messages import CallStarted
from tests.background import running
from text_service.conversation import TextConversation
from text_service.http_api import create_app
from text_service.service import QueryAsked, TextService
from text_service.store import TextStore


class StoreWatched(TextStore):
    """Tells when something was kept, and lets the others go on before it returns."""

    kept = asyncio.Event()

    async def put(self, now: TextConversation) -> None:
        await super().put(now)
        self.kept.set()
        await asyncio.sleep(0)


async def test_what_is_kept_is_told_although_the_client_is_gone_in_between(redis_url: str) -> None:
    settings = TextSettings(redis_url=redis_url)
    redis = connect(redis_url)
    outbox = Outbox(redis, settings.cell)
    store = StoreWatched(redis, settings.cell, settings.text_history_s)
    service = TextService(settings, store, outbox, PromptTexts(settings.prompts_dir))
    inbox = Inbox(redis, settings.cell, "events", "test")
    await inbox.opened()
    async with running(outbox.run()):
        asking = asyncio.create_task(service.put_question("a-client-that-goes", QueryAsked("oui bonjour")))
        await store.kept.wait()
        asking.cancel()
        async with asyncio.timeout(20):
            async for entry in inbox.entries():
                if isinstance(entry.message, CallStarted) and entry.message.direction == "text":
                    break
        assert await asyncio.wait([asking])
        assert asking.cancelled()
    await redis.aclose()


@pytest.fixture
async def client(redis_url: str) -> Any:
    settings = TextSettings(redis_url=redis_url, text_answer_s=0.2, text_client_rate=2, text_address_rate=3)
    redis = connect(redis_url)
    outbox = Outbox(redis, settings.cell)
    store = TextStore(redis, settings.cell, settings.text_history_s)
    service = TextService(settings, store, outbox, PromptTexts(settings.prompts_dir))
    app = create_app(service, ServiceReport(dict, lambda: (True, ""), service.drain))
    async with running(outbox.run()):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as one:
            yield one
    await redis.aclose()


async def test_without_an_answer_the_client_is_told_so_and_the_query_stays_written(client: httpx.AsyncClient) -> None:
    body = {"client_id": "patient-client", "query": "oui bonjour"}
    answer = await client.post("/api/text/query", json=body)
    assert (answer.status_code, answer.json()["error"]) == (504, "model_timeout")
    assert (await client.get("/api/text/status")).json()["status"] == "degraded"
    history = (await client.get("/api/text/history/patient-client")).json()["messages"]
    assert [message["content"] for message in history] == ["oui bonjour"]
    second = await client.post("/api/text/query", json=body)
    assert (second.status_code, second.json()["error"]) == (503, "busy")
    assert second.headers["Retry-After"] == "1"


async def test_who_asks_too_often_is_told_how_long_to_wait(client: httpx.AsyncClient) -> None:
    async def ask(who: str) -> httpx.Response:
        return await client.post("/api/text/query", json={"client_id": who, "query": "oui"})

    statuses = [(await ask("a-client-of-many")).status_code for _ in range(3)]
    assert statuses == [504, 503, 429]
    refused = await ask("a-client-of-many")
    assert (refused.json()["error"], 50 < int(refused.headers["Retry-After"]) <= 60) == ("too_many_requests", True)
    assert (await ask("another-client")).status_code == 504
    assert (await ask("a-third-client")).status_code == 429  # the address's share is used up


async def test_streamed_trouble_is_an_event(client: httpx.AsyncClient) -> None:
    body = {"client_id": "streaming-client", "query": "oui", "stream": True}
    answer = await client.post("/api/text/query", json=body)
    assert answer.status_code == 200
    assert answer.text.startswith("event: error\ndata: ")
    assert "model_timeout" in answer.text
