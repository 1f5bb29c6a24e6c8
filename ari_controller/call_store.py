"""What the controller keeps in Redis: snapshots of its calls, their media sources, and who controls the cell.

Redis being away is no error for a call: each write says whether it was done, is counted when not, and the periodic
refresh does it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ari_controller import metrics
from protocol.bus import unread
from protocol.draining import read_draining
from protocol.keys import CONTROLLER_EXPIRY_S, LEGS_EXPIRY_S, controller_key, legs_key
from protocol.lease import driven_calls
from protocol.media import forget_source, read_source, write_source
from protocol.messages import Message
from protocol.speaking import forget_speaking, write_speaking
from protocol.strain import read_strain, write_strain
from protocol.writable import try_write

log = logging.getLogger("pronto.controller")

WRITE_TIMEOUT_S = 1.0
BOT_MANAGER = "bot_manager"  # its name as a reader of events
MOST_AT_ONCE = 16  # each takes a connection for itself; a burst of calls would leave hundreds open


class CallStore:
    """The keys of one cell."""

    def __init__(self, redis: Redis, cell: str, instance: str) -> None:
        self._redis = redis
        self._cell = cell
        self._instance = instance
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def remember(self, call_id: str, snapshot: str) -> None:
        """Stores what adoption needs."""
        key = legs_key(self._cell, call_id)
        await self._try("snapshot", call_id, lambda: self._redis.set(key, snapshot, ex=LEGS_EXPIRY_S))

    async def forget(self, call_id: str) -> None:
        """Removes everything of an ended call, the snapshot last: whoever finds it finishes what is left."""
        async with self._places:
            await forget_speaking(self._redis, call_id)
        await self._try("forget", call_id, lambda: self._redis.delete(legs_key(self._cell, call_id)))

    async def announce(self, call_id: str, host: str, port: int) -> None:
        """Shares where the call's audio comes from."""
        await self._try("source", call_id, lambda: write_source(self._redis, self._cell, host, port, call_id))

    async def withdraw(self, call_id: str, host: str, port: int) -> None:
        """Takes that back, unless the port is another call's by now."""

        async def forget() -> None:
            if await read_source(self._redis, self._cell, host, port) == call_id:
                await forget_source(self._redis, self._cell, host, port)

        await self._try("source", call_id, forget)

    async def speak(self, call_id: str, speaking: bool) -> None:
        """Shares whether the bot speaks."""
        async with self._places:
            taken = await write_speaking(self._redis, call_id, speaking)
        if not taken:
            metrics.STATE_FAILURES.labels("speaking").inc()

    async def snapshots(self) -> dict[str, str]:
        """Every stored call of this cell. Raises RedisError or OSError when Redis is away."""
        prefix = legs_key(self._cell, "")
        keys = [str(key) async for key in self._redis.scan_iter(match=f"{prefix}*", count=500)]
        values = await self._redis.mget(keys) if keys else []
        return {key[len(prefix) :]: str(value) for key, value in zip(keys, values, strict=True) if value is not None}

    async def take_over(self) -> None:
        """Signs as the controller of this cell; a controller that finds another name here has been replaced."""
        key = controller_key(self._cell)
        await self._try("owner", "", lambda: self._redis.set(key, self._instance, ex=CONTROLLER_EXPIRY_S))

    async def replaced_by_another(self) -> bool:
        """Whether another controller signed after us. False when nobody can tell."""
        try:
            owner = await asyncio.wait_for(self._redis.get(controller_key(self._cell)), WRITE_TIMEOUT_S)
        except (RedisError, OSError):
            return False
        return owner is not None and str(owner) != self._instance

    async def drained_by(self) -> str | None:
        """The service that drains this cell, empty for none; None when Redis is not there, or takes no writes."""
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await try_write(self._redis, self._cell, "ari_controller")
                return await read_draining(self._redis, self._cell)
        except (RedisError, OSError):
            return None

    async def strain(self, own: Mapping[str, float]) -> dict[str, float]:
        """What the services of this cell measure of themselves; empty when Redis does not tell. They are told `own`."""
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                await write_strain(self._redis, self._cell, "controller", own)
                return await read_strain(self._redis, self._cell)
        except (RedisError, OSError):
            return {}

    async def unread_by_bot(self) -> list[tuple[Message, float]]:
        """The events that the bot manager has not dealt with, with their ages in seconds; none when Redis is away."""
        try:
            return await asyncio.wait_for(unread(self._redis, self._cell, "events", BOT_MANAGER), WRITE_TIMEOUT_S)
        except (RedisError, OSError):
            return []

    async def driven(self) -> frozenset[str] | None:
        """The calls that a bot manager says it drives; None when Redis does not tell."""
        try:
            return await asyncio.wait_for(driven_calls(self._redis, self._cell), WRITE_TIMEOUT_S)
        except (RedisError, OSError):
            return None

    async def _try(self, what: str, call_id: str, write: Callable[[], Awaitable[Any]]) -> None:
        try:
            async with self._places:
                await asyncio.wait_for(write(), WRITE_TIMEOUT_S)
        except (RedisError, OSError) as error:
            metrics.STATE_FAILURES.labels(what).inc()
            log.warning("redis did not take it", extra={"what": what, "call_id": call_id, "error": repr(error)})
