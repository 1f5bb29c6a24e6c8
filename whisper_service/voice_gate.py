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
    """One session on one thread; `probabilities` may be called from any thread.

    A clip is heard as if a second of faint noise had come before it. From a state of zeros the detector needs a while:
    with it 17 of 200 short answers ("oui", "non", "ok") stayed under 96 ms of speech, with the second before it none.
    """

    def __init__(self, model: Path = _MODEL) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        noise = np.random.default_rng(0).normal(0.0, 3e-4, 31 * STEP).astype(np.float32)
        self._h = self._c = np.zeros((1, 1, 128), np.float32)
        _, self._h, self._c = self._run(noise)

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Probability of speech in each 32 ms of 16 kHz samples; the last step is padded with silence.

        Axis 0 of this model is time: the whole clip goes through in one call, each step with the 64 samples before it.
        """
        output, _, _ = self._run(samples)
        return np.asarray(output, np.float32).reshape(-1)

    def _run(self, samples: Samples) -> tuple[Any, Any, Any]:
        steps = -(-samples.size // STEP)
        padded = np.zeros(_CONTEXT + steps * STEP, np.float32)
        padded[_CONTEXT : _CONTEXT + samples.size] = samples
        windows = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + STEP)[::STEP]
        feed = {"input": np.ascontiguousarray(windows), "h": self._h, "c": self._c}
        output, h, c = self._session.run(None, feed)
        return output, h, c
