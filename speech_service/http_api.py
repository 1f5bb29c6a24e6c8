"""The HTTP side: `POST /v1/audio/speech` as OpenAI's clients know it, `POST /speech` with pieces as they are made,
`/voices`, `/health`, `/ready`, `/drain`, `/metrics`.

`/speech` answers with one block per piece: a line of JSON {bytes, ms, begin, end, voice, cached}, then that many
bytes of samples (little-endian int16). `begin` and `end` are places in the text. The last line is {"over": true}; an
answer that ends without it is broken.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta, Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from observability.endpoints import ServiceReport
from observability.gate import Gate
from speech_service import metrics
from speech_service.service import RATES_HZ, SpeechService
from speech_service.sound import TELEPHONE_HZ, mulaw, wav
from speech_service.speaker import CannotSpeak, Order, Piece
from speech_service.voices import FASTEST, SLOWEST, UnknownVoice

log = logging.getLogger("speech_service")

MAX_BODY_BYTES: Final = 64 * 1024
Text = Annotated[str, Meta(min_length=1, max_length=4_096)]
Speed = Annotated[float, Meta(ge=SLOWEST, le=FASTEST)]
Name = Annotated[str, Meta(max_length=120)]
TYPES: Final = {"wav": "audio/wav", "pcm": "audio/pcm", "mulaw": "audio/basic"}


class OpenAiSpeech(Struct):
    """The body of `POST /v1/audio/speech`; `language` and `sample_rate` are ours, and what is unknown is passed
    over."""

    input: Text
    voice: Name | dict[str, Any] = ""
    model: str = ""
    response_format: str = "wav"
    speed: Speed = 1.0
    language: Name = ""
    sample_rate: int = 0


class SpeechRequest(Struct, forbid_unknown_fields=True):
    """The body of `POST /speech`. `skip_ms` of its sound are left out: they were heard before."""

    text: Text
    language: Name = ""
    voice: Name = ""
    speed: Speed = 1.0
    sample_rate: int = TELEPHONE_HZ
    skip_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    deadline_ms: Annotated[int, Meta(ge=1, le=60_000)] = 0


class Refused(Exception):
    """An answer that is no sound."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def create_app(service: SpeechService) -> Starlette:
    """The application of one service."""
    api = _Api(service)
    metrics.READY.set_function(lambda: float(service.ready()[0] and not service.drain.is_draining))
    metrics.INSIDE.set_function(lambda: float(service.inside))
    metrics.WAITING.set_function(lambda: float(service.speaker.turns.waiting))
    metrics.CACHE_BYTES.set_function(lambda: float(service.speaker.cache.held_bytes))
    metrics.RESTING.set_function(
        lambda: float(sum(breaker.is_open(time.monotonic()) for breaker in service.speaker.breakers.values()))
    )
    routes = [
        Route("/v1/audio/speech", _guarded(api.openai), methods=["POST"]),
        Route("/speech", _guarded(api.speech), methods=["POST"]),
        Route("/voices", api.voices),
        *ServiceReport(service.health, service.ready, service.drain).routes(),
    ]
    gate = Middleware(Gate, token=service.settings.pronto_token, max_body_bytes=MAX_BODY_BYTES)
    app = Starlette(routes=routes, middleware=[gate])
    app.router.redirect_slashes = False
    return app


