"""One client's conversation: queries and commands in, events for the bot manager and messages to show out. Pure.

The bot manager takes it for a call that is heard perfectly and has all the time in the world: what the client writes is
an utterance of the turn that the bot listens in, what the bot says is heard in whole in the moment in which it is said.
So flows, slots, records and restarts are those of a telephone call, and no second dialogue has to be kept like the
first one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from protocol.items import Item, ItemHeard, PromptItem
from protocol.messages import (
    Append,
    CallEnded,
    CallStarted,
    Command,
    Event,
    HangUp,
    Listen,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    SpeechStarted,
    TransferCall,
    UtteranceTranscribed,
)

MOST_MESSAGES: Final = 200
"""Older ones go, a question together with its answers."""
MOST_SAID: Final = 50
"""Playbacks and references that are remembered: a command or a query that is seen again is not dealt with again."""
TextEnd: TypeAlias = Literal["", "bot_hung_up", "transferred", "caller_hung_up", "lost"]


class TextMessage(Struct, frozen=True):
    """Something that was written. `at` in seconds since the epoch; `answers` is the query that it came after."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    at: float
    answered_by: str = ""
    answers: str = ""
    prompts: tuple[str, ...] = ()
    """The recorded prompts that it was said with; none where anything else was said."""


class Rating(Struct, frozen=True):
    """What a client thinks of an answer: `up`, `down` or 1 to 5."""

    rating: str
    comment: str
    at: float


class Outgoing(Struct, frozen=True):
    """Something to tell the system of the person who has the conversation `call_id`; `id` makes it known once."""

    id: str
    kind: Literal["handed_over", "message", "closed"]
    call_id: str
    text: str = ""
    transcript: tuple[TextMessage, ...] = ()


class TextConversation(Struct, frozen=True):
    """A client and the bot. `turn` is that of the bot's last question, `utterance` the number of the last query.

    `pending` is the id of the query that has no answer yet; `waiting` one that came before the bot's first question.
    `question` tells that what is said next is no filler but the answer, `said` which playbacks were shown.
    """

    client_id: str
    call_id: str = ""
    flow: str = ""
    turn: int = 0
    utterance: int = 0
    listening: bool = False
    question: bool = False
    pending: str = ""
    waiting: str = ""
    open_playback: str = ""
    owed: str = ""
    """The id of the query that was answered from the cache, until the bot has said the same."""
    foretold: tuple[str, ...] = ()
    """Ids of those answers that the bot has not said yet."""
    ended: TextEnd = ""
    messages: tuple[TextMessage, ...] = ()
    said: tuple[str, ...] = ()
    refs: tuple[tuple[str, str], ...] = ()
    """(reference that the client gave, id of the message), the last ones."""
    ratings: dict[str, Rating] = {}
    """By the id of the answer."""
    person: str = ""
    """The call that was handed over, while a person has the conversation."""
    outgoing: tuple[Outgoing, ...] = ()
    """What the person's system is still to be told, oldest first."""
    asked_turn: int = 0
    """The turn that the last query was told in."""
    state: str = ""
    """Where the conversation stands in its flow."""
    known: tuple[str, ...] = ()
    """The slots that are known there, as `name=value`."""
    began_at: float = 0.0
    """When the conversation began, the number it is with, where that is known, and the facts it began with."""
    number: str = ""
    facts: dict[str, str] = {}
    link: str = ""
    """The name of the link that the client opened last."""
    calls: tuple[str, ...] = ()
    """The conversations of this client, the last ones: their records are to be forgotten with them."""

    @property
    def goes_on(self) -> bool:
        """Whether there is a conversation now."""
        return bool(self.call_id) and not self.ended

    def message_of(self, ref: str) -> str:
        """The id of the message that a client sent under this reference; empty when there is none."""
        return next((message_id for known, message_id in self.refs if known == ref), "")

    def answers_to(self, message_id: str) -> tuple[TextMessage, ...]:
        """What the bot said to a query."""
        return tuple(message for message in self.messages if message.answers == message_id)


TextStep: TypeAlias = tuple[TextConversation, list[Event]]
Texts: TypeAlias = Callable[[str, tuple[Item, ...]], str]
"""Language and items to what is written for them."""


def begin(
    now: TextConversation, call_id: str, flow: str, at: float, facts: Mapping[str, str] | None = None, number: str = ""
) -> TextStep:
    """A new conversation of this client, with this telephone number if it is known; what was written before stays to be
    read. `facts` are kept with its record. Raises ValueError in the middle of one."""
    if now.goes_on:
        raise ValueError("there is a conversation already")
    calls = (*now.calls, call_id)[-MOST_SAID:]
    fresh = TextConversation(
        now.client_id, call_id, flow, messages=now.messages, refs=now.refs, ratings=now.ratings, calls=calls
    )
    fresh = replace(fresh, outgoing=now.outgoing, link=now.link, began_at=at, number=number, facts=dict(facts or {}))
    return fresh, [_started(fresh)]


