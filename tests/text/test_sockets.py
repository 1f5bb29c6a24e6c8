"""Conversations over the WebSocket on the whole stack: a client that connects again, sockets and processes that die."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from callers.writer import Writer
from devstack.processes import wait_for
from devstack.stack import IN_WRITING, Stack, StackPlan

KEY = "a-key-of-clients-1"
AUTHORISED = {"Authorization": f"Bearer {KEY}"}
SHOP = "https://shop.example"
LEAD = ("oui bonjour", "75011", "oui", "je suis propriétaire", "au gaz", "oui", "demain à 14 heures", "oui")
SETTINGS = {
    "TEXT_API_KEY": KEY,
    "TEXT_ORIGINS": SHOP,
    "TEXT_CLIENT_RATE": "1000",
    "TEXT_ADDRESS_RATE": "10000",
    "STRAIN_LIMIT": "0",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("sockets")
    with Stack(StackPlan(folder / "logs", folder / "state", settings=SETTINGS, services=IN_WRITING)) as one:
        yield one


@pytest.fixture
def url(stack: Stack) -> str:
    return stack.url("text_service").replace("http://", "ws://") + "/ws/text"


@pytest.fixture
async def socket(url: str) -> AsyncIterator[ClientConnection]:
    async with connect(url, additional_headers=AUTHORISED) as one:
        yield one


async def frame(socket: ClientConnection) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 40))
    return body


async def until(socket: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """The frames up to the first one of this kind."""
    frames = [await frame(socket)]
    while frames[-1]["type"] != kind:
        frames.append(await frame(socket))
    return frames


async def history(stack: Stack, client_id: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=stack.url("text_service"), headers=AUTHORISED) as client:
        answer = await client.get(f"/api/text/history/{client_id}")
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


async def hello(socket: ClientConnection, **fields: Any) -> dict[str, Any]:
    await socket.send(json.dumps({"type": "hello", **fields}))
    return await frame(socket)


async def test_a_query_is_accepted_said_piece_by_piece_and_answered(socket: ClientConnection) -> None:
    welcome = await hello(socket)
    assert welcome["type"] == "welcome"
    assert welcome["client_id"].startswith("web_")
    assert len(welcome["client_id"]) == 4 + 32
    assert (welcome["messages"], welcome["limits"]["query"]) == ([], 2_000)
    await socket.send(json.dumps({"type": "query", "ref": "r1", "query": "oui bonjour"}))
    frames = await until(socket, "answer")
    assert [one["type"] for one in frames] == ["accepted", "typing", "delta", "delta", "answer"]
    assert frames[0]["ref"] == "r1"
    assert frames[-1]["response"] == "\n".join(one["text"] for one in frames if one["type"] == "delta")
    assert (frames[-1]["ref"], frames[-1]["message_id"]) == ("r1", frames[-2]["message_id"])
    assert frames[-1]["cached"] is False
    rating = {"type": "feedback", "message_id": frames[-1]["message_id"], "rating": "up"}
    await socket.send(json.dumps(rating))
    assert await frame(socket) == {"type": "thanks", "message_id": frames[-1]["message_id"]}
    await socket.send(json.dumps({**rating, "message_id": "another"}))
    assert (await frame(socket))["code"] == "unknown_message"
    await socket.send(json.dumps({"type": "ping"}))
    assert await frame(socket) == {"type": "pong"}


async def test_what_waits_can_be_cancelled_and_what_was_asked_cannot(socket: ClientConnection) -> None:
    await hello(socket)
    await socket.send(json.dumps({"type": "query", "ref": "r1", "query": "oui bonjour"}))
    await until(socket, "accepted")
    for number in range(2, 5):
        await socket.send(json.dumps({"type": "query", "ref": f"r{number}", "query": f"7501{number}"}))
    await socket.send(json.dumps({"type": "cancel", "ref": "r4"}))
    await socket.send(json.dumps({"type": "cancel", "ref": "r1"}))
    frames = await until(socket, "error")
    assert {"type": "cancelled", "ref": "r4"} in frames
    assert (frames[-1]["code"], frames[-1]["ref"]) == ("too_late", "r1")
    while [one["ref"] for one in frames if one["type"] == "answer"] != ["r1", "r2", "r3"]:
        frames.append(await frame(socket))
    assert "r4" not in [one["ref"] for one in frames if one["type"] == "accepted"]


async def test_tabs_of_one_client_show_the_same(url: str) -> None:
    async with Writer(url, AUTHORISED).writing() as one, Writer(url, AUTHORISED, one.client_id).writing() as other:
        await one.ask("oui bonjour")
        await other.ask("75011")
        await one.ask("oui")
        await other.ask("oui")  # its answer comes after all that was shown before
        assert [message.id for message in other.shown][: len(one.shown)] == [message.id for message in one.shown]
        assert [message.text for message in other.shown if message.role == "user"] == [
            "oui bonjour",
            "75011",
            "oui",
            "oui",
        ]


async def test_a_new_conversation_forgets_the_old_one(stack: Stack, url: str) -> None:
    async with Writer(url, AUTHORISED).writing() as writer:
        await writer.ask("oui bonjour")
        await writer.send({"type": "forget"})
        answer = await writer.ask("oui bonjour")
        assert answer["response"].startswith("Bonjour")
        assert writer.notices == ["forgotten"]
        assert len(await history(stack, writer.client_id)) == 3


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", "invalid_input"),
        ("[]", "invalid_input"),
        ("{", "invalid_input"),
        ("[" * 9_000, "invalid_input"),
        (b"\x00\xff", "invalid_input"),
        ('{"type": "nothing"}', "invalid_input"),
        ('{"type": "hello"}', "invalid_input"),
        ('{"type": "query", "query": "oui"}', "invalid_input"),
        ('{"type": "query", "ref": "r", "query": 1}', "invalid_input"),
        ('{"type": "query", "ref": "r", "query": " \\u0000 "}', "invalid_input"),
        ('{"type": "query", "ref": "r", "query": "oui", "more": 1}', "invalid_input"),
        ('{"type": "feedback", "message_id": "m", "rating": 6}', "invalid_input"),
        ('{"type": "query", "ref": "r", "query": "' + "o" * 2_001 + '"}', "query_too_long"),
        ('{"type": "query", "ref": "r", "query": "' + "o" * 17_000 + '"}', "query_too_long"),
    ],
)
async def test_what_does_not_fit_is_refused_and_the_connection_stays(
    socket: ClientConnection, sent: str | bytes, code: str
) -> None:
    await hello(socket)
    await socket.send(sent)
    refused = await frame(socket)
    assert (refused["type"], refused["code"]) == ("error", code)
    await socket.send(json.dumps({"type": "ping"}))
    assert await frame(socket) == {"type": "pong"}


async def test_who_does_not_say_hello_first_or_names_a_flow_that_is_none_is_told_so(socket: ClientConnection) -> None:
    for sent in ({"type": "ping"}, {"type": "hello", "client_id": "short"}, {"type": "hello", "flow": "../x"}):
        await socket.send(json.dumps(sent))
        assert (await frame(socket))["code"] == "invalid_input"
    assert (await hello(socket))["type"] == "welcome"


async def flooded(socket: ClientConnection) -> None:
    for _ in range(300):
        await socket.send('{"type": "ping"}')
    await until(socket, "never")


async def test_too_large_a_frame_and_a_flood_are_hung_up_on_and_others_go_on(url: str) -> None:
    async with Writer(url, AUTHORISED).writing() as other:
        async with connect(url, additional_headers=AUTHORISED) as socket:
            await hello(socket)
            await socket.send("o" * 70_000)
            with pytest.raises(ConnectionClosed) as large:
                await until(socket, "never")
            assert large.value.rcvd is not None
            assert large.value.rcvd.code == 1009
        async with connect(url, additional_headers=AUTHORISED) as socket:
            await hello(socket)
            with pytest.raises(ConnectionClosed) as flood:
                await flooded(socket)
            assert flood.value.rcvd is not None
            assert flood.value.rcvd.code == 1008
        assert (await other.ask("oui bonjour"))["response"]
        assert (other.connected, other.errors) == (1, [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong-wrong-wrong-"}, 401),
        ({"Origin": "https://other.example"}, 401),
        ({"Origin": SHOP}, 0),
        (AUTHORISED, 0),
    ],
)
async def test_only_those_with_the_key_and_pages_of_the_shop_connect(
    url: str, headers: dict[str, str], status: int
) -> None:
    if not status:
        async with connect(url, additional_headers=headers) as socket:
            assert (await hello(socket))["type"] == "welcome"
        return
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=headers):
            pass
    assert refused.value.response.status_code == status


async def test_a_page_without_the_key_names_no_client_that_was_not_made_for_one(stack: Stack, url: str) -> None:
    async with httpx.AsyncClient(base_url=stack.url("text_service"), headers=AUTHORISED, timeout=40) as client:
        await client.post("/api/text/query", json={"client_id": "customer-4711", "query": "oui bonjour"})
    async with connect(url, additional_headers={"Origin": SHOP}) as socket:
        refused = await hello(socket, client_id="customer-4711")
        assert (refused["type"], refused["code"]) == ("error", "unknown_client")
        welcome = await hello(socket)
        assert welcome["messages"] == []
        assert (await hello(socket, client_id=welcome["client_id"]))["code"] == "invalid_input"  # said already


async def test_sockets_that_break_off_anywhere_lose_nothing_and_show_nothing_twice(stack: Stack, url: str) -> None:
    chance = random.Random(4)

    async def talk(number: int) -> tuple[Writer, list[str]]:
        async with Writer(url, AUTHORISED, f"cut-off-client-{number}").writing() as writer:
            responses = []
            for text in LEAD:
                asked = asyncio.create_task(writer.ask(text))
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(chance.random() * 0.04)
                    writer.cut()
                answer = await asyncio.wait_for(asked, 60)
                responses.append(answer["response"])
                if answer["ended"]:
                    break
            return writer, responses

    for writer, responses in await asyncio.gather(*(talk(number) for number in range(6))):
        stored = await history(stack, writer.client_id)
        assert [one["content"] for one in stored if one["role"] == "user"] == list(LEAD[: len(responses)])
        assert [one.id for one in writer.shown] == [one["id"] for one in stored]
        assert [one.text for one in writer.shown] == [one["content"] for one in stored]
        assert (writer.twice, writer.errors) == ([], [])
        assert all(responses)
    assert "Traceback" not in (stack.plan.run_dir / "text_service.log").read_text("utf-8")


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
async def test_a_service_that_dies_in_the_middle_of_an_answer_is_gone_on_with(
    stack: Stack, url: str, sign: signal.Signals
) -> None:
    async with Writer(url, AUTHORISED, f"survivor-of-{sign}").writing() as writer:
        await writer.ask("oui bonjour")
        pid = stack.services["text_service"].pid
        asked = asyncio.create_task(writer.ask("75011"))
        os.kill(pid, sign)
        assert await asyncio.to_thread(
            wait_for, lambda: stack.services["text_service"].pid != pid and stack.is_ready("text_service"), 60.0
        )
        assert (await asyncio.wait_for(asked, 60))["response"]
        await writer.ask("oui")
        stored = await history(stack, writer.client_id)
        assert [one.id for one in writer.shown] == [one["id"] for one in stored]
        assert [one["content"] for one in stored if one["role"] == "user"] == ["oui bonjour", "75011", "oui"]
        assert writer.twice == []
        assert writer.connected > 1
