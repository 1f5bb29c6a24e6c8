"""What the media thread counts, in plain integers, because fifty packets per second and call leave no time for locks.

Others read it a moment old. Pure: values in, sums out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtp_receiver.reorder import Counts

LATE_S = 0.040
"""A chunk that is judged later than this after its last sample came in is late."""
LAG_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.5, 1.0)
_BOUNDS_S = np.array(LAG_BUCKETS_S)


@dataclass(slots=True)
class MediaCounts:
    """Since the start of the process."""

    packets: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    streams: Counts = field(default_factory=Counts)
    chunks: int = 0
    batches: int = 0
    late_chunks: int = 0
    lag_sum_s: float = 0.0
    lag_buckets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(LAG_BUCKETS_S) + 1, dtype=np.int64))
    stalls: int = 0
    failed_calls: int = 0

    def drop(self, reason: str, count: int = 1) -> None:
        """Packets that were thrown away."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def judged(self, arrivals: Sequence[float] | NDArray[np.float64], now: float) -> None:
        """One VAD step was done at `now` for chunks whose last samples came in at `arrivals`."""
        lags = np.maximum(now - np.asarray(arrivals), 0.0)
        self.batches += 1
        self.chunks += len(lags)
        self.lag_sum_s += float(lags.sum())
        self.late_chunks += int(np.count_nonzero(lags > LATE_S))
        self.lag_buckets += np.bincount(np.searchsorted(_BOUNDS_S, lags), minlength=len(LAG_BUCKETS_S) + 1)
