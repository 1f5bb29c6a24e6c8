"""Whether the bot speaks in a call, shared through Redis: the key `bot_speaking:<call_id>` and a channel of changes.

The controller writes on playback events, the receivers subscribe and keep the state in memory. Redis being away is no
error here: a receiver that knows nothing behaves as if the bot were silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from redis.asyncio import Redis
from redis.exceptions import RedisError

from protocol.bus import raise_if_cancelled
from protocol.keys import SPEAKING_CHANNEL, SPEAKING_EXPIRY_S, speaking_key

log = logging.getLogger("pronto.bus")


async def write_speaking(redis: Redis, call_id: str, speaking: bool) -> bool:
    """Stores and publishes the state. False when Redis did not take it."""
    try:
        async with redis.pipeline(transaction=False) as pipe:
            pipe.set(speaking_key(call_id), str(speaking), ex=SPEAKING_EXPIRY_S)
            pipe.publish(SPEAKING_CHANNEL, f"{call_id} {speaking}")
            await pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("bot_speaking not stored", extra={"call_id": call_id, "error": repr(error)})
        return False
    return True


async def read_speaking(redis: Redis, call_id: str) -> bool:
    """The stored state, False when there is none or Redis is away."""
    try:
        return bool(await redis.get(speaking_key(call_id)) == "True")
    except (RedisError, OSError):
        return False


async def forget_speaking(redis: Redis, call_id: str) -> None:
    """Removes the key of an ended call; it would expire anyway."""
    try:
        await redis.delete(speaking_key(call_id))
    except (RedisError, OSError) as error:
        log.warning("bot_speaking not removed", extra={"call_id": call_id, "error": repr(error)})


async def watch_speaking(redis: Redis) -> AsyncGenerator[tuple[str, bool]]:
    """Every change as (call_id, speaking), for ever; reconnects when Redis comes back."""
    while True:
        try:
            async with redis.pubsub() as pubsub:
                await pubsub.subscribe(SPEAKING_CHANNEL)
                raise_if_cancelled()
                async for item in pubsub.listen():
                    if item["type"] == "message":
                        call_id, _, value = item["data"].rpartition(" ")
                        yield call_id, value == "True"
        except (RedisError, OSError) as error:
            log.warning("bot_speaking subscription lost", extra={"error": repr(error)})
            await asyncio.sleep(0.5)
