"""Synthetic recordings of known truth: what the analyser of the caller's seat must find in them, to the packet."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.seat_analysis import RATE_HZ, SeatTurn, Track, Turn, analyse, position_s, stop_under

PACKET_MS = 20
RNG = np.random.default_rng(4)


def track(*spans_ms: tuple[int, int], until_ms: int = 20_000, jitter_s: float = 0.0) -> Track:
    """A packet every 20 ms, noise at -20 dBFS within the spans, faint line noise outside of them."""
    times = np.arange(0, until_ms, PACKET_MS)
    loud = np.zeros(len(times), dtype=bool)
    for begin, end in spans_ms:
        loud |= (times >= begin) & (times < end)
    level = np.where(loud, 3_277.0, 50.0)[:, None]
    samples = (RNG.standard_normal((len(times), 160)) * level).clip(-32_768, 32_767).astype(np.int16)
    return Track(times / 1_000 + RNG.uniform(0, jitter_s, len(times)), samples)


def turn(begin_ms: int, end_ms: int, kind: str = "answer") -> Turn:
    return Turn("oui", kind, begin_ms / 1_000, (end_ms - PACKET_MS) / 1_000)  # type: ignore[arg-type]


def only(sent: Track, heard: Track, one: Turn, end_ms: int = 20_000) -> SeatTurn:
    (found,) = analyse(sent, heard, [one], end_ms / 1_000)
    return found


def test_the_answer_time_is_from_the_last_voiced_to_the_first_voiced_packet() -> None:
    found = only(track((2_000, 2_600)), track((0, 1_800), (3_000, 4_000)), turn(1_900, 2_800))
    assert found.last_voiced_s == pytest.approx(2.58)
    assert found.answer_ms == pytest.approx(420)
    assert found.cut_off_s is None
    assert not found.is_dead_air


def test_arrival_times_count_and_not_packet_numbers() -> None:
    heard = track((0, 1_800), (3_000, 4_000), jitter_s=0.015)
    assert only(track((2_000, 2_600)), heard, turn(1_900, 2_800)).answer_ms == pytest.approx(427, abs=8)


def test_pauses_of_the_caller_are_no_end() -> None:
    found = only(track((2_000, 2_400), (3_000, 3_400)), track((0, 1_800), (3_800, 5_000)), turn(2_000, 3_400))
    assert found.answer_ms == pytest.approx(420)
    assert found.cut_off_s is None


def test_a_bot_that_begins_in_a_pause_of_the_caller_cuts_him_off() -> None:
    heard = track((0, 1_800), (2_800, 3_200), (3_900, 5_000))
    found = only(track((2_000, 2_400), (3_000, 3_400)), heard, turn(2_000, 3_400))
    assert found.cut_off_s == pytest.approx(2.8)
    assert found.answer_ms == pytest.approx(520)


def test_a_bot_that_begins_while_the_caller_speaks_cuts_him_off() -> None:
    found = only(track((2_000, 3_400)), track((0, 1_800), (2_800, 5_000)), turn(2_000, 3_400))
    assert found.cut_off_s == pytest.approx(2.8)
    assert found.answer_s is None  # it was there before they had finished


def test_a_prompt_that_is_spoken_over_stops_and_is_no_cut_off() -> None:
    found = only(track((2_000, 3_000)), track((0, 2_260), (3_400, 5_000)), turn(2_000, 3_000, "barge_in"))
    assert found.stop_ms == pytest.approx(240)
    assert found.cut_off_s is None
    assert found.answer_ms == pytest.approx(420)


def test_a_pause_in_the_prompt_is_not_its_stop() -> None:
    found = only(track((2_000, 3_000)), track((0, 2_100), (2_500, 2_800)), turn(2_000, 3_000, "barge_in"))
    assert found.stop_ms == pytest.approx(780)


def test_the_answer_to_one_word_is_not_the_prompt_that_it_stopped() -> None:
    found = only(track((2_000, 2_300)), track((0, 2_240), (2_600, 5_000)), turn(2_000, 2_300, "barge_in"))
    assert found.stop_ms == pytest.approx(220)
    assert found.answer_ms == pytest.approx(320)


def test_without_a_prompt_there_is_nothing_to_stop() -> None:
    assert only(track((2_000, 3_000)), track((0, 1_000)), turn(2_000, 3_000, "barge_in")).stop_ms is None


def test_no_answer_for_more_than_three_seconds_is_dead_air() -> None:
    late = only(track((2_000, 2_600)), track((5_700, 6_000)), turn(2_000, 2_600))
    never = only(track((2_000, 2_600)), track(), turn(2_000, 2_600), end_ms=9_000)
    in_time = only(track((2_000, 2_600)), track((5_500, 6_000)), turn(2_000, 2_600))
    assert (late.is_dead_air, never.is_dead_air, in_time.is_dead_air) == (True, True, False)
    assert never.answer_ms is None
    assert never.waited_s == pytest.approx(6.42)


def test_an_answer_belongs_to_the_turn_before_it() -> None:
    sent, heard = track((2_000, 2_600), (6_000, 6_500)), track((3_000, 4_000), (7_000, 8_000))
    first, second = analyse(sent, heard, [turn(2_000, 2_600), turn(6_000, 6_500)], 20.0)
    assert first.answer_ms == pytest.approx(420)
    assert second.answer_ms == pytest.approx(520)


def test_a_turn_without_voice_is_left_out() -> None:
    assert analyse(track(), track(), [turn(1_000, 2_000)], 20.0) == []


def prompt_heard(played: list[tuple[float, float, float]], reference: NDArray[np.int16]) -> Track:
    """Pieces of a prompt as they came in: (arrival, from, to), all in seconds."""
    packets = np.zeros((1_000, 160), dtype=np.int16)
    for arrival_s, from_s, to_s in played:
        piece = reference[int(from_s * RATE_HZ) : int(to_s * RATE_HZ)].reshape(-1, 160)
        packets[round(arrival_s * 50) : round(arrival_s * 50) + len(piece)] = piece
    return Track(np.asarray(np.arange(1_000) * 0.02), packets)


REFERENCE = (RNG.standard_normal(10 * RATE_HZ) * 3_000).astype(np.int16)


def test_a_prompt_that_goes_on_under_a_noise_was_not_stopped() -> None:
    heard = prompt_heard([(1.0, 0.0, 8.0)], REFERENCE)
    assert stop_under(heard, turn(3_000, 3_400, "noise"), REFERENCE) is None


def test_where_a_stopped_prompt_goes_on_is_found_in_its_sound() -> None:
    heard = prompt_heard([(1.0, 0.0, 2.4), (4.2, 2.2, 8.0)], REFERENCE)
    found = stop_under(heard, turn(3_000, 3_600, "noise"), REFERENCE)
    assert found is not None
    assert found.stopped_s == pytest.approx(3.38)
    assert found.resumed_s == pytest.approx(4.2)
    assert found.skip_ms == pytest.approx(-200, abs=1)


def test_a_prompt_that_does_not_come_back_is_said_so() -> None:
    found = stop_under(prompt_heard([(1.0, 0.0, 2.4)], REFERENCE), turn(3_000, 3_600, "noise"), REFERENCE)
    assert found is not None
    assert found.resumed_s is None


def test_a_piece_is_found_in_the_whole_although_its_level_differs() -> None:
    piece = (REFERENCE[12_345:15_545] / 3).astype(np.int16)
    assert position_s(REFERENCE, piece) == pytest.approx(12_345 / RATE_HZ)
