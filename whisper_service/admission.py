"""Decides before a request's body is read whether it may come in: ready, room inside, content type, size.

An ASGI layer around the application. Under overload the refusal costs no parsing, so it comes at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_service import metrics
from whisper_service.service import Service

CONTENT_TYPES: Final[Mapping[str, str]] = {
    "/whisper": "application/json",
    "/transcribe": "multipart/form-data",
    "/v1/audio/transcriptions": "multipart/form-data",
}


class Admission:
    """Lets requests through to `app`, or answers them itself."""

    def __init__(self, app: ASGIApp, service: Service, max_body_bytes: int) -> None:
        self._app = app
        self._service = service
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        wanted = CONTENT_TYPES.get(scope["path"]) if scope["type"] == "http" else None
        if wanted is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(dict(scope["headers"]), wanted)
        if refusal:
            status, code, detail = refusal
            metrics.REQUESTS.labels(scope["path"], code).inc()
            await refuse(scope, send, status, code, detail)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._max_body_bytes:
                metrics.REQUESTS.labels(scope["path"], "too_large").inc()
                # the application answers these itself; any other exception it takes for a body that it cannot parse
                raise HTTPException(413, self._limit_text())
            return message

        await self._app(scope, counted, send)

    def _refusal(self, headers: Mapping[bytes, bytes], wanted: str) -> tuple[int, str, str] | None:
        transcriber = self._service.transcriber
        sickness = self._service.sickness()
        if transcriber is None or sickness:
            return 503, "not_ready", sickness or self._service.reason
        content_type = headers.get(b"content-type", b"").decode("latin-1").split(";")[0].strip().lower()
        if content_type != wanted:
            return 415, "content_type", f"the content type must be {wanted}, not {content_type or 'missing'}"
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._max_body_bytes:
            return 413, "too_large", self._limit_text()
        if transcriber.is_full:
            return 503, "busy", "as many requests are inside as can be answered in time"
        return None

    def _limit_text(self) -> str:
        return f"the body is larger than {self._max_body_bytes} bytes"


async def refuse(scope: Scope, send: Send, status: int, code: str, detail: str) -> None:
    """Sends an error in the shape that the path's clients expect."""
    body = json.dumps(error_body(scope["path"], status, code, detail)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def error_body(path: str, status: int, code: str, detail: str) -> dict[str, object]:
    """`{"error": code, "detail": text}`, or OpenAI's nested form under /v1/."""
    if path.startswith("/v1/"):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return {"error": {"message": detail, "type": kind, "param": None, "code": code}}
    return {"error": code, "detail": detail}
