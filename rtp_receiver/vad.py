"""What the receiver asks of a voice activity detector: the speech probability of the next chunk of many streams.

Another detector is another class with these four members. Pure: an interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Vad(Protocol):
    """Keeps the model's state of every open stream. Used by one thread."""

    chunk_samples: int
    """16 kHz samples per step."""

    def open(self) -> int:
        """A new stream with a fresh state; its number."""
        ...

    def close(self, stream: int) -> None:
        """Forgets a stream; its number may be used again."""
        ...

    def step(self, streams: Sequence[int], chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        """Speech probabilities in [0, 1], one per stream. `chunks` is [len(streams), chunk_samples]; streams differ."""
        ...
