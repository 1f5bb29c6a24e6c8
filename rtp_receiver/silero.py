"""Silero VAD v6 on onnxruntime for many streams at once: one session, one batched call per step, one core.

The model file comes with faster-whisper and is found without importing it. As shipped, its first axis is time: the LSTM
runs along it, so a batch of streams is not possible. Two transpositions of the graph are changed at load, so that the
axis becomes the batch; the weights stay, and the results are those of one stream at a time. Input per step: 64 samples
of context and 512 new ones, LSTM state h and c of 128 each.

The LSTM drifts in long silence, above all in the digital silence of a telephone: after 12 s of it half of the short
answers ("oui", "non") stayed below 0.5, after one second none did. So a stream that has been quiet for a while is put
back into the state that a second of faint noise leaves, and kept there until it is no longer quiet.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

CHUNK_SAMPLES = 512
CONTEXT_SAMPLES = 64
QUIET_BELOW = 0.15
"""Speech probability below which a chunk counts as quiet."""
REST_AFTER_CHUNKS = 31
"""Quiet chunks (one second) after which a stream rests."""
_REST_NOISE = 3e-4
"""Level of the noise that the state of rest comes from: -70 dB below full scale."""
_STATE = 128
_TRANSPOSED = {  # output of the Transpose node -> permutation with streams, not time, on the model's first axis
    "/Transpose_output_0": (2, 0, 1),
    "/decoder/Transpose_output_0": (0, 2, 1),
}


class ModelUnusable(RuntimeError):
    """The model file is missing or not the one this module knows."""


def model_path() -> Path:
    """The file inside the installed faster-whisper. Raises ModelUnusable."""
    spec = importlib.util.find_spec("faster_whisper")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "assets" / "silero_vad_v6.onnx"
        if path.is_file():
            return path
    raise ModelUnusable("faster-whisper with assets/silero_vad_v6.onnx is not installed")


def batched_model(path: Path) -> bytes:
    """The model of `path` with streams on the first axis, as serialised ONNX. Raises ModelUnusable."""
    model = onnx.load(str(path))
    found = set()
    for node in model.graph.node:
        if node.op_type == "Transpose" and node.output[0] in _TRANSPOSED:
            node.attribute[0].ints[:] = _TRANSPOSED[node.output[0]]
            found.add(node.output[0])
    if found != set(_TRANSPOSED):
        raise ModelUnusable(f"{path} is not the Silero v6 graph: no {sorted(set(_TRANSPOSED) - found)}")
    for value in (*model.graph.input, *model.graph.output):
        if value.name in ("h", "c", "hn", "cn"):
            value.type.tensor_type.shape.dim[1].dim_param = "seq_len"
    model.graph.ClearField("value_info")
    return bytes(model.SerializeToString())


class SileroVad:
    """See `vad.Vad`. The state of all streams lies in three arrays, one row per stream."""

    chunk_samples = CHUNK_SAMPLES

    def __init__(self, path: Path | None = None, rests: bool = True) -> None:
        """`rests` False: the bare model, whose streams begin at zero and drift in silence."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            batched_model(path or model_path()), options, providers=["CPUExecutionProvider"]
        )
        self._free: list[int] = []
        self._h = np.zeros((1, 0, _STATE), dtype=np.float32)
        self._c = np.zeros((1, 0, _STATE), dtype=np.float32)
        self._context = np.zeros((0, CONTEXT_SAMPLES), dtype=np.float32)
        self._quiet_chunks = np.zeros(0, dtype=np.int64)
        self._rests = rests
        zero = np.zeros((1, _STATE), dtype=np.float32)
        self._rest_h, self._rest_c = self._rest() if rests else (zero, zero)

    def open(self) -> int:
        """A new stream with a fresh state; its number."""
        if not self._free:
            rows = len(self._context)
            more = max(16, rows)
            self._h = np.concatenate([self._h, np.zeros((1, more, _STATE), dtype=np.float32)], axis=1)
            self._c = np.concatenate([self._c, np.zeros((1, more, _STATE), dtype=np.float32)], axis=1)
            self._context = np.concatenate([self._context, np.zeros((more, CONTEXT_SAMPLES), dtype=np.float32)])
            self._quiet_chunks = np.concatenate([self._quiet_chunks, np.zeros(more, dtype=np.int64)])
            self._free = list(range(rows + more - 1, rows - 1, -1))
        stream = self._free.pop()
        self._h[:, stream] = self._rest_h
        self._c[:, stream] = self._rest_c
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
        feed = {"input": inputs, "h": self._h[:, rows], "c": self._c[:, rows]}
        probabilities, h, c = self._session.run(None, feed)
        result: NDArray[np.float32] = probabilities
        quiet_chunks = np.where(result.ravel() < QUIET_BELOW, self._quiet_chunks[rows] + 1, 0)
        resting = quiet_chunks >= REST_AFTER_CHUNKS if self._rests else np.zeros(len(rows), dtype=bool)
        h[:, resting] = self._rest_h
        c[:, resting] = self._rest_c
        self._h[:, rows] = h
        self._c[:, rows] = c
        self._quiet_chunks[rows] = quiet_chunks
        self._context[rows] = inputs[:, -CONTEXT_SAMPLES:]
        return result

    def _rest(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The LSTM state, [1, 128] each, that a fresh model has after a second of faint noise (always the same)."""
        noise = np.random.default_rng(0).normal(0, _REST_NOISE, REST_AFTER_CHUNKS * CHUNK_SAMPLES).astype(np.float32)
        noise = np.concatenate([np.zeros(CONTEXT_SAMPLES, dtype=np.float32), noise])
        h = c = np.zeros((1, 1, _STATE), dtype=np.float32)
        for start in range(0, REST_AFTER_CHUNKS * CHUNK_SAMPLES, CHUNK_SAMPLES):
            window = noise[None, start : start + CONTEXT_SAMPLES + CHUNK_SAMPLES]
            _, h, c = self._session.run(None, {"input": window, "h": h, "c": c})
        return h[:, 0], c[:, 0]
