"""The HTTP side: queries and their answers, the history, ratings, and the state of the service, below `/api/text/`.

An answer comes whole, or as server-sent events (`stream`): `delta` for each thing that is said, `answer` at the end.
Errors are `{"error": code, "detail": text}`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from config import origins_of
from observability.endpoints import ServiceReport
from observability.gate import Gate
from observability.pages import routes as page_routes
from protocol.signatures import HEADER, is_ours
from text_service import metrics, pages
from text_service.bodies import body_of
from text_service.conversation import Rating, TextMessage
from text_service.diagnostics import counted
from text_service.flow_notes import flow_names
from text_service.for_fronts import CHANGES, CONVERSATION, OPENED, QUESTION, ForFronts
from text_service.frames import shown_answer, shown_message
from text_service.handover import FromPerson
from text_service.limits import Limits
from text_service.links import LinkBody
from text_service.refusals import (
    MAX_BODY_BYTES,
    Comment,
    MessageId,
    RatingValue,
    Reference,
    Unfit,
    clean,
    client_of,
    query_of,
    read,
)
from text_service.service import NoAnswer, QueryAsked, TextAnswer, TextBusy, TextService, UnknownMessage
from text_service.sockets import SOCKETS, Sockets
from text_service.voice_audio import AUDIO, VoiceAudio
from text_service.voice_process import PROCESS, VoiceProcess

log = logging.getLogger("text_service")


class QueryBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/query`. `ref` makes a query idempotent: sent again, it is not asked again."""

    client_id: str
    query: str
    flow: str = ""
    stream: bool = False
    ref: Reference = ""


class FeedbackBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/feedback`."""

    client_id: str
    message_id: MessageId
    rating: RatingValue
    comment: Comment = ""


HANDOVER: Final = "/api/text/handover"
PUBLIC: Final = (SOCKETS, *pages.CHAT)
"""Paths that pages of other web sites may open, where some may."""


def create_app(service: TextService, report: ServiceReport) -> Starlette:
    """The application of one service."""
    settings = service.settings
    limits = Limits(settings.text_client_rate, settings.text_address_rate)
    origins = origins_of(settings.text_origins)
    sockets = Sockets(service, limits)
    api = _Api(service, sockets, limits)
    fronts = ForFronts(service)
    routes = [
        Route("/api/text/query", _guarded(api.query), methods=["POST"]),
        Route("/api/text/history/{client_id}", _guarded(api.history), methods=["GET", "DELETE"]),
        Route("/api/text/feedback", _guarded(api.feedback), methods=["POST"]),
        Route("/api/text/status", _guarded(api.status)),
        Route("/api/text/diagnostics", _guarded(api.diagnostics)),
        Route(HANDOVER, _guarded(api.from_person), methods=["POST"]),
        Route("/api/text/flows", _guarded(api.flows)),
        Route(PROCESS, _guarded(VoiceProcess(service).process), methods=["POST"]),
        Route(CHANGES, _guarded(fronts.changes)),
        Route(CONVERSATION + "/{client_id}", _guarded(fronts.conversation)),
        Route(QUESTION, _guarded(fronts.question), methods=["POST"]),
        Route(OPENED, _guarded(fronts.opened), methods=["POST"]),
        Route("/api/text/links", _guarded(api.links), methods=["POST"]),
        Route(AUDIO, _guarded(VoiceAudio(service).fetch)),
        WebSocketRoute(SOCKETS, sockets.serve),
        *page_routes(origins, {**pages.CHAT, **pages.TRY}),
        *report.routes(),
    ]
    key = settings.text_api_key or settings.pronto_token
    signed = {HANDOVER} if settings.text_handover_url else set()
    public = {*pages.TRY, *signed, *(PUBLIC if origins else ())}
    gate = Middleware(Gate, token=key, max_body_bytes=MAX_BODY_BYTES, public=public, origins=origins)
    app = Starlette(routes=routes, middleware=[gate])
    app.router.redirect_slashes = False
    return app


class _Api:
    """The endpoints."""

    def __init__(self, service: TextService, sockets: Sockets, limits: Limits) -> None:
        self._service = service
        self._sockets = sockets
        self._limits = limits

    async def query(self, request: Request) -> Response:
        """`POST /api/text/query`."""
        body = await body_of(request, QueryBody)
        client_of(body.client_id)
        text = query_of(body.query)
        if body.flow and not await self._service.has_flow(body.flow):
            raise Unfit(422, "invalid_input", f"no flow {body.flow!r}"[:120])
        address = request.client.host if request.client else ""
        if wait_s := self._limits.wait_s(body.client_id, address, time.monotonic()):
            raise Unfit(429, "too_many_requests", "too many queries", wait_s)
        if self._service.drain.is_draining:
            raise Unfit(503, "busy", "the service is stopping", 1)
        parts = self._service.ask(body.client_id, QueryAsked(text, body.flow, body.ref))
        if body.stream:
            return StreamingResponse(_events(parts, body.client_id), media_type="text/event-stream")
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, TextAnswer):
                    return JSONResponse(_answer(part, body.client_id))
        raise Unfit(504, "model_timeout", "no answer")

    async def history(self, request: Request) -> Response:
        """`GET` and `DELETE /api/text/history/{client_id}`."""
        client_id = client_of(request.path_params["client_id"])
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
        body = await body_of(request, FeedbackBody)
        rating = Rating(str(body.rating), clean(body.comment), time.time())
        try:
            await self._service.rate(client_of(body.client_id), body.message_id, rating)
        except UnknownMessage:
            raise Unfit(404, "unknown_message", "this client was given no such answer") from None
        metrics.FEEDBACK.labels(rating.rating).inc()
        return Response(status_code=204)

    async def status(self, _: Request) -> Response:
        """`GET /api/text/status`."""
        await self._service.look_at_parts()
        body = {
            **self._service.parts.shown(),
            "conversations": await self._service.going_on(),
            "clients_connected": self._sockets.count,
        }
        return JSONResponse(body)

    async def from_person(self, request: Request) -> Response:
        """`POST /api/text/handover`: signed by the system of the person who has a conversation."""
        secret = self._service.settings.text_handover_secret
        data = await request.body()
        header = request.headers.get(HEADER, "")
        if not secret or not is_ours(secret, header, data, time.time()):
            raise Unfit(401, "unauthorised", "the signature is not right, or too old")
        told: FromPerson = read(data, FromPerson)
        if told.type == "message" and not clean(told.text):
            raise Unfit(422, "invalid_input", "text is empty")
        try:
            await self._service.take_from_person(told)
        except UnknownMessage:
            raise Unfit(404, "unknown_conversation", "no person has such a conversation") from None
        return Response(status_code=204)

    async def links(self, request: Request) -> Response:
        """`POST /api/text/links`: for flows, whose callers ask to go on in writing."""
        address, within_s = await self._service.make_link(await body_of(request, LinkBody))
        return JSONResponse({"link": address, "expires_s": within_s})

    async def flows(self, _: Request) -> Response:
        """`GET /api/text/flows`: their names, for `/try`."""
        settings = self._service.settings
        return JSONResponse({"flows": flow_names(settings.flows_dir), "default": settings.default_flow})

    async def diagnostics(self, _: Request) -> Response:
        """`GET /api/text/diagnostics`."""
        body = {
            **self._service.timings.summary(time.monotonic()),
            **counted(),
            "sockets": self._sockets.count,
            "waiting": self._service.inside,
            "conversations": await self._service.going_on(),
        }
        return JSONResponse(body)


def _answer(answer: TextAnswer, client_id: str) -> dict[str, Any]:
    return shown_answer(answer.messages, answer.message_id, answer.ended, answer.elapsed_ms, client_id)


async def _events(parts: AsyncGenerator[TextMessage | TextAnswer], client_id: str) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, TextAnswer):
                    yield _event("answer", _answer(part, client_id))
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


def _guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        path = request.url.path.removeprefix("/api/").removeprefix("text/").partition("/")[0]
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
