"""What a back part answers its front parts, behind the key: who has changed, a conversation as it is, a question.

A front part (`back_part.py` is the other end) holds pages and sockets and nothing else. It is told of each change by
one stream, reads what it shows here, and puts questions here; all of that may be asked again at any moment.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from observability.rate import Rate
from text_service.bodies import body_of
from text_service.conversation import TextConversation
from text_service.refusals import Reference, Unfit, client_of, query_of
from text_service.service import QueryAsked, TextService, busy_while_away

CHANGES: Final = "/api/text/changes"
CONVERSATION: Final = "/api/text/conversation"
QUESTION: Final = "/api/text/question"
OPENED: Final = "/api/text/opened"
BEAT_S: Final = 5.0
"""So often a front part is told that the stream still goes."""


class QuestionBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/question`: a query as a browser sent it."""

    client_id: str
    query: str
    ref: Reference
    flow: str = ""


class OpenedBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/opened`: who opens a link, and its secret."""

    client_id: str
    link: Annotated[str, Meta(max_length=64)]


class ForFronts:
    """The endpoints. How often an address may ask is told where its address is known: at the front part."""

    def __init__(self, service: TextService) -> None:
        self._service = service
        self._rate = Rate(service.settings.text_client_rate)

    async def changes(self, _: Request) -> Response:
        """`GET`: server-sent events, each the id of a client whose conversation has changed."""
        self._refuse_draining()
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncGenerator[bytes]:
        with self._service.watchers.feed() as feed:
            yield b": here\n\n"
            while not self._service.drain.is_draining:
                changed = await feed.next(BEAT_S)
                if changed is None:
                    return
                yield b"".join(f"data: {client_id}\n\n".encode() for client_id in changed) or b": here\n\n"

    async def conversation(self, request: Request) -> Response:
        """`GET .../{client_id}`: what is shown of a conversation, as it is kept; 404 where nothing is known."""
        client_id = client_of(request.path_params["client_id"])
        with busy_while_away():
            now = await self._service.conversation(client_id)
        if now is None:
            raise Unfit(404, "unknown_client", "nothing is known of this client")
        return Response(msgspec.json.encode(shown_part(now)), media_type="application/json")

    async def question(self, request: Request) -> Response:
        """`POST`: `{message_id}` of the query, which is empty while the one before has no answer."""
        body: QuestionBody = await body_of(request, QuestionBody)
        client_id, text = client_of(body.client_id), query_of(body.query)
        if body.flow and not await self._service.has_flow(body.flow):
            raise Unfit(422, "invalid_input", "no such flow")
        self._refuse_draining()
        with busy_while_away():
            now = await self._service.conversation(client_id)
        if now is not None and body.ref and (known := now.message_of(body.ref)):
            return JSONResponse({"message_id": known})
        if wait_s := self._rate.wait_s(client_id, time.monotonic()):
            raise Unfit(429, "too_many_requests", "too many queries", wait_s)
        message_id = await self._service.put_question(client_id, QueryAsked(text, body.flow, body.ref))
        if message_id:
            self._rate.count(client_id, time.monotonic())
            await self._service.watchers.tell(client_id)
        return JSONResponse({"message_id": message_id})

    async def opened(self, request: Request) -> Response:
        """`POST`: 204 when what a link leads to has begun, now or before, for this client."""
        body: OpenedBody = await body_of(request, OpenedBody)
        self._refuse_draining()
        await self._service.open_link(client_of(body.client_id), body.link)
        return Response(status_code=204)

    def _refuse_draining(self) -> None:
        if self._service.drain.is_draining:
            raise Unfit(503, "busy", "the service is stopping", 1)


def shown_part(now: TextConversation) -> TextConversation:
    """A conversation without what no browser is shown: what others are told, ratings, what was understood."""
    nothing: dict[str, Any] = {"ratings": {}, "outgoing": (), "refs": (), "said": (), "known": (), "calls": ()}
    return replace(now, **nothing, number="", facts={})
