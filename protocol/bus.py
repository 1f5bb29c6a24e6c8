"""Messages over Redis Streams: one stream of events and one of commands per cell, read by every service that cares.

Sending never waits for Redis: messages go through a bounded outbox that one task empties in order, so a Redis that is
away delays them and loses none (up to the bound). Every consumer stores where it stopped and resumes there; a message
may be seen twice after a crash, never zero times.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import hiredis
from redis.asyncio import Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from protocol.codec import BadMessage, Unknown, encode, read
from protocol.keys import POSITION_EXPIRY_S, STREAM_LENGTH, Stream, position_key, stream_key
from protocol.messages import Command, Message
from protocol.round_trip import RoundTrip
from protocol.steady import steady_time

log = logging.getLogger("pronto.bus")

BLOCK_MS = 2_000
BACK_OFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)
OPEN_AGAIN_S = 0.2


@dataclass(frozen=True)
class Entry:
    """A message with the id of its stream entry, which Redis gave: `<milliseconds of its clock>-<serial>`."""

    id: str
    message: Message

    @property
    def sent_ms(self) -> int:
        """When Redis took it, milliseconds since the epoch on Redis' clock."""
        return int(self.id.partition("-")[0])


def is_after(one: str, other: str) -> bool:
    """Whether the entry id `one` is younger than `other`; everything is younger than an empty one."""
    return _parts(one) > _parts(other)


def _parts(entry_id: str) -> tuple[int, int]:
    time_ms, _, serial = entry_id.partition("-")
    return (int(time_ms), int(serial or 0)) if time_ms else (-1, -1)


async def unread(
    redis: Redis, cell: str, stream: Stream, consumer: str, most: int = 500
) -> list[tuple[Message, float]]:
    """The oldest messages that a consumer has not dealt with, each with its age in seconds by Redis' clock; none of a
    consumer that never was there. What cannot be read is left out. Raises RedisError or OSError."""
    position: Any = await redis.get(position_key(cell, stream, consumer))
    if position is None:
        return []
    async with redis.pipeline(transaction=False) as pipe:
        pipe.xrange(stream_key(cell, stream), min=f"({position}", count=most)
        pipe.time()
        entries, (seconds, microseconds) = await pipe.execute()
    now = seconds + microseconds / 1e6
    found = []
    for entry_id, fields in entries:
        with contextlib.suppress(BadMessage):
            message = read(fields.get("m", "")).message
            if not isinstance(message, Unknown):
                found.append((message, now - Entry(entry_id, message).sent_ms / 1_000))
    return found


class _Packing(AbstractConnection):
    """Packs what it can with hiredis, in a fifth of the time; redis-py itself does so on blocking connections only."""

    def pack_command(self, *args: Any) -> list[bytes]:
        try:
            return [hiredis.pack_command((*args[0].split(), *args[1:]))]
        except (TypeError, UnicodeEncodeError):  # a type that it does not know, half a character
            packed: list[bytes] = super().pack_command(*args)
            return packed


class _Tcp(_Packing, Connection):
    """redis://"""


class _Tls(_Packing, SSLConnection):
    """rediss://"""


class _Unix(_Packing, UnixDomainSocketConnection):
    """unix://"""


_PACKED: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def connect(url: str) -> Redis:
    """A Redis client as the rest of `protocol` expects it: text replies, time-outs, RESP2. Connects on first use.

    Bytes that are no UTF-8 are replaced: one bad entry must not end its reader, and then every reader that starts anew.
    """
    redis = Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",
        protocol=2,
        socket_connect_timeout=2.0,
        socket_timeout=5.0,
        health_check_interval=30,
        max_connections=1_000,  # beyond it fails, not waits, and the library's hundred are too few for a burst of calls
    )
    pool = redis.connection_pool
    pool.connection_class = _PACKED[pool.connection_class]  # the URL alone decides, whatever is asked for above
    return redis


