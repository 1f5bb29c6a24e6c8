"""Appointments through a bot manager and a booking service that are really there: HTTP, Redis, SQLite, kills."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.demo import fill_demo
from booking_service.models import AppointmentRow
from config import ROOT
from protocol.items import SpeechItem
from protocol.messages import CallStarted, HangUp, Say
from tests.booking.serving import Clock, Served, serving, sqlite_url
from tests.bot_manager.bot_process import Bot, bot_of
from tests.bot_manager.conftest import Exchange, IntentServer, Line, until

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=ZoneInfo("Europe/Rome"))
TOKEN = "ab" * 20
WISH = "vorrei un taglio il quindici dicembre alle nove con Giulia"
SLOT = {"data": "2026-12-15", "ora": "09:00", "servizi": [1], "operatore_id": 1}


@dataclass
class Salon:
    """A bot manager with the booking flow, and the shop behind it."""

    served: Served
    bot: Bot
    exchange: Exchange

    def call(self, call_id: str, number: str) -> Line:
        line = self.exchange.line(call_id)
        line.send(CallStarted(call_id, line.tick(), number, "+390600000001", "it/booking"))
        return line

    async def appointments(self) -> list[tuple[int, str, str]]:
        """Client, day and time of each."""

        def rows(session: Session) -> list[tuple[int, str, str]]:
            found = session.scalars(select(AppointmentRow).order_by(AppointmentRow.id))
            return [(row.cliente_id, row.data.isoformat(), row.ora.isoformat("minutes")) for row in found]

        return await self.served.service.read(rows)

    async def is_free(self) -> bool:
        answer: dict[str, Any] = await self.served.post("/api/appuntamenti/disponibilita", **SLOT)
        return bool(answer["available"])


@pytest.fixture
async def salon(
    bot_settings: dict[str, str], exchange: Exchange, intents: IntentServer, flows_dir: Path, tmp_path: Path
) -> AsyncIterator[Salon]:
    clock = Clock(NOW.timestamp())
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "booking").write_text(TOKEN)
    intents.answers[WISH] = {"intent": "prenotazione", "score": 0.97, "fallback": False}
    async with serving(sqlite_url(tmp_path), clock=clock, PRONTO_TOKEN=TOKEN) as served:
        await served.service.change(lambda session: fill_demo(session, NOW.date()))
        server = f"127.0.0.1:{served.http.base_url.port}"
        folder = flows_dir / "it"
        folder.mkdir()
        for name in ("booking.yaml", "intents.yaml"):
            text = (ROOT / "flows" / "it" / name).read_text(encoding="utf-8")
            (folder / name).write_text(text.replace("127.0.0.1:3001", server), encoding="utf-8")
        more = {"ACTION_PRIVATE_HOSTS": server, "ACTION_CREDENTIALS_DIR": str(credentials)}
        async with bot_of({**bot_settings, **more}, tmp_path / "bot.log") as bot:
            await bot.start()
            yield Salon(served, bot, exchange)


async def hear(line: Line, *sentences: str) -> None:
    """Hears prompts out until the last of them has all of `sentences` in it."""
    said: list[str] = []
    while not all(any(sentence in one for one in said) for sentence in sentences):
        say: Say = await line.next(Say)
        said += [item.text for item in say.items if isinstance(item, SpeechItem)]
        line.played(say)


async def to_the_recap(line: Line, name: str) -> None:
    await hear(line, "Come posso aiutarla?")
    line.transcript(WISH)
    await hear(line, f"Parlo con {name}?")
    line.transcript("sì")


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
