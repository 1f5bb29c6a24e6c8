"""Turns are told to the booking service once each, and callers who were cut off go on: over kills and an outage."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.models import VoiceAuditRow, VoiceSessionRow
from protocol.messages import HangUp, TransferCall
from tests.bot_manager.conftest import Exchange, IntentServer, Line, until
from tests.bot_manager.salon import Salon, hear, salon_of, to_the_recap

ELENA, PAOLO = "+393000001111", "+393000002222"
PATIENCE_S = 60.0
OFFER = "Vuole continuare da dove eravamo rimasti?"


@dataclass
class Door:
    """What stands before the booking service's door for turns: it may be shut."""

    server: TestServer
    shop: str = ""
    shut: bool = False
    knocks: list[str] = field(default_factory=list)

    async def pass_on(self, request: web.Request) -> web.Response:
        self.knocks.append(request.headers["Idempotency-Key"])
        if self.shut:
            return web.Response(status=503)
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type", "Idempotency-Key")}
        async with aiohttp.ClientSession() as session:
            url, body = f"{self.shop}/api/turns", await request.read()
            async with session.post(url, data=body, headers=headers) as answer:
                return web.Response(status=answer.status, body=await answer.read())


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    app = web.Application()
    found = Door(TestServer(app))
    app.router.add_post("/api/turns", found.pass_on)
    await found.server.start_server()
    yield found
    await found.server.close()


@pytest.fixture
async def salon(
    bot_settings: dict[str, str], exchange: Exchange, intents: IntentServer, tmp_path: Path, door: Door
) -> AsyncIterator[Salon]:
    turns = f"127.0.0.1:{door.server.port}"
    async with salon_of(bot_settings, exchange, intents, tmp_path, turns) as found:
        door.shop = str(found.served.http.base_url).rstrip("/")
        yield found


async def turns_of(salon: Salon, session_id: str) -> list[tuple[str, str, str]]:
    """What was said, the intent and the action of each row of the log, in the order of the turns."""

    def rows(session: Session) -> list[tuple[str, str, str]]:
        of = select(VoiceAuditRow).where(VoiceAuditRow.session_id == session_id).order_by(VoiceAuditRow.timestamp)
        return [(row.user_input, row.detected_intent or "", row.action_taken or "") for row in session.scalars(of)]

    return await salon.served.service.read(rows)


async def session_of(salon: Salon, session_id: str) -> dict[str, Any]:
    """A session's row; empty while there is none."""

    def row(session: Session) -> dict[str, Any]:
        found = session.get(VoiceSessionRow, session_id)
        return {} if found is None else {one.name: getattr(found, one.key) for one in found.__table__.columns}

    return await salon.served.service.read(row)


async def told(salon: Salon, session_id: str, count: int) -> list[tuple[str, str, str]]:
    """The rows of a session once there are so many."""

    async def are_there() -> bool:
        return len(await turns_of(salon, session_id)) >= count

    await until(are_there, PATIENCE_S)
    return await turns_of(salon, session_id)


async def cut_off_at_the_recap(salon: Salon, call_id: str = "cut") -> Line:
    line = salon.call(call_id, ELENA)
    await to_the_recap(line, "Elena")
    await hear(line, "Confermo la prenotazione?")
    line.hang_up()
    await told(salon, call_id, 2)
    return line


