"""Encoder output of Whisper becomes probabilities per frame, of number words or of phonemes: small networks beside the
decoder. Pure but for the files that are read.

Four layers (a linear one, three convolutions over time), trained with CTC on the encoder outputs of one model
(`models/heads`); they mean nothing beside any other. Numpy alone, as one answer costs them some ten milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BEHIND_FRAMES: Final = 10
"""Of the encoder, that are kept behind the audio, as in training."""


@dataclass(frozen=True)
class EncoderHead:
    """The weights; `names` names each token, and a frame is `stride` states of 20 ms."""

    weights: dict[str, Floats]
    names: tuple[str, ...]
    stride: int = 2

    def heard(self, states: NDArray[Any], mel_frames: int) -> Floats:
        """Log probabilities, shape [frames, tokens]. `states`: encoder output of one utterance, shape
        [states, width]."""
        return self.frames(states[: mel_frames // 2 + BEHIND_FRAMES])

    def frames(self, states: NDArray[Any]) -> Floats:
        """Log probabilities of all states, shape [frames, tokens]."""
        w = self.weights
        x = (states.astype(np.float32) - w["mean"]) / w["std"]
        x = np.maximum(x @ w["in"] + w["in_bias"], 0.0)
        x = np.maximum(_convolved(x, w["near"], self.stride) + w["near_bias"], 0.0)
        for layer in ("wide", "wider"):
            x = x + np.maximum(_convolved(x, w[layer], 1) + w[f"{layer}_bias"], 0.0)
        logits = x @ w["out"] + w["out_bias"]
        logits -= logits.max(axis=1, keepdims=True)
        found: Floats = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return found


def _convolved(x: Floats, kernel: Floats, stride: int) -> Floats:
    """Over time, as many frames as `stride` leaves; `kernel`: shape [taps, from, to]."""
    taps, frames = len(kernel), -(-len(x) // stride)
    missing = max((frames - 1) * stride + taps - len(x), 0)
    padded = np.pad(x, ((missing // 2, missing - missing // 2), (0, 0)))
    found = np.zeros((frames, kernel.shape[2]), np.float32)
    for tap in range(taps):
        found += padded[tap : tap + (frames - 1) * stride + 1 : stride] @ kernel[tap]
    return found


def read_head(file: Path) -> EncoderHead:
    """A head from its file. Raises OSError, ValueError."""
    with np.load(file) as stored:
        weights = {name: stored[name].astype(np.float32) for name in stored.files if name not in ("words", "stride")}
        stride = int(stored["stride"]) if "stride" in stored.files else 2
        return EncoderHead(weights, tuple(json.loads(str(stored["words"]))), stride)


def read_heads(folder: Path, name: str) -> dict[str, EncoderHead]:
    """The heads of that name by language; none without a name. Raises OSError, ValueError."""
    return {file.stem.removeprefix(f"{name}-"): read_head(file) for file in folder.glob(f"{name}-??.npz") if name}
