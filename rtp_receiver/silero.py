"""Silero VAD v6 for many streams at once: one batch of matrix products per step, on one core.

As shipped, the model takes one stream at a time (its first axis is time, and the LSTM runs along it). Input per step:
64 samples of context and 512 new ones, LSTM state h and c of 128 each.

The LSTM drifts in long silence, above all in the digital silence of a telephone: after 12 s of it half of the short
answers ("oui", "non") stayed below 0.5, after one second none did. So a stream that has been quiet for a while is put
back into the state that a second of faint noise leaves, and kept there until it is no longer quiet.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from voice_activity.silero_model import REST_CHUNKS, load_network, state_of_rest
from voice_activity.silero_network import CHUNK_SAMPLES, CONTEXT_SAMPLES, STATE

QUIET_BELOW = 0.15
"""Speech probability below which a chunk counts as quiet."""
REST_AFTER_CHUNKS = REST_CHUNKS
"""Quiet chunks (one second) after which a stream rests."""


class SileroVad:
    """See `vad.Vad`. The state of all streams lies in three arrays, one row per stream."""

    chunk_samples = CHUNK_SAMPLES

    def __init__(self, path: Path | None = None, rests: bool = True) -> None:
        """`rests` False: the bare model, whose streams begin at zero and drift in silence."""
        threadpool_limits(limits=1, user_api="blas")  # of the whole process: more threads only wait for each other here
        self._network = load_network(path)
        self._free: list[int] = []
        self._h = np.zeros((0, STATE), dtype=np.float32)
        self._c = np.zeros((0, STATE), dtype=np.float32)
        self._context = np.zeros((0, CONTEXT_SAMPLES), dtype=np.float32)
        self._quiet_chunks = np.zeros(0, dtype=np.int64)
        self._rests = rests
        zero = np.zeros(STATE, dtype=np.float32)
        self._rest_h, self._rest_c = state_of_rest(self._network) if rests else (zero, zero)

    def open(self) -> int:
        """A new stream with a fresh state; its number."""
        if not self._free:
            rows = len(self._context)
            more = max(16, rows)
            self._h = np.concatenate([self._h, np.zeros((more, STATE), dtype=np.float32)])
            self._c = np.concatenate([self._c, np.zeros((more, STATE), dtype=np.float32)])
            self._context = np.concatenate([self._context, np.zeros((more, CONTEXT_SAMPLES), dtype=np.float32)])
            self._quiet_chunks = np.concatenate([self._quiet_chunks, np.zeros(more, dtype=np.int64)])
            self._free = list(range(rows + more - 1, rows - 1, -1))
        stream = self._free.pop()
        self._h[stream] = self._rest_h
        self._c[stream] = self._rest_c
        self._context[stream] = 0
        self._quiet_chunks[stream] = 0
        return stream

    def close(self, stream: int) -> None:
        """Forgets a stream; its number may be used again."""
        self._free.append(stream)

    def step(self, streams: Sequence[int], chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        """Speech probabilities in [0, 1], one per stream. `chunks` is [len(streams), 512]; streams differ."""
        rows = np.asarray(streams, dtype=np.intp)
        inputs = np.empty((len(rows), CONTEXT_SAMPLES + CHUNK_SAMPLES), dtype=np.float32)
        inputs[:, :CONTEXT_SAMPLES] = self._context[rows]
        np.multiply(chunks, np.float32(1 / 32_768), out=inputs[:, CONTEXT_SAMPLES:])
        result, h, c = self._network(inputs, self._h[rows], self._c[rows])
        quiet_chunks = np.where(result < QUIET_BELOW, self._quiet_chunks[rows] + 1, 0)
        resting = quiet_chunks >= REST_AFTER_CHUNKS if self._rests else np.zeros(len(rows), dtype=bool)
        h[resting] = self._rest_h
        c[resting] = self._rest_c
        self._h[rows] = h
        self._c[rows] = c
        self._quiet_chunks[rows] = quiet_chunks
        self._context[rows] = inputs[:, -CONTEXT_SAMPLES:]
        return result
