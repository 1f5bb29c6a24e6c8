"""The bus on a real Redis: order, resumption, a Redis that goes away and comes back, what is no message."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Connection, Redis

from devstack.redis_server import RedisServer
from protocol.bus import Entry, Inbox, Outbox, connect, is_after, unread
from protocol.codec import decode, encode
from protocol.keys import position_key, stream_key
from protocol.messages import CallEnded, CallStarted, Command, DtmfReceived, Event, HangUp, Message
from protocol.speaking import read_speaking, watch_speaking, write_speaking
from tests.background import running


def digit(number: int) -> DtmfReceived:
    return DtmfReceived("c1", float(number), str(number % 10))


async def take(messages: AsyncGenerator[Event | Command], count: int) -> list[Message]:
    return [await asyncio.wait_for(anext(messages), 10) for _ in range(count)]


async def take_change(changes: AsyncGenerator[tuple[str, bool]]) -> tuple[str, bool]:
    return await anext(changes)


async def exists(redis: Redis, key: str) -> None:
    while not await redis.exists(key):
        await redis.ping()


async def send(redis_url: str, cell: str, messages: Sequence[Message]) -> None:
    redis = connect(redis_url)
    outbox = Outbox(redis, cell)
    async with running(outbox.run()):
        for message in messages:
            outbox.send(message)
        assert await outbox.flush(10)
    await redis.aclose()


async def test_a_reader_gets_every_message_in_order_and_resumes_where_it_stopped(redis_url: str) -> None:
    redis = connect(redis_url)
    first = Inbox(redis, "order", "events", "reader").messages()
    reading = asyncio.create_task(take(first, 100))
    await exists(redis, "pronto:order:position:reader:events")
    await send(redis_url, "order", [digit(n) for n in range(150)])
    assert await reading == [digit(n) for n in range(100)]
    await first.aclose()
    second = Inbox(redis, "order", "events", "reader").messages()
    again = await take(second, 50)
    while again[-1] != digit(149):
        again += await take(second, 1)
    # the batch in which the reader stopped is seen again, and nothing is missing
    assert again == [digit(n) for n in range(150 - len(again), 150)]
    await redis.aclose()


async def test_events_and_commands_travel_apart(redis_url: str) -> None:
    redis = connect(redis_url)
    await send(redis_url, "apart", [CallStarted("c1", 1.0, "1", "2"), HangUp("c1", 2.0)])
    assert await redis.xlen(stream_key("apart", "events")) == 1
    assert await redis.xlen(stream_key("apart", "commands")) == 1
    await redis.aclose()


async def test_what_is_no_message_is_counted_and_skipped(redis_url: str) -> None:
    redis = connect(redis_url)
    inbox = Inbox(redis, "bad", "events", "reader")
    await redis.set("pronto:bad:position:reader:events", "0-0")
    await redis.xadd(stream_key("bad", "events"), {"m": "{not json"})
    await redis.xadd(stream_key("bad", "events"), {"other": "x"})
    await send(redis_url, "bad", [digit(7)])
    assert await take(inbox.messages(), 1) == [digit(7)]
    assert inbox.malformed == 2
    await redis.aclose()


async def test_messages_wait_while_redis_is_away_and_arrive_in_order_when_it_is_back() -> None:
    server = RedisServer()
    await asyncio.to_thread(server.start)
    redis = connect(server.url)
    outbox = Outbox(redis, "away")
    messages = Inbox(redis, "away", "events", "reader").messages()
    try:
        async with running(outbox.run()):
            reading = asyncio.create_task(take(messages, 1))
            await exists(redis, "pronto:away:position:reader:events")
            outbox.send(digit(1))
            assert await reading == [digit(1)]
            port = server.port
            await asyncio.to_thread(server.stop)
            for number in range(2, 50):
                outbox.send(digit(number))
            assert not await outbox.flush(0.3)
            assert outbox.away_since is not None
            assert len(outbox) == 48
            server = RedisServer(port=port)
            await asyncio.to_thread(server.start)
            assert await outbox.flush(10)
            assert outbox.away_since is None
            assert await take(messages, 48) == [digit(n) for n in range(2, 50)]
    finally:
        await asyncio.to_thread(server.stop)
        await redis.aclose()


@pytest.mark.parametrize("url", ["redis://h", "redis://bot:x@h/2", "rediss://h", "unix:///run/redis.sock"])
def test_commands_are_packed_by_hiredis_however_redis_is_reached(url: str) -> None:
    connection: Any = connect(url).connection_pool.make_connection()  # type: ignore[no-untyped-call]
    words: Any = ("CONFIG", "GET", "a", 1)
    assert connection.pack_command("CONFIG GET", "a", 1) == [hiredis.pack_command(words)]
    assert type(connection).__mro__[1].__name__ == "_Packing"


async def test_a_full_outbox_drops_the_oldest_and_counts_it() -> None:
    redis = connect("redis://127.0.0.1:1/0")
    outbox = Outbox(redis, "full", bound=3)
    for number in range(5):
        outbox.send(digit(number))
    assert (len(outbox), outbox.dropped) == (3, 2)
    await redis.aclose()


async def commands_wait(redis: Redis) -> None:
    """Returns once Redis holds a writer back."""
    while not (await redis.info("clients"))["blocked_clients"]:
        await redis.ping()


@contextlib.asynccontextmanager
async def own_redis() -> AsyncIterator[Redis]:
    """A Redis that no other test sees paused."""
    server = RedisServer()
    await asyncio.to_thread(server.start)
    redis = connect(server.url)
    try:
        yield redis
    finally:
        await redis.aclose()
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize(("bound", "more"), [(3, 1), (3, 7), (10, 20)])
async def test_what_is_being_sent_is_never_dropped_and_what_is_dropped_is_counted(bound: int, more: int) -> None:
    async with own_redis() as redis:
        outbox = Outbox(redis, "full", bound=bound)
        for number in range(bound):
            outbox.send(digit(number))
        await redis.client_pause(60_000, all=False)
        async with running(outbox.run()):
            await asyncio.wait_for(commands_wait(redis), 10)  # all of the first are on their way
            for number in range(bound, bound + more):
                outbox.send(digit(number))
            await redis.client_unpause()
            assert await outbox.flush(10)
        sent: Any = await redis.xrange(stream_key("full", "events"))
        found = [decode(fields["m"]).at for _, fields in sent]
        assert found[:bound] == list(range(bound))
        assert found[-1] == bound + more - 1
        assert found == sorted(set(found))
        assert len(found) + outbox.dropped == bound + more
        assert (len(outbox), outbox.away_since) == (0, None)


async def test_what_only_a_newer_release_knows_is_counted_and_the_rest_is_read(redis_url: str) -> None:
    redis = connect(redis_url)
    inbox = Inbox(redis, "newer", "events", "reader")
    await redis.set(position_key("newer", "events", "reader"), "0-0")
    ended = CallEnded("c1", 1.0, "lost")
    for text in (
        '{"type":"CallParked","v":3,"call_id":"c1","at":1.0}',
        encode(ended).replace("lost", "no_answer"),
        encode(digit(7)).replace('"digit"', '"pressed_ms":80,"digit"'),
    ):
        await redis.xadd(stream_key("newer", "events"), {"m": text})
    assert await take(inbox.messages(), 2) == [CallEnded("c1", 1.0, "other"), digit(7)]
    assert (inbox.unknown, inbox.malformed) == (2, 0)
    await redis.aclose()


async def test_an_entry_tells_when_redis_took_it(redis_url: str) -> None:
    redis = connect(redis_url)
    await redis.set(position_key("ids", "events", "reader"), "0-0")
    await redis.xadd(stream_key("ids", "events"), {"m": encode(digit(1))}, id="1700000000123-4")
    inbox = Inbox(redis, "ids", "events", "reader")
    entry = await asyncio.wait_for(anext(inbox.entries(stores_position=False)), 10)
    assert (entry.id, entry.sent_ms, entry.message) == ("1700000000123-4", 1_700_000_000_123, digit(1))
    await redis.aclose()


@given(st.tuples(st.integers(0, 2**45), st.integers(0, 99)), st.tuples(st.integers(0, 2**45), st.integers(0, 99)))
def test_entries_are_in_the_order_of_time_and_serial(one: tuple[int, int], other: tuple[int, int]) -> None:
    ids = [f"{ms}-{serial}" for ms, serial in (one, other)]
    assert is_after(*ids) == (one > other)
    assert is_after(ids[0], "")
    assert not is_after("", ids[0])


async def test_a_reader_that_stores_its_position_itself_leaves_it_where_it_was(redis_url: str) -> None:
    redis = connect(redis_url)
    key = position_key("own", "events", "reader")
    await redis.set(key, "0-0")
    await send(redis_url, "own", [digit(n) for n in range(5)])
    inbox = Inbox(redis, "own", "events", "reader")
    entries = inbox.entries(stores_position=False)
    seen = [await asyncio.wait_for(anext(entries), 10) for _ in range(5)]
    more = asyncio.create_task(take_entry(entries))  # so the first five were handled
    await send(redis_url, "own", [digit(5)])
    assert (await more).message == digit(5)
    assert await redis.get(key) == "0-0"
    await redis.set(key, seen[2].id)
    again = Inbox(redis, "own", "events", "reader").entries(stores_position=False)
    assert (await asyncio.wait_for(anext(again), 10)).message == digit(3)
    await redis.aclose()


async def take_entry(entries: AsyncGenerator[Entry]) -> Entry:
    return await asyncio.wait_for(anext(entries), 10)


async def test_what_a_consumer_has_not_dealt_with_has_an_age(redis_url: str) -> None:
    redis = connect(redis_url)
    assert await unread(redis, "ages", "events", "reader") == []
    await redis.set(position_key("ages", "events", "reader"), "5-0")
    (seconds, _), stream = await redis.time(), stream_key("ages", "events")
    await redis.xadd(stream, {"m": encode(digit(0))}, id="5-0")
    await redis.xadd(stream, {"m": encode(digit(1))}, id=f"{seconds - 90}000-0")
    await redis.xadd(stream, {"m": "broken"})
    await redis.xadd(stream, {"m": '{"type":"CallParked","v":3}'})
    await redis.xadd(stream, {"m": encode(digit(2))})
    (old, age_s), (new, new_age_s) = await unread(redis, "ages", "events", "reader")
    assert (old, new) == (digit(1), digit(2))
    assert 89 <= age_s < 120
    assert 0 <= new_age_s < 30
    await redis.aclose()


async def test_bot_speaking_is_stored_and_published(redis_url: str) -> None:
    redis = connect(redis_url)
    changes = watch_speaking(redis)
    first = asyncio.create_task(take_change(changes))
    while not dict(await redis.pubsub_numsub("bot_speaking"))["bot_speaking"]:
        await redis.ping()
    assert await write_speaking(redis, "c9", True)
    assert await asyncio.wait_for(first, 10) == ("c9", True)
    assert await redis.get("bot_speaking:c9") == "True"
    assert 0 < await redis.ttl("bot_speaking:c9") <= 3_600
    assert await read_speaking(redis, "c9")
    assert not await read_speaking(redis, "unknown")
    await changes.aclose()
    await redis.aclose()


async def test_bot_speaking_without_redis_is_false_and_no_error() -> None:
    redis = connect("redis://127.0.0.1:1/0")
    assert not await write_speaking(redis, "c9", True)
    assert not await read_speaking(redis, "c9")
    await redis.aclose()


def test_commands_are_packed_as_the_library_does_it() -> None:
    ours: Connection = connect("redis://127.0.0.1:1/0").connection_pool.make_connection()  # type: ignore[no-untyped-call]
    library = Connection(encoding_errors="replace")
    for command in (
        ("XADD", "pronto:local:events", "MAXLEN", "~", 20_000, "*", "m", '{"text": "à demain, 日本"}'),
        ("SET", "k", 1.5, "EX", 3),
        ("CONFIG GET", b"\x00\xff\r\n"),
        ("SET", "half a character", "\ud800"),
        ("MGET", "", "x" * 100_000),
    ):
        assert b"".join(ours.pack_command(*command)) == b"".join(library.pack_command(*command))
