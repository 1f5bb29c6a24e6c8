"""What the services say to each other: events (past tense) and commands (imperative), as frozen structs.

Every message names its call and carries the version of the protocol that its sender speaks. `at` is seconds since the
epoch on the clock of the machine that saw the thing happen: good for records and measurements. Nothing is decided by
the times of two machines; how old a message is, is told by Redis' clock in the id of its stream entry. Durations are
milliseconds. Handling the same message twice does no harm.

`protocol.codec` makes JSON of them and reads it: strict in writing, forgiving in reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from protocol.items import Item, ItemHeard, Milliseconds

VERSION = 2
"""Of the messages. 1 had flat ones without a version, and said names of prompts only (protocol.version_1)."""

PlaybackState: TypeAlias = Literal["finished", "stopped", "failed"]
Direction: TypeAlias = Literal["inbound", "outbound", "browser", "text"]
EndReason: TypeAlias = Literal["caller_hung_up", "bot_hung_up", "transferred", "lost", "other"]
HandoffResult: TypeAlias = Literal["answered", "busy", "declined", "no_answer", "unreachable", "given_up", "other"]
Number: TypeAlias = Annotated[float, Meta(ge=-1e6, le=1e11)]
"""Seconds since the epoch, below the year 5138 (calendars end soon after), or a score."""
Integer: TypeAlias = Annotated[int, Meta(ge=-(2**62), le=2**62)]
"""No number of ours is near its bounds, and databases take none beyond."""
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]


class _Versioned(Struct, frozen=True, kw_only=True, tag_field="type", tag=str):
    v: int = VERSION


class _Message(_Versioned, frozen=True):
    call_id: str
    at: Number


# --- events of the ARI controller -------------------------------------------------------------------------------------


class CallStarted(_Message, frozen=True):
    """A conversation began: a caller was answered, or somebody who was called answered.

    `flow` names the flow to run, empty for the default one; `called_number` is the number that was dialled,
    `channel_id` Asterisk's name for the caller's channel, `variables` what the dialplan or a campaign passed in.
    """

    caller_number: str
    called_number: str
    flow: str = ""
    channel_id: str = ""
    direction: Direction = "inbound"
    variables: Mapping[str, str] = {}


class MediaStarted(_Message, frozen=True):
    """The caller's audio will come to the receiver from this source address (external media leg)."""

    source_host: str
    source_port: Port

    def __post_init__(self) -> None:
        ip_address(self.source_host)  # one bad order must cost one call, not the thread that hears all


class DtmfReceived(_Message, frozen=True):
    """The caller pressed one key, `digit` in 0-9 * #."""

    digit: str


class CallHeld(_Message, frozen=True):
    """The caller put the call on hold: they hear nothing, and what comes from their side is not them."""


class CallTakenBack(_Message, frozen=True):
    """The caller is there again after a hold."""


class PlaybackStarted(_Message, frozen=True):
    """First packet of what is said is on its way to the caller. `playback_id` is the one of the Say command."""

    playback_id: str


class PlaybackFinished(_Message, frozen=True):
    """What one Say command and its Appends asked for is over.

    `heard` tells of each item, in their order, what became of it. `offset_ms` is how much was played in all.
    """

    playback_id: str
    state: PlaybackState
    offset_ms: Integer
    heard: tuple[ItemHeard, ...] = ()


class CallEnded(_Message, frozen=True):
    """The caller's channel is gone. `recording` is the path of the recording, empty if there is none."""

    reason: EndReason
    recording: str = ""


class CallForgotten(_Message, frozen=True):
    """Who wrote wants it forgotten: the personal parts of this conversation's record are taken out."""


class HandoffEnded(_Message, frozen=True):
    """What became of a call that was transferred, where the dialplan rings somebody; its CallEnded may come before or
    after. `given_up`: the caller hung up while it rang."""

    result: HandoffResult


class RequestRefused(_Message, frozen=True):
    """Asterisk refused what a command asked for (a transfer to nowhere, a prompt that does not exist)."""

    command: str
    reason: str


# --- events of the RTP receiver ---------------------------------------------------------------------------------------


class SpeechStarted(_Message, frozen=True):
    """The caller began to speak in this turn; sent once confirmed (`barge_in_ms` of speech while the bot speaks).

    The `utterance` may be one that was told as an aside: it goes on then.
    """

    turn: Integer
    utterance: Integer


NOT_UNDERSTOOD: Final = frozenset({"unsure", "too_fast", "clipped"})
"""Reasons of a transcript without text for which somebody did speak: they are told so. For the others (`no_speech` and
its like) it was a noise."""


class UtteranceGuessed(_Message, frozen=True):
    """Text of what was said so far, after `commit_silence_ms` of silence; the caller may go on speaking.

    `revision` counts the guesses of the utterance. The audio was posted when `eager_silence_ms` of silence were heard
    (`paused_at`), the text was there at `transcribed_at`, `commit_silence_ms` were over at `endpoint_at`.
    """

    turn: Integer
    utterance: Integer
    text: str
    confidence: Number
    speech_started_at: Number
    speech_ended_at: Number
    posted_at: Number
    reason: str = ""
    revision: Integer = 0
    paused_at: Number = 0.0
    transcribed_at: Number = 0.0
    endpoint_at: Number = 0.0


