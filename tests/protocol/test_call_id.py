"""Ids of calls: unique, in the order of time, fit for keys and paths; ids of other things are not taken for them."""

import os

import pytest

from protocol.call_id import is_call_id, is_fit, new_call_id


def test_ids_are_in_the_order_of_time_and_never_the_same() -> None:
    ids = [new_call_id("paris", at_ms, os.urandom(10)) for at_ms in range(1_790_000_000_000, 1_790_000_002_000)]
    assert ids == sorted(ids)
    assert len({new_call_id("paris", 1_790_000_000_000, os.urandom(10)) for _ in range(2_000)}) == 2_000


def test_the_ulid_of_a_known_moment() -> None:
    # 1469918176385 ms is the example of the ULID specification: its time part is 01ARYZ6S41
    assert new_call_id("c", 1_469_918_176_385, bytes(10)) == "c-01aryz6s41" + "0" * 16


@pytest.mark.parametrize("cell", ["local", "paris-2", "sn-3", "A.b_c"])
def test_an_id_is_known_as_one_and_may_stand_in_a_key(cell: str) -> None:
    call_id = new_call_id(cell, 1_790_000_000_000, os.urandom(10))
    assert is_call_id(call_id)
    assert is_fit(call_id)


@pytest.mark.parametrize("text", ["1790000000.12", "pronto-1790000000.12", "", "local-", "local-01ARYZ6S41" + "0" * 16])
def test_a_channel_id_is_none(text: str) -> None:
    assert not is_call_id(text)


@pytest.mark.parametrize("text", ["", "a/b", "a..b", ".a", "a b", "x" * 129, "a\n"])
def test_odd_texts_stand_nowhere(text: str) -> None:
    assert not is_fit(text)


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        new_call_id("c", 1, b"abc")
