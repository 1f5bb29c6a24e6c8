"""A database whose schema is ours: migration under a lock, and refusal of what is not ours.

A database of an older version is brought up to date. One that is newer than this code, or whose tables are not ours, is
refused with BadSchema and not touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Inspector, inspect

from records.engines import connect, writing
from records.models import Base
from records.schema import Schema

FIRST: Final = "0001"
SCHEMA: Final = Schema(Path(__file__).parent / "migrations", "alembic_version", lock=0x50726F6E746F)  # "Pronto"


class BadSchema(RuntimeError):
    """The database is not one of ours, or of a newer version; nothing was changed. The message tells the way out."""


def open_database(url: str, busy_s: float = 1.0) -> Engine:
    """`connect` and `migrate`. Raises BadSchema, SQLAlchemyError (the database is away) and what `connect` raises."""
    engine = connect(url, busy_s)
    migrate(engine)
    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings an empty or older database to `revision`, all or nothing; of several that begin at once one does it.

    Raises BadSchema and SQLAlchemyError.
    """
    with writing(engine).begin() as connection:
        SCHEMA.wait_for_others(connection)
        have = _known_revision(connection)
        if have is None and _our_tables(connection):
            SCHEMA.stamp(connection, FIRST)
        if have != (head() if revision == "head" else revision):
            SCHEMA.upgrade(connection, revision)
        if revision == "head":
            check(connection)


def downgrade(engine: Engine, revision: str) -> None:
    """Back to an older revision, for going back to an older version of Pronto. Raises BadSchema and SQLAlchemyError."""
    with writing(engine).begin() as connection:
        SCHEMA.wait_for_others(connection)
        if _known_revision(connection) is None:
            raise BadSchema("the database has no revision to go back from")
        SCHEMA.downgrade(connection, revision)


def revision_of(engine: Engine) -> str | None:
    """The database's revision; None: it has none. Raises BadSchema for one that is not ours, and SQLAlchemyError."""
    with engine.connect() as connection:
        return _known_revision(connection)


def head() -> str:
    """The revision that this code is for."""
    return SCHEMA.head


def is_ready(engine: Engine) -> bool:
    """For readers, who change nothing: False for an empty database. Raises BadSchema when it is older or not ours."""
    with engine.connect() as connection:
        have = _known_revision(connection)
        if have is None and not _our_tables(connection):
            return False
        if have != head():
            raise BadSchema(
                f"the database has revision {have or FIRST}, this version reads {head()}: "
                "the bot manager brings it up to date when it starts, `pronto records upgrade` does it now"
            )
        check(connection)
        return True


def check(connection: Connection) -> None:
    """Raises BadSchema when a table or column that this code uses is not there."""
    columns = _columns(inspect(connection))
    missing = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name not in columns.get(table.name, set())
    ]
    if missing:
        raise BadSchema(f"the database says it has revision {head()}, but lacks {', '.join(missing)}")


def _known_revision(connection: Connection) -> str | None:
    have, known = SCHEMA.found(connection), SCHEMA.known
    strange = [one for one in have if one not in known]
    if strange or len(have) > 1:
        raise BadSchema(
            f"the database has revision {', '.join(have)}, this version knows {', '.join(known)}: it was made "
            "by a newer version of Pronto (use that, or let it `pronto records downgrade`), or is another program's"
        )
    return have[0] if have else None


def _our_tables(connection: Connection) -> bool:
    """Whether a database without a revision has tables of the first version. Raises BadSchema when they are others."""
    found = {name: names for name, names in _columns(inspect(connection)).items() if name in Base.metadata.tables}
    if not found:
        return False
    strange = sorted(name for name in found.keys() | _FIRST_TABLES.keys() if found.get(name) != _FIRST_TABLES.get(name))
    if strange:
        raise BadSchema(f"the database has no revision, and its tables are not Pronto's ({', '.join(strange)})")
    return True


def _columns(inspector: Inspector) -> dict[str, set[str]]:
    return {
        name: {column["name"] for column in inspector.get_columns(name)}
        for name in inspector.get_table_names()
        if name in Base.metadata.tables
    }


_FIRST_TABLES: Final = {
    "calls": set(
        "id cell caller_number called_number flow flow_version flow_edited_at started_at first_prompt_at ended_at "
        "outcome end_reason recording lead".split()
    ),
    "turns": set(
        "call_id number turn state next_state prompts heard text intent score committed slots notes answer_prompts "
        "asked_at speech_started_at speech_ended_at endpoint_at posted_at transcript_at intent_at play_requested_at "
        "playback_started_at".split()
    ),
}
