"""What a simulated caller says: a line of a script to telephone samples, by the synthesiser or from a WAV file."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr

from config import ROOT
from pronto.espeak import Voice
from pronto.espeak import speak as synthesise
from pronto.rtp_audio import SAMPLE_RATE_HZ, Samples
from pronto.score import Caller, Say


class BadRecording(ValueError):
    """A WAV file that cannot be played into a call."""


def speak(line: Say, caller: Caller) -> Samples:
    """int16 samples at 8 kHz. Raises BadRecording for a WAV that is none."""
    if line.wav:
        return read_wav(ROOT / line.wav)
    return synthesise(line.text, Voice(caller.voice, caller.speed, caller.pitch))


def read_wav(path: Path) -> Samples:
    """A 16-bit mono WAV of any rate as int16 samples at 8 kHz. Raises BadRecording."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise BadRecording(f"{path}: must be 16-bit mono")
            rate_hz = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    except (OSError, EOFError, wave.Error) as error:
        raise BadRecording(f"{path}: {error}") from error
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampled: Samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.int16)
    return resampled
