"""Samples become speech probabilities, one per 32 ms, by the Silero VAD that faster-whisper carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import faster_whisper
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from whisper_service.audio import Samples

STEP: Final = 512
"""Samples per probability."""
_CONTEXT: Final = 64
_MODEL: Final = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"


class VoiceGate:
    """One session on one thread; `probabilities` may be called from any thread."""

    def __init__(self, model: Path = _MODEL) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Probability of speech in each 32 ms of 16 kHz samples; the last step is padded with silence.

        Axis 0 of this model is time: the whole clip goes through in one call, each step with the 64 samples before it.
        """
        steps = -(-samples.size // STEP)
        padded = np.zeros(_CONTEXT + steps * STEP, np.float32)
        padded[_CONTEXT : _CONTEXT + samples.size] = samples
        windows = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + STEP)[::STEP]
        state = np.zeros((1, 1, 128), np.float32)
        output, _, _ = self._session.run(None, {"input": np.ascontiguousarray(windows), "h": state, "c": state})
        return np.asarray(output, np.float32).reshape(-1)
