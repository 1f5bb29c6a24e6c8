"""Which call an RTP source address belongs to, shared through Redis as `pronto:<cell>:media:<host>:<port>`.

The controller writes the entry before it bridges the external media leg, so no packet is unknown; the receiver asks
once for a source it does not know (after a restart). Source ports are used again by later calls: the entry is removed
at teardown and the last writer wins.
"""

from __future__ import annotations

from redis.asyncio import Redis

from protocol.keys import MEDIA_EXPIRY_S, media_key


async def write_source(redis: Redis, cell: str, host: str, port: int, call_id: str) -> None:
    """Announces a source. Raises RedisError or OSError when Redis is away."""
    await redis.set(media_key(cell, host, port), call_id, ex=MEDIA_EXPIRY_S)


async def read_source(redis: Redis, cell: str, host: str, port: int) -> str | None:
    """The call of a source, None when nobody announced it. Raises RedisError or OSError when Redis is away."""
    value = await redis.get(media_key(cell, host, port))
    return None if value is None else str(value)


async def forget_source(redis: Redis, cell: str, host: str, port: int) -> None:
    """Removes a source at teardown. Raises RedisError or OSError when Redis is away."""
    await redis.delete(media_key(cell, host, port))