async def test_a_caller_who_was_cut_off_goes_on_at_the_open_question(salon: Salon) -> None:
    await cut_off_at_the_recap(salon)
    kept = await session_of(salon, "cut")
    assert (kept["current_intent"], kept["current_step"], kept["cliente_id"]) == ("prenotazione", "recap", 3)
    assert kept["slots"] == {
        "cliente_id": 3,
        "servizi": [{"servizio_id": 1, "nome": "taglio", "durata": 30}],
        "data": "2026-12-15",
        "ora": "09:00",
        "operatore_id": 1,
    }
    assert (kept["total_turns"], kept["completed"], kept["handoff_requested"]) == (2, False, False)

    again = salon.call("again", ELENA, after_s=60)
    await hear(again, OFFER)
    again.transcript("sì")
    await hear(again, "Va bene, continuiamo.", "Riepilogo: taglio, martedì 15 dicembre alle 9.")
    assert await salon.appointments() == []
    again.transcript("sì")
    await hear(again, "È prenotato.", "Posso fare altro per lei?")
    again.transcript("no")
    assert isinstance(await again.end(), HangUp)
    assert await salon.appointments() == [(3, "2026-12-15", "09:00")]
    rows = await told(salon, "cut", 5)
    assert [intent for _, intent, _ in rows] == ["prenotazione", "conferma", "conferma", "conferma", "nega"]
    assert [action for *_, action in rows][3] == "create"
    assert await turns_of(salon, "again") == []
    kept = await session_of(salon, "cut")
    assert (kept["completed"], kept["total_turns"], len(kept["history"])) == (True, 5, 5)

    third = salon.call("third", ELENA, after_s=120)
    await hear(third, "Come posso aiutarla?")  # what is completed is not offered
    third.hang_up()


async def test_a_no_begins_anew_and_others_never_resume(salon: Salon) -> None:
    await cut_off_at_the_recap(salon)
    for name, number in (("paolo", PAOLO), ("withheld", ""), ("anonymous", "anonymous")):
        other = salon.call(name, number, after_s=30)
        await hear(other, "Come posso aiutarla?")
        other.hang_up()
    same = salon.call("same", ELENA, after_s=60)
    await hear(same, OFFER)
    same.transcript("no")
    await hear(same, "Va bene, ricominciamo.", "Come posso aiutarla?")
    same.hang_up()
    salon.served.clock.now_s += 660  # the session of the first call has expired, that of the last one has no intent
    late = salon.call("late", ELENA, after_s=660)
    await hear(late, "Come posso aiutarla?")
    late.hang_up()


async def test_who_was_handed_over_is_not_asked_again(salon: Salon, intents: IntentServer) -> None:
    intents.answers["un operatore per favore"] = {"intent": "human", "score": 0.97, "fallback": False}
    line = salon.call("handed", ELENA)
    await to_the_recap(line, "Elena")
    await hear(line, "Confermo la prenotazione?")
    line.transcript("un operatore per favore")
    await hear(line, "La passo a una persona")
    assert isinstance(await line.end(), TransferCall)
    rows = await told(salon, "handed", 3)
    assert rows[2] == ("un operatore per favore", "operatore", "handoff")
    assert (await session_of(salon, "handed"))["handoff_requested"]
    again = salon.call("again", ELENA, after_s=60)
    await hear(again, "Come posso aiutarla?")
    again.hang_up()


async def test_turns_are_told_once_over_kills_and_an_outage(salon: Salon, door: Door) -> None:
    door.shut = True
    line = salon.call("killed", ELENA)
    await to_the_recap(line, "Elena")
    await hear(line, "Confermo la prenotazione?")
    await salon.bot.end(signal.SIGKILL)
    await salon.bot.start()
    line.hang_up()
    await until(lambda: len(set(door.knocks)) == 2, PATIENCE_S)
    assert await turns_of(salon, "killed") == []
    door.shut = False
    rows = await told(salon, "killed", 2)
    assert [intent for _, intent, _ in rows] == ["prenotazione", "conferma"]
    again = salon.call("again", ELENA, after_s=60)
    await hear(again, OFFER)
    again.transcript("sì")
    await hear(again, "Riepilogo: taglio, martedì 15 dicembre alle 9.")
    await salon.bot.end(signal.SIGKILL)
    await salon.bot.start()
    again.transcript("sì")
    await hear(again, "È prenotato.")
    again.hang_up()
    assert await salon.appointments() == [(3, "2026-12-15", "09:00")]
    await until(lambda: _is_completed(salon, "killed"), PATIENCE_S)
    assert len(await turns_of(salon, "killed")) == len(set(door.knocks)) == 4


async def _is_completed(salon: Salon, session_id: str) -> bool:
    return bool((await session_of(salon, session_id)).get("completed"))
