"""What to do about each call, channel and bridge after events may have been lost. Pure: lists in, a plan out.

After every connection, and now and then, what Asterisk has is compared with the calls we know (in memory, or from the
snapshots of the controller before us): known and there -> adopt; known and gone -> finish; there and unknown -> a
stray caller, taken as new; a leg or bridge of no live call -> an orphan, removed. Only what belongs to our application
is touched, as several may share one Asterisk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ari_controller.ari_events import BadEvent, Channel, moment, parse_channel
from ari_controller.ari_requests import BRIDGE_PREFIX, Role, role_of, valid_id
from ari_controller.media_legs import Presence


@dataclass(frozen=True)
class Bridge:
    """A bridge as ARI shows it; `name` is the application that made it."""

    bridge_id: str
    name: str
    channel_ids: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """What Asterisk has, listed at `at`. `started_at` is when Asterisk itself started (seconds since the epoch)."""

    at: float
    app: str
    app_channel_ids: frozenset[str]
    channels: tuple[Channel, ...]
    bridges: tuple[Bridge, ...]
    started_at: float
    malformed: int = 0


@dataclass(frozen=True)
class TrackedCall:
    """A call that we know: the channel of its caller, and when they came."""

    channel_id: str
    arrived_at: float


@dataclass(frozen=True)
class Plan:
    """What to do. Finished calls come with the reason of their end, None where the call's own state tells."""

    adopt: Mapping[str, Presence]
    finish: Mapping[str, Literal["lost"] | None]
    strays: tuple[Channel, ...]
    orphan_channels: tuple[str, ...]
    orphan_bridges: tuple[str, ...]


def seen_from(at: float, app: str, application: Any, channels: Any, bridges: Any, info: Any) -> Seen:
    """From the answers of /applications/<app>, /channels, /bridges and /asterisk/info. Raises BadEvent.

    A channel or bridge of a shape that we do not know is counted in `malformed` and left alone.
    """
    try:
        started_at = moment(info["status"]["startup_time"])
        app_channel_ids = frozenset(str(item) for item in application["channel_ids"])
        channel_bodies, bridge_bodies = list(channels), list(bridges)
    except (KeyError, TypeError) as error:
        raise BadEvent(f"answers of an unknown shape: {error!r}") from error
    known_channels: list[Channel] = []
    known_bridges: list[Bridge] = []
    malformed = 0
    for body in channel_bodies:
        try:
            known_channels.append(parse_channel(body))
        except BadEvent:
            malformed += 1
    for body in bridge_bodies:
        try:
            known_bridges.append(Bridge(str(body["id"]), str(body["name"]), frozenset(map(str, body["channels"]))))
        except (KeyError, TypeError):
            malformed += 1
    return Seen(at, app, app_channel_ids, tuple(known_channels), tuple(known_bridges), started_at, malformed)


def decide(seen: Seen, known: Mapping[str, TrackedCall], arrived_since: Mapping[str, str] | None = None) -> Plan:
    """The plan. `known` are the calls by their ids; `arrived_since` those that came after the listing began, with
    their channels: their legs are no orphans, and that they are not in the list means nothing."""
    since = arrived_since or {}
    ours = {channel.channel_id: channel for channel in seen.channels if _is_ours(channel, seen)}
    mains = {channel_id for channel_id, channel in ours.items() if role_of(channel_id)[0] == "main"}
    there = {call_id for call_id, call in known.items() if call.channel_id in mains}
    live = there | since.keys()
    taken = {known[call_id].channel_id for call_id in there} | set(since.values())
    legs: dict[str, set[Role]] = {}
    for channel_id in ours:
        role, call_id = role_of(channel_id)
        if role != "main":
            legs.setdefault(call_id, set()).add(role)
    bridged = {bridge.bridge_id: bridge.channel_ids for bridge in seen.bridges}

    def presence(call_id: str) -> Presence:
        inside = bridged.get(BRIDGE_PREFIX + call_id, frozenset())
        roles = frozenset(legs.get(call_id, set()))
        return Presence(seen.at, roles, frozenset(role_of(item)[0] for item in inside))

    return Plan(
        adopt={call_id: presence(call_id) for call_id in sorted(there)},
        finish={
            call_id: "lost" if call.arrived_at < seen.started_at else None
            for call_id, call in known.items()
            if call_id not in live
        },
        strays=tuple(ours[channel_id] for channel_id in sorted(mains - taken)),
        orphan_channels=tuple(
            sorted(item for item in ours if role_of(item)[0] != "main" and role_of(item)[1] not in live)
        ),
        orphan_bridges=tuple(
            sorted(
                bridge.bridge_id
                for bridge in seen.bridges
                if bridge.name == seen.app
                and bridge.bridge_id.startswith(BRIDGE_PREFIX)
                and bridge.bridge_id[len(BRIDGE_PREFIX) :] not in live
                and valid_id(bridge.bridge_id)
            )
        ),
    )


def stray_args(channel: Channel) -> tuple[str, ...]:
    """The arguments of Stasis(app,arg,...) of a channel that we find in it."""
    return tuple(channel.app_data.split(",")[1:])


def _is_ours(channel: Channel, seen: Seen) -> bool:
    if channel.app_name == "Stasis" and channel.app_data.split(",")[0] == seen.app:
        return True
    # a leg that was made and is not in Stasis yet; a caller outside Stasis is the dialplan's
    return channel.channel_id in seen.app_channel_ids and role_of(channel.channel_id)[0] != "main"
