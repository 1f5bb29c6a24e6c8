"""uvicorn's HTTP protocol, with every answer sent in one write, dated when it is asked for, and a largest head.

uvicorn writes an answer's head and body one after the other. A process that is killed between the two has promised an
answer and not given it, and no balancer may ask another replica then. One write leaves no such moment, and is cheaper.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Request line and headers. httptools keeps whatever comes; this is as much as asyncio reads at once."""


class JoinedWrites:
    """A transport that gathers what is written in one turn of the event loop; the rest is the transport's own."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends at the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Sends what waits."""
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Sends what waits, then closes."""
        self.flush()
        self._transport.close()


class WholeAnswers(HttpToolsProtocol):
    """One connection."""

    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: Any) -> None:
        """Puts the gathering transport before the real one."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Takes what came; who sends a head without end is hung up on."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head_bytes = True, 0
        # uvicorn's own server writes the date anew ten times a second, asked or not
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        super().on_headers_complete()
