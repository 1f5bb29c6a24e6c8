"""How often a client and an address may ask: sliding minutes. Pure: time is an argument."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import Final

WINDOW_S: Final = 60.0
MOST_KNOWN: Final = 20_000
"""Those that asked longest ago are forgotten first."""


class Limits:
    """`client_rate` queries a minute per client, `address_rate` per address."""

    def __init__(self, client_rate: int, address_rate: int) -> None:
        self._rates = {"client": client_rate, "address": address_rate}
        self._asked: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_s(self, client_id: str, address: str, at_s: float) -> int:
        """0: the query is counted and may be asked. Otherwise the seconds after which it may, at least 1."""
        wanted = [("client", client_id), ("address", address)]
        waits = [self._wait_s(key, at_s) for key in wanted]
        if any(waits):
            return max(waits)
        for key in wanted:
            self._asked.setdefault(key, deque()).append(at_s)
            self._asked.move_to_end(key)
        while len(self._asked) > MOST_KNOWN:
            self._asked.popitem(last=False)
        return 0

    def _wait_s(self, key: tuple[str, str], at_s: float) -> int:
        asked = self._asked.get(key)
        while asked and at_s - asked[0] >= WINDOW_S:
            asked.popleft()
        if not asked or len(asked) < self._rates[key[0]]:
            return 0
        return max(1, math.ceil(asked[0] + WINDOW_S - at_s))
