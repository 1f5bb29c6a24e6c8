"""A real PostgreSQL: it answers, it goes, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.postgres_server import PostgresServer
from devstack.processes import ProcessFailed


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


def test_it_answers_and_leaves_nothing_behind(server: PostgresServer) -> None:
    folder = server.process.log_path.parent
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 6 * 7").fetchone() == (42,)
    pid = server.process.pid
    server.stop()
    assert server.process.exit_status == 0
    assert not folder.exists()
    assert not os.path.exists(f"/proc/{pid}")


def test_what_was_committed_is_there_after_a_crash(server: PostgresServer) -> None:
    url = server.new_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (value int)")
    server.halt(signal.SIGQUIT)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    server.restart()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_it_needs_the_password(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://pronto:other@127.0.0.1:{server.port}/postgres")


def test_a_missing_program_names_the_way_out(tmp_path: Path) -> None:
    server = PostgresServer(state_dir=tmp_path)
    with pytest.raises(ProcessFailed, match="make setup"):
        server.start()
    assert not server.process.log_path.parent.exists()
