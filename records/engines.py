"""From a URL to an engine for SQLite or PostgreSQL, set up alike: foreign keys hold, transactions cover everything.

Errors tell the statement, and not who called and what was said.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import socket
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

_POSTGRES_OPTIONS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # ms; a network that swallows what was sent
    # a row that somebody else holds must not hold a connection for ever; `attempt` gives up a little later
    "options": "-c statement_timeout=8000",
}
ATTEMPT_S: Final = 10.0
# its warnings hold the row that was refused; the error itself is raised anyway
logging.getLogger("psycopg").setLevel(logging.ERROR)


def connect(url: str, busy_s: float = 1.0) -> Engine:
    """An engine, whatever is in the database; nothing connects yet. `busy_s`: longest wait for SQLite's lock.

    Of a SQLite file the folder is made. `postgresql://` means `postgresql+psycopg://`. Raises ArgumentError for a bad
    URL, OSError for a folder that cannot be made.
    """
    parsed = make_url(url)
    dumps = functools.partial(json.dumps, ensure_ascii=False)
    if parsed.get_backend_name() != "sqlite":
        return _postgres(parsed, dumps)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": busy_s}, json_serializer=dumps, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def tune(connection: Any, _: object) -> None:
        connection.isolation_level = None  # `begin` below begins transactions, for changes of tables too
        connection.execute("PRAGMA journal_mode=WAL")  # readers (pronto calls) do not lock the writer out
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":  # VACUUM takes no transaction
            connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))

    return engine


def writing(engine: Engine) -> Engine:
    """The same engine; what begins a transaction holds SQLite's only write lock from its beginning."""
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE") if engine.dialect.name == "sqlite" else engine


# --- PostgreSQL: a server that is stopped, or a network that swallows everything, must not hold a thread for ever ---

_SOCKETS: weakref.WeakKeyDictionary[Engine, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()


def _postgres(url: URL, dumps: Any) -> Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        connect_args={name: value for name, value in _POSTGRES_OPTIONS.items() if name not in url.query},
        json_serializer=dumps,
        hide_parameters=True,
        pool_pre_ping=True,
    )
    connections: weakref.WeakSet[Any] = weakref.WeakSet()
    _SOCKETS[engine] = connections

    @event.listens_for(engine, "connect", insert=True)
    def remember(connection: Any, _: object) -> None:
        connections.add(connection)

    return engine


@contextlib.contextmanager
def attempt(engine: Engine, limit_s: float = ATTEMPT_S) -> Iterator[None]:
    """What is done inside ends after `limit_s` at the latest, with an OperationalError. No other thread uses `engine`.

    PostgreSQL's driver waits without a limit for a server that has stopped answering; its sockets are shut then.
    SQLite has a limit of its own.
    """
    connections = _SOCKETS.get(engine)
    if connections is None:
        yield
        return

    def give_up() -> None:
        for connection in list(connections):
            with contextlib.suppress(Exception), socket.socket(fileno=connection.fileno()) as one:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                finally:
                    one.detach()

    timer = threading.Timer(limit_s, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
