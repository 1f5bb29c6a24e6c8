"""The tables of the call records, as SQLAlchemy models: what `records/migrations` leads every database to.

Times are points in time with a zone, in UTC: `timestamptz` in PostgreSQL, ISO text in SQLite. So "calls of Tuesday
in Paris" is plain SQL in both (`started_at AT TIME ZONE 'Europe/Paris'`, `date(started_at, 'localtime')`), a person who
opens the table can read it, and indexes and ranges work as they did with numbers. In Python they are seconds since the
epoch as everywhere in Pronto, to the microsecond. Times inside JSON columns (`heard`, `notes`) stay such numbers.

JSON is `json` in PostgreSQL, which keeps the names of a lead in the order of the flow; `jsonb` does not.

Texts have no length limit: what a flow, a trunk or a caller may name is limited where it comes in, once.

`PERSONAL` tells of every column what retention does with it; a column without a word there does not pass the tests.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, Float, ForeignKey, Index, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH).total_seconds()
_LATEST: Final = (datetime(9999, 12, 30, tzinfo=UTC) - EPOCH).total_seconds()


class UtcTime(TypeDecorator[float]):
    """Seconds since the epoch in Python, a point in time in the database; what no calendar has is its first or last."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        if value is None:
            return None
        at = EPOCH + timedelta(seconds=min(max(value, _EARLIEST), _LATEST))
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> float | None:
        """From the database."""
        if value is None:
            return None
        return ((value.replace(tzinfo=UTC) if value.tzinfo is None else value) - EPOCH).total_seconds()


class Base(DeclarativeBase):
    """Constraints have names, so that migrations can say which they mean."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "%(column_0_label)s",
        }
    )
    type_annotation_map = {str: Text(), float: Float(), dict[str, Any]: JSON(), list[Any]: JSON()}  # noqa: RUF012


class CallRow(Base):
    """One call; the fields are those of `records.call.CallRecord`."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_by_start", "started_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    cell: Mapped[str]
    channel_id: Mapped[str]
    direction: Mapped[str]
    caller_number: Mapped[str]
    called_number: Mapped[str]
    flow: Mapped[str]
    flow_version: Mapped[str]
    flow_edited_at: Mapped[str]
    timezone: Mapped[str]
    started_at: Mapped[float] = mapped_column(UtcTime)
    first_prompt_at: Mapped[float | None] = mapped_column(UtcTime)
    ended_at: Mapped[float | None] = mapped_column(UtcTime)
    outcome: Mapped[str]
    end_reason: Mapped[str]
    recording: Mapped[str]
    lead: Mapped[dict[str, Any]]
    variables: Mapped[dict[str, Any]]


class TurnRow(Base):
    """One turn; the fields are those of `records.call.TurnRecord`."""

    __tablename__ = "turns"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    turn: Mapped[int] = mapped_column(Integer)
    state: Mapped[str]
    next_state: Mapped[str]
    prompts: Mapped[list[Any]]
    said: Mapped[list[Any]]
    heard: Mapped[list[Any]]
    text: Mapped[str]
    intent: Mapped[str]
    score: Mapped[float]
    committed: Mapped[str]
    slots: Mapped[dict[str, Any]]
    notes: Mapped[list[Any]]
    answer_prompts: Mapped[list[Any]]
    asked_at: Mapped[float | None] = mapped_column(UtcTime)
    speech_started_at: Mapped[float | None] = mapped_column(UtcTime)
    speech_ended_at: Mapped[float | None] = mapped_column(UtcTime)
    endpoint_at: Mapped[float | None] = mapped_column(UtcTime)
    posted_at: Mapped[float | None] = mapped_column(UtcTime)
    transcript_at: Mapped[float | None] = mapped_column(UtcTime)
    intent_at: Mapped[float | None] = mapped_column(UtcTime)
    play_requested_at: Mapped[float | None] = mapped_column(UtcTime)
    playback_started_at: Mapped[float | None] = mapped_column(UtcTime)


class FlowVersionRow(Base):
    """One version of a flow; the fields are those of `records.call.FlowVersion`. A version is never changed."""

    __tablename__ = "flow_versions"
    __table_args__ = (Index("flow_versions_by_flow", "flow", "created_at"),)

    hash: Mapped[str] = mapped_column(primary_key=True)
    flow: Mapped[str]
    text: Mapped[str]
    author: Mapped[str]
    created_at: Mapped[float] = mapped_column(UtcTime)


class WebhookRow(Base):
    """One webhook of the outbox; the fields are those of `records.call.Webhook`."""

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("webhooks_by_turn", "cell", "state", "next_try_at"),
        Index("webhooks_by_call", "call_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    cell: Mapped[str]
    event: Mapped[str]
    call_id: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[float] = mapped_column(UtcTime)
    next_try_at: Mapped[float] = mapped_column(UtcTime)
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(Integer)
    done_at: Mapped[float | None] = mapped_column(UtcTime)
    fault: Mapped[str]
    url: Mapped[str]
    headers: Mapped[dict[str, Any]]


PERSONAL: Final[dict[str, str]] = {
    "calls": "caller_number called_number channel_id recording lead variables",
    "turns": "text heard said notes slots prompts answer_prompts",  # prompts: a value that is read back is prompts, too
    "flow_versions": "",
    "webhooks": "body",
}
"""Columns that retention empties, by table. Of JSON objects the names stay and the values go."""
KEPT: Final[dict[str, str]] = {
    "calls": "id cell direction flow flow_version flow_edited_at timezone started_at first_prompt_at ended_at outcome "
    "end_reason",
    "turns": "call_id number turn state next_state intent score committed asked_at speech_started_at speech_ended_at "
    "endpoint_at posted_at transcript_at intent_at play_requested_at playback_started_at",
    "flow_versions": "hash flow text author created_at",
    "webhooks": "id cell event call_id created_at next_try_at state tries done_at fault url headers",
}
"""Columns that stay for ever."""
