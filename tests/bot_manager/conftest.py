"""The bot manager's world: the shipped flow with silent prompts, an intent service over HTTP, lines on the bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from devstack.processes import free_tcp_port
from devstack.redis_server import as_user
from protocol.bus import Inbox, Outbox, connect
from protocol.items import label
from protocol.messages import (
    CallEnded,
    CallStarted,
    Command,
    HangUp,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    TransferCall,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from tests.background import running
from tests.bot_manager.shipped import environment_in, shipped_flows, silent_prompts

CELL = "test"
PATIENCE_S = 15.0


@pytest.fixture
def flows_dir(tmp_path: Path) -> Path:
    """A copy of the shipped French flow, to be edited."""
    return shipped_flows(tmp_path)


@pytest.fixture
def prompts_dir(tmp_path: Path) -> Path:
    """The shipped prompts' names, each a tenth of a second of silence."""
    return silent_prompts(tmp_path)


@pytest.fixture
def bot_settings(
    tmp_path: Path, flows_dir: Path, prompts_dir: Path, redis_url: str, intents: IntentServer
) -> dict[str, str]:
    """The environment of a bot manager of the cell."""
    return {
        **environment_in(tmp_path, CELL, as_user(redis_url, "bot")),
        "INTENT_MAIN_URL": intents.main_url,
        "INTENT_FAQS_URL": intents.faqs_url,
        "BOT_DRAIN_S": "0.3",
        "LOG_PERSONAL": "true",
    }


@dataclass
class IntentServer:
    """What the intent service answers. `answers`: sentence -> body or (status, text); others have no match.

    While `gate` is closed nothing is answered. `asked` lists (set, body) of every request.
    """

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    faqs: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked_once: asyncio.Event = field(default_factory=asyncio.Event)
    content_type: str = "application/json"

    @property
    def main_url(self) -> str:
        return f"{self.url}/embedding_main/"

    @property
    def faqs_url(self) -> str:
        return f"{self.url}/embedding_faqs/"

    async def answer(self, request: web.Request) -> web.Response:
        name = "faqs" if "faqs" in request.path else "main"
        body = await request.json()
        self.asked.append((name, body))
        self.asked_once.set()
        await self.gate.wait()
        known = self.answers if name == "main" else self.faqs
        found = known.get(body["sentence"], {"intent": "", "score": 0.1, "fallback": True})
        if isinstance(found, tuple):
            status, text = found
            return web.Response(status=status, body=text.encode(), headers={"Content-Type": self.content_type})
        return web.json_response(found)


@pytest.fixture
async def intents() -> AsyncIterator[IntentServer]:
    """A real HTTP server with the intent service's contract."""
    server = IntentServer()
    server.gate.set()
    app = web.Application()
    app.router.add_post("/embedding_main/", server.answer)
    app.router.add_post("/embedding_faqs/", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.url = f"http://127.0.0.1:{port}"
    yield server
    server.gate.set()
    await runner.cleanup()


class Line:
    """One caller's line, seen from the bus: what the controller and the receiver would send for a caller's script."""

    def __init__(self, outbox: Outbox, commands: asyncio.Queue[Command], call_id: str) -> None:
        self._outbox = outbox
        self._commands = commands
        self.call_id = call_id
        self.at = 1_790_000_000.0
        self.turn = 0
        self.utterance = 0
        self._played: set[str] = set()

    def send(self, message: Message) -> None:
        self._outbox.send(message)

    def ring(self, flow: str = "", **variables: str) -> None:
        started = CallStarted(
            self.call_id, self.tick(), "+33600000001", "+33100000001", flow, variables=dict(variables)
        )
        self.send(started)

    def tick(self, seconds: float = 0.1) -> float:
        self.at += seconds
        return self.at

    async def next(self, *kinds: type[Any]) -> Any:
        """The next command of one of these kinds; others are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                command = await self._commands.get()
                if isinstance(command, kinds):
                    return command

    async def prompts(self) -> tuple[str, ...]:
        """The next prompts, played to their end. A command that is repeated after a crash is no new one."""
        play: Say = await self.next(Say)
        while play.playback_id in self._played:
            play = await self.next(Say)
        self.played(play)
        return tuple(label(item) for item in play.items)

    def played(self, play: Say) -> None:
        """Plays something to its end."""
        self._played.add(play.playback_id)
        self.turn = play.turn
        self.send(PlaybackStarted(self.call_id, self.tick(), play.playback_id))
        self.send(PlaybackFinished(self.call_id, self.tick(), play.playback_id, "finished", 100))

    def forget_playbacks(self) -> None:
        """Playback ids begin anew: this is another call on the same channel."""
        self._played.clear()

    def guess(self, text: str, confidence: float = 0.9) -> None:
        self.utterance += 1
        end = self.tick(1.0)
        self.send(
            UtteranceGuessed(
                self.call_id, end + 0.3, self.turn, self.utterance, text, confidence, end - 0.8, end, end + 0.2
            )
        )

    def transcript(self, text: str, confidence: float = 0.9, same_utterance: bool = False, aside: bool = False) -> None:
        if not same_utterance:
            self.utterance += 1
        end = self.tick(1.0)
        self.send(
            UtteranceTranscribed(
                self.call_id,
                end + 0.75,
                self.turn,
                self.utterance,
                text,
                confidence,
                end - 0.8,
                end,
                end + 0.7,
                end + 0.2,
                900,
                aside=aside,
            )
        )

    async def end(self) -> HangUp | TransferCall:
        """The bot's way of ending the call, carried out."""
        last: HangUp | TransferCall = await self.next(HangUp, TransferCall)
        self.over(last)
        return last

    def over(self, last: HangUp | TransferCall) -> None:
        """Tells that the call ended as it was asked for."""
        reason = "transferred" if isinstance(last, TransferCall) else "bot_hung_up"
        self.send(CallEnded(self.call_id, self.tick(), reason, "/recordings/x.wav"))  # type: ignore[arg-type]

    def hang_up(self) -> None:
        self.send(CallEnded(self.call_id, self.tick(), "caller_hung_up", "/recordings/x.wav"))


class Exchange:
    """All lines of a test, over one connection to Redis."""

    def __init__(self, redis: Redis) -> None:
        self._outbox = Outbox(redis, CELL)
        self._inbox = Inbox(redis, CELL, "commands", "test")
        self._queues: dict[str, asyncio.Queue[Command]] = {}
        self.commands: list[Command] = []

    def line(self, call_id: str) -> Line:
        return Line(self._outbox, self._queues.setdefault(call_id, asyncio.Queue()), call_id)

    async def read(self) -> None:
        async for message in self._inbox.messages():
            assert isinstance(message, Command)
            self.commands.append(message)
            self._queues.setdefault(message.call_id, asyncio.Queue()).put_nowait(message)

    async def write(self) -> None:
        await self._outbox.run()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def exchange(redis: Redis) -> AsyncIterator[Exchange]:
    """The other end of the bus."""
    found = Exchange(redis)
    async with running(found.read(), found.write()):
        yield found


async def until(is_so: Callable[[], bool | Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
    """Returns when something has become so; the event loop runs meanwhile. Fails after the patience of a test."""
    async with asyncio.timeout(patience_s):
        while True:
            found = is_so()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)
