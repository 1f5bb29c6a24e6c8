"""The two clocks of the receiver, and the kernel's times of arrival on the one that decides.

The monotonic clock decides: nobody sets it. The wall clock is for messages, records and the eyes of people. The kernel
stamps packets with the wall clock, which may be set at any moment: `ArrivalTimes` tells how old a packet is by the
difference of the two clocks at the moment of reading, and bounds it by what is certain without any wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AT_ONCE_S = 0.0001
"""Two clocks that were read further apart than this were not read at the same time."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds of both clocks."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class ArrivalTimes:
    """Stamps of the wall clock in, monotonic times out. Ask `read` right after every read of the socket."""

    def __init__(self, clocks: Clocks) -> None:
        self._monotonic = clocks.monotonic
        self._wall = clocks.wall
        self._now = self._emptied_at = clocks.monotonic()
        self.epoch = clocks.wall() - self._now
        """What makes seconds since the epoch of a monotonic time."""

    def read(self) -> float:
        """Looks at both clocks; the monotonic time."""
        self._now = self._monotonic()
        wall = self._wall()
        if self._monotonic() - self._now < AT_ONCE_S:  # else we lost the processor in between: the next read tells
            self.epoch = wall - self._now
        return self._now

    def nothing_waits(self) -> None:
        """The socket was found empty."""
        self._emptied_at = self._monotonic()

    def of(self, stamps: NDArray[np.float64], emptied: bool) -> NDArray[np.float64]:
        """When the packets of this read came in. `emptied`: it took all that waited.

        A packet came in after the socket was emptied before, and not after now, whatever a wall clock that was set
        meanwhile makes of its age.
        """
        arrived: NDArray[np.float64] = np.minimum(np.maximum(stamps - self.epoch, self._emptied_at), self._now)
        if emptied:
            self._emptied_at = self._now
        return arrived
