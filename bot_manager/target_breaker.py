"""A circuit breaker: who has failed several times in a row is left alone for a while, then tried by one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 3
OPEN_S = 60.0


@dataclass
class TargetBreaker:
    """closed -> (3 failures in a row) open -> (60 s) half-open, one probe -> closed or open again. `now` in seconds."""

    now: Callable[[], float]
    failures: int = 0
    opened_at: float = 0.0
    probing: bool = False

    @property
    def state(self) -> str:
        if self.failures < FAILURES:
            return "closed"
        return "half_open" if self.now() - self.opened_at >= OPEN_S else "open"

    def lets_through(self) -> bool:
        """Whether a request may go; while half-open that is one, until it is told what came of it."""
        state = self.state
        if state == "half_open" and not self.probing:
            self.probing = True
            return True
        return state == "closed"

    def told(self, worked: bool) -> None:
        """What came of a request that was let through."""
        self.probing = False
        if worked:
            self.failures = 0
            return
        self.failures += 1
        if self.failures >= FAILURES:
            self.opened_at = self.now()

    def given_up(self) -> None:
        """A request that was let through was cancelled: nothing is known of it."""
        self.probing = False
