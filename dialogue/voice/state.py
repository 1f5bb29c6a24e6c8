"""A call's dialogue: the conversation, and how its turns are being taken by voice. Pure and immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dialogue.conversation import Conversation, Volunteered
from dialogue.effects import EffectDone
from dialogue.events import Recognised
from protocol.items import Item, ItemHeard

Phase: TypeAlias = Literal[
    "new", "speaking", "waiting", "hearing", "thinking", "filling", "keying", "announcing", "acting",
    "held", "parting", "ending", "over",
]  # fmt: skip
TIMERS: dict[str, str] = {
    "speaking": "playback",
    "waiting": "no_input",
    "hearing": "speech",
    "thinking": "dead_air",
    "filling": "playback",
    "keying": "digits",
    "announcing": "playback",
    "acting": "action",
    "held": "hold",
    "parting": "playback",
    "ending": "ending",
}
"""What the one timer of a call waits for in each phase."""


@dataclass(frozen=True)
class PlaybackUnderWay:
    """Items on their way to the caller. `offset_ms` of the first had been heard before this playback began.

    `heard_ms` is how much was heard when it was cut, from the beginning of the first item: estimated until the report
    comes (`heard`, item by item).
    """

    playback_id: str
    items: tuple[Item, ...]
    offset_ms: int = 0
    began_at: float = 0.0
    fills: bool = False
    heard_ms: int = 0
    heard: tuple[ItemHeard, ...] = ()


@dataclass(frozen=True)
class Early:
    """What an early answer can be taken back to: the conversation before it, and the utterance answered before."""

    conversation: Conversation
    utterance: int


@dataclass(frozen=True)
class KnownMeaning:
    """The last answer of the intent service, and the words that it was about: a transcript mostly repeats its guess."""

    asked: Recognised
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Dialogue:
    """A conversation and its turn-taking. `phase` tells what is awaited, and the one timer of the call runs beside it:

    - speaking: the end of a playback; waiting: the caller; hearing: the end of what they say; thinking: its meaning
    - filling: the end of a "one moment" while the meaning is awaited; keying: more keys
    - announcing: the end of what is said while the world is asked; acting: what comes of that
    - held: that the caller takes the call back from hold
    - parting: the end of the good-bye; ending: the end of the call

    `patient`: who writes may take their time. `playbacks` counts playbacks, `serial` timers. `wait_ms`, when not 0,
    is how long the caller asked to be waited for. `filled`: the caller was asked to wait for this answer. `unheard`
    counts noises without words since something was understood, `ending_tries` how often the end was asked for.
    `utterance` is the last one that was answered; `early` what that can be taken back to, while the caller may
    still be speaking. `asked` is the utterance whose meaning is looked up under the effect `asking`. `beyond` are
    clauses of it that answer more than was asked and are looked up one by one, `looked_up` those that were.
    `spoken` is what was said last, be it over or not. `acted` is what came of the awaited action while something is
    being said.
    """

    conversation: Conversation = Conversation()
    phase: str = "new"
    patient: bool = False
    playbacks: int = 0
    serial: int = 0
    timer_ms: int = 0
    wait_ms: int = 0
    filled: bool = False
    unheard: int = 0
    ending_tries: int = 0
    digits: str = ""
    playback: PlaybackUnderWay | None = None
    interrupted: PlaybackUnderWay | None = None
    spoken: PlaybackUnderWay | None = None
    resumptions: int = 0
    utterance: int = 0
    utterance_text: str = ""
    early: Early | None = None
    asked: Recognised | None = None
    asking: str = ""
    beyond: tuple[str, ...] = ()
    looked_up: tuple[Volunteered, ...] = ()
    known: KnownMeaning | None = field(default=None)
    acted: EffectDone | None = None

    @property
    def over(self) -> bool:
        """Nothing more will happen."""
        return self.phase == "over"

    @property
    def timer(self) -> str:
        """What the running timer waits for."""
        return TIMERS.get(self.phase, "")

    @property
    def state(self) -> str:
        """The state of the flow."""
        return self.conversation.state

    @property
    def turn(self) -> int:
        """Questions so far."""
        return self.conversation.turn

    def asked_by(self, utterance: int) -> Conversation:
        """The conversation whose question an utterance answers: the one before, when it was answered early."""
        return self.early.conversation if self.early is not None and utterance == self.utterance else self.conversation
