"""Turns what happens in a call into its record: turns with who said what, and when each stage was reached. Pure.

A turn is the bot's question and the caller's answer to it; its stages end with the first audio of the next prompt. The
chronicle of a call survives a restart as JSON within the snapshot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dialogue.flow import Flow
from protocol.items import AudioItem, Item, PromptItem, SpeechItem, label
from protocol.messages import (
    CallConcluded,
    CallEnded,
    CallStarted,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    SpeechStarted,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from records.call import CallRecord, TurnRecord, Webhook, said_item

MOST_HEARD = 20  # texts kept of one turn
MOST_NOTES = 50
MOST_SAID = 100  # items
REPORTS_KEPT_S = 15.0  # of a record that was put, a kill loses what is younger than five seconds


def pairs(items: Sequence[str]) -> dict[str, str]:
    """`name=value` texts as a mapping."""
    return {name: value for name, _, value in (item.partition("=") for item in items)}


@dataclass(frozen=True)
class ToldTurn:
    """A turn that is answered: when what the caller said was there (seconds since the epoch), the slots that it filled,
    what was said and done until the next question, and how long the caller waited for the first of it."""

    turn: TurnRecord
    at: float
    slots: dict[str, str] = field(default_factory=dict)
    said: str = ""
    actions: list[dict[str, str]] = field(default_factory=list)
    latency_ms: int | None = None


class CallLog:
    """The record of one call in progress. Every method gives the turn that became complete or changed, if any."""

    def __init__(self, call: CallRecord) -> None:
        self.call = call
        self._turn = TurnRecord(call.id, number=1, turn=1)
        self._answered: TurnRecord | None = None  # taken, its answer is not yet heard
        self._last: TurnRecord | None = None  # the turn before this one, as it was given last
        self._answer_playback = ""
        self._question_playback = ""
        self._handoff = ""
        self._known: dict[str, str] = {}  # the slots before the turn that was taken last
        self._untold_at: float | None = None  # when that was taken, while others are not told of it
        self._reports: list[Webhook] = []

    @property
    def turns_taken(self) -> int:
        """Turns that are over."""
        return self._turn.number - 1

    def heard(self, message: UtteranceGuessed | UtteranceTranscribed) -> None:
        """A text of the recogniser; its times become those of the turn."""
        text = {
            "at": message.at,
            "utterance": message.utterance,
            "text": message.text,
            "confidence": round(message.confidence, 3),
            "guess": isinstance(message, UtteranceGuessed),
            "reason": message.reason,
        }
        times: dict[str, Any] = {
            "speech_started_at": message.speech_started_at,
            "speech_ended_at": message.speech_ended_at,
            "endpoint_at": None if isinstance(message, UtteranceGuessed) else message.endpoint_at,
            "posted_at": message.posted_at,
            "transcript_at": message.at,
        }
        self._turn = replace(self._turn, heard=[*self._turn.heard, text][-MOST_HEARD:], **times)

    def speech_started(self, message: SpeechStarted) -> None:
        """The caller began to speak."""
        if self._turn.speech_started_at is None:
            self._turn = replace(self._turn, speech_started_at=message.at)

    def understood(self, at: float) -> None:
        """The intent of the utterance is known."""
        self._turn = replace(self._turn, intent_at=at)

    def noted(self, at: float, what: str, detail: str) -> None:
        """Something worth a line in the timeline."""
        note = {"at": at, "what": what, "detail": detail}
        self._turn = replace(self._turn, notes=[*self._turn.notes, note][-MOST_NOTES:])

    def taken(self, message: TurnTaken) -> TurnRecord:
        """The turn is over; a new one begins."""
        self._known = {} if self._last is None else self._last.slots
        by_voice = message.committed in {"early", "endpoint", "continued"}
        silent: dict[str, Any] = {} if by_voice else dict.fromkeys(_VOICE_TIMES)
        self._answered = replace(
            self._turn,
            turn=message.turn,
            state=message.state,
            next_state=message.next_state,
            text=message.text,
            intent=message.intent,
            score=message.score,
            committed=message.committed,
            slots=pairs(message.slots),
            **silent,
        )
        self._untold_at = self._answered.transcript_at or message.at
        self._answer_playback = ""
        self._turn = TurnRecord(self.call.id, number=self._turn.number + 1, turn=message.turn + 1)
        self._last = self._answered
        return self._answered

    def prompts_requested(self, message: Say, flow: Flow) -> TurnRecord | None:
        """Prompts go to the caller: the answer to the turn before, and part of the next question."""
        names = [label(item) for item in message.items]
        self._turn = replace(self._turn, prompts=[*self._turn.prompts, *names])
        self._say(message.playback_id, message.language, message.items, flow)
        self._question_playback = message.playback_id
        if self._answered is None or self._answer_playback:
            return None
        self._answer_playback = message.playback_id
        self._answered = replace(self._answered, play_requested_at=message.at, answer_prompts=names)
        self._last = self._answered
        return self._answered

    def _say(self, playback_id: str, language: str, items: Sequence[Item], flow: Flow) -> None:
        said = [{**_said(item, language, flow), "playback": playback_id} for item in items]
        self._turn = replace(self._turn, said=[*self._turn.said, *said][-MOST_SAID:])

    def playback_finished(self, message: PlaybackFinished) -> TurnRecord | None:
        """How much of each item was heard: the turn before with it, if they were said in that one."""
        self._turn = replace(self._turn, said=_heard_of(self._turn.said, message))
        if self._last is None:
            return None
        said = _heard_of(self._last.said, message)
        if said == self._last.said:
            return None
        self._last = replace(self._last, said=said)
        if self._answered is not None:
            self._answered = self._last
        return self._last

    def playback_started(self, message: PlaybackStarted) -> tuple[TurnRecord | None, bool]:
        """First audio of a playback: the turn it answers (then complete), and whether it was the call's first."""
        first = self.call.first_prompt_at is None
        if first:
            self.call = replace(self.call, first_prompt_at=message.at)
        if message.playback_id == self._question_playback and self._turn.asked_at is None:
            self._turn = replace(self._turn, asked_at=message.at)
        answered = self._answered
        if answered is None or message.playback_id != self._answer_playback:
            return None, first
        self._answered = None
        self._last = replace(answered, playback_started_at=message.at)
        return self._last, first

    def to_tell(self) -> ToldTurn | None:
        """The turn that was taken last, with what followed; once."""
        turn, at = self._last, self._untold_at
        if turn is None or at is None:
            return None
        self._untold_at = None
        began = turn.speech_ended_at or turn.transcript_at
        waited = None if began is None or turn.play_requested_at is None else turn.play_requested_at - began
        done = [str(note["detail"]).split() for note in self._turn.notes if note["what"] == "action"]
        return ToldTurn(
            turn,
            at,
            {name: value for name, value in turn.slots.items() if self._known.get(name) != value},
            " ".join(item["text"] for item in self._turn.said if item["text"]),
            [{"name": name, "outcome": outcome} for _, name, outcome in done],
            None if waited is None else max(0, round(waited * 1_000)),
        )

    def told(self, report: Webhook) -> None:
        """Keeps a report of a turn until it is certain to be in the outbox."""
        lately = [one for one in self._reports if one.created_at > report.created_at - REPORTS_KEPT_S]
        self._reports = [*lately, report]

    @property
    def reports(self) -> tuple[Webhook, ...]:
        """The reports of the last turns: one who takes the call up writes them once more."""
        return tuple(self._reports)

    def concluded(self, message: CallConcluded) -> None:
        """The dialogue knows how the call came out."""
        self.call = replace(self.call, outcome=message.outcome, lead=pairs(message.lead))

    def ended(self, message: CallEnded, unconcluded: str) -> TurnRecord | None:
        """The caller is gone; `unconcluded` is the outcome of a call that the dialogue did not conclude.

        Gives the turn that was open when something had been said in it, by whomever, or noted.
        """
        self.call = replace(
            self.call,
            ended_at=message.at,
            end_reason=self._handoff or message.reason,
            recording=message.recording,
            outcome=self.call.outcome or unconcluded,
        )
        if not (self._turn.heard or self._turn.notes or self._turn.said):
            return None
        return replace(self._turn, committed="call_ended")

    def handed_over(self, result: str) -> None:
        """What became of the hand-off that the call ended with: `adviser_answered`, `adviser_busy` and so on."""
        self._handoff = f"adviser_{result}"
        if self.call.ended_at is not None:
            self.call = replace(self.call, end_reason=self._handoff)

    def to_dict(self) -> dict[str, Any]:
        """For the snapshot, as JSON values; not a copy."""
        return {
            "call": vars(self.call),
            "turn": vars(self._turn),
            "answered": None if self._answered is None else vars(self._answered),
            "last": None if self._last is None else vars(self._last),
            "answer_playback": self._answer_playback,
            "question_playback": self._question_playback,
            "handoff": self._handoff,
            "known": self._known,
            "untold_at": self._untold_at,
            "reports": [vars(report) for report in self._reports],
        }

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> CallLog:
        """From a snapshot. Raises KeyError or TypeError when it is none."""
        log = cls(CallRecord(**_known(CallRecord, body["call"])))
        log._turn = TurnRecord(**_known(TurnRecord, body["turn"]))
        answered = body["answered"]
        log._answered = None if answered is None else TurnRecord(**_known(TurnRecord, answered))
        last = body.get("last")  # not in snapshots of the release before
        log._last = log._answered if last is None else TurnRecord(**_known(TurnRecord, last))
        log._answer_playback = str(body["answer_playback"])
        log._question_playback = str(body["question_playback"])
        log._handoff = str(body.get("handoff", ""))
        log._known = dict(body.get("known", {}))
        log._untold_at = body.get("untold_at")
        log._reports = [Webhook(**_known(Webhook, report)) for report in body.get("reports", ())]
        return log