class _Api:
    """The endpoints."""

    def __init__(self, service: SpeechService) -> None:
        self._service = service

    async def voices(self, _: Request) -> Response:
        """Every voice, and whether it speaks."""
        service = self._service
        return JSONResponse(
            {
                "voices": [
                    {"name": v.name, "language": v.language, "engine": v.engine, "speaks": service.speaks(v)}
                    for v in service.table.voices.values()
                ]
            }
        )

    async def openai(self, request: Request) -> Response:
        """`POST /v1/audio/speech`."""
        body = await _read(request, OpenAiSpeech)
        if body.response_format not in TYPES:
            raise Refused(400, "response_format", f"response_format {body.response_format!r}: wav, pcm or mulaw")
        rate_hz = body.sample_rate or (TELEPHONE_HZ if body.response_format == "mulaw" else 24_000)
        if body.response_format == "mulaw" and rate_hz != TELEPHONE_HZ:
            raise Refused(400, "sample_rate", "mulaw is for 8000 Hz")
        voice = body.voice if isinstance(body.voice, str) else str(body.voice.get("id", ""))
        pieces = await self._begun(request, body.input, voice, body.language, body.speed, rate_hz, 0)
        if body.response_format == "wav":  # its header tells how long it is
            sound = [piece.samples async for piece in pieces]
            return Response(wav(np.concatenate(sound), rate_hz), media_type=TYPES["wav"])
        encode: Callable[[Piece], bytes] = (
            (lambda piece: mulaw(piece.samples))
            if body.response_format == "mulaw"
            else (lambda piece: piece.samples.astype("<i2").tobytes())
        )
        return StreamingResponse((encode(piece) async for piece in pieces), media_type=TYPES[body.response_format])

    async def speech(self, request: Request) -> Response:
        """`POST /speech`."""
        body = await _read(request, SpeechRequest)
        pieces = await self._begun(
            request, body.text, body.voice, body.language, body.speed, body.sample_rate, body.deadline_ms
        )
        blocks = _blocks(pieces, body.sample_rate, body.skip_ms)
        return StreamingResponse(blocks, media_type="application/vnd.pronto.speech")

    async def _begun(
        self, request: Request, text: str, voice: str, language: str, speed: float, rate_hz: int, deadline_ms: int
    ) -> AsyncGenerator[Piece, None]:
        """The pieces, once the first is there: what cannot be said is an error with a status. Raises Refused."""
        service, arrived_s = self._service, time.monotonic()
        is_ready, reason = service.ready()
        if not is_ready:
            raise Refused(503, "not_ready", reason)
        if service.is_full:
            raise Refused(503, "busy", "as many texts are inside as can be said in time")
        if rate_hz not in RATES_HZ:
            raise Refused(400, "sample_rate", f"{rate_hz} Hz: {', '.join(map(str, RATES_HZ))}")
        try:
            ladder = tuple(service.table.ladder(voice, language))
        except UnknownVoice as error:
            raise Refused(400, "voice", str(error)) from error
        limit_ms = min(deadline_ms or service.settings.speech_deadline_ms, service.settings.speech_deadline_ms)
        order = Order(text, ladder, speed, rate_hz, arrived_s + limit_ms / 1_000)
        pieces = self._counted(request.url.path, order, arrived_s)
        first = await anext(pieces, None)
        if first is None:
            raise Refused(400, "nothing_to_say", "nothing of the text can be said")

        async def all_of_it() -> AsyncGenerator[Piece, None]:
            async with aclosing(pieces):
                yield first
                async for piece in pieces:
                    yield piece

        return all_of_it()

    async def _counted(self, path: str, order: Order, arrived_s: float) -> AsyncGenerator[Piece, None]:
        outcome, is_first = "client_gone", True
        self._service.inside += 1
        try:
            async with aclosing(self._service.speaker.pieces(order)) as pieces:
                async for piece in pieces:
                    if is_first:
                        metrics.FIRST_AUDIO.labels(str(piece.cached).lower()).observe(time.monotonic() - arrived_s)
                        if time.monotonic() > order.deadline_s:
                            outcome = "late"
                            raise Refused(504, "late", "the first sound came too late")
                    is_first = False
                    metrics.AUDIO.inc(len(piece.samples) / order.rate_hz)
                    yield piece
            outcome = "said"
        except CannotSpeak as error:
            outcome = "cannot_speak"
            log.error("nobody could say it", extra={"reason": str(error)})
            if is_first:
                raise Refused(503, "cannot_speak", str(error)) from error
            raise
        finally:
            self._service.inside -= 1
            metrics.REQUESTS.labels(path, outcome).inc()


async def _blocks(pieces: AsyncGenerator[Piece, None], rate_hz: int, skip_ms: int) -> AsyncGenerator[bytes, None]:
    """The pieces as they go over the line, without the first `skip_ms`."""
    skip = rate_hz * skip_ms // 1_000
    async with aclosing(pieces):
        async for piece in pieces:
            left = piece.samples[skip:]
            skip = max(0, skip - len(piece.samples))
            if not left.size:
                continue
            data = left.astype("<i2").tobytes()
            head = {
                "bytes": len(data),
                "ms": round(len(left) * 1_000 / rate_hz),
                "begin": piece.begin,
                "end": piece.end,
                "voice": piece.voice,
                "cached": piece.cached,
            }
            yield json.dumps(head).encode() + b"\n" + data
    yield b'{"over": true}\n'


async def _read(request: Request, kind: type[Any]) -> Any:
    """The body. Raises Refused."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except ClientDisconnect:
        raise Refused(499, "client_gone", "the client hung up") from None
    except msgspec.ValidationError as error:
        raise Refused(422, "invalid", str(error)) from None
    except msgspec.DecodeError as error:
        raise Refused(400, "not_json", str(error)) from None


def _guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            metrics.REQUESTS.labels(request.url.path, refused.code).inc()
            error = {"message": refused.detail, "type": "invalid_request_error", "param": None, "code": refused.code}
            if refused.status >= 500:
                error["type"] = "server_error"
            openai = request.url.path.startswith("/v1/")
            shown: dict[str, object] = {"error": error} if openai else {"error": refused.code, "detail": refused.detail}
            headers = {"Retry-After": "1"} if refused.status == 503 else None
            return JSONResponse(shown, refused.status, headers)

    return answered
