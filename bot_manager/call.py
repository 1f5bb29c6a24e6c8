"""One call: a task with a queue. Messages become dialogue events, the dialogue's actions become commands and timers.

Whatever goes wrong in here stays in here: it is logged with the call's id, the caller hears the flow's apology and is
handed over, and no other call notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot_manager import metrics
from bot_manager.actions import ActionWorker
from bot_manager.call_log import CallLog
from bot_manager.commits import Commits
from bot_manager.effects import EffectRunner
from bot_manager.intents import IntentClient
from bot_manager.turn_reports import turn_report
from bot_manager.webhooks import call_ended
from dialogue.effects import DropEffect, Effect, EffectDone
from dialogue.events import (
    AudioGone,
    BackboneAway,
    Begun,
    CallOver,
    CommandRefused,
    DialogueAction,
    DialogueEvent,
    DigitPressed,
    HoldBegan,
    HoldEnded,
    Noted,
    PlaybackBegan,
    PlaybackEnded,
    Recognised,
    RecognitionTrouble,
    Resumed,
    SpeechBegan,
    StartTimer,
    TimerExpired,
)
from dialogue.flow import Flow
from dialogue.snapshot import to_json
from dialogue.voice import Dialogue, handle
from dialogue.way_out import way_out
from protocol.bus import Entry, is_after
from protocol.items import prompts
from protocol.messages import (
    VERSION,
    AudioLost,
    CallConcluded,
    CallEnded,
    CallHeld,
    CallStarted,
    CallTakenBack,
    DtmfReceived,
    Event,
    HangUp,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    RecognitionFailed,
    RequestRefused,
    Say,
    SpeechStarted,
    StopPlayback,
    TransferCall,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from protocol.steady import steady_time
from records.call import TurnRecord, stage_seconds
from records.writer import RecordWriter

log = logging.getLogger("pronto.calls")

APOLOGY_S = 12.0  # the apology is over by then, whatever we hear of it
LOST = "lost"
PATIENT_S = 25 * 3_600.0
"""So long a conversation in writing may rest; who serves it ends it long before."""
LOST_S = 20.0  # a dialogue that is over waits so long for the report that the call is


@dataclass(frozen=True)
class Surroundings:
    """What every call uses. `now` gives seconds since the epoch."""

    commits: Commits
    intents: IntentClient
    records: RecordWriter
    now: Callable[[], float] = field(default=steady_time)
    actions: ActionWorker | None = None
    """Who carries actions out; without one each ends as `error`."""
    tells_ends: bool = False
    """Whether the end of each call is told to others, by a webhook."""
    silent_s: float = 600.0
    """A call of which nothing is heard for so long is not there any more, or never was."""


@dataclass(frozen=True)
class Unresumable:
    """A call is up of which too little is known to go on with it."""

    reason: str


CallItem: TypeAlias = Event | DialogueEvent | Unresumable


class Call:
    """One call from its first event to its last. `dialogue` comes from a snapshot when the call is resumed."""

    def __init__(
        self,
        call_id: str,
        around: Surroundings,
        flow: Flow,
        call_log: CallLog,
        dialogue: Dialogue | None = None,
    ) -> None:
        self.call_id = call_id
        self.ended_at = float("inf")
        """Since when the call is over (seconds since the epoch); never, while it is not."""
        self.entry = ""
        """The stream entry of the last event that was dealt with: what is seen again after a crash is passed over."""
        self.version = VERSION
        """Of the messages that the call's controller speaks."""
        self.slots: Mapping[str, str] = {}
        """What is known of the caller before the call begins."""
        self._around = around
        self._flow = flow
        self._log = call_log
        self._dialogue = dialogue or Dialogue()
        self._queue: asyncio.Queue[tuple[CallItem, str, asyncio.Future[None] | None]] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._effects = EffectRunner(around.intents, self.post, around.actions)
        self._broken = False
        self._over = False

    @property
    def flow_version(self) -> str:
        """The version of the flow that this call keeps."""
        return self._flow.version

    @property
    def log(self) -> CallLog:
        """The call's record in progress."""
        return self._log

    @property
    def _patience_s(self) -> float:
        """After so long without a sign a conversation is not there any more."""
        return PATIENT_S if self._dialogue.patient else self._around.silent_s

    def post(self, item: CallItem) -> None:
        """Queues something that happened inside."""
        self._queue.put_nowait((item, "", None))

    async def take(self, entry: Entry) -> None:
        """Queues an event of the bus and waits until it was dealt with."""
        if self._over or not isinstance(entry.message, Event) or not is_after(entry.id, self.entry):
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((entry.message, entry.id, done))
        await done

    def resume(self, pending: UtteranceTranscribed | None = None) -> None:
        """Goes on after a restart: the timer runs again, effects that were under way are asked for again.

        `pending`: an utterance whose intent was awaited, from the snapshot of a release that had no effects.
        """
        self.post(Resumed(self._around.now()))
        if pending is not None:
            self.post(pending)

    async def run(self) -> None:
        """Deals with one item after the other until the call is over."""
        try:
            while not self._over:
                try:
                    async with asyncio.timeout(self._patience_s):
                        item, entry_id, done = await self._queue.get()
                except TimeoutError:
                    log.error("nothing is heard of a call: it is given up", extra={"call_id": self.call_id})
                    # should its caller be there, they are handed over; should they not, the controller says so
                    lost = CallEnded(self.call_id, self._around.now(), "lost")
                    item, entry_id, done = lost if self._broken else Unresumable("nothing is heard of it"), "", None
                self.entry = entry_id or self.entry
                try:
                    self._deal_with(item)
                except Exception:
                    metrics.CALL_CRASHES.inc()
                    log.exception("call failed", extra={"call_id": self.call_id, "item": type(item).__name__})
                    self._apologise(item)
                finally:
                    if entry_id:  # in the same breath as what it came to: a kill finds both or neither
                        self._around.commits.dealt_with(entry_id)
                    if done is not None and not done.done():
                        done.set_result(None)
        finally:
            self._over = True  # whoever comes now is not kept waiting
            self._effects.close()
            if self._timer is not None:
                self._timer.cancel()
            while not self._queue.empty():
                _, _, done = self._queue.get_nowait()
                if done is not None and not done.done():
                    done.set_result(None)

    # --- what comes in ---

    def _deal_with(self, item: CallItem) -> None:
        if isinstance(item, CallEnded):
            self._end(item)
        elif isinstance(item, TimerExpired) and item.name == LOST:
            self._end(CallEnded(self.call_id, item.at, "lost"))
        elif self._broken:
            self._farewell(item)
        elif isinstance(item, Unresumable):
            log.error("call cannot go on: it is handed over", extra={"call_id": self.call_id, "reason": item.reason})
            self._apologise(item)
        else:
            before = self._dialogue
            self._route(item)
            if self._dialogue is not before and not self._over:
                self._store()

    def _route(self, item: CallItem) -> None:
        match item:
            case CallStarted():
                begun = Begun(item.call_id, item.at, item.caller_number, item.variables, item.direction, self.slots)
                self._step(begun)
            case SpeechStarted():
                self._log.speech_started(item)
                self._step(SpeechBegan(item.at, item.turn, item.utterance))
            case UtteranceGuessed() | UtteranceTranscribed():
                self._log.heard(item)
                self._step(recognised(item))
            case RecognitionFailed():
                self._step(RecognitionTrouble(item.at, item.turn, item.utterance, item.reason))
            case DtmfReceived():
                self._step(DigitPressed(item.at, item.digit))
            case CallHeld():
                self._step(HoldBegan(item.at))
            case CallTakenBack():
                self._step(HoldEnded(item.at))
            case PlaybackStarted():
                self._playback_started(item)
            case PlaybackFinished():
                self._put(self._log.playback_finished(item))
                self._step(PlaybackEnded(item.at, item.playback_id, item.state, item.offset_ms, item.heard))
            case RequestRefused():
                self._step(CommandRefused(item.at, item.command, item.reason))
            case AudioLost():
                self._step(AudioGone(item.at, item.silent_ms))
            case BackboneAway() | EffectDone() | Resumed() | TimerExpired():
                self._step(item)
            case _:
                log.debug("nothing to do", extra={"call_id": self.call_id, "item": type(item).__name__})

    def _playback_started(self, message: PlaybackStarted) -> None:
        turn, first = self._log.playback_started(message)
        if turn is not None:
            for stage, seconds in stage_seconds(turn).items():
                metrics.STAGE_SECONDS.labels(stage).observe(seconds)
            self._around.records.put(turn)
        if first:
            self._around.records.put(self._log.call)
        self._step(PlaybackBegan(message.at, message.playback_id))

    # --- what goes out ---

    def _step(self, event: DialogueEvent) -> None:
        """The dialogue's answer to an event, carried out."""
        self._dialogue, actions = handle(self._flow, self._dialogue, event)
        is_words = isinstance(event, EffectDone | Recognised)
        if is_words and not any(isinstance(action, Effect) for action in actions):
            self._log.understood(self._around.now())
        for action in actions:
            self._act(action)
        if not self._dialogue.conversation.awaited:
            self._tell_turn()
        if self._dialogue.over and not self._over:
            self._set_timer(LOST, 0, LOST_S)

    def _act(self, action: DialogueAction) -> None:
        match action:
            case StartTimer():
                self._set_timer(action.name, action.serial, action.after_ms / 1_000)
            case Noted():
                self._note(action)
            case TurnTaken():
                self._turn_taken(action)
                self._send(action)
            case Effect():
                self._effects.run(action)
            case DropEffect():
                self._effects.drop(action.id)
            case CallConcluded():
                self._log.concluded(action)
                self._send(action)
                self._around.records.put(self._log.call)
            case Say():
                self._send(action)
                self._put(self._log.prompts_requested(action, self._flow))
            case _:
                self._send(action)

    def _turn_taken(self, turn: TurnTaken) -> None:
        metrics.TURNS.labels(turn.committed).inc()
        if turn.intent:
            metrics.INTENTS.labels(turn.intent).inc()
            metrics.INTENT_SCORE.observe(turn.score)
        log.info(
            "turn taken",
            extra={
                "call_id": self.call_id,
                "turn": turn.turn,
                "state": turn.state,
                "next_state": turn.next_state,
                "intent": turn.intent,
                "score": round(turn.score, 3),
                "committed": turn.committed,
                "text": turn.text,
                "slots": turn.slots,
            },
        )
        self._tell_turn()  # of the turn before, should what followed it be open
        self._put(self._log.taken(turn))

    def _tell_turn(self) -> None:
        """The turn that was taken is answered: whoever the flow names is told, by way of the outbox."""
        told = self._log.to_tell() if self._flow.turns is not None else None
        if told is None or self._flow.turns is None:
            return
        c = self._dialogue.conversation
        try:
            report = turn_report(self._log.call, told, c, self._flow, self._flow.turns, self._around.now())
        except Exception:  # a bug here costs a report, and never a caller
            log.exception("turn not told", extra={"call_id": self.call_id, "turn": told.turn.turn})
            return
        self._log.told(report)
        self._around.records.put(report)

    def _send(self, message: Message) -> None:
        self._around.commits.send(message, self.version)

    def _put(self, turn: TurnRecord | None) -> None:
        if turn is not None:
            self._around.records.put(turn)

    def _note(self, note: Noted) -> None:
        metrics.NOTES.labels(note.what).inc()
        self._log.noted(note.at, note.what, note.detail)
        log.debug("noted", extra={"call_id": self.call_id, "turn": note.turn, "what": note.what, "detail": note.detail})

    def _set_timer(self, name: str, serial: int, after_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(after_s, lambda: self.post(TimerExpired(self._around.now(), name, serial)))

    def _store(self) -> None:
        self._around.commits.keep(
            self.call_id,
            {
                "flow": self._log.call.flow,
                "flow_version": self._flow.version,
                "dialogue": to_json(self._dialogue),
                "chronicle": self._log.to_dict(),
                "entry": self.entry,
                "version": self.version,
            },
        )

    # --- the end, good or bad ---

    def _end(self, ended: CallEnded) -> None:
        try:
            if not self._broken:
                self._step(CallOver(ended.at, ended.reason))
        except Exception:
            metrics.CALL_CRASHES.inc()
            log.exception("call failed at its end", extra={"call_id": self.call_id})
        self._tell_turn()
        self._put(self._log.ended(ended, "error" if self._broken else "unknown"))
        call = self._log.call
        self._around.records.put(call)
        if self._around.tells_ends:
            self._around.records.put(call_ended(call))
        self._around.commits.keep_over(self.call_id, ended.at, self.entry, self._log.to_dict())
        self.ended_at = ended.at
        metrics.CALLS.labels(call.outcome).inc()
        metrics.CALL_SECONDS.observe(max(0.0, ended.at - call.started_at))
        log.info(
            "call over",
            extra={
                "call_id": self.call_id,
                "outcome": call.outcome,
                "reason": ended.reason,
                "turns": self._log.turns_taken,
            },
        )
        self._over = True

    def rescue(self, reason: str) -> None:
        """Takes a call up that nobody can go on with: its caller hears the apology and is handed over."""
        self.post(Unresumable(reason))

    def _apologise(self, item: Any) -> None:
        """After a bug: the flow's apology, then its way out. From now on the dialogue is not asked any more."""
        if self._broken:
            return
        self._broken = True
        self._effects.close()
        now, turn = self._around.now(), self._dialogue.turn + 1
        self._log.noted(now, "call_failed", type(item).__name__)
        self._send(StopPlayback(self.call_id, now))
        names, _ = way_out(self._flow)
        if names:
            say = Say(self.call_id, now, turn, self._apology_id, self._flow.language, prompts(*names))
            self._send(say)
        self._set_timer("apology", 0, APOLOGY_S if names else 0.0)

    @property
    def _apology_id(self) -> str:
        return f"p-{self.call_id}-apology"

    def _farewell(self, item: CallItem) -> None:
        """The caller of a broken call is handed over when the apology was heard."""
        heard = isinstance(item, PlaybackFinished) and item.playback_id == self._apology_id
        if not heard and not (isinstance(item, TimerExpired) and item.name == "apology"):
            return
        now = self._around.now()
        _, extension = way_out(self._flow)
        if extension:
            self._send(TransferCall(self.call_id, now, extension, "error"))
        else:
            self._send(HangUp(self.call_id, now, "error"))
        self._set_timer(LOST, 0, LOST_S)


def recognised(message: UtteranceGuessed | UtteranceTranscribed) -> Recognised:
    """What the dialogue is told of a text of the recogniser."""
    final = isinstance(message, UtteranceTranscribed)
    return Recognised(
        message.at,
        message.turn,
        message.utterance,
        message.text,
        message.confidence,
        final,
        message.revision if isinstance(message, UtteranceGuessed) else 0,
        isinstance(message, UtteranceTranscribed) and message.aside,
        message.reason,
        message.speech_started_at,
    )
