"""What of people leaves the tables: after the days that are set, or when somebody wants it. Every column is looked at.

After 30 days: what was said in conversations, sessions, notes of past appointments, messages that were sent. On wish: a
client, with everything that is theirs; their appointments stay, without a name. Nothing is done twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, delete, or_, select, update
from sqlalchemy.orm import Session

from booking_service.appointments import shown_appointment
from booking_service.clients import shown_client
from booking_service.models import (
    PERSONAL,
    AppointmentRow,
    ClientRow,
    ConsentRow,
    MessageRow,
    VoiceAuditRow,
    VoiceSessionRow,
    WaitlistRow,
)
from booking_service.refusals import not_found
from booking_service.waiting import shown_entry
from records.retention import wipe as write_anew

REDACTED: Final = "[REDACTED]"
DAY_S: Final = 86_400.0


def anonymise(session: Session, days: int, now_s: float) -> int:
    """Takes out what is older than `days`; how many rows it changed."""
    before = now_s - days * DAY_S
    old = VoiceAuditRow.timestamp < before
    changed = _redact_audit(session, old)
    sessions = session.execute(delete(VoiceSessionRow).where(VoiceSessionRow.updated_at < before))
    past = datetime.fromtimestamp(before, UTC).date()
    notes = session.execute(
        update(AppointmentRow)
        .where(AppointmentRow.data < past, AppointmentRow.note.not_in(("", REDACTED)))
        .values(note=REDACTED)
    )
    changed += _redact_messages(session, (MessageRow.created_at < before) & (MessageRow.status != "PENDING"))
    return changed + _rows(sessions) + _rows(notes)


def export(session: Session, client: int) -> dict[str, Any]:
    """Everything that is kept of a client. Raises BookingRefused."""
    row = _client(session, client)
    appointments = session.scalars(select(AppointmentRow).where(AppointmentRow.cliente_id == client)).all()
    entries = session.scalars(select(WaitlistRow).where(WaitlistRow.cliente_id == client)).all()
    consents = session.scalars(select(ConsentRow).where(ConsentRow.cliente_id == client)).all()
    sent = session.scalars(select(MessageRow).where(MessageRow.recipient == row.telefono)).all()
    turns = session.scalars(select(VoiceAuditRow).where(VoiceAuditRow.session_id.in_(_sessions(session, client)))).all()
    return {
        "cliente": shown_client(row),
        "appuntamenti": [shown_appointment(session, one) for one in appointments],
        "waitlist": [shown_entry(session, one) for one in entries],
        "consensi": [_columns(one) for one in consents],
        "messaggi": [_columns(one) for one in sent],
        "conversazioni": [_columns(one) for one in turns],
    }


def erase(session: Session, client: int, now_s: float) -> None:
    """Takes a client out. Appointments stay, of nobody; those who wait wait no more. Raises BookingRefused."""
    row = _client(session, client)
    theirs = _sessions(session, client)
    _redact_audit(session, VoiceAuditRow.session_id.in_(theirs))
    session.execute(delete(VoiceSessionRow).where(VoiceSessionRow.id.in_(theirs)))
    _redact_messages(session, MessageRow.recipient == row.telefono)
    session.execute(update(AppointmentRow).where(AppointmentRow.cliente_id == client).values(note=""))
    session.execute(
        update(WaitlistRow)
        .where(WaitlistRow.cliente_id == client, WaitlistRow.status.in_(("WAITING", "NOTIFIED")))
        .values(status="EXPIRED", hold_until=None)
    )
    session.execute(update(ConsentRow).where(ConsentRow.cliente_id == client).values(answer="", cliente_id=None))
    row.nome, row.cognome, row.telefono, row.data_nascita = REDACTED, "", f"-{client}", None
    row.voice_consent, row.erased_at = False, now_s


def wipe(engine: Engine) -> None:
    """Writes the tables anew that had something personal in them (`records.retention.wipe`)."""
    write_anew(engine, sorted(name for name, columns in PERSONAL.items() if columns))


def _redact_audit(session: Session, which: ColumnElement[bool]) -> int:
    """Texts become the marker, values of slots too; the keyed hash goes. An empty input is one like others."""
    rows = session.scalars(select(VoiceAuditRow).where(which, VoiceAuditRow.user_input != REDACTED)).all()
    for row in rows:
        row.user_input = row.system_response = REDACTED
        row.user_input_hash = ""
        row.ip_address = REDACTED if row.ip_address is not None else None
        row.error_message = REDACTED if row.error_message is not None else None
        row.action_result = REDACTED if row.action_result is not None else None
        row.slots_extracted = dict.fromkeys(row.slots_extracted, REDACTED)
    return len(rows)


def _redact_messages(session: Session, which: ColumnElement[bool]) -> int:
    rows = session.scalars(select(MessageRow).where(which, MessageRow.recipient != REDACTED)).all()
    for row in rows:
        row.recipient, row.params = REDACTED, dict.fromkeys(row.params, REDACTED)
        row.status = "FAILED" if row.status == "PENDING" else row.status
    return len(rows)


def _sessions(session: Session, client: int) -> list[str]:
    """The conversations that were a client's: of their appointments, and those that know them."""
    booked = select(AppointmentRow.session_id).where(AppointmentRow.cliente_id == client)
    known = select(VoiceSessionRow.id).where(or_(VoiceSessionRow.cliente_id == client))
    proved = select(ConsentRow.call_id).where(ConsentRow.cliente_id == client)
    return [one for query in (booked, known, proved) for one in session.scalars(query) if one]


def _client(session: Session, number: int) -> ClientRow:
    row = session.get(ClientRow, number)
    if row is None or row.erased_at is not None:
        raise not_found("client", number)
    return row


def _columns(row: Any) -> dict[str, Any]:
    return {one.name: getattr(row, one.key) for one in row.__table__.columns}


def _rows(result: Any) -> int:
    return int(result.rowcount)
