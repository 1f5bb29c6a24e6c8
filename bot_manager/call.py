"""One call: a task with a queue. Messages become dialogue events, the dialogue's actions become commands and timers.

Whatever goes wrong in here stays in here: it is logged with the call's id, the caller hears the flow's apology and is
handed over, and no other call notices.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot_manager import metrics
from bot_manager.call_log import Chronicle
from bot_manager.intents import NO_ANSWER, IntentAnswer, IntentClient
from bot_manager.record_writer import RecordWriter
from bot_manager.snapshots import Snapshots
from bot_manager.understanding import Answered, Understanding, is_aside, understood
from dialogue.events import (
    Action,
    AudioGone,
    BackboneAway,
    Begun,
    CallOver,
    CommandRefused,
    DialogueEvent,
    DigitPressed,
    Heard,
    IntentTrouble,
    Noted,
    NothingHeard,
    PlaybackBegan,
    PlaybackEnded,
    RecognitionTrouble,
    Resumed,
    SpeechBegan,
    StartTimer,
    TimerExpired,
)
from dialogue.flow import Flow
from dialogue.interpreter import allowed_intents, handle, needs_intent, takes_aside
from dialogue.state import Dialogue, to_json
from dialogue.way_out import way_out
from protocol.bus import Outbox
from protocol.messages import (
    AudioLost,
    CallConcluded,
    CallEnded,
    CallStarted,
    DtmfReceived,
    Event,
    HangUp,
    PlaybackFinished,
    PlaybackStarted,
    PlayPrompts,
    RecognitionFailed,
    RequestRefused,
    SpeechStarted,
    StopPlayback,
    TransferCall,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
    encode,
)
from records.call import TurnRecord, stage_seconds

log = logging.getLogger("pronto.calls")

APOLOGY_S = 12.0  # the apology is over by then, whatever we hear of it
LOST = "lost"
LOST_S = 20.0  # a dialogue that is over waits so long for the report that the call is


@dataclass(frozen=True)
class Surroundings:
    """What every call uses. `now` gives seconds since the epoch."""

    outbox: Outbox
    intents: IntentClient
    snapshots: Snapshots
    records: RecordWriter
    now: Callable[[], float] = field(default=time.time)
    silent_s: float = 600.0
    """A call of which nothing is heard for so long is not there any more, or never was."""


Item: TypeAlias = Event | DialogueEvent | Answered


class Call:
    """One call from its first event to its last. `dialogue` comes from a snapshot when the call is resumed."""

    def __init__(
        self,
        call_id: str,
        around: Surroundings,
        flow: Flow,
        chronicle: Chronicle,
        dialogue: Dialogue | None = None,
    ) -> None:
        self.call_id = call_id
        self.ended_at = float("inf")
        """Since when the call is over (seconds since the epoch); never, while it is not."""
        self.last_key_at = 0.0
        """Time of the last key that was dealt with: one that is seen again after a crash must not be pressed again."""
        self._around = around
        self._flow = flow
        self._chronicle = chronicle
        self._dialogue = dialogue or Dialogue()
        self._queue: asyncio.Queue[tuple[Item, asyncio.Future[None] | None]] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._understanding = Understanding(around.intents, flow.language, self.post)
        self._broken = False
        self._over = False

    @property
    def flow_version(self) -> str:
        """The version of the flow that this call keeps."""
        return self._flow.version

    def post(self, item: Item) -> None:
        """Queues something that happened inside."""
        self._queue.put_nowait((item, None))

    async def take(self, event: Event) -> None:
        """Queues an event of the bus and waits until it was dealt with."""
        if self._over:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((event, done))
        await done

    def resume(self, pending: UtteranceTranscribed | None) -> None:
        """Goes on after a restart: the timer runs again, an utterance whose intent was awaited is asked about again."""
        self.post(Resumed(self._around.now()))
        if pending is not None:
            self.post(pending)

    async def run(self) -> None:
        """Deals with one item after the other until the call is over."""
        try:
            while not self._over:
                try:
                    async with asyncio.timeout(self._around.silent_s):
                        item, done = await self._queue.get()
                except TimeoutError:
                    log.error("nothing is heard of a call: it is given up", extra={"call_id": self.call_id})
                    item, done = CallEnded(self.call_id, self._around.now(), "lost"), None
                try:
                    self._deal_with(item)
                except Exception:
                    metrics.CALL_CRASHES.inc()
                    log.exception("call failed", extra={"call_id": self.call_id, "item": type(item).__name__})
                    self._apologise(item)
                finally:
                    if done is not None and not done.done():
                        done.set_result(None)
        finally:
            self._over = True  # whoever comes now is not kept waiting
            self._understanding.cancel()
            if self._timer is not None:
                self._timer.cancel()
            while not self._queue.empty():
                _, done = self._queue.get_nowait()
                if done is not None and not done.done():
                    done.set_result(None)

    # --- what comes in ---

    def _deal_with(self, item: Item) -> None:
        if isinstance(item, CallEnded):
            self._end(item)
        elif isinstance(item, TimerExpired) and item.name == LOST:
            self._end(CallEnded(self.call_id, item.at, "lost"))
        elif self._broken:
            self._farewell(item)
        else:
            before = self._dialogue
            self._route(item)
            if self._dialogue is not before and not self._over:
                self._store()

    def _route(self, item: Item) -> None:
        match item:
            case CallStarted():
                self._step(Begun(item.call_id, item.at, item.caller_number))
            case SpeechStarted():
                self._chronicle.speech_started(item)
                self._step(SpeechBegan(item.at, item.turn, item.utterance))
            case UtteranceTranscribed(aside=True) if not takes_aside(self._dialogue, item.turn, item.utterance):
                self._note(Noted(item.at, item.turn, "stale", "aside"))
            case UtteranceGuessed() | UtteranceTranscribed():
                self._chronicle.heard(item)
                self._hear(item)
            case RecognitionFailed():
                self._understanding.cancel()
                self._step(RecognitionTrouble(item.at, item.turn, item.utterance, item.reason))
            case DtmfReceived():
                if item.at > self.last_key_at:
                    self.last_key_at = item.at
                    self._step(DigitPressed(item.at, item.digit))
            case PlaybackStarted():
                self._playback_started(item)
            case PlaybackFinished():
                self._step(PlaybackEnded(item.at, item.playback_id, item.state, item.offset_ms))
            case RequestRefused():
                self._step(CommandRefused(item.at, item.command, item.reason))
            case AudioLost():
                self._step(AudioGone(item.at, item.silent_ms))
            case Answered():
                self._answered(item)
            case BackboneAway() | Resumed() | TimerExpired():
                self._step(item)
            case _:
                log.debug("nothing to do", extra={"call_id": self.call_id, "item": type(item).__name__})

    def _hear(self, message: UtteranceGuessed | UtteranceTranscribed) -> None:
        final = isinstance(message, UtteranceTranscribed)
        if not message.text.strip():
            self._understanding.cancel()
            revision = message.revision if isinstance(message, UtteranceGuessed) else 0
            self._step(NothingHeard(message.at, message.turn, message.utterance, message.reason, final, revision))
            return
        if not needs_intent(self._flow, self._dialogue, message.text, message.at, message.utterance):
            self._understanding.cancel()
            self._understood(message, IntentAnswer("", 0.0))
            return
        known = self._understanding.known(message)
        if known is not None:
            self._understood(message, known)
            return
        self._understanding.ask(message, allowed_intents(self._flow, self._dialogue, message.utterance))
        if final and not is_aside(message):
            self._step(Heard(self._around.now(), message.turn, message.utterance, message.text))

    def _answered(self, item: Answered) -> None:
        message = item.message
        if item.answer is not None or is_aside(message):
            self._understood(message, item.answer or NO_ANSWER)
        elif item.error is not None and item.final:
            log.warning("intent not found", extra={"call_id": self.call_id, "code": item.error.code})
            now = self._around.now()
            self._step(
                IntentTrouble(now, message.turn, message.utterance, message.text, item.error.code, message.confidence)
            )

    def _understood(self, message: UtteranceGuessed | UtteranceTranscribed, answer: IntentAnswer) -> None:
        now = self._around.now()
        self._chronicle.understood(now)
        self._step(understood(message, answer, now))

    def _playback_started(self, message: PlaybackStarted) -> None:
        turn, first = self._chronicle.playback_started(message)
        if turn is not None:
            for stage, seconds in stage_seconds(turn).items():
                metrics.STAGE_SECONDS.labels(stage).observe(seconds)
            self._around.records.put(turn)
        if first:
            self._around.records.put(self._chronicle.call)
        self._step(PlaybackBegan(message.at, message.playback_id))

    # --- what goes out ---

    def _step(self, event: DialogueEvent) -> None:
        """The dialogue's answer to an event, carried out."""
        self._dialogue, actions = handle(self._flow, self._dialogue, event)
        for action in actions:  # the turn that is over first: prompts that were asked for with it are its answer
            if isinstance(action, TurnTaken):
                self._turn_taken(action)
        for action in actions:
            self._act(action)
        if self._dialogue.over and not self._over:
            self._set_timer(LOST, 0, LOST_S)

    def _act(self, action: Action) -> None:
        match action:
            case StartTimer():
                self._set_timer(action.name, action.serial, action.after_ms / 1_000)
            case Noted():
                self._note(action)
            case TurnTaken():
                self._around.outbox.send(action)
            case CallConcluded():
                self._chronicle.concluded(action)
                self._around.outbox.send(action)
                self._around.records.put(self._chronicle.call)
            case PlayPrompts():
                self._around.outbox.send(action)
                self._put(self._chronicle.prompts_requested(action))
            case _:
                self._around.outbox.send(action)

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
        self._put(self._chronicle.taken(turn))

    def _put(self, turn: TurnRecord | None) -> None:
        if turn is not None:
            self._around.records.put(turn)

    def _note(self, note: Noted) -> None:
        metrics.NOTES.labels(note.what).inc()
        self._chronicle.noted(note.at, note.what, note.detail)
        log.debug("noted", extra={"call_id": self.call_id, "turn": note.turn, "what": note.what, "detail": note.detail})

    def _set_timer(self, name: str, serial: int, after_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(after_s, lambda: self.post(TimerExpired(self._around.now(), name, serial)))

    def _store(self) -> None:
        pending = self._understanding.pending
        self._around.snapshots.put(
            self.call_id,
            {
                "flow": self._chronicle.call.flow,
                "flow_version": self._flow.version,
                "dialogue": to_json(self._dialogue),
                "chronicle": self._chronicle.to_dict(),
                "last_key_at": self.last_key_at,
                "pending": None if pending is None else encode(pending),
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
        self._put(self._chronicle.ended(ended, "error" if self._broken else "unknown"))
        call = self._chronicle.call
        self._around.records.put(call)
        self._around.snapshots.put_over(self.call_id, ended.at, self._chronicle.to_dict())
        self.ended_at = ended.at
        metrics.CALLS.labels(call.outcome).inc()
        metrics.CALL_SECONDS.observe(max(0.0, ended.at - call.started_at))
        log.info(
            "call over",
            extra={
                "call_id": self.call_id,
                "outcome": call.outcome,
                "reason": ended.reason,
                "turns": self._chronicle.turns_taken,
            },
        )
        self._over = True

    def _apologise(self, item: Any) -> None:
        """After a bug: the flow's apology, then its way out. From now on the dialogue is not asked any more."""
        if self._broken:
            return
        self._broken = True
        self._understanding.cancel()
        now, turn = self._around.now(), self._dialogue.turn + 1
        self._chronicle.noted(now, "call_failed", type(item).__name__)
        self._around.outbox.send(StopPlayback(self.call_id, now))
        prompts, _ = way_out(self._flow)
        if prompts:
            play = PlayPrompts(self.call_id, now, turn, self._apology_id, self._flow.language, prompts)
            self._around.outbox.send(play)
        self._set_timer("apology", 0, APOLOGY_S if prompts else 0.0)

    @property
    def _apology_id(self) -> str:
        return f"p-{self.call_id}-apology"

    def _farewell(self, item: Item) -> None:
        """The caller of a broken call is handed over when the apology was heard."""
        heard = isinstance(item, PlaybackFinished) and item.playback_id == self._apology_id
        if not heard and not (isinstance(item, TimerExpired) and item.name == "apology"):
            return
        now = self._around.now()
        _, extension = way_out(self._flow)
        if extension:
            self._around.outbox.send(TransferCall(self.call_id, now, extension, "error"))
        else:
            self._around.outbox.send(HangUp(self.call_id, now, "error"))
        self._set_timer(LOST, 0, LOST_S)
