"""Watches the bus: every message of every call, folded into one view per call, for those who wait for something.

A monitor reads beside the services and changes nothing: it stores no position and begins with what comes next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from callers.call_view import CallView
from observability.lifecycle import cancel_all
from protocol.codec import BadMessage, decode
from protocol.keys import stream_key
from protocol.messages import CallStarted, Message

Listener = Callable[[CallView, Message], None]


class Monitor:
    """`start` before the first call is placed; then `wait_for` and `call_of`."""

    def __init__(self, redis: Redis, cell: str, listener: Listener = lambda view, message: None) -> None:
        """`listener` gets every message with its call's view, already folded."""
        self._redis = redis
        self._streams = [stream_key(cell, "events"), stream_key(cell, "commands")]
        self._listener = listener
        self._changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._by_number: dict[str, list[CallView]] = {}
        self.calls: dict[str, CallView] = {}

    async def start(self) -> None:
        """Returns when nothing that comes from now on can be missed."""
        positions = {}
        for stream in self._streams:
            last: Any = await self._redis.xrevrange(stream, count=1)
            positions[stream] = str(last[0][0]) if last else "0-0"
        self._reader = asyncio.create_task(self._read(positions))

    async def stop(self) -> None:
        """Ends the reading. Raises what it died of, if it did."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            died = reader.done() and not reader.cancelled()
            await cancel_all(reader)
            if died:
                reader.result()

    @property
    def placed(self) -> int:
        """Callers whose call began; `calls` also has those of before that still had something to say."""
        return len(self._by_number)

    def call_of(self, caller_number: str, before: int = 0) -> CallView | None:
        """The first call that this number placed, or the one behind `before` others; None before it was answered."""
        views = self._by_number.get(caller_number, [])
        return views[before] if before < len(views) else None

    async def wait_for(self, holds: Callable[[], bool], deadline_s: float) -> bool:
        """Waits until `holds`, asked after every message; False when `deadline_s` passed first."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(holds), deadline_s)
            except TimeoutError:
                return False
        return True

    async def _read(self, positions: dict[str, str]) -> None:
        while True:
            try:
                # redis-py wants a dict of a wider type than the one that is given
                reply: Any = await self._redis.xread(dict(positions), count=500, block=1_000)  # type: ignore[arg-type]
            except (RedisError, OSError):
                await asyncio.sleep(0.1)
                continue
            fresh: list[tuple[str, Message]] = []
            for stream, entries in reply:
                for entry_id, fields in entries:
                    positions[stream] = entry_id
                    with contextlib.suppress(BadMessage):
                        fresh.append((entry_id, decode(fields.get("m", ""))))
            # the two streams in the order in which Redis took the messages
            fresh.sort(key=lambda item: tuple(map(int, item[0].split("-"))))
            async with self._changed:
                for _, message in fresh:
                    view = self.calls.setdefault(message.call_id, CallView(message.call_id))
                    view.see(message)
                    if isinstance(message, CallStarted):
                        views = self._by_number.setdefault(message.caller_number, [])
                        if view not in views:
                            views.append(view)
                    self._listener(view, message)
                self._changed.notify_all()
