"""A recogniser of known sentences over HTTP: it decodes the WAV it is sent and says which sentence it sounds like.

It stands for the Whisper service where a test is about the receiver: the audio has to arrive whole, in order, at the
right rate and in the right call, or the answer is another one.
"""

import asyncio
import base64
import io
import wave
from collections.abc import Iterable
from typing import Any

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from rtp_receiver.slin16 import Samples
from tests.rtp_receiver.speech import say


class WhisperServer:
    """`posts` are the bodies that came, `wavs` their decoded audio; `refusals` are statuses to answer first."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._voices = {text: say(text) for text in sentences}
        self.posts: list[dict[str, Any]] = []
        self.wavs: list[Samples] = []
        self.refusals: list[web.Response] = []
        self.breaks = 0
        self.hold: asyncio.Event | None = None
        self.cancelled = 0
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/whisper", self._whisper)
        self._server = TestServer(app)

    async def __aenter__(self) -> "WhisperServer":
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        """Where to post."""
        return str(self._server.make_url("/whisper"))

    async def _whisper(self, request: web.Request) -> web.Response:
        body = await request.json()
        with wave.open(io.BytesIO(base64.b64decode(body["audio"], validate=True))) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
            samples = np.frombuffer(file.readframes(-1), dtype="<i2")
        self.posts.append(body)
        self.wavs.append(samples)
        if self.breaks:
            self.breaks -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.refusals:
            return self.refusals.pop(0)
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        text = self.sounds_like(samples)
        return web.json_response({"transcription": text, "confidence": 0.9, "reason": "" if text else "no speech"})

    def sounds_like(self, samples: Samples) -> str:
        """The sentences that are in the audio, in order of time; empty when there is none."""
        found = []
        heard = samples.astype(np.float64)
        for text, voice in self._voices.items():
            known = voice.astype(np.float64)
            if len(known) > len(heard) + 8_000:
                continue
            size = 1 << (len(heard) + len(known)).bit_length()
            match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(known, size)), size)
            likeness = match.max() / max(1.0, float(known @ known))
            if likeness > 0.8:
                found.append((int(match.argmax()), text))
        return " ".join(text for _, text in sorted(found))
