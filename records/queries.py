"""What is asked of the call records: calls, one call with its turns, versions of flows. Nothing here changes a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, select

from records.call import CallRecord, FlowVersion, TurnRecord
from records.database import is_ready
from records.engines import writing
from records.models import CallRow, FlowVersionRow, TurnRow
from records.store import store

CALLS, TURNS, VERSIONS = CallRow.__table__, TurnRow.__table__, FlowVersionRow.__table__


def latest_calls(engine: Engine, limit: int) -> Sequence[dict[str, Any]]:
    """The last calls, newest first. An empty database has none. Raises BadSchema and SQLAlchemyError, as all here."""
    if not is_ready(engine):
        return []
    with engine.connect() as connection:
        rows = connection.execute(select(CALLS).order_by(CALLS.c.started_at.desc(), CALLS.c.id).limit(limit))
        return [dict(row) for row in rows.mappings()]


def one_call(engine: Engine, call_id: str) -> tuple[CallRecord, list[TurnRecord]] | None:
    """One call with its turns in order; `call_id` may be the beginning of an id when only one call has it."""
    if not is_ready(engine):
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


def flow_version(engine: Engine, version: str) -> FlowVersion | None:
    """The version of a flow with this hash, or None."""
    if not is_ready(engine):
        return None
    with engine.connect() as connection:
        row = connection.execute(select(VERSIONS).where(VERSIONS.c.hash == version)).mappings().one_or_none()
        return None if row is None else FlowVersion(**row)


def flow_versions(engine: Engine, flow: str, limit: int = 50) -> list[FlowVersion]:
    """The last versions of a flow, newest first."""
    if not is_ready(engine):
        return []
    query = select(VERSIONS).where(VERSIONS.c.flow == flow).order_by(VERSIONS.c.created_at.desc()).limit(limit)
    with engine.connect() as connection:
        return [FlowVersion(**row) for row in connection.execute(query).mappings()]


def versions_in_use(engine: Engine, flow: str, limit: int = 10) -> list[FlowVersion]:
    """Versions of a flow, that of its latest call first, then the newest: where to look for the last good one."""
    latest = select(CALLS.c.flow_version).where(CALLS.c.flow == flow).order_by(CALLS.c.started_at.desc()).limit(1)
    newest = flow_versions(engine, flow, limit)
    if not newest:
        return []
    with engine.connect() as connection:
        used = connection.execute(latest).scalar()
    first = None if used is None else flow_version(engine, used)
    return [first, *(one for one in newest if one != first)] if first is not None else newest


def store_flow_version(engine: Engine, version: FlowVersion) -> None:
    """Keeps a version, at once; one that is there already stays as it is. `RecordWriter.put` does it soon instead."""
    with writing(engine).begin() as connection:
        store(connection, [version])
