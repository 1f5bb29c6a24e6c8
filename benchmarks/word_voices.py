"""Bare words in many voices, at 16 kHz: those that the detector was developed with, and those that it never met.

espeak-ng and Pico are there after `make setup`; espeak-ng speaks mbrola's voices where `mbrola` and they are installed.
Any other voice is a folder of recordings, `.pronto/cache/short_answers/<voice>/<word>.wav` (16-bit mono): so came the
words of the near-human voice Kokoro. A voice that is not on this machine is left out, and the figures say so.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from audio_prompts.espeak import EspeakFailed, EspeakVoice
from audio_prompts.espeak import speak as synthesise
from config import STATE
from speech_service.engines.pico import RATE_HZ as PICO_HZ
from speech_service.engines.pico import Pico, PicoFailed

Floats = NDArray[np.float64]
RATE_HZ = 16_000
RECORDINGS = STATE / "cache" / "short_answers"
WORDS = {"fr": ("oui", "non", "ok", "allô"), "it": ("sì", "no", "ok", "pronto"), "en": ("yes", "no", "ok", "hello")}
DEVELOPMENT = (
    *(("espeak", name) for name in ("fr", "fr+m3", "fr+f2", "fr+f5", "fr+m7", "fr-be", "it", "it+f2")),
    *(("espeak", name) for name in ("en-gb", "en-us+m3", "mb-fr1")),
    *(("recorded", f"kokoro-{name}") for name in ("pm_alex", "ef_dora", "em_alex", "pf_dora", "af_heart", "am_adam")),
)
"""Engine and voice. Thresholds and rules were chosen with these; the last six speak with a foreign accent."""
HELD_OUT = (
    *(("pico", name) for name in ("fr", "it", "en", "en-us")),
    *(("espeak", name) for name in ("mb-fr4", "mb-it3", "mb-it4", "mb-us1", "mb-en1")),
    *(("recorded", f"kokoro-{name}") for name in ("ff_siwis", "if_sara", "im_nicola", "bf_emma", "am_michael")),
    ("recorded", "kokoro-bm_george"),
)
"""Nothing was chosen with these."""
SETS = {"development": DEVELOPMENT, "held-out": HELD_OUT}
ACCENTED = {"pm_alex": "fr", "ef_dora": "fr", "em_alex": "it", "pf_dora": "it"}
SLOW_WPM = 140


class NoVoice(RuntimeError):
    """The voice is not on this machine."""


@dataclass(frozen=True)
class Word:
    """A word in a voice: float samples at 16 kHz from the first to the last sound, loudest 1."""

    voice: str
    language: str
    text: str
    samples: Floats


def words(name: str) -> Iterator[Word]:
    """Every word of a set of voices in every voice that is here."""
    for engine, voice in SETS[name]:
        language = language_of(engine, voice)
        try:
            for text in WORDS[language]:
                yield Word(_named(engine, voice), language, text, trimmed(spoken(engine, voice, text)))
        except NoVoice as error:
            print(f"left out: {_named(engine, voice)}: {error}", flush=True)


def language_of(engine: str, voice: str) -> str:
    """fr, it or en."""
    if engine == "recorded":
        name = voice.partition("-")[2]
        return ACCENTED.get(name) or {"f": "fr", "i": "it"}.get(name[0], "en")
    bare = voice.removeprefix("mb-")[:2]
    return bare if bare in WORDS else "en"


def spoken(engine: str, voice: str, text: str) -> Floats:
    """Samples at 16 kHz. Raises NoVoice."""
    try:
        if engine == "pico":
            return _pico(voice, text)
        if engine == "espeak":
            said = synthesise(text, EspeakVoice(voice, SLOW_WPM if voice.startswith("mb-") else 155), RATE_HZ)
            return said.astype(np.float64) / 32_768
        with wave.open(str(RECORDINGS / voice / f"{text}.wav"), "rb") as file:
            said = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return np.asarray(soxr.resample(said.astype(np.float64) / 32_768, file.getframerate(), RATE_HZ))
    except (EspeakFailed, PicoFailed, FileNotFoundError) as error:
        raise NoVoice(str(error)) from error


@cache
def _loaded(language: str) -> Pico:
    return Pico(STATE / "pico", language)


def _pico(language: str, text: str) -> Floats:
    said = np.frombuffer(b"".join(_loaded(language).speak(text)), "<i2").astype(np.float64) / 32_768
    return said if PICO_HZ == RATE_HZ else np.asarray(soxr.resample(said, PICO_HZ, RATE_HZ))


def trimmed(samples: Floats) -> Floats:
    """Without the silence at both ends, loudest 1."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return np.asarray(samples[loud[0] : loud[-1] + 1] / np.abs(samples).max())


def _named(engine: str, voice: str) -> str:
    return voice if engine == "recorded" else f"{engine}-{voice}"
