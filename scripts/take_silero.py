"""Takes the weights of Silero VAD v6 out of the ONNX file that faster-whisper ships, for voice_activity/.

    python scripts/take_silero.py         writes voice_activity/silero_vad_v6.npz

Run once per version of the model; what runs reads the arrays and needs neither package.
"""

from __future__ import annotations

from pathlib import Path

import faster_whisper
import numpy as np
import onnx
from onnx import numpy_helper

from voice_activity.silero_model import WEIGHTS
from voice_activity.silero_network import SHAPES, Floats

ONNX_FILE = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"


def weights_of(path: Path) -> dict[str, Floats]:
    """The arrays of the ONNX file that the network has a use for."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}
    return {name: tensors[name] for name in SHAPES}


if __name__ == "__main__":
    np.savez(WEIGHTS, **weights_of(ONNX_FILE))  # type: ignore[arg-type]  # the stubs take any name for allow_pickle
