"""Serves conversations in writing: asks the bot manager over the bus, and waits for what it says.

A conversation is written down before its events are sent, so a process that is killed in between tells the next one
what is to be told; the bot manager passes over what it knows already.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError

from config import TextSettings
from observability.drain import Drain
from protocol.bus import Inbox, Outbox
from protocol.call_id import RANDOM_BYTES, TEXT, cell_of, new_call_id
from protocol.messages import Command, Event, Listen
from protocol.steady import steady_time
from text_service import metrics
from text_service.conversation import (
    Rating,
    TextConversation,
    TextMessage,
    TextStep,
    again,
    begin,
    commanded,
    end,
    query,
    rated,
    unanswered,
)
from text_service.store import TextStore, sent
from text_service.texts import PromptTexts

log = logging.getLogger("text_service")

QUIET_S: Final = 0.5
"""A bot that listens again and says nothing for so long has nothing to say."""
LOOK_S: Final = 15.0


class NoAnswer(Exception):
    """The bot did not answer in time; what it says later stands in the history."""


class UnknownMessage(Exception):
    """A client was given no such answer."""


class TextBusy(Exception):
    """Redis is away, or the query before has no answer yet."""


@dataclass(frozen=True)
class TextAnswer:
    """What came of a query. `messages` are what the bot said, `ended` how the conversation ended, if it did."""

    message_id: str
    messages: tuple[TextMessage, ...]
    ended: str
    elapsed_ms: int


@dataclass
class _Open:
    """A client with somebody who works on their conversation: one at a time, and told of each change."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    changes: int = 0
    users: int = 0

    async def tell(self) -> None:
        """Wakes who waits for a change."""
        async with self.changed:
            self.changes += 1
            self.changed.notify_all()


