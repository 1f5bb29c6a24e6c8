"""How many callers to try next, and what to make of it: rungs that were held in, the next number out. Pure.

From a few callers up by half of them at a time until the cell is strained, then between the last number that it
carried and the first that it did not, until the two are a tenth apart.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FIRST: Final = 8
GROWTH: Final = 1.5
NEAR_ENOUGH: Final = 1.1
ROOM: Final = 0.9
"""Part of what was carried that MAX_CALLS should be: a day has harder callers than a trial."""
MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rung:
    """A number of callers that talked for some seconds."""

    calls: int
    strain: float
    """1 is where callers would notice."""
    what: str
    """What was strained most."""

    def carried(self, limit: float) -> bool:
        """Whether the cell would have gone on taking calls, of which it takes none from strain `limit` on."""
        return self.strain < limit


def rung_of(calls: int, looks: Sequence[Mapping[str, float]]) -> Rung:
    """What several looks at the strain say together: one peak alone is none. Without a look nothing answered."""
    names = {name for look in looks for name in look}
    if not names:
        return Rung(calls, float("inf"), "nothing answers")
    medians = {name: statistics.median(look.get(name, 0.0) for look in looks) for name in names}
    what = max(medians, key=lambda name: medians[name])
    return Rung(calls, medians[what], what)


def most_carried(rungs: Sequence[Rung], limit: float) -> int:
    """The highest number that was carried, and below which all were; 0: none was."""
    bad = min((rung.calls for rung in rungs if not rung.carried(limit)), default=MOST + 1)
    return max((rung.calls for rung in rungs if rung.carried(limit) and rung.calls < bad), default=0)


def next_calls(rungs: Sequence[Rung], limit: float) -> int:
    """How many callers to try next; 0: it is known."""
    if not rungs:
        return FIRST
    good = most_carried(rungs, limit)
    bad = min((rung.calls for rung in rungs if not rung.carried(limit)), default=0)
    if not bad:
        return 0 if good >= MOST else min(MOST, round(good * GROWTH))
    if good + 1 >= bad or (good and bad <= good * NEAR_ENOUGH):
        return 0
    return (good + bad) // 2


def max_calls(rungs: Sequence[Rung], limit: float) -> int:
    """What MAX_CALLS should be; 0: not even one call was carried."""
    good = most_carried(rungs, limit)
    return max(1, int(good * ROOM)) if good else 0
