"""What the shop says of itself: services, staff, opening hours, holidays, and settings by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking_service.bodies import HolidayEntry, HoursEntry, ServiceEntry, StaffEntry, StaffSearch
from booking_service.models import HolidayRow, HoursRow, ServiceRow, SettingRow, StaffRow
from booking_service.refusals import BookingRefused, invalid, not_found
from booking_service.shop import minutes, shown
from booking_service.stored_shop import BookingTerms, stored_shop
from booking_service.telling import OfferedService, ShopFacts, told_of
from booking_service.written import clean

SETTINGS = ("nome_attivita", "telefono_attivita", "indirizzo", "nome_assistente")
"""What may be set; all are text, and empty until they are set."""


def services(session: Session) -> list[dict[str, Any]]:
    """What is offered."""
    rows = session.scalars(select(ServiceRow).where(ServiceRow.attivo).order_by(ServiceRow.id))
    return [
        {
            "id": row.id,
            "nome": row.nome,
            "durata_minuti": row.durata_minuti,
            "prezzo": None if row.prezzo is None else row.prezzo / 100,
            "sinonimi": row.sinonimi,
        }
        for row in rows
    ]


def staff(session: Session) -> list[dict[str, Any]]:
    """Who works there; `servizi` null: they do all of them."""
    rows = session.scalars(select(StaffRow).where(StaffRow.attivo).order_by(StaffRow.id))
    return [{"id": row.id, "nome": row.nome, "servizi": row.servizi} for row in rows]


def able_staff(session: Session, body: StaffSearch) -> dict[str, Any]:
    """Who does all of some services."""
    wanted = {one if isinstance(one, int) else one.servizio_id for one in body.servizi}
    able = [one for one in staff(session) if one["servizi"] is None or wanted <= set(one["servizi"])]
    return {"count": len(able), "operatori": able}


def tell(session: Session, question: str, terms: BookingTerms, now_s: float) -> str:
    """The answer to a question about the shop; empty where the data has none."""
    rows = session.scalars(select(ServiceRow).where(ServiceRow.attivo).order_by(ServiceRow.id))
    offered = tuple(OfferedService(row.id, (row.nome, *row.sinonimi), row.durata_minuti, row.prezzo) for row in rows)
    facts = ShopFacts(stored_shop(session, terms), offered, all_settings(session))
    return told_of(question, facts, datetime.fromtimestamp(now_s, terms.zone).date())


def all_settings(session: Session) -> dict[str, str]:
    """Every setting, empty where it is not set."""
    return {name: setting(session, name) for name in SETTINGS}


def put_service(session: Session, entry: ServiceEntry, number: int | None = None) -> dict[str, Any]:
    """A new one, or another `number`. `prezzo` is in cents. Raises BookingRefused."""
    name = clean(entry.nome)
    if not name:
        raise invalid("a service has a name")
    twin = session.scalar(select(ServiceRow).where(ServiceRow.nome == name))
    if twin is not None and twin.id != number:
        raise BookingRefused(409, "exists", "a service has that name", {"id": twin.id})
    row = ServiceRow() if number is None else session.get(ServiceRow, number)
    if row is None:
        raise not_found("service", number)
    row.nome, row.durata_minuti, row.prezzo = name, entry.durata_minuti, entry.prezzo
    row.sinonimi, row.attivo = [clean(one) for one in entry.sinonimi], entry.attivo
    session.add(row)
    session.flush()
    return {"id": row.id, "nome": row.nome, "durata_minuti": row.durata_minuti, "attivo": row.attivo}


def put_staff(session: Session, entry: StaffEntry, number: int | None = None) -> dict[str, Any]:
    """A new member of staff, or another `number`. Raises BookingRefused."""
    row = StaffRow() if number is None else session.get(StaffRow, number)
    if row is None:
        raise not_found("member of staff", number)
    row.nome, row.servizi, row.attivo = clean(entry.nome), entry.servizi, entry.attivo
    session.add(row)
    session.flush()
    return {"id": row.id, "nome": row.nome, "servizi": row.servizi, "attivo": row.attivo}


def hours(session: Session) -> list[dict[str, Any]]:
    """The seven weekdays; without a row the shop is closed."""
    rows = {row.giorno: row for row in session.scalars(select(HoursRow))}
    return [_shown_hours(day, rows.get(day)) for day in range(7)]


def put_hours(session: Session, entries: Sequence[HoursEntry]) -> list[dict[str, Any]]:
    """Replaces the weekdays that are named. Raises BookingRefused for hours that end before they begin."""
    for one in entries:
        opening, closing = minutes(one.apertura), minutes(one.chiusura) or 1_440
        pause = (one.pausa_inizio, one.pausa_fine)
        if opening >= closing and one.aperto:
            raise invalid(f"weekday {one.giorno}: closes before it opens")
        if pause[0] and pause[1] and not opening <= minutes(pause[0]) <= minutes(pause[1]) <= closing:
            raise invalid(f"weekday {one.giorno}: the break is not within the hours")
        session.merge(
            HoursRow(
                giorno=one.giorno,
                aperto=one.aperto,
                apertura=one.apertura,
                chiusura=one.chiusura,
                pausa_inizio=one.pausa_inizio,
                pausa_fine=one.pausa_fine,
            )
        )
    session.flush()
    return hours(session)


def holidays(session: Session) -> list[dict[str, Any]]:
    """The closed days, in order."""
    rows = session.scalars(select(HolidayRow).order_by(HolidayRow.data))
    return [{"data": row.data.isoformat(), "nome": row.nome, "ogni_anno": row.ogni_anno} for row in rows]


def put_holidays(session: Session, entries: Sequence[HolidayEntry]) -> list[dict[str, Any]]:
    """Replaces all of them."""
    session.execute(delete(HolidayRow))
    session.add_all(
        HolidayRow(data=day, nome=clean(one.nome), ogni_anno=one.ogni_anno)
        for day, one in {one.data: one for one in entries}.items()
    )
    session.flush()
    return holidays(session)


def setting(session: Session, name: str) -> str:
    """A setting's value. Raises BookingRefused (404)."""
    if name not in SETTINGS:
        raise not_found("setting", name)
    row = session.get(SettingRow, name)
    return row.value if row else ""


def put_settings(session: Session, values: dict[str, str]) -> dict[str, str]:
    """Sets those that are named; all of them come back. Raises BookingRefused."""
    for name, value in values.items():
        if name not in SETTINGS:
            raise not_found("setting", name)
        if len(value) > 500:
            raise invalid(f"{name} is longer than 500 characters")
        session.merge(SettingRow(name=name, value=clean(value)))
    session.flush()
    return all_settings(session)


def _shown_hours(day: int, row: HoursRow | None) -> dict[str, Any]:
    times = {name: getattr(row, name, None) for name in ("apertura", "chiusura", "pausa_inizio", "pausa_fine")}
    return {
        "giorno": day,
        "aperto": bool(row and row.aperto),
        **{name: shown(value) if value is not None else None for name, value in times.items()},
    }
