"""Appointments: is it free, keep it for me, book, change, cancel. Each change looks again in its own transaction.

`now_s` is seconds since the epoch. All raise BookingRefused and SQLAlchemyError.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from msgspec import UNSET
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking_service import messages, waiting
from booking_service.availability import Free, FreeTime, Taken, Unavailable, WhyNot, Wish, look, offers, within
from booking_service.bodies import AppointmentChange, AppointmentSearch, NewAppointment, RefusedTime, SlotQuestion
from booking_service.models import AppointmentRow, ClientRow, HoldRow, StaffRow
from booking_service.refusals import BookingRefused, invalid, not_found
from booking_service.shop import Notice, Shop, minutes, notice_at, shown
from booking_service.stored_shop import BookingTerms, as_booked, chosen_services, stored_shop, taken_from
from booking_service.written import confirmation_code


def available(session: Session, terms: BookingTerms, body: SlotQuestion, now_s: float) -> dict[str, Any]:
    """The answer of `/api/appuntamenti/disponibilita`."""
    shop, wish = stored_shop(session, terms), _wish(session, body)
    there = _taken(session, shop, body.data, now_s, body.session_id, body.appuntamento_id)
    notice, refused = notice_at(shop, now_s), _refused(body.escludi)
    if body.fino_a is not None:
        found = within(shop, wish, body.fino_a, there, notice, refused) or offers(shop, wish, there, notice, refused)
        return {"available": False, "reason": "stretch", "detail": "", "alternatives": _shown_offers(shop, found)}
    result = look(shop, wish, there, notice)
    if isinstance(result, Free):
        who = {"operatore_id": result.operatore_id, "operatore_nome": shop.name_of(result.operatore_id)}
        return {"available": True, **who, "alternatives": []}
    return {"available": False, **_why_not(shop, wish, result, there, notice, refused)}


def hold(session: Session, terms: BookingTerms, body: SlotQuestion, now_s: float) -> dict[str, Any]:
    """Keeps a free slot for `body.session_id`, which lets go of another that it had; answers as `available` does."""
    if not body.session_id or body.fino_a is not None:
        raise invalid("a hold is for one time and one session_id")
    answer = available(session, terms, body, now_s)
    session.execute(delete(HoldRow).where((HoldRow.session_id == body.session_id) | (HoldRow.expires_at <= now_s)))
    if answer["available"]:
        wish, until_s = _wish(session, body), now_s + terms.hold_s
        session.add(
            HoldRow(
                session_id=body.session_id,
                data=wish.data,
                ora=wish.ora,
                durata_minuti=wish.durata_minuti,
                operatore_id=answer["operatore_id"],
                expires_at=until_s,
            )
        )
        answer["expires_at"] = datetime.fromtimestamp(until_s, UTC).isoformat()
    return answer


def release(session: Session, session_id: str) -> None:
    """Lets go of what a session had kept; of nothing is no error."""
    session.execute(delete(HoldRow).where(HoldRow.session_id == session_id))


def create(
    session: Session, terms: BookingTerms, body: NewAppointment, key: str, now_s: float, place: str = ""
) -> dict[str, Any]:
    """Books. The same request again, by `key` or by its session and contents, answers with what the first made.

    `place`: the session of another hold that is used for it (a waitlist's).
    """
    fingerprint = _hash(body)
    found = None
    if key:
        found = session.scalar(select(AppointmentRow).where(AppointmentRow.request_key == key))
        if found is not None and found.request_hash != fingerprint:
            raise BookingRefused(422, "key_reused", "that Idempotency-Key made another appointment")
    if found is None and body.session_id:
        found = session.scalar(
            select(AppointmentRow).where(
                AppointmentRow.session_id == body.session_id,
                AppointmentRow.request_hash == fingerprint,
                AppointmentRow.status == "BOOKED",
            )
        )
    if found is not None:
        return shown_appointment(session, found)
    client = session.get(ClientRow, body.cliente_id)
    if client is None or client.erased_at is not None:
        raise not_found("client", body.cliente_id)
    services = chosen_services(session, body.servizi)
    ours = tuple(one for one in (body.session_id, place) if one)
    wish = Wish(
        body.data,
        body.ora,
        sum(row.durata_minuti for row in services),
        body.operatore_id,
        frozenset(row.id for row in services),
    )
    who = _place(session, terms, wish, now_s, ours, None, body.escludi)
    row = AppointmentRow(
        cliente_id=client.id,
        servizi=as_booked(services),
        data=wish.data,
        ora=wish.ora,
        durata_minuti=wish.durata_minuti,
        operatore_id=who,
        note=body.note,
        confirmation_code=_new_code(session),
        session_id=body.session_id,
        request_key=key or None,
        request_hash=fingerprint,
        status="BOOKED",
        created_at=now_s,
        whatsapp_confirmed=False,
    )
    session.add(row)
    session.flush()
    for one in ours:
        release(session, one)
    answer = shown_appointment(session, row)
    messages.enqueue_confirmation(session, row.id, answer, now_s)
    return answer


def change(session: Session, terms: BookingTerms, number: int, body: AppointmentChange, now_s: float) -> dict[str, Any]:
    """Moves or changes one; what is not given stays. The place that it leaves is offered to those who wait."""
    row = _booked(session, number)
    if body.note is not UNSET:
        row.note = body.note
    wish = Wish(row.data, row.ora, row.durata_minuti, row.operatore_id, frozenset(_ids(row)))
    if body.servizi is not UNSET:
        services = chosen_services(session, body.servizi)
        length = sum(one.durata_minuti for one in services)
        wish = replace(wish, durata_minuti=length, servizi=frozenset(one.id for one in services))
    who = row.operatore_id if body.operatore_id is UNSET else body.operatore_id
    data, ora = (row.data if body.data is UNSET else body.data), (row.ora if body.ora is UNSET else body.ora)
    wish = replace(wish, data=data, ora=ora, operatore_id=who)
    before = (row.data, row.ora, row.durata_minuti, row.operatore_id, _ids(row))
    if before == (wish.data, wish.ora, wish.durata_minuti, wish.operatore_id, sorted(wish.servizi)):
        return shown_appointment(session, row)
    ours = (body.session_id,) if body.session_id else ()
    row_who = _place(session, terms, wish, now_s, ours, row.id, body.escludi)
    hole = waiting.Hole(row.data, minutes(row.ora), minutes(row.ora) + row.durata_minuti)
    row.data, row.ora, row.durata_minuti, row.operatore_id = wish.data, wish.ora, wish.durata_minuti, row_who
    if body.servizi is not UNSET:
        row.servizi = as_booked(chosen_services(session, body.servizi))
    session.flush()
    for one in ours:
        release(session, one)
    answer = shown_appointment(session, row)
    messages.enqueue_confirmation(session, row.id, answer, now_s)
    waiting.serve(session, terms, hole, now_s)
    return answer


def cancel(session: Session, terms: BookingTerms, number: int, now_s: float) -> None:
    """Cancels one, once: a second time changes nothing. Its place is offered to those who wait."""
    row = session.get(AppointmentRow, number)
    if row is None:
        raise not_found("appointment", number)
    if row.status == "BOOKED":
        row.status = "CANCELLED"
        session.flush()
        hole = waiting.Hole(row.data, minutes(row.ora), minutes(row.ora) + row.durata_minuti)
        waiting.serve(session, terms, hole, now_s)


def search(session: Session, body: AppointmentSearch, most: int | None = 200) -> dict[str, Any]:
    """The answer of `/api/appuntamenti/search`, in order of time."""
    query = select(AppointmentRow).order_by(AppointmentRow.data, AppointmentRow.ora, AppointmentRow.id).limit(most)
    if body.cliente_id is not None:
        query = query.where(AppointmentRow.cliente_id == body.cliente_id)
    if body.since is not None:
        query = query.where(AppointmentRow.data >= body.since)
    if body.until is not None:
        query = query.where(AppointmentRow.data <= body.until)
    if body.status is not None:
        query = query.where(AppointmentRow.status == body.status)
    if body.session_id:
        query = query.where(AppointmentRow.session_id == body.session_id)
    found = [shown_appointment(session, row) for row in session.scalars(query)]
    return {"count": len(found), "appuntamenti": found}


def shown_appointment(session: Session, row: AppointmentRow) -> dict[str, Any]:
    """An appointment as answers have it."""
    client = session.get(ClientRow, row.cliente_id)
    staff = None if row.operatore_id is None else session.get(StaffRow, row.operatore_id)
    return {
        "id": row.id,
        "confirmation_code": row.confirmation_code,
        "cliente_id": row.cliente_id,
        "cliente_nome": f"{client.nome} {client.cognome}".strip() if client else "",
        "cliente_telefono": client.telefono if client else "",
        "servizi": row.servizi,
        "servizio": ", ".join(one["nome"] for one in row.servizi),
        "durata_minuti": row.durata_minuti,
        "data": row.data.isoformat(),
        "ora": shown(row.ora),
        "operatore_id": row.operatore_id,
        "operatore_nome": staff.nome if staff else None,
        "note": row.note,
        "status": row.status,
        "whatsapp_confirmed": row.whatsapp_confirmed,
    }


def _place(
    session: Session,
    terms: BookingTerms,
    wish: Wish,
    now_s: float,
    ours: tuple[str, ...],
    but: int | None,
    refused: Sequence[RefusedTime],
) -> int | None:
    """Who does it. Raises BookingRefused (409) with other times. What a session holds was early enough when it did."""
    shop = stored_shop(session, terms)
    notice = notice_at(shop, now_s)
    there = taken_from(session, wish.data, shop.rules.days_ahead, now_s, ours, but)
    held = session.scalars(select(HoldRow).where(HoldRow.session_id.in_(ours), HoldRow.expires_at > now_s)).all()
    matching = [one for one in held if (one.data, one.ora) == (wish.data, wish.ora)]
    asked = notice
    if matching:
        asked = Notice(notice.today, datetime.fromtimestamp(now_s, UTC))
    result: Free | Unavailable | None = None
    for one in matching:  # the one whom the caller was told
        if wish.operatore_id is None and one.operatore_id is not None:
            result = look(shop, replace(wish, operatore_id=one.operatore_id), there, asked)
    if not isinstance(result, Free):
        result = look(shop, wish, there, asked)
    if isinstance(result, Free):
        return result.operatore_id
    fields = _why_not(shop, wish, result, there, notice, _refused(refused))
    code = "taken" if result.reason is WhyNot.CONFLICT else "unavailable"
    raise BookingRefused(409, code, fields["detail"], fields)


def _why_not(
    shop: Shop,
    wish: Wish,
    result: Unavailable,
    there: list[Taken],
    notice: Notice,
    refused: frozenset[tuple[date, time]],
) -> dict[str, Any]:
    found: list[FreeTime] = []
    if result.reason is not WhyNot.MOST_NOTICE:  # there is nothing near it either
        wish = replace(wish, operatore_id=None) if result.reason is WhyNot.STAFF else wish
        found = offers(shop, wish, there, notice, refused)
    return {"reason": result.reason.value, "detail": result.detail, "alternatives": _shown_offers(shop, found)}


def _shown_offers(shop: Shop, found: Sequence[FreeTime]) -> list[dict[str, Any]]:
    return [
        {
            "data": one.data.isoformat(),
            "ora": shown(one.ora),
            "operatore_id": one.operatore_id,
            "operatore_nome": shop.name_of(one.operatore_id),
        }
        for one in found
    ]


def _wish(session: Session, body: SlotQuestion) -> Wish:
    services = chosen_services(session, body.servizi)
    length = body.durata_minuti or sum(row.durata_minuti for row in services)
    if not length:
        raise invalid("durata_minuti or servizi are needed")
    if body.operatore_id is not None and session.get(StaffRow, body.operatore_id) is None:
        raise not_found("member of staff", body.operatore_id)
    return Wish(body.data, body.ora, length, body.operatore_id, frozenset(row.id for row in services))


def _taken(session: Session, shop: Shop, day: date, now_s: float, session_id: str, but: int | None) -> list[Taken]:
    return taken_from(session, day, shop.rules.days_ahead, now_s, (session_id,) if session_id else (), but)


def _refused(times: Sequence[RefusedTime]) -> frozenset[tuple[date, time]]:
    return frozenset((one.data, one.ora) for one in times)


def _booked(session: Session, number: int) -> AppointmentRow:
    row = session.get(AppointmentRow, number)
    if row is None:
        raise not_found("appointment", number)
    if row.status != "BOOKED":
        raise BookingRefused(409, "cancelled", f"appointment {number} is cancelled")
    return row


def _ids(row: AppointmentRow) -> list[int]:
    return sorted(one["servizio_id"] for one in row.servizi)


def _new_code(session: Session) -> str:
    while True:
        code = confirmation_code(secrets.choice)
        if session.scalar(select(AppointmentRow.id).where(AppointmentRow.confirmation_code == code)) is None:
            return code


def _hash(body: NewAppointment) -> str:
    """Of what makes two requests the same wish: who, what and when."""
    ids = sorted(one if isinstance(one, int) else one.servizio_id for one in body.servizi)
    said = [body.cliente_id, ids, body.data.isoformat(), shown(body.ora)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
