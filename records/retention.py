"""What of a call is kept for ever, and what is not: rows with the personal parts taken out, and which rows are old.

Kept: when, how long, which flow, how it came out, what was understood, how fast each stage was. Taken out: who called,
what was said, the values of slots and lead. A row that was done has REMOVED as its number: nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, inspect, select, update

from records.call_records import CALLS, TURNS

REMOVED = "-"
BATCH = 200


def old_calls(engine: Engine, before: float) -> Iterator[dict[str, Any]]:
    """Calls that began before `before` (seconds since the epoch) and are not done yet, oldest first: id, recording and
    ended_at (None: nobody told its end). Raises SQLAlchemyError. A database without tables has none."""
    if not inspect(engine).has_table(CALLS.name):
        return
    last = ("", float("-inf"))
    while True:
        query = (
            select(CALLS.c.id, CALLS.c.started_at, CALLS.c.ended_at, CALLS.c.recording)
            .where(CALLS.c.started_at < before, CALLS.c.caller_number != REMOVED)
            .where((CALLS.c.started_at > last[1]) | ((CALLS.c.started_at == last[1]) & (CALLS.c.id > last[0])))
            .order_by(CALLS.c.started_at, CALLS.c.id)
            .limit(BATCH)
        )
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        yield from rows
        if len(rows) < BATCH:
            return
        last = (rows[-1]["id"], rows[-1]["started_at"])


def anonymise(connection: Connection, call_id: str) -> int:
    """Takes the personal parts out of one call and its turns; how many turns there were. Raises SQLAlchemyError."""
    found = connection.execute(select(CALLS.c.lead).where(CALLS.c.id == call_id)).scalar_one()
    lead = dict.fromkeys(found or {}, REMOVED)
    turns = connection.execute(select(TURNS.c.number, TURNS.c.slots).where(TURNS.c.call_id == call_id)).all()
    for number, slots in turns:
        one = (TURNS.c.call_id == call_id) & (TURNS.c.number == number)
        left = {"text": "", "heard": [], "notes": [], "slots": dict.fromkeys(slots or {}, REMOVED)}
        connection.execute(update(TURNS).where(one).values(left))
    gone = {"caller_number": REMOVED, "called_number": REMOVED, "lead": lead, "recording": ""}
    connection.execute(update(CALLS).where(CALLS.c.id == call_id).values(gone))
    return len(turns)


def wipe(engine: Engine) -> None:
    """Makes SQLite forget the pages that held what was taken out; other databases see to that themselves."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
