"""The Silero VAD v6 file becomes a network: its path, its weights, and the state that streams begin in.

The file comes with faster-whisper and is found without importing it; its weights are read from the ONNX graph.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from voice_activity.silero_network import CHUNK_SAMPLES, STATE, Floats, SileroNetwork, WrongWeights, windows_of

REST_CHUNKS = 31
"""Chunks of faint noise (one second) that lead to the state of rest."""
_REST_NOISE = 3e-4
"""Level of that noise: -70 dB below full scale."""


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


def load_network(path: Path | None = None) -> SileroNetwork:
    """The network of the file, by default of `model_path()`. Raises ModelUnusable."""
    path = path or model_path()
    graph = onnx.load(str(path)).graph
    try:
        return SileroNetwork({tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer})
    except WrongWeights as error:
        raise ModelUnusable(f"{path} is not the Silero v6 model: {error}") from error


def state_of_rest(network: SileroNetwork) -> tuple[Floats, Floats]:
    """The LSTM state h and c, [128] each, that a fresh network has after a second of faint noise (always the same).

    From a state of zeros the network needs a while before it hears: see the users of this state for what that cost.
    """
    noise = np.random.default_rng(0).normal(0, _REST_NOISE, REST_CHUNKS * CHUNK_SAMPLES).astype(np.float32)
    zero = np.zeros(STATE, dtype=np.float32)
    _, h, c = network.along(windows_of(noise), zero, zero)
    return h, c
