"""The database of the business data: migration under a lock, refusal of what is not ours, transactions of one writer.

As in `records.database`, an older database is brought up to date, and one that is newer or another program's is refused
and not touched.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session

from booking_service.models import BookingBase
from records.database import BadSchema
from records.engines import connect, writing

logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells its transaction mode every time
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATION_LOCK, _WRITE_LOCK = 0x50726F6E746F62, 0x50726F6E746F77  # of PostgreSQL's advisory locks
_VERSIONS: Final = "booking_version"
"""Where the revision stands, so that call records may be in the same database."""


def open_booking(url: str, busy_s: float = 5.0) -> Engine:
    """An engine on an up-to-date database. Raises BadSchema, SQLAlchemyError and what `connect` raises."""
    engine = connect(url, busy_s)
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = {one.revision for one in scripts.walk_revisions()}
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        options = {"version_table": _VERSIONS}
        have = MigrationContext.configure(connection, opts=options).get_current_heads()
        if strange := [one for one in have if one not in known]:
            raise BadSchema(f"the booking database has revision {', '.join(strange)}, which this version does not know")
        tables = set(inspect(connection).get_table_names())
        if not have and (ours := sorted(tables & set(BookingBase.metadata.tables))):
            raise BadSchema(f"the booking database has no revision, and has tables of ours: {', '.join(ours)}")
        if have != (str(scripts.get_current_head()),):
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes |= {"connection": connection, "version_table": _VERSIONS}
            command.upgrade(config, "head")
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
