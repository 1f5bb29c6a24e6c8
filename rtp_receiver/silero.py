"""Silero VAD v6 for many streams at once: one batch of matrix products per step, on one core.

As shipped, the model takes one stream at a time (its first axis is time, and the LSTM runs along it). Input per step:
64 samples of context and 512 new ones, LSTM state h and c of 128 each.

The LSTM drifts in long silence, above all in the digital silence of a telephone: after 12 s of it half of the short
answers ("oui", "non") stayed below 0.5, after one second none did. So a stream that has been quiet for a while is put
back into the state that a second of faint noise leaves, and kept there until it is no longer quiet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from voice_activity.compiled_silero import CompiledSilero, compiled_silero
from voice_activity.silero_model import REST_CHUNKS, load_network, state_of_rest
from voice_activity.silero_network import CHUNK_SAMPLES, CONTEXT_SAMPLES, STATE

QUIET_BELOW = 0.15
"""Speech probability below which a chunk counts as quiet."""
REST_AFTER_CHUNKS = REST_CHUNKS
"""Quiet chunks (one second) after which a stream rests."""


OVERDRIVEN_RMS = 0.25
"""From this level on, of full scale, a line is overdriven, and Silero hears less of it than of the same but softer."""
SOFTENED_RMS = 0.1
_OVERDRIVEN_PEAK = round(1.4 * OVERDRIVEN_RMS * 32_768)


def softened(chunks: NDArray[np.int16]) -> NDArray[np.int16]:
    """The chunks [n, 512], those of an overdriven line at a level that Silero hears best.

    Of 68 bare words that were clipped before G.711, 30 dB too loud, 66 % were confirmed as speech, and are 93 % so; of
    those 40 dB too loud 50 and 81 %.
    """
    loud = np.flatnonzero(chunks.max(axis=1, initial=0) > _OVERDRIVEN_PEAK)
    if not loud.size:
        return chunks
    samples = chunks[loud].astype(np.float32)
    rms = np.sqrt(np.mean(samples**2, axis=1)) / 32_768
    gains = np.where(rms > OVERDRIVEN_RMS, SOFTENED_RMS / np.maximum(rms, 1e-6), 1.0)
    result = chunks.copy()
    result[loud] = np.round(samples * gains[:, None].astype(np.float32)).astype(np.int16)
    return result


class SileroVad:
    """See `vad.Vad`. The state of all streams lies in three arrays, one row per stream."""

    chunk_samples = CHUNK_SAMPLES

    def __init__(self, rests: bool = True, compiled: bool = True) -> None:
        """`rests` False: the bare model, whose streams begin at zero and drift in silence. `compiled` False: in Python,
        which is what happens anyhow where nothing was compiled."""
        threadpool_limits(limits=1, user_api="blas")  # of the whole process: more threads only wait for each other here
        self._network = load_network()
        self._compiled: CompiledSilero | None = compiled_silero(self._network) if compiled else None
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
        rows = np.asarray(streams, dtype=np.int64)
        chunks = softened(chunks)
        if self._compiled is None:
            result = self._step_in_python(rows, chunks)
        else:
            samples = np.ascontiguousarray(chunks, dtype=np.int16)
            places = samples.ctypes.data + np.arange(len(rows), dtype=np.uint64) * np.uint64(2 * CHUNK_SAMPLES)
            result = self._compiled.step(rows, places, False, self._h, self._c, self._context)
        self._rest(rows, result)
        return result

    def _step_in_python(self, rows: NDArray[np.int64], chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        inputs = np.empty((len(rows), CONTEXT_SAMPLES + CHUNK_SAMPLES), dtype=np.float32)
        inputs[:, :CONTEXT_SAMPLES] = self._context[rows]
        np.multiply(chunks, np.float32(1 / 32_768), out=inputs[:, CONTEXT_SAMPLES:])
        result, self._h[rows], self._c[rows] = self._network(inputs, self._h[rows], self._c[rows])
        self._context[rows] = inputs[:, -CONTEXT_SAMPLES:]
        return result

    def _rest(self, rows: NDArray[np.int64], speech: NDArray[np.float32]) -> None:
        """Streams that were quiet for long go into the state of rest."""
        quiet_chunks = np.where(speech < QUIET_BELOW, self._quiet_chunks[rows] + 1, 0)
        self._quiet_chunks[rows] = quiet_chunks
        if self._rests:
            resting = rows[quiet_chunks >= REST_AFTER_CHUNKS]
            self._h[resting] = self._rest_h
            self._c[resting] = self._rest_c
