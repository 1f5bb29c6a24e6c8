"""The tables of the business data, as SQLAlchemy models: what `booking_service/migrations` leads every database to.

The ten tables whose names are Italian, or begin with `voice_` or are `waitlist`, are a contract, and so are their
columns; the others are our own. Dates and times of appointments are the clock on the shop's wall; points in time are
UTC, and seconds since the epoch in Python.

`PERSONAL` says of every column what privacy does with it; a column without a word there does not pass the tests.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any, Final

from sqlalchemy import JSON, Date, Float, ForeignKey, Index, MetaData, Text, Time, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from records.models import UtcTime


class BookingBase(DeclarativeBase):
    """Constraints have names, so that migrations can say which they mean."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        str: Text(),
        float: Float(),
        date: Date(),
        time: Time(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(none_as_null=True),
    }


def at(nullable: bool = False, **options: Any) -> Any:
    """A column that is a point in time."""
    return mapped_column(UtcTime, nullable=nullable, **options)


class ClientRow(BookingBase):
    """A client of the shop. `telefono`: ten digits beginning with 3; one client per number."""

    __tablename__ = "clienti"

    id: Mapped[int] = mapped_column(primary_key=True)
    nome: Mapped[str]
    cognome: Mapped[str]
    telefono: Mapped[str] = mapped_column(unique=True)
    data_nascita: Mapped[date | None]
    is_vip: Mapped[bool] = mapped_column(default=False)
    voice_consent: Mapped[bool] = mapped_column(default=False)
    voice_consent_at: Mapped[float | None] = at(nullable=True)
    voice_consent_wording: Mapped[str] = mapped_column(default="")
    erased_at: Mapped[float | None] = at(nullable=True)


class ServiceRow(BookingBase):
    """What the shop offers. `prezzo` is in cents; `sinonimi` are other names that callers use."""

    __tablename__ = "servizi"

    id: Mapped[int] = mapped_column(primary_key=True)
    nome: Mapped[str] = mapped_column(unique=True)
    durata_minuti: Mapped[int]
    prezzo: Mapped[int | None]
    sinonimi: Mapped[list[Any]] = mapped_column(default=list)
    attivo: Mapped[bool] = mapped_column(default=True)


class StaffRow(BookingBase):
    """A member of staff. `servizi`: ids of what they do; null: everything."""

    __tablename__ = "operatori"

    id: Mapped[int] = mapped_column(primary_key=True)
    nome: Mapped[str]
    servizi: Mapped[list[Any] | None]
    attivo: Mapped[bool] = mapped_column(default=True)


class HoursRow(BookingBase):
    """Opening hours of a weekday, 0 is Monday. No row: closed."""

    __tablename__ = "orari_lavoro"

    giorno: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    aperto: Mapped[bool]
    apertura: Mapped[time]
    chiusura: Mapped[time]
    pausa_inizio: Mapped[time | None]
    pausa_fine: Mapped[time | None]


class HolidayRow(BookingBase):
    """A day on which the shop is closed, every year where `ogni_anno` says so."""

    __tablename__ = "giorni_festivi"

    data: Mapped[date] = mapped_column(primary_key=True)
    nome: Mapped[str]
    ogni_anno: Mapped[bool] = mapped_column(default=False)


