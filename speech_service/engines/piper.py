"""A Piper voice: text to samples, a sentence at a time. Needs `piper-tts` (GPL-3), which Pronto does not ship.

`pip install piper-tts` beside the speech service, and `<model>.onnx` with `<model>.onnx.json` in SPEECH_PIPER_DIR.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MODULE: Final = "piper"


class PiperModel:
    """One voice, loaded."""

    def __init__(self, folder: Path, model: str) -> None:
        """Raises ImportError without piper-tts, OSError without the files."""
        self._piper = importlib.import_module(MODULE)
        self._voice = self._piper.PiperVoice.load(str(folder / f"{model}.onnx"))
        self.rate_hz = int(self._voice.config.sample_rate)

    def speak(self, text: str, speed: float = 1.0) -> Iterator[bytes]:
        """The text as little-endian int16 at `rate_hz`."""
        settings = self._piper.SynthesisConfig(length_scale=1.0 / speed)
        for chunk in self._voice.synthesize(text, syn_config=settings):
            yield chunk.audio_int16_bytes
