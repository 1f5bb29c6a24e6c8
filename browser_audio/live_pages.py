"""Which browser calls live, shared through Redis as `pronto:<cell>:browser_calls`: a call whose process says nothing of
it for `LIVE_MS` is over, and whoever sees that first tells its end. Times are of Redis' clock."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from redis.asyncio import Redis

from protocol.keys import browser_calls_key

LIVE_MS: Final = 6_000
TOLD_EVERY_S: Final = 1.0


class LivePages:
    """The calls of a cell. Every method raises RedisError or OSError while Redis is away."""

    def __init__(self, redis: Redis, cell: str) -> None:
        self._redis = redis
        self._key = browser_calls_key(cell)

    async def _now_ms(self) -> int:
        seconds, micros = await self._redis.time()
        return int(seconds) * 1_000 + int(micros) // 1_000

    async def begun(self, call_id: str) -> None:
        """One more."""
        await self._redis.zadd(self._key, {call_id: await self._now_ms() + LIVE_MS})

    async def go_on(self, call_ids: Collection[str]) -> None:
        """These go on, but those that `over` was said of meanwhile."""
        if call_ids:
            until = await self._now_ms() + LIVE_MS
            await self._redis.zadd(self._key, dict.fromkeys(call_ids, until), xx=True)

    async def knows(self, call_id: str) -> bool:
        """Whether a process has this call, or had it a moment ago."""
        return await self._redis.zscore(self._key, call_id) is not None

    async def over(self, call_id: str) -> None:
        """It is over, and that was told."""
        await self._redis.zrem(self._key, call_id)

    async def left_behind(self) -> list[str]:
        """Calls whose process has ended; each is given to one who asks only."""
        found = map(str, await self._redis.zrangebyscore(self._key, "-inf", await self._now_ms()))
        return [call_id for call_id in found if await self._redis.zrem(self._key, call_id)]
