"""Events and channels of ARI's JSON as typed values: only what a call needs. Pure: text in, value or BadEvent out.

Unknown event types become `Ignored`; an event of a known type that lacks what it must have raises BadEvent. The ids
that come in are checked here, once, so that no later code meets one that could not be a path or a key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ari_controller.ari_requests import is_channel_id
from ari_controller.numbers import spelled


class BadEvent(ValueError):
    """Text that is no ARI event of the shape it claims; says what is wrong."""


@dataclass(frozen=True)
class Channel:
    """A channel as ARI shows it. `app_data` is the argument list of the dialplan application that holds it."""

    channel_id: str
    state: str
    caller_number: str
    called_number: str
    app_name: str
    app_data: str
    created_at: float
    source: tuple[str, int] | None = None
    """Where an external media channel sends from, (host, port); needs `channelvars` in ari.conf."""
    technology: str = ""
    """What kind of channel it is: PJSIP, Local."""


@dataclass(frozen=True)
class StasisStarted:
    """A channel came under our control."""

    channel: Channel
    args: tuple[str, ...]

    @property
    def channel_id(self) -> str:
        """The channel that came."""
        return self.channel.channel_id


@dataclass(frozen=True)
class StasisEnded:
    """A channel left: hung up, or went on in the dialplan."""

    channel_id: str


@dataclass(frozen=True)
class HangupRequested:
    """A channel is about to hang up. `soft`: Asterisk itself or a command asked for it, not the far end."""

    channel_id: str
    soft: bool


@dataclass(frozen=True)
class DtmfPressed:
    """A key was pressed and released."""

    channel_id: str
    digit: str


@dataclass(frozen=True)
class PutOnHold:
    """The far end put the call on hold: a re-INVITE with sendonly, inactive or the address 0.0.0.0."""

    channel_id: str


@dataclass(frozen=True)
class TakenOffHold:
    """The far end is there again."""

    channel_id: str


@dataclass(frozen=True)
class Dialled:
    """Somebody is rung for this channel. `status` is Asterisk's DIALSTATUS, empty or RINGING until there is one."""

    channel_id: str
    status: str


@dataclass(frozen=True)
class ChannelGone:
    """A channel is there no more."""

    channel_id: str


@dataclass(frozen=True)
class FileBegan:
    """One file of a playback started. `at_ms` is Asterisk's clock, milliseconds since the epoch."""

    channel_id: str
    playback_id: str
    at_ms: int
    media: str = ""
    """Which file of a list."""


@dataclass(frozen=True)
class PlaybackOver:
    """A playback is over. A missing file is `failed`, a deleted playback is `done`."""

    channel_id: str
    playback_id: str
    state: str
    at_ms: int


@dataclass(frozen=True)
class RecordingOver:
    """A recording's file is closed, or could not be written."""

    channel_id: str
    failed: bool
    cause: str


@dataclass(frozen=True)
class Replaced:
    """Another websocket took over our application: no more events on this one."""


@dataclass(frozen=True)
class Ignored:
    """An event that no call needs."""

    type: str


AriEvent: TypeAlias = (
    StasisStarted
    | StasisEnded
    | HangupRequested
    | DtmfPressed
    | PutOnHold
    | TakenOffHold
    | Dialled
    | ChannelGone
    | FileBegan
    | PlaybackOver
    | RecordingOver
    | Replaced
    | Ignored
)
PlaybackKind: TypeAlias = Literal["PlaybackStarted", "PlaybackFinished"]


