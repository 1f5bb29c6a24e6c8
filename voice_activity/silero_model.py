"""The weights of Silero VAD v6 become a network, and the state that streams begin in.

They lie here as plain arrays, so that neither ONNX nor faster-whisper, whose file they are from, is needed to hear
speech: silero_vad_v6.npz, under the licence beside it. scripts/take_silero.py made it; a test compares the two.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from voice_activity.silero_network import CHUNK_SAMPLES, STATE, Floats, SileroNetwork, windows_of

WEIGHTS = Path(__file__).resolve().parent / "silero_vad_v6.npz"
REST_CHUNKS = 31
"""Chunks of faint noise (one second) that lead to the state of rest."""
_REST_NOISE = 3e-4
"""Level of that noise: -70 dB below full scale."""


class ModelUnusable(RuntimeError):
    """The model file is missing or not the one this module knows."""


def load_network(path: Path = WEIGHTS) -> SileroNetwork:
    """The network of a file of weights. Raises ModelUnusable."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return SileroNetwork(dict(arrays))
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:  # WrongWeights is a ValueError
        raise ModelUnusable(f"{path} is not the Silero v6 model: {error}") from error


def state_of_rest(network: SileroNetwork) -> tuple[Floats, Floats]:
    """The LSTM state h and c, [128] each, that a fresh network has after a second of faint noise (always the same).

    From a state of zeros the network needs a while before it hears: see the users of this state for what that cost.
    """
    noise = np.random.default_rng(0).normal(0, _REST_NOISE, REST_CHUNKS * CHUNK_SAMPLES).astype(np.float32)
    zero = np.zeros(STATE, dtype=np.float32)
    _, h, c = network.along(windows_of(noise), zero, zero)
    return h, c
