"""A trained classifier as arrays: normalised sentence and embedding in, probabilities and confidence out. Pure: numpy.

Two heads vote: a linear SVM on lexical features and a logistic head on the sentence embedding. Their scores are added
with weights fitted out of fold, so the probabilities are calibrated. A small logistic model
turns what the heads say (`evidence`) into the confidence that the answer is right and the sentence is no stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intent_service.features import FeatureVocabulary
from intent_service.phonetic import sounds

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

_LONG_WORD: Final = 4
"""Letters of a word that says what is talked of."""
STRANGER_WEIGHT: Final = 0.25
"""How much an intent that is not allowed still counts: enough to notice that something else was meant."""


@dataclass(frozen=True)
class Head:
    """A linear layer: `weights` inputs x classes, `bias` one per class."""

    weights: Matrix
    bias: Vector


@dataclass(frozen=True)
class VoteWeights:
    """How the two votes become one probability: the softmax of their weighted sum."""

    lexical: float
    semantic: float
    """0: the lexical head alone."""


@dataclass(frozen=True)
class Confidence:
    """Logistic model on standardised evidence."""

    means: Vector
    scales: Vector
    weights: Vector
    """Twice as many as there are kinds of evidence: see `standardised`."""
    bias: float

    def of(self, evidence: Matrix) -> Vector:
        """0 to 1 for each row of evidence."""
        standard = standardised(evidence, self.means, self.scales)
        return np.asarray(1.0 / (1.0 + np.exp(-(standard @ self.weights + self.bias))), np.float32)


def standardised(evidence: Matrix, means: Vector, scales: Vector) -> Matrix:
    """What the confidence model sees: standard scores, and their squares (too little and too much are both strange)."""
    standard = np.clip((evidence - means) / scales, -4.0, 4.0)
    return np.hstack([standard, standard**2 - 1.0])


@dataclass(frozen=True)
class Votes:
    """What the heads say about sentences; rows are sentences, columns classes."""

    lexical: Matrix
    """SVM margins."""
    semantic: Matrix | None
    """Logits of the head on embeddings; None without an encoder."""
    cosine: Matrix | None
    """Cosine of the embedding to each class's centroid."""
    known: Vector
    """Share of known words."""
    strange: Vector
    """Count of longer words that neither stand in a phrase of an intent nor sound like one that does."""
    lengths: Vector
    """Words in the sentence."""


@dataclass(frozen=True)
class Classifier:
    """Everything that answering needs, without the thresholds."""

    classes: tuple[str, ...]
    vocabulary: FeatureVocabulary
    familiar: frozenset[str]
    """How the words sound that stand in phrases of intents."""
    lexical: Head
    semantic: Head | None
    centroids: Matrix | None
    """Unit length, classes x dimensions."""
    polar: bool
    """Whether the semantic head also sees the embedding turned around by negation."""

    def votes(self, texts: list[str], embeddings: Matrix | None, negated: list[bool]) -> Votes:
        """The votes on normalised sentences; `embeddings` are unit rows, one per sentence."""
        lexical = np.tile(self.lexical.bias, (len(texts), 1))
        for row, text in enumerate(texts):
            columns, values = self.vocabulary.vector(text)
            if len(columns):
                lexical[row] += values @ self.lexical.weights[columns]
        semantic = cosine = None
        if self.semantic is not None and self.centroids is not None and embeddings is not None:
            semantic = semantic_inputs(embeddings, negated, self.polar) @ self.semantic.weights + self.semantic.bias
            cosine = np.asarray(embeddings @ self.centroids.T, np.float32)
        known = np.array([self.vocabulary.known_share(text) for text in texts], np.float32)
        strange = np.array([self._strange_words(text) for text in texts], np.float32)
        lengths = np.array([len(text.split()) for text in texts], np.float32)
        return Votes(lexical, semantic, cosine, known, strange, lengths)

    def _strange_words(self, text: str) -> int:
        language = self.vocabulary.language
        return sum(
            len(word) >= _LONG_WORD and sound not in self.familiar
            for word, sound in zip(text.split(), sounds(text, language).split(), strict=True)
        )


def semantic_inputs(embeddings: Matrix, negated: list[bool], polar: bool) -> Matrix:
    """What the semantic head sees: the embedding, and with `polar` a copy whose sign says whether it was negated."""
    if not polar:
        return embeddings
    signs = np.where(np.asarray(negated), 0.7, -0.7).astype(np.float32)[:, None]
    return np.hstack([embeddings, embeddings * signs])


def softmax(logits: Matrix) -> Matrix:
    """Row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def probabilities(votes: Votes, mix: VoteWeights) -> Matrix:
    """The mixed vote: rows sum to 1."""
    logits = votes.lexical * np.float32(mix.lexical)
    if votes.semantic is not None:
        logits = logits + votes.semantic * np.float32(mix.semantic)
    return softmax(logits)


def restrict(probability: Matrix, allowed: NDArray[np.bool_]) -> Matrix:
    """Probabilities with the classes that are not allowed weighed down; rows sum to 1 again."""
    weighed = probability * np.where(allowed, np.float32(1.0), np.float32(STRANGER_WEIGHT))
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True), np.float32)


def evidence(votes: Votes, probability: Matrix, top: NDArray[np.int64], allowed: NDArray[np.bool_]) -> Matrix:
    """What speaks for the class `top` of each row and against it: one row of numbers per sentence.

    `allowed` has one row of classes, or one per sentence; the others are what a stranger may be.
    """
    rows = np.arange(len(top))
    chosen = probability[rows, top]
    others = probability.copy()
    others[rows, top] = -1.0
    columns = [
        np.log(np.maximum(chosen, 1e-6)),
        chosen - others.max(axis=1),
        votes.lexical[rows, top],
        votes.lexical.max(axis=1),
        votes.known,
        votes.strange,
        votes.strange / np.maximum(votes.lengths, 1.0),
        np.log1p(votes.lengths),
        np.log(np.where(allowed, 0.0, probability).sum(axis=1) + 1e-4),
        np.where(allowed, -9.0, votes.lexical).max(axis=1),
    ]
    if votes.semantic is not None and votes.cosine is not None:
        columns += [
            _log_sum_exp(votes.semantic),
            votes.semantic[rows, top],
            votes.cosine[rows, top],
            votes.cosine.max(axis=1),
        ]
    return np.stack(columns, axis=1).astype(np.float32)


def _log_sum_exp(logits: Matrix) -> Vector:
    highest = logits.max(axis=1)
    return np.asarray(highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1)), np.float32)
