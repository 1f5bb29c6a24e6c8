"""From a call to text and back: a caller asks for the rest by message, goes on in writing, and calls again. Real
processes: bot manager, text service, booking service, Redis; the receiver of messages is a stand-in."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking_service.models import AppointmentRow, VoiceSessionRow
from callers.writer import Writer
from devstack.processes import free_tcp_port
from devstack.redis_server import as_user
from protocol.messages import HangUp
from tests.bot_manager.conftest import Exchange, IntentServer, Line, until
from tests.bot_manager.salon import NOW, SLOT, Salon, hear, salon_of
from tests.bot_manager.test_voice_process import KEY, Writing

ELENA = "+393000001111"
HEADERS = {"Authorization": f"Bearer {KEY}"}
PAGE = "https://bot.example"
PATIENCE_S = 60.0
SHIPPED_AT = "127.0.0.1:8087/api/text/links"
BY_MESSAGE = "mi mandi un messaggio"
SENT = "Le mando un messaggio con un link: continuiamo lì, per iscritto. A presto!"
OFFER = "Vuole continuare da dove eravamo rimasti?"
RECAP = "Riepilogo: taglio, "
MONTHS = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()


@dataclass
class Post:
    """Who takes messages to callers: (number, text) of each."""

    server: TestServer
    came: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        if body["type"] == "message":
            self.came.append((body["to"], body["text"]))
        return web.Response(status=204)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    app = web.Application()
    found = Post(TestServer(app))
    app.router.add_post("/", found.take)
    await found.server.start_server()
    yield found
    await found.server.close()


@pytest.fixture
def text_port() -> int:
    return free_tcp_port()


@pytest.fixture
async def salon(
    bot_settings: dict[str, str], exchange: Exchange, intents: IntentServer, tmp_path: Path, post: Post, text_port: int
) -> AsyncIterator[Salon]:
    intents.answers[BY_MESSAGE] = {"intent": "by_message", "score": 0.97, "fallback": False}
    server = f"127.0.0.1:{text_port}"
    settings = {
        **bot_settings,
        "WEBHOOK_URL": str(post.server.make_url("/")),
        "ACTION_PRIVATE_HOSTS": f"{server},127.0.0.1:{post.server.port}",
    }
    async with salon_of(settings, exchange, intents, tmp_path, more={SHIPPED_AT: f"{server}/api/text/links"}) as found:
        (tmp_path / "credentials" / "text").write_text(KEY)
        (tmp_path / "credentials" / "webhook").write_text("a-secret-of-webhooks")
        found.served.clock.now_s = time.time()  # as the text service's own
        yield found


@pytest.fixture
async def writing(
    salon: Salon, bot_settings: dict[str, str], redis_url: str, tmp_path: Path, text_port: int
) -> AsyncIterator[Writing]:
    more = {
        "TEXT_API_KEY": KEY,
        "TEXT_PORT": str(text_port),
        "TEXT_PAGE_URL": PAGE,
        "REDIS_URL": as_user(redis_url, "text"),
    }
    found = Writing({**bot_settings, **more}, text_port, tmp_path / "text.log")
    await found.start()
    yield found
    await found.end()
    await found.http.aclose()


def calls(salon: Salon, call_id: str) -> Line:
    return salon.call(call_id, ELENA, after_s=time.time() - NOW.timestamp())


async def wish(salon: Salon, intents: IntentServer) -> tuple[str, date]:
    """What a caller says who wants a day on which the shop has a place, and that day; today's clock counts."""
    day = date.today() + timedelta(days=7)
    while day.day < 2 or not await is_free(salon, day):
        day += timedelta(days=1)
    said = f"vorrei un taglio il {day.day} {MONTHS[day.month - 1]} alle nove con Giulia"
    intents.answers[said] = {"intent": "prenotazione", "score": 0.97, "fallback": False}
    return said, day


async def is_free(salon: Salon, day: date) -> bool:
    answer = await salon.served.post("/api/appuntamenti/disponibilita", **{**SLOT, "data": day.isoformat()})
    return bool(answer["available"])


async def at_the_recap(salon: Salon, call_id: str, said: str) -> Line:
    line = calls(salon, call_id)
    await hear(line, "Come posso aiutarla?")
    line.transcript(said)
    await hear(line, "Parlo con Elena?")
    line.transcript("sì")
    await hear(line, "Confermo la prenotazione?")
    return line


