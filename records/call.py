"""One call and one turn as they are kept: plain values. Pure: no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CallRecord:
    """One call. Times are seconds since the epoch, None while not reached; `first_prompt_at`: first prompt heard."""

    id: str
    cell: str
    caller_number: str
    called_number: str
    flow: str
    flow_version: str
    flow_edited_at: str
    started_at: float
    first_prompt_at: float | None = None
    ended_at: float | None = None
    outcome: str = ""
    end_reason: str = ""
    recording: str = ""
    lead: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnRecord:
    """One turn, `number` counted from 1 in its call. `prompts` is the question, `answer_prompts` what followed.

    `heard` lists every text of the recogniser in order. The times are those of the utterance that was answered:
    `asked_at` (question heard), then the stages of DESIGN section 8.
    """

    call_id: str
    number: int
    turn: int
    state: str = ""
    next_state: str = ""
    prompts: list[str] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""
    intent: str = ""
    score: float = 0.0
    committed: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    answer_prompts: list[str] = field(default_factory=list)
    asked_at: float | None = None
    speech_started_at: float | None = None
    speech_ended_at: float | None = None
    endpoint_at: float | None = None
    posted_at: float | None = None
    transcript_at: float | None = None
    intent_at: float | None = None
    play_requested_at: float | None = None
    playback_started_at: float | None = None


# Durations that are measured: name -> (from, to), fields of TurnRecord.
STAGES: dict[str, tuple[str, str]] = {
    "speech": ("speech_started_at", "speech_ended_at"),
    "endpoint": ("speech_ended_at", "endpoint_at"),
    "post": ("speech_ended_at", "posted_at"),
    "transcript": ("posted_at", "transcript_at"),
    "intent": ("transcript_at", "intent_at"),
    "decision": ("intent_at", "play_requested_at"),
    "playback": ("play_requested_at", "playback_started_at"),
    "answer": ("speech_ended_at", "playback_started_at"),
}


def stage_seconds(turn: TurnRecord) -> dict[str, float]:
    """How long each stage took, for the stages that this turn has. Clocks of two machines may make one negative: 0."""
    found: dict[str, float] = {}
    for name, (start, end) in STAGES.items():
        begin, finish = getattr(turn, start), getattr(turn, end)
        if begin is not None and finish is not None:
            found[name] = max(0.0, finish - begin)
    return found
