"""Audio kept by position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp_receiver.audio_buffer import AudioBuffer
from rtp_receiver.slin16 import payload_of


def numbers(start: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return (np.arange(start, start + count) % 30_000).astype(np.int16)


def test_what_was_forgotten_or_never_came_is_refused() -> None:
    buffer = AudioBuffer(100)
    buffer.append(payload_of(numbers(0, 50)))
    buffer.forget_before(10)
    assert buffer.view(10, 50).tolist() == list(range(10, 50))
    for start, end in ((9, 20), (10, 51), (30, 20)):
        with pytest.raises(IndexError):
            buffer.view(start, end)


def test_when_it_is_full_the_oldest_goes() -> None:
    buffer = AudioBuffer(100)
    buffer.append(payload_of(numbers(0, 80)))
    buffer.append(payload_of(numbers(80, 70)))
    assert (buffer.start, buffer.end) == (50, 150)
    assert buffer.view(50, 150).tolist() == list(range(50, 150))


def test_more_than_it_can_hold_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="101 samples at once"):
        AudioBuffer(100).append(payload_of(numbers(0, 101)))


@given(st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 8_000)), max_size=60))
def test_every_sample_is_found_at_its_position(steps: list[tuple[int, int]]) -> None:
    buffer = AudioBuffer(40_000)
    for count, keep in steps:
        buffer.append(payload_of(numbers(buffer.end, count)))
        buffer.forget_before(buffer.end - keep)
        assert len(buffer) <= 40_000
        assert buffer.view(buffer.start, buffer.end).tolist() == numbers(buffer.start, len(buffer)).tolist()
