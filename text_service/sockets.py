"""WebSockets of `/ws/text`: each shows one client's conversation, from where its browser knows it, as it goes on.

A socket holds nothing that is worth anything: what was written stands in the store, and what its browser has is told
with `hello`. So one that breaks off at any moment is carried on by the next one, in this process or another.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from redis.exceptions import RedisError
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from config import TextSettings
from observability.drain import Drain
from observability.gate import TRUSTED
from observability.lifecycle import cancel_all
from text_service import metrics
from text_service.conversation import Rating, TextConversation
from text_service.frames import (
    MOST_WAITING,
    CancelFrame,
    FeedbackFrame,
    ForgetFrame,
    Frame,
    HelloFrame,
    PingFrame,
    QueryFrame,
    TypingFrame,
    frame_of,
    frame_text,
    missed,
    shown_answer,
    shown_message,
    welcome,
)
from text_service.limits import Limits
from text_service.refusals import Unfit, clean, client_of, query_of
from text_service.service import QUIET_S, QueryAsked, TextBusy, UnknownMessage, busy_while_away
from text_service.watching import Watched, Watchers

log = logging.getLogger("text_service")

SOCKETS: Final = "/ws/text"
HELLO_S: Final = 10.0
"""A browser that opens a socket and says nothing is hung up on."""
FRAMES: Final = 100
FRAMES_S: Final = 10.0
"""More frames in so long a time are a flood."""
WEB: Final = "web_"
"""How clients begin that this service made: the only ones that a page without the key may name."""
AWAY_S: Final = 2.0
"""A browser is told that the conversations are away when they are for so long."""
POLICY, RESTART = 1008, 1012
"""Codes of the closing (RFC 6455, 7.4): too many frames or no hello; the service stops."""


class Conversations(Protocol):
    """What sockets need: a TextService, or a BackPart that asks one over HTTP."""

    settings: TextSettings
    drain: Drain
    watchers: Watchers
    answer_s: float
    """Longest wait for an answer."""
    inside: int
    """Queries that wait for their answers."""

    async def conversation(self, client_id: str) -> TextConversation | None:
        """As it is now. Raises RedisError and OSError while it is away."""

    async def put_question(self, client_id: str, asked: QueryAsked) -> str:
        """The id of the query; empty while the one before has no answer. Raises Unfit and TextBusy."""

    async def open_link(self, client_id: str, secret: str) -> None:
        """Raises Unfit and TextBusy."""

    async def rate(self, client_id: str, message_id: str, rating: Rating) -> None:
        """Raises UnknownMessage, Unfit and TextBusy."""

    async def forget(self, client_id: str) -> None:
        """Raises TextBusy."""

    async def has_flow(self, name: str) -> bool:
        """Whether there is such a flow."""

    def answered(self, first_s: float, whole_s: float) -> None:
        """A query was answered."""

    def too_late(self) -> None:
        """A query had no answer in time."""


@dataclass
class _Waiting:
    """A query that waits for the ones before, and since when."""

    frame: QueryFrame
    since_s: float


def new_client_id() -> str:
    """A secret of 128 bits."""
    return WEB + secrets.token_hex(16)


class Sockets:
    """All sockets of the service."""

    def __init__(self, service: Conversations, limits: Limits) -> None:
        self._service = service
        self._limits = limits
        self._of_address: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._of_address.total()

    async def serve(self, web_socket: WebSocket) -> None:
        """Serves one, from its opening to its end."""
        address = web_socket.client.host if web_socket.client else ""
        settings = self._service.settings
        if self._service.drain.is_draining or self.count >= settings.text_sockets:
            await _turn_away(web_socket, 503, "busy", "too many connections, or the service is stopping")
            return
        if self._of_address[address] >= settings.text_address_sockets:
            await _turn_away(web_socket, 429, "too_many_requests", "too many connections of this address")
            return
        self._of_address[address] += 1
        metrics.SOCKETS.set(self.count)
        try:
            await web_socket.accept()
            await _Socket(web_socket, self._service, self._limits, address).run()
        except (WebSocketDisconnect, OSError):
            pass  # the browser is gone
        finally:
            self._of_address[address] -= 1
            self._of_address += Counter()  # without the zeros
            metrics.SOCKETS.set(self.count)


class _Socket:
    """One connection."""

    def __init__(self, web_socket: WebSocket, service: Conversations, limits: Limits, address: str) -> None:
        self._web_socket = web_socket
        self._service = service
        self._limits = limits
        self._address = address
        self._turn = asyncio.Lock()
        """Held while something is read from the store and shown, so that frames keep the order of the messages."""
        self._client_id = ""
        self._flow = ""
        self._shown = ""
        self._is_known = False
        self._has_person = False
        self._away_since_s = 0.0
        """Since when the conversations are away; 0 while they are there."""
        self._told_away = False
        self._waiting: deque[_Waiting] = deque()
        self._comes = asyncio.Event()
        self._asked: dict[str, tuple[str, float]] = {}
        """Queries without an answer, by their ids: (reference, when they were asked)."""
        self._own: dict[str, str] = {}
        """Queries of this socket whose reference is still to be told, by their ids."""
        self._frames: deque[float] = deque(maxlen=FRAMES)

    async def run(self) -> None:
        """Serves until the browser goes. Raises WebSocketDisconnect."""
        try:
            async with asyncio.timeout(HELLO_S):
                while not (hello := await self._hello()):
                    pass
        except TimeoutError:
            await self._web_socket.close(POLICY)
            return
        async with self._service.watchers.watched(self._client_id) as client:
            tasks = [asyncio.create_task(one) for one in (self._read(), self._ask(client), self._follow(client, hello))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancel_all(*(task for task in tasks if not task.done()))
                for message_id in list(self._asked):
                    self._answered(message_id)
            errors = [error for task in tasks if not task.cancelled() and (error := task.exception()) is not None]
            for error in sorted(errors, key=lambda error: isinstance(error, WebSocketDisconnect)):
                raise error  # a fault of ours rather than that the browser is gone

    # --- what the browser sends ---

    async def _hello(self) -> HelloFrame | None:
        frame = await self._next()
        try:
            if not isinstance(frame, HelloFrame):
                raise Unfit(422, "invalid_input", "the first frame is hello")
            if frame.client_id:
                client_of(frame.client_id)
                if not self._web_socket.scope.get(TRUSTED) and not frame.client_id.startswith(WEB):
                    raise Unfit(404, "unknown_client", "this client was not made here")
            if frame.flow and not await self._service.has_flow(frame.flow):
                raise Unfit(422, "invalid_input", "no such flow")
        except Unfit as error:
            await self._refuse(error)
            return None
        self._client_id = frame.client_id or new_client_id()
        self._flow = frame.flow
        if frame.link:
            await self._open_link(frame.link)
        return frame

    async def _open_link(self, link: str) -> None:
        """One that leads nowhere is told; the conversation is there without it."""
        try:
            await self._service.open_link(self._client_id, link)
        except Unfit as error:
            await self._refuse(error)
        except TextBusy as error:
            raise WebSocketDisconnect(RESTART) from error  # the browser opens it again

    async def _next(self) -> Frame:
        """The next frame that is one; what is none is refused, and the connection stays."""
        while True:
            message: Mapping[str, Any] = await self._web_socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            now_s = time.monotonic()
            if len(self._frames) == FRAMES and now_s - self._frames[0] < FRAMES_S:
                await self._refuse(Unfit(429, "too_many_requests", "too many frames", round(FRAMES_S)))
                await self._web_socket.close(POLICY)
                raise WebSocketDisconnect(POLICY)
            self._frames.append(now_s)
            try:
                return frame_of(message["bytes"] if message.get("text") is None else message["text"])
            except Unfit as error:
                await self._refuse(error)

    async def _read(self) -> None:
        while True:
            frame = await self._next()
            try:
                await self._take(frame)
            except Unfit as error:
                await self._refuse(error, getattr(frame, "ref", ""))
            except TextBusy as error:
                await self._refuse(Unfit(503, "busy", str(error), 1), getattr(frame, "ref", ""))
            else:
                metrics.REQUESTS.labels(f"ws_{type(frame).__struct_config__.tag}", "ok").inc()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case QueryFrame():
                self._take_query(frame)
            case CancelFrame(ref=ref):
                kept = deque(one for one in self._waiting if one.frame.ref != ref)
                if len(kept) == len(self._waiting):
                    raise Unfit(409, "too_late", "no query that waits has this reference")
                self._waiting = kept
                await self._send("cancelled", ref=ref)
            case FeedbackFrame(message_id=message_id):
                rating = Rating(str(frame.rating), clean(frame.comment), time.time())
                try:
                    await self._service.rate(self._client_id, message_id, rating)
                except UnknownMessage:
                    raise Unfit(404, "unknown_message", "this client was given no such answer") from None
                metrics.FEEDBACK.labels(rating.rating).inc()
                await self._send("thanks", message_id=message_id)
            case ForgetFrame():
                await self._service.forget(self._client_id)
            case PingFrame():
                await self._send("pong")
            case TypingFrame():
                pass  # nothing is timed by it
            case HelloFrame():
                raise Unfit(422, "invalid_input", "hello was said already")

    def _take_query(self, frame: QueryFrame) -> None:
        frame.query = query_of(frame.query)
        if self._service.drain.is_draining:
            raise Unfit(503, "busy", "the service is stopping", 1)
        if len(self._waiting) >= MOST_WAITING:
            raise Unfit(503, "busy", "too many queries wait", 1)
        if wait_s := self._limits.wait_s(self._client_id, self._address, time.monotonic()):
            raise Unfit(429, "too_many_requests", "too many queries", wait_s)
        self._waiting.append(_Waiting(frame, time.monotonic()))
        self._comes.set()

    # --- what the browser is sent ---

    async def _ask(self, client: Watched) -> None:
        """Asks what waits, one after the other."""
        while True:
            await self._comes.wait()
            self._comes.clear()
            while self._waiting:
                seen, began_s = client.changes, time.monotonic()
                try:
                    is_asked = await self._ask_first()
                except TextBusy:
                    await self._are_away(began_s)
                    await self._give_up()
                    await asyncio.sleep(QUIET_S)
                else:
                    if not is_asked:
                        await client.changed_since(seen)

    async def _ask_first(self) -> bool:
        """False while the query before has no answer. Raises TextBusy."""
        async with self._turn:
            if not self._waiting:
                return True
            frame = self._waiting[0].frame
            asked = QueryAsked(frame.query, self._flow, frame.ref)
            try:
                message_id = await self._service.put_question(self._client_id, asked)
            except Unfit as error:  # a back part knows more of what fits than this process
                self._waiting.popleft()
                await self._refuse(error, frame.ref)
                return True
            if not message_id:
                return False
            self._waiting.popleft()
            self._own[message_id] = frame.ref
            self._answered(message_id)
            self._asked[message_id] = (frame.ref, time.monotonic())
            self._service.inside += 1
            with busy_while_away():
                await self._show(await self._service.conversation(self._client_id))
        await self._service.watchers.tell(self._client_id)
        return True

    async def _follow(self, client: Watched, hello: HelloFrame) -> None:
        """Shows what the conversation comes to, until the service stops."""
        is_welcome = False
        while not (self._service.drain.is_draining and not self._asked):
            seen = client.changes
            try:
                async with self._turn:
                    began_s = time.monotonic()
                    now = await self._service.conversation(self._client_id)
                    if is_welcome:
                        await self._show(now)
                    else:
                        await self._welcome(now, hello)
                        is_welcome = True
            except (RedisError, OSError) as error:
                log.debug("conversations are away", extra={"error": repr(error)})
                await self._are_away(began_s)
                await asyncio.sleep(QUIET_S)
            else:
                await self._are_there()
                await client.changed_since(seen, self._patience_s())
        await self._send("notice", code="restarting", detail="the service stops: connect again")
        await self._web_socket.close(RESTART)

    async def _are_away(self, since_s: float) -> None:
        """The store, or the back part, does not answer what was asked then: who waits for long is told, once."""
        self._away_since_s = self._away_since_s or since_s
        if time.monotonic() - self._away_since_s >= AWAY_S and not self._told_away:
            self._told_away = True
            await self._send("notice", code="away", detail="nothing can be answered now; what is written waits")
            await self._service.watchers.tell(self._client_id)  # who follows looks until it is there again

    async def _are_there(self) -> None:
        self._away_since_s = 0.0
        if self._told_away:
            self._told_away = False
            await self._send("notice", code="there", detail="what was written is answered again")

    async def _give_up(self) -> None:
        """Refuses what has waited for too long while nothing could be asked."""
        latest_s = time.monotonic() - self._service.answer_s
        while self._waiting and max(self._waiting[0].since_s, self._away_since_s) <= latest_s:
            self._service.too_late()
            ref = self._waiting.popleft().frame.ref
            await self._refuse(Unfit(504, "model_timeout", "nothing could be asked in time"), ref)

    async def _welcome(self, now: TextConversation | None, hello: HelloFrame) -> None:
        self._is_known = now is not None
        now = now or TextConversation(self._client_id)
        await self._send("welcome", **welcome(now, hello.last_message_id, self._service.settings.text_client_rate))
        self._shown = now.messages[-1].id if now.messages else ""
        self._has_person = bool(now.person)

    async def _show(self, now: TextConversation | None) -> None:
        if now is None:
            if self._is_known:
                self._is_known, self._shown = False, ""
                for message_id in list(self._asked):
                    self._answered(message_id)
                await self._send("notice", code="forgotten", detail="what was written is forgotten")
            return
        self._is_known = True
        if self._has_person != bool(now.person):
            self._has_person = bool(now.person)
            code = "person" if now.person else "person_left"
            await self._send("notice", code=code, detail="who the conversation is with has changed")
        for message in missed(now, self._shown):
            if message.role == "assistant":
                await self._send("delta", message_id=message.id, text=message.content)
            elif message.id in self._own:
                await self._accept(message.id)
            else:
                await self._send("message", **shown_message(message))
                await self._send("typing")
            self._shown = message.id
        for message_id in list(self._own):  # asked before: they were shown long ago
            await self._accept(message_id)
        for message_id, (ref, asked_s) in list(self._asked.items()):
            elapsed_s = time.monotonic() - asked_s
            if now.pending != message_id:
                self._answered(message_id)
                answers = now.answers_to(message_id)
                self._service.answered(0.0, elapsed_s)
                ended = "" if message_id.startswith("p-") else now.ended
                answer = shown_answer(answers, message_id, ended, round(elapsed_s * 1_000), self._client_id)
                await self._send("answer", **answer, ref=ref)
            elif elapsed_s >= self._service.answer_s:
                self._answered(message_id)
                self._service.too_late()
                await self._refuse(Unfit(504, "model_timeout", "no answer in time"), ref)

    async def _accept(self, message_id: str) -> None:
        await self._send("accepted", ref=self._own.pop(message_id), message_id=message_id)
        await self._send("typing")

    def _answered(self, message_id: str) -> None:
        if self._asked.pop(message_id, None) is not None:
            self._service.inside -= 1

    def _patience_s(self) -> float | None:
        """How long until the next query has waited for too long."""
        limit_s = self._service.answer_s
        return min((asked_s + limit_s - time.monotonic() for _, asked_s in self._asked.values()), default=None)

    async def _refuse(self, error: Unfit, ref: str = "") -> None:
        metrics.REQUESTS.labels("ws", error.code).inc()
        more = {"ref": ref} if ref else {}
        if error.retry_after_s:
            await self._send("error", code=error.code, detail=error.detail, **more, retry_after_s=error.retry_after_s)
        else:
            await self._send("error", code=error.code, detail=error.detail, **more)

    async def _send(self, kind: str, **fields: Any) -> None:
        await self._web_socket.send_text(frame_text(kind, **fields))


async def _turn_away(web_socket: WebSocket, status: int, code: str, detail: str) -> None:
    metrics.REQUESTS.labels("ws", "too_many_sockets").inc()
    await web_socket.send_denial_response(JSONResponse({"error": code, "detail": detail}, status, {"Retry-After": "5"}))
