"""The waitlist: who waits for a day, in which order, and who is told when something becomes free.

WAITING becomes NOTIFIED, with a hold on the place, and then BOOKED or EXPIRED. `now_s` is seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from booking_service import messages
from booking_service.availability import Free, Wish, look
from booking_service.bodies import NewWaiting, WaitingChange
from booking_service.models import ClientRow, HoldRow, ServiceRow, StaffRow, WaitlistRow
from booking_service.refusals import BookingRefused, invalid, not_found
from booking_service.shop import clock, minutes, notice_at, shown
from booking_service.stored_shop import BookingTerms, as_booked, chosen_services, stored_shop, taken_from
from booking_service.written import long_date

SCORES: Final = {"NORMAL": 0, "HIGH": 50, "VIP": 100}
DAY_S: Final = 86_400.0
BY_TURN: Final = (WaitlistRow.priorita_score.desc(), WaitlistRow.created_at, WaitlistRow.id)


@dataclass(frozen=True)
class Hole:
    """A place that became free, in minutes of its day."""

    data: date
    begin: int
    end: int


def place_of(number: int) -> str:
    """The session of the hold that an entry has."""
    return f"waitlist:{number}"


def add(session: Session, terms: BookingTerms, body: NewWaiting, now_s: float) -> dict[str, Any]:
    """Puts a client on the list; the same client, day and service again are told their entry."""
    client = session.get(ClientRow, body.cliente_id)
    if client is None or client.erased_at is not None:
        raise not_found("client", body.cliente_id)
    wanted = body.servizi or ([] if body.servizio_id is None else [body.servizio_id])
    services = chosen_services(session, wanted)
    if not services:
        raise invalid("servizio_id or servizi are needed")
    if body.operatore_preferito_id is not None and session.get(StaffRow, body.operatore_preferito_id) is None:
        raise not_found("member of staff", body.operatore_preferito_id)
    longest = max(services, key=lambda one: one.durata_minuti)
    row = session.scalar(
        select(WaitlistRow).where(
            WaitlistRow.cliente_id == client.id,
            WaitlistRow.data_preferita == body.data_preferita,
            WaitlistRow.servizio_id == longest.id,
            WaitlistRow.status.in_(("WAITING", "NOTIFIED")),
        )
    )
    if row is None:
        priority = "VIP" if client.is_vip else "NORMAL"
        row = WaitlistRow(
            cliente_id=client.id,
            servizio_id=longest.id,
            servizi=as_booked(services),
            durata_minuti=sum(one.durata_minuti for one in services),
            data_preferita=body.data_preferita,
            ora_preferita=body.ora_preferita,
            operatore_preferito_id=body.operatore_preferito_id,
            priorita=priority,
            priorita_score=SCORES[priority],
            status="WAITING",
            created_at=now_s,
            expires_at=now_s + terms.waitlist_days * DAY_S,
        )
        session.add(row)
        session.flush()
    return shown_entry(session, row)


def listed(session: Session, day: date | None = None, client: int | None = None) -> list[dict[str, Any]]:
    """Entries in the order of their turn, 500 at most."""
    query = select(WaitlistRow).order_by(WaitlistRow.data_preferita, *BY_TURN).limit(500)
    if day is not None:
        query = query.where(WaitlistRow.data_preferita == day)
    if client is not None:
        query = query.where(WaitlistRow.cliente_id == client)
    return [shown_entry(session, row) for row in session.scalars(query)]


def held(session: Session, number: int, now_s: float) -> tuple[WaitlistRow, HoldRow]:
    """An entry that was notified and its place. Raises BookingRefused: there is none (any more)."""
    row, hold = session.get(WaitlistRow, number), session.get(HoldRow, place_of(number))
    if row is None:
        raise not_found("waitlist entry", number)
    if row.status != "NOTIFIED" or hold is None or hold.expires_at <= now_s:
        raise BookingRefused(409, "no_place", f"no place is kept for waitlist entry {number}")
    return row, hold


def change(session: Session, number: int, body: WaitingChange) -> dict[str, Any]:
    """Priority, and states that book nothing."""
    row = session.get(WaitlistRow, number)
    if row is None:
        raise not_found("waitlist entry", number)
    if body.priorita is not None:
        row.priorita, row.priorita_score = body.priorita, SCORES[body.priorita]
    if body.status is not None and body.status != row.status:
        row.status, row.hold_until = body.status, None
        session.execute(delete(HoldRow).where(HoldRow.session_id == place_of(number)))
    session.flush()
    return shown_entry(session, row)


def serve(session: Session, terms: BookingTerms, hole: Hole, now_s: float) -> int | None:
    """Tells the first who waits for that day and whom the place fits, and keeps it for them; the entry's number."""
    shop = stored_shop(session, terms)
    notice = notice_at(shop, now_s)
    query = select(WaitlistRow).where(
        WaitlistRow.data_preferita == hole.data, WaitlistRow.status == "WAITING", WaitlistRow.expires_at > now_s
    )
    grid = terms.rules.grid_minutes
    starts = sorted({hole.begin, *range(-(-hole.begin // grid) * grid, min(hole.end, 1_440), grid)})
    for row in session.scalars(query.order_by(*BY_TURN)):
        there = taken_from(session, hole.data, 0, now_s)
        liked = minutes(row.ora_preferita) if row.ora_preferita else hole.begin
        for start in sorted(starts, key=lambda one: abs(one - liked)):
            wish = Wish(
                hole.data,
                clock(start),
                row.durata_minuti,
                row.operatore_preferito_id,
                frozenset(one["servizio_id"] for one in row.servizi),
            )
            result = look(shop, wish, there, notice)
            if isinstance(result, Free):
                _notify(session, terms, row, wish, result.operatore_id, now_s)
                return row.id
    return None


def expire(session: Session, terms: BookingTerms, now_s: float) -> int:
    """Ends entries whose time is over, and gives places on that nobody took; how many entries ended."""
    lapsed = session.scalars(
        select(WaitlistRow).where(WaitlistRow.status == "NOTIFIED", WaitlistRow.hold_until <= now_s)
    ).all()
    old = session.scalars(
        select(WaitlistRow).where(WaitlistRow.status == "WAITING", WaitlistRow.expires_at <= now_s)
    ).all()
    holes = []
    for row in (*lapsed, *old):
        row.status, row.hold_until = "EXPIRED", None
        if (hold := session.get(HoldRow, place_of(row.id))) is not None:
            holes.append(Hole(hold.data, minutes(hold.ora), minutes(hold.ora) + hold.durata_minuti))
            session.delete(hold)
    session.execute(delete(HoldRow).where(HoldRow.expires_at <= now_s))
    session.flush()
    for hole in holes:
        serve(session, terms, hole, now_s)
    return len(lapsed) + len(old)


def shown_entry(session: Session, row: WaitlistRow) -> dict[str, Any]:
    """An entry as answers have it; its position counts those who still wait."""
    before = select(func.count()).where(
        WaitlistRow.data_preferita == row.data_preferita,
        WaitlistRow.servizio_id == row.servizio_id,
        WaitlistRow.status == "WAITING",
        (WaitlistRow.priorita_score > row.priorita_score)
        | (
            (WaitlistRow.priorita_score == row.priorita_score)
            & (
                (WaitlistRow.created_at < row.created_at)
                | ((WaitlistRow.created_at == row.created_at) & (WaitlistRow.id < row.id))
            )
        ),
    )
    return {
        "waitlist_id": row.id,
        "position": 1 + (session.scalar(before) or 0),
        "priorita": row.priorita,
        "priorita_score": row.priorita_score,
        "status": row.status,
        "cliente_id": row.cliente_id,
        "servizio_id": row.servizio_id,
        "servizi": row.servizi,
        "durata_minuti": row.durata_minuti,
        "data_preferita": row.data_preferita.isoformat(),
        "ora_preferita": shown(row.ora_preferita) if row.ora_preferita else None,
        "operatore_preferito_id": row.operatore_preferito_id,
    }


def _notify(session: Session, terms: BookingTerms, row: WaitlistRow, wish: Wish, who: int | None, now_s: float) -> None:
    until_s = now_s + terms.waitlist_hold_s
    row.status, row.hold_until = "NOTIFIED", until_s
    session.add(
        HoldRow(
            session_id=place_of(row.id),
            data=wish.data,
            ora=wish.ora,
            durata_minuti=wish.durata_minuti,
            operatore_id=who,
            expires_at=until_s,
        )
    )
    session.flush()
    client, staff = session.get_one(ClientRow, row.cliente_id), None if who is None else session.get(StaffRow, who)
    names = [session.get_one(ServiceRow, one["servizio_id"]).nome for one in row.servizi]
    params = {
        "nome": f"{client.nome} {client.cognome}".strip(),
        "data": long_date(wish.data),
        "ora": shown(wish.ora),
        "servizio": ", ".join(names),
        "operatore": staff.nome if staff else "",
        "codice": str(row.id),
    }
    messages.enqueue(session, client.telefono, messages.WAITLIST_OFFER, params, now_s)
