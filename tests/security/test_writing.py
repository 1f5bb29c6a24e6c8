"""What is written stays with whom it is written: a link from a call opens one conversation in one browser, and the two
parts of the text service tell nobody anything without their keys, nor each other what no browser is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from audio_prompts.texts import PromptTexts
from config import TextSettings
from observability.endpoints import ServiceReport
from protocol.bus import Outbox, connect
from protocol.keys import text_link_key
from tests.background import running
from text_service.back_part import BackPart
from text_service.for_fronts import CHANGES, CONVERSATION, OPENED, QUESTION
from text_service.front_part import create_front
from text_service.http_api import create_app
from text_service.links import link_name
from text_service.service import TextService
from text_service.store import TextStore

KEY = "a-key-of-clients-1"
BACK_KEY = "a-key-between-parts"
SHOP = "https://shop.example"
NUMBER = "+33612345678"
ONE, OTHER = "web_the-first-browser", "web_another-browser"


@dataclass
class Back:
    """A back part on a real Redis, and who asks it with its key."""

    app: Any
    http: httpx.AsyncClient
    redis: Redis
    settings: TextSettings

    async def link(self) -> str:
        """The secret of a new link."""
        made = await self.http.post("/api/text/links", json={"number": NUMBER, "flow": "fr/heating"})
        return str(made.json()["link"]).partition("#go=")[2]

    async def opens(self, client_id: str, secret: str) -> tuple[int, str]:
        """Status and code of the answer to a browser that opens a link."""
        answer = await self.http.post(OPENED, json={"client_id": client_id, "link": secret})
        return answer.status_code, answer.json()["error"] if answer.content else ""


@pytest.fixture
async def back(redis_url: str) -> AsyncIterator[Back]:
    settings = TextSettings(
        redis_url=redis_url,
        text_api_key=BACK_KEY,
        text_page_url="https://bot.example",
        text_origins=SHOP,
        text_client_rate=1,
    )
    redis = connect(redis_url)
    outbox = Outbox(redis, settings.cell)
    store = TextStore(redis, settings.cell, settings.text_history_s)
    service = TextService(settings, store, outbox, PromptTexts(settings.prompts_dir))
    app = create_app(service, ServiceReport(dict, lambda: (True, ""), service.drain))
    async with running(outbox.run()), asked(app, {"Authorization": f"Bearer {BACK_KEY}"}) as http:
        yield Back(app, http, redis, settings)
    await redis.aclose()


def asked(app: Any, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers)


async def test_what_is_kept_of_a_link_opens_nothing(back: Back) -> None:
    secret = await back.link()
    assert len(secret) == 32
    (key,) = [one async for one in back.redis.scan_iter() if secret in one or link_name(secret) in one]
    kept = str(await back.redis.get(key))
    assert NUMBER in kept
    assert secret not in key + kept
    assert (await back.opens(ONE, link_name(secret)))[0] in (404, 422)
    assert await back.opens(ONE, secret) == (204, "")


async def test_a_link_that_nobody_opens_is_gone_after_its_time(back: Back) -> None:
    key = text_link_key(back.settings.cell, link_name(await back.link()))
    assert 0 < await back.redis.ttl(key) <= back.settings.text_link_s


async def test_a_link_is_that_of_the_browser_that_opens_it_first(back: Back) -> None:
    for _ in range(10):
        secret = await back.link()
        came = await asyncio.gather(back.opens(ONE, secret), back.opens(OTHER, secret))
        assert sorted(came) == [(204, ""), (409, "link_taken")]
        whose = (ONE, OTHER)[came.index((204, ""))]
        assert await back.opens(whose, secret) == (204, "")


async def test_who_is_forgotten_leaves_no_link(back: Back) -> None:
    secret = await back.link()
    await back.opens(ONE, secret)
    assert (await back.http.delete(f"/api/text/history/{ONE}")).status_code == 204
    assert [key async for key in back.redis.scan_iter() if link_name(secret) in key] == []
    assert await back.opens(ONE, secret) == (404, "unknown_link")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": f"Bearer {KEY}"}, {"Origin": SHOP}, {"Origin": "https://other.example"}]
)
async def test_neither_links_nor_conversations_are_had_without_the_back_parts_key(
    back: Back, headers: dict[str, str]
) -> None:
    secret = await back.link()
    await back.opens(ONE, secret)
    async with asked(back.app, headers) as stranger:
        answers = [
            await stranger.post("/api/text/links", json={"number": NUMBER}),
            await stranger.post(OPENED, json={"client_id": ONE, "link": secret}),
            await stranger.post(QUESTION, json={"client_id": ONE, "query": "oui", "ref": ""}),
            await stranger.get(f"{CONVERSATION}/{ONE}"),
        ]
        assert [answer.status_code for answer in answers] == [401] * len(answers)
        assert (await stranger.get(CHANGES)).status_code == 401  # a stream: who is let in waits for its end


@pytest.mark.parametrize("number", ["{call.number}", "https://elsewhere.example", "+33 6 12", "12", "1" * 21, ""])
async def test_a_link_leads_to_a_number_and_nothing_else(back: Back, number: str) -> None:
    answer = await back.http.post("/api/text/links", json={"number": number, "flow": "fr/heating"})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")


async def test_a_front_part_is_not_told_what_no_browser_is_shown(back: Back) -> None:
    await back.opens(ONE, await back.link())
    shown = await back.http.get(f"{CONVERSATION}/{ONE}")
    assert shown.json()["flow"] == "fr/heating"
    assert NUMBER not in shown.text


async def test_a_client_who_asks_through_many_front_parts_is_counted_once(back: Back) -> None:
    async def asks(client_id: str, ref: str) -> int:
        answer = await back.http.post(QUESTION, json={"client_id": client_id, "query": "oui", "ref": ref})
        return answer.status_code

    assert [await asks(ONE, "first"), await asks(ONE, "second"), await asks(ONE, "first")] == [200, 429, 200]
    assert await asks(OTHER, "first") == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {BACK_KEY}"}, {"Origin": "https://other.example"}])
async def test_a_front_part_asks_for_a_key_of_its_own(headers: dict[str, str]) -> None:
    part = BackPart(TextSettings(text_api_key=KEY, text_back_url="http://127.0.0.1:9", text_back_key=BACK_KEY))
    app = create_front(part, ServiceReport(dict, lambda: (True, ""), part.drain))
    async with asked(app, headers) as stranger:
        for path in ("/api/text/status", "/chat/page.html", "/metrics"):
            assert (await stranger.get(path)).status_code == 401
