"""Serves conversations in writing: asks the bot manager over the bus, and waits for what it says.

A conversation is written down before its events are sent, so a process that is killed in between tells the next one
what is to be told; the bot manager passes over what it knows already.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from msgspec.structs import replace
from redis.exceptions import RedisError

import forms
from audio_prompts.texts import PromptTexts
from config import TextSettings
from observability.drain import Drain
from protocol.bus import Inbox, Outbox
from protocol.call_id import RANDOM_BYTES, TEXT, cell_of, new_call_id
from protocol.messages import CallForgotten, Command, Event, Listen
from protocol.steady import steady_time
from text_service import metrics
from text_service.answers import AnswerCache, answer_key, queries_of, to_keep
from text_service.conversation import (
    Outgoing,
    Rating,
    TextConversation,
    TextMessage,
    TextStep,
    again,
    begin,
    commanded,
    end,
    foretell,
    handed_over,
    person_left,
    person_wrote,
    query,
    rated,
    unanswered,
    written_to_person,
)
from text_service.diagnostics import Timings
from text_service.flow_notes import FlowNotes
from text_service.handover import FromPerson, HandoverSender
from text_service.links import SECRET_BYTES, LinkBody, TextLink, link_address, link_name
from text_service.parts import TextParts
from text_service.refusals import Unfit, clean
from text_service.store import TextStore, sent
from text_service.turns import TurnWatch
from text_service.watching import Watched, Watchers

log = logging.getLogger("text_service")

T = TypeVar("T")

QUIET_S: Final = 0.5
"""A bot that listens again and says nothing for so long has nothing to say."""
LOOK_S: Final = 15.0
LOOK_AT_PARTS_S: Final = 2.0


class NoAnswer(Exception):
    """The bot did not answer in time; what it says later stands in the history."""


class UnknownMessage(Exception):
    """A client was given no such answer."""


class TextBusy(Exception):
    """Redis is away, or the query before has no answer yet."""


@dataclass(frozen=True)
class QueryAsked:
    """What a client asks: the text, the flow that a new conversation runs with facts of its own, and the client's
    reference."""

    text: str
    flow: str = ""
    ref: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TextAnswer:
    """What came of a query. `messages` are what the bot said, `ended` how the conversation ended, if it did."""

    message_id: str
    messages: tuple[TextMessage, ...]
    ended: str
    elapsed_ms: int


class TextService:
    """All conversations of a cell that this process serves."""

    def __init__(self, settings: TextSettings, store: TextStore, outbox: Outbox, texts: PromptTexts) -> None:
        self.settings = settings
        self.answer_s = settings.text_answer_s
        self.drain = Drain(lambda: self.inside)
        self.inside = 0
        """Queries that wait for their answers."""
        self._store = store
        self._outbox = outbox
        self._texts = texts
        self._flows = FlowNotes(settings.flows_dir, settings.prompts_dir)
        self._answers = AnswerCache()
        self.timings = Timings()
        self.handover = HandoverSender(settings, self.delivered)
        self.turns = TurnWatch(settings.cell + TEXT)
        self.watchers = Watchers()
        self._begun: set[asyncio.Task[Any]] = set()
        self.parts = TextParts("backend", "model", "store")
        self._late = False
        """The last query had no answer in time."""

    # --- what clients ask ---

    async def ask(self, client_id: str, asked: QueryAsked) -> AsyncGenerator[TextMessage | TextAnswer]:
        """What the bot says to a query as it says it, and at last the whole answer; a conversation begins where there
        is none. A query with a reference that was seen before is not asked again. Raises NoAnswer and TextBusy."""
        began_s = time.monotonic()
        until_s = began_s + self.settings.text_answer_s
        self.inside += 1
        try:
            with busy_while_away():
                async with self.watchers.watched(client_id) as client:
                    message_id = await self._asked(client_id, client, asked, until_s)
                    shown, first_s = 0, 0.0
                    async for now in self._changes(client_id, client, message_id, until_s):
                        answers = now.answers_to(message_id)
                        first_s = first_s or (time.monotonic() - began_s if answers else 0.0)
                        for message in answers[shown:]:
                            yield message
                        shown = len(answers)
            elapsed_s = time.monotonic() - began_s
            self.answered(first_s, elapsed_s)
            ended = "" if message_id.startswith("p-") else now.ended
            yield TextAnswer(message_id, now.answers_to(message_id), ended, round(elapsed_s * 1_000))
        finally:
            self.inside -= 1

    def answered(self, first_s: float, whole_s: float) -> None:
        """A query was answered: how long its first words and its whole answer took."""
        self._late = False
        metrics.FIRST_WORDS_SECONDS.observe(first_s or whole_s)
        metrics.ANSWER_SECONDS.observe(whole_s)
        self.timings.answered(time.monotonic(), first_s or whole_s, whole_s)

    def too_late(self) -> None:
        """A query had no answer in time."""
        self._late = True

    async def put_question(self, client_id: str, asked: QueryAsked) -> str:
        """The id of a query that is asked now, or was under this reference before; empty while the query before has
        no answer. Whoever watches has to be told. Raises TextBusy."""
        with busy_while_away():
            return await self._whole(self._put(client_id, asked))

    async def conversation(self, client_id: str) -> TextConversation | None:
        """A client's conversation as it is now; None where nothing is known. Raises RedisError and OSError."""
        return await self._store.get(client_id)

    async def has_flow(self, name: str) -> bool:
        """Whether there is such a flow."""
        return forms.is_flow(name) and (self.settings.flows_dir / f"{name}.yaml").is_file()

    async def leave(self, client_id: str) -> None:
        """Ends a conversation; what was written stays. Raises TextBusy."""
        with busy_while_away():
            await self._whole(self._leave(client_id))

    async def _leave(self, client_id: str) -> None:
        async with self.watchers.watched(client_id) as client:
            async with client.lock:
                now = await self._store.get(client_id)
                if now is not None:
                    await self._keep(end(now, steady_time()))
            self.handover.wake(client_id)
            await client.tell()

    async def history(self, client_id: str, limit: int) -> tuple[TextMessage, ...] | None:
        """The last messages of a client, oldest first; None for one that nobody knows. Raises TextBusy."""
        with busy_while_away():
            now = await self._store.get(client_id)
        return None if now is None else now.messages[-limit:]

    async def rate(self, client_id: str, message_id: str, rating: Rating) -> None:
        """Keeps what a client thinks of an answer. Raises UnknownMessage and TextBusy."""
        with busy_while_away():
            async with self.watchers.watched(client_id) as client, client.lock:
                now = await self._store.get(client_id)
                try:
                    await self._store.put(rated(now or TextConversation(client_id), message_id, rating))
                except KeyError:
                    raise UnknownMessage(message_id) from None

    async def make_link(self, body: LinkBody) -> tuple[str, int]:
        """The address that a caller is sent, and for how many seconds it is good. Raises Unfit and TextBusy."""
        if not self.settings.text_page_url:
            raise Unfit(503, "no_page", "TEXT_PAGE_URL is not set")
        flow = body.flow or self.settings.default_flow
        if not await self.has_flow(flow):
            raise Unfit(422, "invalid_input", "no such flow")
        secret, within_s = secrets.token_urlsafe(SECRET_BYTES), self.settings.text_link_s
        with busy_while_away():
            await self._store.put_link(link_name(secret), TextLink(body.number, flow), within_s)
        return link_address(self.settings.text_page_url, secret, flow), within_s

    async def open_link(self, client_id: str, secret: str) -> None:
        """Begins what a link leads to, for the client who opens it first; again it does nothing. Raises Unfit for a
        link that is none (any more) or another client's, and TextBusy."""
        with busy_while_away():
            await self._whole(self._open_link(client_id, link_name(secret)))

    async def _open_link(self, client_id: str, name: str) -> None:
        async with self.watchers.watched(client_id) as client:
            async with client.lock:
                opened = await self._store.opened_link(name, client_id) if name else None
                if opened is None:
                    raise Unfit(404, "unknown_link", "there is no such link, or it is too old")
                link, whose = opened
                if whose != client_id:
                    raise Unfit(409, "link_taken", "another client has opened it")
                now = await self._store.get(client_id) or TextConversation(client_id)
                if now.link == name:
                    return
                at = steady_time()
                now, ended = end(now, at)
                now, begun = begin(replace(now, link=name), self._new_call_id(at), link.flow, at, number=link.number)
                metrics.CONVERSATIONS.inc()
                await self._keep((now, ended + begun))
            self.handover.wake(client_id)
            await client.tell()

    def _new_call_id(self, at: float) -> str:
        return new_call_id(self.settings.cell + TEXT, round(at * 1_000), os.urandom(RANDOM_BYTES))

    async def take_from_person(self, told: FromPerson) -> None:
        """What a person writes, or that they are gone. Raises UnknownMessage where no person has such a
        conversation, and TextBusy."""
        with busy_while_away():
            client_id = await self._store.client_of(told.conversation)
            if not client_id:
                raise UnknownMessage(told.conversation)
            await self._whole(self._take_from_person(client_id, told))

    async def _take_from_person(self, client_id: str, told: FromPerson) -> None:
        async with self.watchers.watched(client_id) as client:
            async with client.lock:
                now = await self._store.get(client_id)
                if now is None or now.person != told.conversation:
                    raise UnknownMessage(told.conversation)
                if told.type == "close":
                    now = person_left(now)
                else:
                    now = person_wrote(now, told.id, clean(told.text), steady_time())
                await self._store.put(now)
            await client.tell()

    async def delivered(self, client_id: str, told: Outgoing) -> Outgoing | None:
        """What a person's system is to be told next of a client, now that it was told this (NOTHING: nothing yet); None
        where there is nothing more. Raises RedisError and OSError."""
        async with self.watchers.watched(client_id) as client, client.lock:
            now = await self._store.get(client_id)
            if now is None:
                return None
            if any(one.id == told.id for one in now.outgoing):
                now = replace(now, outgoing=tuple(one for one in now.outgoing if one.id != told.id))
                await self._store.put(now)
            return now.outgoing[0] if now.outgoing else None

    async def look_at_parts(self) -> None:
        """Notes how what the service needs is now."""
        try:
            is_answered = await self._store.is_answered_for()
        except (RedisError, OSError) as error:
            self.parts.note("store", "down", type(error).__name__)
            return  # who answers is not known then
        self.parts.note("store", "ok")
        if not is_answered:
            self.parts.note("model", "down", "no bot manager")
        elif self._late:
            self.parts.note("model", "degraded", "model_timeout")
        else:
            self.parts.note("model", "ok")

    async def going_on(self) -> int:
        """Conversations that go on, as far as is known."""
        try:
            return await self._store.count()
        except (RedisError, OSError):
            return 0

    async def forget(self, client_id: str) -> None:
        """Ends a conversation and forgets what was written. Raises TextBusy."""
        with busy_while_away():
            await self._whole(self._forget(client_id))

    async def _forget(self, client_id: str) -> None:
        async with self.watchers.watched(client_id) as client:
            async with client.lock:
                now = await self._store.get(client_id)
                if now is not None:
                    at = steady_time()
                    _, events = end(now, at)
                    await self._store.forget(now)
                    if now.person:
                        self.handover.tell_last(Outgoing(f"{now.person}-closed", "closed", now.person))
                    await sent(self._outbox, [*events, *(CallForgotten(call_id, at) for call_id in now.calls)])
                self._answers.forget(client_id)
            await client.tell()

    async def _asked(self, client_id: str, client: Watched, asked: QueryAsked, until_s: float) -> str:
        """Asks when the query before has its answer. Raises TextBusy when that takes too long."""
        while True:
            seen = client.changes
            if message_id := await self._whole(self._put(client_id, asked)):
                await client.tell()
                return message_id
            if not await client.changed_since(seen, until_s - time.monotonic()):
                raise TextBusy("the query before has no answer yet")

    async def _whole(self, step: Coroutine[None, None, T]) -> T:
        """Does something in whole, also when the client who wants it is gone meanwhile: what is stored is told."""
        task = asyncio.create_task(step)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return await asyncio.shield(task)

    async def _put(self, client_id: str, asked: QueryAsked) -> str:
        async with self.watchers.watched(client_id) as client, client.lock:
            return await self._put_alone(client_id, asked)

    async def _put_alone(self, client_id: str, asked: QueryAsked) -> str:
        now = await self._store.get(client_id) or TextConversation(client_id)
        if asked.ref and (known := now.message_of(asked.ref)):
            return known
        if now.pending or now.owed:
            return ""
        at = steady_time()
        if now.person:
            message_id = f"p-{now.person}-{len(now.messages)}-{os.urandom(4).hex()}"
            now = written_to_person(now, message_id, asked.text, at, asked.ref)
            await self._store.put(now)
            self.handover.wake(client_id)
            return message_id
        events: list[Event] = []
        if not now.goes_on:
            flow = asked.flow or (now.flow if now.link else "") or self.settings.default_flow
            now, events = begin(now, self._new_call_id(at), flow, at, asked.facts)
            metrics.CONVERSATIONS.inc()
        message_id = f"q-{now.call_id}-{len(now.messages)}-{os.urandom(4).hex()}"
        now, uttered = query(now, message_id, asked.text, at, asked.ref)
        if texts := () if asked.facts else self._said_before(now):
            now = foretell(now, texts, at)
        await self._keep((now, events + uttered))
        return message_id

    def _said_before(self, now: TextConversation) -> tuple[str, ...]:
        """What the cache has for the query that was just written."""
        note = self._flows(now.flow) if self.settings.text_cache else None
        if note is None or not note.is_plain:
            return ()
        key = answer_key(now.flow, note.version, queries_of(now))
        texts = self._answers.get(key, time.monotonic()) if key else ()
        metrics.CACHE.labels("hit" if texts else "miss").inc()
        return texts

    def _learn(self, before: TextConversation, now: TextConversation) -> None:
        """Keeps the answer that a query was just given, where it may be."""
        if not self.settings.text_cache or not before.pending or now.pending:
            return
        note = self._flows(now.flow)
        if note is not None and self._flows.is_calm(now.flow, time.time()):
            key, texts = to_keep(now, note, before.pending)
            if key:
                self._answers.keep(key, texts, now.client_id, time.monotonic())

    async def _changes(
        self, client_id: str, client: Watched, message_id: str, until_s: float
    ) -> AsyncGenerator[TextConversation]:
        """The conversation as it is, and after each change, until a query has its answer. Raises NoAnswer."""
        while True:
            seen = client.changes
            now = await self._store.get(client_id) or TextConversation(client_id)
            yield now
            if now.ended or now.pending != message_id:
                return
            if not await client.changed_since(seen, until_s - time.monotonic()):
                self.too_late()
                raise NoAnswer(f"no answer within {self.settings.text_answer_s:g} s")

    # --- what the bot manager wants ---

    async def serve(self, inbox: Inbox) -> None:
        """Deals with the bus's commands, for ever."""
        async for entry in inbox.entries(settled=self._outbox.flush):
            if isinstance(entry.message, Command) and cell_of(entry.message.call_id) == self.settings.cell + TEXT:
                await self.take_command(entry.message)

    async def take_command(self, command: Command) -> None:
        """Does what the bot manager wants of a conversation; waits for Redis."""
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
        async with self.watchers.watched(client_id) as client:
            async with client.lock:
                now = await self._store.get(client_id)
                if now is not None:
                    step = commanded(now, command, self._texts, steady_time())
                    if self.settings.text_handover_url and now.goes_on and step[0].ended == "transferred":
                        step = handed_over(step[0]), step[1]
                    await self._keep(step)
                    if step[0].person:
                        self.handover.wake(client_id)
                    self._learn(now, step[0])
            await client.tell()
        if isinstance(command, Listen):
            task = asyncio.create_task(self._fell_quiet(client_id, command))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def _fell_quiet(self, client_id: str, listen: Listen) -> None:
        """A question without words: what comes next is the client's."""
        await asyncio.sleep(QUIET_S)
        try:
            async with self.watchers.watched(client_id) as client:
                async with client.lock:
                    now = await self._store.get(client_id)
                    if now is None or not now.question or now.turn != listen.turn or now.open_playback:
                        return
                    await self._keep(unanswered(now, steady_time()))
                await client.tell()
        except (RedisError, OSError) as error:
            log.warning("redis is away", extra={"error": repr(error)})

    # --- time ---

    async def watch_parts(self) -> None:
        """Looks at what the service needs again and again, for ever."""
        while True:
            await self.look_at_parts()
            await asyncio.sleep(LOOK_AT_PARTS_S)

    async def take_up(self) -> None:
        """After a start: tells again what may not have been told. Waits for Redis."""
        while True:
            try:
                for client_id in await self._store.with_outgoing():
                    self.handover.wake(client_id)
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
                    async with self.watchers.watched(client_id) as client, client.lock:
                        now = await self._store.get(client_id)
                        if now is not None:
                            await self._keep(end(now, steady_time()))
                            self.handover.wake(client_id)
                            await client.tell()
                metrics.GOING_ON.set(await self._store.count())
            except (RedisError, OSError) as error:
                log.warning("redis is away", extra={"error": repr(error)})

    async def _keep(self, step: TextStep) -> None:
        now, events = step
        await self._store.put(now)
        await sent(self._outbox, events)


@contextmanager
def busy_while_away() -> Iterator[None]:
    """What a client asks while Redis is away can be asked again."""
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("redis is away", extra={"error": repr(error)})
        raise TextBusy("the store is away") from error
