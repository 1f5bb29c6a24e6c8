"""Has the caller finished, by the melody of what they said? The audio of an utterance so far in, a probability out.

Smart Turn v3.2 (BSD-2, by Daily) is a Whisper-tiny encoder with a classifier behind it; it takes the last 8 s of audio,
padded in front, normalised to mean 0 and variance 1, as log-mel. `scripts/fetch_turn_model.sh` gets the file. Another
model is another class with `finished`. It takes tens of milliseconds: never call it on the media thread.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import onnxruntime

from rtp_receiver.log_mel import RATE_HZ, Floats, log_mel
from rtp_receiver.slin16 import Samples

log = logging.getLogger("pronto.receiver")

LOOKS_BACK_S: Final = 8
FINISHED_FROM: Final = 0.5


class TurnModel(Protocol):
    """Judges utterances; used by one thread."""

    def finished(self, samples: Samples) -> float:
        """The probability in [0, 1] that nothing more comes after these int16 samples at 16 kHz."""
        ...


class TurnModelUnusable(RuntimeError):
    """The file is no model of this kind."""


class SmartTurn:
    """See `TurnModel`."""

    def __init__(self, path: Path) -> None:
        """Raises TurnModelUnusable."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            self.finished(np.zeros(RATE_HZ, dtype=np.int16))  # the first run allocates; a wrong model fails here
        except Exception as error:  # onnxruntime raises classes of its own, which it does not export
            raise TurnModelUnusable(f"{path}: {error}") from error

    def finished(self, samples: Samples) -> float:
        """See `TurnModel.finished`."""
        (answer,) = self._session.run(None, {"input_features": features(samples)[None]})
        return float(np.asarray(answer).reshape(-1)[0])


def features(samples: Samples) -> Floats:
    """int16 samples at 16 kHz to float32 [80, 800]: the last 8 s, silence in front of a shorter utterance."""
    length = LOOKS_BACK_S * RATE_HZ
    last = samples[-length:].astype(np.float32) / 32_768
    padded = np.pad(last, (length - len(last), 0))
    return log_mel(((padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)).astype(np.float32))


def load_turn_model(path: Path) -> TurnModel | None:
    """The model of a file; None, with a line in the log, when there is no such file: silence alone decides then."""
    if not path.is_file():
        log.info("no turn model: silence and words decide alone", extra={"path": str(path)})
        return None
    try:
        return SmartTurn(path)
    except TurnModelUnusable as error:
        log.error("the turn model cannot be used: silence and words decide alone", extra={"error": str(error)})
        return None
