"""What the endpointing decides: an utterance begins, may be over, is over; or it was none. Pure.

Times are numbers of chunks since the beginning of the stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """A piece of a stream in chunk numbers, first and last included.

    `first_voiced` to `last_voiced` is the speech, `first_chunk` to `last_chunk` the audio with pre-roll and at most
    `eager_silence_ms` of the silence behind it.
    """

    first_chunk: int
    last_chunk: int
    first_voiced: int
    last_voiced: int


@dataclass(frozen=True, slots=True)
class Began:
    """The caller speaks: confirmed."""

    turn: int
    utterance: int


@dataclass(frozen=True, slots=True)
class Guess:
    """What was said so far may be all. `revision` counts from 1 within the utterance; `settled` False: see Settled."""

    turn: int
    utterance: int
    revision: int
    span: SpeechSpan
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing was said for `commit_silence_ms` after what this guess holds."""

    utterance: int
    revision: int


@dataclass(frozen=True, slots=True)
class End:
    """The utterance is over. `guess`: the revision whose audio holds the same speech, 0 when there is none."""

    turn: int
    utterance: int
    guess: int
    span: SpeechSpan
    cause: Literal["silence", "too_long"]


@dataclass(frozen=True, slots=True)
class Aside:
    """Speech over a prompt that is over, and was not sure enough to stop it; or just after it, as soft as its echo.

    Speech that follows within `end_silence_ms` goes on with it: the utterance then has the same number and begins where
    this one does.
    """

    turn: int
    utterance: int
    span: SpeechSpan


@dataclass(frozen=True, slots=True)
class Faint:
    """What may have been a very short or very soft word, while an answer is awaited; it is over.

    Not sure enough for an utterance, but for the recogniser to hear. What follows goes on with it as with an Aside.
    """

    turn: int
    utterance: int
    span: SpeechSpan


@dataclass(frozen=True, slots=True)
class SpeechIgnored:
    """Speech that became no utterance: a click, one doubtful piece too many, a television in the background, words
    into a prompt without barge-in."""

    cause: Literal["too_short", "barge_in_unconfirmed", "faint", "background", "bot_speaking"]


EndpointDecision: TypeAlias = Began | Guess | Settled | End | Aside | Faint | SpeechIgnored
