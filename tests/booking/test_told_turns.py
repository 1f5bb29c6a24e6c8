"""What the agent tells of its turns: one row of the log each, and the session as it stands, in the contract's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.models import VoiceAuditRow, VoiceStatsRow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known
from dialogue.flow_store import intent_names
from protocol.booking import STEPS, step_of
from tests.booking.serving import MARIA, Served, fill, serving, sqlite_url
from tests.booking.talking import ROOT


@pytest.fixture
async def shop(booking_url: str) -> AsyncIterator[Served]:
    async with serving(booking_url) as served:
        await served.service.change(fill)
        yield served


def report(shop: Served, number: int = 1, age_s: float = 0.0, **more: Any) -> dict[str, Any]:
    """A report; `turn__` and `session__` begin the names of what is another in these parts."""
    turn = {name.removeprefix("turn__"): value for name, value in more.items() if name.startswith("turn__")}
    session = {name.removeprefix("session__"): value for name, value in more.items() if name.startswith("session__")}
    return {
        "id": f"report-{number}",
        "type": "turn",
        "call": {"id": "s1"},
        "turn": {
            "number": number,
            "at": shop.clock.now_s - age_s,
            "state": "ask_intent",
            "text": "vorrei un taglio",
            "intent": "prenotazione",
            "score": 0.93,
            "committed": "endpoint",
            "said": "Parlo con Maria?",
            "latency_ms": 420,
            **turn,
        },
        "session": {
            "id": "s1",
            "state": "confirm_person",
            "values": {"caller_number": "+393331237890", "current_intent": "book", "slots": {"servizi": [1, 3]}},
            "memory": '{"state": "confirm_person"}',
            **session,
        },
    }


async def rows(shop: Served) -> list[dict[str, Any]]:
    def read(session: Session) -> list[dict[str, Any]]:
        found = session.scalars(select(VoiceAuditRow).order_by(VoiceAuditRow.id))
        return [{one.name: getattr(row, one.key) for one in row.__table__.columns} for row in found]

    return await shop.service.read(read)


async def test_a_turn_is_a_row_of_the_log_and_a_session(shop: Served) -> None:
    told = report(shop)
    first = await shop.post("/api/turns", **told)
    assert await shop.post("/api/turns", **told) == first  # what is told twice is written once
    (row,) = await rows(shop)
    assert (row["session_id"], row["user_input"], row["system_response"]) == (
        "s1",
        "vorrei un taglio",
        "Parlo con Maria?",
    )
    assert (row["detected_intent"], row["intent_confidence"], row["latency_ms"]) == ("prenotazione", 0.93, 420)
    assert len(row["user_input_hash"]) == 64
    assert row["action_taken"] is row["error_message"] is row["special_command"] is None
    _, kept = await shop.ask("GET", "/api/sessions/by-number/+393331237890")
    assert (kept["id"], kept["current_intent"], kept["current_step"]) == ("s1", "prenotazione", "identify")
    assert kept["slots"]["servizi"] == [
        {"servizio_id": 1, "nome": "taglio", "durata": 30},
        {"servizio_id": 3, "nome": "piega", "durata": 20},
    ]
    assert (kept["total_turns"], kept["memory"]) == (1, '{"state": "confirm_person"}')
    assert [line["user"] for line in kept["history"]] == ["vorrei un taglio"]


async def test_the_ten_minutes_run_from_the_turn_however_late_it_is_told(shop: Served) -> None:
    await shop.post("/api/turns", **report(shop, age_s=599))
    assert (await shop.ask("GET", "/api/sessions/s1"))[0] == 200
    shop.clock.now_s += 2
    assert (await shop.ask("GET", "/api/sessions/s1"))[0] == 404
    assert len(await rows(shop)) == 1


async def test_a_turn_that_comes_late_is_written_and_changes_no_session_that_went_on(shop: Served) -> None:
    await shop.post("/api/turns", **report(shop, 2, session__state="confirm", turn__text="sì", session__memory="new"))
    await shop.post("/api/turns", **report(shop, 1, age_s=20, session__state="ask_when", session__memory="old"))
    _, kept = await shop.ask("GET", "/api/sessions/s1")
    assert (kept["current_step"], kept["memory"], kept["total_turns"]) == ("recap", "new", 2)
    assert [line["user"] for line in kept["history"]] == ["vorrei un taglio", "sì"]
    assert len(await rows(shop)) == 2


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"turn__intent": "go_back"}, {"special_command": "indietro"}),
        ({"turn__intent": "start_again"}, {"special_command": "annulla"}),
        ({"turn__intent": "no"}, {"detected_intent": "nega", "special_command": None}),
        ({"turn__intent": ""}, {"detected_intent": None, "intent_confidence": None}),
        ({"turn__committed": "trouble"}, {"error_message": "not heard"}),
        (
            {"turn__actions": [{"name": "hold", "outcome": "ok"}, {"name": "create", "outcome": "ok"}]},
            {"action_taken": "create", "action_result": "ok", "error_message": None},
        ),
        (
            {"turn__actions": [{"name": "create", "outcome": "refused"}]},
            {"action_taken": "create", "action_result": "refused", "error_message": None},
        ),
        (
            {"turn__actions": [{"name": "move", "outcome": "timeout"}], "session__ending": "transfer 900"},
            {"action_taken": "handoff", "action_result": "ok", "error_message": "move: timeout"},
        ),
    ],
)
async def test_the_words_of_the_contract(tmp_path: Path, more: dict[str, Any], told: dict[str, Any]) -> None:
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.post("/api/turns", **report(shop, **more))
        (row,) = await rows(shop)
        assert {name: row[name] for name in told} == told


@pytest.mark.parametrize(
    ("more", "completed", "handed_over"),
    [
        ({"session__state": "anything_else"}, True, False),
        ({"session__state": "goodbye", "session__ending": "hangup", "session__outcome": "done"}, True, False),
        (
            {"session__state": "goodbye_silent", "session__ending": "hangup", "session__outcome": "no_input"},
            False,
            False,
        ),
        (
            {"session__state": "hand_over", "session__ending": "transfer 900", "session__outcome": "handed_over"},
            False,
            True,
        ),
        ({"session__state": "confirm"}, False, False),
    ],
)
async def test_what_is_over_is_not_offered(tmp_path: Path, more: Any, completed: bool, handed_over: bool) -> None:
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.post("/api/turns", **report(shop, **more))
        _, kept = await shop.ask("GET", "/api/sessions/s1")
        assert (kept["completed"], kept["handoff_requested"]) == (completed, handed_over)
        status, _ = await shop.ask("GET", "/api/sessions/by-number/+393331237890")
        assert status == (404 if completed or handed_over else 200)


async def test_refused_and_failed_actions_count_for_nothing(shop: Served) -> None:
    for number, outcome in enumerate(("ok", "refused", "timeout"), 1):
        actions = [{"name": "create", "outcome": outcome}]
        await shop.post("/api/turns", **report(shop, number, turn__actions=actions, session__id=f"s{number}"))
    failed = [{"name": "hold", "outcome": "error"}]
    handed_over = report(shop, 4, turn__actions=failed, session__id="s4", session__ending="transfer 900")
    await shop.post("/api/turns", **handed_over)
    await shop.service.retain_once()

    def read(session: Session) -> tuple[int, int, int, int]:
        row = session.scalars(select(VoiceStatsRow).order_by(VoiceStatsRow.giorno.desc())).first()
        assert row is not None
        return row.sessions, row.bookings, row.handed_over, row.failed_turns

    assert await shop.service.read(read) == (4, 1, 1, 2)


async def test_a_client_that_is_not_there_costs_no_report(shop: Served) -> None:
    for client in (MARIA, 999):
        values = {"caller_number": "", "cliente_id": client}
        await shop.post("/api/turns", **report(shop, client, session__id=f"s{client}", session__values=values))
    assert (await shop.ask("GET", f"/api/sessions/s{MARIA}"))[1]["cliente_id"] == MARIA
    assert (await shop.ask("GET", "/api/sessions/s999"))[1]["cliente_id"] is None


async def test_what_is_no_report_is_refused(shop: Served) -> None:
    for wrong in (
        {},
        {"id": "x", "turn": {}, "session": {}},
        report(shop, session__id=""),
        report(shop, turn__at="now"),
    ):
        assert (await shop.ask("POST", "/api/turns", wrong))[0] == 422
    assert await rows(shop) == []


def test_every_state_of_the_flow_has_a_step() -> None:
    folder = ROOT / "flows" / "it"
    known = Known(intent_names(folder / "intents.yaml"), frozenset(), {}, language="it", knowledge={"faq": ()})
    flow = read_flow((folder / "booking.yaml").read_text(encoding="utf-8"), "booking.yaml", known)
    named = {state for states in STEPS.values() for state in states.split()}
    others = {"offer_human", "backend_down", "hand_over", "write_instead", "link_made", "link_sent"}
    assert set(flow.states) - named == others
    assert named <= set(flow.states)
    assert step_of("hand_over") == "hand_over"
