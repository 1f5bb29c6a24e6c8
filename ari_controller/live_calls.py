"""Carries out what calls want: inputs go into each call's state machine, what it asks for is done in order, and the
replies go back into it.

Nothing here decides about a call; `call_legs` does. Each call has three lanes: `control` for the caller's channel,
`media` for the other legs, `state` for Redis; a slow one delays no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias
from weakref import WeakSet

from ari_controller import ari_requests, metrics
from ari_controller.actions import (
    Announce,
    AtOnce,
    AwaitMedia,
    CallAction,
    DropFile,
    EndFeed,
    EndFeeds,
    Forget,
    HandOver,
    Note,
    Pause,
    RanDry,
    Send,
    Speak,
    SpeechAction,
    Synthesise,
)
from ari_controller.admission import CallAdmission
from ari_controller.ari import AriClient
from ari_controller.ari_errors import AriError, NotFound
from ari_controller.ari_events import Channel
from ari_controller.ari_requests import Request, role_of
from ari_controller.call_legs import CallLegs
from ari_controller.call_snapshot import snapshot_of
from ari_controller.call_states import APOLOGY, BUSY, Farewell, Rules
from ari_controller.call_store import CallStore
from ari_controller.handoffs import ADVISER, CALL_BEFORE, Handoffs, facts
from ari_controller.lane import Lane
from ari_controller.speech_feeds import SpeechFeeds
from protocol.bus import Outbox
from protocol.call_id import RANDOM_BYTES, cell_of, is_fit, new_call_id
from protocol.messages import (
    CallEnded,
    CallStarted,
    Command,
    DtmfReceived,
    HandoffEnded,
    HandoffResult,
    MediaStarted,
    Message,
    PlaybackFinished,
    RecognitionFailed,
    RequestRefused,
    UtteranceTranscribed,
)
from protocol.steady import steady_time

log = logging.getLogger("pronto.controller")

REDIS_AWAY_S = 10.0
MEDIA_ASKED_EVERY_S = 0.05
NewCalls: TypeAlias = Literal["busy", "refuse", "handoff"]
MOST_ENDED = 20_000
BUSY_AT_ONCE = 20
"""Busy prompts at once; callers beyond that are turned away unanswered, or refusing would cost what serving costs."""


@dataclass
class Driven:
    """One call and what is under way for it."""

    legs: CallLegs
    control: Lane[Request | AtOnce | Pause | AwaitMedia]
    media: Lane[Request | Announce | Forget]
    state: Lane[Callable[[], Any]]
    stored: str = ""
    storing: bool = False


@dataclass
class LiveCalls:
    """All calls of one Asterisk."""

    rules: Rules
    cell: str
    admission: CallAdmission
    ari: AriClient
    store: CallStore
    outbox: Outbox
    when_draining: NewCalls = "busy"
    when_full: NewCalls = "busy"
    speech: SpeechFeeds | None = None
    """What is said at run time; None without it."""
    is_draining: Callable[[], bool] = lambda: False
    """Whether new calls are refused."""
    calls: dict[str, Driven] = field(default_factory=dict)
    """By the ids of the calls."""
    by_channel: dict[str, str] = field(default_factory=dict)
    """Channel of a caller -> call; of the newest, where the dialplan sent a caller back to us."""
    handoffs: Handoffs = field(default_factory=Handoffs)
    redis_away_since: float | None = None
    """Epoch time since when Redis does not answer a ping."""
    _ended: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Calls that were here, or that their bot manager was told are not."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _lanes: WeakSet[Lane[Any]] = field(default_factory=WeakSet)

    # --- calls come ---------------------------------------------------------------------------------------------------

    def arrive(self, channel: Channel, args: tuple[str, ...]) -> None:
        """A caller is there: they are served, hear that all is busy, or are turned away."""
        came_back = self._came_back(channel.channel_id, facts(args))
        live = [driven.legs for driven in self.calls.values() if driven.legs.live]
        served = sum(legs.admitted for legs in live)
        farewell: Farewell | None = None
        at = steady_time()
        draining = self.is_draining()
        # whoever comes back was served a moment ago, and is not hung up on because the cell has become full meanwhile
        refusal = "draining" if draining else "" if came_back else self.admission.refusal(served, at)
        then = self.when_draining if draining else self.when_full
        if refusal and then == "handoff":
            metrics.APOLOGIES.labels(refusal).inc()
            farewell = APOLOGY
        elif refusal:
            if len(live) - served >= BUSY_AT_ONCE or then == "refuse":
                metrics.CALLS_REFUSED.labels("turned_away", refusal).inc()
                self._spawn(self.remove(ari_requests.turn_away(channel.channel_id), "main"))
                return
            metrics.CALLS_REFUSED.labels("busy_prompt", refusal).inc()
            log.warning("call refused", extra={"calls": served, "reason": refusal})
            farewell = BUSY
        elif self.redis_away_s() > REDIS_AWAY_S:
            metrics.APOLOGIES.labels("redis_away").inc()
            farewell = APOLOGY
        else:
            self.admission.taken(at)
        call_id = new_call_id(self.cell, round(at * 1_000), os.urandom(RANDOM_BYTES))
        legs, actions = CallLegs.arrive(call_id, channel, args, self.rules, at, farewell)
        self._carry_out(self.drive(legs), actions)

    def drive(self, legs: CallLegs) -> Driven:
        """Takes a call into the table: a new one, or one of the controller before us."""
        call_id = legs.call_id
        driven = Driven(
            legs, Lane(lambda item: self._do(call_id, item)), Lane(lambda item: self._do(call_id, item)), Lane(_call)
        )
        self.calls[call_id] = driven
        self.by_channel[legs.channel_id] = call_id
        self._lanes |= {driven.control, driven.media, driven.state}
        return driven

    # --- hand-offs ----------------------------------------------------------------------------------------------------

    def left(self, driven: Driven | None, channel_id: str) -> None:
        """A caller may have left to the dialplan, where somebody is rung for them."""
        legs = driven.legs if driven is not None else None
        if legs is not None and legs.announced and not legs.live and legs.reason == "transferred":
            self.handoffs.began(channel_id, legs.call_id)

    def adviser_dialled(self, channel_id: str, status: str) -> None:
        """Somebody is rung for a channel, or has answered."""
        self._tell_handoff(channel_id, self.handoffs.dialled(channel_id, status), "answered")

    def channel_gone(self, channel_id: str) -> None:
        """A channel is there no more."""
        self._tell_handoff(channel_id, self.handoffs.gone(channel_id), "given_up")

    def _came_back(self, channel_id: str, told: dict[str, str]) -> bool:
        """Whether a caller comes back because nobody took them, as the dialplan says; what became of that is told."""
        self.handoffs.returned(channel_id)
        if ADVISER in told and is_fit(before := told.get(CALL_BEFORE, "")):
            self._tell_handoff(channel_id, before, told[ADVISER])  # type: ignore[arg-type]
        return ADVISER in told

    def _tell_handoff(self, channel_id: str, call_id: str, result: HandoffResult) -> None:
        if not call_id:
            return
        log.info("hand-off over", extra={"call_id": call_id, "result": result})
        self.outbox.send(HandoffEnded(call_id, steady_time(), result))
        self._spawn(self._unsubscribe(channel_id))

    async def _unsubscribe(self, channel_id: str) -> None:
        with contextlib.suppress(AriError):
            await self.ari.send(ari_requests.unsubscribe(channel_id, self.rules.target.app))

    # --- a call's steps -----------------------------------------------------------------------------------------------

    def step(self, driven: Driven, step: Callable[[float], list[CallAction]]) -> None:
        """One input of one call. A bug in it is caught here: the caller is handed over, other calls live on."""
        at, legs = steady_time(), driven.legs
        try:
            actions = step(at)
        except Exception:
            log.exception("bug in a call", extra={"call_id": legs.call_id})
            try:
                actions = legs.abandon("bug", at)
            except Exception:
                log.exception("call cannot be handed over: hung up", extra={"call_id": legs.call_id})
                actions = [ari_requests.hang_up(legs.channel_id)]
        self._carry_out(driven, actions)

    def _carry_out(self, driven: Driven, actions: list[CallAction]) -> None:
        call_id = driven.legs.call_id
        for action in actions:
            match action:
                case Request(lane="control") | AtOnce() | Pause() | AwaitMedia():
                    driven.control.put(action)
                case Request() | Announce() | Forget():
                    driven.media.put(action)
                case Send(event):
                    self._count(driven.legs, event)
                    self.outbox.send(event)
                case Synthesise() | HandOver() | RanDry() | EndFeed() | EndFeeds() | DropFile():
                    self._make(call_id, action)
                case Speak(speaking):
                    driven.state.put(partial(self.store.speak, call_id, speaking))
                case Note(level, message, fields, failed_leg, abandoned, held, unsaid):
                    metrics.HELD.inc(held)
                    metrics.UNSAID.inc(unsaid)
                    log.log(getattr(logging, level.upper()), message, extra={"call_id": call_id, **fields})
                    if failed_leg:
                        metrics.MEDIA_FAILURES.labels(failed_leg).inc()
                    if abandoned:
                        metrics.APOLOGIES.labels(abandoned).inc()
        if driven.legs.state == "ended":
            self._forget(driven)
        elif actions:
            self._remember(driven)

    def _make(self, call_id: str, action: SpeechAction) -> None:
        """What is made beside."""
        if self.speech is None:
            return
        match action:
            case Synthesise():
                self.speech.begin(call_id, action)
            case HandOver(feed_id, dry):
                self.speech.hand_over(call_id, feed_id, dry)
            case RanDry(feed_id):
                self.speech.ran_dry(call_id, feed_id)
            case EndFeed(feed_id):
                self.speech.end(call_id, feed_id)
            case EndFeeds():
                self.speech.end_call(call_id)
            case DropFile(file):
                self.speech.drop(file)

    def fed(self, call_id: str, feed_id: str, file: str, ms: int, voice: str) -> None:
        """A part file is there: it is played, or removed where the call is not."""
        driven = self.calls.get(call_id)
        if driven is not None:
            self.step(driven, lambda at: driven.legs.fed(feed_id, file, ms, voice, at))
        elif self.speech is not None:
            self.speech.drop(file)

    def feed_over(self, call_id: str, feed_id: str, reason: str) -> None:
        """Nothing more comes of an item."""
        driven = self.calls.get(call_id)
        if driven is not None:
            self.step(driven, lambda at: driven.legs.feed_over(feed_id, reason, at))

    def _remember(self, driven: Driven) -> None:
        """Stores the call once per burst of steps."""
        if driven.storing:
            return
        driven.storing = True

        async def store() -> None:
            driven.storing = False
            snapshot = snapshot_of(driven.legs)
            if snapshot != driven.stored and driven.legs.state != "ended":
                driven.stored = snapshot
                await self.store.remember(driven.legs.call_id, snapshot)

        driven.state.put(store)

    def _forget(self, driven: Driven) -> None:
        call_id = driven.legs.call_id
        if self.calls.get(call_id) is not driven:
            return
        del self.calls[call_id]
        if self.by_channel.get(driven.legs.channel_id) == call_id:
            del self.by_channel[driven.legs.channel_id]
        self._ended[call_id] = None
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)

        async def forget() -> None:
            await driven.media.settle()
            while not await self.outbox.flush():
                pass  # until Redis has its CallEnded, the snapshot is what the next controller would tell it from
            await self.store.forget(call_id)

        driven.state.put(forget)

    async def _await_media(self, item: AwaitMedia) -> None:
        """Asks until audio to the caller has somewhere to go, or they are gone."""
        begun_at = steady_time()
        while steady_time() - begun_at < item.longest_s:
            try:
                body = await self.ari.send(ari_requests.media_target(item.channel_id))
            except NotFound:
                return
            except AriError:  # Asterisk has no answer yet
                body = None
            if isinstance(body, dict) and str(body.get("value", "")).rpartition(":")[2] not in ("", "0"):
                return
            await asyncio.sleep(MEDIA_ASKED_EVERY_S)
        log.warning("no way for audio to the caller", extra={"channel": item.channel_id})

    async def _do(self, call_id: str, item: Request | AtOnce | Announce | Forget | Pause | AwaitMedia) -> None:
        """One item of a lane; the reply is the call's next input."""
        if isinstance(item, Pause):
            await asyncio.sleep(item.seconds)
            return
        if isinstance(item, AwaitMedia):
            await self._await_media(item)
            return
        if isinstance(item, AtOnce):
            await asyncio.gather(*(self._do(call_id, request) for request in item.requests))
            return
        if isinstance(item, Announce):
            driven = self.calls.get(call_id)
            if (
                driven is not None
            ):  # first: a controller that is killed in between leaves a source that the next one knows
                await self.store.remember(call_id, snapshot_of(driven.legs))
                await self.store.announce(call_id, item.host, item.port)
            return
        if isinstance(item, Forget):
            await self.store.withdraw(call_id, item.host, item.port)
            return
        body: Any = None
        failure: AriError | None = None
        try:
            body = await self.ari.send(item)
        except AriError as error:
            failure = error
        driven = self.calls.get(call_id)
        if driven is not None:
            self.step(driven, lambda at: driven.legs.replied(item, body, failure, at))

    def _count(self, legs: CallLegs, event: object) -> None:
        match event:
            case CallStarted():
                metrics.CALLS_STARTED.inc()
                log.info("call started", extra={"call_id": legs.call_id, "flow": legs.flow})
            case MediaStarted(at=at):
                metrics.SETUP_SECONDS.observe(max(0.0, at - legs.arrived_at))
            case PlaybackFinished(state=state):
                metrics.PLAYBACKS.labels(state).inc()
            case DtmfReceived():
                metrics.DTMF.inc()
            case RequestRefused(command=command, reason=reason):
                metrics.COMMANDS.labels(command, "refused").inc()
                log.warning("refused", extra={"call_id": legs.call_id, "command": command, "reason": reason})
            case CallEnded(reason=reason):
                metrics.CALLS_ENDED.labels(reason).inc()
                log.info("call ended", extra={"call_id": legs.call_id, "reason": reason})

    # --- what is asked from outside -----------------------------------------------------------------------------------

    def call_of(self, channel_id: str) -> Driven | None:
        """The call that a channel belongs to, be it the caller's or a leg."""
        role, name = role_of(channel_id)
        return self.calls.get(self.by_channel.get(name, "") if role == "main" else name)

    def command(self, command: Command, entry_id: str) -> None:
        """The command of a stream entry. One for a call that is not there (any more) is counted; who drives a call
        that never was here, or that nobody knows any more, is told once that it is lost."""
        if cell_of(command.call_id) not in ("", self.cell):
            return  # a conversation in writing, or a call from a web page
        driven = self.calls.get(command.call_id)
        name = type(command).__name__
        metrics.COMMANDS.labels(name, "taken" if driven else "unknown_call").inc()
        if driven is None:
            log.info("command for a call that is not there", extra={"call_id": command.call_id, "command": name})
            if command.call_id not in self._ended:
                self._ended[command.call_id] = None
                self.outbox.send(CallEnded(command.call_id, time.time(), "lost"))
        else:
            self.step(driven, lambda at: driven.legs.command(command, entry_id, at))
            if driven.legs.live:
                self._remember(driven)

    def tick(self) -> None:
        """Lets time go by for every call; a few times a second."""
        redis_away = self.redis_away_s() > REDIS_AWAY_S
        for driven in list(self.calls.values()):
            if redis_away and not driven.legs.on_hold:
                self.step(driven, partial(driven.legs.abandon, "redis_away"))
            self.step(driven, driven.legs.tick)

    def unanswered(self, messages: Iterable[tuple[Message, float]]) -> None:
        """What callers did and the bot manager has not seen yet, oldest first, with its age in seconds."""
        waiting: dict[str, float] = {}
        for message, age_s in messages:
            if isinstance(message, UtteranceTranscribed | RecognitionFailed | DtmfReceived):
                waiting.setdefault(message.call_id, age_s)
        for call_id, age_s in waiting.items():
            if call_id in self.calls:
                legs = self.calls[call_id].legs
                self.step(self.calls[call_id], lambda at, legs=legs, age_s=age_s: legs.hold(at - age_s, at))  # type: ignore[misc]

    def driven(self, call_ids: frozenset[str]) -> None:
        """The calls that a bot manager says it drives."""
        for call_id, driven in self.calls.items():
            self.step(driven, partial(driven.legs.drive, call_id in call_ids))

    def redis_away_s(self) -> float:
        """For how long Redis has not answered, or not taken our events; 0 while it does."""
        since = [at for at in (self.redis_away_since, self.outbox.away_since) if at is not None]
        return steady_time() - min(since) if since else 0.0

    def refresh(self) -> None:
        """Writes state again before it expires, and what Redis did not take or has lost."""
        for driven in self.calls.values():
            legs = driven.legs
            driven.stored = ""
            self._remember(driven)
            if legs.live and legs.stream.state == "running" and legs.stream.source:
                driven.media.put(Announce(*legs.stream.source))

    def forget_stored(self, call_id: str) -> None:
        """What is kept of a call of the controller before us is of no use."""
        self._spawn(self.store.forget(call_id))

    def remove_stray(self, channel_id: str) -> None:
        """A leg came whose call is not there (any more)."""
        self._spawn(self.remove(ari_requests.delete_channel(channel_id), role_of(channel_id)[0]))

    async def remove(self, request: Request, kind: str) -> None:
        """Removes a channel or bridge of no call."""
        try:
            await self.ari.send(request)
        except AriError as error:
            log.warning("not removed", extra={"path": request.path, "reason": str(error)})
            return
        if request.name != "hang_up":
            metrics.ORPHANS.labels(kind).inc()
            log.warning("orphan removed", extra={"path": request.path})

    # --- what others see ----------------------------------------------------------------------------------------------

    def channels(self) -> list[dict[str, object]]:
        """Every channel that we think is there: id, type, call_id, state."""
        found: list[dict[str, object]] = []
        for call_id, driven in self.calls.items():
            legs = driven.legs
            rows = [
                ("main", legs.channel_id, legs.state, legs.live),
                ("snoop", ari_requests.snoop_id(call_id), legs.stream.state, legs.stream.state == "running"),
                (
                    "external_media",
                    ari_requests.external_media_id(call_id),
                    legs.stream.state,
                    legs.stream.state == "running",
                ),
                ("recording", ari_requests.recorder_id(call_id), legs.recorder.state, legs.recorder.state == "running"),
            ]
            found += [
                {"id": channel_id, "type": kind, "call_id": call_id, "state": state}
                for kind, channel_id, state, there in rows
                if there
            ]
        return found

    def count(self, kind: str) -> int:
        """How many live channels of one type."""
        return Counter(row["type"] for row in self.channels())[kind]

    async def settle(self, timeout_s: float = 2.0) -> None:
        """Before the end: lets what was begun be done (deletes of ended calls, writes of state), within `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while busy := [lane for lane in self._lanes if lane.is_busy]:
                    await busy[0].settle()
        except TimeoutError:
            log.warning("stopped before everything was done")

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _call(work: Callable[[], Any]) -> None:
    await work()
