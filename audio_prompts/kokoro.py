"""The near-human voice: text to 24 kHz samples with Kokoro-82M (int8, onnxruntime). For prompts, which are made in
advance: on a core it takes about as long as the speech lasts.

`scripts/fetch_voice.sh` brings network and voices; without them `is_there` is False. Model: hexgrad (Apache-2.0).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from audio_prompts import espeak
from audio_prompts.catalogue import USUAL_SPEED, PromptVoice
from audio_prompts.loudness import Samples
from audio_prompts.phonemes import clauses_of, numbers_of
from config import STATE

RATE_HZ = 24_000
BETWEEN_MS = 250
"""Silence between the parts of a text that is too long for one go."""
THREADS = 2


class NoVoice(RuntimeError):
    """The voice is not on this machine, or cannot speak the text; the message says what to do."""


def is_there(state_dir: Path = STATE) -> bool:
    """Whether the voice was fetched and can be run here."""
    return (_folder(state_dir) / ".whole").exists() and importlib.util.find_spec("onnxruntime") is not None


class Kokoro:
    """A loaded network (390 MB of memory); one text at a time. Raises NoVoice where it was not fetched."""

    def __init__(self, state_dir: Path = STATE, threads: int = THREADS) -> None:
        if not is_there(state_dir):
            raise NoVoice("the near-human voice is not here: scripts/fetch_voice.sh gets it (90 MB)")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._state_dir = state_dir
        self._network: Any = onnxruntime.InferenceSession(
            str(_folder(state_dir) / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def speak(self, text: str, voice: PromptVoice) -> Samples:
        """The samples of a text, float32 at 24 kHz, with silence around them. Raises NoVoice, EspeakFailed."""
        styles = self._styles(voice.name)
        spoken: list[Samples] = []
        for symbols in clauses_of(text, voice.name, lambda clause, name: espeak.ipa(clause, name, self._state_dir)):
            numbers = numbers_of(symbols)
            feeds = {
                "tokens": np.array([[0, *numbers, 0]], np.int64),
                # a voice is 510 vectors, one per length of text
                "style": styles[min(len(numbers), len(styles) - 1)].reshape(1, -1),
                "speed": np.array([voice.speed / USUAL_SPEED], np.float32),
            }
            spoken += [self._network.run(None, feeds)[0].ravel(), np.zeros(RATE_HZ * BETWEEN_MS // 1_000, np.float32)]
        if not spoken:
            raise NoVoice(f"nothing to speak in {text!r}")
        samples: Samples = np.concatenate(spoken[:-1]).astype(np.float32)
        return samples

    def _styles(self, voice: str) -> Samples:
        path = _folder(self._state_dir) / f"{voice}.bin"
        if not path.exists():
            raise NoVoice(f"there is no near-human voice {voice}: see {_folder(self._state_dir)}")
        return np.fromfile(path, np.float32).reshape(-1, 256)


def _folder(state_dir: Path) -> Path:
    return state_dir / "voices" / "kokoro"
