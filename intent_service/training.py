"""Turns labelled phrases and their embeddings into a classifier with calibration and thresholds.

Everything beyond the two heads is fitted out of fold: whole paraphrase groups are held out, so that mixing weights,
temperatures, confidence and thresholds are learnt from sentences the heads had not seen. scikit-learn is needed here
and only here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from intent_service.design import Design
from intent_service.features import is_negated
from intent_service.model import (
    Classifier,
    Confidence,
    Head,
    Matrix,
    Vector,
    Votes,
    VoteWeights,
    semantic_inputs,
    softmax,
    standardised,
)
from intent_service.phonetic import sounds

_WORKERS = min(2, os.cpu_count() or 1)
_SVM_C = 1.0
_LOGISTIC_C = 10.0
_GARBLED_WEIGHT = 0.5
"""Of a garbled copy beside its phrase: half as much to learn from."""
_KIN_WEIGHT = 0.5
"""Of a phrase in another language."""


@dataclass(frozen=True)
class TrainingSamples:
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
    stranger: int = -1
    """Label of what stands for no intent; -1 where there is none."""

    def take(self, rows: NDArray[np.int64]) -> TrainingSamples:
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


class HeadTrainer:
    """Fits both heads on any rows of the samples; what every fold needs is made once.

    `garbled` are other forms of the same phrases, row by row; both heads learn from them too.
    `kin` are phrases of the same classes in other languages: the head on embeddings alone learns from them.
    """

    def __init__(
        self,
        samples: TrainingSamples,
        polar: bool,
        garbled: TrainingSamples | None = None,
        kin: Sequence[TrainingSamples] = (),
    ) -> None:
        self._samples = samples
        self._polar = polar
        self._copies = 1 if garbled is None else 2
        self._design = Design(samples.texts + ([] if garbled is None else garbled.texts), samples.language)
        forms = [samples] if garbled is None else [samples, garbled]
        self._inputs = [
            semantic_inputs(one.embeddings, one.negated(), polar).astype(np.float32)
            for one in forms
            if one.embeddings is not None
        ]
        self._kin_labels = [one.labels for one in kin]
        self._kin_inputs = [
            semantic_inputs(one.embeddings, one.negated(), polar).astype(np.float32)
            for one in kin
            if one.embeddings is not None
        ]

    def fit(self, rows: NDArray[np.int64]) -> Classifier:
        """Both heads on the rows (the lexical one alone without embeddings)."""
        from sklearn.svm import LinearSVC

        samples, labels = self._samples, self._samples.labels[rows]
        count = len(samples.texts)
        vocabulary, matrix = self._design.fit(np.concatenate([rows + copy * count for copy in range(self._copies)]))
        weights = np.repeat([1.0, _GARBLED_WEIGHT][: self._copies], len(rows))
        svm = LinearSVC(C=_SVM_C, tol=0.02, random_state=0)
        svm.fit(matrix, np.tile(labels, self._copies), sample_weight=weights)
        lexical = _head(svm.coef_, svm.intercept_, svm.classes_, len(samples.classes))
        own = rows[labels != samples.stranger].tolist()
        familiar = frozenset(sound for row in own for sound in sounds(samples.texts[row], samples.language).split())
        if samples.embeddings is None:
            return Classifier(samples.classes, vocabulary, familiar, lexical, None, None, self._polar)
        inputs = np.concatenate([*(one[rows] for one in self._inputs), *self._kin_inputs])
        meant = np.concatenate([*(labels for _ in self._inputs), *self._kin_labels])
        weights = np.full(len(meant), _KIN_WEIGHT, np.float32)
        weights[: len(rows)] = 1.0
        weights[len(rows) : len(rows) * len(self._inputs)] = _GARBLED_WEIGHT
        semantic = fit_logistic(inputs, meant, len(samples.classes), weights)
        embeddings = samples.embeddings[rows]
        centroids = np.stack([embeddings[labels == label].sum(axis=0) for label in range(len(samples.classes))])
        centroids /= np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-9)
        centroids = centroids.astype(np.float32)
        return Classifier(samples.classes, vocabulary, familiar, lexical, semantic, centroids, self._polar)


def fit_logistic(inputs: Matrix, labels: NDArray[np.int64], class_count: int, sample_weights: Vector) -> Head:
    """Multinomial logistic regression with an L2 penalty, to its optimum, in single precision.

    The inputs are centred (the penalty spares the bias, so the optimum is the same): L-BFGS then needs fewer steps.
    scikit-learn's solver, given the vectors as they are, had not converged after a hundred.
    """
    from scipy.optimize import minimize

    count, width = inputs.shape
    mean = inputs.mean(axis=0)
    extended = np.hstack([inputs - mean, np.ones((count, 1), np.float32)]).astype(np.float32)
    rows = np.arange(count)

    def loss_and_gradient(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(width + 1, class_count).astype(np.float32)
        probability = softmax(extended @ weights)
        likelihood = np.log(np.maximum(probability[rows, labels], 1e-30))
        loss = -float((likelihood * sample_weights).sum(dtype=np.float64))
        probability[rows, labels] -= 1.0
        probability *= sample_weights[:, None]
        penalised = weights / np.float32(_LOGISTIC_C)
        penalised[-1] = 0.0
        loss += 0.5 * float((penalised * weights).sum(dtype=np.float64))
        gradient = extended.T @ probability + penalised
        return loss / count, gradient.ravel().astype(np.float64) / count

    start = np.zeros((width + 1) * class_count)
    options = {"maxiter": 500, "gtol": 1e-4, "ftol": 1e-9}
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options).x
    weights = found.reshape(width + 1, class_count).astype(np.float32)
    bias = weights[-1] - mean @ weights[:-1]
    bias[np.bincount(labels, minlength=class_count) == 0] = -10.0
    return Head(np.ascontiguousarray(weights[:-1]), bias.astype(np.float32))


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


def folds_of(samples: TrainingSamples, fold_count: int) -> NDArray[np.int64]:
    """A fold for every sample: the groups of each class are dealt out in turn."""
    folds = np.zeros(len(samples.texts), np.int64)
    for label in range(len(samples.classes)):
        rows = np.flatnonzero(samples.labels == label)
        order = {group: index for index, group in enumerate(dict.fromkeys(samples.groups[rows].tolist()))}
        folds[rows] = [(order[group] + label) % fold_count for group in samples.groups[rows].tolist()]
    return folds


def out_of_fold(trainer: HeadTrainer, folds: NDArray[np.int64], probes: Sequence[TrainingSamples]) -> list[Votes]:
    """Votes on each probe by heads that saw no sample of the sentence's fold.

    Probes are parallel to the trainer's samples: row by row the same phrase in other forms.
    """

    def votes(fold: int) -> tuple[NDArray[np.int64], list[Votes]]:
        heads, rows = trainer.fit(np.flatnonzero(folds != fold)), np.flatnonzero(folds == fold)
        parts = [probe.take(rows) for probe in probes]
        return rows, [heads.votes(part.texts, part.embeddings, part.negated()) for part in parts]

    with ThreadPoolExecutor(_WORKERS) as pool:  # the solvers let go of the interpreter
        found = list(pool.map(votes, np.unique(folds).tolist()))
    return [_joined([(rows, each[probe]) for rows, each in found]) for probe in range(len(probes))]


def _joined(parts: list[tuple[NDArray[np.int64], Votes]]) -> Votes:
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")

    def stack(name: str) -> NDArray[np.float32] | None:
        pieces = [getattr(votes, name) for _, votes in parts]
        return None if pieces[0] is None else np.concatenate(pieces)[order]

    lexical, known, strange, lengths = stack("lexical"), stack("known"), stack("strange"), stack("lengths")
    assert lexical is not None
    assert known is not None
    assert strange is not None
    assert lengths is not None
    return Votes(lexical, stack("semantic"), stack("cosine"), known, strange, lengths)


def take_votes(votes: Votes, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Votes:
    """Some rows of the votes."""
    return Votes(
        votes.lexical[rows],
        None if votes.semantic is None else votes.semantic[rows],
        None if votes.cosine is None else votes.cosine[rows],
        votes.known[rows],
        votes.strange[rows],
        votes.lengths[rows],
    )


def fit_mix(votes: Votes, labels: NDArray[np.int64]) -> VoteWeights:
    """The mix that makes held-out labels most probable."""
    from scipy.optimize import minimize

    scores = [votes.lexical] if votes.semantic is None else [votes.lexical, votes.semantic]
    rows = np.arange(len(labels))

    def loss_and_gradient(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        probability = softmax(np.add.reduce([np.float32(w) * score for w, score in zip(weights, scores, strict=True)]))
        gains = [score[rows, labels] - (probability * score).sum(axis=1) for score in scores]
        loss = -float(np.log(np.maximum(probability[rows, labels], 1e-9)).mean())
        return loss, -np.array([float(gain.mean()) for gain in gains])

    start = np.array([4.0, 0.5][: len(scores)])
    found = minimize(
        loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=[(0.05, 50.0), (0.0, 10.0)][: len(scores)]
    )
    return VoteWeights(float(found.x[0]), float(found.x[1]) if len(scores) > 1 else 0.0)


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
        return Confidence(means, scales, np.eye(1, 2 * inputs.shape[1], dtype=np.float32)[0] * 0.5, 2.0)
    standard = standardised(inputs, means, scales)
    model = LogisticRegression(C=0.3, max_iter=1000).fit(standard, targets, sample_weight=weights)
    return Confidence(means, scales, model.coef_[0].astype(np.float32), float(model.intercept_[0]))
