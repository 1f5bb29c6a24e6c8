"""Turns held-out confidences into the score below which an intent is not believed. Pure.

Every threshold starts at the score that refuses REFUSED_SHARE of the phrases, and rises for an intent until what is
accepted as that intent is right often enough; more often for strict intents (they end the call or cannot be taken
back). An intent's own phrases bound the rise: at most a given share of them may be refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

REFUSED_SHARE: Final = 0.03
PRECISION: Final = 0.85
STRICT_PRECISION: Final = 0.97
REFUSED_OF_INTENT: Final = 0.025
REFUSED_OF_STRICT_INTENT: Final = 0.10
STRICT_FLOOR: Final = 0.60
ACT_PRECISION: Final = 0.98


def fit_thresholds(
    classes: Sequence[str],
    labels: NDArray[np.int64],
    top: NDArray[np.int64],
    confidence: NDArray[np.float32],
    strangers_top: NDArray[np.int64],
    strangers_confidence: NDArray[np.float32],
    strict: Collection[str],
) -> NDArray[np.float32]:
    """One threshold per class.

    `labels`, `top` and `confidence` are of held-out phrases (what was meant, what was recognised, how sure);
    `strangers_*` of sentences that mean none of the classes.
    """
    right = labels == top
    base = float(np.quantile(confidence, REFUSED_SHARE)) if len(confidence) else 0.5
    thresholds = np.full(len(classes), base, np.float32)
    for index, name in enumerate(classes):
        is_strict = name in strict
        own = confidence[right & (top == index)]
        wrong = np.concatenate([confidence[~right & (top == index)], strangers_confidence[strangers_top == index]])
        if not len(own):
            continue
        highest = float(np.quantile(own, REFUSED_OF_STRICT_INTENT if is_strict else REFUSED_OF_INTENT))
        wanted = STRICT_PRECISION if is_strict else PRECISION
        lowest = max(base, min(STRICT_FLOOR, highest)) if is_strict else base
        thresholds[index] = max(base, min(_least_precise(own, wrong, wanted, lowest), max(highest, lowest)))
    return thresholds


@dataclass(frozen=True)
class CertaintyBand:
    """From a score of `act` on, at least ACT_PRECISION of what is taken for an intent is that intent.

    `acted`, `asked`: the shares of the intent's own held-out phrases at or above `act`, and between its threshold and
    that; `asked_right`: of what is taken for it with so much doubt, how much is it (nan: nothing was).
    """

    act: float
    acted: float
    asked: float
    asked_right: float


def fit_bands(
    classes: Sequence[str],
    labels: NDArray[np.int64],
    top: NDArray[np.int64],
    confidence: NDArray[np.float32],
    thresholds: Sequence[float],
) -> dict[str, CertaintyBand]:
    """The band of each class, of sentences that training had not seen; strangers have a label of their own."""
    found = {}
    for index, name in enumerate(classes):
        taken = (top == index) & (confidence >= thresholds[index])
        right = taken & (labels == index)
        if not right.any():
            continue
        act = _least_precise(confidence[right], confidence[taken & ~right], ACT_PRECISION, float(thresholds[index]))
        asked, own = taken & (confidence < act), int((labels == index).sum())
        asked_right = float((labels[asked] == index).mean()) if asked.any() else float("nan")
        acted = float((right & ~asked).sum() / own)
        found[name] = CertaintyBand(act, acted, float((right & asked).sum() / own), asked_right)
    return found


def _least_precise(own: NDArray[np.float32], wrong: NDArray[np.float32], wanted: float, lowest: float) -> float:
    """The least threshold from `lowest` on at which the wanted share of what is accepted is right."""
    for threshold in sorted({lowest, *(float(score) + 1e-4 for score in wrong if score >= lowest)}):
        accepted_right, accepted_wrong = int((own >= threshold).sum()), int((wrong >= threshold).sum())
        if accepted_right >= wanted * (accepted_right + accepted_wrong):
            return threshold
    return 1.0
