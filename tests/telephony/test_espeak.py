"""Sentences spoken by the real espeak-ng, as they come over a telephone line."""

from pathlib import Path

import numpy as np
import pytest

from audio_prompts.espeak import EspeakFailed, EspeakVoice, speak
from config import STATE


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state folder with the program and an empty cache."""
    (tmp_path / "espeak").symlink_to(STATE / "espeak")
    return tmp_path


def cached(state_dir: Path) -> list[Path]:
    return sorted((state_dir / "cache" / "speech").iterdir())


def share_of_energy(samples: np.ndarray, rate_hz: int, from_hz: float, to_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies_hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    return float(power[(frequencies_hz >= from_hz) & (frequencies_hz < to_hz)].sum() / power.sum())


def test_a_sentence_has_the_band_and_level_of_a_telephone(state_dir: Path) -> None:
    samples = speak("Oui, je suis propriétaire.", state_dir=state_dir)
    assert samples.dtype == np.int16
    assert 0.8 < len(samples) / 8_000 < 4
    assert np.max(np.abs(samples)) == pytest.approx(0.5 * 32_767, abs=1)
    assert share_of_energy(samples, 8_000, 300, 3_400) > 0.9


def test_the_wideband_has_what_the_telephone_cuts_off(state_dir: Path) -> None:
    sentence = "Soixante-seize, c'est ici."
    wide = speak(sentence, rate_hz=16_000, state_dir=state_dir)
    narrow = speak(sentence, rate_hz=8_000, state_dir=state_dir)
    assert len(wide) == pytest.approx(2 * len(narrow), abs=4)
    assert share_of_energy(wide, 16_000, 4_000, 8_000) > 0.01


def test_voice_speed_and_pitch_make_a_difference(state_dir: Path) -> None:
    plain = speak("bonjour madame", EspeakVoice("fr", 150, 50), state_dir=state_dir)
    slow = speak("bonjour madame", EspeakVoice("fr", 90, 50), state_dir=state_dir)
    high = speak("bonjour madame", EspeakVoice("fr", 150, 90), state_dir=state_dir)
    woman = speak("bonjour madame", EspeakVoice("fr+f4", 150, 50), state_dir=state_dir)
    assert len(slow) > 1.2 * len(plain)
    assert len({samples.tobytes() for samples in (plain, slow, high, woman)}) == 4


def test_the_same_sentence_comes_from_the_cache(state_dir: Path) -> None:
    first = speak("oui", state_dir=state_dir)
    [file] = cached(state_dir)
    (state_dir / "espeak").unlink()
    assert np.array_equal(speak("oui", state_dir=state_dir), first)
    assert cached(state_dir) == [file]


def test_a_text_that_looks_like_an_option_is_spoken(state_dir: Path) -> None:
    assert len(speak("-h moins douze", state_dir=state_dir)) > 4_000


def test_an_unknown_voice_is_told(state_dir: Path) -> None:
    with pytest.raises(EspeakFailed, match="voice"):
        speak("oui", EspeakVoice("klingon-tlh"), state_dir=state_dir)


def test_no_text_and_only_signs_are_refused(state_dir: Path) -> None:
    with pytest.raises(ValueError, match="no text"):
        speak(" \n", state_dir=state_dir)
    with pytest.raises(ValueError, match="rate_hz"):
        speak("oui", rate_hz=44_100, state_dir=state_dir)
    with pytest.raises(EspeakFailed, match="silence"):
        speak("...", state_dir=state_dir)


def test_a_missing_program_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(EspeakFailed, match="make setup"):
        speak("oui", state_dir=tmp_path)
