"""OpenAI's endpoints: `/v1/audio/transcriptions`, and `/v1/models`, which its clients ask first.

What is not offered is refused in words (400), never left out in silence. Any name of a model is taken, for there is
one. Who names no language wants it detected, as OpenAI does; detection costs a second pass.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse

from whisper_service.dispatcher import Dispatcher, Refusal
from whisper_service.languages import AUTO, MAX_CHARS
from whisper_service.service import Service
from whisper_service.transcriber import Transcript

FORMATS: Final = ("json", "text", "verbose_json")
NOT_OFFERED: Final[Mapping[str, str]] = {
    "languages": "languages: name one in `language`, or none to have it detected",
    "include": "include: log-probabilities are in the segments of verbose_json only",
    "known_speaker_names": "known_speaker_names: speakers are not told apart",
    "known_speaker_references": "known_speaker_references: speakers are not told apart",
}
"""Fields of OpenAI's API whose effect would be missed. (`chunking_strategy` has none: an utterance is heard whole.)"""


def add_openai_routes(app: FastAPI, service: Service, dispatcher: Dispatcher) -> None:
    """Adds the routes to the application."""
    created = int(time.time())

    def model() -> dict[str, Any]:
        return {"id": service.model_name, "object": "model", "created": created, "owned_by": "pronto"}

    @app.get("/v1/models")
    async def models() -> JSONResponse:
        return JSONResponse({"object": "list", "data": [model()]})

    @app.get("/v1/models/{name:path}")
    async def one_model(name: str) -> JSONResponse:
        if name != service.model_name:
            raise Refusal(404, "model_not_found", f"there is no model {name!r} here; there is {service.model_name!r}")
        return JSONResponse(model())

    @app.post("/v1/audio/transcriptions")
    async def transcriptions(
        request: Request,
        file: Annotated[UploadFile, File()],
        model: Annotated[str, Form(min_length=1, max_length=200)],
        language: Annotated[str, Form(max_length=MAX_CHARS)] = AUTO,
        prompt: Annotated[str, Form(max_length=2_000)] = "",
        response_format: Annotated[str, Form()] = "json",
        temperature: Annotated[float, Form(ge=0, le=1)] = 0.0,
        stream: Annotated[bool, Form()] = False,
        keywords: Annotated[list[str] | None, Form(alias="keywords[]", max_length=64)] = None,
    ) -> Response:
        arrived = time.monotonic()
        if response_format not in FORMATS:
            raise Refusal(
                400, "response_format", f"response_format {response_format!r}: {', '.join(FORMATS)} are known"
            )
        if stream:
            raise Refusal(400, "stream", "an utterance is answered whole; stream is not offered")
        refuse_what_is_not_offered([(name, str(value)) for name, value in (await request.form()).multi_items()])
        hints = [hint for hint in (prompt, *(keywords or ())) if hint.strip()]
        transcript = await dispatcher.answer(request, arrived, await file.read(), language, hints, None, temperature)
        if response_format == "text":
            return PlainTextResponse(transcript.text + "\n")
        return JSONResponse(verbose(transcript) if response_format == "verbose_json" else {"text": transcript.text})


def refuse_what_is_not_offered(fields: list[tuple[str, str]]) -> None:
    """Raises Refusal for a form whose fields ask for what cannot be given."""
    for name, value in fields:
        key = name.removesuffix("[]")
        if key in NOT_OFFERED:
            raise Refusal(400, key, NOT_OFFERED[key])
        if key == "timestamp_granularities" and value != "segment":
            raise Refusal(400, key, f"timestamp_granularities {value!r}: words have no times here; segment is known")


def verbose(transcript: Transcript) -> dict[str, Any]:
    """OpenAI's `verbose_json`: one segment, the utterance."""
    decoded = transcript.decoded
    segments = []
    if decoded and transcript.text:
        segments.append(
            {
                "id": 0,
                "seek": 0,
                "start": 0.0,
                "end": round(transcript.duration_s, 3),
                "text": transcript.text,
                "tokens": list(decoded.tokens),
                "temperature": 0.0,
                "avg_logprob": decoded.avg_logprob,
                "compression_ratio": decoded.compression_ratio,
                "no_speech_prob": decoded.no_speech_prob,
            }
        )
    return {
        "task": "transcribe",
        "language": transcript.language,
        "duration": round(transcript.duration_s, 3),
        "text": transcript.text,
        "segments": segments,
    }
