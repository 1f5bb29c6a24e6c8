"""The writer of records with a database that is locked, stopped, killed, wrong or not there yet: nothing is lost."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from config import ROOT
from devstack.postgres_server import PostgresServer
from devstack.processes import wait_for
from records.call import CallRecord, Record
from records.database import head, open_database
from records.engines import attempt, connect, writing
from records.models import CallRow, TurnRow
from records.queries import flow_version, latest_calls, one_call
from records.spool import Spool
from records.writer import RecordWriter
from tests.records.samples import AT, call, turn, version


@contextmanager
def writing_to(
    database: str, spool: Path | None = None, bound: int = 50, without: Path | None = None
) -> Iterator[RecordWriter]:
    """`without`: the folder of the SQLite file, which is not there then."""
    writer = RecordWriter(connect(database, busy_s=0.05), bound, Spool(spool) if spool else None)
    if without is not None:
        without.rmdir()
    writer.start()
    try:
        yield writer
    finally:
        writer.stop(0.5)


def counted(engine: Engine) -> tuple[int, int]:
    """(calls, turns)."""
    with engine.connect() as connection:
        calls = connection.execute(select(func.count()).select_from(CallRow)).scalar_one()
        turns = connection.execute(select(func.count()).select_from(TurnRow)).scalar_one()
    return calls, turns


def load(count: int, first: int = 0) -> list[Record]:
    """Calls with a turn each, each call told three times as in life: begun, its turn, over."""
    found: list[Record] = []
    for number in range(first, first + count):
        name = f"call-{number}"
        begun = CallRecord(name, "local", "+336", "", "fr/heating", "abc", "", AT + number)
        found += [begun, turn(name), call(name, AT + number)]
    return found


def all_are_there(database: str, count: int) -> None:
    engine = connect(database)
    assert counted(engine) == (count, count)
    for number in (0, count // 2, count - 1):  # the last word on each is what is kept
        name = f"call-{number}"
        assert one_call(engine, name) == (call(name, AT + number), [turn(name)])


def test_records_are_written_and_the_tables_made(database: str, tmp_path: Path) -> None:
    with writing_to(database, tmp_path / "spool", bound=1_000) as writer:
        for record in [version(), *load(100)]:
            writer.put(record)
        assert writer.flush(20)
        assert (writer.dropped, writer.waiting, writer.trouble, writer.crashes) == (0, 0, "", 0)
    all_are_there(database, 100)
    assert flow_version(connect(database), version().hash) == version()
    assert list((tmp_path / "spool").glob("*.jsonl")) == []


def test_while_sqlite_is_locked_records_go_to_the_disk_and_none_is_lost(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    open_database(database)
    with writing_to(database, tmp_path / "spool") as writer:
        with sqlite3.connect(tmp_path / "calls.sqlite", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            records = load(500)
            for start in range(0, len(records), 20):
                for record in records[start : start + 20]:
                    writer.put(record)
                assert wait_for(lambda: len(writer._waiting) < 25, 20)  # the disk takes what memory does not
            assert not writer.flush(0.1)
            assert list((tmp_path / "spool").glob("*.jsonl"))
            other.execute("ROLLBACK")
        assert writer.flush(30)
        assert writer.dropped == 0
    all_are_there(database, 500)
    assert list((tmp_path / "spool").glob("*.jsonl")) == []


@pytest.mark.parametrize("how", ["paused", "crashed"])
def test_while_postgresql_is_away_records_go_to_the_disk_and_none_is_lost(
    how: str, running_postgres: PostgresServer, tmp_path: Path
) -> None:
    server = running_postgres
    database = server.new_database()
    with writing_to(database, tmp_path / "spool") as writer:
        for record in load(10):
            writer.put(record)
        assert writer.flush(20)
        server.pause() if how == "paused" else server.halt(signal.SIGQUIT)
        try:
            records = load(300, first=10)
            for start in range(0, len(records), 20):
                for record in records[start : start + 20]:
                    writer.put(record)
                assert wait_for(lambda: len(writer._waiting) < 25, 20)
            assert not writer.flush(0.1)
        finally:
            server.go_on() if how == "paused" else server.restart()
        assert writer.flush(40)
        assert (writer.dropped, writer.trouble) == (0, "")
    all_are_there(database, 310)


def test_an_attempt_ends_when_the_server_has_stopped(running_postgres: PostgresServer) -> None:
    engine = open_database(running_postgres.new_database())
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    running_postgres.pause()
    try:
        with pytest.raises(OperationalError), attempt(engine, 0.2), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    finally:
        running_postgres.go_on()
    with attempt(engine), engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


KILLED = """
import sys
from pathlib import Path
from records.engines import connect
from records.spool import Spool
from records.writer import RecordWriter
from tests.records.test_writer import load
writer = RecordWriter(connect(sys.argv[1], busy_s=0.05), 20, Spool(Path(sys.argv[2])))
writer.start()
for record in load(100):
    while len(writer._waiting) >= 15:
        pass
    writer.put(record)
