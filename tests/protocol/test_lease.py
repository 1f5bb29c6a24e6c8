"""Who does a job of a cell alone, on a real Redis: one commits, another waits; who was overtaken does no harm."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from devstack.redis_server import RedisServer
from protocol.bus import connect
from protocol.keys import driven_key, fence_key, lease_key, position_key, stream_key
from protocol.lease import DRIVEN_MS, LEASE_MS, Commit, Lease, LeaseLost, driven_calls

CELL, ROLE = "local", "bot_manager"
DEADLINE_S = 20.0


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """A Redis of its own: one of the tests empties it."""
    server = RedisServer()
    await asyncio.to_thread(server.start)
    client = connect(server.url)
    yield client
    await client.aclose()
    await asyncio.to_thread(server.stop)


def lease(redis: Redis) -> Lease:
    return Lease(redis, CELL, ROLE, ROLE)


async def taken(redis: Redis) -> Lease:
    mine = lease(redis)
    assert await mine.take()
    return mine


async def until_taken(mine: Lease) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await mine.take():
            pass


async def expire(redis: Redis) -> None:
    """What time does to a lease that nobody renews."""
    assert await redis.delete(lease_key(CELL, ROLE))


def step(serial: int, text: str = "x") -> Commit:
    return Commit(serial, [("commands", text), ("events", text)], [("snapshot", text, 60)], f"{serial}-0")


async def stored(redis: Redis) -> tuple[list[str], list[str], str | None, str | None]:
    """Commands, events, snapshot and position."""
    async with redis.pipeline(transaction=True) as pipe:
        pipe.xrange(stream_key(CELL, "commands"))
        pipe.xrange(stream_key(CELL, "events"))
        pipe.get("snapshot")
        pipe.get(position_key(CELL, "events", ROLE))
        commands, events, snapshot, position = await pipe.execute()
    return [f["m"] for _, f in commands], [f["m"] for _, f in events], snapshot, position


async def test_a_step_is_stored_with_all_that_belongs_to_it(redis: Redis) -> None:
    mine = await taken(redis)
    commit = Commit(1, [("commands", "a"), ("events", "b"), ("commands", "c")], [("snapshot", "s", 60)], "7-1")
    await mine.commit(commit, ["c1", "c2"], ["c3"])
    assert await stored(redis) == (["a", "c"], ["b"], "s", "7-1")
    assert 0 < await redis.ttl("snapshot") <= 60
    assert await driven_calls(redis, CELL) == {"c1", "c2"}


async def test_nobody_sees_half_a_step(redis: Redis) -> None:
    mine = await taken(redis)
    over = asyncio.Event()

    async def watch() -> int:
        looks = 0
        while not over.is_set():
            commands, events, snapshot, position = await stored(redis)
            count = len(commands)
            assert (len(events), snapshot, position) == (
                count,
                *((str(count), f"{count}-0") if count else (None, None)),
            )
            looks += 1
        return looks

    watching = asyncio.create_task(watch())
    for serial in range(1, 301):
        await mine.commit(step(serial, str(serial)), [], [])
    over.set()
    assert await watching > 10


async def test_the_second_waits_until_the_first_gives_the_lease_back(redis: Redis) -> None:
    first, second = await taken(redis), lease(redis)
    assert not await second.take()
    await first.commit(step(1), [], [])
    assert not await second.take()
    await first.release()
    assert await second.take()
    assert second.fence > first.fence
    with pytest.raises(LeaseLost):
        await first.commit(step(2), [], [])


async def test_the_second_has_the_lease_when_the_first_gives_no_sign(redis: Redis) -> None:
    first, second = await taken(redis), lease(redis)
    left_ms = await redis.pttl(lease_key(CELL, ROLE))
    assert 0 < left_ms <= LEASE_MS
    await until_taken(second)
    with pytest.raises(LeaseLost):
        await first.renew(["c1"])


async def test_who_renews_keeps_the_lease(redis: Redis) -> None:
    first, second = await taken(redis), lease(redis)
    await redis.pexpire(lease_key(CELL, ROLE), LEASE_MS // 3)
    await first.renew(["c1"], ["c2"])
    assert await redis.pttl(lease_key(CELL, ROLE)) > LEASE_MS // 3
    assert not await second.take()
    assert await stored(redis) == ([], [], None, None)


async def test_who_was_stopped_and_comes_back_after_another_took_over_stores_nothing(redis: Redis) -> None:
    first, second = await taken(redis), lease(redis)
    await first.commit(step(1, "first"), ["c1"], [])
    await expire(redis)  # the first is stopped
    assert await second.take()
    await second.commit(step(1, "second"), ["c2"], ["c1"])
    for late in (step(2, "late"), step(1, "late")):
        with pytest.raises(LeaseLost):
            await first.commit(late, ["c1"], ["c2"])
    with pytest.raises(LeaseLost):
        await first.renew(["c1"], ["c2"])
    await first.release()  # gives nothing of the other's back
    assert not await lease(redis).take()
    assert await stored(redis) == (["first", "second"], ["first", "second"], "second", "1-0")
    assert await driven_calls(redis, CELL) == {"c2"}


async def test_who_was_overtaken_stores_nothing_even_when_the_other_is_gone_too(redis: Redis) -> None:
    first, second = await taken(redis), lease(redis)
    await expire(redis)
    assert await second.take()
    await second.release()
    with pytest.raises(LeaseLost):
        await first.commit(step(1), [], [])
    assert await stored(redis) == ([], [], None, None)


async def test_a_commit_that_is_sent_again_is_done_once(redis: Redis) -> None:
    mine = await taken(redis)
    await mine.commit(step(1, "a"), ["c1"], [])
    await mine.commit(step(1, "a"), ["c1"], [])  # its answer was lost
    assert await stored(redis) == (["a"], ["a"], "a", "1-0")
    await mine.commit(step(2, "b"), ["c1"], [])
    assert (await stored(redis))[0] == ["a", "b"]
    await mine.renew(["c1"])
    await mine.commit(step(2, "b"), ["c1"], [])
    assert (await stored(redis))[0] == ["a", "b"]


async def test_a_serial_of_another_holder_is_another_commit(redis: Redis) -> None:
    first, second = await taken(redis), lease(redis)
    await first.commit(step(1, "a"), [], [])
    await first.release()
    assert await second.take()
    await second.commit(step(1, "b"), [], [])
    assert (await stored(redis))[0] == ["a", "b"]


async def test_a_lease_that_ran_out_and_that_nobody_took_is_gone_on_with(redis: Redis) -> None:
    mine = await taken(redis)
    await expire(redis)
    await mine.commit(step(1, "a"), ["c1"], [])
    assert (await stored(redis))[0] == ["a"]
    assert not await lease(redis).take()


async def test_a_redis_that_lost_everything_is_gone_on_with(redis: Redis) -> None:
    mine, fences = lease(redis), set()
    for _ in range(3):
        await until_taken(mine)
        fences.add(mine.fence)
        await mine.release()
    assert len(fences) == 3
    await until_taken(mine)
    await mine.commit(step(1, "a"), [], [])
    await redis.flushall()  # scripts stay, keys go
    await redis.script_flush()
    await mine.commit(step(2, "b"), ["c1"], [])
    assert await stored(redis) == (["b"], ["b"], "b", "2-0")
    assert await redis.get(fence_key(CELL, ROLE)) == str(mine.fence)  # whoever comes next has a higher one
    other = lease(redis)
    assert not await other.take()
    await mine.release()
    assert await other.take()
    assert other.fence > mine.fence


async def test_calls_are_driven_until_the_clock_of_redis_says_otherwise(redis: Redis) -> None:
    mine = await taken(redis)
    assert await driven_calls(redis, CELL) == frozenset()
    await mine.renew(["c1", "c2", "c3"])
    await mine.renew(["c1", "c2"], ["c3", "never"])
    assert await driven_calls(redis, CELL) == {"c1", "c2"}
    seconds, microseconds = await redis.time()
    now_ms = seconds * 1_000 + microseconds // 1_000
    scores: Any = await redis.zrange(driven_key(CELL), 0, -1, withscores=True)
    assert all(now_ms < until_ms <= now_ms + DRIVEN_MS for _, until_ms in scores)
    await redis.zadd(driven_key(CELL), {"c2": now_ms - 1})
    assert await driven_calls(redis, CELL) == {"c1"}
    async with asyncio.timeout(DEADLINE_S):
        while await driven_calls(redis, CELL):
            pass


async def test_who_never_took_the_lease_stores_nothing(redis: Redis) -> None:
    mine = lease(redis)
    with pytest.raises(LeaseLost):
        await mine.commit(step(1), ["c1"], [])
    assert not await redis.keys("*")
