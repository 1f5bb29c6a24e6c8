"""Turns an evaluation into a picture: intents against intents, the diagonal left out so that the confusions show."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intent_service.evaluation import Evaluation


def draw_confusions(result: Evaluation, path: Path) -> None:
    """Writes PNG or SVG by the file's ending. Raises OSError when it cannot be written."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = result.classes
    counts = np.zeros((len(names), len(names)), int)
    for meant, taken, times in result.confusions:
        counts[names.index(meant), names.index(taken)] = times
    size = 3 + 0.24 * len(names)
    figure, axes = pyplot.subplots(figsize=(size, size))
    axes.imshow(np.sqrt(counts), cmap="OrRd")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlabel("taken for")
    axes.set_ylabel("meant")
    axes.set_title(
        f"Confusions, {result.language}: {result.accuracy:.1%} right of {result.phrase_count} held-out phrases"
    )
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color="#eeeeee", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=6)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