def _started(now: TextConversation) -> CallStarted:
    return CallStarted(now.call_id, now.began_at, now.number, "", now.flow, direction="text", variables=now.facts)


def query(now: TextConversation, message_id: str, text: str, at: float, ref: str = "") -> TextStep:
    """The client writes something. Raises ValueError while the query before has no answer, or where nothing goes on."""
    if not now.goes_on:
        raise ValueError("there is no conversation")
    if now.pending or now.owed:
        raise ValueError("the query before has no answer yet")
    written = TextMessage(message_id, "user", text, at)
    messages = _bounded((*now.messages, written))
    refs = (*now.refs, (ref, message_id))[-MOST_SAID:] if ref else now.refs
    now = replace(now, messages=messages, pending=message_id, refs=refs, question=False)
    if not now.listening:
        return replace(now, waiting=message_id), []
    return _uttered(now, text, at)


def _uttered(now: TextConversation, text: str, at: float) -> TextStep:
    utterance = now.utterance + 1
    events: list[Event] = [
        SpeechStarted(now.call_id, at, now.turn, utterance),
        UtteranceTranscribed(
            now.call_id, at, now.turn, utterance, text, 1.0, at, at, at, at, 0, paused_at=at, transcribed_at=at
        ),
    ]
    return replace(now, utterance=utterance, waiting="", question=False, asked_turn=now.turn), events


def again(now: TextConversation, at: float) -> list[Event]:
    """What may not have been told, once more after a restart: the beginning, while nothing has come of it, else the
    query that has no answer; the bot manager passes over what it knows."""
    if now.goes_on and not now.turn and now.began_at:
        return [_started(now)]
    told = now.pending or now.owed
    if not now.goes_on or not told or now.waiting:
        return []
    text = next((message.content for message in now.messages if message.id == told), "")
    return _uttered(replace(now, utterance=now.utterance - 1), text, at)[1] if text else []


def commanded(now: TextConversation, command: Command, texts: Texts, at: float) -> TextStep:
    """What the bot manager wants done. Seeing a command twice shows nothing twice."""
    if not now.goes_on or command.call_id != now.call_id:
        return now, []
    match command:
        case Listen(turn=turn, state=state, asks=asks, known=known):  # while an action is under way nothing is heard
            return replace(now, turn=turn, listening=asks, question=asks, state=state, known=known), []
        case Say():
            return _said(now, command, texts(command.language, command.items), at)
        case Append(playback_id=playback_id, items=items, last=last):
            now = _shown(now, texts("", items), at, f"{playback_id}-{len(now.messages)}", ())
            if last and playback_id == now.open_playback:
                return _settled(replace(now, open_playback=""), [_finished(now.call_id, playback_id, items, at)], at)
        case HangUp():
            return _over(now, "bot_hung_up"), [CallEnded(now.call_id, at, "bot_hung_up")]
        case TransferCall():
            return _over(now, "transferred"), [CallEnded(now.call_id, at, "transferred")]
    return now, []


def _said(now: TextConversation, say: Say, text: str, at: float) -> TextStep:
    playback_id = say.playback_id
    events: list[Event] = [PlaybackStarted(now.call_id, at, playback_id)]
    if not say.open:
        events.append(_finished(now.call_id, playback_id, say.items, at))
    if playback_id in now.said:
        return now, events
    names = [item.name for item in say.items if isinstance(item, PromptItem)]
    prompts = tuple(names) if len(names) == len(say.items) else ()
    now = replace(_shown(now, text, at, playback_id, prompts), said=(*now.said, playback_id)[-MOST_SAID:])
    if say.open:
        return replace(now, open_playback=playback_id), events
    return (now, events) if say.parting else _settled(now, events, at)


def _settled(now: TextConversation, events: list[Event], at: float) -> TextStep:
    """Something was said in whole. If it was the bot's question, the query before is answered; one that came before
    the first question is told now."""
    if not now.question:
        return now, events
    if now.waiting:
        text = next((message.content for message in now.messages if message.id == now.waiting), "")
        now, uttered = _uttered(now, text, at)
        return now, events + uttered
    return replace(now, pending="", question=False, owed="", foretold=()), events


