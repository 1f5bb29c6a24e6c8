"""What goes into the dialogue (events, past tense) and what comes out of it (actions). Pure: frozen dataclasses.

`at` is in seconds since the epoch. The shell makes events of the messages on the bus and of what effects came to, and
carries the actions out: messages of `protocol` are sent, timers started, effects run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dialogue.effects import DropEffect, Effect, EffectDone
from protocol.items import ItemHeard
from protocol.messages import (
    CallConcluded,
    EndUtterance,
    HangUp,
    Listen,
    PlaybackState,
    Say,
    StopPlayback,
    TransferCall,
    TurnTaken,
)

Committed: TypeAlias = Literal["early", "endpoint", "dtmf", "no_input", "no_speech", "unsure", "trouble", "continued"]


@dataclass(frozen=True)
class Begun:
    """The conversation begins: its first event. `variables` are facts of the call that the flow may use."""

    call_id: str
    at: float
    caller_number: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    direction: str = "inbound"
    slots: Mapping[str, str] = field(default_factory=dict)
    """What the call before came to know, when the caller comes back because no adviser took them."""


@dataclass(frozen=True)
class Resumed:
    """The bot manager was restarted and goes on with this call: the pending timer is started anew."""

    at: float


@dataclass(frozen=True)
class HoldBegan:
    """The caller put the call on hold (protocol CallHeld): they hear nothing, and what is heard is not them."""

    at: float


@dataclass(frozen=True)
class HoldEnded:
    """The caller is there again (protocol CallTakenBack)."""

    at: float


@dataclass(frozen=True)
class SpeechBegan:
    """The caller began to speak (protocol SpeechStarted)."""

    at: float
    turn: int
    utterance: int


@dataclass(frozen=True)
class Recognised:
    """Words of an utterance. `final` is False for guess number `revision` (protocol UtteranceGuessed).

    `aside`: doubtful speech that did not stop the prompt it was said over (UtteranceTranscribed).
    """

    at: float
    turn: int
    utterance: int
    text: str
    confidence: float = 1.0
    final: bool = True
    revision: int = 0
    aside: bool = False
    reason: str = ""
    speech_started_at: float = 0.0
    """By the receiver's clock; 0 where it is not known."""


@dataclass(frozen=True)
class Understood:
    """Text and intent of an utterance; `final`, `revision` and `aside` as in Recognised.

    `faq_set` tells that the FAQ set answered; with `fallback` neither set had a match and `intent` means nothing.
    Where `needs_intent` was False nobody was asked: `intent` is empty, `fallback` False, the text itself answers.
    """

    at: float
    turn: int
    utterance: int
    text: str
    recognition_confidence: float
    intent: str = ""
    intent_score: float = 0.0
    faq_set: bool = False
    fallback: bool = False
    final: bool = True
    revision: int = 0
    aside: bool = False
    speech_started_at: float = 0.0


@dataclass(frozen=True)
class NothingHeard:
    """An utterance gave no text; `final` as in Understood. Somebody spoke and was not understood where `reason` is one
    of NOT_UNDERSTOOD, else it was a noise."""

    at: float
    turn: int
    utterance: int
    reason: str = ""
    final: bool = True
    revision: int = 0


@dataclass(frozen=True)
class RecognitionTrouble:
    """The recogniser gave no answer for an utterance."""

    at: float
    turn: int
    utterance: int
    reason: str


@dataclass(frozen=True)
class IntentTrouble:
    """The intent service gave no answer for an utterance; `code` is one of the specification's four."""

    at: float
    turn: int
    utterance: int
    text: str
    code: str
    recognition_confidence: float = 1.0


@dataclass(frozen=True)
class DigitPressed:
    """The caller pressed a key: 0-9 * #."""

    at: float
    digit: str


@dataclass(frozen=True)
class PlaybackBegan:
    """The prompts of this playback are being heard."""

    at: float
    playback_id: str


