"""Writing records: one that is there already is replaced, so that writing twice does no harm.

A turn may come before its call (a call that was taken up after a kill): then a call is made of what the turn tells,
which the call's own record replaces when it comes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from records.call import CallRecord, FlowVersion, Forgotten, Record, TurnRecord, Webhook
from records.models import Base, CallRow, FlowVersionRow, TurnRow, WebhookRow
from records.retention import anonymise


def store(connection: Connection, records: Iterable[Record]) -> None:
    """Writes records; of several with one key the last. Raises SQLAlchemyError."""
    calls: dict[str, CallRecord] = {}
    turns: dict[tuple[str, int], TurnRecord] = {}
    versions: dict[str, FlowVersion] = {}
    webhooks: dict[str, Webhook] = {}
    forgotten: dict[str, None] = {}
    for record in records:
        match record:
            case CallRecord():
                calls[record.id] = record
            case TurnRecord():
                turns[(record.call_id, record.number)] = record
            case FlowVersion():
                versions.setdefault(record.hash, record)
            case Webhook():
                webhooks.setdefault(record.id, record)
            case Forgotten():
                forgotten[record.call_id] = None
    missing = {turn.call_id: _call_of(turn) for turn in reversed(turns.values()) if turn.call_id not in calls}
    _upsert(connection, FlowVersionRow, list(versions.values()), keep=True)
    _upsert(connection, CallRow, list(missing.values()), keep=True)
    _upsert(connection, CallRow, list(calls.values()))
    _upsert(connection, TurnRow, list(turns.values()))
    _upsert(connection, WebhookRow, list(webhooks.values()), keep=True)
    for call_id in forgotten:
        anonymise(connection, call_id)


def _call_of(turn: TurnRecord) -> CallRecord:
    """A call of which only a turn is known."""
    times = (turn.asked_at, turn.speech_started_at, turn.transcript_at, turn.play_requested_at)
    began = next((at for at in times if at is not None), time.time())
    return CallRecord(turn.call_id, "", "", "", "", "", "", began)


def _upsert(connection: Connection, model: type[Base], records: Sequence[Record], keep: bool = False) -> None:
    """Writes rows; those that are there already are replaced or, with `keep`, left as they are."""
    if not records:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(model)
    keys = [column.name for column in model.__table__.primary_key]
    if keep:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        others = {column.name: statement.excluded[column.name] for column in model.__table__.columns}
        changed = {name: value for name, value in others.items() if name not in keys}
        # what waited on disk may come late: a call that is over does not begin again
        ended = model.__table__.columns.get("ended_at")
        where = None if ended is None else statement.excluded["ended_at"].is_not(None) | ended.is_(None)
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed, where=where)
    connection.execute(statement, [_values(record) for record in records])


def _values(record: Record) -> dict[str, Any]:
    return {spec.name: _storable(getattr(record, spec.name)) for spec in dataclasses.fields(record)}


def _storable(value: Any) -> Any:
    """Without the two things that a text may have and PostgreSQL's cannot: NUL, and half a character."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {_storable(key): _storable(one) for key, one in value.items()}
        case list() | tuple():
            return [_storable(one) for one in value]
        case _:
            return value
