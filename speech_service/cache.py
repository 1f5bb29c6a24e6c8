"""What was said before, in memory: sound by text, voice, speed, rate and engine version. Pure.

What was not asked for longest is dropped first.

In memory alone: texts hold names and numbers of callers, which lie on no disk for it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np

from speech_service.sound import Samples

OVERHEAD_BYTES: Final = 400
"""Of an entry beside its samples: the key, the array, the table."""


@dataclass(frozen=True)
class CacheKey:
    """All that the sound depends on. `version` is the engine's."""

    text: str
    voice: str
    speed: float
    rate_hz: int
    version: str


class SoundCache:
    """At most `limit_bytes` of sound."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._sounds: OrderedDict[CacheKey, Samples] = OrderedDict()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._sounds)

    def get(self, key: CacheKey) -> Samples | None:
        """The samples, None when they are not there. Asked for is used."""
        samples = self._sounds.get(key)
        if samples is not None:
            self._sounds.move_to_end(key)
        return samples

    def put(self, key: CacheKey, samples: Samples) -> None:
        """Keeps them; what is larger than the whole cache is not kept."""
        size = _size(key, samples)
        if size > self._limit_bytes:
            return
        self._drop(key)
        kept = np.ascontiguousarray(samples)
        kept.flags.writeable = False
        self._sounds[key] = kept
        self.held_bytes += size
        while self.held_bytes > self._limit_bytes:
            self._drop(next(iter(self._sounds)))

    def _drop(self, key: CacheKey) -> None:
        samples = self._sounds.pop(key, None)
        if samples is not None:
            self.held_bytes -= _size(key, samples)


def _size(key: CacheKey, samples: Samples) -> int:
    return int(samples.nbytes) + len(key.text) * 4 + OVERHEAD_BYTES
