"""The answer cache: what it keeps, and that no word comes from one client to another, however they interleave."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.items import Item, PromptItem, SpeechItem
from protocol.messages import Command, Event, HangUp, Listen, Say, UtteranceTranscribed
from text_service.answers import (
    MOST_QUERIES,
    AnswerCache,
    FlowNote,
    answer_key,
    normalised,
    queries_of,
    to_keep,
)
from text_service.conversation import TextConversation, TextMessage, again, begin, commanded, foretell, query
from text_service.flow_notes import CALM_S, FlowNotes

NOTE = FlowNote("v1", True, frozenset({"welcome", "fixed", "more", "end"}))


def texts(_: str, items: tuple[Item, ...]) -> str:
    return " ".join(item.text if isinstance(item, SpeechItem) else getattr(item, "name", "?") for item in items)


@dataclass
class Desk:
    """A bot manager for one client: what it says depends on all that this client has written, and on a secret."""

    secret: str
    call_id: str
    turn: int = 1
    written: list[str] = field(default_factory=list)

    def greet(self) -> list[Command]:
        return [Listen(self.call_id, 1.0, 1, "fr"), self._say(PromptItem("welcome"))]

    def take(self, event: UtteranceTranscribed) -> list[Command]:
        self.written.append(normalised(event.text))
        self.turn += 1
        listen = Listen(self.call_id, 1.0, self.turn, "fr")
        match self.written[-1].split()[0]:
            case "mine":
                return [listen, self._say(SpeechItem(f"you are {self.secret}", "fr"))]
            case "composed":
                return [listen, self._say(PromptItem("fixed"), PromptItem(f"digit_{self.secret}"))]
            case "stop":
                return [self._say(PromptItem("end")), HangUp(self.call_id, 1.0)]
            case "silent":
                return [listen]
            case _:
                name = "more" if len(self.written) % 2 else "fixed"
                return [listen, self._say(PromptItem(name))]

    def _say(self, *items: Item) -> Say:
        return Say(self.call_id, 1.0, self.turn, f"p-{self.call_id}-{self.turn}", "fr", items)


class Chat:
    """One client with their desk, with a cache or without."""

    def __init__(self, who: str, cache: AnswerCache | None) -> None:
        self.who, self.cache = who, cache
        self.desk = Desk("", "")
        self.conversations = 0
        self.cached = 0
        self.now = TextConversation(who)
        self.bus: list[Event] = []
        self.unsaid: list[Command] = []

    def write(self, text: str) -> None:
        if self.now.pending or self.now.owed:
            return
        if not self.now.goes_on:
            self.conversations += 1
            call_id = f"{self.who}-{self.conversations}"
            self.now, _ = begin(self.now, call_id, "fr/x", 1.0)
            self.desk = Desk(self.who, call_id)
            self.unsaid = self.desk.greet()
            self.bus = []
        message_id = f"q-{self.now.call_id}-{len(self.now.messages)}"
        self.now, events = query(self.now, message_id, text, 1.0)
        self.bus += events
        if self.cache is not None:
            key = answer_key("fr/x", NOTE.version, queries_of(self.now))
            if key and (before := self.cache.get(key, 1.0)):
                self.now = foretell(self.now, before, 1.0)
                self.cached += 1

    def work(self) -> bool:
        """One step of the bot's; False when there is nothing to do."""
        if self.bus:
            event = self.bus.pop(0)
            if isinstance(event, UtteranceTranscribed):
                self.unsaid += self.desk.take(event)
        elif self.unsaid:
            before = self.now
            self.now, events = commanded(before, self.unsaid.pop(0), texts, 1.0)
            self.bus += events
            if self.cache is not None and before.pending and not self.now.pending:
                key, said = to_keep(self.now, NOTE, before.pending)
                if key:
                    self.cache.keep(key, said, self.who, 1.0)
        else:
            return False
        return True

    def finish(self) -> None:
        while self.work():
            pass

    def shown(self) -> list[tuple[str, str]]:
        return [(message.role, message.content) for message in self.now.messages]


WORDS = st.sampled_from(["hello", "Hello!", "mine", "composed", "stop", "more please", "and on sundays?", "my 75011"])
STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.one_of(WORDS, st.none())), max_size=60)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_with_the_cache_each_client_is_shown_what_they_are_shown_without_it(
    steps: list[tuple[str, str | None]],
) -> None:
    cache = AnswerCache()
    with_it = {who: Chat(f"client-{who}", cache) for who in "ab"}
    without = {who: Chat(f"client-{who}", None) for who in "ab"}
    for who, text in steps:
        chat = with_it[who]
        if text is None:
            chat.work()
        elif not (chat.now.pending or chat.now.owed):
            chat.write(text)
            without[who].write(text)
            without[who].finish()
    for who, chat in with_it.items():
        chat.finish()
        assert chat.shown() == without[who].shown()
        other = "client-b" if who == "a" else "client-a"
        assert not any(other in text for _, text in chat.shown())


def test_the_same_words_in_the_same_place_are_answered_from_the_cache() -> None:
    cache = AnswerCache()
    one, other = Chat("client-a", cache), Chat("client-b", cache)
    for text in ("Hello", "more, please"):
        one.write(text)
        one.finish()
        other.write(f"{text.upper()} !")
        assert other.now.pending == ""
        other.finish()
    assert (one.cached, other.cached) == (0, 2)
    assert [text for role, text in one.shown() if role == "assistant"] == ["welcome", "more", "fixed"]
    assert [text for role, text in other.shown() if role == "assistant"] == ["welcome", "more", "fixed"]
    assert {message.answered_by for message in other.now.messages if message.role == "assistant"} == {"cache"}


