"""The bus on a real Redis: order, resumption, a Redis that goes away and comes back, what is no message."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from redis.asyncio import Connection, Redis

from devstack.redis_server import RedisServer
from protocol.bus import Inbox, Outbox, connect
from protocol.keys import stream_key
from protocol.messages import CallStarted, Command, DtmfReceived, Event, HangUp, Message, decode
from protocol.speaking import read_speaking, watch_speaking, write_speaking


def digit(number: int) -> DtmfReceived:
    return DtmfReceived("c1", float(number), str(number % 10))


async def take(messages: AsyncGenerator[Event | Command], count: int) -> list[Message]:
    return [await asyncio.wait_for(anext(messages), 10) for _ in range(count)]


async def take_change(changes: AsyncGenerator[tuple[str, bool]]) -> tuple[str, bool]:
    return await anext(changes)


async def exists(redis: Redis, key: str) -> None:
    while not await redis.exists(key):
        await redis.ping()


@contextlib.asynccontextmanager
async def running(*jobs: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
    server.start()
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
            server.stop()
            for number in range(2, 50):
                outbox.send(digit(number))
            assert not await outbox.flush(0.3)
            assert outbox.away_since is not None
            assert len(outbox) == 48
            server = RedisServer(port=port)
            server.start()
            assert await outbox.flush(10)
            assert outbox.away_since is None
            assert await take(messages, 48) == [digit(n) for n in range(2, 50)]
    finally:
        server.stop()
        await redis.aclose()


async def test_a_full_outbox_drops_the_oldest_and_counts_it() -> None:
    redis = connect("redis://127.0.0.1:1/0")
    outbox = Outbox(redis, "full", bound=3)
    for number in range(5):
        outbox.send(digit(number))
    assert (len(outbox), outbox.dropped) == (3, 2)
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


async def test_what_is_on_its_way_is_neither_dropped_nor_counted_as_lost() -> None:
    """A full outbox drops what waits; the batch that Redis is being given arrives, and each loss is counted once."""
    server = RedisServer()
    server.start()
    redis = connect(server.url)
    outbox = Outbox(redis, "bound", bound=5)
    try:
        async with running(outbox.run()):
            await redis.execute_command("CLIENT", "PAUSE", 600, "ALL")  # type: ignore[no-untyped-call]
            for number in range(3):
                outbox.send(digit(number))
            while outbox.in_flight < 3:  # noqa: ASYNC110 the outbox tells nobody when it takes a batch
                await asyncio.sleep(0)
            for number in range(3, 9):
                outbox.send(digit(number))
            assert (len(outbox), outbox.dropped) == (5, 4)
            assert await outbox.flush(10)
        entries: Any = await redis.xrange(stream_key("bound", "events"))
        assert [decode(fields["m"]) for _, fields in entries] == [digit(number) for number in (0, 1, 2, 7, 8)]
    finally:
        server.stop()
        await redis.aclose()
