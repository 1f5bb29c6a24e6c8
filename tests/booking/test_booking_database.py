"""The tables are those of the models after the migrations, in SQLite and PostgreSQL, what is not ours is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from booking_service.database import open_booking
from booking_service.models import PERSONAL, BookingBase
from records.database import BadSchema
from records.engines import connect


@pytest.fixture
def engine(booking_url: str) -> Iterator[Engine]:
    engine = open_booking(booking_url)
    yield engine
    engine.dispose()


def test_migrations_lead_to_the_models(engine: Engine) -> None:
    found = inspect(engine)
    for table in BookingBase.metadata.sorted_tables:
        columns = {one["name"]: one for one in found.get_columns(table.name)}
        assert set(columns) == {one.name for one in table.columns}, table.name
        assert {name for name, one in columns.items() if one["nullable"]} == {
            one.name for one in table.columns if one.nullable
        }, table.name
        assert {one["name"] for one in found.get_indexes(table.name)} >= {one.name for one in table.indexes}
    open_booking(engine.url.render_as_string(hide_password=False)).dispose()  # once more: nothing is to be done


def test_the_ten_tables_of_the_contract_are_there() -> None:
    assert set(BookingBase.metadata.tables) >= set(
        "waitlist voice_sessions voice_audit_log clienti appuntamenti operatori servizi orari_lavoro giorni_festivi "
        "voice_agent_stats".split()
    )


def test_of_every_table_it_is_said_what_is_personal() -> None:
    assert set(PERSONAL) == set(BookingBase.metadata.tables)
    for name, columns in PERSONAL.items():
        assert set(columns.split()) <= {one.name for one in BookingBase.metadata.tables[name].columns}


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE clienti (id INTEGER)",
        "CREATE TABLE booking_version (version_num TEXT); INSERT INTO booking_version VALUES ('9999')",
    ],
)
def test_what_is_not_ours_is_refused_and_not_touched(tmp_path: Path, made: str) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    other = connect(url)
    with other.begin() as connection:
        for statement in made.split(";"):
            connection.execute(text(statement))
    before = inspect(other).get_table_names()
    with pytest.raises(BadSchema, match="revision"):
        open_booking(url)
    assert inspect(connect(url)).get_table_names() == before
