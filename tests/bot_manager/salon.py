"""A bot manager with the booking flow and the demo shop's booking service behind it: processes, HTTP, Redis, SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.demo import fill_demo
from booking_service.models import AppointmentRow
from config import ROOT
from protocol.items import SpeechItem
from protocol.messages import CallStarted, Say
from tests.booking.serving import Clock, Served, serving, sqlite_url
from tests.bot_manager.bot_process import Bot, bot_of
from tests.bot_manager.conftest import Exchange, IntentServer, Line

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

    def call(self, call_id: str, number: str, after_s: float = 0.0) -> Line:
        """Somebody calls, so long after the shop's clock stood still."""
        line = self.exchange.line(call_id)
        line.at = NOW.timestamp() + after_s
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


@asynccontextmanager
async def salon_of(
    settings: dict[str, str],
    exchange: Exchange,
    intents: IntentServer,
    folder: Path,
    turns: str = "",
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[Salon]:
    """Everything, started. `turns`: the server that turns are told to, where it is not the shop's own; `more`: texts of
    the flow's files, and what takes their place."""
    clock = Clock(NOW.timestamp())
    credentials = folder / "credentials"
    credentials.mkdir()
    (credentials / "booking").write_text(TOKEN)
    intents.answers[WISH] = {"intent": "prenotazione", "score": 0.97, "fallback": False}
    async with serving(sqlite_url(folder), clock=clock, PRONTO_TOKEN=TOKEN) as served:
        await served.service.change(lambda session: fill_demo(session, NOW.date()))
        server = f"127.0.0.1:{served.http.base_url.port}"
        flows = folder / "flows" / "it"
        flows.mkdir()
        for name in ("booking.yaml", "intents.yaml", "faq.md"):
            text = (ROOT / "flows" / "it" / name).read_text(encoding="utf-8")
            text = text.replace("127.0.0.1:3001/api/turns", f"{turns or server}/api/turns")
            for found, instead in (more or {}).items():
                text = text.replace(found, instead, 1)
            (flows / name).write_text(text.replace("127.0.0.1:3001", server), encoding="utf-8")
        hosts = ",".join(filter(None, (server, turns, settings.get("ACTION_PRIVATE_HOSTS", ""))))
        actions = {"ACTION_PRIVATE_HOSTS": hosts, "ACTION_CREDENTIALS_DIR": str(credentials)}
        async with bot_of({**settings, **actions}, folder / "bot.log") as bot:
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
