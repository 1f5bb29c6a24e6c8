"""That a cell takes no new calls, shared through Redis as `pronto:<cell>:draining`: the service that asked for it.

A service without which calls cannot be served (bot manager, receiver) writes it again and again while it drains; the
controller, which alone decides about new calls, reads it. It expires by itself when the writer is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from protocol.keys import DRAINING_EXPIRY_S, draining_key

TOLD_EVERY_S = 1.0


async def write_draining(redis: Redis, cell: str, service: str) -> None:
    """New calls of the cell are refused for a few seconds from now. Raises RedisError or OSError when Redis is away."""
    await redis.set(draining_key(cell), service, ex=DRAINING_EXPIRY_S)


async def tell_draining(redis: Redis, cell: str, service: str, is_wanted: Callable[[], bool]) -> None:
    """Says so again and again, for ever, while that is wanted."""
    while True:
        if is_wanted():
            with contextlib.suppress(RedisError, OSError):  # it is away: others tell, and no new call is served anyhow
                await write_draining(redis, cell, service)
        await asyncio.sleep(TOLD_EVERY_S)


async def read_draining(redis: Redis, cell: str) -> str:
    """The service that drains, empty when none does. Raises RedisError or OSError when Redis is away."""
    return str(await redis.get(draining_key(cell)) or "")
