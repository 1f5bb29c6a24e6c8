"""`pronto voices` with the voices of set-up: what it lists speaks, what it writes is sound for a telephone."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from pronto.__main__ import run


def level_db(path: Path) -> float:
    """RMS of a WAV's voiced tenths of a second, in dB of full scale."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8_000, 2, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    tenths = [np.sqrt((tenth**2).mean()) for tenth in np.array_split(samples, max(1, len(samples) // 800))]
    return float(20 * np.log10(np.sqrt(np.mean([rms**2 for rms in tenths if rms > 300])) / 32_768))


def test_every_voice_is_listed_and_speaks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_VOICES", "espeak-fr,it_IT-nobody-medium,espeak-it")
    assert run(["voices"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["espeak-fr", "it_IT-nobody-medium", "espeak-it"]
    assert ["DOES NOT SPEAK" in row for row in rows] == [False, True, False]


def test_a_text_is_said_at_the_level_of_prompts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "said.wav"
    text = "Le rendez-vous de Madame Keller est déplacé au 4 mars."
    assert run(["voices", "say", text, "--voice", "espeak-fr+f3@1.2", "--to", str(to)]) == 0
    assert "espeak-fr+f3" in capsys.readouterr().out
    assert level_db(to) == pytest.approx(-20.0, abs=2.0)


def test_the_voices_of_a_language_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECH_VOICES", "espeak-it,espeak-it+f2,it_IT-nobody-medium,espeak-fr")
    assert run(["voices", "compare", "Il totale è di 41 euro.", "--language", "it", "--to", str(tmp_path)]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["espeak-it+f2.wav", "espeak-it.wav"]
    assert "it_IT-nobody-medium" in capsys.readouterr().out


def test_a_voice_that_is_none_is_an_error_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["voices", "say", "Bonjour", "--voice", "nobody"]) == 1
    assert "'nobody' is no voice" in capsys.readouterr().err
