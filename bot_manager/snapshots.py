"""The calls that a bot manager before us left in Redis as `pronto:call:<call_id>`; `commits` writes them."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot_manager import metrics
from protocol.bus import BACK_OFF_S
from protocol.keys import call_key

log = logging.getLogger("pronto.snapshots")


@dataclass
class StoredCalls:
    """By call id: those that are going on, those that are over, and those of which nobody can tell."""

    going_on: dict[str, dict[str, Any]] = field(default_factory=dict)
    over: dict[str, dict[str, Any]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


async def load_calls(redis: Redis, cell: str) -> StoredCalls:
    """The stored calls of a cell. Waits for Redis."""
    failures = 0
    while True:
        try:
            return await _load(redis, cell)
        except (RedisError, OSError) as error:
            metrics.SNAPSHOT_FAILURES.inc()
            if failures == 0:
                log.warning("snapshots not read", extra={"error": repr(error)})
            await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1


async def _load(redis: Redis, cell: str) -> StoredCalls:
    found, prefix = StoredCalls(), call_key("")
    async for key in redis.scan_iter(match=f"{prefix}*", count=500):
        text = await redis.get(key)
        if text is None:
            continue
        call_id = str(key)[len(prefix) :]
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            log.error("snapshot unreadable", extra={"call_id": call_id})
            metrics.SNAPSHOT_FAILURES.inc()
            if call_id.startswith(f"{cell}-"):  # ids tell their cell; of an older one nobody knows whose it is
                found.unreadable.append(call_id)
        elif body.get("cell") == cell:
            (found.over if body.get("over") else found.going_on)[call_id] = body
    return found
