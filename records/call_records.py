"""Call records in a database through SQLAlchemy: the tables, writing a record twice without harm, and reading.

SQLite by default, PostgreSQL by URL. Times are seconds since the epoch as floats, like everywhere in Pronto.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import make_url

from records.call import CallRecord, TurnRecord

METADATA = MetaData()

CALLS = Table(
    "calls",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("cell", String(64), nullable=False),
    Column("caller_number", String(64), nullable=False),
    Column("called_number", String(64), nullable=False),
    Column("flow", String(128), nullable=False),
    Column("flow_version", String(64), nullable=False),
    Column("flow_edited_at", String(64), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("first_prompt_at", Float),
    Column("ended_at", Float),
    Column("outcome", String(64), nullable=False),
    Column("end_reason", String(64), nullable=False),
    Column("recording", Text, nullable=False),
    Column("lead", JSON, nullable=False),
    Index("calls_by_start", "started_at"),
)
TURNS = Table(
    "turns",
    METADATA,
    Column("call_id", String(128), ForeignKey("calls.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("state", String(128), nullable=False),
    Column("next_state", String(128), nullable=False),
    Column("prompts", JSON, nullable=False),
    Column("heard", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("intent", String(128), nullable=False),
    Column("score", Float, nullable=False),
    Column("committed", String(32), nullable=False),
    Column("slots", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("answer_prompts", JSON, nullable=False),
    Column("asked_at", Float),
    Column("speech_started_at", Float),
    Column("speech_ended_at", Float),
    Column("endpoint_at", Float),
    Column("posted_at", Float),
    Column("transcript_at", Float),
    Column("intent_at", Float),
    Column("play_requested_at", Float),
    Column("playback_started_at", Float),
)

Record = CallRecord | TurnRecord


def open_database(url: str, busy_s: float = 1.0) -> Engine:
    """An engine; the folder of a SQLite file is made. Nothing connects yet. Raises ArgumentError for a bad URL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    # errors tell the statement, and not who called and what was said
    engine = create_engine(parsed, connect_args={"timeout": busy_s}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def tune(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # readers (pronto calls) do not lock the writer out
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def create_tables(engine: Engine) -> None:
    """Makes what is missing. Raises SQLAlchemyError."""
    METADATA.create_all(engine)


def store(connection: Connection, records: Iterable[Record]) -> None:
    """Writes records, replacing what is there under their key; in order. Raises SQLAlchemyError."""
    for record in records:
        values = dataclasses.asdict(record)
        if isinstance(record, CallRecord):
            table, key = CALLS, CALLS.c.id == record.id
        else:
            table, key = TURNS, (TURNS.c.call_id == record.call_id) & (TURNS.c.number == record.number)
        if connection.execute(update(table).where(key).values(values)).rowcount == 0:
            connection.execute(insert(table).values(values))


def latest_calls(engine: Engine, limit: int) -> Sequence[dict[str, Any]]:
    """The last calls, newest first. A database without tables has none."""
    if not inspect(engine).has_table(CALLS.name):
        return []
    with engine.connect() as connection:
        rows = connection.execute(select(CALLS).order_by(CALLS.c.started_at.desc()).limit(limit))
        return [dict(row) for row in rows.mappings()]


def one_call(engine: Engine, call_id: str) -> tuple[CallRecord, list[TurnRecord]] | None:
    """One call with its turns in order; `call_id` may be the beginning of an id when only one call has it."""
    if not inspect(engine).has_table(CALLS.name):
        return None
    with engine.connect() as connection:
        starts = select(CALLS).where(CALLS.c.id.startswith(call_id, autoescape=True)).limit(2)
        rows = connection.execute(select(CALLS).where(CALLS.c.id == call_id)).mappings().all()
        rows = rows or connection.execute(starts).mappings().all()
        if len(rows) != 1:
            return None
        call = CallRecord(**rows[0])
        turns = connection.execute(select(TURNS).where(TURNS.c.call_id == call.id).order_by(TURNS.c.number))
        return call, [TurnRecord(**row) for row in turns.mappings()]
