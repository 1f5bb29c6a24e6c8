"""Prompts sound alike: whatever comes in, the level, the silence around it and the peaks are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_prompts.loudness import (
    CEILING,
    Samples,
    SilentAudio,
    faded,
    level_dbfs,
    levelled,
    limited,
    prepared,
    trimmed,
)

RATE_HZ = 8_000


def tone(seconds: float, amplitude: float, hz: float = 440.0) -> Samples:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


@pytest.mark.parametrize("amplitude", [0.001, 0.01, 0.1, 1.0])
def test_every_level_becomes_minus_20_dbfs(amplitude: float) -> None:
    assert level_dbfs(levelled(tone(1.0, amplitude), RATE_HZ), RATE_HZ) == pytest.approx(-20.0, abs=0.1)


def test_the_level_is_that_of_the_voice_not_of_the_pauses() -> None:
    with_pause = np.concatenate([tone(0.5, 0.3), silence(3.0), tone(0.5, 0.3)])
    assert level_dbfs(with_pause, RATE_HZ) == pytest.approx(level_dbfs(tone(1.0, 0.3), RATE_HZ), abs=0.1)


def test_silence_is_trimmed_to_10_and_100_ms() -> None:
    cut = trimmed(np.concatenate([silence(0.7), tone(1.0, 0.3), silence(2.0)]), RATE_HZ)
    loud = np.flatnonzero(np.abs(cut) > 0.01)
    assert loud[0] / RATE_HZ == pytest.approx(0.010, abs=0.011)
    assert (len(cut) - loud[-1]) / RATE_HZ == pytest.approx(0.100, abs=0.011)


def test_missing_silence_is_added() -> None:
    assert len(trimmed(tone(1.0, 0.3), RATE_HZ)) == pytest.approx(RATE_HZ * 1.11, abs=80)


def test_a_pause_within_the_prompt_stays() -> None:
    cut = trimmed(np.concatenate([tone(0.5, 0.3), silence(1.0), tone(0.5, 0.3)]), RATE_HZ)
    assert len(cut) / RATE_HZ == pytest.approx(2.11, abs=0.02)


def test_peaks_are_bent_not_clipped() -> None:
    spiky = tone(1.0, 0.05)
    spiky[::800] = 1.0
    result = levelled(spiky, RATE_HZ)
    assert np.abs(result).max() <= CEILING
    louder = limited(np.linspace(0, 1, 400, dtype=np.float32))
    assert (np.diff(louder) > 0).all()


def test_the_ends_begin_and_end_at_zero() -> None:
    shaped = faded(np.full(RATE_HZ, 0.5, np.float32), RATE_HZ)
    assert (shaped[0], shaped[-1], shaped[4_000]) == (0.0, 0.0, 0.5)


@pytest.mark.parametrize("nothing", [silence(1.0), np.zeros(0, np.float32)])
def test_silence_is_no_prompt(nothing: Samples) -> None:
    with pytest.raises(SilentAudio):
        prepared(nothing, RATE_HZ)


@given(st.integers(80, 4_000), st.floats(0.01, 1.0), st.integers(0, 2**32 - 1))
def test_any_sound_becomes_a_prompt_that_fits_16_bits(length: int, amplitude: float, seed: int) -> None:
    noise = (np.random.default_rng(seed).uniform(-1, 1, length) * amplitude).astype(np.float32)
    result = prepared(noise, RATE_HZ)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= CEILING
    assert len(result) >= RATE_HZ * 0.11
