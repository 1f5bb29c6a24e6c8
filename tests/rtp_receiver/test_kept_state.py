"""State of calls in a real Redis: the newest value wins, an ended call leaves nothing, an outage loses nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from devstack.redis_server import RedisServer
from protocol.bus import connect
from protocol.keys import RECEIVER_EXPIRY_S, hearing_key
from rtp_receiver import kept_state
from rtp_receiver.kept_state import KeptState
from tests.background import running

DEADLINE_S = 20.0


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    yield client
    await client.aclose()


async def until_stored(state: KeptState, call_id: str, value: str | None) -> None:
    """Returns once the Listen of a call has this value."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if await state.get("listen", call_id) == value:
                return
            await asyncio.sleep(0.005)


async def test_the_newest_value_is_kept_and_an_ended_call_leaves_nothing(redis: Redis) -> None:
    state = KeptState(redis, "local")
    async with running(state.run()):
        for turn in range(1_000):
            state.put("listen", f"c{turn % 300}", str(turn))
        state.put("utterance", "c1", "4")
        await until_stored(state, "c299", "899")
        assert await state.get("listen", "c0") == "900"
        assert await state.get("utterance", "c1") == "4"
        assert 0 < await redis.ttl(state.key("listen", "c1")) <= RECEIVER_EXPIRY_S
        for number in range(300):
            state.forget(f"c{number}")
        await until_stored(state, "c299", None)
        assert not [key async for key in redis.scan_iter("pronto:local:*")]


async def test_what_could_not_be_stored_is_stored_later() -> None:
    server = RedisServer()
    await asyncio.to_thread(server.start)
    port = server.port
    await asyncio.to_thread(server.stop)
    client = connect(f"redis://127.0.0.1:{port}/0")
    state = KeptState(client, "local")
    async with running(state.run()):
        state.put("listen", "c1", "old")
        state.put("listen", "c1", "new")
        server = RedisServer(port)
        await asyncio.to_thread(server.start)
        try:
            await until_stored(state, "c1", "new")
        finally:
            await client.aclose()
            await asyncio.to_thread(server.stop)


async def test_a_flush_returns_when_everything_is_stored(redis: Redis) -> None:
    state = KeptState(redis, "local")
    assert await state.flush()
    state.put("listen", "c1", "first")
    assert not await state.flush(timeout_s=0.01)  # nobody sends
    async with running(state.run()):
        await until_stored(state, "c1", "first")
        state.put("listen", "c1", "last")  # while the sender rests between two round trips
        assert await state.flush()
        assert await state.get("listen", "c1") == "last"


async def test_what_waits_is_bounded(redis: Redis) -> None:
    state = KeptState(redis, "local")
    for number in range(kept_state.BOUND + 7):
        state.put("listen", f"c{number}", "x")
    assert state.dropped == 7


async def test_when_a_receiver_last_heard_is_told_by_the_clock_of_redis(redis: Redis) -> None:
    state = KeptState(redis, "local")
    assert await state.heard_ago_s("1") is None
    async with running(state.run()):
        state.put_hearing("1", "a time of a host whose clock is wrong")
        assert await state.flush()
        ago_s = await state.heard_ago_s("1")
        assert ago_s is not None
        assert 0 <= ago_s < DEADLINE_S
        await redis.expire(hearing_key("local", "1"), RECEIVER_EXPIRY_S - 60)
        ago_s = await state.heard_ago_s("1")
        assert ago_s is not None
        assert 60 <= ago_s < 60 + DEADLINE_S
