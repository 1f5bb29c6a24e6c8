"""Messages to clients wait in a table, written in the transaction that they tell of; who sends takes them from there.

The same message to the same number is one, whoever asks for it and how often: its id is made of what it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.models import AppointmentRow, MessageRow
from booking_service.written import long_date

CONFIRMATION: Final = "booking_confirmation"
WAITLIST_OFFER: Final = "waitlist_offer"
BACK_OFF_S: Final = (60.0, 300.0, 1_800.0)
"""Waits before the second, third and fourth try; then it has failed."""


@dataclass(frozen=True)
class OutgoingMessage:
    """What a port sends. `telefono`: ten digits."""

    id: str
    telefono: str
    template: str
    params: Mapping[str, str]


def enqueue(
    session: Session,
    telefono: str,
    template: str,
    params: Mapping[str, str],
    now_s: float,
    appuntamento_id: int | None = None,
) -> str:
    """Its id; of one that is there already nothing changes."""
    said = json.dumps([telefono, template, params], sort_keys=True, ensure_ascii=False)
    number = hashlib.sha256(said.encode()).hexdigest()[:32]
    if session.get(MessageRow, number) is None:
        session.add(
            MessageRow(
                id=number,
                appuntamento_id=appuntamento_id,
                recipient=telefono,
                template=template,
                params=dict(params),
                status="PENDING",
                tries=0,
                next_try_at=now_s,
                created_at=now_s,
                provider_id="",
            )
        )
        session.flush()
    return number


def enqueue_confirmation(session: Session, number: int, appointment: Mapping[str, Any], now_s: float) -> None:
    """The six parameters of an appointment as answers show it."""
    row = session.get(AppointmentRow, number)
    if row is not None:
        row.whatsapp_confirmed, row.whatsapp_confirmed_at = False, None
    params = {
        "nome": str(appointment["cliente_nome"]),
        "data": long_date(date.fromisoformat(appointment["data"])),
        "ora": str(appointment["ora"]),
        "servizio": ", ".join(one["nome"] for one in appointment["servizi"]),
        "operatore": str(appointment["operatore_nome"] or ""),
        "codice": str(appointment["confirmation_code"]),
    }
    enqueue(session, appointment["cliente_telefono"], CONFIRMATION, params, now_s, number)


def claim(session: Session, now_s: float, for_s: float, most: int = 20) -> list[OutgoingMessage]:
    """Those whose turn it is, oldest first. They are the caller's for `for_s`; one who dies meanwhile sent them or not,
    and they come again with the same id."""
    query = (
        select(MessageRow)
        .where(MessageRow.status == "PENDING", MessageRow.next_try_at <= now_s)
        .order_by(MessageRow.next_try_at, MessageRow.created_at)
        .limit(most)
    )
    rows = session.scalars(query).all()
    for row in rows:
        row.next_try_at = now_s + for_s
    return [OutgoingMessage(row.id, row.recipient, row.template, row.params) for row in rows]


def was_sent(session: Session, number: str, provider_id: str, now_s: float) -> None:
    """Notes it, on the appointment too where it is its confirmation."""
    row = session.get(MessageRow, number)
    if row is None or row.status == "SENT":
        return
    row.status, row.sent_at, row.provider_id = "SENT", now_s, provider_id
    if row.template == CONFIRMATION and row.appuntamento_id is not None:
        booked = session.get(AppointmentRow, row.appuntamento_id)
        if booked is not None:
            booked.whatsapp_confirmed, booked.whatsapp_confirmed_at = True, now_s


def was_not_sent(session: Session, number: str, now_s: float, is_final: bool) -> tuple[str, int | None]:
    """The message's status now (PENDING: there will be another try) and its appointment."""
    row = session.get(MessageRow, number)
    if row is None or row.status != "PENDING":
        return "SENT", None
    row.tries += 1
    if is_final or row.tries > len(BACK_OFF_S):
        row.status = "FAILED"
    else:
        row.next_try_at = now_s + BACK_OFF_S[row.tries - 1]
    return row.status, row.appuntamento_id
