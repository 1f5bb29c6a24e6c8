"""What a restarted receiver needs of each call, kept in Redis: last Listen, last utterance number, who hears it.

`protocol.keys` names the keys, all with an expiry; one more of the receiver itself says until when it heard. How old a
value is, is told by Redis alone. Writing never waits: the newest value of each key is sent by one task, many in one
round trip, and again when Redis comes back.
"""

from __future__ import annotations

import asyncio
import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

from protocol.bus import happens, raise_if_cancelled
from protocol.codec import BadMessage
from protocol.keys import RECEIVER_EXPIRY_S, OfCall, hearing_key, receiver_key
from protocol.round_trip import RoundTrip

log = logging.getLogger("pronto.receiver")

OF_CALL: tuple[OfCall, ...] = ("listen", "utterance", "hears")

BATCH = 500
BOUND = 20_000
RETRY_S = 0.5
PACE_S = 0.05  # changes of many calls share one round trip


def kept_utterance(number: int, turn: int | None) -> str:
    """The value of `utterance`: the last number given, and its turn while what became of it was not told yet."""
    return f"{number}" if turn is None else f"{number} {turn}"


def read_utterance(value: str | None) -> tuple[int, int | None]:
    """Number and turn of `kept_utterance`; (0, None) when there was none. Raises BadMessage."""
    try:
        number, _, turn = (value or "0").partition(" ")
        return int(number), int(turn) if turn else None
    except ValueError as error:
        raise BadMessage(f"no utterance: {value!r}") from error


class KeptState:
    """`put` and `forget` return at once; `run` sends."""

    def __init__(self, redis: Redis, cell: str) -> None:
        self._redis = redis
        self._round_trip = RoundTrip(redis)
        self._cell = cell
        self._waiting: dict[str, str | None] = {}  # None: to be deleted
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.dropped = 0

    def key(self, name: OfCall, call_id: str) -> str:
        """The Redis key."""
        return receiver_key(self._cell, name, call_id)

    def put(self, name: OfCall, call_id: str, value: str) -> None:
        """Keeps a value; an older one that was not sent yet is forgotten."""
        self._add(self.key(name, call_id), value)

    def put_hearing(self, receiver_id: str, value: str) -> None:
        """Keeps that a receiver hears now; `value` is for people."""
        self._add(hearing_key(self._cell, receiver_id), value)

    def forget(self, call_id: str) -> None:
        """Removes everything of a call."""
        for name in OF_CALL:
            self._add(self.key(name, call_id), None)

    async def heard_ago_s(self, receiver_id: str) -> float | None:
        """How long ago a receiver last heard, by Redis' clock; None of one that never did. Raises RedisError or OSError
        when Redis is away."""
        left_ms: int = await self._redis.pttl(hearing_key(self._cell, receiver_id))
        return None if left_ms < 0 else RECEIVER_EXPIRY_S - left_ms / 1_000

    async def get(self, name: OfCall, call_id: str) -> str | None:
        """A stored value. Raises RedisError or OSError when Redis is away."""
        value = await self._redis.get(self.key(name, call_id))
        return None if value is None else str(value)

    async def values(self, *keys: str) -> list[str | None]:
        """The values of Redis keys, in one round trip. Raises RedisError or OSError when Redis is away."""
        return [None if value is None else str(value) for value in await self._redis.mget(keys)]

    async def run(self) -> None:
        """Sends what waits, until cancelled."""
        failed = False
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = {key: self._waiting[key] for key, _ in zip(self._waiting, range(BATCH), strict=False)}
                try:
                    await self._round_trip.send([_command(key, value) for key, value in batch.items()])
                    raise_if_cancelled()
                except (RedisError, OSError) as error:
                    if not failed:
                        log.warning("state of calls not stored", extra={"error": repr(error), "keys": len(batch)})
                    failed = True
                    await asyncio.sleep(RETRY_S)
                    continue
                failed = False
                for key, value in batch.items():
                    if key in self._waiting and self._waiting[key] == value:
                        del self._waiting[key]
            self._empty.set()
            await asyncio.sleep(PACE_S)

    async def flush(self, timeout_s: float = 2.0) -> bool:
        """Waits until everything is stored; False when `timeout_s` was not enough."""
        return await happens(self._empty, timeout_s)

    def _add(self, key: str, value: str | None) -> None:
        self._waiting.pop(key, None)
        self._waiting[key] = value
        if len(self._waiting) > BOUND:
            self._waiting.pop(next(iter(self._waiting)))
            self.dropped += 1
        self._empty.clear()
        self._wake.set()


def _command(key: str, value: str | None) -> tuple[str | int, ...]:
    return ("DEL", key) if value is None else ("SET", key, value, "EX", RECEIVER_EXPIRY_S)
