"""Turns training texts into sparse matrices: n-grams are counted once and weighed anew for the rows of every fold.

The same features and weights as `FeatureVocabulary.vector`, for thousands of texts at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from intent_service.features import BLOCK_WEIGHTS, FeatureVocabulary, blocks

_BLOCKS = tuple(BLOCK_WEIGHTS)


class Design:
    """Counted n-grams of normalised texts of one language."""

    def __init__(self, texts: Sequence[str], language: str) -> None:
        self._language = language
        columns: dict[str, int] = {}
        own: list[int] = []
        counts: list[int] = []
        starts = [0]
        for text in texts:
            for block, features in blocks(text, language).items():
                for feature, times in Counter(features).items():
                    own.append(columns.setdefault(block + feature, len(columns)))
                    counts.append(times)
            starts.append(len(own))
        values = 1.0 + np.log(np.asarray(counts, np.float32))
        self._counts = csr_matrix((values, np.asarray(own, np.int64), starts), shape=(len(texts), len(columns)))
        self._names = list(columns)
        self._blocks = np.array([_BLOCKS.index(name[0]) for name in columns], np.int64)

    def fit(self, rows: NDArray[np.int64]) -> tuple[FeatureVocabulary, csr_matrix]:
        """The vocabulary of some texts, and their rows weighed by it."""
        part = self._counts[rows]
        documents = np.bincount(part.indices, minlength=len(self._names)).astype(np.float32)
        kept = np.flatnonzero(documents)
        idf = (np.log((1.0 + len(rows)) / (1.0 + documents[kept])) + 1.0).astype(np.float32)
        column = np.zeros(len(self._names), np.int64)
        column[kept] = np.arange(len(kept))
        indices, block = column[part.indices], self._blocks[part.indices]
        weighed = part.data * idf[indices]
        cell = np.repeat(np.arange(len(rows)), np.diff(part.indptr)) * len(_BLOCKS) + block
        lengths = np.sqrt(np.bincount(cell, weighed**2, minlength=len(rows) * len(_BLOCKS)))
        weighed *= np.array([BLOCK_WEIGHTS[name] for name in _BLOCKS])[block] / lengths[cell]
        names = {self._names[old]: new for new, old in enumerate(kept)}
        matrix = csr_matrix((weighed.astype(np.float32), indices, part.indptr), shape=(len(rows), len(kept)))
        return FeatureVocabulary(self._language, names, idf), matrix
