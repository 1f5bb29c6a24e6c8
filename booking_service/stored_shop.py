"""Rows become the values that availability is computed of: the shop, and what is taken on some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.availability import Taken
from booking_service.bodies import ChosenService
from booking_service.models import AppointmentRow, HoldRow, HolidayRow, HoursRow, ServiceRow, StaffRow
from booking_service.refusals import BookingRefused
from booking_service.shop import BookingRules, Holiday, OpeningHours, Shop, StaffMember, minutes


@dataclass(frozen=True)
class BookingTerms:
    """What is set for a shop beside its tables."""

    rules: BookingRules = field(default_factory=BookingRules)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Rome"))
    hold_s: float = 300.0
    waitlist_hold_s: float = 1_800.0
    waitlist_days: int = 30


def stored_shop(session: Session, terms: BookingTerms) -> Shop:
    """The shop as it is now."""
    hours = {
        row.giorno: OpeningHours(row.giorno, row.aperto, row.apertura, row.chiusura, row.pausa_inizio, row.pausa_fine)
        for row in session.scalars(select(HoursRow))
    }
    holidays = tuple(Holiday(row.data, row.nome, row.ogni_anno) for row in session.scalars(select(HolidayRow)))
    staff = tuple(
        StaffMember(row.id, row.nome, None if row.servizi is None else frozenset(row.servizi))
        for row in session.scalars(select(StaffRow).where(StaffRow.attivo).order_by(StaffRow.id))
    )
    return Shop(hours, holidays, staff, terms.rules, terms.zone)


def taken_from(
    session: Session, day: date, days: int, now_s: float, ours: tuple[str, ...] = (), but: int | None = None
) -> list[Taken]:
    """Appointments and holds of `day` and the `days` after it. The holds of the sessions in `ours` and the appointment
    `but` do not count."""
    last = date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))
    booked = session.scalars(
        select(AppointmentRow).where(AppointmentRow.data.between(day, last), AppointmentRow.status == "BOOKED")
    )
    held = session.scalars(select(HoldRow).where(HoldRow.data.between(day, last), HoldRow.expires_at > now_s))
    rows: list[AppointmentRow | HoldRow] = [row for row in booked if row.id != but]
    rows += [row for row in held if row.session_id not in ours]
    return [Taken(row.data, minutes(row.ora), minutes(row.ora) + row.durata_minuti, row.operatore_id) for row in rows]


def chosen_services(session: Session, wanted: Sequence[int | ChosenService]) -> list[ServiceRow]:
    """The services of a request, each once, in its order. Raises BookingRefused (422) for one that is not offered."""
    ids = list(dict.fromkeys(one if isinstance(one, int) else one.servizio_id for one in wanted))
    rows = {row.id: row for row in session.scalars(select(ServiceRow).where(ServiceRow.id.in_(ids), ServiceRow.attivo))}
    if missing := [one for one in ids if one not in rows]:
        raise BookingRefused(422, "servizio", f"not offered: {', '.join(map(str, missing))}", {"servizi": missing})
    return [rows[one] for one in ids]


def as_booked(services: Sequence[ServiceRow]) -> list[dict[str, object]]:
    """The services as an appointment keeps them: what they were when it was made."""
    return [{"servizio_id": row.id, "nome": row.nome, "durata_minuti": row.durata_minuti} for row in services]


def day_after(day: date, days: int) -> date:
    """Or the calendar's last."""
    return min(day, date.max - timedelta(days=days)) + timedelta(days=days)