def test_what_the_bot_says_otherwise_than_the_cache_is_shown() -> None:
    now, _ = begin(TextConversation("client-a"), "c1", "fr/x", 1.0)
    now, _ = query(now, "q-c1-0", "hello", 1.0)
    now = foretell(now, ["welcome", "old"], 1.0)
    for command in (Listen("c1", 1.0, 1, "fr"), Say("c1", 1.0, 1, "p-1", "fr", (PromptItem("welcome"),))):
        now, _ = commanded(now, command, texts, 1.0)
    assert again(now, 1.0)  # told, and not yet answered: the next process tells it again
    for command in (Listen("c1", 1.0, 2, "fr"), Say("c1", 1.0, 2, "p-2", "fr", (PromptItem("new"),))):
        now, _ = commanded(now, command, texts, 1.0)
    assert [message.content for message in now.messages] == ["hello", "welcome", "old", "new"]
    assert (now.owed, now.foretold) == ("", ())


def test_a_query_with_numbers_or_many_words_or_deep_in_a_conversation_has_no_key() -> None:
    assert answer_key("fr/x", "v", ["combien ?"]) == answer_key("fr/x", "v", ["  COMBIEN"])
    assert answer_key("fr/x", "v", ["combien"]) != answer_key("fr/x", "w", ["combien"])
    assert answer_key("fr/x", "v", ["combien"]) != answer_key("fr/y", "v", ["combien"])
    assert answer_key("fr/x", "v", ["oui", "combien"]) != answer_key("fr/x", "v", ["non", "combien"])
    assert answer_key("fr/x", "v", ["a\x00b"]) == answer_key("fr/x", "v", ["a\x00b"])
    for queries in (["j'habite au 12"], ["rue ٣"], ["x" * 81], ["oui"] * (MOST_QUERIES + 1), []):
        assert answer_key("fr/x", "v", queries) == ""


def test_nothing_is_kept_of_a_flow_that_asks_the_world_or_of_prompts_that_it_does_not_name() -> None:
    chat = Chat("client-a", None)
    chat.write("hello")
    chat.finish()
    [message_id] = [message.id for message in chat.now.messages if message.role == "user"]
    assert to_keep(chat.now, NOTE, message_id)[1] == ("welcome", "more")
    assert to_keep(chat.now, FlowNote("v1", False, NOTE.prompts), message_id) == ("", ())
    assert to_keep(chat.now, FlowNote("v1", True, frozenset({"welcome"})), message_id) == ("", ())


def test_the_one_that_was_used_longest_ago_goes_and_so_does_what_is_old() -> None:
    cache = AnswerCache(most=2, kept_s=10.0)
    for number, key in enumerate("abc"):
        cache.keep(key, (key,), f"client-{key}", float(number))
        cache.get("a", float(number))
    assert [cache.get(key, 5.0) for key in "abc"] == [("a",), (), ("c",)]
    assert cache.get("a", 10.0) == ()
    cache.forget("client-c")
    assert len(cache) == 0


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("states: {a: {say: welcome}}", True),
        ("# hours: none\nstates: {a: {say: welcome}}", True),
        ("hours: shop\nstates: {}", False),
        ("actions:\n  find: {}", False),
        ("facts: {basket: money}", False),
        ("states: {a: {choose: [{when: now.weekday == monday}]}}", False),
        ("states: {a: {say: 'Ici {call.number}'}}", False),
    ],
)
def test_flows_that_ask_the_world_are_known_by_their_files(tmp_path: Path, text: str, is_plain: bool) -> None:
    notes = _notes(tmp_path, text)
    note = notes("fr/x")
    assert note is not None
    assert note.is_plain is is_plain
    assert notes("fr/none") is None


def test_an_edit_makes_another_version_and_a_while_in_which_nothing_is_kept(tmp_path: Path) -> None:
    notes = _notes(tmp_path, "states: {a: {say: welcome}}")
    before = notes("fr/x")
    for name in ("flows/fr/x.yaml", "flows/fr/intents.yaml", "prompts/fr/prompts.yaml"):
        path = tmp_path / name
        path.write_text(f"{path.read_text()}\n# edited", encoding="utf-8")
        assert notes("fr/x") != before
        before = notes("fr/x")
    assert not notes.is_calm("fr/x", time.time())
    for path in tmp_path.rglob("*.yaml"):
        os.utime(path, (1_000.0, 1_000.0))
    assert notes.is_calm("fr/x", 1_000.0 + CALM_S)


def test_messages_of_the_conversation_before_do_not_count() -> None:
    old = (TextMessage("q-c0-0", "user", "hello", 1.0), TextMessage("p", "assistant", "x", 1.0, "flow", "q-c0-0"))
    now, _ = begin(TextConversation("client-a", messages=old), "c1", "fr/x", 1.0)
    now, _ = query(now, "q-c1-2", "again", 1.0)
    assert queries_of(now) == ("again",)


def _notes(folder: Path, text: str) -> FlowNotes:
    for name, body in (("flows/fr/x", text), ("flows/fr/intents", "{}"), ("prompts/fr/prompts", "{}")):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
    return FlowNotes(folder / "flows", folder / "prompts")
