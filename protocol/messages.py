"""What the services say to each other: events (past tense) and commands (imperative), as frozen dataclasses.

Every message names its call. Times are seconds since the epoch (`time.time()`) of the machine that saw the thing
happen, durations are milliseconds. A message travels as a flat JSON object with its class name under "type"; handling
the same message twice does no harm.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

PlaybackState: TypeAlias = Literal["finished", "stopped", "failed"]


LONGEST_MESSAGE = 65_536
"""Characters of JSON; the largest of ours, a Listen with all its hints, has a tenth of that."""
_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class BadMessage(ValueError):
    """Bytes that are no message of ours; the text says which field is wrong, and never what was in it."""


# --- events of the ARI controller -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CallStarted:
    """A caller was answered. `flow` names the flow to run, empty for the default one."""

    call_id: str
    at: float
    caller_number: str
    called_number: str
    flow: str = ""


@dataclass(frozen=True)
class MediaStarted:
    """The caller's audio will come to the receiver from this source address (external media leg)."""

    call_id: str
    at: float
    source_host: str
    source_port: int


@dataclass(frozen=True)
class DtmfReceived:
    """The caller pressed one key, `digit` in 0-9 * #."""

    call_id: str
    at: float
    digit: str


@dataclass(frozen=True)
class PlaybackStarted:
    """First packet of a prompt is on its way to the caller. `playback_id` is the one of the PlayPrompts command."""

    call_id: str
    at: float
    playback_id: str


@dataclass(frozen=True)
class PlaybackFinished:
    """Every prompt of one PlayPrompts command is over. `offset_ms`: how much of it was played."""

    call_id: str
    at: float
    playback_id: str
    state: PlaybackState
    offset_ms: int


@dataclass(frozen=True)
class CallEnded:
    """The caller's channel is gone. `recording` is the path of the recording, empty if there is none."""

    call_id: str
    at: float
    reason: Literal["caller_hung_up", "bot_hung_up", "transferred", "lost"]
    recording: str = ""


@dataclass(frozen=True)
class RequestRefused:
    """Asterisk refused what a command asked for (a transfer to nowhere, a prompt that does not exist)."""

    call_id: str
    at: float
    command: str
    reason: str


# --- events of the RTP receiver ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SpeechStarted:
    """The caller began to speak in this turn; sent once confirmed (`barge_in_ms` of speech while the bot speaks).

    The `utterance` may be one that was told as an aside: it goes on then.
    """

    call_id: str
    at: float
    turn: int
    utterance: int


@dataclass(frozen=True)
class UtteranceGuessed:
    """Text of what was said so far, after `commit_silence_ms` of silence; the caller may go on speaking.

    `revision` counts the guesses of the utterance. The audio was posted when `eager_silence_ms` of silence were heard
    (`paused_at`), the text was there at `transcribed_at`, `commit_silence_ms` were over at `endpoint_at`.
    """

    call_id: str
    at: float
    turn: int
    utterance: int
    text: str
    confidence: float
    speech_started_at: float
    speech_ended_at: float
    posted_at: float
    reason: str = ""
    revision: int = 0
    paused_at: float = 0.0
    transcribed_at: float = 0.0
    endpoint_at: float = 0.0


@dataclass(frozen=True)
class UtteranceTranscribed:
    """The whole utterance as text. Empty text carries the `reason` (no speech, refused by a guard).

    The times are the stages of the turn: first and last voiced frame, end of the endpointing silence, audio heard that
    made us post it (`paused_at`), audio posted, transcript there. `audio_ms` is the length of the posted segment.

    `aside`: said over a prompt, and not surely enough speech to stop it. No SpeechStarted came before it and it has
    text: of one that comes to nothing (noise, no answer of the recogniser) nothing is told at all.
    """

    call_id: str
    at: float
    turn: int
    utterance: int
    text: str
    confidence: float
    speech_started_at: float
    speech_ended_at: float
    endpoint_at: float
    posted_at: float
    audio_ms: int
    reason: str = ""
    paused_at: float = 0.0
    transcribed_at: float = 0.0
    aside: bool = False


@dataclass(frozen=True)
class RecognitionFailed:
    """The utterance was heard but the recogniser gave no answer (down, full, too late)."""

    call_id: str
    at: float
    turn: int
    utterance: int
    reason: str


@dataclass(frozen=True)
class AudioLost:
    """No RTP packet of this call for `silent_ms`."""

    call_id: str
    at: float
    silent_ms: int


# --- events of the bot manager ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TurnTaken:
    """The dialogue understood a turn and moved on. Nobody acts on it: it is there to be watched.

    `committed` says what ended the turn (early, endpoint, dtmf, no_input, ...), `slots` is what is known so far, as
    `name=value`.
    """

    call_id: str
    at: float
    turn: int
    state: str
    next_state: str
    text: str
    intent: str
    score: float
    committed: str
    slots: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallConcluded:
    """The dialogue knows how the call came out. `lead` is its final slots, as `name=value`. Only to be watched."""

    call_id: str
    at: float
    outcome: str
    lead: tuple[str, ...] = ()


# --- commands of the bot manager --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlayPrompts:
    """Play these prompts one after the other. `prompts` are names of `audio_prompts/<language>/<name>.wav`.

    `offset_ms` skips that much of the first prompt (resume after a false barge-in).
    """

    call_id: str
    at: float
    turn: int
    playback_id: str
    language: str
    prompts: tuple[str, ...]
    offset_ms: int = 0


