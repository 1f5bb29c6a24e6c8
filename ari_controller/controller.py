"""Keeps calls and Asterisk together: passes events and commands on, compares after each connection and now and then.

While a comparison after a connection runs, events are held back, so that none meets a call that is not known yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from functools import partial

from redis.exceptions import RedisError

from ari_controller import ari_requests, metrics, reconcile
from ari_controller.ari import AriClient
from ari_controller.ari_errors import AriError
from ari_controller.ari_events import (
    AriEvent,
    BadEvent,
    Channel,
    ChannelGone,
    Dialled,
    DtmfPressed,
    FileBegan,
    HangupRequested,
    Ignored,
    PlaybackOver,
    PutOnHold,
    RecordingOver,
    Replaced,
    StasisEnded,
    StasisStarted,
    TakenOffHold,
    parse_event,
)
from ari_controller.ari_requests import Request, role_of
from ari_controller.call_legs import CallLegs
from ari_controller.call_snapshot import BadLegs, restore
from ari_controller.call_store import CallStore
from ari_controller.live_calls import REDIS_AWAY_S, Driven, LiveCalls
from ari_controller.media_legs import Presence
from observability.lag import LoopLag
from protocol.bus import Inbox
from protocol.messages import Append, HangUp, Listen, Say, StopPlayback, TransferCall
from protocol.steady import steady_time
from protocol.strain import TOLD_EVERY_S

log = logging.getLogger("pronto.controller")

TICK_S = 0.25
PING_S = 1.0
LOOP_S = 0.1
"""Later than this, callers notice; so the next two."""
ASTERISK_S = 0.1
UNREAD_S = 4.0
REPLACED_PAUSE_S = (2.0, 5.0, 15.0, 30.0)


class ReplacedByAnother(Exception):
    """Another controller of this cell has taken the application over: this one must stop."""


@dataclass
class Controller:
    """The listener of one Asterisk's events, and the loops beside it: run them all until cancelled."""

    live: LiveCalls
    ari: AriClient
    store: CallStore
    inbox: Inbox
    sweep_interval_s: float
    is_connected: bool = False
    drained_by: str | None = None
    """The service of this cell that drains and wants no new calls; None when Redis does not tell."""
    lag: LoopLag = field(default_factory=LoopLag)
    _unread_s: float = 0.0
    _connections: int = 0
    _is_open: bool = False
    _held: list[str] | None = None
    _reconciled: asyncio.Event = field(default_factory=asyncio.Event)
    _connected_event: asyncio.Event = field(default_factory=asyncio.Event)
    _replaced: asyncio.Event = field(default_factory=asyncio.Event)
    _strays: frozenset[str] = frozenset()

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
        log.warning("no ARI events", extra={"reason": reason, "calls": len(self.live.calls)})

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
        # not the name that came: one series for each would be memory without end
        metrics.EVENTS.labels(type(event).__name__).inc()
        self._dispatch(event)

    def _dispatch(self, event: AriEvent) -> None:
        match event:
            case Replaced():
                self._replaced.set()
            case Ignored():
                pass
            case StasisStarted():
                driven = self.live.call_of(event.channel_id)
                if role_of(event.channel_id)[0] != "main":
                    self._feed(driven, event) if driven else self.live.remove_stray(event.channel_id)
                elif driven is None or not driven.legs.live:  # the dialplan may send a caller back: that is a new call
                    self.live.arrive(event.channel, event.args)
            case StasisEnded(channel_id):
                driven = self.live.call_of(channel_id)
                self._feed(driven, event)
                self.live.left(driven, channel_id)
            case Dialled(channel_id, status):
                self.live.adviser_dialled(channel_id, status)
            case ChannelGone(channel_id):
                self.live.channel_gone(channel_id)
            case HangupRequested() | DtmfPressed() | PutOnHold() | TakenOffHold():
                self._feed(self.live.call_of(event.channel_id), event)
            case FileBegan() | PlaybackOver() | RecordingOver():
                self._feed(self.live.call_of(event.channel_id), event)

    def _feed(self, driven: Driven | None, event: AriEvent) -> None:
        if driven is not None:
            self.live.step(driven, lambda at: driven.legs.event(event, at))

    # --- commands and time --------------------------------------------------------------------------------------------

    async def read_commands(self) -> None:
        """Every command, for ever; done once it is known which calls there are."""
        async for entry in self.inbox.entries():
            await self._reconciled.wait()
            if isinstance(entry.message, Say | Append | StopPlayback | Listen | TransferCall | HangUp):
                self.live.command(entry.message, entry.id)

    async def watch_time(self) -> None:
        """Lets time go by for every call, and watches Redis, for ever."""
        pinged_at = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            if time.monotonic() - pinged_at >= PING_S:
                self.drained_by = await self.store.drained_by()
                away = self.drained_by is None
                self.live.redis_away_since = (self.live.redis_away_since or steady_time()) if away else None
                pinged_at = time.monotonic()
            self.live.tick()

    async def watch_bot(self) -> None:
        """Looks several times a second what the bot manager leaves unanswered, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            if self.live.calls:
                driven, unread = await asyncio.gather(self.store.driven(), self.store.unread_by_bot())
                if driven is not None:
                    self.live.driven(driven)
                self.live.unanswered(unread)
                self._unread_s = max((age_s for _, age_s in unread), default=0.0)
            else:
                self._unread_s = 0.0

    async def watch_strain(self) -> None:
        """Tells admission twice a second how near the cell is to what it can carry, for ever."""
        admission = self.live.admission
        while True:
            own = {
                "controller_loop": self.lag.recent_s / LOOP_S,
                "asterisk": self.ari.recent_s / ASTERISK_S,
                "bot_unread": self._unread_s / UNREAD_S,
            }
            figures = await self.store.strain(own) | own
            before = admission.closed
            admission.measured(figures, steady_time())
            for name, figure in admission.strain.items():
                metrics.STRAIN.labels(name).set(round(figure, 3))
            metrics.TAKES_CALLS.set(not admission.closed)
            if admission.closed != before:
                what, strain = admission.worst
                log.warning(
                    "new calls are refused" if admission.closed else "new calls are taken again",
                    extra={"reason": what, "strain": round(strain, 2)},
                )
            await asyncio.sleep(TOLD_EVERY_S)

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
        log.info("ARI connected", extra={"calls": len(self.live.calls), "events_held": len(held)})
        self._reconciled.set()
        for text in held:
            self.received(text)

    async def _compare(self, just_connected: bool) -> bool:
        """Lists, decides, acts. False when Asterisk did not answer."""
        before = {call_id: known(driven.legs) for call_id, driven in self.live.calls.items() if driven.legs.live}
        restored = await self._restore() if just_connected else {}
        at = steady_time()
        app = self.live.rules.target.app
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
        # a call that was not up yet is begun anew, as a stray; if it is gone, its end may have to be told
        there = {channel.channel_id for channel in seen.channels}
        for call_id in [
            key for key, legs in restored.items() if legs.state == "answering" and legs.channel_id in there
        ]:
            del restored[call_id]
            self.live.forget_stored(call_id)
        before |= {call_id: known(legs) for call_id, legs in restored.items()}
        since = {
            call_id: driven.legs.channel_id for call_id, driven in self.live.calls.items() if call_id not in before
        }
        plan = reconcile.decide(seen, before, since)
        for call_id, legs in restored.items():
            if call_id not in self.live.calls:
                self.live.drive(legs)
                if call_id in plan.adopt:
                    metrics.CALLS_ADOPTED.inc()
                    log.info("call adopted", extra={"call_id": call_id, "state": legs.state})
        for call_id, reason in plan.finish.items():
            driven = self.live.calls.get(call_id)
            if driven is not None:
                self.live.step(driven, partial(driven.legs.finish, reason))
        for call_id, presence in plan.adopt.items():
            driven = self.live.calls.get(call_id)
            if driven is not None and just_connected:
                self._recheck(driven, presence, restarted=call_id in restored)
        await self._sweep(plan)
        self._take_strays(plan.strays, just_connected)
        if not just_connected:
            self.live.refresh()
        return True

    def _recheck(self, driven: Driven, presence: Presence, restarted: bool) -> None:
        self.live.step(driven, lambda _: driven.legs.recheck(presence, restarted))

    async def _restore(self) -> dict[str, CallLegs]:
        """The calls of the controller before us."""
        try:
            stored = await asyncio.wait_for(self.store.snapshots(), 5.0)
        except (RedisError, OSError) as error:
            log.error("no stored calls: redis is away", extra={"error": repr(error)})
            return {}
        restored: dict[str, CallLegs] = {}
        for call_id, text in stored.items():
            if call_id in self.live.calls or not ari_requests.valid_id(call_id):
                continue
            try:
                restored[call_id] = restore(call_id, text, self.live.rules, steady_time())
            except BadLegs as error:
                log.error("stored call refused", extra={"call_id": call_id, "reason": str(error)})
        return restored

    async def _sweep(self, plan: reconcile.Plan) -> None:
        if self.live.speech is not None:
            self.live.speech.sweep(self.live.calls)
        for channel_id in plan.orphan_channels:
            await self.live.remove(ari_requests.delete_channel(channel_id), role_of(channel_id)[0])
        for bridge in plan.orphan_bridges:
            await self.live.remove(ari_requests.delete_bridge(bridge), "bridge")

    def _take_strays(self, strays: tuple[Channel, ...], just_connected: bool) -> None:
        """Callers in our application whom nobody knows: new at a connection, otherwise if still there next time."""
        for channel in strays:
            driven = self.live.call_of(channel.channel_id)
            is_known = driven is not None and driven.legs.live
            if not is_known and (just_connected or channel.channel_id in self._strays):
                log.warning("unknown caller taken as new", extra={"channel": channel.channel_id})
                self.live.arrive(channel, reconcile.stray_args(channel))
        self._strays = frozenset(channel.channel_id for channel in strays)

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
            log.error("another client took over our application", extra={"app": self.live.rules.target.app})
            if await self.store.replaced_by_another():
                raise ReplacedByAnother(
                    f"another controller runs the cell and the application {self.live.rules.target.app}"
                )
            await asyncio.sleep(REPLACED_PAUSE_S[min(times, len(REPLACED_PAUSE_S) - 1)])
            times += 1
            self._replaced.clear()
            await self.ari.drop()

    def ready(self) -> tuple[bool, str]:
        """Whether new calls are taken and driven."""
        if not self.is_connected:
            return False, "Asterisk is away"
        if self.live.is_draining():
            return False, f"draining: {self.drained_by or 'ari_controller'}"
        return (False, "Redis is away") if self.live.redis_away_s() > REDIS_AWAY_S else (True, "")


def known(legs: CallLegs) -> reconcile.TrackedCall:
    """What a comparison needs of a call that we know."""
    return reconcile.TrackedCall(legs.channel_id, legs.arrived_at)
