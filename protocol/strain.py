"""How near each service of a cell is to what it can carry, shared through Redis: new calls are taken by it.

Strain has no unit: 0 is rest, 1 is where callers would begin to notice. A service tells its own figures again and
again, each under a name of its own (`detector`, `recogniser`); the controller, which alone decides about new calls,
reads them all. What is not told again is forgotten after STALE_MS by Redis' clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from protocol.keys import STRAIN_EXPIRY_S, strain_key

TOLD_EVERY_S = 0.5
STALE_MS = 3_000


async def write_strain(redis: Redis, cell: str, teller: str, figures: Mapping[str, float]) -> None:
    """Replaces what `teller` (a service and its instance) told before. Raises RedisError or OSError."""
    seconds, micros = await redis.time()
    value = json.dumps({"at": seconds * 1_000 + micros // 1_000, **{name: round(f, 3) for name, f in figures.items()}})
    key = strain_key(cell)
    async with redis.pipeline(transaction=False) as pipe:
        pipe.hset(key, teller, value)
        pipe.expire(key, STRAIN_EXPIRY_S)
        await pipe.execute()


async def tell_strain(redis: Redis, cell: str, teller: str, read: Callable[[], Mapping[str, float]]) -> None:
    """Tells again and again, for ever. While Redis is away nobody is told, and no new call is served anyhow."""
    while True:
        with contextlib.suppress(RedisError, OSError):
            await write_strain(redis, cell, teller, read())
        await asyncio.sleep(TOLD_EVERY_S)


async def read_strain(redis: Redis, cell: str) -> dict[str, float]:
    """The highest figure of each name. Raises RedisError or OSError when Redis is away."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.time()
        pipe.hgetall(strain_key(cell))
        (seconds, micros), told = await pipe.execute()
    now_ms = seconds * 1_000 + micros // 1_000
    found: dict[str, float] = {}
    for text in told.values():
        for name, figure in _figures(text, now_ms).items():
            found[name] = max(found.get(name, 0.0), figure)
    return found


def _figures(text: str, now_ms: int) -> dict[str, float]:
    """What one teller told, none when that is stale or not understood: a newer release may tell more."""
    try:
        body: Any = json.loads(text)
        if now_ms - int(body.pop("at")) > STALE_MS:
            return {}
        return {str(name): float(figure) for name, figure in body.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
