"""Appointments through a bot manager and a booking service that are really there: HTTP, Redis, SQLite, kills."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.messages import HangUp
from tests.bot_manager.conftest import Exchange, IntentServer, until
from tests.bot_manager.salon import Salon, hear, salon_of, to_the_recap


@pytest.fixture
async def salon(
    bot_settings: dict[str, str], exchange: Exchange, intents: IntentServer, tmp_path: Path
) -> AsyncIterator[Salon]:
    async with salon_of(bot_settings, exchange, intents, tmp_path) as found:
        yield found


async def test_a_caller_books_and_is_in_the_calendar_once(salon: Salon) -> None:
    line = salon.call("books", "+393000001111")
    await to_the_recap(line, "Elena")
    await hear(line, "Riepilogo: taglio, martedì 15 dicembre alle 9, con Giulia.", "Confermo la prenotazione?")
    assert await salon.appointments() == []
    line.transcript("sì")
    await hear(line, "È prenotato.", "Posso fare altro per lei?")
    line.transcript("no")
    await hear(line, "Grazie e arrivederci.")
    assert isinstance(await line.end(), HangUp)
    assert await salon.appointments() == [(3, "2026-12-15", "09:00")]


async def test_a_hang_up_frees_what_was_held(salon: Salon) -> None:
    line = salon.call("hangs-up", "+393000001111")
    await to_the_recap(line, "Elena")
    await hear(line, "Confermo la prenotazione?")
    assert not await salon.is_free()
    line.hang_up()
    await until(salon.is_free)
    assert await salon.appointments() == []


async def test_two_callers_for_one_slot_and_one_booking(salon: Salon) -> None:
    first, second = salon.call("first", "+393000001111"), salon.call("second", "+393000002222")
    await to_the_recap(first, "Elena")
    await hear(first, "Confermo la prenotazione?")
    await to_the_recap(second, "Paolo")
    await hear(second, "Posso offrirle martedì 15 dicembre alle 9 e 30")
    first.transcript("sì")
    await hear(first, "È prenotato.")
    assert await salon.appointments() == [(3, "2026-12-15", "09:00")]


async def test_a_killed_bot_manager_books_once(salon: Salon) -> None:
    line = salon.call("killed", "+393000001111")
    await to_the_recap(line, "Elena")
    await hear(line, "Confermo la prenotazione?")
    line.transcript("sì")
    await until(lambda: _is_made(salon))
    await salon.bot.end(signal.SIGKILL)
    await salon.bot.start()
    await hear(line, "È prenotato.")
    assert await salon.appointments() == [(3, "2026-12-15", "09:00")]


async def _is_made(salon: Salon) -> bool:
    return bool(await salon.appointments())
