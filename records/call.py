"""A call, its turns and the versions of flows as they are kept: plain values. Pure: no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from protocol.messages import Direction


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
    channel_id: str = ""
    """Asterisk's name of the caller's channel, where the call has one and it differs from `id`."""
    direction: Direction = "inbound"
    variables: dict[str, Any] = field(default_factory=dict)
    timezone: str = ""
    """IANA name of the flow's time zone: naive ISO values of `lead` are times there. Empty: not known."""


@dataclass(frozen=True)
class TurnRecord:
    """One turn, `number` counted from 1 in its call. `prompts` is the question, `answer_prompts` what followed.

    `said` lists what the bot said in the turn, in order, as `said_item` makes it. `heard` lists every text of the
    recogniser in order. The times are those of the utterance that was answered:
    `asked_at` (question heard), then the stages in the order of STAGES.
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
    said: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class FlowVersion:
    """One text of a flow file: `hash` is what calls hold as `flow_version`, `created_at` seconds since the epoch."""

    hash: str
    flow: str
    text: str
    author: str
    created_at: float


@dataclass(frozen=True)
class Webhook:
    """Something to be told to another system: `body` is JSON text, `id` the key under which it is told once. Times are
    seconds since the epoch; `fault` is why the last try failed."""

    id: str
    cell: str
    event: str
    call_id: str
    body: str
    created_at: float
    next_try_at: float
    state: str = "waiting"
    tries: int = 0
    done_at: float | None = None
    fault: str = ""
    url: str = ""
    """Where it goes; empty: to the receiver that is set for all."""
    headers: dict[str, Any] = field(default_factory=dict)
    """Of an address of its own: name -> texts and references to secrets, as `dialogue.acting.request_of` makes them."""


@dataclass(frozen=True)
class Forgotten:
    """The personal parts of a call's record are to be taken out."""

    call_id: str


Record: TypeAlias = CallRecord | TurnRecord | FlowVersion | Webhook | Forgotten


def said_item(
    kind: str,
    name: str = "",
    text: str = "",
    language: str = "",
    heard_ms: int | None = None,
    length_ms: int | None = None,
    state: str = "",
) -> dict[str, Any]:
    """One item of what the bot said. `kind`: prompt (recorded, by `name`), speech (`text`) or audio (`name`: its URI).

    `heard_ms` of `length_ms` were heard (None: not known); `state` is how its playback ended, empty while it plays.
    """
    return {
        "kind": kind,
        "name": name,
        "text": text,
        "language": language,
        "heard_ms": heard_ms,
        "length_ms": length_ms,
        "state": state,
    }


def with_texts(turn: TurnRecord, texts: Mapping[str, str]) -> TurnRecord:
    """The turn with the texts of its prompts, by name, so that a record can be read when prompts.yaml has changed."""
    said = [{**item, "text": item.get("text") or texts.get(item.get("name", ""), "")} for item in turn.said]
    return replace(turn, said=said)


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
