"""The same words lead a caller who speaks and one who writes to the same states, slots and ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from audio_prompts.catalogue import read_catalogue
from bot_manager.call import recognised
from dialogue.effects import Effect, EffectDone
from dialogue.events import Begun, CallOver, DialogueAction, DialogueEvent, PlaybackBegan, PlaybackEnded, SpeechBegan
from dialogue.flow import Flow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known
from dialogue.flow_store import intent_names
from dialogue.rehearsal import BEGIN_AT, Decision, Rehearsal, Resolver
from dialogue.scores import Score, phrases_resolver, read_scores
from dialogue.voice import Dialogue, handle
from protocol.items import label
from protocol.messages import (
    CallConcluded,
    CallEnded,
    CallStarted,
    Command,
    Event,
    PlaybackFinished,
    PlaybackStarted,
    SpeechStarted,
    TurnTaken,
    UtteranceTranscribed,
)
from text_service.conversation import TextConversation, begin, commanded, query

ROOT = Path(__file__).resolve().parents[2]
CALL = "local-text-01m8k1jjc2mz5v9aqeq6e67kaw"
CHECKS = {"hears", "hears_not", "state", "slots", "counters", "ends", "confirming", "intent_was", "transferred_to"}
WRITTEN = [
    score
    for path in sorted((ROOT / "tests" / "flows" / "scores").glob("*.yaml"))
    for score in read_scores(path)
    if score.flow == "fr/heating" and all("says" in step or set(step) <= CHECKS for step in score.steps)
]
"""What is only said can be written, too; coughs, keys, holds and barge-ins cannot."""


class Desk:
    """The bot manager's part, in one thread: events of the bus into the dialogue, its commands out."""

    def __init__(self, flow: Flow, resolve: Resolver) -> None:
        self.flow, self.resolve = flow, resolve
        self.dialogue = Dialogue()
        self.turns: list[TurnTaken] = []
        self.concluded: CallConcluded | None = None
        self.commands: list[Command] = []
        self.decision: Decision | None = None

    def take(self, event: Event) -> None:
        match event:
            case CallStarted():
                self._feed(Begun(event.call_id, BEGIN_AT, event.caller_number, event.variables, event.direction))
            case SpeechStarted():
                self._feed(SpeechBegan(BEGIN_AT, event.turn, event.utterance))
            case UtteranceTranscribed():
                self._feed(recognised(event))
            case PlaybackStarted():
                self._feed(PlaybackBegan(BEGIN_AT, event.playback_id))
            case PlaybackFinished():
                self._feed(PlaybackEnded(BEGIN_AT, event.playback_id, event.state, event.offset_ms, event.heard))
            case CallEnded():
                self._feed(CallOver(BEGIN_AT, event.reason))

    def _feed(self, event: DialogueEvent) -> None:
        self.dialogue, actions = handle(self.flow, self.dialogue, event)
        for action in actions:
            self._act(action)

    def _act(self, action: DialogueAction) -> None:
        if isinstance(action, TurnTaken):
            self.turns.append(action)
        elif isinstance(action, CallConcluded):
            self.concluded = action
        elif isinstance(action, Command):
            self.commands.append(action)
        elif isinstance(action, Effect) and action.kind == "intent":
            asked: Mapping[str, Any] = action.arguments
            decision = self.decision or self.resolve(asked["sentence"], tuple(asked["allowed"]))
            self._feed(EffectDone(BEGIN_AT, action.id, asdict(decision)))


class Chat:
    """A client at such a desk."""

    def __init__(self, flow: Flow, resolve: Resolver) -> None:
        self.desk = Desk(flow, resolve)
        self.now, events = begin(TextConversation("client-1"), CALL, "", BEGIN_AT)
        self._tell(events)

    def writes(self, text: str) -> None:
        self.now, events = query(self.now, f"q{len(self.now.messages)}", text, BEGIN_AT)
        self._tell(events)
        assert not self.now.pending, "no answer"

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self.desk.take(event)
        while self.desk.commands:
            command = self.desk.commands.pop(0)
            self.now, more = commanded(self.now, command, lambda _, items: " ".join(map(label, items)), BEGIN_AT)
            self._tell(more)


@pytest.fixture(scope="module")
def heating() -> Flow:
    folder = ROOT / "flows" / "fr"
    texts = read_catalogue(ROOT / "audio_prompts" / "fr" / "prompts.yaml").texts
    known = Known(
        intent_names(folder / "intents.yaml"),
        intent_names(folder / "faqs.yaml"),
        {name: len(text) * 70 for name, text in texts.items()},
    )
    return read_flow((folder / "heating.yaml").read_text(encoding="utf-8"), "flows/fr/heating.yaml", known)


@pytest.fixture(scope="module")
def resolve(heating: Flow) -> Resolver:
    return phrases_resolver(ROOT / "flows", "fr", heating.faqs)


def test_who_writes_no_words_is_answered(heating: Flow, resolve: Resolver) -> None:
    chat = Chat(heating, resolve)
    chat.writes("euh")
    assert chat.now.messages[-1].role == "assistant"
    assert len(chat.now.answers_to(chat.now.messages[1].id)) == 1


def test_there_is_enough_to_compare() -> None:
    assert len(WRITTEN) >= 40


@pytest.mark.parametrize("score", WRITTEN, ids=[score.name for score in WRITTEN])
def test_who_writes_comes_where_who_speaks_comes(score: Score, heating: Flow, resolve: Resolver) -> None:
    spoken, written = Rehearsal(heating, resolve, BEGIN_AT), Chat(heating, resolve)
    for step in score.steps:
        if "says" not in step or not written.now.goes_on:
            continue
        spoken.says(str(step["says"]))
        spoken.listen()
        written.writes(str(step["says"]))
        if any(noted.what == "nothing_heard" for noted in spoken.noted):
            break  # a speaker who hesitates is waited for, a writer is told that they were not understood
        voice, text = spoken.dialogue.conversation, written.desk.dialogue.conversation
        assert (text.state, text.slots, text.counters, text.ending) == (
            voice.state,
            voice.slots,
            voice.counters,
            voice.ending,
        )
    else:
        _came_out_alike(spoken, written)


def _came_out_alike(spoken: Rehearsal, written: Chat) -> None:
    assert [turn.intent for turn in written.desk.turns] == [turn.intent for turn in spoken.turns]
    assert written.now.goes_on == (not spoken.over)
    if spoken.concluded is not None:
        assert written.desk.concluded is not None
        assert written.desk.concluded.outcome == spoken.concluded.outcome
        assert written.desk.concluded.lead == spoken.concluded.lead
