"""Tells the system of a person what is written to them, signed, in order, until it is taken.

What is to be told stands in the conversation, so that a process that is killed loses nothing; each thing has an `id`,
under which the other system takes it once (it is told again when the answer was lost). One conversation waits for
nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal

import aiohttp
from msgspec import Meta, Struct
from redis.exceptions import RedisError

from config import TextSettings
from protocol.signatures import HEADER, signature
from text_service import metrics
from text_service.conversation import Outgoing

log = logging.getLogger("text_service")

LIMIT_S: Final = 10.0
"""Of one try."""
WAITS_S: Final = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
NOTHING: Final = Outgoing("", "closed", "")


class FromPerson(Struct, forbid_unknown_fields=True):
    """What the person's system sends: a message, or that the person is gone. `id` makes it known once."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    conversation: Annotated[str, Meta(max_length=200)]
    type: Literal["message", "close"]
    text: Annotated[str, Meta(max_length=4_000)] = ""


class HandoverSender:
    """Sends of every conversation what waits in it. `next_of` gives what is next of a client, told what was taken."""

    def __init__(self, settings: TextSettings, next_of: Callable[[str, Outgoing], Awaitable[Outgoing | None]]) -> None:
        self._url = settings.text_handover_url
        self._secret = settings.text_handover_secret
        self._next_of = next_of
        self._woken: set[str] = set()
        self._wake = asyncio.Event()
        self._last: list[Outgoing] = []

    def wake(self, client_id: str) -> None:
        """There may be something to tell of this client."""
        self._woken.add(client_id)
        self._wake.set()

    def tell_last(self, told: Outgoing) -> None:
        """Something of a client of whom nothing is kept any more: it is tried once."""
        self._last.append(told)
        self._wake.set()

    async def run(self) -> None:
        """Sends, for ever; nothing without a URL."""
        if not self._url:
            await asyncio.Event().wait()
        at_work: dict[str, asyncio.Task[None]] = {}
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while True:
                await self._wake.wait()
                self._wake.clear()
                at_work = {client_id: task for client_id, task in at_work.items() if not task.done()}
                for client_id in self._woken - set(at_work):
                    self._woken.discard(client_id)
                    at_work[client_id] = tasks.create_task(self._tell(session, client_id))
                    at_work[client_id].add_done_callback(lambda _: self._wake.set())
                while self._last:
                    tasks.create_task(self._post(session, self._last.pop()))

    async def _tell(self, session: aiohttp.ClientSession, client_id: str) -> None:
        told, taken, failures = NOTHING, NOTHING, 0
        while True:
            try:
                next_one = await self._next_of(client_id, taken)
                if next_one is None:
                    return
                told = next_one
                is_taken = await self._post(session, told)
            except (RedisError, OSError) as error:
                log.warning("redis is away", extra={"error": repr(error)})
                is_taken = False
            if is_taken:
                taken, failures = told, 0
            else:
                await asyncio.sleep(WAITS_S[min(failures, len(WAITS_S) - 1)])
                failures += 1

    async def _post(self, session: aiohttp.ClientSession, told: Outgoing) -> bool:
        """Whether it was taken."""
        body = json.dumps(body_of(told), ensure_ascii=False).encode()
        headers = {
            HEADER: signature(self._secret, int(time.time()), body),
            "Idempotency-Key": told.id,
            "Content-Type": "application/json",
        }
        try:
            async with session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                is_taken, reason = 200 <= answer.status < 300, str(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            is_taken, reason = False, type(error).__name__
        metrics.HANDOVERS.labels("taken" if is_taken else "failed").inc()
        if not is_taken:
            log.warning("a person's system did not take it", extra={"call_id": told.call_id, "reason": reason})
        return is_taken


def body_of(told: Outgoing) -> dict[str, Any]:
    """The JSON object that is told."""
    body: dict[str, Any] = {"id": told.id, "type": told.kind, "conversation": told.call_id}
    if told.kind == "handed_over":
        body["transcript"] = [
            {"role": message.role, "content": message.content, "at": round(message.at, 3)}
            for message in told.transcript
        ]
    elif told.kind == "message":
        body["text"] = told.text
    return body
