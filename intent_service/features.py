"""Turns a normalised sentence into weighted lexical features: character and word n-grams, polarity, sound. Pure.

TF-IDF as in scikit-learn (sublinear counts, smoothed idf, each block of unit length), written out so that a trained
model is two arrays and a dictionary, and answering needs no scikit-learn. `design` does the same for many sentences.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intent_service.normalise import LANGUAGES
from intent_service.phonetic import sounds

_STEM_LETTERS: Final = 5
BLOCK_WEIGHTS: Final = {"c": 1.0, "w": 1.0, "p": 0.8, "s": 0.5}


def is_negated(text: str, language: str) -> bool:
    """Whether a normalised sentence holds a word that turns it around."""
    return not LANGUAGES[language].negations.isdisjoint(text.split())


def blocks(text: str, language: str) -> dict[str, list[str]]:
    """The features of a normalised sentence by block: c(haracters), w(ords), p(olarity), s(ounds)."""
    found = {"c": _character_ngrams(text, 5), "w": _word_ngrams(text), "p": _polar_words(text, language)}
    if language == "fr":
        found["s"] = _character_ngrams(sounds(text, language), 4)
    return found


def _character_ngrams(text: str, longest: int) -> list[str]:
    grams = []
    for word in text.split():
        padded = f" {word} "
        for length in range(2, longest + 1):
            if length >= len(padded):
                grams.append(padded)
                break
            grams += [padded[start : start + length] for start in range(len(padded) - length + 1)]
    return grams


def _word_ngrams(text: str) -> list[str]:
    words = text.split()
    if not words:
        return []
    pairs = [f"{one} {two}" for one, two in pairwise(words)]
    skips = [f"{one} * {two}" for one, two in zip(words, words[2:], strict=False)]
    return [*words, f"^{words[0]}", f"{words[-1]}$", *pairs, *skips]


def _polar_words(text: str, language: str) -> list[str]:
    """Every word with the sentence's polarity: "interesse" said plainly and "interesse" denied are two features.

    Bags of n-grams miss negation; this is what tells "ca m'interesse" from "ca m'interesse pas".
    """
    words = text.split()
    sign = "-" if is_negated(text, language) else "+"
    return [
        sign,
        *(word + sign for word in words),
        *(word[:_STEM_LETTERS] + "~" + sign for word in words if len(word) >= _STEM_LETTERS),
    ]


@dataclass(frozen=True)
class FeatureVocabulary:
    """Feature -> column, and each column's weight (idf times the block's weight)."""

    language: str
    columns: dict[str, int]
    idf: NDArray[np.float32]
    """One per column."""

    def vector(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Columns and values of a normalised sentence; each block has unit length times its weight."""
        columns: list[int] = []
        values: list[NDArray[np.float32]] = []
        for block, features in blocks(text, self.language).items():
            counts = Counter(
                column for feature in features if (column := self.columns.get(block + feature)) is not None
            )
            if counts:
                own = np.fromiter(counts.keys(), np.int64, len(counts))
                weights = (1.0 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[own]
                columns += own.tolist()
                values.append((weights * (BLOCK_WEIGHTS[block] / np.linalg.norm(weights))).astype(np.float32))
        joined = np.concatenate(values) if values else np.zeros(0, np.float32)
        return np.asarray(columns, np.int64), joined.astype(np.float32)

    def known_share(self, text: str) -> float:
        """Share of the sentence's words that stand in some phrase, 0 to 1; 0 for no words."""
        words = text.split()
        return sum(f"w{word}" in self.columns for word in words) / len(words) if words else 0.0
