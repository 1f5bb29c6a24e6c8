"""HTTP posts to one server over connections that are kept: what a receiver with hundreds of calls does all the time.

A general client took a fifth of what a call cost in Python; here httptools, the parser that our servers use, reads the
answers. HTTP/1.1 (RFC 9112); redirects are answers like any other.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

import httptools

MAX_CONNECTIONS: Final = 200
IDLE_S: Final = 60.0
"""A connection that was not used for longer is not trusted any more."""
LONGEST_ANSWER: Final = 1_048_576
_LENGTHS: Final = {"content-length", "transfer-encoding"}
"""Headers that say where a body ends; without one it ends with the connection."""


class BadAnswer(ValueError):
    """What came back is not HTTP, or too long."""


@dataclass(slots=True)
class PostAnswer:
    """Status, headers by their names in small letters, body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Connection(asyncio.Protocol):
    """One post at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._lost = False
        self._waiting: asyncio.Future[PostAnswer] | None = None
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer = PostAnswer()
        self._parts: list[bytes] = []
        self._size = 0
        self._has_head = False

    @property
    def is_open(self) -> bool:
        """Another post may be sent."""
        return self.transport is not None and not self._lost and not self.transport.is_closing()

    async def post(self, head: bytes, body: bytes) -> PostAnswer:
        """Raises OSError where the connection breaks, BadAnswer."""
        if self.transport is None or not self.is_open:
            raise ConnectionResetError("the connection is gone")
        self._begin()
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.writelines([head, body])
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def abort(self) -> None:
        """Closes it at once."""
        if self.transport is not None:
            self.transport.abort()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's has no such base

    def data_received(self, data: bytes) -> None:
        """A part of an answer."""
        if self._waiting is None:  # nobody asked: whatever it is, it is no answer to the next post
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BadAnswer(repr(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self._lost = True
        ends_an_answer = exc is None and self._has_head and not self._answer.headers.keys() & _LENGTHS
        if ends_an_answer and self._waiting is not None:
            self.on_message_complete()
        self._fail(exc or ConnectionResetError("the server closed the connection"))

    def _fail(self, error: Exception) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
        self.abort()

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """A head comes."""
        if self._waiting is None or self._waiting.done():  # a second answer to one post
            self._answer = PostAnswer()
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """All of them."""
        self._answer.status = self._parser.get_status_code()
        self._has_head = True

    def on_body(self, part: bytes) -> None:
        """Some of the body."""
        self._size += len(part)
        if self._size > LONGEST_ANSWER:
            self._fail(BadAnswer(f"an answer of more than {LONGEST_ANSWER} bytes"))
            return
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """The whole of it."""
        if self._answer.status < 200:  # 100 Continue: the answer is still to come
            self._answer, self._has_head = PostAnswer(), False
            return
        self._answer.body = b"".join(self._parts)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(self._answer)
        if not self._lost and not self._parser.should_keep_alive():
            self.abort()


class Posts:
    """Posts to `url`, at most MAX_CONNECTIONS at once."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Raises ValueError for what is no http or https URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no http or https URL")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname, parts.port or (443 if self._tls else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = {"Host": parts.netloc.rpartition("@")[2], **headers}
        shown = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._head = f"POST {target} HTTP/1.1\r\n{shown}Content-Length: ".encode("latin-1")
        self._idle: list[_Connection] = []
        self._room = asyncio.Semaphore(MAX_CONNECTIONS)

    async def close(self) -> None:
        """Closes the connections that wait for a post."""
        while self._idle:
            self._idle.pop().abort()
        await asyncio.sleep(0)  # the transports close in the loop's next turn

    async def post(self, body: bytes) -> PostAnswer:
        """The answer. Raises OSError where the server cannot be reached or breaks off, BadAnswer."""
        loop = asyncio.get_running_loop()
        async with self._room:
            connection = self._kept(loop.time())
            if connection is None:
                made = await loop.create_connection(_Connection, self._host, self._port, ssl=self._tls)
                connection = made[1]
            try:
                answer = await connection.post(b"%b%d\r\n\r\n" % (self._head, len(body)), body)
            except BaseException:
                connection.abort()  # what still comes over it answers a post that nobody waits for
                raise
            if connection.is_open:
                connection.idle_since = loop.time()
                self._idle.append(connection)
            return answer

    def _kept(self, now: float) -> _Connection | None:
        """The connection that was used last; those that are of no use any more are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.idle_since < IDLE_S:
                return connection
            connection.abort()
        return None
