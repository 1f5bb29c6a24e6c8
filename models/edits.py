"""How far two rows of words or tokens are apart. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def edits(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> int:
    """How many have to be put in, taken out or replaced (Levenshtein, 1966)."""
    row = list(range(len(hypothesis) + 1))
    for at, wanted in enumerate(reference, 1):
        diagonal, row[0] = row[0], at
        for place, found in enumerate(hypothesis, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (wanted != found))
    return row[-1]
