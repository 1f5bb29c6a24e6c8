"""Turns a phrase set into paraphrase groups for honest hold-out. Pure.

The lists in the file are groups. Phrases of one intent whose words are nearly the same join one group wherever they
stand, so that no evaluation is flattered by a twin on another line.
"""

from __future__ import annotations

from collections.abc import Sequence

from intent_service.phrases import Intent

TWIN_OVERLAP = 0.8
"""Shared words over all words, from which two phrases are twins."""


def paraphrase_groups(intent: Intent, normalised: Sequence[str]) -> list[int]:
    """A group number for each phrase of `intent.phrases`; `normalised` are those phrases, normalised."""
    listed = [number for number, group in enumerate(intent.groups) for _ in group]
    words = [frozenset(text.split()) for text in normalised]
    parents = list(range(len(words)))

    def root(index: int) -> int:
        while parents[index] != index:
            index = parents[index]
        return index

    for one in range(len(words)):
        for two in range(one):
            union = len(words[one] | words[two])
            if listed[one] == listed[two] or (union and len(words[one] & words[two]) / union >= TWIN_OVERLAP):
                parents[root(one)] = root(two)
    return [root(index) for index in range(len(words))]
