"""The port that every engine fits: a text in one of its voices becomes raw samples as they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class EngineFailed(RuntimeError):
    """An engine could not say a text: it is not there, it refused, it crashed or it fell silent."""


class SpeechEngine(Protocol):
    """One engine. What `speak` yields is little-endian int16, mono, at the rate that it tells first."""

    name: str
    streams: bool
    """Whether the first samples come long before the whole text is made: then a whole sentence is given at once, which
    sounds better; otherwise its first clause alone."""
    first_s: float
    """Longest wait for the first samples of a text; beyond it the engine counts as hung."""

    async def start(self) -> None:
        """Makes it ready. Raises EngineFailed."""

    async def close(self) -> None:
        """Ends what it started."""

    def version(self, model: str) -> str:
        """Changes when the same text in this voice of the engine would sound otherwise."""

    def speak(self, model: str, text: str, speed: float) -> AsyncGenerator[Chunk, None]:
        """A text at `speed` times the usual. Raises EngineFailed. To be closed; closing stops it."""


class Chunk:
    """Some samples: `data` little-endian int16 mono at `rate_hz`."""

    __slots__ = ("data", "rate_hz")

    def __init__(self, data: bytes, rate_hz: int) -> None:
        self.data = data
        self.rate_hz = rate_hz
