"""One turn of a call as our own messages tell it: timestamps to the stages of the answer. Pure.

This is what we log. It is kept apart from the analyser of the caller's packets, so that the two can be compared; only
the first and the last moment, the caller's own, come from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from protocol.items import label
from protocol.messages import Message, PlaybackStarted, Say, TurnTaken, UtteranceGuessed, UtteranceTranscribed

STAGES = (
    "line and voice detection",
    "silence, then post",
    "recogniser",
    "silence",
    "intent, decision",
    "play",
    "prompt",
)
TAKEN_BY_VOICE = ("early", "endpoint", "continued")


@dataclass(frozen=True)
class LoggedTurn:
    """How a turn was taken, and how long each of STAGES took, in ms; they add up to the answer time that was heard.

    `own_ms` is what is ours of it: from the packet that decided to the post, from what may be used of the transcript to
    the first packet of the answer. `logged_ms` is the answer time as the call record has it.
    """

    state: str
    text: str
    committed: str
    stages_ms: tuple[float, ...]
    own_ms: float
    logged_ms: float


def logged_turn(
    messages: Sequence[Message], last_voiced_at: float, answer_at: float, lead_ms: dict[str, float]
) -> LoggedTurn | None:
    """The turn whose answer was heard at `answer_at`; None when our messages do not tell of it.

    Times are seconds since the epoch. `lead_ms` is the silence that each prompt begins with.
    """
    begun = [m for m in messages if isinstance(m, PlaybackStarted) and last_voiced_at - 2 < m.at <= answer_at + 0.02]
    if not begun:
        return None
    started = begun[-1]
    play = next((m for m in messages if isinstance(m, Say) and m.playback_id == started.playback_id), None)
    if play is None:
        return None
    taken = next((m for m in messages if isinstance(m, TurnTaken) and abs(m.at - play.at) < 0.005), None)
    heard = [m for m in messages if isinstance(m, UtteranceGuessed | UtteranceTranscribed) and m.at <= play.at]
    if taken is None or taken.committed not in TAKEN_BY_VOICE or not heard:
        return None
    text = heard[-1]
    transcribed_at = text.transcribed_at or text.at
    decided_at = text.endpoint_at or transcribed_at
    marks = [last_voiced_at, text.speech_ended_at, text.posted_at, transcribed_at]
    marks += [max(text.at, transcribed_at), play.at, started.at, answer_at]
    stages = tuple((end - begin) * 1_000 for begin, end in pairwise(marks))
    post_s = max(0.0, text.posted_at - text.paused_at) if text.paused_at else 0.0
    usable_at = max(decided_at, transcribed_at)
    own_ms = (post_s + answer_at - usable_at) * 1_000 - lead_ms.get(label(play.items[0]), 0.0)
    logged_ms = (started.at - text.speech_ended_at) * 1_000
    return LoggedTurn(taken.state, taken.text, taken.committed, stages, own_ms, logged_ms)
