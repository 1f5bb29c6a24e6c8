"""How near the receiver and its recogniser are to what they can carry: recent counts become figures of strain.

1 is where callers would notice: a detector that hears words later than it should, texts that come so late that the
answer does. The figures are for `protocol.strain`. The clock is handed in.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from rtp_receiver.media_counts import LAG_BUCKETS_S, LATE_S, MediaCounts

RECOGNISED_S: Final = 1.2
"""Texts that take longer than this make answers that callers wait for."""
LOOP_S: Final = 0.1
RECENT_S: Final = 3.0
NOT_IN_TIME: Final = ("busy", "too_late")
"""Answers of a recogniser that has more to do than it can. One that is not there is not full: it is being restarted."""


class ReceiverStrain:
    """`posted` is told of every answer of the recogniser; `figures` is asked about twice a second."""

    def __init__(
        self, counts: MediaCounts, loop_lag_s: Callable[[], float], now: Callable[[], float] = time.monotonic
    ) -> None:
        """`now` gives seconds of a clock that only goes forward."""
        self._counts = counts
        self._loop_lag_s = loop_lag_s
        self._now = now
        self._buckets = counts.lag_buckets.copy()
        self._posts: deque[tuple[float, float]] = deque(maxlen=2_000)

    def posted(self, outcome: str, seconds: float) -> None:
        """The recogniser answered, or did not, after so long."""
        self._posts.append((self._now(), 2 * RECOGNISED_S if outcome in NOT_IN_TIME else seconds))

    def figures(self) -> dict[str, float]:
        """Strain by what is measured, since the last question (detector) or of the last seconds."""
        return {
            "detector": self._detector_lag_s() / LATE_S,
            "recogniser": self._recognition_s() / RECOGNISED_S,
            "receiver_loop": self._loop_lag_s() / LOOP_S,
        }

    def _detector_lag_s(self) -> float:
        """The lag that 99 of 100 chunks since the last question did not pass, between the bounds of its bucket."""
        buckets = self._counts.lag_buckets.copy()
        new = buckets - self._buckets
        self._buckets = buckets
        total = int(new.sum())
        if not total:
            return 0.0
        below = np.concatenate(([0], np.cumsum(new)))
        place = int(np.searchsorted(below[1:], 0.99 * total))
        low = 0.0 if place == 0 else LAG_BUCKETS_S[place - 1]
        high = LAG_BUCKETS_S[min(place, len(LAG_BUCKETS_S) - 1)]
        return float(low + (high - low) * (0.99 * total - below[place]) / new[place])

    def _recognition_s(self) -> float:
        """The time that four in five of the last seconds' texts did not pass; a single slow one is no queue."""
        since = self._now() - RECENT_S
        while self._posts and self._posts[0][0] < since:
            self._posts.popleft()
        times = sorted(seconds for _, seconds in self._posts)
        return times[len(times) * 4 // 5] if len(times) >= 3 else 0.0