class UtteranceTranscribed(_Message, frozen=True):
    """The whole utterance as text. Empty text carries the `reason`: not understood (`NOT_UNDERSTOOD`), or no speech.

    The times are the stages of the turn: first and last voiced frame, end of the endpointing silence, audio heard that
    made us post it (`paused_at`), audio posted, transcript there. `audio_ms` is the length of the posted segment.

    `aside`: said over a prompt, and not surely enough speech to stop it. No SpeechStarted came before it and it has
    text: of one that comes to nothing (noise, no answer of the recogniser) nothing is told at all.
    """

    turn: Integer
    utterance: Integer
    text: str
    confidence: Number
    speech_started_at: Number
    speech_ended_at: Number
    endpoint_at: Number
    posted_at: Number
    audio_ms: Integer
    reason: str = ""
    paused_at: Number = 0.0
    transcribed_at: Number = 0.0
    aside: bool = False


class RecognitionFailed(_Message, frozen=True):
    """The utterance was heard but the recogniser gave no answer (down, full, too late)."""

    turn: Integer
    utterance: Integer
    reason: str


class AudioLost(_Message, frozen=True):
    """No RTP packet of this call for `silent_ms`."""

    silent_ms: Integer


# --- events of the bot manager ----------------------------------------------------------------------------------------


class TurnTaken(_Message, frozen=True):
    """The dialogue understood a turn and moved on. Nobody acts on it: it is there to be watched.

    `committed` says what ended the turn (early, endpoint, dtmf, no_input, no_speech, unsure, ...), `slots` is what is
    known so far, as `name=value`.
    """

    turn: Integer
    state: str
    next_state: str
    text: str
    intent: str
    score: Number
    committed: str
    slots: tuple[str, ...] = ()


class CallConcluded(_Message, frozen=True):
    """The dialogue knows how the call came out. `lead` is its final slots, as `name=value`. Only to be watched."""

    outcome: str
    lead: tuple[str, ...] = ()


# --- commands of the bot manager --------------------------------------------------------------------------------------


class Say(_Message, frozen=True):
    """Say these items one after the other, after what is being said.

    `offset_ms` skips that much of the first (resume after a false barge-in). `open`: more will come by Append; the
    playback is over only after an Append that is the last. `parting`: the good-bye, after which the conversation ends.
    """

    turn: Integer
    playback_id: str
    language: str
    items: tuple[Item, ...]
    offset_ms: Milliseconds = 0
    open: bool = False
    parting: bool = False


class Append(_Message, frozen=True):
    """More to say in an open playback, while it plays. `last`: nothing comes after it."""

    playback_id: str
    items: tuple[Item, ...]
    last: bool = False


class StopPlayback(_Message, frozen=True):
    """Silence every queued and running playback of the call."""


class Listen(_Message, frozen=True):
    """How to listen from now on: the turn that utterances belong to, and what counts as its end.

    `eager_silence_ms` of silence make a guess, which is told once `commit_silence_ms` are over, if that is more.
    `turn_model`: guesses are told only if the caller sounds as if they had finished, and end after `whole_silence_ms`.
    `barge_in`: utterances are also made while the bot speaks, from `barge_in_ms` of evidence for speech on; with less
    they are asides. `hints`: words the recogniser may expect. `awaited`: what the state can accept (`yes_no`, and the
    types of slots), for the recogniser to weigh against what it heard; `choices`: of a choice the phrases of each, with
    `|` between them. `state`: the flow's, for who shows it; `asks`: whether an answer is awaited there, and not
    what comes of an action, or the end. `known`: to who writes, the slots that are known, as `name=value`.
    """

    turn: Integer
    language: str
    eager_silence_ms: Integer = 200
    end_silence_ms: Integer = 700
    max_utterance_ms: Integer = 15_000
    barge_in: bool = False
    barge_in_ms: Integer = 100
    hints: tuple[str, ...] = ()
    commit_silence_ms: Integer = 0
    turn_model: bool = False
    whole_silence_ms: Integer = 350
    awaited: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    state: str = ""
    asks: bool = True
    known: tuple[str, ...] = ()


class EndUtterance(_Message, frozen=True):
    """What guess `revision` of an utterance holds is a whole answer: end it after `silence_ms` of silence.

    Said of the guess alone: speech that resumes voids it, and the silence of `Listen` is in force again.
    """

    turn: Integer
    utterance: Integer
    revision: Integer
    silence_ms: Integer


class TransferCall(_Message, frozen=True):
    """Hand the caller over to a dialplan extension."""

    extension: str
    reason: str = ""


class HangUp(_Message, frozen=True):
    """End the call."""

    reason: str = ""


Event: TypeAlias = (
    CallStarted
    | MediaStarted
    | DtmfReceived
    | CallHeld
    | CallTakenBack
    | PlaybackStarted
    | PlaybackFinished
    | CallEnded
    | CallForgotten
    | HandoffEnded
    | RequestRefused
    | SpeechStarted
    | UtteranceGuessed
    | UtteranceTranscribed
    | RecognitionFailed
    | AudioLost
    | TurnTaken
    | CallConcluded
)
Command: TypeAlias = Say | Append | StopPlayback | Listen | EndUtterance | TransferCall | HangUp
Message: TypeAlias = Event | Command