def foretell(now: TextConversation, texts: Sequence[str], at: float) -> TextConversation:
    """The query that was just told is answered with what was said to it before. The bot says it all the same: that
    shows nothing again, unless it is something else. Raises ValueError where no query waits."""
    if not now.pending:
        raise ValueError("no query waits for its answer")
    said = tuple(
        TextMessage(f"c-{now.pending}-{number}", "assistant", text, at, "cache", now.pending)
        for number, text in enumerate(texts)
    )
    ids = tuple(message.id for message in said)
    return replace(now, messages=_bounded((*now.messages, *said)), owed=now.pending, pending="", foretold=ids)


def _over(now: TextConversation, how: TextEnd) -> TextConversation:
    return replace(now, ended=how, pending="", waiting="", owed="", foretold=())


def _shown(now: TextConversation, text: str, at: float, message_id: str, prompts: tuple[str, ...]) -> TextConversation:
    if not text:
        return now
    if now.foretold:
        foretold = next((message for message in now.messages if message.id == now.foretold[0]), None)
        if foretold is not None and foretold.content == text:
            messages = tuple(
                replace(message, prompts=prompts) if message is foretold else message for message in now.messages
            )
            return replace(now, messages=messages, foretold=now.foretold[1:])
        now = replace(now, foretold=())
    said = TextMessage(message_id, "assistant", text, at, "flow", now.pending or now.owed, prompts)
    return replace(now, messages=_bounded((*now.messages, said)))


def _finished(call_id: str, playback_id: str, items: tuple[Item, ...], at: float) -> PlaybackFinished:
    return PlaybackFinished(call_id, at, playback_id, "finished", 0, tuple(ItemHeard("finished", 0) for _ in items))


def rated(now: TextConversation, message_id: str, rating: Rating) -> TextConversation:
    """The last rating of an answer counts. Raises KeyError for what the client was not answered."""
    answers = {message.id for message in now.messages if message.role == "assistant"}
    if message_id not in answers:
        raise KeyError(message_id)
    kept = {known: one for known, one in now.ratings.items() if known in answers}
    return replace(now, ratings={**kept, message_id: rating})


def handed_over(now: TextConversation) -> TextConversation:
    """A person has the conversation from now on: their system is told what was said. Raises ValueError for one that was
    not transferred."""
    if now.ended != "transferred" or now.person:
        raise ValueError("was not transferred")
    mine = tuple(message for message in now.messages if message.id.startswith(f"q-{now.call_id}-"))
    ids = {message.id for message in mine}
    transcript = tuple(message for message in now.messages if message.id in ids or message.answers in ids)
    told = Outgoing(f"{now.call_id}-0", "handed_over", now.call_id, transcript=transcript)
    return replace(now, person=now.call_id, outgoing=(*now.outgoing, told))


def written_to_person(now: TextConversation, message_id: str, text: str, at: float, ref: str = "") -> TextConversation:
    """The client writes to the person."""
    message = TextMessage(message_id, "user", text, at)
    refs = (*now.refs, (ref, message_id))[-MOST_SAID:] if ref else now.refs
    told = Outgoing(message_id, "message", now.person, text)
    messages = _bounded((*now.messages, message))
    return replace(now, messages=messages, refs=refs, outgoing=(*now.outgoing, told))


def person_wrote(now: TextConversation, key: str, text: str, at: float) -> TextConversation:
    """The person writes; what has the same key is shown once. Raises ValueError where no person is there."""
    if not now.person:
        raise ValueError("no person has this conversation")
    message_id = f"h-{now.person}-{key}"
    if any(message.id == message_id for message in now.messages):
        return now
    message = TextMessage(message_id, "assistant", text, at, "person")
    return replace(now, messages=_bounded((*now.messages, message)))


def person_left(now: TextConversation, tell: bool = False) -> TextConversation:
    """No person has the conversation any more; `tell` their system so."""
    if not now.person:
        return now
    told = (Outgoing(f"{now.person}-closed", "closed", now.person),) if tell else ()
    return replace(now, person="", outgoing=(*now.outgoing, *told))


def end(now: TextConversation, at: float) -> TextStep:
    """The client is gone, or has written nothing for long."""
    now = person_left(now, tell=True)
    if not now.goes_on:
        return now, []
    return _over(now, "caller_hung_up"), [CallEnded(now.call_id, at, "caller_hung_up")]


def _bounded(messages: tuple[TextMessage, ...]) -> tuple[TextMessage, ...]:
    """The last ones, beginning with a query where something was cut off."""
    if len(messages) <= MOST_MESSAGES:
        return messages
    kept = messages[-MOST_MESSAGES:]
    first = next((index for index, message in enumerate(kept) if message.role == "user"), 0)
    return kept[first:]


def unanswered(now: TextConversation, at: float) -> TextStep:
    """The bot listens again and has said nothing: that is its answer."""
    return _settled(now, [], at) if now.goes_on else (now, [])