def raise_if_cancelled() -> None:
    """Raises CancelledError in a task that somebody cancelled.

    redis-py sends through `asyncio.wait_for`, which on Python 3.11 forgets a cancellation that comes just as the data
    is sent (python/cpython 86296); a loop around it would never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def happens(event: asyncio.Event, timeout_s: float) -> bool:
    """Waits for an event; False when `timeout_s` was not enough."""
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return False
    return True


class Outbox:
    """Sends messages to their stream, in order, from one background task.

    `bound` is the number of messages kept while Redis is away; beyond it the oldest is dropped, counted in `dropped`
    and logged. `away_since` is the epoch time since when Redis does not answer, None while it does.
    """

    def __init__(self, redis: Redis, cell: str, bound: int = 50_000) -> None:
        self._round_trip = RoundTrip(redis)
        self._cell = cell
        self._bound = bound
        self._waiting: deque[Message] = deque()
        self._sending: list[Message] = []  # on their way: never dropped, and sent again until Redis has them
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.dropped = 0
        self.away_since: float | None = None

    def send(self, message: Message) -> None:
        """Queues a message; returns at once."""
        if len(self) >= self._bound and self._waiting:
            lost = self._waiting.popleft()
            self.dropped += 1
            log.error("outbox full, message dropped", extra={"call_id": lost.call_id, "kind": type(lost).__name__})
        self._waiting.append(message)
        self._empty.clear()
        self._wake.set()

    def __len__(self) -> int:
        """Messages that Redis has not taken yet."""
        return len(self._waiting) + len(self._sending)

    @property
    def in_flight(self) -> int:
        """Messages that Redis is being given."""
        return len(self._sending)

    async def run(self) -> None:
        """Empties the outbox until cancelled."""
        failures = 0
        while True:
            if not self._waiting and not self._sending:
                self._empty.set()
                self._wake.clear()
                await self._wake.wait()
            if not self._sending:
                self._sending = [self._waiting.popleft() for _ in range(min(len(self._waiting), 200))]
            try:
                await self._round_trip.send([self._entry(message) for message in self._sending])
                raise_if_cancelled()
            except (RedisError, OSError) as error:
                self.away_since = self.away_since or steady_time()
                if failures == 0:
                    log.warning("redis does not take messages", extra={"error": repr(error), "waiting": len(self)})
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
                continue
            if self.away_since is not None:
                log.info(
                    "redis is back", extra={"away_s": round(steady_time() - self.away_since, 1), "waiting": len(self)}
                )
            self.away_since, failures, self._sending = None, 0, []

    async def flush(self, timeout_s: float = 2.0) -> bool:
        """Waits until everything is sent; False when `timeout_s` was not enough."""
        return await happens(self._empty, timeout_s)

    def _entry(self, message: Message) -> tuple[str | int, ...]:
        stream: Stream = "commands" if isinstance(message, Command) else "events"
        return "XADD", stream_key(self._cell, stream), "MAXLEN", "~", STREAM_LENGTH, "*", "m", encode(message)


class Inbox:
    """Reads one stream as `consumer` (a name that is the same after a restart), from where it stopped."""

    def __init__(self, redis: Redis, cell: str, stream: Stream, consumer: str) -> None:
        self._redis = redis
        self._stream = stream_key(cell, stream)
        self._position_key = position_key(cell, stream, consumer)
        self._stores_position = True
        self._stored: str | None = None
        self.malformed = 0
        self.unknown = 0
        """Types, values and items that only a newer release knows."""

    async def messages(
        self, settled: Callable[[], Awaitable[object]] | None = None, pace_s: float = 0.0
    ) -> AsyncGenerator[Message]:
        """Every message without its entry."""
        async for entry in self.entries(settled, pace_s):
            yield entry.message

    async def entries(
        self, settled: Callable[[], Awaitable[object]] | None = None, pace_s: float = 0.0, stores_position: bool = True
    ) -> AsyncGenerator[Entry]:
        """Every message from the stored position on, for ever. The position moves once the whole batch was handled.

        The first reader of a name begins with what comes after it connects. While Redis is away this waits and retries.
        `settled` is awaited before the position moves: a reader that works behind its own back says there when a kill
        would lose nothing. `pace_s`: after messages came, the next ones are asked for that much later, so that many
        share one round trip; for a reader who is in no hurry. A reader who stores the position itself, together with
        what became of the messages, says so with `stores_position`.
        """
        self._stores_position = stores_position
        position: str | None = None
        failures = 0
        while True:
            try:
                if position is None:
                    position = await self._start()
                entries = await self._read(position)
                raise_if_cancelled()
                failures = 0
            except (RedisError, OSError) as error:
                if failures == 0:
                    log.warning("redis does not give messages", extra={"error": repr(error), "stream": self._stream})
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
                continue
            for entry_id, fields in entries:
                try:
                    reading = read(fields.get("m", ""))
                except BadMessage as error:
                    self.malformed += 1
                    log.error("message refused", extra={"error": str(error), "stream": self._stream})
                else:
                    self.unknown += reading.oddities
                    if isinstance(reading.message, Unknown):
                        log.info("message of a newer release", extra={"type": reading.message.type})
                    else:
                        yield Entry(entry_id, reading.message)
                position = entry_id
            if entries:
                if settled is not None:
                    await settled()
                await asyncio.sleep(pace_s)

    async def open(self) -> None:
        """Fixes where reading begins: nothing that is sent from now on is missed. Raises RedisError or OSError.

        Without it a first reader begins when `messages` connects, which may be after it was said to be ready.
        """
        await self._start()

    async def opened(self) -> None:
        """The same, and waits for Redis."""
        while True:
            try:
                await self.open()
                raise_if_cancelled()
            except (RedisError, OSError):
                await asyncio.sleep(OPEN_AGAIN_S)
            else:
                return

    async def _start(self) -> str:
        stored = await self._redis.get(self._position_key)
        if stored is not None:
            return str(stored)
        last: Any = await self._redis.xrevrange(self._stream, count=1)
        position = str(last[0][0]) if last else "0-0"
        await self._redis.set(self._position_key, position, ex=POSITION_EXPIRY_S)
        return position

    async def _read(self, position: str) -> list[tuple[str, dict[str, str]]]:
        """What comes after `position`, which is stored on the way when it has moved: one round trip for both."""
        if position == self._stored or not self._stores_position:
            reply: Any = await self._redis.xread({self._stream: position}, count=200, block=BLOCK_MS)
            return reply[0][1] if reply else []
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(self._position_key, position, ex=POSITION_EXPIRY_S)
            pipe.xread({self._stream: position}, count=200, block=BLOCK_MS)
            stored, reply = await pipe.execute(raise_on_error=False)
        if isinstance(reply, RedisError):
            raise reply
        if isinstance(stored, RedisError):
            log.warning("position not stored", extra={"error": repr(stored), "stream": self._stream})
        else:
            self._stored = position
        return reply[0][1] if reply else []