class AppointmentRow(BookingBase):
    """An appointment, BOOKED or CANCELLED. `servizi`: [{servizio_id, nome, durata_minuti}]. `request_key`: of the
    request that made it, so that the same one again makes no second."""

    __tablename__ = "appuntamenti"
    __table_args__ = (
        Index("appuntamenti_by_day", "data", "ora"),
        Index("appuntamenti_by_client", "cliente_id", "data"),
        Index(
            "appuntamenti_one_start",
            "operatore_id",
            "data",
            "ora",
            unique=True,
            sqlite_where=text("status = 'BOOKED'"),
            postgresql_where=text("status = 'BOOKED'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cliente_id: Mapped[int] = mapped_column(ForeignKey("clienti.id"))
    servizi: Mapped[list[Any]]
    data: Mapped[date]
    ora: Mapped[time]
    durata_minuti: Mapped[int]
    operatore_id: Mapped[int | None] = mapped_column(ForeignKey("operatori.id"))
    note: Mapped[str] = mapped_column(default="")
    confirmation_code: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default="BOOKED")
    session_id: Mapped[str] = mapped_column(default="", index=True)
    request_key: Mapped[str | None] = mapped_column(unique=True)
    request_hash: Mapped[str] = mapped_column(default="")
    whatsapp_confirmed: Mapped[bool] = mapped_column(default=False)
    whatsapp_confirmed_at: Mapped[float | None] = at(nullable=True)
    created_at: Mapped[float] = at()


class WaitlistRow(BookingBase):
    """Somebody who waits for a day. WAITING, NOTIFIED (until `hold_until`), BOOKED or EXPIRED."""

    __tablename__ = "waitlist"
    __table_args__ = (
        Index("waitlist_by_day", "data_preferita", "status"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cliente_id: Mapped[int] = mapped_column(ForeignKey("clienti.id"))
    servizio_id: Mapped[int]
    servizi: Mapped[list[Any]] = mapped_column(default=list)
    durata_minuti: Mapped[int]
    data_preferita: Mapped[date]
    ora_preferita: Mapped[time | None]
    operatore_preferito_id: Mapped[int | None]
    priorita: Mapped[str] = mapped_column(default="NORMAL")
    priorita_score: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default="WAITING")
    created_at: Mapped[float] = at()
    expires_at: Mapped[float | None] = at(nullable=True)
    hold_until: Mapped[float | None] = at(nullable=True)


class HoldRow(BookingBase):
    """A slot that is kept for one session until it has decided; one per session."""

    __tablename__ = "holds"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[date] = mapped_column(index=True)
    ora: Mapped[time]
    durata_minuti: Mapped[int]
    operatore_id: Mapped[int | None]
    expires_at: Mapped[float] = at()


class VoiceSessionRow(BookingBase):
    """A conversation, for as long as it can be resumed."""

    __tablename__ = "voice_sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    cliente_id: Mapped[int | None] = mapped_column(ForeignKey("clienti.id"))
    caller_number: Mapped[str] = mapped_column(default="", index=True)
    current_intent: Mapped[str | None]
    current_step: Mapped[str | None]
    slots: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pending_disambiguation: Mapped[list[Any] | None]
    pending_alternatives: Mapped[list[Any] | None]
    history: Mapped[list[Any]] = mapped_column(default=list)
    failed_understanding_count: Mapped[int] = mapped_column(default=0)
    total_turns: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[float] = at()
    updated_at: Mapped[float] = at()
    expires_at: Mapped[float] = at(index=True)
    handoff_requested: Mapped[bool] = mapped_column(default=False)
    completed: Mapped[bool] = mapped_column(default=False)
    memory: Mapped[str | None]
    """What the agent needs to go on with it in another call; text of its own making."""


class VoiceAuditRow(BookingBase):
    """One turn. It outlives its session, so nothing cascades."""

    __tablename__ = "voice_audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(index=True)
    timestamp: Mapped[float] = at(index=True)
    user_input: Mapped[str]
    user_input_hash: Mapped[str]
    detected_intent: Mapped[str | None]
    intent_confidence: Mapped[float | None]
    special_command: Mapped[str | None]
    slots_extracted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    system_response: Mapped[str] = mapped_column(default="")
    action_taken: Mapped[str | None]
    action_result: Mapped[str | None]
    error_message: Mapped[str | None]
    latency_ms: Mapped[int | None]
    ip_address: Mapped[str | None]
    report_id: Mapped[str | None] = mapped_column(index=True, unique=True)
    """Of the report that told of the turn: what comes twice is written once."""


class VoiceStatsRow(BookingBase):
    """A day of one flow, counted."""

    __tablename__ = "voice_agent_stats"

    giorno: Mapped[date] = mapped_column(primary_key=True)
    flow: Mapped[str] = mapped_column(primary_key=True)
    sessions: Mapped[int]
    completed: Mapped[int]
    handed_over: Mapped[int]
    abandoned: Mapped[int]
    bookings: Mapped[int]
    changes: Mapped[int]
    cancellations: Mapped[int]
    waitlist_entries: Mapped[int]
    failed_turns: Mapped[int]
    mean_latency_ms: Mapped[float | None]
    p95_latency_ms: Mapped[float | None]
    intents: Mapped[dict[str, Any]] = mapped_column(default=dict)


class MessageRow(BookingBase):
    """A message to a client: PENDING until it was taken, then SENT, or FAILED after the last try."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_by_turn", "status", "next_try_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    appuntamento_id: Mapped[int | None]
    recipient: Mapped[str]
    template: Mapped[str]
    params: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default="PENDING")
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[float] = at()
    created_at: Mapped[float] = at()
    sent_at: Mapped[float | None] = at(nullable=True)
    provider_id: Mapped[str] = mapped_column(default="")


class ConsentRow(BookingBase):
    """The proof of an answer to the question for consent: a yes belongs to a client, a no to nobody."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    cliente_id: Mapped[int | None] = mapped_column(ForeignKey("clienti.id"))
    call_id: Mapped[str]
    asked: Mapped[str]
    answer: Mapped[str]
    given: Mapped[bool]
    wording: Mapped[str]
    asked_at: Mapped[float] = at()


class SettingRow(BookingBase):
    """A setting of the shop by its name."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


PERSONAL: Final[dict[str, str]] = {
    "clienti": "nome cognome telefono data_nascita",
    "servizi": "",
    "operatori": "",
    "orari_lavoro": "",
    "giorni_festivi": "",
    "appuntamenti": "note",
    "waitlist": "",
    "holds": "",
    "voice_sessions": "cliente_id caller_number slots pending_disambiguation pending_alternatives history memory",
    "voice_audit_log": "user_input user_input_hash slots_extracted system_response action_result error_message "
    "ip_address",
    "voice_agent_stats": "",
    "messages": "recipient params",
    "consents": "",
    "settings": "",
}
"""Columns that hold something of a person, by table: what leaves with them, or after the days that are set."""
