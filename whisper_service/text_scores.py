"""Given texts become their log probabilities on an encoder output that is there already.

CTranslate2's `align` runs the decoder over texts that we name and tells the probability of each token; it cannot be
asked about the end of a text, so "Non" without its full stop would also stand for "Non, mais ...".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

LEAST_FRAMES: Final = 50
BEHIND_FRAMES: Final = 150
"""Of the encoder (20 ms each) that are kept behind the audio: the rest of the context is silence, and costs time. With
25 "le gaz" scored e^13 worse in one voice of eight; it costs a fifth more than that."""
_LEAST: Final = 1e-9


def states_of(encoded: Any, row: int) -> NDArray[Any]:
    """One row of an encoded batch, shape [1, states, width], wherever the model is."""
    return np.ascontiguousarray(np.asarray(encoded.to_device(ctranslate2.Device.cpu))[row : row + 1])


class TextScores:
    """Scores texts with one model; from the engine's thread only."""

    def __init__(self, model: Any, tokens: Tokenizer) -> None:
        self._model = model
        self._tokens = tokens

    def of(
        self, encoded: Any, row: int, mel_frames: int, prompt: Sequence[int], texts: Sequence[str]
    ) -> dict[str, float]:
        """Text -> log probability, the sum over its tokens, for one row of an encoded batch."""
        states = states_of(encoded, row)
        states = states[:, : max(LEAST_FRAMES, mel_frames // 2 + BEHIND_FRAMES)]
        repeated = ctranslate2.StorageView.from_array(np.ascontiguousarray(np.repeat(states, len(texts), axis=0)))
        spelled = [self._tokens.encode(f" {text}") for text in texts]
        results = self._model.align(repeated, list(prompt), spelled, [2 * states.shape[1]] * len(texts))
        return {
            text: float(np.log(np.maximum(result.text_token_probs, _LEAST)).sum())
            for text, result in zip(texts, results, strict=True)
        }
