"""The lease on a real Redis: one holder, all of a step or nothing, no word of one that was replaced."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.bus import connect
from protocol.keys import call_key, lease_key, position_key, stream_key
from protocol.lease import Commit, Lease, LeaseLost, driven_calls

ROLE = "bot_manager"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


def lease_of(redis: Redis) -> Lease:
    return Lease(redis, "test", ROLE, ROLE)


STEP = Commit(1, [("commands", '{"a":1}'), ("events", '{"b":2}')], [(call_key("c1"), "snapshot", 60)], "5-0")


async def stored(redis: Redis) -> tuple[Any, ...]:
    return (
        await redis.xlen(stream_key("test", "commands")),
        await redis.xlen(stream_key("test", "events")),
        await redis.get(call_key("c1")),
        await redis.get(position_key("test", "events", ROLE)),
    )


async def test_a_step_is_stored_as_a_whole_and_says_who_is_driven(redis: Redis) -> None:
    lease = lease_of(redis)
    assert await lease.take()
    await lease.commit(STEP, ["c1", "c2"], [])
    assert await stored(redis) == (1, 1, "snapshot", "5-0")
    assert await driven_calls(redis, "test") == {"c1", "c2"}
    await lease.renew(["c2"], gone=["c1"])
    assert await driven_calls(redis, "test") == {"c2"}


async def test_the_second_waits_and_comes_when_the_first_lets_go(redis: Redis) -> None:
    first, second = lease_of(redis), lease_of(redis)
    assert await first.take()
    assert not await second.take()
    await first.release()
    assert await second.take()
    assert second.fence > first.fence


async def test_one_that_was_stopped_and_replaced_stores_nothing_any_more(redis: Redis) -> None:
    first, second = lease_of(redis), lease_of(redis)
    assert await first.take()
    await redis.delete(lease_key("test", ROLE))  # it was stopped, and its lease ran out
    assert await second.take()
    with pytest.raises(LeaseLost):
        await first.commit(STEP, ["c1"], [])
    with pytest.raises(LeaseLost):
        await first.renew(["c1"])
    assert await stored(redis) == (0, 0, None, None)
    assert not await driven_calls(redis, "test")
    await first.release()
    assert not await lease_of(redis).take()  # the second still holds it


async def test_even_when_nobody_holds_it_the_replaced_one_stores_nothing(redis: Redis) -> None:
    first, second = lease_of(redis), lease_of(redis)
    assert await first.take()
    await redis.delete(lease_key("test", ROLE))
    assert await second.take()
    await second.release()
    with pytest.raises(LeaseLost):
        await first.commit(STEP, ["c1"], [])
    assert await stored(redis) == (0, 0, None, None)


async def test_a_step_whose_answer_was_lost_is_done_once(redis: Redis) -> None:
    lease = lease_of(redis)
    assert await lease.take()
    await lease.commit(STEP, ["c1"], [])
    await lease.commit(STEP, ["c1"], [])
    assert await stored(redis) == (1, 1, "snapshot", "5-0")
    await lease.commit(Commit(2, STEP.messages), ["c1"], [])
    assert (await stored(redis))[:2] == (2, 2)


@pytest.mark.parametrize("flushed", [False, True])
async def test_a_holder_goes_on_after_a_pause_or_a_redis_without_its_data(redis: Redis, flushed: bool) -> None:
    lease = lease_of(redis)
    assert await lease.take()
    await (redis.flushdb() if flushed else redis.delete(lease_key("test", ROLE)))
    await lease.commit(STEP, ["c1"], [])
    assert await stored(redis) == (1, 1, "snapshot", "5-0")
    assert not await lease_of(redis).take()
