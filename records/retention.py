"""What of a call is kept for ever, and what is not: rows with the personal parts taken out, and which rows are old.

Kept: when, how long, which flow, how it came out, what was understood, how fast each stage was. Taken out: who called,
what was said by either side, the values of slots, lead and variables; `records.models` says it of each column. A row
that was done has REMOVED as its number: nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, update

from records.database import is_ready
from records.models import PERSONAL, CallRow, TurnRow, WebhookRow

REMOVED = "-"
BATCH = 200
CALLS: Any = CallRow.__table__
TURNS: Any = TurnRow.__table__
WEBHOOKS: Any = WebhookRow.__table__


def old_calls(engine: Engine, before: float) -> Iterator[dict[str, Any]]:
    """Calls that began before `before` (seconds since the epoch) and are not done yet, oldest first: id, channel_id,
    recording and ended_at (None: nobody told its end). Raises BadSchema, SQLAlchemyError. An empty database has none.
    """
    if not is_ready(engine):
        return
    last: tuple[str, float] | None = None
    while True:
        query = (
            select(CALLS.c.id, CALLS.c.channel_id, CALLS.c.started_at, CALLS.c.ended_at, CALLS.c.recording)
            .where(CALLS.c.started_at < before, CALLS.c.caller_number != REMOVED)
            .order_by(CALLS.c.started_at, CALLS.c.id)
            .limit(BATCH)
        )
        if last is not None:
            later = (CALLS.c.started_at == last[1]) & (CALLS.c.id > last[0])
            query = query.where((CALLS.c.started_at > last[1]) | later)
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        yield from rows
        if len(rows) < BATCH:
            return
        last = (rows[-1]["id"], rows[-1]["started_at"])


def anonymise(connection: Connection, call_id: str) -> int:
    """Takes the personal parts out of one call, its turns and webhooks; how many turns there were, none of a call that
    is not known. A webhook that still waits is given up. Raises SQLAlchemyError."""
    turns = connection.execute(select(TURNS).where(TURNS.c.call_id == call_id)).mappings().all()
    for turn in turns:
        one = (TURNS.c.call_id == call_id) & (TURNS.c.number == turn["number"])
        connection.execute(update(TURNS).where(one).values(_emptied(TURNS, turn)))
    of_call = WEBHOOKS.c.call_id == call_id
    late = {"state": "dead", "fault": "kept for longer than calls are"}
    connection.execute(update(WEBHOOKS).where(of_call, WEBHOOKS.c.state == "waiting").values(late))
    connection.execute(update(WEBHOOKS).where(of_call).values(body=""))
    call = connection.execute(select(CALLS).where(CALLS.c.id == call_id)).mappings().one_or_none()
    if call is None:
        return 0
    gone = {**_emptied(CALLS, call), "caller_number": REMOVED, "called_number": REMOVED}
    connection.execute(update(CALLS).where(CALLS.c.id == call_id).values(gone))
    return len(turns)


def _emptied(table: Table, row: Any) -> dict[str, Any]:
    """The personal columns of a row without what is in them."""
    empty: dict[type, Any] = {str: "", list: []}
    return {
        name: dict.fromkeys(row[name], REMOVED) if isinstance(row[name], dict) else empty[type(row[name])]
        for name in PERSONAL[table.name].split()
    }


def wipe(engine: Engine, tables: Sequence[str] = ("calls", "turns", "webhooks")) -> None:
    """Writes tables anew without what was taken out, which pages of the files still hold. Others wait meanwhile.
    PostgreSQL's log of changes (WAL) and copies of it hold it until they are recycled."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql(f"VACUUM (FULL) {', '.join(tables)}")
            connection.exec_driver_sql("RESET statement_timeout")
