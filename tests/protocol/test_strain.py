"""Strain told and read through a real Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.bus import connect
from protocol.keys import strain_key
from protocol.strain import STALE_MS, read_strain, write_strain

CELL = "strain-cell"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client: Redis = connect(redis_url)
    yield client
    await client.delete(strain_key(CELL))
    await client.aclose()


async def test_the_highest_figure_of_each_name_counts(redis: Redis) -> None:
    await write_strain(redis, CELL, "receiver/one", {"detector": 0.2, "recogniser": 0.7})
    await write_strain(redis, CELL, "receiver/two", {"detector": 0.9})
    await write_strain(redis, CELL, "bot_manager", {"bot_loop": 0.1})
    assert await read_strain(redis, CELL) == {"detector": 0.9, "recogniser": 0.7, "bot_loop": 0.1}
    await write_strain(redis, CELL, "receiver/two", {"detector": 0.1})
    assert (await read_strain(redis, CELL))["detector"] == 0.2


async def test_what_is_not_told_again_is_forgotten(redis: Redis) -> None:
    await write_strain(redis, CELL, "receiver/one", {"detector": 0.9})
    told: Any = await redis.hget(strain_key(CELL), "receiver/one")
    body = json.loads(told)
    await redis.hset(strain_key(CELL), "receiver/one", json.dumps(body | {"at": body["at"] - STALE_MS - 1_000}))
    assert await read_strain(redis, CELL) == {}


@pytest.mark.parametrize("text", ["", "null", "[1]", '{"at": "x"}', '{"detector": 3}', '{"at": 1e300, "detector": []}'])
async def test_what_is_not_understood_says_nothing(redis: Redis, text: str) -> None:
    await redis.hset(strain_key(CELL), "somebody", text)
    await write_strain(redis, CELL, "receiver/one", {"detector": 0.4})
    assert await read_strain(redis, CELL) == {"detector": 0.4}
