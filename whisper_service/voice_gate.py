"""Samples become speech probabilities, one per 32 ms, by Silero VAD: of a whole clip, or of its loudest part only."""

from __future__ import annotations

from typing import Final

import numpy as np

from voice_activity.silero_model import load_network, state_of_rest
from voice_activity.silero_network import CHUNK_SAMPLES, Floats, windows_of
from whisper_service.audio import Samples

STEP: Final = CHUNK_SAMPLES
"""Samples per probability."""
_BEFORE: Final = 5
"""Steps of an excerpt before the loudest: the network warms up in them, and voices fade more slowly than they rise."""
_EXCERPT: Final = 8
_OVERDRIVEN_RMS: Final = 0.25
_SOFTENED_RMS: Final = 0.1
"""A clip whose loudest part is louder than that, of full scale, is overdriven; the network hears more of it softer."""


class VoiceGate:
    """One network; its methods may be called from any thread.

    A clip is heard as if a second of faint noise had come before it. From a state of zeros the detector needs a while:
    with it 17 of 200 short answers ("oui", "non", "ok") stayed under 96 ms of speech, with the second before it none.
    """

    def __init__(self) -> None:
        self._network = load_network()
        self._h, self._c = state_of_rest(self._network)

    def probabilities(self, samples: Samples) -> Floats:
        """Probability of speech in each 32 ms of 16 kHz samples; the last step is padded with silence."""
        return self._network.along(windows_of(_softened(samples)), self._h, self._c)[0]

    def excerpt(self, samples: Samples, at: int) -> Floats:
        """The same, of at most eight steps about the sample `at`: a seventh of the cost of a clip of two seconds."""
        first = max(0, min(at // STEP - _BEFORE, -(-samples.size // STEP) - _EXCERPT))
        return self.probabilities(samples[first * STEP : (first + _EXCERPT) * STEP])


def _softened(samples: Samples) -> Samples:
    """An overdriven clip at a level that the network hears best; others as they are."""
    steps = samples[: samples.size // STEP * STEP].reshape(-1, STEP)
    loudest = float(np.sqrt(np.max(np.einsum("ij,ij->i", steps, steps), initial=0.0) / STEP))
    if loudest <= _OVERDRIVEN_RMS:
        return samples
    result: Samples = samples * np.float32(_SOFTENED_RMS / loudest)
    return result
