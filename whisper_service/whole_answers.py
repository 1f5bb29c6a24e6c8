"""uvicorn's HTTP protocol, with every answer sent in one write.

uvicorn writes an answer's head and body one after the other. A process that is killed between the two has promised an
answer and not given it, and no balancer may ask another replica then. One write leaves no such moment, and is cheaper.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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

    def connection_made(self, transport: Any) -> None:
        """Puts the gathering transport before the real one."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]
