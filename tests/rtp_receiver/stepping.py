"""Clocks that a test sets: the monotonic one goes on when it is told, the wall clock can be stepped."""

import threading
import time

from rtp_receiver.clocks import Clocks


class SteppingClocks:
    """`clocks` for what is tested. The wall clock is the real one and what it was stepped by."""

    def __init__(self) -> None:
        self._now_s = 1_000.0
        self._looked = threading.Semaphore(0)
        self.wall_step_s = 0.0
        self.clocks = Clocks(self._monotonic, lambda: time.time() + self.wall_step_s)

    def advance(self, seconds: float) -> None:
        """Lets monotonic time go on."""
        self._now_s += seconds

    def until_looked_at(self, times: int) -> None:
        """Returns once somebody has asked for the monotonic time so often from now on."""
        while self._looked.acquire(blocking=False):
            pass
        for _ in range(times):
            assert self._looked.acquire(timeout=20)

    def _monotonic(self) -> float:
        self._looked.release()
        return self._now_s
