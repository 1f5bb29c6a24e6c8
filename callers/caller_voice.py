"""What a simulated caller says: a line of a script to telephone samples, by the synthesiser or from a WAV file.

A line may have pauses in it, in milliseconds: `je suis <600> propriétaire`. What is said before a pause is spoken like
the beginning of a sentence, with its own breath of silence cut off, so that the pause is as long as it says.
"""

from __future__ import annotations

import re
import threading
import wave
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from audio_prompts.espeak import PEAK, EspeakVoice, telephone_band
from audio_prompts.espeak import speak as espeak
from callers.heard_audio import VOICED_RMS, level_rms
from callers.rtp_audio import PACKET_SAMPLES, SAMPLE_RATE_HZ, Samples
from callers.script import Caller, SpokenLine
from config import ROOT, STATE
from speech_service.engines.pico import RATE_HZ as PICO_HZ
from speech_service.engines.pico import Pico

PAUSE = re.compile(r"<(\d+)>")
PICO = "pico-"
"""How voices of SVOX Pico are named: `pico-it`. Recognisers of people's speech understand them, espeak-ng's hardly."""
_pico_speaks = threading.Lock()


class BadRecording(ValueError):
    """A WAV file that cannot be played into a call."""


def speak(line: SpokenLine, caller: Caller) -> Samples:
    """int16 samples at 8 kHz. Raises BadRecording for a WAV that is none, PicoFailed where Pico was not fetched."""
    if line.wav:
        return read_wav(ROOT / line.wav)
    voice = EspeakVoice(caller.voice, caller.speed, caller.pitch)

    def synthesise(text: str) -> Samples:
        return by_pico(text, caller.voice.removeprefix(PICO)) if caller.voice.startswith(PICO) else espeak(text, voice)

    pieces = PAUSE.split(line.text)
    if len(pieces) == 1:
        return synthesise(line.text)
    parts: list[Samples] = []
    for text, pause_ms in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if text.strip():
            parts.append(_voiced_part(synthesise(text.strip() + ("," if pause_ms else ""))))
        if pause_ms:
            parts.append(np.zeros(int(pause_ms) * SAMPLE_RATE_HZ // 1_000, dtype=np.int16))
    return np.concatenate(parts)


@cache
def by_pico(text: str, language: str) -> Samples:
    """A text in the voice that Pico has for a language, in a telephone's band. Raises PicoFailed."""
    with _pico_speaks:
        raw = np.frombuffer(b"".join(_pico(language).speak(text)), "<i2")
    band = telephone_band(soxr.resample(raw / 32_768, PICO_HZ, SAMPLE_RATE_HZ))
    samples: Samples = np.round(band / np.abs(band).max() * PEAK * 32_767).astype(np.int16)
    return samples


@cache
def _pico(language: str) -> Pico:
    return Pico(STATE / "pico", language)


def _voiced_part(samples: Samples) -> Samples:
    """Without the silence at both ends, in whole packets."""
    starts = range(0, len(samples), PACKET_SAMPLES)
    voiced = [start for start in starts if level_rms(samples[start : start + PACKET_SAMPLES]) >= VOICED_RMS]
    return samples[voiced[0] : voiced[-1] + PACKET_SAMPLES] if voiced else samples


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
