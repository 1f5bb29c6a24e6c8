"""Ids of calls: unique, in the order of time, and fit for every place where one stands."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.call_id import is_call_id, is_fit, new_call_id

CELLS = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
TIMES = st.integers(0, 2**48 - 1)
RANDOM = st.binary(min_size=10, max_size=10)


@given(CELLS, TIMES, RANDOM)
def test_an_id_is_fit_and_known_as_ours(cell: str, at_ms: int, random: bytes) -> None:
    call_id = new_call_id(cell, at_ms, random)
    assert is_call_id(call_id)
    assert is_fit(call_id)
    assert call_id.startswith(f"{cell}-")
    assert len(call_id) == len(cell) + 27


@given(CELLS, st.tuples(TIMES, RANDOM), st.tuples(TIMES, RANDOM))
def test_ids_of_a_cell_sort_by_time_and_differ_when_anything_does(
    cell: str, one: tuple[int, bytes], other: tuple[int, bytes]
) -> None:
    first, second = new_call_id(cell, *one), new_call_id(cell, *other)
    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


def test_many_calls_of_one_millisecond_have_ids_of_their_own() -> None:
    assert len({new_call_id("local", 1_700_000_000_000, os.urandom(10)) for _ in range(10_000)}) == 10_000


def test_the_time_of_the_ulid_specification_is_written_as_there() -> None:
    assert new_call_id("local", 1_469_918_176_385, bytes(10)) == "local-01aryz6s41" + 16 * "0"
    assert new_call_id("local", 2**48 - 1, b"\xff" * 10) == "local-7" + 25 * "z"


@pytest.mark.parametrize("count", [0, 9, 11])
def test_too_little_chance_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        new_call_id("local", 0, bytes(count))


@pytest.mark.parametrize("text", ["1732812345.17", "local", "local-", "local-01ARYTSVM10000000000000000", "../x", ""])
def test_what_is_no_id_of_ours(text: str) -> None:
    assert not is_call_id(text)


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("1732812345.17", True),
        ("call-7_a", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("a..b", False),
        (".a", False),
        ("a/b", False),
        ("a b", False),
        ("a\n", False),
        ("é", False),
        ("", False),
    ],
)
def test_ids_of_channels_may_stand_where_an_id_stands_and_paths_may_not(text: str, fit: bool) -> None:
    assert is_fit(text) is fit
