"""The database of the business data: migration under a lock, refusal of what is not ours, transactions of one writer.

As in `records.database`, an older database is brought up to date, and one that is newer or another program's is refused
and not touched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session

from booking_service.models import BookingBase
from records.database import BadSchema
from records.engines import connect, writing
from records.schema import Schema

SCHEMA: Final = Schema(Path(__file__).parent / "migrations", "booking_version", lock=0x50726F6E746F62)
"""Its revision stands in a table of its own, so that call records may be in the same database."""
_WRITE_LOCK: Final = 0x50726F6E746F77  # of PostgreSQL's advisory locks


def open_booking(url: str, busy_s: float = 5.0) -> Engine:
    """An engine on an up-to-date database. Raises BadSchema, SQLAlchemyError and what `connect` raises."""
    engine = connect(url, busy_s)
    with writing(engine).begin() as connection:
        SCHEMA.wait_for_others(connection)
        have, known = SCHEMA.found(connection), SCHEMA.known
        if strange := [one for one in have if one not in known]:
            raise BadSchema(f"the booking database has revision {', '.join(strange)}, which this version does not know")
        tables = set(inspect(connection).get_table_names())
        if not have and (ours := sorted(tables & set(BookingBase.metadata.tables))):
            raise BadSchema(f"the booking database has no revision, and has tables of ours: {', '.join(ours)}")
        if have != [SCHEMA.head]:
            SCHEMA.upgrade(connection)
    return engine


@contextlib.contextmanager
def changing(engine: Engine) -> Iterator[Session]:
    """A transaction that alone changes what is booked: who looks and then writes inside it races with nobody.

    Commits at its end, rolls back when something is raised. Raises SQLAlchemyError.
    """
    with Session(writing(engine), expire_on_commit=False) as session, session.begin():
        if engine.dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})
        yield session


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A transaction that changes nothing. Raises SQLAlchemyError."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
