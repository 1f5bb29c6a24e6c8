"""Eight French voices that neither the detector nor the recogniser was developed with, at telephone level; and eight
others, which it was.

`VOICES` were chosen before anything was measured with them, none left out afterwards: Pico; Kokoro's French voice and
three that lie between it and voices of other speakers (their style vectors mixed, French phonemes); three of mbrola
(Debian non-free: `mbrola`, `mbrola-fr2`, `-fr4`, `-fr6`). `TUNING` are other speakers: four of mbrola (`-fr1`, `-fr3`,
`-fr5`, `-fr7`), four of Kokoro that read French with an accent. What they said is kept in `.pronto/cache/happy_path`,
since a near-human voice takes as long to speak as its speech lasts.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from audio_prompts.catalogue import PromptVoice
from audio_prompts.espeak import EspeakVoice, speak, telephone_band
from audio_prompts.kokoro import RATE_HZ as KOKORO_HZ
from audio_prompts.kokoro import Kokoro
from audio_prompts.loudness import Samples, level_dbfs, trimmed
from config import STATE
from speech_service.engines.pico import RATE_HZ as PICO_HZ
from speech_service.engines.pico import Pico

LINE_HZ = 8_000
SLOW_WPM = 140
OTHERS_SHARE = 0.35


@dataclass(frozen=True)
class TestVoice:
    """A voice by its engine; `name` is what the tables call it."""

    name: str
    engine: str
    voice: str


VOICES = (
    TestVoice("Pico fr", "pico", "fr"),
    TestVoice("Kokoro ff_siwis", "kokoro", "ff_siwis"),
    TestVoice("Kokoro siwis+michael", "kokoro", "ff_siwis+am_michael"),
    TestVoice("Kokoro siwis+george", "kokoro", "ff_siwis+bm_george"),
    TestVoice("Kokoro siwis+sara", "kokoro", "ff_siwis+if_sara"),
    TestVoice("mbrola fr2", "espeak", "mb-fr2"),
    TestVoice("mbrola fr4", "espeak", "mb-fr4"),
    TestVoice("mbrola fr6", "espeak", "mb-fr6"),
)
"""Held out: nothing is chosen with these."""
TUNING = (
    *(TestVoice(f"mbrola {name}", "espeak", f"mb-{name}") for name in ("fr1", "fr3", "fr5", "fr7")),
    *(TestVoice(f"Kokoro {name}", "kokoro", f"ff_siwis={name}") for name in ("af_bella", "am_adam")),
    *(TestVoice(f"Kokoro {name}", "kokoro", f"ff_siwis={name}") for name in ("pf_dora", "im_nicola")),
)
"""What is chosen is chosen with these."""


class Mixed(Kokoro):
    """Kokoro with voices between two: `ff_siwis+am_michael` is 65 % of the first; and with voices that read another
    language than theirs: `ff_siwis=am_adam` is the second with the phonemes of the first."""

    def _styles(self, voice: str) -> Samples:
        one, _, other = voice.partition("=")[2].partition("+") if "=" in voice else voice.partition("+")
        styles = super()._styles(one)
        if other:
            styles = (1 - OTHERS_SHARE) * styles + OTHERS_SHARE * super()._styles(other)
        return styles.astype(np.float32)


def said(text: str, voice: TestVoice, level_dbfs_: float = -20.0) -> NDArray[np.int16]:
    """A text as the telephone sends it: int16 at 8 kHz, 300 to 3400 Hz, what is voiced at that level.

    Raises what the engines raise: EspeakFailed where mbrola is not installed, NoVoice, PicoFailed."""
    samples = _cached(text, voice)
    gain = 10 ** ((level_dbfs_ - level_dbfs(samples, LINE_HZ)) / 20)
    whole: NDArray[np.int16] = np.round(np.clip(samples * gain, -1, 1) * 32_767).astype(np.int16)
    return whole


def _cached(text: str, voice: TestVoice) -> Samples:
    key = hashlib.sha256(repr((1, text, voice.engine, voice.voice)).encode()).hexdigest()[:24]
    path = STATE / "cache" / "happy_path" / f"{key}.npy"
    if path.exists():
        samples: Samples = np.load(path)
        return samples
    band = telephone_band(_spoken(text, voice).astype(np.float64)).astype(np.float32)
    samples = trimmed(band, LINE_HZ, lead_ms=20, trail_ms=60)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with open(part, "wb") as file:
        np.save(file, samples)
    os.replace(part, path)
    return samples


def _spoken(text: str, voice: TestVoice) -> Samples:
    if voice.engine == "kokoro":
        return _resampled(_kokoro().speak(text, PromptVoice(voice.voice)), KOKORO_HZ)
    if voice.engine == "pico":
        raw = np.frombuffer(b"".join(_pico(voice.voice).speak(text)), "<i2")
        return _resampled(raw / 32_768, PICO_HZ)
    wide = speak(text, EspeakVoice(voice.voice, SLOW_WPM), 2 * LINE_HZ)
    return _resampled(wide / 32_768, 2 * LINE_HZ)


def _resampled(samples: NDArray[np.floating], rate_hz: int) -> Samples:
    return np.asarray(soxr.resample(samples, rate_hz, LINE_HZ), np.float32)


@cache
def _kokoro() -> Mixed:
    return Mixed(threads=1)


@cache
def _pico(language: str) -> Pico:
    return Pico(STATE / "pico", language)