@dataclass(frozen=True)
class PlaybackEnded:
    """What this playback says is over; `offset_ms` is how much of it was played in all, `heard` tells it by item."""

    at: float
    playback_id: str
    state: PlaybackState
    offset_ms: int
    heard: tuple[ItemHeard, ...] = ()


@dataclass(frozen=True)
class CommandRefused:
    """Asterisk refused a command (protocol RequestRefused)."""

    at: float
    command: str
    reason: str


@dataclass(frozen=True)
class AudioGone:
    """No packet of the caller comes any more (protocol AudioLost): their line is dead, or they cannot be heard."""

    at: float
    silent_ms: int


@dataclass(frozen=True)
class BackboneAway:
    """Redis did not take messages for so long that the caller must be handed off with an apology."""

    at: float


@dataclass(frozen=True)
class TimerExpired:
    """A timer that an action started has run out; one with another serial than the latest is void."""

    at: float
    name: str
    serial: int


@dataclass(frozen=True)
class CallOver:
    """The caller's channel is gone (protocol CallEnded)."""

    at: float
    reason: str


DialogueEvent: TypeAlias = (
    Begun
    | Resumed
    | HoldBegan
    | HoldEnded
    | SpeechBegan
    | Recognised
    | EffectDone
    | Understood
    | NothingHeard
    | RecognitionTrouble
    | IntentTrouble
    | DigitPressed
    | PlaybackBegan
    | PlaybackEnded
    | CommandRefused
    | AudioGone
    | BackboneAway
    | TimerExpired
    | CallOver
)


@dataclass(frozen=True)
class StartTimer:
    """Send TimerExpired(name, serial) in `after_ms`. A call has one timer: starting one ends the one before."""

    name: str
    serial: int
    after_ms: int


@dataclass(frozen=True)
class Noted:
    """For metrics and the call record: something happened that is neither turn nor outcome.

    `what` is one of NOTED; `detail` a few words (a reason, a prompt), never what the caller said.
    """

    at: float
    turn: int
    what: str
    detail: str = ""


NOTED = (
    "barge_in",  # speech of the caller stopped a prompt
    "false_barge_in",  # ... and was none: the prompt goes on
    "backchannel",  # a bare yes or no was said before the question: it answers nothing
    "aside",  # doubtful speech that stopped no prompt turned out to be an answer
    "volunteered",  # a question was answered before it was asked
    "aside_ignored",  # ... or meant nothing here: the prompt went on
    "false_cut_off",  # speech went on after an early commit and changed its meaning
    "playback_failed",  # a prompt could not be played
    "playback_lost",  # nothing was reported of a playback in time
    "recognition_trouble",
    "intent_trouble",
    "ending_doubted",  # an intent that hangs up, of words that were not recognised well, was asked about once
    "dead_air",  # an answer took so long that the caller was told to wait
    "nothing_heard",  # a noise without words
    "not_understood",  # somebody spoke, and the recogniser could not tell what was said
    "held",  # the caller put the call on hold
    "taken_back",  # ... and is there again, or was on hold for too long to be waited for
    "audio_lost",  # the caller's audio stopped coming
    "stale",  # an event of a turn that is over
    "key_ignored",  # a key that means nothing here
    "refused",  # a command was refused by Asterisk
    "counter_over",  # a counter passed its limit
    "too_many_turns",
    "fact_refused",  # what the dialplan or a campaign passed in has not the type that the flow gives it
    "corrected",  # a slot that was filled before has another value now: which one
    "nothing_to_choose",  # a list to choose from was empty: the slot that it was for
    "action",  # what came of an action: its state, its name, the outcome
    "action_unsendable",  # a request could not be made of the values that there were
    "action_misread",  # an answer was not what the flow says it is: the field that was wrong
    "unset",  # a condition needed a value that was not there
    "handed_over",  # the dialogue did not know what to do with an event: the caller was handed over
)

DialogueAction: TypeAlias = (
    Say
    | StopPlayback
    | Listen
    | EndUtterance
    | TransferCall
    | HangUp
    | StartTimer
    | TurnTaken
    | CallConcluded
    | Effect
    | DropEffect
    | Noted
)
