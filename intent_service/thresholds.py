"""Turns held-out confidences into the score below which an intent is not believed. Pure.

Every threshold starts at the score that refuses REFUSED_SHARE of the phrases, and rises for an intent until what is
accepted as that intent is right often enough; more often for strict intents (they end the call or cannot be taken
back). An intent's own phrases bound the rise: at most a given share of them may be refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

REFUSED_SHARE: Final = 0.03
PRECISION: Final = 0.85
STRICT_PRECISION: Final = 0.97
REFUSED_OF_INTENT: Final = 0.025
REFUSED_OF_STRICT_INTENT: Final = 0.10
STRICT_FLOOR: Final = 0.60


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


def _least_precise(own: NDArray[np.float32], wrong: NDArray[np.float32], wanted: float, lowest: float) -> float:
    """The least threshold from `lowest` on at which the wanted share of what is accepted is right."""
    for threshold in sorted({lowest, *(float(score) + 1e-4 for score in wrong if score >= lowest)}):
        accepted_right, accepted_wrong = int((own >= threshold).sum()), int((wrong >= threshold).sum())
        if accepted_right >= wanted * (accepted_right + accepted_wrong):
            return threshold
    return 1.0
