"""Somebody who writes with the bot over `/ws/text`, as a browser does: connects again whenever the socket breaks off,
sends every query until its answer is there, and keeps what was shown, in the order in which it was."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

AGAIN_S: Final = 0.05
"""A browser waits longer before it connects again; what is lost between does not depend on it."""


@dataclass(frozen=True)
class Shown:
    """A message on the page."""

    id: str
    role: str
    text: str


@dataclass
class _Question:
    text: str
    answer: asyncio.Future[dict[str, Any]]


@dataclass
class Writer:
    """Use it as `async with Writer(url).writing() as writer`. `url` begins with ws://."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""
    flow: str = ""
    link: str = ""
    """The secret of a link, opened with the first hello."""
    shown: list[Shown] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    """Ids of messages that were shown although they had been: none, if all is well."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    connected: int = 0
    """How often."""
    _questions: dict[str, _Question] = field(default_factory=dict)
    _socket: ClientConnection | None = None
    _welcome: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[Writer]:
        """Connects, and stays connected for the length of a block."""
        task = asyncio.create_task(self._stay())
        try:
            await self._welcome.wait()
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def ask(self, text: str) -> dict[str, Any]:
        """The answer to a query, whatever becomes of the connection meanwhile. Raises RuntimeError for an error."""
        ref = secrets.token_hex(8)
        question = _Question(text, asyncio.get_running_loop().create_future())
        self._questions[ref] = question
        await self._put(ref, question)
        return await question.answer

    def cut(self) -> None:
        """Breaks the connection off, without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def send(self, frame: Mapping[str, Any]) -> None:
        """Sends a frame as it is; nothing while there is no connection."""
        if self._socket is not None:
            with contextlib.suppress(WebSocketException):
                await self._socket.send(json.dumps(frame))

    async def _put(self, ref: str, question: _Question) -> None:
        if self._welcome.is_set():
            await self.send({"type": "query", "ref": ref, "query": question.text})

    async def _stay(self) -> None:
        while True:
            try:
                async with connect(self.url, additional_headers=dict(self.headers), compression=None) as socket:
                    self._socket = socket
                    self.connected += 1
                    last = self.shown[-1].id if self.shown else ""
                    hello = {"type": "hello", "client_id": self.client_id, "last_message_id": last, "flow": self.flow}
                    await self.send({**hello, **({"link": self.link} if self.link else {})})
                    async for data in socket:
                        await self._take(json.loads(data))
            except (OSError, InvalidHandshake, WebSocketException, EOFError):
                pass
            self._socket = None
            self._welcome.clear()
            await asyncio.sleep(AGAIN_S)

    async def _take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "welcome":
                self.client_id = frame["client_id"]
                self.link = ""
                for one in frame["messages"]:
                    self._show(one["id"], one["role"], one["content"])
                self._welcome.set()
                for ref, question in list(self._questions.items()):
                    await self._put(ref, question)
            case "message":
                self._show(frame["id"], frame["role"], frame["content"])
            case "delta":
                self._show(frame["message_id"], "assistant", frame["text"])
            case "accepted":
                if all(one.id != frame["message_id"] for one in self.shown):
                    self._show(frame["message_id"], "user", self._questions[frame["ref"]].text)
            case "answer":
                if answered := self._done(frame["ref"]):
                    answered.answer.set_result(frame)
            case "error":
                self.errors.append(frame)
                if refused := self._done(frame.get("ref", "")):
                    refused.answer.set_exception(RuntimeError(frame["code"]))
            case "notice":
                self.notices.append(frame["code"])

    def _done(self, ref: str) -> _Question | None:
        return self._questions.pop(ref) if ref in self._questions else None

    def _show(self, message_id: str, role: str, text: str) -> None:
        if any(one.id == message_id for one in self.shown):
            self.twice.append(message_id)
        self.shown.append(Shown(message_id, role, text))
