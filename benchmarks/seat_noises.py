"""Sounds that are not the caller's words, as they come over a telephone: what must not stop a prompt, or not for long.

`noise`: coughs, mains hum, line noise, clicks. `hum`: "hmm", "mm", "ah" in synthetic voices, which are speech to any
detector, but mean nothing here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import soxr

from audio_prompts.espeak import EspeakVoice
from audio_prompts.espeak import speak as synthesise
from benchmarks.seat_analysis import RATE_HZ, Samples
from models.nospeech import SAMPLE_RATE_HZ, clip

KINDS = ("cough", "hum", "line_noise", "clicks")
OF_EACH = 15
HUMS = ("hum", "mm", "hmm hmm", "ah", "euh", "hein")
HUM_VOICES = ("fr", "fr+f2", "fr+m3", "fr+f4", "fr+m2")


@cache
def noises(kind: str) -> list[tuple[str, Samples]]:
    """(name, int16 samples at 8 kHz) of every noise of a set, always the same ones."""
    if kind == "hum":
        return [(f"hum {text}", synthesise(text, EspeakVoice(voice))) for text in HUMS for voice in HUM_VOICES]
    found = []
    for number in range(OF_EACH):
        for name in KINDS:
            draw = np.random.default_rng([number, KINDS.index(name)])
            loud = clip(name, float(draw.uniform(0.4, 1.2)), draw)
            low = soxr.resample(loud, SAMPLE_RATE_HZ, RATE_HZ)
            found.append((name, np.round(np.clip(low, -1, 1) * 32_767).astype(np.int16)))
    return found
