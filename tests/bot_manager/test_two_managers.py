"""Two bot managers of one cell: one drives, one waits; whatever happens to the one, nothing is lost or said twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protocol.messages import Say
from tests.bot_manager.bot_process import Bot, bot_of
from tests.bot_manager.conftest import PATIENCE_S, Exchange, Line

CALLS = 5


@pytest.fixture
async def bots(bot_settings: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[Bot, Bot]]:
    """Two bot managers of one cell; the test starts them."""
    async with bot_of(bot_settings, tmp_path / "one.log") as one, bot_of(bot_settings, tmp_path / "other.log") as other:
        yield one, other


async def begin(exchange: Exchange, number: int) -> Line:
    line = exchange.line(f"two-{number}")
    line.ring()
    await line.prompts()
    return line


def say_ids(exchange: Exchange) -> list[str]:
    return [command.playback_id for command in exchange.commands if isinstance(command, Say)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
async def test_the_second_takes_over_and_every_call_goes_on(
    bots: tuple[Bot, Bot], exchange: Exchange, how: signal.Signals
) -> None:
    bot, other = bots
    await bot.start()
    await other.waits()
    lines = [await begin(exchange, number) for number in range(CALLS)]
    assert bot.process is not None
    assert other.process is not None
    os.kill(bot.process.pid, how)
    for line in lines:  # said while nobody drives, or while the next one begins to
        line.transcript("oui")
    answers = await asyncio.gather(*(line.prompts() for line in lines))
    assert all("ask_zip_code" in answer for answer in answers)
    if how == signal.SIGSTOP:  # it wakes up, and finds that it may say nothing any more
        os.kill(bot.process.pid, signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_S):
            assert await bot.process.wait() == 1
    for line in lines:
        line.transcript("soixante-quinze mille onze")
    assert [(await line.prompts())[0] for line in lines] == ["zip_code_noted"] * CALLS
    ids = say_ids(exchange)
    assert sorted(ids) == sorted(f"p-two-{number}-{said}" for number in range(CALLS) for said in (1, 2, 3))


async def test_one_that_is_started_while_another_drives_harms_nobody(
    bots: tuple[Bot, Bot], exchange: Exchange, redis: Any
) -> None:
    bot, other = bots
    await bot.start()
    before = await begin(exchange, 0)
    waiting = asyncio.create_task(other.waits())
    before.transcript("oui")
    assert "ask_zip_code" in await before.prompts()
    await waiting
    line = await begin(exchange, 1)
    line.transcript("oui")
    assert "ask_zip_code" in await line.prompts()
    assert (await bot.get("/ready"))[0] == 200
    assert await other.end(signal.SIGTERM) == 0
    line.transcript("soixante-quinze mille onze")
    assert (await line.prompts())[0] == "zip_code_noted"
    assert await redis.get("pronto:test:lease:bot_manager") is not None