class TextService:
    """All conversations of a cell that this process serves."""

    def __init__(self, settings: TextSettings, store: TextStore, outbox: Outbox, texts: PromptTexts) -> None:
        self.settings = settings
        self.drain = Drain(lambda: self.inside)
        self.inside = 0
        """Queries that wait for their answers."""
        self._store = store
        self._outbox = outbox
        self._texts = texts
        self._open: dict[str, _Open] = {}
        self._quiet: set[asyncio.Task[None]] = set()
        self._late = False
        """The last query had no answer in time."""

    # --- what clients ask ---

    async def ask(
        self, client_id: str, text: str, flow: str = "", ref: str = ""
    ) -> AsyncGenerator[TextMessage | TextAnswer]:
        """What the bot says to a query as it says it, and at last the whole answer; a conversation begins where there
        is none. A query with a reference that was seen before is not asked again. Raises NoAnswer and TextBusy."""
        began_s = time.monotonic()
        self.inside += 1
        try:
            with _busy_while_away():
                async with self._of(client_id) as client:
                    async with client.lock:
                        message_id = await self._asked(client_id, text, flow, ref)
                    shown = 0
                    async for now in self._changes(client_id, client, message_id):
                        answers = now.answers_to(message_id)
                        for message in answers[shown:]:
                            yield message
                        shown = len(answers)
            self._late = False
            elapsed_s = time.monotonic() - began_s
            metrics.ANSWER_SECONDS.observe(elapsed_s)
            yield TextAnswer(message_id, now.answers_to(message_id), now.ended, round(elapsed_s * 1_000))
        finally:
            self.inside -= 1

    async def history(self, client_id: str, limit: int) -> tuple[TextMessage, ...] | None:
        """The last messages of a client, oldest first; None for one that nobody knows. Raises TextBusy."""
        with _busy_while_away():
            now = await self._store.get(client_id)
        return None if now is None else now.messages[-limit:]

    async def rate(self, client_id: str, message_id: str, rating: Rating) -> None:
        """Keeps what a client thinks of an answer. Raises UnknownMessage and TextBusy."""
        with _busy_while_away():
            async with self._of(client_id) as client, client.lock:
                now = await self._store.get(client_id)
                try:
                    await self._store.put(rated(now or TextConversation(client_id), message_id, rating))
                except KeyError:
                    raise UnknownMessage(message_id) from None

    async def parts(self) -> dict[str, str]:
        """How what the service needs is: ok, degraded or down."""
        try:
            store = "ok" if await self._store.is_there() else "down"
        except (RedisError, OSError):
            store = "down"
        return {"store": store, "backend": "degraded" if self._late else "ok"}

    async def going_on(self) -> int:
        """Conversations that go on, as far as is known."""
        try:
            return await self._store.count()
        except (RedisError, OSError):
            return 0

    async def forget(self, client_id: str) -> None:
        """Ends a conversation and forgets what was written. Raises TextBusy."""
        with _busy_while_away():
            async with self._of(client_id) as client, client.lock:
                now = await self._store.get(client_id)
                if now is not None:
                    _, events = end(now, steady_time())
                    await self._store.forget(now)
                    await sent(self._outbox, events)

    async def _asked(self, client_id: str, text: str, flow: str, ref: str) -> str:
        now = await self._store.get(client_id) or TextConversation(client_id)
        if ref and (known := now.message_of(ref)):
            return known
        at = steady_time()
        events: list[Event] = []
        if not now.goes_on:
            cell = self.settings.cell + TEXT
            call_id = new_call_id(cell, round(at * 1_000), os.urandom(RANDOM_BYTES))
            now, events = begin(now, call_id, flow or self.settings.default_flow, at)
            metrics.CONVERSATIONS.inc()
        message_id = f"q-{now.call_id}-{len(now.messages)}-{os.urandom(4).hex()}"
        try:
            now, asked = query(now, message_id, text, at, ref)
        except ValueError as error:
            raise TextBusy(str(error)) from error
        await self._keep((now, events + asked))
        return message_id

    async def _changes(self, client_id: str, client: _Open, message_id: str) -> AsyncGenerator[TextConversation]:
        """The conversation as it is, and after each change, until a query has its answer. Raises NoAnswer."""
        until_s = time.monotonic() + self.settings.text_answer_s
        while True:
            seen = client.changes
            now = await self._store.get(client_id) or TextConversation(client_id)
            yield now
            if now.ended or now.pending != message_id:
                return
            try:
                async with asyncio.timeout(until_s - time.monotonic()), client.changed:
                    await client.changed.wait_for(lambda seen=seen: client.changes != seen)  # type: ignore[misc]
            except TimeoutError as error:
                self._late = True
                raise NoAnswer(f"no answer within {self.settings.text_answer_s:g} s") from error

    # --- what the bot manager wants ---

    async def serve(self, inbox: Inbox) -> None:
        """Deals with the bus's commands, for ever."""
        async for entry in inbox.entries(settled=self._outbox.flush):
            if isinstance(entry.message, Command) and cell_of(entry.message.call_id) == self.settings.cell + TEXT:
                await self._commanded(entry.message)

    async def _commanded(self, command: Command) -> None:
        while True:
            try:
                client_id = await self._store.client_of(command.call_id)
                if not client_id:
                    return  # forgotten
                await self._stepped(client_id, command)
            except (RedisError, OSError) as error:
                log.warning("redis is away", extra={"error": repr(error)})
                await asyncio.sleep(QUIET_S)
            else:
                return

    async def _stepped(self, client_id: str, command: Command) -> None:
        async with self._of(client_id) as client:
            async with client.lock:
                now = await self._store.get(client_id)
                if now is not None:
                    await self._keep(commanded(now, command, self._texts, steady_time()))
            await client.tell()
        if isinstance(command, Listen):
            task = asyncio.create_task(self._fell_quiet(client_id, command))
            self._quiet.add(task)
            task.add_done_callback(self._quiet.discard)

    async def _fell_quiet(self, client_id: str, listen: Listen) -> None:
        """A question without words: what comes next is the client's."""
        await asyncio.sleep(QUIET_S)
        try:
            async with self._of(client_id) as client:
                async with client.lock:
                    now = await self._store.get(client_id)
                    if now is None or not now.question or now.turn != listen.turn or now.open_playback:
                        return
                    await self._keep(unanswered(now, steady_time()))
                await client.tell()
        except (RedisError, OSError) as error:
            log.warning("redis is away", extra={"error": repr(error)})

    # --- time ---

    async def take_up(self) -> None:
        """After a start: tells again what may not have been told. Waits for Redis."""
        while True:
            try:
                for client_id in await self._store.going_on():
                    now = await self._store.get(client_id)
                    if now is not None:
                        await sent(self._outbox, again(now, steady_time()))
            except (RedisError, OSError):
                await asyncio.sleep(QUIET_S)
            else:
                return

    async def watch(self) -> None:
        """Ends conversations in which nothing is said any more, for ever."""
        while True:
            await asyncio.sleep(min(LOOK_S, self.settings.text_idle_s / 2))
            try:
                for client_id in await self._store.going_on(steady_time() - self.settings.text_idle_s):
                    async with self._of(client_id) as client, client.lock:
                        now = await self._store.get(client_id)
                        if now is not None:
                            await self._keep(end(now, steady_time()))
                metrics.GOING_ON.set(await self._store.count())
            except (RedisError, OSError) as error:
                log.warning("redis is away", extra={"error": repr(error)})

    async def _keep(self, step: TextStep) -> None:
        now, events = step
        await self._store.put(now)
        await sent(self._outbox, events)

    @asynccontextmanager
    async def _of(self, client_id: str) -> AsyncGenerator[_Open]:
        client = self._open.setdefault(client_id, _Open())
        client.users += 1
        try:
            yield client
        finally:
            client.users -= 1
            if not client.users:
                self._open.pop(client_id, None)


@contextmanager
def _busy_while_away() -> Iterator[None]:
    """What a client asks while Redis is away can be asked again."""
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("redis is away", extra={"error": repr(error)})
        raise TextBusy("the store is away") from error
