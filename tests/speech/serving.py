"""A speech service in this process, on a free port, with real engines or with ones that fail as a test needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from config import STATE, SpeechSettings, load
from observability.http import Server
from observability.listening import bound_socket
from speech_service.engines.port import Chunk, EngineFailed
from speech_service.http_api import create_app
from speech_service.service import SpeechService
from speech_service.sound import Samples
from speech_service.voices import VoiceTable

HAS_PICO = (STATE / "pico" / "libttspico.so.0").exists()
VOICES = "pico-fr,espeak-fr,pico-it,espeak-it" if HAS_PICO else "espeak-fr,espeak-it"


class ToneEngine:
    """Says two seconds of a tone for each text, or fails in the way that it is told; counts what it was asked."""

    name = "pico"
    streams = True
    first_s = 0.3

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault = ""
        """"refuse": says nothing; "hang": never comes; "break": fails after two seconds of sound."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def version(self, model: str) -> str:
        return "tone"

    async def speak(self, model: str, text: str, speed: float) -> AsyncGenerator[Chunk, None]:
        self.asked.append(text)
        if self.fault == "refuse":
            raise EngineFailed("refused")
        if self.fault == "hang":
            await asyncio.Event().wait()
        yield Chunk(tone(2.0), 16_000)
        if self.fault == "break":
            raise EngineFailed("broke")


def tone(seconds: float) -> bytes:
    """Of 1 kHz, at 16 kHz."""
    times = np.arange(round(16_000 * seconds)) / 16_000
    samples: Samples = np.round(8_000 * np.sin(2 * np.pi * 1_000 * times)).astype("<i2")
    return samples.tobytes()


def service_of(voices: str = VOICES, **environment: str) -> SpeechService:
    settings = load(SpeechSettings, {"SPEECH_VOICES": voices, **environment})
    return SpeechService(settings, VoiceTable(settings.speech_voices))


@asynccontextmanager
async def serving(service: SpeechService) -> AsyncIterator[str]:
    """Runs the service; the value is where it is."""
    server = Server(create_app(service), bound_socket("127.0.0.1", 0, reuse_port=False), grace_s=1)
    await server.start()
    try:
        await service.start()
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()
        await service.close()
