"""Keeps away from a voice that fails: after three failures in a row it rests, longer each time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FAILURES: Final = 3
RESTS_S: Final = (5.0, 10.0, 30.0, 60.0)


@dataclass
class Breaker:
    """One voice's."""

    failures: int = 0
    rests: int = 0
    until_s: float = 0.0

    def may(self, at_s: float) -> bool:
        """Whether it is tried now. After a rest one text tries it; the others wait for how that comes out."""
        if at_s < self.until_s:
            return False
        if self.failures >= FAILURES:
            self.until_s = at_s + RESTS_S[0]
        return True

    def worked(self) -> None:
        """It spoke."""
        self.failures = self.rests = 0
        self.until_s = 0.0

    def failed(self, at_s: float) -> None:
        """It did not."""
        self.failures += 1
        if self.failures >= FAILURES:
            self.until_s = at_s + RESTS_S[min(self.rests, len(RESTS_S) - 1)]
            self.rests += 1

    def is_open(self, at_s: float) -> bool:
        """Whether it rests."""
        return at_s < self.until_s
