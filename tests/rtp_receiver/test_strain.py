"""From counts of the receiver to strain."""

from __future__ import annotations

import pytest

from rtp_receiver.media_counts import MediaCounts
from rtp_receiver.strain import RECENT_S, RECOGNISED_S, ReceiverStrain


class Clock:
    at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_receiver_at_rest_is_not_strained() -> None:
    strain = ReceiverStrain(MediaCounts(), lambda: 0.0)
    assert strain.figures() == {"detector": 0.0, "recogniser": 0.0, "receiver_loop": 0.0}


def test_the_detectors_lag_counts_since_the_last_question_only() -> None:
    counts = MediaCounts()
    strain = ReceiverStrain(counts, lambda: 0.0)
    counts.judged([10.0] * 100, 10.003)
    assert strain.figures()["detector"] == pytest.approx(0.125, abs=0.01)  # all between 2 and 5 ms, 40 ms is 1
    counts.judged([10.0] * 100, 10.060)
    assert 1.9 < strain.figures()["detector"] <= 2.0
    assert strain.figures()["detector"] == 0.0


def test_one_late_chunk_of_a_thousand_is_no_strain() -> None:
    counts = MediaCounts()
    strain = ReceiverStrain(counts, lambda: 0.0)
    counts.judged([10.0] * 999, 10.001)
    counts.judged([10.0], 10.5)
    assert strain.figures()["detector"] < 0.1


def test_a_recogniser_that_is_slow_or_full_strains() -> None:
    clock = Clock()
    strain = ReceiverStrain(MediaCounts(), lambda: 0.0, clock)
    for _ in range(10):
        strain.posted("text", 0.3)
    assert strain.figures()["recogniser"] == pytest.approx(0.3 / RECOGNISED_S)
    for outcome in ("busy", "too_late", "busy"):
        strain.posted(outcome, 0.01)
    assert strain.figures()["recogniser"] == pytest.approx(2.0)
    clock.at += RECENT_S + 0.1
    assert strain.figures()["recogniser"] == 0.0


def test_a_recogniser_that_is_not_there_is_not_full() -> None:
    strain = ReceiverStrain(MediaCounts(), lambda: 0.0)
    for _ in range(10):
        strain.posted("unreachable", 0.05)
    assert strain.figures()["recogniser"] < 0.1


def test_a_late_loop_strains() -> None:
    assert ReceiverStrain(MediaCounts(), lambda: 0.05).figures()["receiver_loop"] == pytest.approx(0.5)
