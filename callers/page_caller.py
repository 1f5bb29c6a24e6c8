"""A caller on a web page without the page: what `browser_audio/page` does with its socket, in Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from browser_audio.sound import FRAME_BYTES, FRAME_MS, SILENT_FRAME, frame_of, numbered

ACKNOWLEDGED_EVERY: int = 5
"""Frames that are played between two words of it."""


class PageCaller:
    """One call: its microphone sends a frame every 20 ms, silence but for what `say` gave it; it plays what comes."""

    def __init__(self, url: str, flow: str = "", origin: str | None = None) -> None:
        """`url`: that of the socket."""
        self._url, self._flow, self._origin = url, flow, origin
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._microphone: deque[bytes] = deque()
        self._queue: deque[tuple[int, bytes]] = deque()
        self._played = 0
        self._changed = asyncio.Condition()
        self.frames: list[dict[str, Any]] = []
        """Text frames that came."""
        self.sound = bytearray()
        """What was played."""
        self.answers_pings = True
        self.flushed_ms: list[float] = []
        """How much of our queue each stop emptied, in ms of sound."""

    async def __aenter__(self) -> PageCaller:
        self._socket = await connect(self._url, origin=self._origin)  # type: ignore[arg-type]
        await self.send("hello", flow=self._flow)
        self._tasks = [asyncio.create_task(one) for one in (self._receive(), self._keep_time())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def send(self, kind: str, **fields: Any) -> None:
        """A text frame."""
        assert self._socket is not None
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(json.dumps({"type": kind, **fields}))

    def say(self, samples: NDArray[np.int16]) -> None:
        """Speaks, as soon as what was said before is over: int16 at 16 kHz."""
        data = samples.astype("<i2").tobytes()
        data += bytes(-len(data) % FRAME_BYTES)
        self._microphone += [data[at : at + FRAME_BYTES] for at in range(0, len(data), FRAME_BYTES)]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The text frames of one type that came."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def until(self, kind: str, count: int = 1, within_s: float = 90.0, **fields: Any) -> dict[str, Any]:
        """The `count`-th text frame of a type with these fields. Raises TimeoutError."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.of_kind(kind) if fields.items() <= one.items()]

        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: len(found()) >= count)
            return found()[count - 1]

    async def _receive(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionClosed):
            async for data in self._socket:
                if isinstance(data, bytes):
                    self._queue.append(frame_of(data))
                    continue
                frame = json.loads(data)
                if frame["type"] == "ping" and self.answers_pings:
                    await self.send("pong")
                elif frame["type"] == "flush":
                    self.flushed_ms.append(len(self._queue) * FRAME_MS)
                    self._queue = deque(one for one in self._queue if one[0] >= frame["until"])
                    await self.send("flushed", number=self._played, until=frame["until"])
                await self._note(frame)
        await self._note({"type": "closed"})

    async def _note(self, frame: dict[str, Any]) -> None:
        async with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    async def _keep_time(self) -> None:
        assert self._socket is not None
        number, due_s = 0, time.monotonic()
        with contextlib.suppress(ConnectionClosed):
            while True:
                pcm = self._microphone.popleft() if self._microphone else SILENT_FRAME
                await self._socket.send(numbered(number, pcm))
                number += 1
                if self._queue:
                    played, sound = self._queue.popleft()
                    self.sound += sound
                    self._played = played + 1
                    if self._played % ACKNOWLEDGED_EVERY == 0 or not self._queue:
                        await self.send("played", number=self._played)
                due_s += FRAME_MS / 1_000
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
