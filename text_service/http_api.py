"""The HTTP side: queries and their answers, the history, ratings, and the state of the service, below `/api/text/`.

An answer comes whole, or as server-sent events (`stream`): `delta` for each thing that is said, `answer` at the end.
Errors are `{"error": code, "detail": text}`.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import forms
from config import TextSettings
from observability.endpoints import ServiceReport
from observability.gate import Gate
from text_service import metrics
from text_service.conversation import Rating, TextMessage
from text_service.limits import Limits
from text_service.service import NoAnswer, TextAnswer, TextBusy, TextService, UnknownMessage

log = logging.getLogger("text_service")

MAX_BODY_BYTES: Final = 16 * 1024
MAX_QUERY: Final = 2_000
CLIENT: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class QueryBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/query`. `ref` makes a query idempotent: sent again, it is not asked again."""

    client_id: str
    query: str
    flow: str = ""
    stream: bool = False
    ref: Annotated[str, Meta(max_length=64)] = ""


class FeedbackBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/feedback`."""

    client_id: str
    message_id: Annotated[str, Meta(max_length=200)]
    rating: Literal["up", "down"] | Annotated[int, Meta(ge=1, le=5)]
    comment: Annotated[str, Meta(max_length=1_000)] = ""


class Unfit(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, detail: str, retry_after_s: int = 0) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after_s = status, code, detail, retry_after_s


def create_app(service: TextService, report: ServiceReport) -> Starlette:
    """The application of one service."""
    api = _Api(service, service.settings)
    routes = [
        Route("/api/text/query", _guarded(api.query), methods=["POST"]),
        Route("/api/text/history/{client_id}", _guarded(api.history), methods=["GET", "DELETE"]),
        Route("/api/text/feedback", _guarded(api.feedback), methods=["POST"]),
        Route("/api/text/status", _guarded(api.status)),
        *report.routes(),
    ]
    key = service.settings.text_api_key or service.settings.pronto_token
    app = Starlette(routes=routes, middleware=[Middleware(Gate, token=key, max_body_bytes=MAX_BODY_BYTES)])
    app.router.redirect_slashes = False
    return app


class _Api:
    """The endpoints."""

    def __init__(self, service: TextService, settings: TextSettings) -> None:
        self._service = service
        self._settings = settings
        self._limits = Limits(settings.text_client_rate, settings.text_address_rate)
        self._began_s = time.monotonic()

    async def query(self, request: Request) -> Response:
        """`POST /api/text/query`."""
        body = await _read(request, QueryBody)
        _client(body.client_id)
        text = clean(body.query)
        if not text:
            raise Unfit(422, "invalid_input", "query is empty")
        if len(text) > MAX_QUERY:
            raise Unfit(413, "query_too_long", f"query has more than {MAX_QUERY} characters")
        if body.flow and not self._is_flow(body.flow):
            raise Unfit(422, "invalid_input", f"no flow {body.flow!r}"[:120])
        address = request.client.host if request.client else ""
        if wait_s := self._limits.wait_s(body.client_id, address, time.monotonic()):
            raise Unfit(429, "too_many_requests", "too many queries", wait_s)
        if self._service.drain.is_draining:
            raise Unfit(503, "busy", "the service is stopping", 1)
        parts = self._service.ask(body.client_id, text, body.flow, body.ref)
        if body.stream:
            return StreamingResponse(_events(parts, body.client_id), media_type="text/event-stream")
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, TextAnswer):
                    return JSONResponse(shown_answer(part, body.client_id))
        raise Unfit(504, "model_timeout", "no answer")

    async def history(self, request: Request) -> Response:
        """`GET` and `DELETE /api/text/history/{client_id}`."""
        client_id = _client(request.path_params["client_id"])
        if request.method == "DELETE":
            await self._service.forget(client_id)
            return Response(status_code=204)
        limit = request.query_params.get("limit", "200")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= 200):
            raise Unfit(422, "invalid_input", "limit must be from 1 to 200")
        messages = await self._service.history(client_id, int(limit))
        if messages is None:
            raise Unfit(404, "unknown_client", "nothing is known of this client")
        return JSONResponse({"client_id": client_id, "messages": [shown_message(one) for one in messages]})

    async def feedback(self, request: Request) -> Response:
        """`POST /api/text/feedback`."""
        body = await _read(request, FeedbackBody)
        rating = Rating(str(body.rating), clean(body.comment), time.time())
        try:
            await self._service.rate(_client(body.client_id), body.message_id, rating)
        except UnknownMessage:
            raise Unfit(404, "unknown_message", "this client was given no such answer") from None
        metrics.FEEDBACK.labels(rating.rating).inc()
        return Response(status_code=204)

    async def status(self, _: Request) -> Response:
        """`GET /api/text/status`."""
        parts = await self._service.parts()
        worst = max(parts.values(), key=("ok", "degraded", "down").index)
        body = {
            "status": worst,
            **parts,
            "conversations": await self._service.going_on(),
            "uptime_s": round(time.monotonic() - self._began_s),
        }
        return JSONResponse(body)

    def _is_flow(self, name: str) -> bool:
        return forms.is_flow(name) and (self._settings.flows_dir / f"{name}.yaml").is_file()


def clean(text: str) -> str:
    """What was written, without control characters and the blanks around it."""
    return _CONTROL.sub(" ", text).strip()


def shown_message(message: TextMessage) -> dict[str, Any]:
    """A message of the history."""
    shown = {"id": message.id, "role": message.role, "content": message.content, "at": round(message.at, 3)}
    return {**shown, "answered_by": message.answered_by} if message.answered_by else shown


def shown_answer(answer: TextAnswer, client_id: str) -> dict[str, Any]:
    """The whole answer to a query."""
    return {
        "client_id": client_id,
        "message_id": answer.messages[-1].id if answer.messages else answer.message_id,
        "response": "\n".join(message.content for message in answer.messages),
        "cached": False,
        "elapsed_ms": answer.elapsed_ms,
        "model": "flow",
        "ended": answer.ended,
    }


async def _events(parts: AsyncGenerator[TextMessage | TextAnswer], client_id: str) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, TextAnswer):
                    yield _event("answer", shown_answer(part, client_id))
                else:
                    yield _event("delta", {"message_id": part.id, "text": part.content})
    except (NoAnswer, TextBusy) as error:
        refused = _refusal(error)
        yield _event("error", {"error": refused.code, "detail": refused.detail})


def _event(kind: str, body: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: ".encode() + msgspec.json.encode(body) + b"\n\n"


def _refusal(error: NoAnswer | TextBusy) -> Unfit:
    if isinstance(error, NoAnswer):
        return Unfit(504, "model_timeout", str(error))
    return Unfit(503, "busy", str(error), 1)


def _client(client_id: str) -> str:
    if not CLIENT.fullmatch(client_id):
        raise Unfit(422, "invalid_input", "client_id must be 8 to 64 letters, digits, - and _")
    return client_id


async def _read(request: Request, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except ClientDisconnect:
        raise Unfit(499, "client_gone", "the client hung up") from None
    except msgspec.ValidationError as error:
        raise Unfit(422, "invalid_input", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unfit(422, "invalid_input", f"no JSON: {error}") from None


def _guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        path = request.url.path.removeprefix("/api/text/").partition("/")[0]
        try:
            response = await endpoint(request)
        except (Unfit, NoAnswer, TextBusy) as error:
            refused = error if isinstance(error, Unfit) else _refusal(error)
            metrics.REQUESTS.labels(path, refused.code).inc()
            headers = {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else None
            return JSONResponse({"error": refused.code, "detail": refused.detail}, refused.status, headers)
        metrics.REQUESTS.labels(path, "ok").inc()
        return response

    return answered
