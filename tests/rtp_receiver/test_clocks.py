"""Times of arrival: stamps of a wall clock that is set at any moment become times that only go on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp_receiver.clocks import ArrivalTimes, Clocks


class SetClocks:
    """Both clocks as a test sets them; `gap_s` passes between two looks."""

    def __init__(self) -> None:
        self.monotonic_s, self.wall_s, self.gap_s = 100.0, 5_000.0, 0.0
        self.times = ArrivalTimes(Clocks(self._monotonic, lambda: self.wall_s))

    def _monotonic(self) -> float:
        now = self.monotonic_s
        self.monotonic_s += self.gap_s
        self.wall_s += self.gap_s
        return now

    def passes(self, seconds: float, step_s: float = 0.0) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds + step_s

    def arrived(self, *stamps: float, emptied: bool = True) -> list[float]:
        self.times.read()
        found: list[float] = self.times.of(np.array(stamps), emptied).tolist()
        return found


def test_a_packet_is_as_old_as_its_stamp_says() -> None:
    clocks = SetClocks()
    clocks.passes(0.1)
    assert clocks.arrived(5_000.02, 5_000.09) == pytest.approx([100.02, 100.09])
    assert clocks.times.epoch == pytest.approx(4_900.0)


@pytest.mark.parametrize(("step_s", "taken_for"), [(3.0, 100.1), (0.03, 100.12), (-3.0, 100.2)])
def test_a_wall_clock_that_is_set_while_a_packet_waits_moves_it_within_the_wait(
    step_s: float, taken_for: float
) -> None:
    clocks = SetClocks()
    clocks.passes(0.1)
    clocks.arrived()
    clocks.passes(0.1, step_s)
    assert clocks.arrived(5_000.15) == pytest.approx([taken_for])  # it came at 100.15, read at 100.1 and 100.2
    clocks.passes(0.1)
    assert clocks.arrived(clocks.wall_s - 0.02) == pytest.approx([100.28])  # from then on all is well
    assert clocks.times.epoch == pytest.approx(4_900.0 + step_s)


def test_what_waits_longer_than_one_read_is_not_made_younger() -> None:
    clocks = SetClocks()
    clocks.passes(0.5)
    assert clocks.arrived(5_000.1, emptied=False) == pytest.approx([100.1])
    clocks.passes(0.1)
    assert clocks.arrived(5_000.2) == pytest.approx([100.2])


def test_clocks_that_were_not_read_at_once_are_not_compared() -> None:
    clocks = SetClocks()
    clocks.passes(0.1)
    clocks.gap_s = 0.02
    clocks.wall_s += 0.015  # as if the processor was lost between the two looks
    assert clocks.arrived(5_000.09) == pytest.approx([100.09])
    assert clocks.times.epoch == pytest.approx(4_900.0)


@given(st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(-10, 10)), min_size=1, max_size=20))
def test_arrivals_never_lie_outside_their_read(waits: list[tuple[float, float]]) -> None:
    clocks = SetClocks()
    before = clocks.monotonic_s
    for seconds, step_s in waits:
        stamp = clocks.wall_s + seconds / 2
        clocks.passes(seconds, step_s)
        (arrived,) = clocks.arrived(stamp)
        assert before <= arrived <= clocks.monotonic_s
        before = clocks.monotonic_s
