"""Front parts and a back part as processes of their own: any front shows any conversation, and whichever is killed or
hangs, nothing is lost and nothing shown twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from callers.writer import Writer
from config import ROOT
from devstack.processes import ChildProcess, free_tcp_port, wait_for
from devstack.stack import IN_WRITING, Stack, StackPlan

KEY = "a-key-of-clients-1"
BACK_KEY = "a-key-between-parts"
AUTHORISED = {"Authorization": f"Bearer {KEY}"}
LEAD = ("oui bonjour", "75011", "oui", "je suis propriétaire")
SETTINGS = {
    "TEXT_API_KEY": BACK_KEY,
    "TEXT_CLIENT_RATE": "1000",
    "TEXT_ADDRESS_RATE": "10000",
    "STRAIN_LIMIT": "0",
}
MOST_BYTES = 512 * 2**20


class Front:
    """A front part as a process: on an address of its own, without a Redis, flows or prompts."""

    def __init__(self, folder: Path, name: str, back_url: str, host: str = "127.0.0.1", **settings: str) -> None:
        self.port = free_tcp_port(host)
        self.base = f"http://{host}:{self.port}"
        self.socket = f"ws://{host}:{self.port}/ws/text"
        environment = {
            "TEXT_BACK_URL": back_url,
            "TEXT_BACK_KEY": BACK_KEY,
            "TEXT_API_KEY": KEY,
            "TEXT_HOST": host,
            "TEXT_PORT": str(self.port),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "FLOWS_DIR": str(folder / "nothing"),
            "PROMPTS_DIR": str(folder / "nothing"),
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        self._child = ChildProcess(name, [sys.executable, "-m", "text_service"], folder / f"{name}.log", environment)

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        self.launch()
        self._child.wait_until(self.is_ready, 120)

    def launch(self) -> None:
        """It ends with the thread that calls this."""
        self._child.start()

    def stop(self) -> None:
        self._child.stop()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert wait_for(lambda: self._child.exit_status is not None, 60)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base}/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = httpx.get(f"{self.base}/api/text/status", headers=AUTHORISED, timeout=30).json()
        return body


@contextmanager
def started(front: Front) -> Iterator[Front]:
    front.start()
    try:
        yield front
    finally:
        front.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("two-parts")
    with Stack(StackPlan(folder / "logs", folder / "state", settings=SETTINGS, services=IN_WRITING)) as one:
        yield one


@pytest.fixture(scope="module")
def fronts(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, Front]]:
    folder = tmp_path_factory.mktemp("fronts")
    url = stack.url("text_service")
    limits = {"TEXT_CLIENT_RATE": "1000", "TEXT_ADDRESS_RATE": "10000"}
    first = Front(folder, "first", url, **limits)
    second = Front(folder, "second", url, "127.0.0.2", PRONTO_TOKEN=KEY, **limits)
    with started(first), started(second):
        yield first, second


async def history(stack: Stack, client_id: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {BACK_KEY}"}
    async with httpx.AsyncClient(base_url=stack.url("text_service"), headers=headers, timeout=40) as client:
        messages: list[dict[str, Any]] = (await client.get(f"/api/text/history/{client_id}")).json()["messages"]
    return messages


async def all_is_shown_once(stack: Stack, writer: Writer, written: list[str]) -> None:
    stored = await history(stack, writer.client_id)
    assert [one["content"] for one in stored if one["role"] == "user"] == written
    assert [one.id for one in writer.shown] == [one["id"] for one in stored]
    assert (writer.twice, writer.errors) == ([], [])


async def eventually(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    return await asyncio.to_thread(wait_for, condition, within_s)


async def test_any_front_shows_any_conversation_and_needs_little(stack: Stack, fronts: tuple[Front, Front]) -> None:
    first, second = fronts
    async with (
        Writer(first.socket, AUTHORISED).writing() as one,
        Writer(second.socket, AUTHORISED, one.client_id).writing() as other,
    ):
        assert "code postal" in (await one.ask("oui bonjour"))["response"]
        await other.ask("75011")
        await one.ask("oui")
        assert await eventually(lambda: len(other.shown) == len(one.shown))
        assert [message.id for message in other.shown] == [message.id for message in one.shown]
        await all_is_shown_once(stack, one, ["oui bonjour", "75011", "oui"])
        await one.send({"type": "feedback", "message_id": one.shown[1].id, "rating": 4})
        await one.send({"type": "forget"})
        assert await eventually(lambda: one.notices == ["forgotten"] == other.notices)
    assert (await asyncio.to_thread(first.status))["status"] == "ok"
    for pid in (first.pid, second.pid, stack.services["text_service"].pid):
        assert psutil.Process(pid).memory_info().rss < MOST_BYTES


async def test_a_killed_front_loses_nothing_and_another_goes_on(stack: Stack, fronts: tuple[Front, Front]) -> None:
    first, second = fronts
    async with Writer(first.socket, AUTHORISED).writing() as writer:
        for number, text in enumerate(LEAD):
            asked = asyncio.create_task(writer.ask(text))
            if number % 2:
                writer.url = second.socket
                await asyncio.to_thread(first.kill)
                assert (await asyncio.wait_for(asked, 60))["response"]
                first.launch()
                assert await eventually(first.is_ready)
                writer.url = first.socket
                writer.cut()
            assert (await asyncio.wait_for(asked, 60))["response"]
        await all_is_shown_once(stack, writer, list(LEAD))


async def test_a_killed_back_part_loses_nothing_and_its_fronts_keep_their_sockets(
    stack: Stack, fronts: tuple[Front, Front]
) -> None:
    async with Writer(fronts[0].socket, AUTHORISED).writing() as writer:
        for text in LEAD:
            pid = stack.services["text_service"].pid
            asked = asyncio.create_task(writer.ask(text))
            os.kill(pid, signal.SIGKILL)
            assert await eventually(
                lambda pid=pid: stack.services["text_service"].pid != pid and stack.is_ready("text_service")  # type: ignore[misc]
            )
            assert (await asyncio.wait_for(asked, 90))["response"]
        await all_is_shown_once(stack, writer, list(LEAD))
        assert writer.connected == 1


@pytest.fixture
async def socket(stack: Stack, tmp_path: Path) -> AsyncIterator[tuple[Front, ClientConnection]]:
    front = Front(tmp_path, "patient", stack.url("text_service"), TEXT_BACK_S="4")
    front.launch()
    assert await eventually(front.is_ready)
    async with connect(front.socket, additional_headers=AUTHORISED) as one:
        yield front, one
    await asyncio.to_thread(front.stop)


async def until(socket: ClientConnection, kind: str, **fields: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != kind or any(frames[-1].get(key) != fields[key] for key in fields):
        frames.append(json.loads(await asyncio.wait_for(socket.recv(), 60)))
    return frames


async def test_a_back_part_that_hangs_is_told_once_and_what_is_written_after_it_is_answered(
    stack: Stack, socket: tuple[Front, ClientConnection]
) -> None:
    front, one = socket
    await one.send(json.dumps({"type": "hello"}))
    await until(one, "welcome")
    pid = stack.services["text_service"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await one.send(json.dumps({"type": "query", "ref": "r1", "query": "oui bonjour"}))
        frames = await until(one, "error")
        assert (frames[-1]["code"], frames[-1]["ref"]) == ("model_timeout", "r1")
        assert [frame["code"] for frame in frames if frame["type"] == "notice"] == ["away"]
        status = await asyncio.to_thread(front.status)
        assert (status["status"], status["backend"]["state"]) == ("degraded", "down")
        assert front.is_ready()
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(one, "notice", code="there")
    await one.send(json.dumps({"type": "ping"}))
    await until(one, "pong")
    assert await eventually(lambda: front.status()["status"] == "ok")


async def test_without_a_back_part_the_page_is_there_and_says_so(tmp_path: Path) -> None:
    with_nobody = Front(tmp_path, "alone", f"http://127.0.0.1:{free_tcp_port()}")
    with_nobody.launch()
    try:
        assert await eventually(with_nobody.is_ready)
        async with httpx.AsyncClient(base_url=with_nobody.base, headers=AUTHORISED) as client:
            assert (await client.get("/chat/page.html")).status_code == 200
            status = (await client.get("/api/text/status")).json()
            assert (status["status"], status["backend"]["state"]) == ("degraded", "down")
            assert (await client.get("/try")).status_code == 404
            assert (await client.post("/api/text/query", json={})).status_code == 404
        async with connect(with_nobody.socket, additional_headers=AUTHORISED) as one:
            await one.send(json.dumps({"type": "hello", "flow": "fr/heating"}))
            assert (await until(one, "notice"))[-1]["code"] == "away"
            await one.send(json.dumps({"type": "ping"}))
            assert (await until(one, "pong"))[:-1] == []
    finally:
        await asyncio.to_thread(with_nobody.stop)


async def test_a_front_with_another_key_is_told_nothing(stack: Stack, tmp_path: Path) -> None:
    front = Front(tmp_path, "stranger", stack.url("text_service"), TEXT_BACK_KEY="another-key-between")
    front.launch()
    try:
        assert await eventually(front.is_ready)
        async with connect(front.socket, additional_headers=AUTHORISED) as one:
            await one.send(json.dumps({"type": "hello"}))
            assert (await until(one, "notice"))[-1]["code"] == "away"
        assert (await asyncio.to_thread(front.status))["status"] == "degraded"
    finally:
        await asyncio.to_thread(front.stop)


def test_a_back_part_on_another_machine_needs_a_key(tmp_path: Path) -> None:
    front = ChildProcess(
        "keyless", [sys.executable, "-m", "text_service"], tmp_path / "log", {"TEXT_BACK_URL": "http://192.0.2.1:8087"}
    )
    front.start()
    try:
        assert wait_for(lambda: front.exit_status is not None, 60)
        assert front.exit_status == 2
        assert "TEXT_BACK_KEY must be set" in front.log_tail()
    finally:
        front.stop()
