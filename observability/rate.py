"""How often somebody may ask for something: sliding minutes. Pure: time is an argument."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import Final

WINDOW_S: Final = 60.0
MOST_KNOWN: Final = 20_000
"""Those that asked longest ago are forgotten first."""


class Rate:
    """So many things a minute of each one who asks for them."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, who: str, at_s: float) -> int:
        """0: there may be one more. Otherwise the seconds after which there may, at least 1."""
        asked = self._asked.get(who)
        while asked and at_s - asked[0] >= WINDOW_S:
            asked.popleft()
        if not asked or len(asked) < self._a_minute:
            return 0
        return max(1, math.ceil(asked[0] + WINDOW_S - at_s))

    def count(self, who: str, at_s: float) -> None:
        """One more."""
        self._asked.setdefault(who, deque()).append(at_s)
        self._asked.move_to_end(who)
        while len(self._asked) > MOST_KNOWN:
            self._asked.popitem(last=False)
