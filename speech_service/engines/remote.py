"""A speech server that speaks OpenAI's `/v1/audio/speech`: text in, raw samples as they come over the line."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

import aiohttp

from speech_service.engines.port import Chunk, EngineFailed

RATE_HZ: Final = 24_000
"""Of OpenAI's `pcm`, and of those that imitate it."""
CHUNK_BYTES: Final = 4_800
CONNECT_S: Final = 1.0


class RemoteEngine:
    """One server; the model is the name of a voice of its."""

    name = "server"
    streams = False
    first_s = 1.2

    def __init__(self, url: str, model: str, key: str) -> None:
        """`url` is what `/audio/speech` is below, with its `/v1`; `model` what the server calls its model."""
        self._url = url.rstrip("/") + "/audio/speech"
        self._model = model
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens no connection yet."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def close(self) -> None:
        """Closes its connections."""
        if self._session is not None:
            await self._session.close()

    def version(self, model: str) -> str:
        """The server and its model; what changes behind them is not seen."""
        return f"{self._url} {self._model}"

    async def speak(self, model: str, text: str, speed: float) -> AsyncGenerator[Chunk, None]:
        """See the port."""
        if self._session is None:
            raise EngineFailed("the server was not started")
        body = {"model": self._model, "voice": model, "input": text, "speed": speed, "response_format": "pcm"}
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            async with self._session.post(self._url, json=body, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise EngineFailed(f"the speech server answered {answer.status}")
                kind = answer.content_type
                if kind.startswith("text/") or kind == "application/json":
                    raise EngineFailed(f"the speech server sent {kind}")
                held = b""
                async for data in answer.content.iter_chunked(CHUNK_BYTES):
                    held += data
                    whole = len(held) // 2 * 2
                    if whole:
                        yield Chunk(held[:whole], RATE_HZ)
                    held = held[whole:]
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise EngineFailed(f"the speech server: {error!r}") from error
