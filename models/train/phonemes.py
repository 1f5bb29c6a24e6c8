"""The phonemes of espeak-ng's French voices as class numbers: targets of the training-only head on the encoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAUSE = 0
PHONEMES = ("", *"a b d dʒ e f i j k l m n o p s t v w y z ø ŋ œ œ̃ ɑ ɑ̃ ɔ ɔ̃ ɛ ɛ̃ ɪ ɲ ʁ ʃ ʒ ə ɥ tʃ ɡ u x h".split())
CLASSES = {phoneme: i for i, phoneme in enumerate(PHONEMES)}
UNKNOWN = len(PHONEMES)
CLASS_COUNT = len(PHONEMES) + 1
POSITION_S = 0.02


def frame_classes(phonemes: list[tuple[float, str]], positions: int) -> NDArray[np.uint8]:
    """(start in seconds, IPA) in order -> one class per 20 ms encoder position; pauses before, after and between."""
    classes = np.full(positions, PAUSE, np.uint8)
    starts = [start for start, _ in phonemes[1:]] + [positions * POSITION_S]
    for (start_s, phoneme), end_s in zip(phonemes, starts, strict=True):
        first, last = int(start_s / POSITION_S + 0.5), int(end_s / POSITION_S + 0.5)
        classes[first:last] = CLASSES.get(phoneme, UNKNOWN)
    return classes


def speech_span_s(phonemes: list[tuple[float, str]]) -> tuple[float, float]:
    """Start and end of speech: first sounding phoneme, and the pause that follows the last one."""
    sounding = [i for i, (_, phoneme) in enumerate(phonemes) if phoneme]
    if not sounding:
        return 0.0, 0.0
    last = min(sounding[-1] + 1, len(phonemes) - 1)
    return phonemes[sounding[0]][0], phonemes[last][0]
