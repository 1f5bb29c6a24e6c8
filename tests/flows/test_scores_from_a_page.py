"""Every conversation score comes out alike by telephone and from a page: the same states, slots, intents, outcome.

What the bot says goes through the voice of browser calls, frame by frame, to a page that plays it; the dialogue is
told what that page has heard.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from browser_audio.playing import CallVoice
from browser_audio.sound import FRAME_BYTES, FRAME_MS
from dialogue.events import Begun, DialogueAction, DialogueEvent, PlaybackBegan, PlaybackEnded
from dialogue.flow import Flow
from dialogue.rehearsal import Decision, Rehearsal, Resolver
from dialogue.scores import Score, play, read_scores
from protocol.items import label
from protocol.messages import Append, Event, PlaybackFinished, PlaybackStarted, Say, StopPlayback

FOLDER = Path(__file__).parent / "scores"
SCORES = [score for path in sorted(FOLDER.glob("*.yaml")) for score in read_scores(path)]
LONGEST_TICKS = 10_000


class PageRehearsal(Rehearsal):
    """A call from a page that plays each frame in its 20 ms and says so."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.voice = CallVoice("score")
        self.heard = 0
        super().__init__(*arguments, **named)

    def feed(self, event: DialogueEvent) -> list[DialogueAction]:
        if isinstance(event, Begun):
            event = dataclasses.replace(event, direction="browser")
        actions = super().feed(event)
        for action in actions:
            match action:
                case Say():
                    self.voice.say(
                        action.playback_id, action.language, action.items, action.offset_ms, is_open=action.open
                    )
                case Append():
                    self.voice.append(action.playback_id, action.items, action.last)
                case StopPlayback():
                    until, told = self.voice.stop(self.at)
                    self._told(told if until is None else self.voice.settled(self.heard, self.at))
        return actions

    def interrupts(self, text: str, after_ms: int, decision: Decision | None = None) -> None:
        self._began()
        for _ in range(after_ms // FRAME_MS):
            self._tick()
        super().interrupts(text, after_ms, decision)

    def playback_fails(self) -> None:
        for playback in self.voice.queue:
            for item in playback.items:
                item.begun = item.whole = item.failed = True
                item.sound.clear()
        self._until(lambda: not self.voice.queue)

    def _began(self) -> None:
        playback = self.dialogue.playback
        if playback is not None and not playback.began_at:
            self.at += FRAME_MS / 1_000
            self._tick()

    def _hear_out(self) -> None:
        playback = self.dialogue.playback
        if playback is not None:
            self._began()
            self._until(lambda: all(one.playback_id != playback.playback_id for one in self.voice.queue))

    def _until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(LONGEST_TICKS):
            if is_so():
                return
            self.at += FRAME_MS / 1_000
            self._tick()
        raise AssertionError("what is said has no end")

    def _tick(self) -> None:
        for order in self.voice.to_make():
            ms = max(FRAME_MS, self.flow.prompt_ms.get(label(order.item), 0)) - order.skip_ms
            order.sound += bytes(max(0, -(-ms // FRAME_MS)) * FRAME_BYTES)
            order.whole = True
        _, told = self.voice.tick(self.at)
        self.heard += self.heard < self.voice.next_number
        self._told([*told, *self.voice.has_played(self.heard, self.at)])

    def _told(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case PlaybackStarted():
                    self.feed(PlaybackBegan(self.at, event.playback_id))
                case PlaybackFinished():
                    self.heard = max(self.heard, self.voice.played)
                    self.feed(PlaybackEnded(self.at, event.playback_id, event.state, event.offset_ms, event.heard))


def came_to(conversation: Rehearsal) -> Mapping[str, object]:
    """What is compared."""
    now, over = conversation.dialogue.conversation, conversation.concluded
    return {
        "states": [(turn.state, turn.next_state, turn.intent) for turn in conversation.turns],
        "slots": now.slots,
        "counters": now.counters,
        "ending": now.ending,
        "outcome": (over.outcome, over.lead) if over else None,
        "ended_by": conversation.ended_by and type(conversation.ended_by),
    }


def test_there_are_many_scores() -> None:
    assert len(SCORES) > 200


@pytest.mark.parametrize("score", SCORES, ids=[score.name for score in SCORES])
def test_a_score_comes_out_alike_by_telephone_and_from_a_page(
    score: Score, shipped: dict[str, Flow], resolvers: dict[str, Resolver]
) -> None:
    flow = shipped[score.flow]
    by_telephone = play(score, flow, resolvers[flow.language])
    from_page = play(score, flow, resolvers[flow.language], PageRehearsal)
    assert from_page.faults == by_telephone.faults == ()
    assert came_to(from_page.conversation) == came_to(by_telephone.conversation)
