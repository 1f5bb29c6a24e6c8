"""Whether Redis takes writes: one that answers and refuses them (full, or its disk is) is of no more use than none."""

from __future__ import annotations

from redis.asyncio import Redis

from protocol.keys import WRITABLE_EXPIRY_S, writable_key


async def try_write(redis: Redis, cell: str, service: str) -> None:
    """Writes a few bytes that nobody reads. Raises RedisError or OSError when Redis is away, or refuses."""
    await redis.set(writable_key(cell, service), "", ex=WRITABLE_EXPIRY_S)
