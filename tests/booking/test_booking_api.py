"""The contract over HTTP, on SQLite and on PostgreSQL: what is answered, what is refused, what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from booking_service import waiting
from booking_service.written import CODE_SIGNS
from tests.booking.samples import COLOUR, CUT, GIULIA, MARCO, STYLE
from tests.booking.serving import LUCA, MARIA, VERA, Served, fill, serving, sqlite_url

THURSDAY = "2026-01-15"
MISSING = {"data": THURSDAY, "ora": "10:00", "durata_minuti": 30}


@pytest.fixture
async def shop(booking_url: str) -> AsyncIterator[Served]:
    async with serving(booking_url) as served:
        await served.service.change(fill)
        yield served


async def booked(shop: Served) -> list[dict[str, Any]]:
    found = await shop.post("/api/appuntamenti/search", status="BOOKED")
    return list(found["appuntamenti"])


async def test_what_the_shop_says_of_itself(shop: Served) -> None:
    assert await shop.ask("GET", "/api/settings/nome_attivita") == (200, {"nome_attivita": "Salone Prova"})
    _, hours = await shop.ask("GET", "/api/settings/orari_lavoro")
    assert [one["giorno"] for one in hours["orari_lavoro"] if one["aperto"]] == [1, 2, 3, 4, 5]
    assert hours["orari_lavoro"][2] == {
        **{"giorno": 2, "aperto": True, "apertura": "09:00", "chiusura": "19:00"},
        **{"pausa_inizio": "12:30", "pausa_fine": "14:00"},
    }
    _, holidays = await shop.ask("GET", "/api/settings/giorni_festivi")
    assert {"data": "2026-01-22", "nome": "Festa del patrono", "ogni_anno": False} in holidays["giorni_festivi"]
    _, staff = await shop.ask("GET", "/api/operatori/list")
    assert staff["operatori"] == [
        {"id": GIULIA, "nome": "Giulia", "servizi": None},
        {"id": MARCO, "nome": "Marco", "servizi": [CUT]},
    ]
    _, services = await shop.ask("GET", "/api/servizi/list")
    assert services["servizi"][0] == {"id": CUT, "nome": "taglio", "durata_minuti": 30, "prezzo": 25.0, "sinonimi": []}
    status, health = await shop.ask("GET", "/health")
    assert (status, health["status"], health["components"]["database"]) == (200, "ok", "ok")
    assert (await shop.ask("GET", "/api/settings/password"))[0] == 404


async def test_an_appointment_from_the_question_to_the_calendar(shop: Served) -> None:
    asked = {"data": THURSDAY, "ora": "10:00", "servizi": [CUT, COLOUR, CUT], "operatore_id": GIULIA}
    assert await shop.post("/api/appuntamenti/disponibilita", **asked) == {
        "available": True, "operatore_id": GIULIA, "operatore_nome": "Giulia", "alternatives": [],
    }  # fmt: skip
    status, made = await shop.book(
        servizi=[CUT, COLOUR, CUT], operatore_id=GIULIA, session_id="call-1", note="finestra"
    )
    assert status == 200
    assert len(made["confirmation_code"]) == 6
    assert set(made["confirmation_code"]) <= set(CODE_SIGNS)
    assert (made["cliente_nome"], made["cliente_telefono"], made["operatore_nome"]) == (
        "Maria Rossi", "3331237890", "Giulia",
    )  # fmt: skip
    assert [one["nome"] for one in made["servizi"]] == ["taglio", "colore"]
    assert made["durata_minuti"] == 90
    assert await booked(shop) == [made]
    refused = await shop.post("/api/appuntamenti/disponibilita", **{**asked, "ora": "11:00"})
    assert (refused["available"], refused["reason"]) == (False, "conflict")
    assert [one["ora"] for one in refused["alternatives"]] == ["14:00", "14:15", "14:30"]  # 90 minutes with Giulia


async def test_the_same_request_again_makes_no_second(shop: Served) -> None:
    first = await shop.book(session_id="call-1")
    assert await shop.book(session_id="call-1") == first
    assert await shop.book(session_id="call-1", operatore_id=first[1]["operatore_id"]) == first
    other = await shop.book(ora="11:00", session_id="call-1")  # another wish of the same call
    assert other[1]["id"] != first[1]["id"]
    keyed = {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "15:00"}
    path = "/api/appuntamenti/create"
    once = await shop.ask("POST", path, keyed, Idempotency_Key="k1")
    assert await shop.ask("POST", path, keyed, Idempotency_Key="k1") == once
    assert (await shop.ask("POST", path, {**keyed, "ora": "16:00"}, Idempotency_Key="k1"))[0] == 422
    assert len(await booked(shop)) == 3
    with_both = {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "10:00", "session_id": "call-1"}
    assert await shop.ask("POST", path, with_both, Idempotency_Key="k2") == first  # a second yes, under another key
    assert len(await booked(shop)) == 3


async def test_one_that_was_cancelled_can_be_made_again_in_the_same_call(shop: Served) -> None:
    _, first = await shop.book(session_id="call-1")
    assert await shop.ask("DELETE", f"/api/appuntamenti/{first['id']}") == (204, None)
    assert await shop.ask("DELETE", f"/api/appuntamenti/{first['id']}") == (204, None)
    assert (await shop.book(session_id="call-1"))[1]["id"] != first["id"]
    assert (await shop.ask("DELETE", "/api/appuntamenti/999"))[0] == 404


async def test_of_two_who_say_yes_at_once_one_books_and_the_other_hears_other_times(shop: Served) -> None:
    answers = await asyncio.gather(
        *(shop.book(operatore_id=GIULIA, cliente_id=who, session_id=f"call-{who}") for who in (MARIA, LUCA))
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    [lost] = [body for status, body in answers if status == 409]
    assert (lost["error"], lost["reason"], lost["detail"]) == ("taken", "conflict", "Giulia")
    assert [one["ora"] for one in lost["alternatives"]] == ["09:15", "09:30", "10:30"]
    assert len(await booked(shop)) == 1


async def test_a_slot_is_kept_for_who_decides_and_freed_when_they_hang_up(shop: Served) -> None:
    held = {**MISSING, "operatore_id": GIULIA, "session_id": "call-1"}
    kept = await shop.post("/api/appuntamenti/hold", **held)
    assert kept["available"]
    assert (await shop.book(operatore_id=GIULIA, cliente_id=LUCA, session_id="call-2"))[0] == 409
    assert (await shop.post("/api/appuntamenti/disponibilita", **held))["available"]  # its own does not count
    assert await shop.ask("DELETE", "/api/appuntamenti/hold/call-1") == (204, None)
    assert (await shop.book(operatore_id=GIULIA, cliente_id=LUCA, session_id="call-2"))[0] == 200


async def test_a_hold_ends_after_five_minutes_with_a_new_one_and_with_the_booking(shop: Served) -> None:
    held = {**MISSING, "operatore_id": GIULIA, "session_id": "call-1"}
    await shop.post("/api/appuntamenti/hold", **held)
    await shop.post("/api/appuntamenti/hold", **{**held, "ora": "11:00"})
    free = {**MISSING, "operatore_id": GIULIA}
    assert (await shop.post("/api/appuntamenti/disponibilita", **free))["available"]
    shop.clock.now_s += 299
    assert not (await shop.post("/api/appuntamenti/disponibilita", **{**free, "ora": "11:00"}))["available"]
    shop.clock.now_s += 1
    assert (await shop.post("/api/appuntamenti/disponibilita", **{**free, "ora": "11:00"}))["available"]
    await shop.post("/api/appuntamenti/hold", **held)
    _, made = await shop.book(operatore_id=GIULIA, session_id="call-1")
    await shop.ask("DELETE", f"/api/appuntamenti/{made['id']}")
    assert (await shop.post("/api/appuntamenti/disponibilita", **free))["available"]


async def test_what_was_held_in_time_may_be_booked_a_moment_later(shop: Served) -> None:
    soon = {"data": "2026-01-14", "ora": "11:00", "durata_minuti": 30, "session_id": "call-1"}
    assert (await shop.post("/api/appuntamenti/hold", **soon))["available"]
    shop.clock.now_s += 60
    assert (await shop.book("2026-01-14", "11:00", session_id="call-2"))[1]["reason"] == "least_notice"
    assert (await shop.book("2026-01-14", "11:00", session_id="call-1"))[0] == 200


async def test_moving_does_not_count_the_appointment_itself_and_keeps_what_is_not_given(shop: Served) -> None:
    _, made = await shop.book(operatore_id=GIULIA, note="finestra")
    await shop.book(ora="11:00", operatore_id=GIULIA, cliente_id=LUCA)
    path = f"/api/appuntamenti/{made['id']}"
    status, moved = await shop.ask("PUT", path, {"ora": "10:15"})
    assert (status, moved["data"], moved["ora"], moved["operatore_nome"], moved["note"]) == (
        200, THURSDAY, "10:15", "Giulia", "finestra",
    )  # fmt: skip
    status, lost = await shop.ask("PUT", path, {"ora": "11:00"})
    assert (status, lost["error"], len(lost["alternatives"])) == (409, "taken", 3)
    assert (await booked(shop))[0]["ora"] == "10:15"
    assert (await shop.ask("PUT", path, {"data": "2026-01-16"}))[1]["ora"] == "10:15"
    assert (await shop.ask("PUT", path, {"servizi": [CUT, STYLE]}))[1]["durata_minuti"] == 50
    assert (await shop.ask("PUT", path, {"note": "nessuna"}))[1]["note"] == "nessuna"
    await shop.ask("DELETE", path)
    assert (await shop.ask("PUT", path, {"ora": "12:00"}))[1]["error"] == "cancelled"
    assert (await shop.ask("PUT", "/api/appuntamenti/999", {}))[0] == 404


async def test_refused_times_do_not_come_again_and_after_three_months_nothing_is_offered(shop: Served) -> None:
    monday = {"data": "2026-01-19", "ora": "10:00", "durata_minuti": 30}
    first = await shop.post("/api/appuntamenti/disponibilita", **monday)
    assert (first["reason"], first["detail"], first["alternatives"][0]["data"]) == ("weekday", "lunedì", "2026-01-20")
    again = await shop.post("/api/appuntamenti/disponibilita", **monday, escludi=first["alternatives"])
    times = {(one["data"], one["ora"]) for one in first["alternatives"]}
    assert times.isdisjoint((one["data"], one["ora"]) for one in again["alternatives"])
    late = await shop.post("/api/appuntamenti/disponibilita", **{**monday, "data": "2026-06-16"})
    assert (late["reason"], late["alternatives"]) == ("most_notice", [])


async def test_a_stretch_of_a_day(shop: Served) -> None:
    found = await shop.post("/api/appuntamenti/disponibilita", **{**MISSING, "ora": "17:00", "fino_a": "23:59"})
    assert [one["ora"] for one in found["alternatives"]] == ["17:00", "17:15", "17:30"]


async def test_clients_are_found_by_name_and_by_telephone(shop: Served) -> None:
    found = await shop.post("/api/clienti/search", nome="ROSSI maria")
    assert (found["count"], found["clienti"][0]["telefono"]) == (1, "3331237890")
    assert (await shop.post("/api/clienti/search", telefono="+39 333 123.45-67"))["clienti"][0]["nome"] == "Luca"
    assert (await shop.post("/api/clienti/search", nome="Nessuno"))["count"] == 0
    assert (await shop.ask("POST", "/api/clienti/search", {}))[0] == 422


async def test_a_client_is_made_with_consent_and_not_without(shop: Served) -> None:
    who = {"nome": "Anna", "cognome": "D'Amico", "telefono": "333 1111 222", "data_nascita": "1985-03-15"}
    proof = {"domanda": "Acconsente?", "risposta": "sì", "call_id": "call-1", "versione": "1"}
    path = "/api/clienti/create"
    assert (await shop.ask("POST", path, {**who, "voice_consent": False}))[0] == 422
    assert (await shop.post("/api/clienti/search", nome="Anna"))["count"] == 0
    made = await shop.post(path, **who, voice_consent=True, consenso=proof)
    assert (made["telefono"], made["data_nascita"], made["is_vip"]) == ("3331111222", "1985-03-15", False)
    assert await shop.post(path, **who, voice_consent=True, consenso=proof) == made  # whose answer was lost
    status, lost = await shop.ask("POST", path, {**who, "nome": "Altra", "voice_consent": True})
    assert (status, lost["error"], lost["cliente_id"]) == (409, "telefono_esiste", made["id"])
    assert (await shop.post("/api/clienti/search", nome="d’amico"))["count"] == 1
    for bad, code in (("06 1234567", "telefono_fisso"), ("333123456", "telefono"), ("33312345678", "telefono")):
        status, lost = await shop.ask("POST", path, {**who, "telefono": bad, "voice_consent": True})
        assert (status, lost["error"]) == (422, code)
    assert (await shop.ask("POST", "/api/consensi", {"domanda": "?", "risposta": "no"}))[0] == 204


async def test_the_waitlist_by_priority_and_age(shop: Served) -> None:
    entry = {"servizio_id": CUT, "data_preferita": THURSDAY}
    first = await shop.post("/api/waitlist/add", cliente_id=MARIA, **entry)
    assert (first["position"], first["priorita"]) == (1, "NORMAL")
    shop.clock.now_s += 60
    second = await shop.post("/api/waitlist/add", cliente_id=LUCA, servizi=[CUT, STYLE], data_preferita=THURSDAY)
    assert (second["position"], second["servizio_id"], second["durata_minuti"]) == (2, CUT, 50)
    vip = await shop.post("/api/waitlist/add", cliente_id=VERA, **entry)
    assert (vip["position"], vip["priorita"], vip["priorita_score"]) == (1, "VIP", 100)
    assert (await shop.post("/api/waitlist/add", cliente_id=MARIA, **entry))["waitlist_id"] == first["waitlist_id"]
    _, high = await shop.ask("PUT", f"/api/waitlist/{second['waitlist_id']}", {"priorita": "HIGH"})
    assert (high["position"], high["priorita_score"]) == (2, 50)
    _, listed = await shop.ask("GET", f"/api/waitlist/list?data={THURSDAY}")
    assert [one["cliente_id"] for one in listed["waitlist"]] == [VERA, LUCA, MARIA]
    await shop.ask("PUT", f"/api/waitlist/{vip['waitlist_id']}", {"status": "EXPIRED"})
    _, listed = await shop.ask("GET", f"/api/waitlist/list?cliente_id={MARIA}")
    assert listed["waitlist"][0]["position"] == 2


async def test_a_place_that_becomes_free_is_kept_for_the_first_and_then_for_the_next(shop: Served) -> None:
    _, taken = await shop.book(operatore_id=GIULIA)
    wish = {"servizio_id": CUT, "data_preferita": THURSDAY, "operatore_preferito_id": GIULIA}
    ids = [(await shop.post("/api/waitlist/add", cliente_id=who, **wish))["waitlist_id"] for who in (LUCA, VERA)]

    async def states() -> list[str]:
        _, listed = await shop.ask("GET", f"/api/waitlist/list?data={THURSDAY}")
        by_id = {one["waitlist_id"]: one["status"] for one in listed["waitlist"]}
        return [by_id[one] for one in ids]

    await shop.ask("DELETE", f"/api/appuntamenti/{taken['id']}")
    assert await states() == ["WAITING", "NOTIFIED"]
    assert (await shop.book(operatore_id=GIULIA))[0] == 409  # kept for Vera
    assert (await shop.ask("PUT", f"/api/waitlist/{ids[0]}", {"status": "BOOKED"}))[1]["error"] == "no_place"
    shop.clock.now_s += 1_800
    await shop.service.change(lambda session: waiting.expire(session, shop.service.terms, shop.clock.now_s))
    assert await states() == ["NOTIFIED", "EXPIRED"]
    status, done = await shop.ask("PUT", f"/api/waitlist/{ids[0]}", {"status": "BOOKED"})
    assert (status, done["status"], done["appuntamento"]["ora"]) == (200, "BOOKED", "10:00")
    assert [one["cliente_id"] for one in await booked(shop)] == [LUCA]
    shop.clock.now_s += 31 * 86_400
    late = await shop.post("/api/waitlist/add", cliente_id=MARIA, servizio_id=CUT, data_preferita="2026-03-12")
    shop.clock.now_s += 30 * 86_400
    await shop.service.change(lambda session: waiting.expire(session, shop.service.terms, shop.clock.now_s))
    _, listed = await shop.ask("GET", "/api/waitlist/list?data=2026-03-12")
    assert [(one["waitlist_id"], one["status"]) for one in listed["waitlist"]] == [(late["waitlist_id"], "EXPIRED")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cliente_id": "1", "servizi": [1], "data": THURSDAY, "ora": "10:00"},
        {"cliente_id": MARIA, "servizi": [], "data": THURSDAY, "ora": "10:00"},
        {"cliente_id": MARIA, "servizi": [99], "data": THURSDAY, "ora": "10:00"},
        {"cliente_id": MARIA, "servizi": [CUT], "data": "2026-02-31", "ora": "10:00"},
        {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "25:00"},
        {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "10:00:30"},
        {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "10:00Z"},
        {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "10:00", "note": "x" * 501},
        {"cliente_id": MARIA, "servizi": [CUT], "data": THURSDAY, "ora": "10:00", "operatore_id": 2**40},
    ],
)
async def test_what_does_not_fit_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.service.change(fill)
        status, answer = await shop.ask("POST", "/api/appuntamenti/create", body)
        assert (status, set(answer) >= {"error", "detail"}) == (422, True)
        assert await booked(shop) == []


async def test_strange_text_is_text(shop: Served) -> None:
    strange = "Robert'); DROP TABLE clienti;-- <b>\x00\x1b[2J"
    made = await shop.post(
        "/api/clienti/create", nome=strange[:40], cognome="Ωmega", telefono="3339999999", voice_consent=True
    )
    assert made["nome"] == "Robert'); DROP TABLE clienti;-- <b> [2J"
    assert (await shop.post("/api/clienti/search", nome="Robert"))["count"] == 1
    assert (await shop.ask("POST", "/api/clienti/search", {"nome": "x" * 10_000}))[0] == 422


async def test_files_for_other_programs_and_clients_from_one(shop: Served) -> None:
    _, made = await shop.book()
    calendar = (await shop.http.get("/api/export/appuntamenti.ics")).text
    assert f"UID:{made['confirmation_code']}@pronto.booking" in calendar
    assert made["confirmation_code"] in (await shop.http.get("/api/export/appuntamenti.csv")).text
    assert "taglio,30,25.0" in (await shop.http.get("/api/export/servizi.csv")).text
    table = "nome,cognome,telefono,data_nascita\nAnna,Blu,333 999 8888,1980-01-02\nMaria,Rossi,3331237890,\n"
    answer = await shop.http.post("/api/import/clienti.csv", content=table)
    assert answer.json() == {"clienti": 1}
    assert "Anna,Blu,3339998888,1980-01-02" in (await shop.http.get("/api/export/clienti.csv")).text
    bad = await shop.http.post("/api/import/clienti.csv", content="nome,telefono\nZoe,3337776666\nUgo,12\n")
    assert (bad.status_code, bad.json()["detail"][:7]) == (422, "line 3:")
    assert (await shop.post("/api/clienti/search", nome="Zoe"))["count"] == 0  # all or none
    assert (await shop.http.get("/api/export/passwords.csv")).status_code == 404


async def test_nobody_gets_in_without_the_token(tmp_path: Path) -> None:
    async with serving(sqlite_url(tmp_path), PRONTO_TOKEN="a-token-of-24-characters") as shop:
        del shop.http.headers["Authorization"]
        assert (await shop.ask("GET", "/api/operatori/list"))[0] == 401
        assert await shop.ask("GET", "/health") == (200, {"status": "ok"})
        assert await shop.ask("GET", "/ready") == (200, {"ready": True})


async def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "booking.sqlite").write_bytes(b"not a database, and long enough to be read as one" * 100)
    async with serving(sqlite_url(tmp_path)) as shop:
        status, answer = await shop.ask("GET", "/api/operatori/list")
        assert (status, answer["error"]) == (503, "database")
        status, health = await shop.ask("GET", "/health")
        assert (status, health["status"], health["components"]["database"]) == (200, "degraded", "error")
        assert (await shop.ask("GET", "/ready"))[0] == 503
