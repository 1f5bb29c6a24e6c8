"""A speech service that says tones: the text "400:1000 800:500" is a second of 400 Hz and half a second of 800 Hz.

It gives sound out as fast as a test wants, and breaks off, refuses or falls silent when it is told to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiohttp import ClientConnectionResetError, web

RATE_HZ = 8_000


class ToneVoice:
    """Its faults, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.refuses = False
        self.begins_after_s = 0.0
        """So long nothing comes."""
        self.break_after_ms = 0
        """The next answer ends, without its end, after so much sound."""
        self.stall_after_ms = 0
        """After so much of a text nothing comes any more, ever."""
        self.times_real = 20.0
        """How many times as fast as it is heard sound is made."""
        self.chunk_ms = 100

    async def speech(self, request: web.Request) -> web.StreamResponse:
        """`POST /speech`."""
        body = await request.json()
        self.asked.append(body)
        if self.refuses:
            return web.json_response({"error": "cannot_speak"}, status=503)
        sound = tones(body["text"])[body["skip_ms"] * RATE_HZ // 1_000 :]
        answer = web.StreamResponse()
        with contextlib.suppress(ClientConnectionResetError):  # a stop
            await self._answer(request, answer, sound, int(body["skip_ms"]))
        return answer

    async def _answer(
        self,
        request: web.Request,
        answer: web.StreamResponse,
        sound: np.ndarray[Any, np.dtype[np.int16]],
        skipped_ms: int,
    ) -> None:
        await answer.prepare(request)
        await asyncio.sleep(self.begins_after_s)
        step = RATE_HZ * self.chunk_ms // 1_000
        for at in range(0, len(sound), step):
            if self.stall_after_ms and skipped_ms + at * 1_000 // RATE_HZ >= self.stall_after_ms:
                await asyncio.Event().wait()
            data = sound[at : at + step].astype("<i2").tobytes()
            head = {"bytes": len(data), "ms": len(data) // 16, "begin": 0, "end": 1, "voice": "tone", "cached": False}
            await answer.write(json.dumps(head).encode() + b"\n" + data)
            made_ms = (at + step) * 1_000 // RATE_HZ
            if self.break_after_ms and made_ms >= self.break_after_ms:
                self.break_after_ms = 0
                assert request.transport is not None
                request.transport.abort()
                return
            await asyncio.sleep(self.chunk_ms / 1_000 / self.times_real)
        await answer.write(b'{"over": true}\n')


def tones(text: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The sound of such a text."""
    pieces = [(float(hz), int(ms)) for hz, ms in (word.split(":") for word in text.split())]
    made = [8_000 * np.sin(2 * np.pi * hz * np.arange(RATE_HZ * ms // 1_000) / RATE_HZ) for hz, ms in pieces]
    return np.concatenate(made).round().astype(np.int16)


@asynccontextmanager
async def speaking_tones() -> AsyncIterator[ToneVoice]:
    """Runs it on a free port."""
    voice = ToneVoice()
    app = web.Application()
    app.router.add_post("/speech", voice.speech)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    voice.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield voice
    finally:
        await runner.cleanup()
