"""`pronto doctor --capacity`: the ladder by itself, then two rungs on everything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callers.script import read_script
from config import ROOT
from devstack.processes import wait_for
from devstack.stack import Stack, StackPlan
from pronto.capacity import FIRST, MOST, NEAR_ENOUGH, Rung, max_calls, most_carried, next_calls, rung_of
from pronto.capacity_cli import measure


def climb(carries: int) -> list[Rung]:
    """The rungs on a cell that is strained beyond so many calls."""
    rungs: list[Rung] = []
    while calls := next_calls(rungs, 0.8):
        rungs.append(Rung(calls, 0.3 if calls <= carries else 1.2, "detector"))
        assert len(rungs) < 30
    return rungs


@given(st.integers(1, 1_500))
def test_what_a_cell_carries_is_found_to_a_tenth(carries: int) -> None:
    rungs = climb(carries)
    found = most_carried(rungs, 0.8)
    assert found <= carries
    assert found * NEAR_ENOUGH >= carries or carries - found <= 1
    assert found * 0.9 - 1 <= max_calls(rungs, 0.8) <= max(1, found * 0.9)


@pytest.mark.parametrize("carries", [25, 75, 120])
def test_it_takes_few_rungs(carries: int) -> None:
    assert len(climb(carries)) <= 10


def test_a_cell_without_a_limit_is_not_asked_for_ever_and_one_that_carries_nothing_is_told() -> None:
    assert most_carried(climb(10**9), 0.8) == MOST
    assert max_calls(climb(0), 0.8) == 0


def test_a_rung_that_was_carried_above_one_that_was_not_counts_for_nothing() -> None:
    rungs = [Rung(8, 0.2, ""), Rung(12, 0.9, ""), Rung(18, 0.3, "")]
    assert most_carried(rungs, 0.8) == 8


def test_strain_is_that_of_most_looks_and_of_the_worst_name() -> None:
    looks = [{"detector": 0.1, "bot_loop": 0.5}, {"detector": 9.0}, {"detector": 0.3, "bot_loop": 0.7}]
    assert rung_of(FIRST, looks) == Rung(FIRST, 0.5, "bot_loop")
    assert not rung_of(FIRST, []).carried(0.8)
    assert not rung_of(FIRST, [{}, {}]).carried(0.8)


@pytest.mark.timeout(300)
async def test_callers_are_held_to_and_what_they_did_is_told(tmp_path: Path) -> None:
    """A limit that nothing passes: the climb ends with its time, every caller hangs up, and nothing is left."""
    stack = Stack(StackPlan(run_dir=tmp_path, state_dir=tmp_path, settings={"STRAIN_LIMIT": "0"}))
    script = read_script((ROOT / "tests/calls/happy_path.yaml").read_text(encoding="utf-8"), "happy_path")
    told: list[str] = []
    try:
        await asyncio.to_thread(stack.start, lambda line: None)
        found = await measure(stack, [script], 1e6, told.append, climb_s=1.0)
        nothing_is_left = await asyncio.to_thread(wait_for, lambda: not stack.asterisk.get("channels"), 20.0)
    finally:
        await asyncio.to_thread(stack.stop)
    assert found == int(FIRST * 0.9)
    assert told[0].startswith(f"{FIRST:4} callers: carried, strain ")
    assert nothing_is_left
