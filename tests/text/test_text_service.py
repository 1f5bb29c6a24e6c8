"""Conversations in writing over HTTP, on the whole stack; processes die in the middle of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from config import ROOT
from devstack.processes import wait_for
from devstack.stack import IN_WRITING, Stack, StackPlan
from text_service.flow_notes import CALM_S, FlowNotes

KEY = "a-key-of-clients-1"
AUTHORISED = {"Authorization": f"Bearer {KEY}"}
LEAD = ("oui bonjour", "75011", "oui", "je suis propriétaire", "au gaz", "oui", "demain à 14 heures", "oui")
SETTINGS = {
    "TEXT_API_KEY": KEY,
    "TEXT_CLIENT_RATE": "1000",
    "TEXT_ADDRESS_RATE": "10000",
    "TEXT_ANSWER_S": "20",
    "STRAIN_LIMIT": "0",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("text")
    with Stack(StackPlan(folder / "logs", folder / "state", settings=SETTINGS, services=IN_WRITING)) as one:
        yield one


@pytest.fixture
async def client(stack: Stack) -> Any:
    async with httpx.AsyncClient(base_url=stack.url("text_service"), headers=AUTHORISED, timeout=40) as one:
        yield one


async def write(client: httpx.AsyncClient, who: str, text: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/text/query", json={"client_id": who, "query": text, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def records(stack: Stack) -> list[tuple[str, str, str]]:
    path = stack.database_url.removeprefix("sqlite:///")
    if not Path(path).exists():
        return []
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("select 1 from sqlite_master where name = 'calls'").fetchone():
            return []  # the first record is being written: its tables are still to come
        rows = database.execute("select id, direction, outcome from calls where ended_at > 0")
        return [(str(call_id), str(direction), str(outcome)) for call_id, direction, outcome in rows]


async def qualified(client: httpx.AsyncClient, who: str) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for text in LEAD:
        answer = await write(client, who, text)
        if answer["ended"]:
            return answer
    return answer


async def test_a_whole_conversation_leads_to_a_record_like_that_of_a_call(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    first = await write(client, "whole-conversation", "oui bonjour")
    assert "code postal" in first["response"]
    assert (first["cached"], first["model"], first["ended"]) == (False, "flow", "")
    last = first
    for text in LEAD[1:]:
        last = await write(client, "whole-conversation", text)
    assert last["ended"] == "bot_hung_up", last
    assert await asyncio.to_thread(
        wait_for, lambda: ("text", "qualified") in [row[1:] for row in records(stack)], 60.0
    ), records(stack)
    history = (await client.get("/api/text/history/whole-conversation")).json()["messages"]
    assert [message["content"] for message in history if message["role"] == "user"] == list(LEAD)
    assert len((await client.get("/api/text/history/whole-conversation?limit=2")).json()["messages"]) == 2


async def test_what_is_said_streams_as_it_is_said(client: httpx.AsyncClient) -> None:
    body = {"client_id": "streaming-client", "query": "oui bonjour", "stream": True}
    answer = await client.post("/api/text/query", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert kinds == ["delta", "delta", "answer"]
    parts = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert parts[-1]["response"] == "\n".join(part["text"] for part in parts[:-1])


async def test_clients_at_once_never_see_each_other(client: httpx.AsyncClient) -> None:
    async def talk(number: int) -> str:
        who = f"client-number-{number}"
        await write(client, who, "oui bonjour")
        zip_code = f"750{number + 1:02}"
        said = [(await write(client, who, zip_code))["response"]]
        history = (await client.get(f"/api/text/history/{who}")).json()["messages"]
        said += [message["content"] for message in history]
        return " ".join(said)

    heard = await asyncio.gather(*(talk(number) for number in range(12)))
    for number, text in enumerate(heard):
        foreign = {f"750{other + 1:02}" for other in range(12)} - {f"750{number + 1:02}"}
        assert not any(code in text for code in foreign)


async def test_a_query_with_a_reference_is_asked_once(client: httpx.AsyncClient) -> None:
    await write(client, "client-with-refs", "oui bonjour")
    once = await write(client, "client-with-refs", "75011", ref="r1")
    again = await write(client, "client-with-refs", "75011", ref="r1")
    assert (again["message_id"], again["response"]) == (once["message_id"], once["response"])
    history = (await client.get("/api/text/history/client-with-refs")).json()["messages"]
    assert [message["content"] for message in history if message["role"] == "user"] == ["oui bonjour", "75011"]


async def test_two_queries_of_one_client_at_once_are_answered_one_after_the_other(client: httpx.AsyncClient) -> None:
    await write(client, "hasty-client-1", "oui bonjour")
    bodies = [{"client_id": "hasty-client-1", "query": text} for text in ("75011", "75012")]
    answers = await asyncio.gather(*(client.post("/api/text/query", json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200, 200]
    history = (await client.get("/api/text/history/hasty-client-1")).json()["messages"]
    queries = [message["role"] == "user" for message in history]
    assert not any(one and other for one, other in itertools.pairwise(queries))


async def test_answers_are_rated_and_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await write(client, "rating-client-1", "oui bonjour")
    rating = {"client_id": "rating-client-1", "message_id": answer["message_id"], "rating": "down", "comment": "non"}
    assert (await client.post("/api/text/feedback", json=rating)).status_code == 204
    other = await client.post("/api/text/feedback", json={**rating, "client_id": "another-client"})
    assert (other.status_code, other.json()["error"]) == (404, "unknown_message")


async def test_a_client_who_wants_to_be_forgotten_is(stack: Stack, client: httpx.AsyncClient) -> None:
    await write(client, "forget-me-please", "oui bonjour")
    assert (await client.delete("/api/text/history/forget-me-please")).status_code == 204
    gone = await client.get("/api/text/history/forget-me-please")
    assert (gone.status_code, gone.json()["error"]) == (404, "unknown_client")
    assert (await write(client, "forget-me-please", "oui bonjour"))["response"].startswith("Bonjour")


async def test_who_is_forgotten_is_so_in_the_records_too(stack: Stack, client: httpx.AsyncClient) -> None:
    await write(client, "forget-my-record", "oui bonjour")
    await write(client, "forget-my-record", "Le code est 75019, merci.")

    def words() -> list[str]:
        with closing(sqlite3.connect(stack.database_url.removeprefix("sqlite:///"))) as database:
            return [str(row) for row in database.execute("select text, heard, said, slots from turns")]

    def known(text: str) -> bool:
        return any(text in row for row in words())

    assert await asyncio.to_thread(wait_for, lambda: known("75019"), 20.0)
    assert (await client.delete("/api/text/history/forget-my-record")).status_code == 204
    assert await asyncio.to_thread(wait_for, lambda: not known("75019"), 20.0)
    pid = stack.services["bot_manager"].pid
    os.kill(pid, signal.SIGKILL)  # the next one writes the ends of calls once more, but not of this one
    assert await asyncio.to_thread(
        wait_for, lambda: stack.services["bot_manager"].pid != pid and stack.is_ready("bot_manager"), 60.0
    )
    await write(client, "forget-nobody-else", "Le code est 75018, merci.")
    assert await asyncio.to_thread(wait_for, lambda: known("75018"), 20.0)
    assert not known("75019")


async def test_what_was_answered_before_comes_from_the_cache_and_the_conversation_goes_on(
    client: httpx.AsyncClient,
) -> None:
    notes = FlowNotes(ROOT / "flows", ROOT / "audio_prompts")
    assert await asyncio.to_thread(wait_for, lambda: notes.is_calm("fr/heating", time.time()), CALM_S + 10)
    first = await write(client, "first-to-ask-it", "combien ça coûte")
    second = await write(client, "second-to-ask-it", "Combien ça  coûte ?")
    assert (first["cached"], second["cached"]) == (False, True)
    assert second["response"] == first["response"]
    for who in ("first-to-ask-it", "second-to-ask-it"):
        assert "code postal" in (await write(client, who, "oui bonjour"))["response"]
        last = await write(client, who, "75011")
        assert last["cached"] is False
    histories = [
        [
            (message["role"], message["content"].casefold().rstrip(" ?").replace("  ", " "))
            for message in (await client.get(f"/api/text/history/{who}")).json()["messages"]
        ]
        for who in ("first-to-ask-it", "second-to-ask-it")
    ]
    assert histories[0] == histories[1]


async def test_a_follow_up_is_answered_in_its_own_conversation(client: httpx.AsyncClient) -> None:
    await write(client, "at-the-first-state", "oui bonjour")
    at_zip_code = await write(client, "at-the-first-state", "je ne sais pas")
    alone = await write(client, "without-a-question", "je ne sais pas")
    assert alone["response"] != at_zip_code["response"]
    assert alone["cached"] is False


async def test_diagnostics_tell_how_fast_answers_are_and_nothing_that_was_written(client: httpx.AsyncClient) -> None:
    await write(client, "diagnosed-client", "oui bonjour")
    body = (await client.get("/api/text/diagnostics")).json()
    assert body["answers_last_minute"] >= 1
    assert 0 < body["first_words_ms"]["p50"] <= body["whole_answer_ms"]["p95"]
    assert body["process"]["memory_bytes"] > 10_000_000
    assert body["cache"]["misses"] >= 1
    assert "bonjour" not in str(body)
    assert "diagnosed" not in str(body)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_input"),
        (b"[]", 422, "invalid_input"),
        (b"\xff\xfe", 422, "invalid_input"),
        (b'{"client_id": "abcdefgh"}', 422, "invalid_input"),
        (b'{"client_id": "abcdefgh", "query": 1}', 422, "invalid_input"),
        (b'{"client_id": "abcdefgh", "query": " \\u0000 "}', 422, "invalid_input"),
        (b'{"client_id": "short", "query": "oui"}', 422, "invalid_input"),
        (b'{"client_id": "../../etc", "query": "oui"}', 422, "invalid_input"),
        (b'{"client_id": "abcdefgh", "query": "oui", "more": 1}', 422, "invalid_input"),
        (b'{"client_id": "abcdefgh", "query": "oui", "flow": "fr/none"}', 422, "invalid_input"),
        (b'{"client_id": "abcdefgh", "query": "oui", "flow": "../x"}', 422, "invalid_input"),
        (b'{"client_id": "abcdefgh", "query": "' + b"o" * 2_001 + b'"}', 413, "query_too_long"),
        (b'{"client_id": "abcdefgh", "query": "' + b"o" * 17_000 + b'"}', 413, ""),
    ],
)
async def test_what_does_not_fit_is_refused(client: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    answer = await client.post("/api/text/query", content=body)
    assert answer.status_code == status, answer.text
    assert not code or answer.json()["error"] == code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong-wrong-wrong-"}, {"Authorization": KEY}])
async def test_without_the_key_nothing_is_told(stack: Stack, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=stack.url("text_service"), headers=headers) as stranger:
        for path in ("/api/text/status", "/api/text/history/whole-conversation", "/metrics", "/chat/page.html"):
            answer = await stranger.get(path)
            assert answer.status_code == 401
            assert "whole" not in answer.text
        assert (await stranger.post("/api/text/query", json={})).status_code == 401
        assert (await stranger.get("/ready")).json() == {"ready": True}


async def test_the_status_says_within_seconds_who_is_stopped_and_who_is_there_again(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    async def model() -> tuple[str, str]:
        body = (await client.get("/api/text/status")).json()
        assert (body["store"]["state"], body["backend"]["state"]) == ("ok", "ok")
        return body["status"], body["model"]["state"]

    async def comes_to(status: str, state: str) -> None:
        async with asyncio.timeout(60):
            while await model() != (status, state):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.05)

    await comes_to("ok", "ok")
    pid = stack.services["bot_manager"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await comes_to("degraded", "down")
        body = (await client.get("/api/text/status")).json()
        assert body["model"]["last_error"] == "no bot manager"
        assert body["model"]["since"] > body["store"]["since"]
    finally:
        os.kill(pid, signal.SIGCONT)
    await comes_to("ok", "ok")


@pytest.mark.parametrize("service", ["text_service", "bot_manager", "intent_service"])
async def test_a_process_that_dies_loses_no_conversation(stack: Stack, client: httpx.AsyncClient, service: str) -> None:
    who = f"survivor-of-{service}"
    assert "code postal" in (await write(client, who, "oui bonjour"))["response"]
    pid = stack.services[service].pid
    asked = asyncio.create_task(
        client.post("/api/text/query", json={"client_id": who, "query": "75011", "ref": "the-zip-code"})
    )
    os.kill(pid, signal.SIGKILL)
    ready = await asyncio.to_thread(
        wait_for, lambda: stack.services[service].pid != pid and stack.is_ready(service), 60.0
    )
    assert ready
    await asyncio.gather(asked, return_exceptions=True)  # a connection that broke off is no answer
    answer = await write(client, who, "75011", ref="the-zip-code")
    assert "75011" not in answer["response"]
    history = (await client.get(f"/api/text/history/{who}")).json()["messages"]
    written = [message["content"] for message in history if message["role"] == "user"]
    assert written == ["oui bonjour", "75011"]
    assert len({message["id"] for message in history}) == len(history)
    last = await write(client, who, "oui")
    assert last["response"]
