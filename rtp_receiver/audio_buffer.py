"""Keeps the last audio of one call, addressed by sample position counted from the start of the stream.

One preallocated array; appending copies once, forgetting is free, and what is kept is moved to the front only when the
end of the array is reached, or when little is left to move: O(1) per sample. Memory pages that no utterance was long
enough to reach are never touched. Samples stay in network order, as RTP brings them; who uses them converts them.
Pure: no clock.
"""

from __future__ import annotations

import numpy as np

from rtp_receiver.slin16 import NETWORK_INT16, Samples
from rtp_receiver.stream_state import StreamState

_COMPACT_FROM = 16_384  # with more dead samples than this in front, a short rest is moved to the front


class AudioBuffer:
    """Holds positions `start` to `end`; at most `capacity` samples."""

    def __init__(self, capacity: int, state: StreamState | None = None) -> None:
        """`state`: where the place of the next sample is kept, for others who append."""
        self._samples = np.empty(capacity, dtype=NETWORK_INT16)
        self._bytes = self._samples.view(np.uint8).data
        self._state = state if state is not None else StreamState()
        self._state.audio = self._samples.ctypes.data
        self._state.limit = capacity
        self.start = 0

    @property
    def end(self) -> int:
        """Position behind the newest sample."""
        return self._state.end

    def __len__(self) -> int:
        """Samples that are held."""
        return self.end - self.start

    def append(self, payload: bytes | memoryview) -> None:
        """Adds the samples of a slin16 payload (an even number of bytes) at the end. When they do not fit, the oldest
        go."""
        state = self._state
        end = state.end + (len(payload) >> 1)
        if end > state.limit:
            self._make_room(end - state.end)
        first = 2 * (state.end - state.base)
        self._bytes[first : first + len(payload)] = payload
        state.end = end

    def append_silence(self, count: int) -> None:
        """Adds `count` zero samples."""
        state = self._state
        if state.end + count > state.limit:
            self._make_room(count)
        index = state.end - state.base
        self._samples[index : index + count] = 0
        state.end += count

    def forget_before(self, position: int) -> None:
        """Gives up everything before `position`."""
        self.start = min(max(self.start, position), self.end)
        dead = self.start - self._state.base
        if dead > _COMPACT_FROM and len(self) <= dead:
            self._compact()

    def view(self, start: int, end: int) -> Samples:
        """Samples `start` to `end` in network order without copying; valid until the next append. Raises IndexError
        when they are not held."""
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"samples {start} to {end} are not among {self.start} to {self.end}")
        return self._samples[start - self._state.base : end - self._state.base]

    def copy_to(self, target: memoryview, start: int) -> None:
        """Fills `target` with the bytes of the samples from `start` on, which must be held."""
        first = 2 * (start - self._state.base)
        target[:] = self._bytes[first : first + len(target)]

    def _make_room(self, count: int) -> None:
        """Moves what is kept to the front, so that `count` samples fit behind it."""
        if count > len(self._samples):
            raise ValueError(f"{count} samples at once are more than the {len(self._samples)} of the buffer")
        self.start = max(self.start, self.end + count - len(self._samples))
        self._compact()

    def _compact(self) -> None:
        kept = self._samples[self.start - self._state.base : self.end - self._state.base]
        self._samples[: len(kept)] = kept.copy() if len(kept) > self.start - self._state.base else kept
        self._state.base = self.start
        self._state.limit = self._state.base + len(self._samples)