def parse_event(text: str) -> AriEvent:
    """The event of one websocket message. Raises BadEvent."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadEvent(f"no JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadEvent("not a JSON object")
    kind = body.get("type")
    match kind:
        case "StasisStart":
            args = body.get("args", [])
            if not isinstance(args, list) or not all(isinstance(item, str) for item in args):
                raise BadEvent("StasisStart.args is no list of texts")
            return StasisStarted(parse_channel(body.get("channel")), tuple(args))
        case "StasisEnd":
            return StasisEnded(_channel_id(body))
        case "ChannelHangupRequest":
            return HangupRequested(_channel_id(body), body.get("soft") is True)
        case "ChannelDtmfReceived":
            return DtmfPressed(_channel_id(body), _text(body, "digit"))
        case "ChannelHold":
            return PutOnHold(_channel_id(body))
        case "ChannelUnhold":
            return TakenOffHold(_channel_id(body))
        case "Dial" if "caller" in body:
            return Dialled(_id(_text(_object(body, "caller"), "id")), _text(body, "dialstatus"))
        case "ChannelDestroyed":
            return ChannelGone(_channel_id(body))
        case "PlaybackStarted":
            playback = _object(body, "playback")
            media = playback.get("media_uri")
            return FileBegan(
                _target(playback),
                _text(playback, "id"),
                _moment_ms(body, "timestamp"),
                media if isinstance(media, str) else "",
            )
        case "PlaybackFinished":
            playback = _object(body, "playback")
            at_ms = _moment_ms(body, "timestamp")
            return PlaybackOver(_target(playback), _text(playback, "id"), _text(playback, "state"), at_ms)
        case "RecordingFinished" | "RecordingFailed":
            recording = _object(body, "recording")
            cause = recording.get("cause", "")
            return RecordingOver(_target(recording), kind == "RecordingFailed", cause if isinstance(cause, str) else "")
        case "ApplicationReplaced":
            return Replaced()
        case str():
            return Ignored(kind)
    raise BadEvent("no type")


def parse_channel(body: Any) -> Channel:
    """A channel as it stands in events and in `GET /channels`. Raises BadEvent."""
    if not isinstance(body, dict):
        raise BadEvent("channel is missing")
    dialplan = _object(body, "dialplan")
    return Channel(
        channel_id=_id(_text(body, "id")),
        state=_text(body, "state"),
        caller_number=_number(_object(body, "caller"), "number"),
        called_number=_number(dialplan, "exten"),
        app_name=_text(dialplan, "app_name"),
        app_data=_text(dialplan, "app_data"),
        created_at=_moment_ms(body, "creationtime") / 1000,
        source=source_of(body.get("channelvars")),
        technology=str(body.get("name", "")).partition("/")[0],
    )


def source_of(channelvars: Any) -> tuple[str, int] | None:
    """(host, port) that an external media channel sends from, None when the variables do not tell."""
    if not isinstance(channelvars, dict):
        return None
    host, port = channelvars.get("UNICASTRTP_LOCAL_ADDRESS"), channelvars.get("UNICASTRTP_LOCAL_PORT")
    if not isinstance(host, str) or not host or not isinstance(port, str) or not port.isascii() or not port.isdigit():
        return None
    return (host, int(port)) if 0 < int(port) < 65_536 else None


def moment(text: str) -> float:
    """Seconds since the epoch of an ARI time such as 2026-11-20T23:45:57.032+0000. Raises BadEvent."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    except (ValueError, OverflowError) as error:
        raise BadEvent(f"no time: {text[:40]!r}") from error


def _moment_ms(body: dict[str, Any], key: str) -> int:
    return round(moment(_text(body, key)) * 1000)


def _object(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    if not isinstance(value, dict):
        raise BadEvent(f"{key} is missing")
    return value


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise BadEvent(f"{key} is missing or no text")
    return value


def _number(body: dict[str, Any], key: str) -> str:
    """A number or name that a caller chose themselves."""
    return spelled(_text(body, key))


def _id(value: str) -> str:
    if not is_channel_id(value):
        raise BadEvent(f"channel id {value[:60]!r} has characters that we do not let in")
    return value


def _channel_id(body: dict[str, Any]) -> str:
    return _id(_text(_object(body, "channel"), "id"))


def _target(body: dict[str, Any]) -> str:
    """The channel of a playback or recording; empty for one of a bridge."""
    kind, _, target = _text(body, "target_uri").partition(":")
    return _id(target) if kind == "channel" else ""
