"""Migrations up and down with the rows of the first release, starts at once, and databases that are not ours."""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from config import ROOT
from devstack.processes import free_tcp_port
from pronto import calls_cli, records_cli
from records.database import FIRST, BadSchema, downgrade, head, is_ready, migrate, open_database, revision_of
from records.engines import connect, writing
from records.models import Base
from records.queries import latest_calls, one_call
from records.store import store
from tests.records import first_release
from tests.records.samples import call, turn, version


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    keys = [column.name for column in table.primary_key]
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(select(table)).mappings()]
    return sorted(found, key=lambda row: [row[key] for key in keys])


def approximately(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Times to the microsecond: a number of seconds is not kept more exactly."""
    return [
        {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()} for row in found
    ]


def columns(engine: Engine) -> dict[str, list[tuple[str, str, bool]]]:
    inspector = inspect(engine)
    return {
        table: [(one["name"], str(one["type"]), bool(one["nullable"])) for one in inspector.get_columns(table)]
        for table in sorted(inspector.get_table_names())
        if table != "alembic_version"
    }


def test_a_database_of_the_first_release_is_taken_over_with_every_row(database: str) -> None:
    old = connect(database)
    first_release.make(old)
    engine = open_database(database)
    assert revision_of(engine) == head()
    for table in (first_release.CALLS, first_release.TURNS):
        kept = [column.name for column in table.columns]
        found = [{name: row[name] for name in kept} for row in rows(engine, Base.metadata.tables[table.name])]
        assert approximately(found) == approximately(first_release.ROWS[table])
    found_call = one_call(engine, first_release.ROWS[first_release.CALLS][0]["id"])
    assert found_call is not None
    assert (found_call[0].direction, found_call[0].variables, found_call[1][0].said) == ("inbound", {}, [])


def test_up_and_down_again_nothing_of_the_first_release_is_lost(database: str) -> None:
    engine = connect(database)
    first_release.make(engine)
    made_by_create_all = columns(engine)
    migrate(engine)
    downgrade(engine, FIRST)
    assert revision_of(engine) == FIRST
    assert {name: sorted(found) for name, found in columns(engine).items()} == {
        name: sorted(found) for name, found in made_by_create_all.items()
    }
    for table, expected in first_release.ROWS.items():
        assert approximately(rows(engine, table)) == approximately(expected)
    with writing(engine).begin() as connection:  # and that release can go on with it
        connection.execute(insert(first_release.CALLS), [{**first_release.ROWS[first_release.CALLS][0], "id": "later"}])
    migrate(engine)
    assert len(latest_calls(engine, 10)) == 4


def test_what_this_version_wrote_survives_the_way_back_as_far_as_it_has_a_place(database: str) -> None:
    engine = open_database(database)
    with writing(engine).begin() as connection:
        store(connection, [version(), call(), turn()])
    downgrade(engine, FIRST)
    kept_call, kept_turn = rows(engine, first_release.CALLS), rows(engine, first_release.TURNS)
    for found, record in ((kept_call, call()), (kept_turn, turn())):
        assert approximately(found) == approximately([{name: asdict(record)[name] for name in found[0]}])
    migrate(engine)
    assert one_call(engine, "call-1") is not None
    downgrade(engine, "base")
    assert columns(engine) == {}


def test_a_turn_whose_call_was_never_written_is_kept(tmp_path: Path) -> None:
    """Nothing held the foreign key in SQLite before."""
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    engine = connect(database)
    first_release.make(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("DELETE FROM calls")
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    migrate(engine)
    found = latest_calls(engine, 10)
    assert [(row["outcome"], row["started_at"]) for row in found] == [("", 1_790_000_000.5)] * 2
    assert len(rows(engine, Base.metadata.tables["turns"])) == 4


def test_the_migrations_lead_to_the_models(database: str) -> None:
    engine = open_database(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_first_revision_makes_what_create_all_made(database: str, tmp_path: Path) -> None:
    engine = connect(database)
    migrate(engine, FIRST)
    by_revision = columns(engine)
    downgrade(engine, "base")
    first_release.METADATA.create_all(engine)
    assert columns(engine) == by_revision


def test_of_many_that_start_at_once_one_migrates(database: str) -> None:
    first_release.make(connect(database))
    program = "import sys; from records.database import open_database; open_database(sys.argv[1], 30)"
    command = [sys.executable, "-c", program, database]

    def start(_: int) -> str:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60).stderr

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(start, range(6))) == {""}
    assert len(latest_calls(connect(database), 10)) == 3


def test_a_migration_that_breaks_off_changes_nothing(database: str) -> None:
    engine = connect(database)
    first_release.make(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE flow_versions_by_flow (id int)"))  # the name of an index to come
    with pytest.raises(Exception, match="flow_versions_by_flow"):
        migrate(engine)
    for table, expected in first_release.ROWS.items():
        assert approximately(rows(engine, table)) == approximately(expected)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE flow_versions_by_flow"))
    migrate(engine)
    assert len(latest_calls(engine, 10)) == 3


def test_a_newer_database_is_refused_and_not_touched(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    engine = open_database(database)
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = columns(engine)
    for attempt in (lambda: open_database(database), lambda: is_ready(engine), lambda: downgrade(engine, FIRST)):
        with pytest.raises(BadSchema, match=r"9999.*newer version"):
            attempt()
    assert columns(engine) == before
    assert command_line(calls_cli, "calls", "list") == 2
    assert "newer version" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE turns DROP COLUMN notes",
        "ALTER TABLE calls ADD COLUMN mood text",
        "DROP TABLE turns",
        "CREATE TABLE flow_versions (id int)",
    ],
)
def test_tables_that_are_not_ours_are_refused(database: str, change: str) -> None:
    engine = connect(database)
    first_release.make(engine)
    with engine.begin() as connection:
        connection.execute(text(change))
    before = columns(engine)
    with pytest.raises(BadSchema, match="not Pronto's"):
        migrate(engine)
    assert columns(engine) == before


def test_a_database_that_only_says_it_is_up_to_date_is_refused(database: str) -> None:
    engine = open_database(database)
    with writing(engine).begin() as connection:
        connection.execute(text("ALTER TABLE turns DROP COLUMN said"))
    with pytest.raises(BadSchema, match=r"turns\.said"):
        migrate(engine)


def test_readers_change_nothing_and_say_what_to_do(database: str) -> None:
    engine = connect(database)
    assert not is_ready(engine)
    assert columns(engine) == {}
    first_release.make(engine)
    with pytest.raises(BadSchema, match="pronto records upgrade"):
        latest_calls(engine, 10)


def test_a_database_that_is_away_is_no_wrong_schema() -> None:
    with pytest.raises(OperationalError):
        open_database(f"postgresql://nobody:secret@127.0.0.1:{free_tcp_port()}/nothing")


def command_line(module: Any, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    return int(module.run(parser.parse_args(arguments)))


def test_the_command_line_goes_up_and_down(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    first_release.make(connect(database))
    for arguments, status, says in (
        (("status",), 1, "revision none"),
        (("upgrade",), 0, f"revision {head()}"),
        (("status",), 0, f"revision {head()}"),
        (("downgrade", "0001"), 0, "revision 0001"),
        (("status",), 1, "revision 0001"),
    ):
        assert command_line(records_cli, "records", *arguments) == status
        assert says in capsys.readouterr().out
    assert command_line(records_cli, "records", "downgrade", "nothing") == 2
    assert "nothing" in capsys.readouterr().err
