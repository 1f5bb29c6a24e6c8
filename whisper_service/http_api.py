"""The HTTP side: requests become questions, transcripts become answers, errors become the right status.

Endpoints of the specification (`/transcribe`, `/whisper`), of OpenAI (`whisper_service.openai_api`), and `/health`,
`/ready`, `/drain`, `/metrics`. Who names no language to the specification's endpoints means French.
"""

from __future__ import annotations

import binascii
import logging
import time
from typing import Annotated, Any, Final

import pybase64
from fastapi import FastAPI, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from observability.endpoints import ServiceReport
from observability.gate import Gate
from whisper_service import metrics
from whisper_service.admission import Admission, error_body
from whisper_service.closed_sets import Awaited
from whisper_service.dispatcher import CLIENT_GONE, Dispatcher, Refusal
from whisper_service.languages import MAX_CHARS
from whisper_service.openai_api import add_openai_routes
from whisper_service.service import Service

log = logging.getLogger("whisper_service")

MAX_HINTS: Final = 64
MAX_HINT_CHARS: Final = 200
MAX_CHOICES: Final = 64
MAX_CHOICE_CHARS: Final = 2_000
Hint = Annotated[str, Field(max_length=MAX_HINT_CHARS)]
Hints = Annotated[list[Hint], Field(max_length=MAX_HINTS)]
Language = Annotated[str, Field(max_length=MAX_CHARS)]
Types = Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=8)]
Choices = Annotated[list[Annotated[str, Field(max_length=MAX_CHOICE_CHARS)]], Field(max_length=MAX_CHOICES)]
Deadline = Annotated[int, Field(ge=1, le=600_000)]


class WhisperRequest(BaseModel):
    """The body of `POST /whisper`."""

    model_config = ConfigDict(strict=True)

    audio: str
    """Base64 of an audio file."""
    filename: str = ""
    connection_id: str = ""
    language: Language = "fr"
    hints: Hints = []
    awaited: Types = []
    choices: Choices = []
    """With `awaited` what the caller's dialogue can accept: `whisper_service.closed_sets.Awaited`."""
    deadline_ms: Deadline | None = None


def create_app(service: Service) -> FastAPI:
    """The application of one service."""
    untraced: Any = {"tracing": False, "metrics": False, "logs": False}  # asked for anew with every request otherwise
    app = FastAPI(title="Pronto Whisper service", docs_url=None, redoc_url=None, telemetry=untraced)
    settings = service.settings
    app.add_middleware(Admission, service=service, max_body_bytes=settings.whisper_max_body_bytes)
    # the one that is added last comes first; the size of a body is Admission's affair
    app.add_middleware(Gate, token=settings.pronto_token)
    dispatcher = Dispatcher(service)

    async def whisper(request: Request) -> JSONResponse:
        body = await _read(request)
        arrived = time.monotonic()
        audio = _audio_of(body)
        transcript = await dispatcher.answer(
            request,
            arrived,
            audio,
            body.language,
            body.hints,
            body.deadline_ms,
            awaited=Awaited(tuple(body.awaited), tuple(body.choices)),
        )
        log.info(
            "transcribed",
            extra={
                "call_id": body.connection_id,
                "text": transcript.text,
                "reason": transcript.reason,
                "confidence": round(transcript.confidence, 2),
            },
        )
        return JSONResponse({"transcription": transcript.text, **dispatcher.fields(transcript, arrived)})

    # the receiver's way in, so the busiest: past FastAPI, which would parse the body twice as slowly
    app.add_route("/whisper", whisper, methods=["POST"])

    @app.post("/transcribe")
    async def transcribe(
        request: Request,
        audio: Annotated[UploadFile, File()],
        language: Annotated[Language, Form()] = "fr",
        hints: Annotated[Hints | None, Form()] = None,
        awaited: Annotated[Types | None, Form()] = None,
        choices: Annotated[Choices | None, Form()] = None,
        deadline_ms: Annotated[Deadline | None, Form()] = None,
    ) -> JSONResponse:
        arrived = time.monotonic()
        content = await audio.read()
        transcript = await dispatcher.answer(
            request,
            arrived,
            content,
            language,
            hints or [],
            deadline_ms,
            awaited=Awaited(tuple(awaited or ()), tuple(choices or ())),
        )
        return JSONResponse(
            {"text": transcript.text, "filename": audio.filename or "", **dispatcher.fields(transcript, arrived)}
        )

    add_openai_routes(app, service, dispatcher)
    app.router.routes += ServiceReport(service.health, service.ready, service.drain).routes()
    metrics.READY.set_function(lambda: float(service.is_ready))
    metrics.QUEUE.set_function(lambda: float(service.batcher.waiting if service.batcher else 0))
    metrics.INSIDE.set_function(lambda: float(service.inside))

    @app.exception_handler(Refusal)
    async def refusal(request: Request, error: Refusal) -> JSONResponse:
        return _error(request, error.status, error.code, error.detail)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return _error(request, 422, "invalid", f"{_where(first['loc'][1:])}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = "too_large" if error.status_code == 413 else "http"
        return _error(request, error.status_code, code, str(error.detail))

    return app


async def _read(request: Request) -> WhisperRequest:
    """The body of `POST /whisper`. Raises Refusal."""
    try:
        content = await request.body()
    except ClientDisconnect:
        raise Refusal(CLIENT_GONE, "client_gone", "the client hung up") from None
    if not content:
        raise Refusal(422, "invalid", "the body is empty")
    try:
        return WhisperRequest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Refusal(400, "not_json", f"the body is no JSON: {first['ctx']['error']}") from None
        raise Refusal(422, "invalid", f"{_where(first['loc'])}: {first['msg']}") from None


def _audio_of(body: WhisperRequest) -> bytes:
    """The file inside the body. Raises Refusal."""
    try:
        # the newlines that base64 tools write into long texts are no fault
        text = "".join(body.audio.split()) if "\n" in body.audio else body.audio
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, "not_base64", f"audio is no base64: {error}") from None


def _where(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path) or "body"


def _error(request: Request, status: int, code: str, detail: str) -> JSONResponse:
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(error_body(request.url.path, status, code, detail), status, headers)
