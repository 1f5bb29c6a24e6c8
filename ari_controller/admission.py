"""Whether one more caller can be served: a limit of calls, and what the services measure of themselves.

Strain (protocol.strain) is 0 at rest and 1 where callers would notice. The cell closes before that and opens again
well below, so that it does not flutter. What a call costs shows only seconds after it was taken: until then it is a
debt, and the nearer the cell is to closing, the less debt it takes on. The number of calls at which it closed is
remembered: it takes fewer than that, and feels its way up again call by call. Pure: time is an argument.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CLOSES: Final = 0.8
REOPENS: Final = 0.625
"""Part of the strain at which it closes: it opens again below that."""
STAYS_CLOSED_S: Final = 2.0
FALLS_S: Final = 3.0
"""A peak is half forgotten after so long: the calls of a moment ago are still there."""
DEBT_S: Final = 3.0
"""So long after it was taken a call is not yet in what is measured."""
MOST_DEBT: Final = 24
"""Calls that a cell at rest takes within DEBT_S, or half as many as it serves if that is more."""

PROVEN: Final = 0.8
"""Part of the calls at which the cell closed that it takes from then on."""
GROWS_S: Final = 8.0
"""While it is open, so often one call more than that, or a twentieth: what it can carry changes."""

AT_IT: Final = 0.9
"""With fewer calls than this part of what it carries, something else has strained it: that teaches nothing."""


@dataclass
class CallAdmission:
    """One cell. Feed `measured` about twice a second, ask `refusal` for each caller, tell `taken`."""

    max_calls: int
    closes: float = CLOSES
    """New callers are refused from this strain on; infinite: never for strain."""
    strain: dict[str, float] = field(default_factory=dict)
    """By what is measured, peaks fading."""
    closed: bool = False
    carries: float = math.inf
    """Calls that it is believed to carry; infinite until it has closed once."""
    _closed_for: str = ""
    _served: int = 0
    _closed_at: float = 0.0
    _at: float = 0.0
    _taken: deque[float] = field(default_factory=deque)

    @property
    def worst(self) -> tuple[str, float]:
        """What is strained most, and how much."""
        return max(self.strain.items(), key=lambda item: item[1], default=("", 0.0))

    def measured(self, figures: Mapping[str, float], at: float) -> None:
        """The latest figures, `at` in seconds of any clock that only goes forward."""
        passed_s = max(0.0, at - self._at)
        fade = 0.5 ** (passed_s / FALLS_S)
        self._at = at
        names = set(self.strain) | set(figures)
        self.strain = {name: max(figures.get(name, 0.0), self.strain.get(name, 0.0) * fade) for name in names}
        name, worst = self.worst
        if worst >= self.closes:
            if not self.closed and self._served and (self.carries == math.inf or self._served >= AT_IT * self.carries):
                self.carries, self._closed_for = max(1.0, PROVEN * self._served), name
            self.closed, self._closed_at = True, at
        elif not self.closed:
            self.carries += passed_s / GROWS_S * max(1.0, self.carries / 20)
        elif worst < self.closes * REOPENS and at - self._closed_at >= STAYS_CLOSED_S:
            self.closed = False

    def refusal(self, served: int, at: float) -> str:
        """Why no new caller can be served beside `served`: `calls`, or what is strained; empty when one can."""
        self._served = served
        if served >= self.max_calls:
            return "calls"
        if self.closes == math.inf:
            return ""
        name, worst = self.worst
        if self.closed:
            return name
        if served >= self.carries:
            return self._closed_for
        while self._taken and at - self._taken[0] >= DEBT_S:
            self._taken.popleft()
        room = max(MOST_DEBT, (served - len(self._taken)) / 2) * (1 - worst / self.closes)
        return name if len(self._taken) >= max(1, int(room)) else ""

    def taken(self, at: float) -> None:
        """A caller is served."""
        self._taken.append(at)
