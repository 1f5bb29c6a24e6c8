"""What can be wrong with an audio file. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

AudioFault: TypeAlias = Literal[
    "empty", "not_audio", "truncated", "unsupported", "not_finite", "too_short", "too_long", "too_slow"
]


class BadAudio(ValueError):
    """`fault` for machines, the text for people."""

    def __init__(self, fault: AudioFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
