"""`POST /api/voice/process`: one utterance in, the whole answer out, with what was understood and where that led.

Another door to the conversations of the text service: a session is a client of its own, with an id that is made here.
What is answered stands in the history too: who goes away meanwhile reads it there, or asks again under the `ref`.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from contextlib import aclosing
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from observability.rate import Rate
from protocol.booking import COMMANDS, intent_of, step_of
from protocol.steady import steady_time
from text_service.bodies import body_of
from text_service.conversation import TextConversation
from text_service.refusals import Reference, Unfit, clean, client_of
from text_service.service import QueryAsked, TextAnswer, TextService, busy_while_away
from text_service.turns import WatchedTurn
from text_service.voice_audio import audio_of

PROCESS: Final = "/api/voice/process"
MAX_TEXT: Final = 500
UNDERSTOOD_S: Final = 2.0
"""So long what was understood is waited for once the answer is there."""


class ProcessBody(Struct, forbid_unknown_fields=True):
    """The body. No `session_id`, or one that is over: a new session."""

    text: str
    session_id: str | None = None
    channel: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,29}$")] = "text"
    ref: Reference = ""


class VoiceProcess:
    """The endpoint, with its own limits: of one client key, from one address."""

    def __init__(self, service: TextService) -> None:
        self._service = service
        self._requests = Rate(service.settings.text_process_rate)
        self._sessions = Rate(service.settings.text_process_sessions)

    async def process(self, request: Request) -> Response:
        """Asks, waits until the bot listens again, and tells all of it. Raises Unfit, NoAnswer, TextBusy."""
        began_s = time.monotonic()
        body: ProcessBody = await body_of(request, ProcessBody)
        text = text_of_utterance(body.text)
        address = request.client.host if request.client else ""
        who = hashlib.sha256(f"{request.headers.get('authorization', '')} {address}".encode()).hexdigest()
        self._counted(self._requests, who, "too many requests")
        flow = self._service.settings.text_process_flow
        if not await self._service.has_flow(flow):
            raise Unfit(503, "no_flow", f"there is no flow {flow}")
        if self._service.drain.is_draining:
            raise Unfit(503, "busy", "the service is stopping", 1)
        session_id = await self._session(body, who)
        asked = QueryAsked(text, flow, body.ref, {"channel": body.channel, "client_address": address})
        answer: TextAnswer | None = None
        async with aclosing(self._service.ask(session_id, asked)) as parts:
            async for part in parts:
                answer = part if isinstance(part, TextAnswer) else answer
        with busy_while_away():
            now = await self._service.conversation(session_id) or TextConversation(session_id)
        understood = await self._service.turns.of(now.call_id, now.asked_turn, bool(now.ended), UNDERSTOOD_S)
        latency_ms = round((time.monotonic() - began_s) * 1_000)
        audio = audio_of(now, answer, bool(self._service.settings.speech_url))
        return JSONResponse(processed(now, answer, understood or WatchedTurn(), latency_ms, audio))

    async def _session(self, body: ProcessBody, who: str) -> str:
        """The session that goes on, or the id of a new one."""
        if body.session_id:
            session_id = client_of(body.session_id)
            with busy_while_away():
                now = await self._service.conversation(session_id)
            if now is not None and ((body.ref and now.message_of(body.ref)) or self._goes_on(now)):
                return session_id
            if now is not None and now.goes_on:
                await self._service.leave(session_id)
        self._counted(self._sessions, who, "too many new sessions")
        return str(uuid.uuid4())

    def _goes_on(self, now: TextConversation) -> bool:
        last = now.messages[-1].at if now.messages else 0.0
        return (now.goes_on or bool(now.person)) and steady_time() - last < self._service.settings.text_process_idle_s

    def _counted(self, rate: Rate, who: str, refusal: str) -> None:
        at_s = time.monotonic()
        if wait_s := rate.wait_s(who, at_s):
            raise Unfit(429, "too_many_requests", refusal, wait_s)
        rate.count(who, at_s)


def text_of_utterance(text: str) -> str:
    """An utterance as it is asked: one line, without control characters. Raises Unfit."""
    cleaned = " ".join(clean(text).split())
    if not cleaned:
        raise Unfit(422, "invalid_input", "text is empty")
    if len(cleaned) > MAX_TEXT:
        raise Unfit(413, "query_too_long", f"text has more than {MAX_TEXT} characters")
    return cleaned


def processed(
    now: TextConversation, answer: TextAnswer | None, understood: WatchedTurn, latency_ms: int, audio: str | None = None
) -> dict[str, Any]:
    """The answer, in the words of the contract. `audio` is where it is fetched as sound."""
    step = step_of(now.state)
    return {
        "session_id": now.client_id,
        "response": "\n".join(message.content for message in answer.messages) if answer is not None else "",
        "audio": audio,
        "intent": intent_of(understood.intent) or None,
        "confidence": round(understood.score, 3) if understood.intent else None,
        "special_command": COMMANDS.get(understood.intent),
        "step": step or None,
        "slots": {name: value for name, _, value in (pair.partition("=") for pair in now.known)},
        "handoff_requested": now.ended == "transferred" or bool(now.person),
        "completed": understood.outcome == "done" or (step == "done" and not understood.outcome),
        "latency_ms": latency_ms,
    }
