"""What is written is read back alike, on SQLite and on PostgreSQL; writing twice does no harm."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from records.call import CallRecord, Record, TurnRecord, with_texts
from records.database import open_database
from records.engines import writing
from records.models import KEPT, PERSONAL, Base
from records.queries import flow_version, flow_versions, latest_calls, one_call, store_flow_version
from records.store import store
from tests.records.samples import AT, call, turn, version


def write(engine: Engine, *records: Record) -> None:
    with writing(engine).begin() as connection:
        store(connection, records)


@pytest.fixture
def engine(database: str) -> Engine:
    return open_database(database)


def test_what_is_written_is_read_back_alike(engine: Engine) -> None:
    write(engine, call(), turn(), turn(number=2))
    assert one_call(engine, "call-1") == (call(), [turn(), turn(number=2)])


def test_what_has_not_happened_yet_is_nothing(engine: Engine) -> None:
    begun = CallRecord("call-1", "local", "", "", "fr/heating", "abc", "", AT)
    first = TurnRecord("call-1", 1, 1)
    write(engine, begun, first)
    assert one_call(engine, "call-1") == (begun, [first])


def test_writing_again_replaces(engine: Engine) -> None:
    write(engine, replace(call(), ended_at=None, outcome="", lead={}), turn())
    write(engine, turn(), call(), replace(turn(), intent="yes"))
    write(engine, call(), replace(turn(), intent="no"))
    assert one_call(engine, "call-1") == (call(), [replace(turn(), intent="no")])
    assert len(latest_calls(engine, 10)) == 1


def test_a_turn_before_its_call_is_kept(engine: Engine) -> None:
    write(engine, turn("call-9"), turn("call-9", 2))
    found = one_call(engine, "call-9")
    assert found is not None
    assert (found[0].started_at, found[0].outcome, found[1]) == (AT + 0.2, "", [turn("call-9"), turn("call-9", 2)])
    write(engine, call("call-9"))
    write(engine, turn("call-9", 3))
    found = one_call(engine, "call-9")
    assert found is not None
    assert (found[0], len(found[1])) == (call("call-9"), 3)


def test_foreign_keys_hold(engine: Engine) -> None:
    write(engine, call(), turn())
    with pytest.raises(IntegrityError), writing(engine).begin() as connection:
        connection.execute(text("DELETE FROM calls"))


def test_a_call_that_is_over_does_not_begin_again(engine: Engine) -> None:
    write(engine, call())
    write(engine, replace(call(), ended_at=None, outcome="", lead={}))
    found = one_call(engine, "call-1")
    assert found is not None
    assert found[0] == call()


def test_nothing_is_too_long(engine: Engine) -> None:
    long = replace(call("c" * 300), outcome="o" * 200, flow="f" * 500, caller_number="9" * 100)
    write(engine, long, replace(turn(long.id), state="s" * 400))
    found = one_call(engine, long.id)
    assert found is not None
    assert found[0] == long


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.text(), at=st.floats(-1e11, 1e11), number=st.integers(1, 2**31 - 1))
def test_whatever_is_said_can_be_written(engine: Engine, said: str, at: float, number: int) -> None:
    odd = replace(turn("call-odd", number), text=said, heard=[{"text": said, said: [said]}], asked_at=at)
    write(engine, replace(call("call-odd"), caller_number=said), odd)
    found = one_call(engine, "call-odd")
    assert found is not None
    again = next(one for one in found[1] if one.number == number)
    assert again.text == said.replace("\0", "\ufffd")
    assert again.heard[0]["text"] == again.text


@given(at=st.floats(0, 1e10))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_times_are_kept_to_the_microsecond(engine: Engine, at: float) -> None:
    write(engine, replace(call("call-t"), started_at=at))
    found = one_call(engine, "call-t")
    assert found is not None
    assert abs(found[0].started_at - at) <= 1.5e-6


def test_times_are_points_in_time_for_plain_sql(engine: Engine) -> None:
    write(engine, call(at=1_790_000_000.25))
    zoned = engine.dialect.name == "postgresql"
    query = "SELECT started_at AT TIME ZONE 'UTC' FROM calls" if zoned else "SELECT started_at FROM calls"
    with engine.connect() as connection:
        found = connection.exec_driver_sql(query).scalar_one()
    assert str(found) == "2026-09-21 14:13:20.250000"


def test_the_list_is_newest_first(engine: Engine) -> None:
    write(engine, *(call(f"call-{number}", AT + number) for number in range(5)))
    assert [row["id"] for row in latest_calls(engine, 3)] == ["call-4", "call-3", "call-2"]


def test_a_call_is_found_by_the_beginning_of_its_id_alone(engine: Engine) -> None:
    write(engine, call("paris_1"), call("parisx2"))
    found = one_call(engine, "paris_")  # which is no wildcard
    assert found is not None
    assert found[0].id == "paris_1"
    assert one_call(engine, "paris") is None


def test_a_flow_version_stays_as_it_was_first_stored(engine: Engine) -> None:
    old, new = version(), version("flow: fr/heating\nstart: other\n", AT + 60)
    store_flow_version(engine, old)
    store_flow_version(engine, replace(old, author="ben", created_at=AT + 99))
    write(engine, new)
    assert flow_version(engine, old.hash) == old
    assert flow_version(engine, "another") is None
    assert flow_versions(engine, "fr/heating") == [new, old]


def test_texts_of_prompts_are_resolved_when_they_are_known() -> None:
    said = with_texts(turn(), {"welcome": "never", "": "never"}).said
    assert [item["text"] for item in said] == ["Bonjour !", "Quel est votre code postal ?"]
    bare = replace(turn(), said=[{"kind": "prompt", "name": "welcome"}, {"kind": "prompt", "name": "gone"}])
    assert [item["text"] for item in with_texts(bare, {"welcome": "Bonjour !"}).said] == ["Bonjour !", ""]


def test_of_every_column_it_is_said_whether_it_is_personal() -> None:
    for table in Base.metadata.sorted_tables:
        judged = [*PERSONAL[table.name].split(), *KEPT[table.name].split()]
        assert sorted(judged) == sorted(column.name for column in table.columns)
