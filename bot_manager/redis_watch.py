"""Watches Redis: since when it does not answer, and that calls are told once when it stays away.

A Redis that refuses writes (it is full, or its disk is) counts as one that does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from protocol.steady import steady_time
from protocol.writable import try_write

log = logging.getLogger("pronto.bus")

LOOK_S = 0.5
PATIENCE_S = 10.0  # then the callers hear the apology and are handed over


class Backbone:
    """The Redis of this cell, as seen from here. `away_since` is epoch time, None while it answers."""

    def __init__(self, redis: Redis, cell: str) -> None:
        self._redis = redis
        self._cell = cell
        self.away_since: float | None = None

    async def watch(self, on_away: Callable[[], None]) -> None:
        """Looks twice a second, for ever; `on_away` is called once each time that Redis stays away."""
        told = False
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look()
            too_long = self.away_since is not None and steady_time() - self.away_since > PATIENCE_S
            if too_long and not told:
                log.error("redis stays away, calls are handed over")
                on_away()
            told = too_long

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(2.0):
                await try_write(self._redis, self._cell, "bot_manager")
        except (RedisError, OSError):  # a time-out is an OSError
            self.away_since = self.away_since or steady_time()
        else:
            self.away_since = None
