"""Commands over a connection of their own: all done or an error, and never the answers of an earlier try."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import ResponseError

from protocol.bus import connect
from protocol.round_trip import RoundTrip


async def test_all_are_done_and_in_order(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        round_trip = RoundTrip(redis)
        await round_trip.send([("RPUSH", "list", number) for number in range(300)])
        assert await redis.lrange("list", 0, -1) == [str(number) for number in range(300)]


async def test_one_that_is_refused_is_told_and_the_next_ones_get_their_own_answers(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        round_trip = RoundTrip(redis)
        with pytest.raises(ResponseError):
            await round_trip.send([("SET", "key", "a"), ("LPUSH", "key", "x"), ("SET", "other", "b")])
        await round_trip.send([("SET", "key", "c")])
        assert await redis.mget("key", "other") == ["c", "b"]


async def test_half_a_character_is_sent_as_a_question_mark(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        await RoundTrip(redis).send([("SET", "key", "a\ud83d")])
        assert await redis.get("key") == "a?"


async def test_answers_that_nobody_waited_for_are_not_those_of_the_next(redis_url: str) -> None:
    async with connect(redis_url) as redis, connect(redis_url) as other:
        round_trip = RoundTrip(redis)
        await round_trip.send([("SET", "key", "a")])
        await _hold_writes(other)
        given_up = asyncio.create_task(round_trip.send([("LPUSH", "key", "refused when it is read")]))
        done, _ = await asyncio.wait([given_up], timeout=0.2)
        assert not done
        given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        await other.client_unpause()
        await round_trip.send([("SET", "key", "b")])
        assert await redis.get("key") == "b"


async def test_a_redis_that_is_away_is_told_and_found_again() -> None:
    async with connect("redis://127.0.0.1:1/0") as redis:
        round_trip = RoundTrip(redis)
        for _ in range(2):
            with pytest.raises(RedisAway):
                await round_trip.send([("PING",)])


async def _hold_writes(redis: Redis) -> None:
    await redis.client_pause(10_000, all=False)
