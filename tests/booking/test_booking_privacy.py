"""After thirty days nothing personal is left in any column nor in the file, before that all is; on wish at once."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from booking_service import conversations
from booking_service.models import BookingBase, VoiceAuditRow
from booking_service.privacy import REDACTED, erase, export, wipe
from booking_service.refusals import BookingRefused
from pronto.__main__ import main
from tests.booking.samples import ROME
from tests.booking.serving import MARIA, Ledger, Served, fill, serving, sqlite_url

DAY_S = 86_400
SECRET = "segretissima"
"""Stands in everything that a caller says here."""


async def converse(shop: Served, session_id: str, user_input: str = f"sono {SECRET}", **more: Any) -> None:
    entry = {
        "session_id": session_id,
        "user_input": user_input,
        "detected_intent": "prenotazione",
        "intent_confidence": 0.9,
        "slots_extracted": {"cliente_nome": SECRET},
        "system_response": f"Buongiorno {SECRET}",
        "action_taken": "create",
        "action_result": f"appuntamento di {SECRET}",
        "latency_ms": 120,
        "ip_address": "192.0.2.7",
        **more,
    }
    assert (await shop.ask("POST", "/api/audit", entry))[0] == 200


async def rows(shop: Served) -> list[VoiceAuditRow]:
    return await shop.service.read(
        lambda session: list(session.scalars(select(VoiceAuditRow).order_by(VoiceAuditRow.id)))
    )


async def everything(shop: Served) -> str:
    """All that the tables hold, as text."""

    def read(session: Any) -> str:
        tables = BookingBase.metadata.sorted_tables
        return json.dumps([[list(row) for row in session.execute(select(one))] for one in tables], default=str)

    return await shop.service.read(read)


async def test_rows_of_31_days_hold_nothing_and_rows_of_29_days_are_whole(booking_url: str, tmp_path: Path) -> None:
    async with serving(booking_url) as shop:
        await shop.service.change(fill)
        await converse(shop, "old")
        await converse(shop, "old", "", error_message=f"fallito per {SECRET}")  # an empty input, and an error
        await shop.ask("PUT", "/api/sessions/old", {"slots": {"nome": SECRET}, "caller_number": SECRET})
        await shop.book(note=SECRET)
        await shop.service.send_due(Ledger())
        shop.clock.now_s += 2 * DAY_S
        await converse(shop, "young", f"giovane {SECRET}")
        shop.clock.now_s += 29 * DAY_S
        assert await shop.service.retain_once() == 4  # two turns, a session, a message
        old, empty, young = await rows(shop)
        for row in (old, empty):
            assert (row.user_input, row.system_response, row.ip_address) == (REDACTED, REDACTED, REDACTED)
            assert (row.user_input_hash, row.slots_extracted) == ("", {"cliente_nome": REDACTED})
            assert row.action_result == REDACTED
            assert (row.detected_intent, row.latency_ms) == ("prenotazione", 120)
        assert (old.error_message, empty.error_message) == (None, REDACTED)
        assert (young.user_input, young.ip_address) == (f"giovane {SECRET}", "192.0.2.7")
        assert len(young.user_input_hash) == 64
        assert await shop.service.retain_once() == 0  # nothing twice
        shop.clock.now_s += 2 * DAY_S
        assert await shop.service.retain_once() == 2  # a turn, the note of an appointment of the day after
        assert SECRET not in await everything(shop)
    if booking_url.startswith("sqlite"):
        files = [path.read_bytes() for path in tmp_path.iterdir()]  # noqa: ASYNC240
        assert not any(SECRET.encode() in one for one in files)
        assert any(b"Rossi" in one for one in files)  # it is the right file


async def test_a_client_is_exported_and_erased_and_their_appointment_stays(booking_url: str, tmp_path: Path) -> None:
    async with serving(booking_url) as shop:
        await shop.service.change(fill)
        _, made = await shop.book(session_id="call-1", note=SECRET)
        await converse(shop, "call-1")
        await shop.post("/api/waitlist/add", cliente_id=MARIA, servizio_id=1, data_preferita="2026-01-16")
        await shop.service.send_due(Ledger())
        kept = await shop.service.read(lambda session: export(session, MARIA))
        assert kept["cliente"]["telefono"] == "3331237890"
        assert [len(kept[name]) for name in ("appuntamenti", "waitlist", "messaggi", "conversazioni")] == [1, 1, 1, 1]
        await shop.service.change(lambda session: erase(session, MARIA, shop.clock.now_s))
        await shop.service.read(lambda session: wipe(session.get_bind().engine))
        left = await everything(shop)
        assert not any(one in left for one in (SECRET, "Rossi", "3331237890"))
        [stays] = (await shop.post("/api/appuntamenti/search", status="BOOKED"))["appuntamenti"]
        assert (stays["id"], stays["data"]) == (made["id"], made["data"])
        assert (await shop.post("/api/clienti/search", nome="Maria"))["count"] == 0
        assert (await shop.book(ora="15:00"))[0] == 404
        with pytest.raises(BookingRefused):
            await shop.service.change(lambda session: erase(session, MARIA, shop.clock.now_s))


async def test_a_session_lives_ten_minutes_from_its_last_turn(tmp_path: Path) -> None:
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.service.change(fill)
        state = {
            "current_step": "date",
            "slots": {"servizi": [1]},
            "caller_number": "+393001234567",
            "cliente_id": MARIA,
        }
        await shop.ask("PUT", "/api/sessions/s1", state)
        shop.clock.now_s += 599
        await shop.ask("PUT", "/api/sessions/s1", {"total_turns": 2})
        shop.clock.now_s += 599
        status, found = await shop.ask("GET", "/api/sessions/s1")
        assert (status, found["current_step"], found["total_turns"], found["slots"]) == (
            200,
            "date",
            2,
            {"servizi": [1]},
        )
        assert (await shop.ask("GET", "/api/sessions/by-number/+393001234567"))[1]["id"] == "s1"
        assert (await shop.ask("GET", "/api/sessions/by-number/+393001234568"))[0] == 404
        shop.clock.now_s += 1
        assert (await shop.ask("GET", "/api/sessions/s1"))[0] == 404
        assert (await shop.ask("GET", "/api/sessions/by-number/+393001234567"))[0] == 404
        _, anew = await shop.ask("PUT", "/api/sessions/s1", {"total_turns": 1})
        assert anew["slots"] == {}
        await shop.ask("PUT", "/api/sessions/s1", {"caller_number": "+393001234567", "completed": True})
        assert (await shop.ask("GET", "/api/sessions/by-number/+393001234567"))[0] == 404
        shop.clock.now_s += 600
        await shop.service.change(lambda session: conversations.forget(session, shop.clock.now_s))
        assert "+393001234567" not in await everything(shop)


async def test_a_day_is_counted(tmp_path: Path) -> None:
    async with serving(sqlite_url(tmp_path)) as shop:
        await converse(shop, "a", latency_ms=100)
        await converse(shop, "a", action_taken="change", latency_ms=200)
        await converse(shop, "b", action_taken="handoff", detected_intent="operatore", latency_ms=300)
        await converse(shop, "c", action_taken="create", error_message="backend", latency_ms=None)
        await converse(shop, "d", action_taken=None, detected_intent=None)
        shop.clock.now_s += DAY_S
        await converse(shop, "e", action_taken="cancel")
        day = datetime.fromtimestamp(shop.clock.now_s - DAY_S, ROME).date()
        stats = await shop.service.change(lambda session: conversations.count_day(session, day, "it/booking", ROME))
        assert (stats.sessions, stats.completed, stats.handed_over, stats.abandoned) == (4, 1, 1, 2)
        assert (stats.bookings, stats.changes, stats.cancellations, stats.failed_turns) == (1, 1, 0, 1)
        assert (stats.mean_latency_ms, stats.p95_latency_ms) == (180, 300)
        assert stats.intents == {"prenotazione": 3, "operatore": 1}
        again = await shop.service.change(lambda session: conversations.count_day(session, day, "it/booking", ROME))
        assert again.sessions == 4


def test_a_demo_shop_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOOKING_DATABASE_URL", sqlite_url(tmp_path))
    assert main(["booking", "demo"]) == 0
    assert "5 clienti" in capsys.readouterr().out
    assert main(["booking", "demo"]) == 1  # never over a shop that is there
    assert main(["booking", "export", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["cliente"]["telefono"].startswith("300")
    assert main(["booking", "erase", "1"]) == 0
    assert main(["booking", "export", "1"]) == 1
    assert main(["booking", "retention"]) == 0
    assert b"1985-03-15" not in (tmp_path / "booking.sqlite").read_bytes()
