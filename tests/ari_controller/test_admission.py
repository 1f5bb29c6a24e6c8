"""Who is let in: by number, by strain, and by what was let in a moment ago."""

from __future__ import annotations

import math

from ari_controller.admission import (
    CLOSES,
    DEBT_S,
    FALLS_S,
    GROWS_S,
    MOST_DEBT,
    PROVEN,
    STAYS_CLOSED_S,
    CallAdmission,
)


def let_in(admission: CallAdmission, served: int, at: float, callers: int) -> int:
    """How many of so many callers who come at once are taken."""
    taken = 0
    for _ in range(callers):
        if not admission.refusal(served + taken, at):
            admission.taken(at)
            taken += 1
    return taken


def test_the_limit_of_calls_stays() -> None:
    admission = CallAdmission(3)
    assert let_in(admission, 1, 0.0, 5) == 2
    assert admission.refusal(3, 0.0) == "calls"


def test_a_strained_cell_refuses_and_says_what_is_strained() -> None:
    admission = CallAdmission(100)
    admission.measured({"detector": 0.2, "recogniser": CLOSES}, 1.0)
    assert admission.refusal(10, 1.0) == "recogniser"


def test_it_opens_again_well_below_and_not_at_once() -> None:
    admission = CallAdmission(100)
    admission.measured({"detector": 1.6}, 1.0)
    admission.measured({"detector": 0.0}, 1.0 + STAYS_CLOSED_S)
    assert admission.closed  # the peak is not forgotten yet
    admission.measured({}, 1.0 + STAYS_CLOSED_S + 2 * FALLS_S)
    assert not admission.closed
    assert admission.refusal(10, 20.0) == ""


def test_strain_between_the_two_bounds_changes_nothing() -> None:
    closed, open_ = CallAdmission(100), CallAdmission(100)
    closed.measured({"detector": 1.0}, 0.0)
    for second in range(1, 60):
        closed.measured({"detector": 0.6}, float(second))
        open_.measured({"detector": 0.6}, float(second))
    assert closed.closed
    assert not open_.closed


def test_a_cell_at_rest_takes_a_burst_and_no_flood() -> None:
    admission = CallAdmission(1_000)
    admission.measured({"detector": 0.0}, 0.0)
    assert let_in(admission, 0, 0.0, 500) == MOST_DEBT
    assert let_in(admission, MOST_DEBT, DEBT_S, 500) == MOST_DEBT  # by now it shows what they cost


def test_the_nearer_to_its_limit_the_fewer_at_once() -> None:
    def taken(strain: float) -> int:
        admission = CallAdmission(1_000)
        admission.measured({"asterisk": strain}, 0.0)
        return let_in(admission, 40, 0.0, 500)

    assert taken(0.0) > taken(0.4) > taken(0.7) == MOST_DEBT * 0.125
    assert taken(0.79) == 1


def test_a_big_cell_takes_bursts_in_proportion() -> None:
    admission = CallAdmission(1_000)
    admission.measured({"detector": 0.0}, 0.0)
    assert let_in(admission, 200, 0.0, 500) == 100


def test_without_a_limit_of_strain_only_the_number_of_calls_counts() -> None:
    admission = CallAdmission(40, math.inf)
    admission.measured({"detector": 9.0}, 1.0)
    for served in range(40):
        assert admission.refusal(served, 1.0) == ""
    assert admission.refusal(40, 1.0) == "calls"
    assert not admission.closed
    assert let_in(admission, 0, 10.0, 500) == 40, "nor for coming at once"


def test_a_cell_that_closed_takes_fewer_than_it_had_and_feels_its_way_up() -> None:
    admission = CallAdmission(1_000)
    assert admission.refusal(20, 0.0) == ""
    admission.measured({"detector": 1.0}, 0.5)
    assert admission.refusal(20, 0.5) == "detector"
    for half in range(1, 40):
        admission.measured({}, 0.5 + half / 2)
        if not admission.closed:
            break
    opened_at = 0.5 + half / 2
    assert not admission.closed
    assert admission.refusal(int(20 * PROVEN), opened_at) == "detector"  # the calls of before are still there
    assert admission.refusal(int(20 * PROVEN) - 1, opened_at) == ""
    admission.measured({}, opened_at + 2 * GROWS_S)
    assert admission.refusal(int(20 * PROVEN) + 1, opened_at + 2 * GROWS_S) == ""


def test_twice_as_many_as_a_cell_carries_hardly_pass_what_it_carries() -> None:
    """A cell that is strained beyond 30 calls which last 40 s, and 60 callers who dial again and again."""
    admission = CallAdmission(1_000)
    ends: list[float] = []
    closings, most = 0, 0
    for tick in range(1_200):
        at = tick / 2
        ends = [end for end in ends if end > at]
        before = admission.closed
        admission.measured({"detector": 1.5 if len(ends) > 30 else 0.3 * len(ends) / 30}, at)
        closings += admission.closed and not before
        for _ in range(max(0, 60 - len(ends)) // 4):
            if not admission.refusal(len(ends), at):
                admission.taken(at)
                ends.append(at + 40)
        if tick > 120:
            most = max(most, len(ends))
    assert closings <= 15
    assert 30 < most <= 32
    assert len(ends) > 20


def test_what_strains_a_cell_of_few_calls_is_something_else_and_takes_no_calls_away() -> None:
    admission = CallAdmission(1_000)
    assert admission.refusal(20, 0.0) == ""
    admission.measured({"detector": 1.0}, 0.0)
    for begin in range(20, 400, 20):  # other work comes and goes while four calls are up
        for half in range(39):
            admission.measured({}, begin + half / 2)
        assert admission.refusal(4, begin + 19.0) == ""
        admission.measured({"detector": 1.0}, begin + 19.5)
    for half in range(60):
        admission.measured({}, 400 + half / 2)
    assert admission.refusal(int(20 * PROVEN), 430.0) == ""
