"""How well given texts fit the sounds of an utterance: a network that hears phonemes, and what the texts sound like."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from whisper_service.heads import EncoderHead, read_heads
from whisper_service.pronunciation import Pronunciation
from whisper_service.sounds import fits


class SoundEar:
    """One language's."""

    def __init__(self, head: EncoderHead, pronunciation: Pronunciation) -> None:
        self._head = head
        self._pronunciation = pronunciation

    def learn(self, texts: Iterable[str]) -> None:
        """Reads texts that will be asked about."""
        self._pronunciation.learn(texts)

    def behind(self, states: NDArray[Any], mel_frames: int, texts: Iterable[str]) -> dict[str, float]:
        """Text -> how far (natural log) it is behind the likeliest row of sounds, at most 0; without those that nobody
        can read. `states`: encoder output of one utterance, shape [states, width]."""
        tokens = self._pronunciation.of(texts)
        frames = self._head.heard(states, mel_frames)
        return dict(zip(tokens, fits(frames, list(tokens.values())), strict=True))

    def sounds_of(self, text: str) -> int:
        """How many phonemes a text has."""
        return len(self._pronunciation.of([text]).get(text, ()))


def read_ears(folder: Path, name: str, espeak: Path) -> dict[str, SoundEar]:
    """The ears of that name by language; none without a name or without the program. Raises OSError, ValueError."""
    if not espeak.exists():
        return {}
    heads = read_heads(folder, name)
    return {language: SoundEar(head, Pronunciation(espeak, language, head.names)) for language, head in heads.items()}
