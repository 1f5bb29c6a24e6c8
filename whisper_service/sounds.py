"""Phonemes as tokens, and how well a text fits the sounds of an utterance. Pure.

A small network on the encoder output (`sound_head`) tells which phoneme is heard in each frame and knows no words. A
text's sounds are scored by their best way through the frames of CTC (Graves et al., 2006), beside the likeliest row of
sounds at all: what was really said is hardly behind it, what was not is far behind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLANK: Final = 0
FRENCH: Final = ("", *"a b d e f i j k l m n o p s t v w y z ø œ œ̃ ɑ̃ ɔ ɔ̃ ɛ ɛ̃ ɲ ʁ ʃ ʒ ə ɥ ɡ u".split())
"""Token -> phoneme; the empty one is CTC's blank."""
_LIKE: Final = {"ɑ": "a", "ɪ": "i", "r": "ʁ", "x": "ʁ", "ŋ": "n", "h": "", "dʒ": "dʒ", "tʃ": "tʃ"}
_COMBINED: Final = "\u0303"


def tokens_of_ipa(ipa: str, phonemes: Sequence[str]) -> tuple[int, ...]:
    """The tokens of espeak-ng's IPA; stress, length and what is no phoneme of the language are left out."""
    known = {phoneme: token for token, phoneme in enumerate(phonemes) if phoneme}
    ipa = re.sub(r"\([a-z-]+\)", "", ipa)  # where espeak-ng reads a word as another language
    found: list[int] = []
    at = 0
    while at < len(ipa):
        size = 2 if at + 1 < len(ipa) and ipa[at + 1] == _COMBINED else 1
        sound = ipa[at : at + size]
        at += size
        sound = _LIKE.get(sound, sound)
        if sound not in known and sound[:1] in known:
            sound = sound[:1]
        if sound in known:
            found.append(known[sound])
    return tuple(found)


def fits(frames: NDArray[np.floating], rows: Sequence[Sequence[int]]) -> list[float]:
    """Of each row of tokens, how far its best way through all frames is behind the best way of any row: 0 where it is
    the best one, less otherwise, minus infinity where there are too few frames. `frames`: log probabilities, shape
    [frames, tokens]."""
    behind = frames - frames.max(axis=1, keepdims=True)
    ids = np.zeros((len(rows), 2 * max(map(len, rows), default=0) + 1), np.intp)
    for row, place in zip(rows, ids, strict=True):
        place[1 : 2 * len(row) : 2] = row
    leaps = np.zeros(ids.shape, bool)  # from one token over the blank to the next, where they differ
    leaps[:, 2:] = (ids[:, 2:] != BLANK) & (ids[:, 2:] != ids[:, :-2])
    ways = np.full(ids.shape, -np.inf)
    ways[:, 0] = 0.0
    leapt = np.full(ids.shape, -np.inf)
    for number, frame in enumerate(behind):
        stepped = ways.copy()
        if number == 0:
            stepped[:, 1:2] = 0.0
        else:
            np.maximum(stepped[:, 1:], ways[:, :-1], out=stepped[:, 1:])
            leapt[:, 2:] = np.where(leaps[:, 2:], ways[:, :-2], -np.inf)
            np.maximum(stepped, leapt, out=stepped)
        ways = stepped + frame[ids]
    return [float(way[max(0, 2 * len(row) - 1) : 2 * len(row) + 1].max()) for row, way in zip(rows, ways, strict=True)]


def likeliest(frames: NDArray[np.floating]) -> tuple[int, ...]:
    """The row of tokens of the best way at all."""
    best = frames.argmax(axis=1)
    kept = best[np.append(True, best[1:] != best[:-1])]
    return tuple(int(token) for token in kept if token != BLANK)
