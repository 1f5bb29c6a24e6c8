"""Tells other systems of calls: makes webhooks, and sends what waits in the outbox, until it is taken.

The receiver that is set for all gets them signed; where a flow tells of its turns, its own headers go with them. One at
a time is tried of a receiver that fails (`TargetBreaker`); when it takes one again, all that waits for it is due. A
receiver is one that actions may reach too: on a list, looked at on connecting, never redirected. Bodies and secrets are
never logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bot_manager import metrics
from bot_manager.credentials import NoSecret, header_of, secret_of
from bot_manager.target_breaker import TargetBreaker
from bot_manager.targets import NotReached, Targets, refusal_in, session_to
from protocol.signatures import HEADER, LEAST_SECRET, signature
from records.call import CallRecord, Webhook
from records.database import BadSchema, is_ready
from records.engines import attempt, writing
from records.faults import told
from records.outbox import claim, delivered, due_urls, failed, hurry, state_of, webhook_id
from records.store import store

log = logging.getLogger("pronto.webhooks")

CALL_ENDED: Final = "call_ended"
MESSAGE: Final = "message"
AT_ONCE: Final = 10
LIMIT_S: Final = 10.0
"""Of one try."""
CLAIMED_S: Final = 60.0
LOOK_EVERY_S: Final = 1.0
PAUSE_S: Final = 30.0
"""After trouble of our own: no database."""
NEVER: Final = frozenset({400, 410, 413, 415, 422})
"""Answers that will not change: the webhook is given up."""
_Told = TypeVar("_Told")


def call_ended(call: CallRecord) -> Webhook:
    """What is told of a call that is over; written again after a kill it is the same."""
    said = {
        "type": CALL_ENDED,
        "call": {
            "id": call.id,
            "cell": call.cell,
            "direction": call.direction,
            "caller_number": call.caller_number,
            "called_number": call.called_number,
            "flow": call.flow,
            "flow_version": call.flow_version,
            "timezone": call.timezone,
            "started_at": _iso(call.started_at),
            "ended_at": _iso(call.ended_at),
            "outcome": call.outcome,
            "end_reason": call.end_reason,
            "recording": call.recording,
            "lead": call.lead,
            "variables": call.variables,
        },
    }
    return _webhook(webhook_id(CALL_ENDED, call.id), call.cell, CALL_ENDED, call.id, said, call.ended_at or 0.0)


def message(key: str, cell: str, call_id: str, to: str, text: str, language: str, now: float) -> Webhook:
    """A message that somebody is to be sent: the receiver knows how."""
    said = {"type": MESSAGE, "to": to, "text": text, "language": language, "call": {"id": call_id, "cell": cell}}
    return _webhook(key, cell, MESSAGE, call_id, said, now)


def _webhook(key: str, cell: str, event: str, call_id: str, said: dict[str, Any], at: float) -> Webhook:
    body = json.dumps({"id": key, **said}, ensure_ascii=False)
    return Webhook(key, cell, event, call_id, body, at, at)


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class WebhookTarget:
    """Where webhooks go that have no address of their own (empty: nowhere), and the name of the secret that they are
    signed with, a file of `credentials_dir`."""

    url: str
    targets: Targets
    credentials_dir: Path
    key: str


@dataclass
class _Receiver:
    """What is known of one address: whether it takes anything, and why nothing is sent to it."""

    breaker: TargetBreaker
    trouble: str = ""


class WebhookSender:
    """Sends the webhooks of a cell. `engine` is used by nobody else."""

    def __init__(
        self,
        engine: Engine,
        cell: str,
        receiver: WebhookTarget,
        resolver: AbstractResolver | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._cell = cell
        self._receiver = receiver
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._database = asyncio.Lock()
        self._now = now
        self._receivers: dict[str, _Receiver] = {}
        self._trouble = ""

    async def run(self) -> None:
        """Sends what is due, for ever; begins when the tables are there."""
        is_ready = False
        while True:
            await asyncio.sleep(PAUSE_S if self._trouble else LOOK_EVERY_S)
            is_ready = is_ready or await self._is_ready()
            while is_ready and await self.send_due():
                pass

    async def close(self) -> None:
        """Ends connections and database."""
        if self._session is not None:
            await self._session.close()
        await asyncio.to_thread(self._engine.dispose)

    async def take_message(self, asked: Mapping[str, Any]) -> None:
        """Puts a message of a flow into the outbox, at once. Raises SQLAlchemyError."""
        texts = {name: str(asked[name]) for name in ("key", "call_id", "to", "text", "language")}
        webhook = message(cell=self._cell, now=self._now(), **texts)
        await self._ask(lambda connection: store(connection, [webhook]))

    async def send_due(self) -> int:
        """Tries those whose turn it is; how many were taken."""
        try:
            await self._ask(self._look)
            urls = await self._ask(lambda connection: due_urls(connection, self._cell, self._now()))
            taken = sum([await self._send_to(url) for url in urls if url or self._receiver.url])
        except (SQLAlchemyError, BadSchema) as error:
            self._trouble = _told_once(self._trouble, told(error) if isinstance(error, SQLAlchemyError) else str(error))
            return 0
        self._trouble = ""
        return taken

    async def _send_to(self, url: str) -> int:
        """Tries what is due for one address, the receiver for all where that is empty; how many were taken."""
        receiver = self._receivers.setdefault(url, _Receiver(TargetBreaker(self._now)))
        try:
            self._receiver.targets.check(url or self._receiver.url)
            secret = "" if url else self._secret()
            state = receiver.breaker.state
            most = {"closed": AT_ONCE, "half_open": 1, "open": 0}[state]
            due = lambda connection: claim(connection, self._cell, self._now(), CLAIMED_S, most, url)  # noqa: E731
            webhooks = await self._ask(due) if most else []
            of_call: dict[str, list[Webhook]] = {}
            for webhook in webhooks:
                of_call.setdefault(webhook.call_id, []).append(webhook)
            tries = (self._try_in_order(one, receiver.breaker, secret) for one in of_call.values())
            taken = sum(await asyncio.gather(*tries))
            if taken and state != "closed":
                await self._ask(lambda connection: hurry(connection, self._cell, self._now(), url))
        except (NotReached, NoSecret) as error:
            receiver.trouble = _told_once(receiver.trouble, str(error))
            return 0
        receiver.trouble = ""
        return taken

    def _secret(self) -> str:
        secret = secret_of(self._receiver.credentials_dir, self._receiver.key)
        if len(secret) < LEAST_SECRET:
            raise NoSecret(f"secret {self._receiver.key} has fewer than {LEAST_SECRET} characters")
        return secret

    def _look(self, connection: Connection) -> None:
        waiting, dead, oldest = state_of(connection, self._cell)
        metrics.WEBHOOKS_WAITING.set(waiting)
        metrics.WEBHOOKS_DEAD.set(dead)
        metrics.WEBHOOKS_OLDEST.set(0.0 if oldest is None else max(0.0, self._now() - oldest))

    async def _try_in_order(self, webhooks: list[Webhook], breaker: TargetBreaker, secret: str) -> int:
        """What is told of one call is told in its order: who hears of its end first has missed what was open."""
        return sum([await self._try(webhook, breaker, secret) for webhook in webhooks])

    async def _try(self, webhook: Webhook, breaker: TargetBreaker, secret: str) -> bool:
        headers = {"Idempotency-Key": webhook.id, "Content-Type": "application/json"}
        if webhook.url:
            headers |= {name: header_of(self._receiver.credentials_dir, one) for name, one in webhook.headers.items()}
        else:
            headers[HEADER] = signature(secret, int(self._now()), webhook.body.encode())
        if not breaker.lets_through():
            return False  # those that were claimed with it: their turn comes again
        try:
            fault, is_final = await self._post(webhook, headers)
        except BaseException:
            breaker.given_up()
            raise
        breaker.told(worked=not fault or is_final)
        if not fault:
            metrics.WEBHOOKS.labels(webhook.event, "delivered").inc()
            await self._ask(lambda connection: delivered(connection, webhook, self._now()))
            return True
        is_dead = await self._ask(lambda connection: failed(connection, webhook, self._now(), fault, is_final))
        metrics.WEBHOOKS.labels(webhook.event, "dead" if is_dead else "failed").inc()
        extra = {"call_id": webhook.call_id, "event": webhook.event, "reason": fault}
        log.log(
            logging.ERROR if is_dead else logging.WARNING,
            "a webhook was given up" if is_dead else "a webhook was not taken",
            extra=extra,
        )
        return False

    async def _post(self, webhook: Webhook, headers: dict[str, str]) -> tuple[str, bool]:
        """Why it was not taken (empty: it was), and whether it never will be."""
        url, body = webhook.url or self._receiver.url, webhook.body.encode()
        if self._session is None:
            self._session = session_to(self._receiver.targets, self._resolver)
        try:
            async with (
                asyncio.timeout(LIMIT_S),
                self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if 200 <= answer.status < 300:
                    return "", False
                return f"HTTP {answer.status}", answer.status in NEVER
        except TimeoutError:
            return "no answer in time", False
        except (aiohttp.ClientError, OSError, ValueError) as error:
            refused = refusal_in(error)
            return str(refused) if refused is not None else type(error).__name__, False

    async def _ask(self, question: Callable[[Connection], _Told]) -> _Told:
        async with self._database:
            return await asyncio.to_thread(self._asked, question)

    def _asked(self, question: Callable[[Connection], _Told]) -> _Told:
        with attempt(self._engine), writing(self._engine).begin() as connection:
            return question(connection)

    async def _is_ready(self) -> bool:
        try:
            async with self._database:
                return await asyncio.to_thread(is_ready, self._engine)
        except (SQLAlchemyError, BadSchema):
            return False


def _told_once(before: str, trouble: str) -> str:
    """Says why nothing is sent, where that is new."""
    if trouble != before:
        log.error("webhooks are not sent", extra={"reason": trouble})
    return trouble
