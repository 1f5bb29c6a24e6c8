"""Turns labelled phrases and their embeddings into a classifier with calibration and thresholds.

Everything beyond the two heads is fitted out of fold: whole paraphrase groups are held out, so that mixing weights,
temperatures, confidence and thresholds are learnt from sentences the heads had not seen. scikit-learn is needed here
and only here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from intent_service.features import is_negated, learn_vocabulary
from intent_service.model import (
    Classifier,
    Confidence,
    Head,
    Matrix,
    Mix,
    Votes,
    probabilities,
    semantic_inputs,
)

_SVM_C = 1.0
_LOGISTIC_C = 10.0
_LEXICAL_TEMPERATURES = (3.0, 4.5, 6.0, 8.0)
_SEMANTIC_TEMPERATURES = (1.0, 1.8, 2.6)
_SEMANTIC_WEIGHTS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8)


@dataclass(frozen=True)
class Samples:
    """Normalised phrases with what belongs to each."""

    language: str
    texts: list[str]
    embeddings: Matrix | None
    """Unit rows."""
    labels: NDArray[np.int64]
    """Index into `classes`."""
    classes: tuple[str, ...]
    groups: NDArray[np.int64]
    """Paraphrase group; phrases of one group are held out together."""

    def take(self, rows: NDArray[np.int64]) -> Samples:
        """Some of the samples."""
        return replace(
            self,
            texts=[self.texts[row] for row in rows],
            embeddings=None if self.embeddings is None else self.embeddings[rows],
            labels=self.labels[rows],
            groups=self.groups[rows],
        )

    def negated(self) -> list[bool]:
        """Whether each text is negated."""
        return [is_negated(text, self.language) for text in self.texts]


@dataclass(frozen=True)
class Calibration:
    """What is fitted on held-out votes."""

    mix: Mix
    confidence: Confidence


def fit_heads(samples: Samples, polar: bool) -> Classifier:
    """Both heads on the samples (the lexical one alone without embeddings)."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    vocabulary = learn_vocabulary(samples.texts, samples.language)
    vectors = [vocabulary.vector(text) for text in samples.texts]
    starts = np.cumsum([0, *(len(columns) for columns, _ in vectors)])
    inputs = csr_matrix(
        (
            np.concatenate([values for _, values in vectors]),
            np.concatenate([columns for columns, _ in vectors]),
            starts,
        ),
        shape=(len(vectors), len(vocabulary.columns)),
    )
    svm = LinearSVC(C=_SVM_C, tol=1e-3, random_state=0).fit(inputs, samples.labels)
    lexical = _head(svm.coef_, svm.intercept_, svm.classes_, len(samples.classes))
    if samples.embeddings is None:
        return Classifier(samples.classes, vocabulary, lexical, None, None, polar)
    logistic = LogisticRegression(C=_LOGISTIC_C, max_iter=100, tol=1e-4).fit(
        semantic_inputs(samples.embeddings, samples.negated(), polar), samples.labels
    )
    semantic = _head(logistic.coef_, logistic.intercept_, logistic.classes_, len(samples.classes))
    centroids = np.stack(
        [
            samples.embeddings[samples.labels == label].mean(axis=0)
            if (samples.labels == label).any()
            else np.zeros(samples.embeddings.shape[1])
            for label in range(len(samples.classes))
        ]
    )
    centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-9)
    return Classifier(samples.classes, vocabulary, lexical, semantic, centroids.astype(np.float32), polar)


def _head(
    weights: NDArray[np.float64], bias: NDArray[np.float64], present: NDArray[np.int64], class_count: int
) -> Head:
    """The head over all classes; a class without samples gets a score no other falls below."""
    if len(present) == 2:
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    all_weights = np.zeros((weights.shape[1], class_count), np.float32)
    all_bias = np.full(class_count, -10.0, np.float32)
    all_weights[:, present] = weights.T
    all_bias[present] = bias
    return Head(np.ascontiguousarray(all_weights), all_bias)


def folds_of(samples: Samples, fold_count: int) -> NDArray[np.int64]:
    """A fold for every sample: the groups of each class are dealt out in turn."""
    folds = np.zeros(len(samples.texts), np.int64)
    for label in range(len(samples.classes)):
        rows = np.flatnonzero(samples.labels == label)
        order = {group: index for index, group in enumerate(dict.fromkeys(samples.groups[rows].tolist()))}
        folds[rows] = [(order[group] + label) % fold_count for group in samples.groups[rows].tolist()]
    return folds


