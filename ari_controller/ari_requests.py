"""Every ARI request that a call needs, as a value, and the ids of a call's legs. Pure: builds values, sends nothing.

The id of the main channel is the call id. Everything else of a call has an id that is chosen before it exists and that
tells whose it is: `sn-<call>` (snoop of the caller), `em-<call>` (external media), `rc-<call>` (snoop of both sides,
for the recording), `br-<call>` (bridge of snoop and external media). So a leg is known the moment it shows up, a leg of
no call is seen as an orphan, and making or deleting one twice does no harm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote

Lane: TypeAlias = Literal["control", "media"]
Role: TypeAlias = Literal["main", "snoop", "external_media", "recording"]

PREFIXES: dict[str, Role] = {"sn-": "snoop", "em-": "external_media", "rc-": "recording"}
BRIDGE_PREFIX = "br-"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_PLAYBACK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,160}")
_PROMPT = re.compile(r"[a-z0-9_]{1,80}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_EXTENSION = re.compile(r"[A-Za-z0-9+*#_-]{1,40}")
MAX_PROMPTS = 20


class BadRequest(ValueError):
    """What was asked for cannot be put into a request; the text says why."""


@dataclass(frozen=True)
class Request:
    """One ARI request. `path` is below `/ari` and quoted; `params` go into the query.

    `name` says in one word what it is for (and labels its metrics). Requests of one call and lane are sent one after
    the other, each after the answer to the one before; the lanes do not wait for each other, so that no prompt waits
    for a media leg.
    """

    name: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    params: tuple[tuple[str, str], ...] = ()
    lane: Lane = "control"


def valid_id(channel_id: str) -> bool:
    """Whether this is an id we let into paths, file names and keys: letters, digits, dot, dash and underscore."""
    return bool(_ID.fullmatch(channel_id)) and ".." not in channel_id


def snoop_id(call_id: str) -> str:
    """The channel that hears the caller."""
    return f"sn-{call_id}"


def external_media_id(call_id: str) -> str:
    """The channel that sends what the snoop hears to the RTP receiver."""
    return f"em-{call_id}"


def recorder_id(call_id: str) -> str:
    """The channel that hears both sides and is recorded."""
    return f"rc-{call_id}"


def bridge_id(call_id: str) -> str:
    """The bridge of snoop and external media."""
    return f"{BRIDGE_PREFIX}{call_id}"


def role_of(channel_id: str) -> tuple[Role, str]:
    """What a channel is and which call it belongs to, from its id."""
    role = PREFIXES.get(channel_id[:3])
    return ("main", channel_id) if role is None else (role, channel_id[3:])


def _at(*segments: str) -> str:
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


# --- the caller's channel: lane "control" -----------------------------------------------------------------------------


def answer(call_id: str) -> Request:
    """Answer the caller."""
    return Request("answer", "POST", _at("channels", call_id, "answer"))


def hang_up(call_id: str) -> Request:
    """End the caller's channel."""
    return Request("hang_up", "DELETE", _at("channels", call_id), (("reason", "normal"),))


def turn_away(call_id: str) -> Request:
    """Refuse a caller who was not answered: the trunk hears that all circuits are busy."""
    return Request("hang_up", "DELETE", _at("channels", call_id), (("reason", "congestion"),))


def start_silence(call_id: str) -> Request:
    """Send silence to the caller, 50 packets a second, until something is played."""
    return Request("silence", "POST", _at("channels", call_id, "silence"))


def stop_silence(call_id: str) -> Request:
    """Stop that."""
    return Request("stop_silence", "DELETE", _at("channels", call_id, "silence"))


def play(
    call_id: str, playback_id: str, prompts_dir: str, language: str, prompts: tuple[str, ...], offset_ms: int = 0
) -> Request:
    """Play prompts one after the other as one playback. Raises BadRequest for names that are none of ours."""
    if not _PLAYBACK_ID.fullmatch(playback_id) or ".." in playback_id:
        raise BadRequest(f"playback id {playback_id!r}: letters, digits, dot, dash, underscore only")
    if not _LANGUAGE.fullmatch(language):
        raise BadRequest(f"language {language!r} is no language code")
    if not 1 <= len(prompts) <= MAX_PROMPTS:
        raise BadRequest(f"{len(prompts)} prompts: from 1 to {MAX_PROMPTS} in one playback")
    for name in prompts:
        if not _PROMPT.fullmatch(name):
            raise BadRequest(f"prompt {name!r}: lower-case letters, digits and underscore only")
    if offset_ms < 0:
        raise BadRequest(f"offset_ms {offset_ms} is negative")
    media = ",".join(f"sound:{prompts_dir}/{language}/{name}" for name in prompts)
    offset = (("offsetms", str(offset_ms)),) if offset_ms else ()
    return Request("play", "POST", _at("channels", call_id, "play", playback_id), (("media", media), *offset))


