"""Carries out what calls want: websocket events and commands go into each call's state machine, what it asks for is
done in order, and replies go back into it.

Nothing here decides about a call (`call_legs` does) or about what is left over (`reconcile` does). Each call has three
lanes: `control` for the caller's channel, `media` for the other legs, `state` for Redis; a slow one delays no other.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakSet

from redis.exceptions import RedisError

from ari_controller import ari_requests, metrics, reconcile
from ari_controller.actions import Action, Announce, Forget, Note, Send, Speak
from ari_controller.ari import AriClient
from ari_controller.ari_errors import AriError
from ari_controller.ari_events import (
    AriEvent,
    BadEvent,
    Channel,
    DtmfPressed,
    HangupRequested,
    Ignored,
    PlaybackBegan,
    PlaybackOver,
    RecordingOver,
    Replaced,
    StasisEnded,
    StasisStarted,
    parse_event,
)
from ari_controller.ari_requests import Request, role_of
from ari_controller.call_legs import APOLOGY, BUSY, CallLegs, Farewell, Rules
from ari_controller.call_snapshot import BadSnapshot, restore, snapshot_of
from ari_controller.call_store import CallStore
from ari_controller.lane import Lane
from ari_controller.media_legs import Presence
from protocol.bus import Inbox, Outbox
from protocol.messages import (
    CallEnded,
    CallStarted,
    Command,
    DtmfReceived,
    HangUp,
    Listen,
    MediaStarted,
    PlaybackFinished,
    PlayPrompts,
    RequestRefused,
    StopPlayback,
    TransferCall,
)

log = logging.getLogger("pronto.controller")

TICK_S = 0.25
REDIS_AWAY_S = 10.0
BUSY_AT_ONCE = 20
"""Busy prompts at once; callers beyond that are turned away unanswered, or refusing would cost what serving costs."""
REPLACED_PAUSE_S = (2.0, 5.0, 15.0, 30.0)


class ReplacedByAnother(Exception):
    """Another controller of this cell has taken the application over: this one must stop."""


@dataclass
class Driven:
    """One call and what is under way for it."""

    legs: CallLegs
    control: Lane[Request]
    media: Lane[Request | Announce | Forget]
    state: Lane[Callable[[], Any]]
    stored: str = ""
    storing: bool = False
    returned: StasisStarted | None = None


@dataclass
class Controller:
    """All calls of one Asterisk. `run` drives them until cancelled."""

    rules: Rules
    max_calls: int
    sweep_interval_s: float
    ari: AriClient
    store: CallStore
    outbox: Outbox
    inbox: Inbox
    calls: dict[str, Driven] = field(default_factory=dict)
    is_connected: bool = False
    draining: bool = False
    _connections: int = 0
    _is_open: bool = False
    _held: list[str] | None = None
    _reconciled: asyncio.Event = field(default_factory=asyncio.Event)
    _connected_event: asyncio.Event = field(default_factory=asyncio.Event)
    _replaced: asyncio.Event = field(default_factory=asyncio.Event)
    _redis_away_since: float | None = None
    _strays: frozenset[str] = frozenset()
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _lanes: WeakSet[Lane[Any]] = field(default_factory=WeakSet)

    # --- the websocket ------------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """Events flow: hold them back until we know what happened before."""
        self._held = []
        self._is_open = True
        self._connections += 1
        metrics.RECONNECTS.inc(self._connections > 1)
        self._connected_event.set()

    def disconnected(self, reason: str) -> None:
        """New calls hear the dialplan's fall-back; live ones go on."""
        self.is_connected = self._is_open = False
        self._held = None
        metrics.CONNECTED.set(0)
        log.warning("no ARI events", extra={"reason": reason, "calls": len(self.calls)})

    def received(self, text: str) -> None:
        """One event, or one to hold back."""
        if self._held is not None:
            self._held.append(text)
            return
        try:
            event = parse_event(text)
        except BadEvent as error:
            metrics.EVENTS.labels("malformed").inc()
            log.error("ARI event refused", extra={"reason": str(error)})
            return
        metrics.EVENTS.labels(event.type if isinstance(event, Ignored) else type(event).__name__).inc()
        self._dispatch(event)

    def _dispatch(self, event: AriEvent) -> None:
        match event:
            case Replaced():
                self._replaced.set()
            case Ignored():
                pass
            case StasisStarted():
                role, call_id = role_of(event.channel_id)
                driven = self.calls.get(call_id)
                if role != "main":
                    self._feed(driven, event) if driven else self._delete_stray_leg(event.channel_id)
                elif driven is None:
                    self._arrive(event.channel, event.args)
                elif not driven.legs.live:
                    driven.returned = event  # the dialplan sent him back before his old legs were gone
            case StasisEnded() | HangupRequested() | DtmfPressed() | PlaybackBegan() | PlaybackOver() | RecordingOver():
                self._feed(self.calls.get(role_of(event.channel_id)[1]), event)

    def _feed(self, driven: Driven | None, event: AriEvent) -> None:
        if driven is not None:
            self._step(driven, lambda at: driven.legs.event(event, at))

    def _delete_stray_leg(self, channel_id: str) -> None:
        self._spawn(self._remove(ari_requests.delete_channel(channel_id), role_of(channel_id)[0]))

    # --- calls come ---------------------------------------------------------------------------------------------------

    def _arrive(self, channel: Channel, args: tuple[str, ...]) -> None:
        live = [driven.legs for driven in self.calls.values() if driven.legs.live]
        served = sum(legs.admitted for legs in live)
        farewell: Farewell | None = None
        if served >= self.max_calls or self.draining:
            if len(live) - served >= BUSY_AT_ONCE:
                metrics.CALLS_REFUSED.labels("turned_away").inc()
                self._spawn(self._remove(ari_requests.turn_away(channel.channel_id), "main"))
                return
            metrics.CALLS_REFUSED.labels("busy_prompt").inc()
            log.warning("call refused", extra={"call_id": channel.channel_id, "calls": served})
            farewell = BUSY
        elif self._redis_away_s() > REDIS_AWAY_S:
            metrics.APOLOGIES.labels("redis_away").inc()
            farewell = APOLOGY
        flow = args[0] if args else ""
        legs, actions = CallLegs.arrive(channel, flow, self.rules, time.time(), farewell)
        self._carry_out(self._drive(legs), actions)

    def _drive(self, legs: CallLegs) -> Driven:
        call_id = legs.call_id
        driven = Driven(
            legs, Lane(lambda item: self._do(call_id, item)), Lane(lambda item: self._do(call_id, item)), Lane(_call)
        )
        self.calls[call_id] = driven
        self._lanes |= {driven.control, driven.media, driven.state}
        return driven

    # --- a call's steps -----------------------------------------------------------------------------------------------

    def _step(self, driven: Driven, step: Callable[[float], list[Action]]) -> None:
        """One input of one call. A bug in it is caught here: the caller is handed over, other calls live on."""
        at = time.time()
        try:
            actions = step(at)
        except Exception:
            log.exception("bug in a call", extra={"call_id": driven.legs.call_id})
            actions = driven.legs.abandon("bug", at)
        self._carry_out(driven, actions)

    def _carry_out(self, driven: Driven, actions: list[Action]) -> None:
        call_id = driven.legs.call_id
        for action in actions:
            match action:
                case Request(lane="control"):
                    driven.control.put(action)
                case Request() | Announce() | Forget():
                    driven.media.put(action)
                case Send(event):
                    self._count(driven.legs, event)
                    self.outbox.send(event)
                case Speak(speaking):
                    driven.state.put(partial(self.store.speak, call_id, speaking))
                case Note(level, message, fields, failed_leg, abandoned):
                    log.log(getattr(logging, level.upper()), message, extra={"call_id": call_id, **fields})
                    if failed_leg:
                        metrics.MEDIA_FAILURES.labels(failed_leg).inc()
                    if abandoned:
                        metrics.APOLOGIES.labels(abandoned).inc()
        if driven.legs.state == "ended":
            self._forget(driven)
        elif actions and driven.legs.state != "answering":
            self._remember(driven)

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
        driven.state.put(lambda: self.store.forget(call_id))
        if driven.returned is not None:
            self._arrive(driven.returned.channel, driven.returned.args)

    async def _do(self, call_id: str, item: Request | Announce | Forget) -> None:
        """One item of a lane; the reply is the call's next input."""
        if isinstance(item, Announce):
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
            self._step(driven, lambda at: driven.legs.replied(item, body, failure, at))

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

    # --- commands -----------------------------------------------------------------------------------------------------

    async def read_commands(self) -> None:
        """Every command, for ever; begins once it is known which calls there are."""
        await self._reconciled.wait()
        async for message in self.inbox.messages():
            if isinstance(message, PlayPrompts | StopPlayback | Listen | TransferCall | HangUp):
                self.command(message)

    def command(self, command: Command) -> None:
        """One command; one for a call that is not there (any more) is only counted."""
        driven = self.calls.get(command.call_id)
        name = type(command).__name__
        metrics.COMMANDS.labels(name, "taken" if driven else "unknown_call").inc()
        if driven is None:
            log.info("command for a call that is not there", extra={"call_id": command.call_id, "command": name})
        else:
            self._step(driven, lambda at: driven.legs.command(command, at))
            if driven.legs.live:
                self._remember(driven)

    # --- time ---------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Lets time go by for every call, and watches Redis, for ever."""
        checked_at = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if now - checked_at >= 1.0:
                checked_at = now
                away = not await self.store.answers()
                self._redis_away_since = (self._redis_away_since or time.time()) if away else None
            redis_away = self._redis_away_s() > REDIS_AWAY_S
            for driven in list(self.calls.values()):
                if redis_away:
                    self._step(driven, partial(driven.legs.abandon, "redis_away"))
                self._step(driven, driven.legs.tick)

    def _redis_away_s(self) -> float:
        since = [at for at in (self._redis_away_since, self.outbox.away_since) if at is not None]
        return time.time() - min(since) if since else 0.0

    # --- what was missed ----------------------------------------------------------------------------------------------

    async def keep_reconciled(self) -> None:
        """Compares with Asterisk after each connection and every `sweep_interval_s`, for ever."""
        while True:
            try:
                await asyncio.wait_for(self._connected_event.wait(), self.sweep_interval_s)
            except TimeoutError:
                if self.is_connected:
                    await self._compare(just_connected=False)
                continue
            self._connected_event.clear()
            connection = self._connections
            done = await self._compare(just_connected=True)
            if self._is_open and connection == self._connections:
                if done:
                    self._go_live()
                else:
                    await self.ari.drop()

    def _go_live(self) -> None:
        held, self._held = self._held or [], None
        self.is_connected = True
        metrics.CONNECTED.set(1)
        log.info("ARI connected", extra={"calls": len(self.calls), "events_held": len(held)})
        self._reconciled.set()
        for text in held:
            self.received(text)

    async def _compare(self, just_connected: bool) -> bool:
        """Lists, decides, acts. False when Asterisk did not answer."""
        before = {call_id: driven.legs.arrived_at for call_id, driven in self.calls.items() if driven.legs.live}
        restored = await self._restore() if just_connected else {}
        at = time.time()
        app = self.rules.target.app
        try:
            application, channels, bridges, info = [
                await self.ari.send(Request("list", "GET", path))
                for path in (f"/applications/{app}", "/channels", "/bridges", "/asterisk/info")
            ]
            seen = reconcile.seen_from(at, app, application, channels, bridges, info)
        except (AriError, BadEvent) as error:
            log.error("Asterisk cannot be listed", extra={"reason": str(error)})
            return False
        if seen.malformed:
            metrics.EVENTS.labels("malformed").inc(seen.malformed)
        known = before | {call_id: legs.arrived_at for call_id, legs in restored.items()}
        since = frozenset(self.calls.keys() - known.keys())
        plan = reconcile.decide(seen, known, since)
        for call_id, legs in restored.items():
            if call_id not in self.calls:
                self._drive(legs)
                if call_id in plan.adopt:
                    metrics.CALLS_ADOPTED.inc()
                    log.info("call adopted", extra={"call_id": call_id, "state": legs.state})
        for call_id, reason in plan.finish.items():
            driven = self.calls.get(call_id)
            if driven is not None:
                self._step(driven, partial(driven.legs.finish, reason))
        for call_id, presence in plan.adopt.items():
            driven = self.calls.get(call_id)
            if driven is not None and just_connected:
                self._recheck(driven, presence, restarted=call_id in restored)
        await self._sweep(plan)
        self._take_strays(plan.strays, just_connected)
        if not just_connected:
            self._refresh()
        return True

    def _recheck(self, driven: Driven, presence: Presence, restarted: bool) -> None:
        self._step(driven, lambda _: driven.legs.recheck(presence, restarted))

    async def _restore(self) -> dict[str, CallLegs]:
        """The calls of the controller before us."""
        try:
            stored = await asyncio.wait_for(self.store.snapshots(), 5.0)
        except (RedisError, OSError) as error:
            log.error("no stored calls: redis is away", extra={"error": repr(error)})
            return {}
        restored: dict[str, CallLegs] = {}
        for call_id, text in stored.items():
            if call_id in self.calls or not ari_requests.valid_id(call_id):
                continue
            try:
                restored[call_id] = restore(call_id, text, self.rules)
            except BadSnapshot as error:
                log.error("stored call refused", extra={"call_id": call_id, "reason": str(error)})
        return restored

    async def _sweep(self, plan: reconcile.Plan) -> None:
        for channel_id in plan.orphan_channels:
            await self._remove(ari_requests.delete_channel(channel_id), role_of(channel_id)[0])
        for bridge in plan.orphan_bridges:
            await self._remove(ari_requests.delete_bridge(bridge), "bridge")

    async def _remove(self, request: Request, kind: str) -> None:
        try:
            await self.ari.send(request)
        except AriError as error:
            log.warning("not removed", extra={"path": request.path, "reason": str(error)})
            return
        if request.name != "hang_up":
            metrics.ORPHANS.labels(kind).inc()
            log.warning("orphan removed", extra={"path": request.path})

    def _take_strays(self, strays: tuple[Channel, ...], just_connected: bool) -> None:
        """Callers in our application whom nobody knows: new at a connection, otherwise if still there next time."""
        for channel in strays:
            if channel.channel_id not in self.calls and (just_connected or channel.channel_id in self._strays):
                log.warning("unknown caller taken as new", extra={"call_id": channel.channel_id})
                self._arrive(channel, reconcile.stray_args(channel))
        self._strays = frozenset(channel.channel_id for channel in strays)

    def _refresh(self) -> None:
        """Writes state again before it expires, and what Redis did not take or has lost."""
        for driven in self.calls.values():
            legs = driven.legs
            driven.stored = ""
            if legs.state != "answering":
                self._remember(driven)
            if legs.live and legs.stream.state == "running" and legs.stream.source:
                driven.media.put(Announce(*legs.stream.source))

    # --- another controller -------------------------------------------------------------------------------------------

    async def watch_replacement(self) -> None:
        """Raises ReplacedByAnother when another controller of this cell took our application; takes it back from
        anybody else (a debug client), a little later each time, for ever."""
        times = 0
        while True:
            await self._replaced.wait()
            self.is_connected = False
            metrics.CONNECTED.set(0)
            metrics.REPLACED.inc()
            log.error("another client took over our application", extra={"app": self.rules.target.app})
            if await self.store.replaced_by_another():
                raise ReplacedByAnother(f"another controller runs the cell and the application {self.rules.target.app}")
            await asyncio.sleep(REPLACED_PAUSE_S[min(times, len(REPLACED_PAUSE_S) - 1)])
            times += 1
            self._replaced.clear()
            await self.ari.drop()

    # --- what others see ----------------------------------------------------------------------------------------------

    def channels(self) -> list[dict[str, object]]:
        """Every channel that we think is there: id, type, call_id, state."""
        found: list[dict[str, object]] = []
        for call_id, driven in self.calls.items():
            legs = driven.legs
            rows = [
                ("main", call_id, legs.state, legs.live),
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

    def ready(self) -> tuple[bool, str]:
        """Whether new calls are taken and driven."""
        if not self.is_connected:
            return False, "Asterisk is away"
        if self.draining:
            return False, "draining"
        return (False, "Redis is away") if self._redis_away_s() > REDIS_AWAY_S else (True, "")

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