async def link_for(salon: Salon, post: Post, said: str) -> str:
    """A caller asks at the recap for the rest by message; the secret that they are sent."""
    line = await at_the_recap(salon, "first", said)
    line.transcript(BY_MESSAGE)
    await hear(line, SENT)
    assert isinstance(await line.end(), HangUp)
    await until(lambda: bool(post.came), PATIENCE_S)
    ((to, text),) = post.came
    address = text.removeprefix("Continui qui la nostra conversazione: ")
    assert (to, address.partition("#")[0]) == (ELENA, f"{PAGE}/chat/page.html?language=it")
    secret = address.partition("#go=")[2]
    assert len(secret) == 32
    return secret


async def turns_told(salon: Salon, count: int) -> None:
    def turns(session: Session) -> int:
        return session.scalar(select(VoiceSessionRow.total_turns).where(VoiceSessionRow.id == "first")) or 0

    async def are_told() -> bool:
        return await salon.served.service.read(turns) >= count

    await until(are_told, PATIENCE_S)


def writer_of(text_port: int, link: str) -> Writer:
    return Writer(f"ws://127.0.0.1:{text_port}/ws/text", HEADERS, link=link)


async def sees(writer: Writer, text: str) -> None:
    await until(lambda: any(text in one.text for one in writer.shown), PATIENCE_S)


async def test_a_caller_goes_on_in_writing_with_what_is_known_and_calls_again(
    salon: Salon, writing: Writing, post: Post, text_port: int, intents: IntentServer
) -> None:
    said, day = await wish(salon, intents)
    secret = await link_for(salon, post, said)
    await turns_told(salon, 3)
    async with writer_of(text_port, secret).writing() as writer:
        await sees(writer, OFFER)  # before anything is written
        assert RECAP in (await writer.ask("sì"))["response"]
        async with writer_of(text_port, secret).writing() as other:
            await until(lambda: [error["code"] for error in other.errors] == ["link_taken"], PATIENCE_S)
            assert other.shown == []
        writer.link = secret  # the same browser opens it once more
        await writing.end(signal.SIGKILL)
        await writing.start()
        await until(lambda: writer.connected == 2 and not writer.link, PATIENCE_S)
        assert (writer.errors, writer.twice, len([one for one in writer.shown if OFFER in one.text])) == ([], [], 1)
    assert await salon.appointments() == []
    await turns_told(salon, 4)
    again = calls(salon, "again")
    await hear(again, OFFER)
    again.transcript("sì")
    await hear(again, RECAP)
    again.transcript("sì")
    await hear(again, "È prenotato.")
    again.hang_up()
    assert await salon.appointments() == [(3, day.isoformat(), "09:00")]


async def test_a_link_that_is_none_or_too_old_leads_nowhere_and_the_page_is_there(
    salon: Salon, writing: Writing, text_port: int
) -> None:
    for secret in ("x" * 32, "short", "../" + "x" * 29):
        async with writer_of(text_port, secret).writing() as writer:
            await until(lambda: [error["code"] for error in writer.errors] == ["unknown_link"], PATIENCE_S)
            assert (await writer.ask("buongiorno"))["response"]
    for body in ({"number": "nobody"}, {"number": ELENA, "flow": "it/nothing"}, {"number": ELENA, "more": 1}, {}):
        assert (await writing.http.post("/api/text/links", json=body)).status_code == 422
    stranger = await writing.http.post("/api/text/links", json={"number": ELENA}, headers={"Authorization": "Bearer x"})
    assert stranger.status_code == 401


async def test_the_same_dialogue_makes_the_same_appointment_by_text_and_by_telephone(
    salon: Salon, writing: Writing, text_port: int, intents: IntentServer
) -> None:
    def rows(session: Session) -> list[dict[str, Any]]:
        own = {"id", "confirmation_code", "created_at", "updated_at", "session_id", "request_key"}
        columns = [column for column in AppointmentRow.__table__.columns if column.name not in own]
        return [{one.name: getattr(row, one.key) for one in columns} for row in session.scalars(select(AppointmentRow))]

    said, _ = await wish(salon, intents)
    line = await at_the_recap(salon, "spoken", said)
    line.transcript("sì")
    await hear(line, "Posso fare altro per lei?")
    line.transcript("no")
    assert isinstance(await line.end(), HangUp)
    spoken = await salon.served.service.read(rows)
    assert len(spoken) == 1
    await salon.served.service.change(lambda session: session.execute(delete(AppointmentRow)))

    made = await writing.http.post("/api/text/links", json={"number": ELENA, "flow": "it/booking"})
    async with writer_of(text_port, made.json()["link"].partition("#go=")[2]).writing() as writer:
        await sees(writer, "Come posso aiutarla?")
        assert "Parlo con Elena?" in (await writer.ask(said))["response"]
        assert RECAP in (await writer.ask("sì"))["response"]
        assert "È prenotato." in (await writer.ask("sì"))["response"]
        assert (await writer.ask("no"))["ended"] == "bot_hung_up"
    assert await salon.served.service.read(rows) == spoken
