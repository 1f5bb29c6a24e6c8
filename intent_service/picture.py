"""Turns an evaluation into a picture: meant against taken for, one square for the main set and one for the questions.

The diagonal is left out so that the confusions show; how much of each intent was right stands beside its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intent_service.evaluation import Evaluation

_INCHES_PER_INTENT = 0.34
_INCHES_AROUND = 2.6


def draw_confusions(result: Evaluation, path: Path) -> None:
    """Writes PNG or SVG by the file's ending. Raises OSError when it cannot be written."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parts = [("main set", result.classes[: result.main_count]), ("questions", result.classes[result.main_count :])]
    parts = [(name, intents) for name, intents in parts if intents]
    sizes = [_INCHES_AROUND + _INCHES_PER_INTENT * len(intents) for _, intents in parts]
    figure, all_axes = pyplot.subplots(
        1, len(parts), figsize=(sum(sizes), max(sizes)), width_ratios=sizes, squeeze=False, layout="constrained"
    )
    for axes, (name, intents) in zip(all_axes[0], parts, strict=True):
        _draw(axes, result, name, intents)
    figure.suptitle(
        f"{result.language}: {result.accuracy:.1%} right of {result.phrase_count} held-out phrases "
        f"({result.accuracy_noisy:.1%} with simulated recognition errors)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw(axes: Any, result: Evaluation, name: str, intents: Sequence[str]) -> None:
    counts = np.zeros((len(intents), len(intents)), int)
    for meant, taken, times in result.confusions:
        if meant in intents and taken in intents:
            counts[intents.index(meant), intents.index(taken)] = times
    shares = [
        f"{intent}   {1 - row.sum() / max(1, result.phrases_of[intent]):4.0%}"
        for intent, row in zip(intents, counts, strict=True)
    ]
    highest = max(1, int(counts.max(initial=0)))
    axes.imshow(np.where(counts, np.sqrt(counts), np.nan), cmap="OrRd", vmin=0, vmax=np.sqrt(highest))
    axes.set_xticks(range(len(intents)), intents, rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
    axes.set_yticks(range(len(intents)), shares, fontsize=9)
    axes.set_xlabel("taken for")
    axes.set_ylabel("meant, and how much of it was right")
    axes.set_title(name)
    axes.set_xticks(np.arange(-0.5, len(intents)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(intents)), minor=True)
    axes.grid(which="minor", color="#dddddd", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    axes.plot([-0.5, len(intents) - 0.5], [-0.5, len(intents) - 0.5], color="#bbbbbb", linewidth=0.8)
    for row, column in zip(*np.nonzero(counts), strict=True):
        dark = np.sqrt(counts[row, column]) > 0.6 * np.sqrt(highest)
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            fontsize=9,
            color="white" if dark else "black",
        )