print("all put", flush=True)
sys.stdin.read()
"""


def test_what_waits_on_disk_survives_a_kill(tmp_path: Path) -> None:
    database, spool = f"sqlite:///{tmp_path / 'calls.sqlite'}", tmp_path / "spool"
    open_database(database)
    with sqlite3.connect(tmp_path / "calls.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        command = [sys.executable, "-c", KILLED, database, str(spool)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"all put\n"
        # what is younger than five seconds is in memory only
        assert wait_for(lambda: lines_in(spool) >= 300, 20)
        process.kill()
        process.wait()
        other.execute("ROLLBACK")
    with writing_to(database, spool) as writer:
        assert wait_for(lambda: counted(connect(database)) == (100, 100) and writer.waiting == 0, 20)
    all_are_there(database, 100)


def lines_in(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))


def test_stopping_while_the_database_is_away_leaves_the_rest_on_disk(tmp_path: Path) -> None:
    folder, spool = tmp_path / "never", tmp_path / "spool"
    database = f"sqlite:///{folder}/calls.sqlite"
    with writing_to(database, spool, without=folder) as writer:
        for record in load(5):
            writer.put(record)
    assert writer.dropped == 0
    assert lines_in(spool) == 15
    with writing_to(database, spool) as again:
        assert wait_for(lambda: folder.is_dir() and lines_in(spool) == 0, 20)
        assert again.flush(10)
    all_are_there(database, 5)


def test_a_successor_that_began_before_takes_what_its_predecessor_leaves(tmp_path: Path) -> None:
    folder, spool = tmp_path / "never", tmp_path / "spool"
    database = f"sqlite:///{folder}/calls.sqlite"
    predecessor = RecordWriter(connect(database, busy_s=0.05), 50, Spool(spool))
    folder.rmdir()
    predecessor.start()
    assert wait_for((spool / "lock").exists, 10)
    with writing_to(f"sqlite:///{tmp_path}/calls.sqlite", spool) as successor:
        assert successor.flush(10)
        for record in load(5):
            predecessor.put(record)
        predecessor.stop(0.2)
        assert predecessor.dropped == 0
        assert wait_for(lambda: lines_in(spool) == 0, 20)
        assert successor.flush(10)
    all_are_there(f"sqlite:///{tmp_path}/calls.sqlite", 5)


def test_stopping_without_a_disk_counts_what_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "never"
    with writing_to(f"sqlite:///{folder}/calls.sqlite", without=folder) as writer:
        writer.put(call())
    assert writer.dropped == 1


def test_without_a_disk_a_full_queue_loses_its_oldest_records_and_counts_them(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    open_database(database)
    with writing_to(database) as writer:
        with sqlite3.connect(tmp_path / "calls.sqlite", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            for number in range(200):
                writer.put(call(f"call-{number}", AT + number))
            other.execute("ROLLBACK")
        assert writer.flush(10)
        found = latest_calls(connect(database), 300)
        assert found[0]["id"] == "call-199"
        assert writer.dropped == 200 - len(found) > 0


def test_a_disk_that_takes_nothing_is_as_none(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    (tmp_path / "file").write_text("in the way")
    with writing_to(database, tmp_path / "file" / "spool") as writer:
        for record in load(5):
            writer.put(record)
        assert writer.flush(10)
    all_are_there(database, 5)


def test_a_record_that_no_database_takes_is_dropped_alone(database: str, caplog: pytest.LogCaptureFixture) -> None:
    bad = CallRecord(None, "local", "+33612345678", "", "fr/heating", "abc", "", 1.0)  # type: ignore[arg-type]
    strange = CallRecord("x", object(), "+33612345678", "", "", "", "", 1.0)  # type: ignore[arg-type]
    with writing_to(database) as writer:
        for record in (call("call-1"), bad, strange, call("call-2"), turn("call-2")):
            writer.put(record)
        assert writer.flush(10)
        assert (writer.dropped, writer.alive) == (2, True)
    assert {row["id"] for row in latest_calls(connect(database), 10)} == {"call-1", "call-2"}
    assert "+33612345678" not in caplog.text


def test_a_newer_schema_is_no_database_away_and_loses_nothing(database: str, tmp_path: Path) -> None:
    engine = open_database(database)
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with writing_to(database, tmp_path / "spool", bound=200) as writer:
        for record in load(40):
            writer.put(record)
        assert wait_for(lambda: "newer version" in writer.trouble, 20)
        assert not writer.flush(0.1)
        with writing(engine).begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{head()}'"))
        assert writer.flush(30)
        assert (writer.dropped, writer.trouble) == (0, "")
    all_are_there(database, 40)


def test_tables_that_go_while_records_are_written_are_told_and_nothing_is_lost(database: str, tmp_path: Path) -> None:
    engine = open_database(database)
    with writing_to(database, tmp_path / "spool", bound=1_000) as writer:
        writer.put(call("call-0"))
        assert writer.flush(10)
        with writing(engine).begin() as connection:
            connection.execute(text("ALTER TABLE turns RENAME TO turns_elsewhere"))
        for record in load(20):
            writer.put(record)
        assert wait_for(lambda: "lacks turns" in writer.trouble, 20)
        with writing(engine).begin() as connection:
            connection.execute(text("ALTER TABLE turns_elsewhere RENAME TO turns"))
        assert writer.flush(30)
        assert writer.dropped == 0
    all_are_there(database, 20)


def test_a_database_that_is_not_there_yet_gets_its_records_later(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    with writing_to(f"sqlite:///{folder}/calls.sqlite", without=folder) as writer:
        writer.put(call())
        assert not writer.flush(0.3)
        folder.mkdir()
        assert writer.flush(10)
        assert len(latest_calls(connect(f"sqlite:///{folder}/calls.sqlite"), 10)) == 1
