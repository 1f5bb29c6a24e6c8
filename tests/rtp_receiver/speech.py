"""Real speech for tests: espeak-ng, at 16 kHz."""

import functools

import numpy as np

from audio_prompts.espeak import EspeakVoice, speak
from rtp_receiver.slin16 import Samples


@functools.cache
def say(text: str, voice: str = "fr") -> Samples:
    """`text` spoken, from its first to its last sound."""
    spoken = speak(text, EspeakVoice(voice), rate_hz=16_000)
    loud = np.flatnonzero(np.abs(spoken.astype(np.int32)) > 300)
    sound: Samples = spoken[loud[0] : loud[-1] + 1]
    return sound
