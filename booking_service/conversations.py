"""Conversations with the agent: sessions that can be resumed, one audit row per turn, the statistics of a day.

`now_s` is seconds since the epoch.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking_service.agent import FAILED, audit_of, session_of
from booking_service.bodies import AuditEntry, SessionState, TurnReport
from booking_service.models import ClientRow, ServiceRow, VoiceAuditRow, VoiceSessionRow, VoiceStatsRow
from booking_service.refusals import not_found

TIME_TO_LIVE_S: Final = 600.0
ACTIONS: Final = {
    "create": "bookings",
    "change": "changes",
    "cancel": "cancellations",
    "waitlist": "waitlist_entries",
    "handoff": "handed_over",
}
"""`action_taken` of an audit row, to what it counts as. All but a hand-over count only where they did not fail."""
MOST_HISTORY: Final = 60


def put_session(session: Session, number: str, state: SessionState, now_s: float) -> dict[str, Any]:
    """Stores a conversation as it is now; its ten minutes begin anew."""
    row = session.get(VoiceSessionRow, number)
    if row is not None and row.expires_at <= now_s:
        session.delete(row)
        session.flush()
        row = None
    if row is None:
        row = _new_session(number, now_s)
        session.add(row)
    for name in state.__struct_fields__:
        if (value := getattr(state, name)) is not UNSET:
            setattr(row, name, value)
    row.updated_at, row.expires_at = now_s, now_s + TIME_TO_LIVE_S
    session.flush()
    return shown_session(row)


def get_session(session: Session, number: str, now_s: float) -> dict[str, Any]:
    """A conversation. Raises BookingRefused (404), also for one that has expired."""
    row = session.get(VoiceSessionRow, number)
    if row is None or row.expires_at <= now_s:
        raise not_found("session", number)
    return shown_session(row)


def resumable(session: Session, caller_number: str, now_s: float) -> dict[str, Any]:
    """The last conversation of a number that was cut off and can be gone on with. Raises BookingRefused (404)."""
    row = None
    if caller_number:
        query = select(VoiceSessionRow).where(
            VoiceSessionRow.caller_number == caller_number,
            VoiceSessionRow.expires_at > now_s,
            VoiceSessionRow.completed.is_(False),
            VoiceSessionRow.handoff_requested.is_(False),
        )
        row = session.scalar(query.order_by(VoiceSessionRow.updated_at.desc()).limit(1))
    if row is None:
        raise not_found("session of that number", "")
    return shown_session(row)


def forget(session: Session, now_s: float) -> None:
    """Deletes the conversations that have expired."""
    session.execute(delete(VoiceSessionRow).where(VoiceSessionRow.expires_at <= now_s))


def write_audit(session: Session, entry: AuditEntry, key: bytes, now_s: float, report: str | None = None) -> int:
    """One row; its number. `report`: the id under which it was told.

    The hash is keyed, since a short sentence could be guessed from a plain one."""
    fields = msgspec.structs.asdict(entry)
    said = hmac.new(key, entry.user_input.encode(), hashlib.sha256).hexdigest()
    row = VoiceAuditRow(**fields, user_input_hash=said, timestamp=now_s, report_id=report)
    session.add(row)
    session.flush()
    return row.id


def take_turn(session: Session, report: TurnReport, key: bytes) -> dict[str, Any]:
    """A turn that the agent tells of: its row in the log and what it makes of its session, once. Its ten minutes run
    from the turn, however late it is told; one that is told late changes no session that has gone on."""
    known = session.scalar(select(VoiceAuditRow.id).where(VoiceAuditRow.report_id == report.id))
    if known is not None:
        return {"id": known}
    at, number = report.turn.at, report.session.id
    entry = audit_of(report)
    id_of_row = write_audit(session, entry, key, at, report.id)
    row = session.get(VoiceSessionRow, number)
    if row is None:
        row = _new_session(number, at)
        row.updated_at = at
        session.add(row)
    line = {"at": at, "user": entry.user_input, "agent": entry.system_response, "intent": entry.detected_intent}
    row.history = sorted([*row.history, line], key=lambda one: float(one["at"]))[-MOST_HISTORY:]
    row.total_turns += 1
    if at >= row.updated_at:
        columns = session_of(report)
        if "slots" in columns:
            columns["slots"] |= _with_names(session, columns["slots"].get("servizi"))
        if (client := columns.get("cliente_id")) is not None and session.get(ClientRow, client) is None:
            del columns["cliente_id"]
        for name, value in columns.items():
            setattr(row, name, value)
        row.updated_at, row.expires_at = at, at + TIME_TO_LIVE_S
    session.flush()
    return {"id": id_of_row}


def _with_names(session: Session, services: Any) -> dict[str, Any]:
    """The slot of services with their names and lengths, where it has only their numbers."""
    if not isinstance(services, list):
        return {}
    found = {row.id: row for row in session.scalars(select(ServiceRow).where(ServiceRow.id.in_(services)))}
    rows = [found[number] for number in services if number in found]
    return {"servizi": [{"servizio_id": row.id, "nome": row.nome, "durata": row.durata_minuti} for row in rows]}


def _new_session(number: str, at: float) -> VoiceSessionRow:
    return VoiceSessionRow(
        id=number,
        caller_number="",
        slots={},
        history=[],
        failed_understanding_count=0,
        total_turns=0,
        created_at=at,
        expires_at=at + TIME_TO_LIVE_S,
        handoff_requested=False,
        completed=False,
    )


def count_day(session: Session, day: date, flow: str, zone: ZoneInfo) -> VoiceStatsRow:
    """Counts a day of the shop's calendar anew from its audit rows."""
    begin = datetime.combine(day, time(), zone).timestamp()
    end = datetime.combine(day + timedelta(days=1), time(), zone).timestamp()
    rows = session.scalars(
        select(VoiceAuditRow)
        .where(VoiceAuditRow.timestamp >= begin, VoiceAuditRow.timestamp < end)
        .order_by(VoiceAuditRow.id)
    ).all()
    done: dict[str, set[str]] = {name: set() for name in ACTIONS.values()}
    done["completed"] = set()
    counts: Counter[str] = Counter()
    for row in rows:
        name = ACTIONS.get(row.action_taken or "")
        failed = bool(row.error_message) or row.action_result in FAILED
        if name and (name == "handed_over" or not failed):
            counts[name] += 1
            done[name].add(row.session_id)
            if name != "handed_over":
                done["completed"].add(row.session_id)
    sessions = {row.session_id for row in rows}
    waits = sorted(row.latency_ms for row in rows if row.latency_ms is not None)
    stats = VoiceStatsRow(
        giorno=day,
        flow=flow,
        sessions=len(sessions),
        completed=len(done["completed"]),
        handed_over=len(done["handed_over"]),
        abandoned=len(sessions - done["completed"] - done["handed_over"]),
        bookings=counts["bookings"],
        changes=counts["changes"],
        cancellations=counts["cancellations"],
        waitlist_entries=counts["waitlist_entries"],
        failed_turns=sum(bool(row.error_message) for row in rows),
        mean_latency_ms=sum(waits) / len(waits) if waits else None,
        p95_latency_ms=float(waits[max(0, -(-len(waits) * 95 // 100) - 1)]) if waits else None,
        intents=dict(Counter(row.detected_intent for row in rows if row.detected_intent)),
    )
    return session.merge(stats)


def shown_session(row: VoiceSessionRow) -> dict[str, Any]:
    """A conversation as answers have it."""
    return {"id": row.id, **{name: getattr(row, name) for name in SessionState.__struct_fields__}}