@dataclass(frozen=True)
class StopPlayback:
    """Silence every queued and running playback of the call."""

    call_id: str
    at: float


@dataclass(frozen=True)
class Listen:
    """How to listen from now on: the turn that utterances belong to, and what counts as its end.

    `eager_silence_ms` of silence make a guess, which is told once `commit_silence_ms` are over, if that is more.
    `turn_model`: guesses are told only if the caller sounds as if he had finished, and end after `whole_silence_ms`.
    `barge_in`: utterances are also made while the bot speaks, from `barge_in_ms` of evidence for speech on; with less
    they are asides. `hints`: words the recogniser may expect.
    """

    call_id: str
    at: float
    turn: int
    language: str
    eager_silence_ms: int = 200
    end_silence_ms: int = 700
    max_utterance_ms: int = 15_000
    barge_in: bool = False
    barge_in_ms: int = 100
    hints: tuple[str, ...] = ()
    commit_silence_ms: int = 0
    turn_model: bool = False
    whole_silence_ms: int = 350


@dataclass(frozen=True)
class EndUtterance:
    """What guess `revision` of an utterance holds is a whole answer: end it after `silence_ms` of silence.

    Said of the guess alone: speech that resumes voids it, and the silence of `Listen` is in force again.
    """

    call_id: str
    at: float
    turn: int
    utterance: int
    revision: int
    silence_ms: int


@dataclass(frozen=True)
class TransferCall:
    """Hand the caller over to a dialplan extension."""

    call_id: str
    at: float
    extension: str
    reason: str = ""


@dataclass(frozen=True)
class HangUp:
    """End the call."""

    call_id: str
    at: float
    reason: str = ""


Event: TypeAlias = (
    CallStarted
    | MediaStarted
    | DtmfReceived
    | PlaybackStarted
    | PlaybackFinished
    | CallEnded
    | RequestRefused
    | SpeechStarted
    | UtteranceGuessed
    | UtteranceTranscribed
    | RecognitionFailed
    | AudioLost
    | TurnTaken
    | CallConcluded
)
Command: TypeAlias = PlayPrompts | StopPlayback | Listen | EndUtterance | TransferCall | HangUp
Message: TypeAlias = Event | Command

_CLASSES: dict[str, type[Any]] = {cls.__name__: cls for cls in (*get_args(Event), *get_args(Command))}


def _fields(cls: type[Any]) -> list[tuple[str, Any, Any, bool]]:
    """Name, type, what that is made of (tuple, Literal or nothing) and whether it must be there, of every field."""
    hints = get_type_hints(cls)
    return [
        (spec.name, hints[spec.name], get_origin(hints[spec.name]), spec.default is dataclasses.MISSING)
        for spec in dataclasses.fields(cls)
    ]


_FIELDS = {name: _fields(cls) for name, cls in _CLASSES.items()}
_to_json = json.JSONEncoder(ensure_ascii=False).encode


def encode(message: Message) -> str:
    """The JSON text of a message."""
    kind = type(message).__name__
    values = {name: getattr(message, name) for name, _, _, _ in _FIELDS[kind]}
    return _to_json({"type": kind, **values})


def decode(text: str | bytes) -> Message:
    """The message of a JSON text. Unknown fields are ignored (a newer sender); anything else raises BadMessage.

    What is let in can be a key, a file name and a line of a log: call ids have no odd characters, texts no half ones.
    """
    if len(text) > LONGEST_MESSAGE:
        raise BadMessage(f"{len(text)} characters; at most {LONGEST_MESSAGE} are taken")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadMessage("not a JSON object")
    kind = body.get("type")
    cls = _CLASSES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise BadMessage(f"unknown message type {kind[:40] if isinstance(kind, str) else None!r}")
    values: dict[str, Any] = {}
    for name, hint, origin, required in _FIELDS[cls.__name__]:
        if name in body:
            values[name] = _checked(cls, name, hint, origin, body[name])
        elif required:
            raise BadMessage(f"{kind}.{name} is missing")
    if not _CALL_ID.fullmatch(values["call_id"]) or ".." in values["call_id"]:
        raise BadMessage(f"{kind}.call_id has characters that we do not let in")
    message: Message = cls(**values)
    return message


def _checked(cls: type[Any], name: str, hint: Any, origin: Any, value: object) -> object:
    """`value` as the field type `hint`, or BadMessage."""
    if origin is Literal:
        if isinstance(value, str) and value in get_args(hint):
            return value
    elif origin is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(map(_whole, value))
    elif hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool) and -1e6 < value < _LATEST:
            return float(value)
    elif hint is int:
        if type(value) is int and -_LARGEST < value < _LARGEST:
            return value
    elif hint is str:
        if isinstance(value, str):
            return _whole(value)
    elif type(value) is hint:
        return value
    raise BadMessage(f"{cls.__name__}.{name} must be {getattr(hint, '__name__', hint)}, not {_described(value)}")


_LARGEST = 2**63
"""No number of ours is near it, and databases take none beyond."""
_LATEST = 1e11
"""Seconds since the epoch, in the year 5138: calendars end soon after. Scores are below it too; NaN is not."""


def _described(value: object) -> str:
    """What a value is, without what is in it: that may be what a caller said."""
    return f"{type(value).__name__}" + (f" {value}" if isinstance(value, bool | float) or value is None else "")


def _whole(text: str) -> str:
    """A text without halves of characters (lone surrogates, which JSON can carry and nothing else can)."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