def stop_playback(playback_id: str) -> Request:
    """Silence one playback, or take it out of the queue."""
    return Request("stop_playback", "DELETE", _at("playbacks", playback_id))


def get_playback(playback_id: str) -> Request:
    """Ask whether a playback still is."""
    return Request("get_playback", "GET", _at("playbacks", playback_id))


def extension_exists(call_id: str, context: str, extension: str) -> Request:
    """Ask the dialplan whether an extension is there: the answer's value is "1" or "0". Raises BadRequest."""
    if not _EXTENSION.fullmatch(extension):
        raise BadRequest(f"extension {extension!r}: letters, digits and + * # _ - only")
    function = f"DIALPLAN_EXISTS({context},{extension},1)"
    return Request("extension_exists", "GET", _at("channels", call_id, "variable"), (("variable", function),))


def leave_to_dialplan(call_id: str, context: str, extension: str) -> Request:
    """Hand the caller over to the dialplan."""
    where = (("context", context), ("extension", extension), ("priority", "1"))
    return Request("continue", "POST", _at("channels", call_id, "continue"), where)


# --- the legs: lane "media" -------------------------------------------------------------------------------------------


def snoop(call_id: str, app: str) -> Request:
    """A channel that hears the caller and not the bot."""
    params = (("spy", "in"), ("app", app))
    return Request("snoop", "POST", _at("channels", call_id, "snoop", snoop_id(call_id)), params, "media")


def snoop_both(call_id: str, app: str) -> Request:
    """A channel that hears both sides."""
    params = (("spy", "both"), ("app", app))
    return Request("snoop_both", "POST", _at("channels", call_id, "snoop", recorder_id(call_id)), params, "media")


def external_media(call_id: str, app: str, rtp_host: str, rtp_port: int) -> Request:
    """A channel that sends slin16 over RTP to the receiver: 16 kHz, 16 bit, big-endian, 20 ms a packet."""
    params = (
        ("app", app),
        ("channelId", external_media_id(call_id)),
        ("external_host", f"{rtp_host}:{rtp_port}"),
        ("format", "slin16"),
    )
    return Request("external_media", "POST", "/channels/externalMedia", params, "media")


def source_variable(call_id: str, variable: Literal["ADDRESS", "PORT"]) -> Request:
    """Ask where the external media channel sends from, if its creation did not tell."""
    name = f"UNICASTRTP_LOCAL_{variable}"
    path = _at("channels", external_media_id(call_id), "variable")
    return Request(f"source_{variable.lower()}", "GET", path, (("variable", name),), "media")


def create_bridge(call_id: str, app: str) -> Request:
    """The bridge of snoop and external media; its name is the application's, so that a sweep knows whose it is."""
    params = (("type", "mixing"), ("name", app))
    return Request("bridge", "POST", _at("bridges", bridge_id(call_id)), params, "media")


def add_to_bridge(call_id: str) -> Request:
    """Join snoop and external media. Both must be in Stasis: otherwise Asterisk adds none and answers 422."""
    channels = f"{snoop_id(call_id)},{external_media_id(call_id)}"
    return Request(
        "add_channel", "POST", _at("bridges", bridge_id(call_id), "addChannel"), (("channel", channels),), "media"
    )


def record(call_id: str) -> Request:
    """Record both sides to `<call id>.wav` in Asterisk's recording folder; a call that comes back is appended."""
    params = (("name", call_id), ("format", "wav"), ("ifExists", "append"))
    return Request("record", "POST", _at("channels", recorder_id(call_id), "record"), params, "media")


def delete_channel(channel_id: str) -> Request:
    """End a leg."""
    return Request("delete_channel", "DELETE", _at("channels", channel_id), (), "media")


def delete_bridge(bridge: str) -> Request:
    """End a bridge."""
    return Request("delete_bridge", "DELETE", _at("bridges", bridge), (), "media")