_VOICE_TIMES = (
    "speech_started_at",
    "speech_ended_at",
    "endpoint_at",
    "posted_at",
    "transcript_at",
    "intent_at",
)


def new_call(started: CallStarted, cell: str, name: str, flow: Flow) -> CallRecord:
    """The record of a call that was just answered; `name` is what the store calls the flow."""
    return CallRecord(
        id=started.call_id,
        cell=cell,
        caller_number=started.caller_number,
        called_number=started.called_number,
        flow=name,
        flow_version=flow.version,
        flow_edited_at=flow.edited_at,
        started_at=started.at,
        channel_id=started.channel_id if started.channel_id != started.call_id else "",
        direction=started.direction,
        variables=dict(started.variables),
        timezone=flow.timezone,
    )


def _said(item: Item, language: str, flow: Flow) -> dict[str, Any]:
    match item:
        case PromptItem(name=name):
            text, length = flow.prompt_texts.get(name, ""), flow.prompt_ms.get(name)
            return said_item("prompt", name, text, language, length_ms=length)
        case SpeechItem():
            return said_item("speech", text=item.text, language=item.language or language)
        case AudioItem():
            return said_item("audio", item.uri, language=language, length_ms=item.ms or None)
    return said_item("unknown")


def _heard_of(said: list[dict[str, Any]], message: PlaybackFinished) -> list[dict[str, Any]]:
    """`said` with what became of the items of a playback. A report without items says that of all of them."""
    places = [place for place, item in enumerate(said) if item.get("playback") == message.playback_id]
    told = list(said)
    for place, report in zip(reversed(places), reversed(message.heard), strict=False):  # the first may be forgotten
        told[place] = {**said[place], "state": report.state, "heard_ms": report.heard_ms}
    if not message.heard:
        for place in places:
            told[place] = {**said[place], "state": message.state}
    return told


def _known(cls: type[Any], body: dict[str, Any]) -> dict[str, Any]:
    names = {spec.name for spec in dataclasses.fields(cls)}
    return {name: value for name, value in body.items() if name in names}
