"""How late an event loop is with what is due: the time that everything in the process waits for its turn."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

EVERY_S: Final = 0.05
KEPT: Final = 40
"""Measurements that are looked at: two seconds."""


class LoopLag:
    """Run `watch` beside the other jobs of a loop; `recent_s` is how late it mostly was at worst."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=KEPT)

    async def watch(self) -> None:
        """Measures, for ever."""
        while True:
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._lags.append(max(0.0, time.monotonic() - due))

    @property
    def recent_s(self) -> float:
        """Lateness in seconds that nine in ten of the last two seconds' measurements did not pass; 0 at first."""
        lags = sorted(self._lags)
        return lags[len(lags) * 9 // 10] if lags else 0.0
