"""Calls in Redis as `pronto:call:<call_id>`, so that a bot manager that was killed goes on with them.

Writing is done by one task, only the latest snapshot of a call is sent, and nobody waits for it except the reader of
events: its place in the stream moves on when the snapshots are stored, so that a kill loses no event.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot_manager import metrics

log = logging.getLogger("pronto.snapshots")

CALL_EXPIRY_S = 4 * 3_600  # longer than any call
OVER_EXPIRY_S = 900  # an ended call is remembered so long: its first event may be seen again after a crash
BACK_OFF_S = (0.05, 0.2, 0.5, 1.0)
MOST_WAITING = 20_000


def snapshot_key(call_id: str) -> str:
    """`pronto:call:<call_id>`."""
    return f"pronto:call:{call_id}"


class Snapshots:
    """The snapshots of one cell."""

    def __init__(self, redis: Redis, cell: str) -> None:
        self._redis = redis
        self._cell = cell
        self._waiting: dict[str, tuple[str, int]] = {}
        self._wake = asyncio.Event()
        self._stored = asyncio.Event()
        self._stored.set()

    def put(self, call_id: str, body: dict[str, Any]) -> None:
        """Stores the state of a call, soon."""
        self._queue(call_id, json.dumps({"cell": self._cell, **body}, ensure_ascii=False), CALL_EXPIRY_S)

    def put_over(self, call_id: str, at: float, chronicle: dict[str, Any]) -> None:
        """Replaces a call by the note that it is over since `at` (seconds since the epoch), and how it went: a bot
        manager that is killed now has perhaps not written that down."""
        body = {"cell": self._cell, "over": True, "at": at, "chronicle": chronicle}
        self._queue(call_id, json.dumps(body, ensure_ascii=False), OVER_EXPIRY_S)

    def _queue(self, call_id: str, text: str, expiry_s: int) -> None:
        if call_id not in self._waiting and len(self._waiting) >= MOST_WAITING:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            metrics.SNAPSHOT_FAILURES.inc()
        self._waiting[call_id] = (text, expiry_s)
        self._stored.clear()
        self._wake.set()

    async def stored(self, timeout_s: float = 2.0) -> bool:
        """Waits until everything is in Redis; False when that took longer."""
        if self._stored.is_set():
            return True
        try:
            await asyncio.wait_for(self._stored.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Writes until cancelled."""
        failures = 0
        while True:
            if not self._waiting:
                self._stored.set()
                self._wake.clear()
                await self._wake.wait()
            batch = dict(list(self._waiting.items())[:200])
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for call_id, (text, expiry_s) in batch.items():
                        pipe.set(snapshot_key(call_id), text, ex=expiry_s)
                    await pipe.execute()
            except (RedisError, OSError) as error:
                metrics.SNAPSHOT_FAILURES.inc()
                if failures == 0:
                    log.warning("snapshots not stored", extra={"error": repr(error), "waiting": len(self._waiting)})
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
                continue
            failures = 0
            for call_id, sent in batch.items():
                if self._waiting.get(call_id) is sent:
                    del self._waiting[call_id]

    async def load(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """The calls of this cell that are going on, and those that are over. Waits for Redis."""
        failures = 0
        while True:
            try:
                return await self._load()
            except (RedisError, OSError) as error:
                metrics.SNAPSHOT_FAILURES.inc()
                if failures == 0:
                    log.warning("snapshots not read", extra={"error": repr(error)})
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1

    async def _load(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        going_on: dict[str, dict[str, Any]] = {}
        over: dict[str, dict[str, Any]] = {}
        async for key in self._redis.scan_iter(match=snapshot_key("*"), count=500):
            text = await self._redis.get(key)
            if text is None:
                continue
            call_id = str(key)[len(snapshot_key("")) :]
            try:
                body = json.loads(text)
            except ValueError:
                body = None
            if not isinstance(body, dict):
                log.error("snapshot unreadable", extra={"call_id": call_id})
                metrics.SNAPSHOT_FAILURES.inc()
            elif body.get("cell") == self._cell:
                if body.get("over"):
                    over[call_id] = body
                else:
                    going_on[call_id] = body
        return going_on, over