def out_of_fold(
    samples: Samples,
    folds: NDArray[np.int64],
    probes: Sequence[Samples],
    polar: bool,
    garbled: Samples | None = None,
) -> list[Votes]:
    """Votes on each probe by heads that saw no sample of the sentence's fold.

    Probes and `garbled` (more to learn from) are parallel to `samples`: row by row the same phrase in other forms.
    """
    collected: list[list[tuple[NDArray[np.int64], Votes]]] = [[] for _ in probes]
    for fold in np.unique(folds):
        heads = fit_heads(with_garbled(samples, garbled, np.flatnonzero(folds != fold)), polar)
        rows = np.flatnonzero(folds == fold)
        for votes, probe in zip(collected, probes, strict=True):
            part = probe.take(rows)
            votes.append((rows, heads.votes(part.texts, part.embeddings, part.negated())))
    return [_joined(parts) for parts in collected]


def with_garbled(samples: Samples, garbled: Samples | None, rows: NDArray[np.int64]) -> Samples:
    """Some of the samples, and their garbled forms after them."""
    clean = samples.take(rows)
    if garbled is None:
        return clean
    other = garbled.take(rows)
    return replace(
        clean,
        texts=clean.texts + other.texts,
        embeddings=None
        if clean.embeddings is None or other.embeddings is None
        else np.concatenate([clean.embeddings, other.embeddings]),
        labels=np.concatenate([clean.labels, other.labels]),
        groups=np.concatenate([clean.groups, other.groups]),
    )


def _joined(parts: list[tuple[NDArray[np.int64], Votes]]) -> Votes:
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")

    def stack(name: str) -> NDArray[np.float32] | None:
        pieces = [getattr(votes, name) for _, votes in parts]
        return None if pieces[0] is None else np.concatenate(pieces)[order]

    lexical, known, lengths = stack("lexical"), stack("known"), stack("lengths")
    assert lexical is not None
    assert known is not None
    assert lengths is not None
    return Votes(lexical, stack("semantic"), stack("cosine"), known, lengths)


def take_votes(votes: Votes, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Votes:
    """Some rows of the votes."""
    return Votes(
        votes.lexical[rows],
        None if votes.semantic is None else votes.semantic[rows],
        None if votes.cosine is None else votes.cosine[rows],
        votes.known[rows],
        votes.lengths[rows],
    )


def fit_mix(votes: Votes, labels: NDArray[np.int64]) -> Mix:
    """The mix that makes held-out labels most probable."""
    weights = _SEMANTIC_WEIGHTS if votes.semantic is not None else (0.0,)
    rows = np.arange(len(labels))

    def loss(mix: Mix) -> float:
        return -float(np.log(np.maximum(probabilities(votes, mix)[rows, labels], 1e-6)).mean())

    best = min(
        (Mix(lexical, 1.8, weight) for lexical, weight in itertools.product(_LEXICAL_TEMPERATURES, weights)), key=loss
    )
    return min((replace(best, semantic_temperature=value) for value in _SEMANTIC_TEMPERATURES), key=loss)


def fit_confidence_on(rows: Sequence[Matrix], right: Sequence[NDArray[np.bool_]]) -> Confidence:
    """The confidence model from blocks of evidence; the first block is of phrases, the others of strangers.

    Strangers are few, so together they are given the weight of 0.3 times the phrases.
    """
    from sklearn.linear_model import LogisticRegression

    inputs, targets = np.concatenate(rows), np.concatenate(right)
    stranger_count = len(targets) - len(right[0])
    weights = np.ones(len(targets))
    weights[len(right[0]) :] = max(1.0, 0.3 * len(right[0]) / max(1, stranger_count))
    means, scales = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6)
    if targets.all() or not targets.any():  # nothing to tell apart: the probability alone
        return Confidence(means, scales, np.eye(1, inputs.shape[1], dtype=np.float32)[0] * 0.5, 2.0)
    standard = np.clip((inputs - means) / scales, -4.0, 4.0)
    model = LogisticRegression(C=0.3, max_iter=500).fit(standard, targets, sample_weight=weights)
    return Confidence(means, scales, model.coef_[0].astype(np.float32), float(model.intercept_[0]))
