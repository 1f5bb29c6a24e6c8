"""Every ARI request that a call needs, as a value, and the ids of a call's legs. Pure: builds values, sends nothing.

A call has an id of its own (protocol.call_id); the caller's channel has the one that Asterisk gave it. Everything else
of a call has an id that is chosen before it exists and that tells whose it is: `sn-<call>` (snoop of the caller),
`em-<call>` (external media), `rc-<call>` (snoop of both sides, for the recording), `br-<call>` (bridge of snoop and
external media). So a leg is known the moment it shows up, a leg of no call is seen as an orphan, and making or deleting
one twice does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote

import forms
from protocol.call_id import is_call_id
from protocol.items import AudioItem, Item, PromptItem, SpeechItem

LaneName: TypeAlias = Literal["control", "media"]
Role: TypeAlias = Literal["main", "snoop", "external_media", "recording"]

PREFIXES: dict[str, Role] = {"sn-": "snoop", "em-": "external_media", "rc-": "recording"}
BRIDGE_PREFIX = "br-"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_CHANNEL_ID = re.compile(r"[\x20-\x7e]{1,149}")  # AST_MAX_UNIQUEID
_PLAYBACK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,160}")
_AUDIO_URI = re.compile(r"(sound|recording|number|digits|characters|tone):[A-Za-z0-9/._-]{1,200}")
_CHANNEL_OF_BEFORE = re.compile(r"(pronto-)?[0-9]+\.[0-9]+")  # the shipped systemname, or none
MAX_FILES = 20


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
    lane: LaneName = "control"


def valid_id(channel_id: str) -> bool:
    """Whether this is an id we let into paths, file names and keys: letters, digits, dot, dash and underscore."""
    return bool(_ID.fullmatch(channel_id)) and ".." not in channel_id


def is_channel_id(text: str) -> bool:
    """Whether this may be Asterisk's id of a caller's channel. Others choose those: a click-to-call tool makes them of
    an endpoint and a time (`PJSIP/100-17`), Local channels end with ;1 and ;2, a system name may have a blank. In a
    path they are quoted, and nowhere else are they part of a name."""
    return bool(_CHANNEL_ID.fullmatch(text)) and text not in (".", "..") and text == text.strip()


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
    """What a channel is, from its id: ("main", its id), or the role of a leg and the call that it belongs to.

    A leg is what has our prefix before the id of a call, of the release before too (there it was the id of a channel).
    """
    role, call_id = PREFIXES.get(channel_id[:3]), channel_id[3:]
    if role is None or not (is_call_id(call_id) or _CHANNEL_OF_BEFORE.fullmatch(call_id)):
        return "main", channel_id
    return role, call_id


def _at(*segments: str) -> str:
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


# --- the caller's channel: lane "control" -----------------------------------------------------------------------------


def answer(channel_id: str) -> Request:
    """Answer the caller."""
    return Request("answer", "POST", _at("channels", channel_id, "answer"))


def hang_up(channel_id: str) -> Request:
    """End the caller's channel."""
    return Request("hang_up", "DELETE", _at("channels", channel_id), (("reason", "normal"),))


def turn_away(channel_id: str) -> Request:
    """Refuse a caller who was not answered: the trunk hears that all circuits are busy."""
    return Request("hang_up", "DELETE", _at("channels", channel_id), (("reason", "congestion"),))


def media_target(channel_id: str) -> Request:
    """Ask where audio to the caller goes; Asterisk has no answer before their telephone has told."""
    return Request("media_target", "GET", _at("channels", channel_id, "variable"), (("variable", "CHANNEL(rtp,dest)"),))


def start_silence(channel_id: str) -> Request:
    """Send silence to the caller, 50 packets a second, until something is played."""
    return Request("silence", "POST", _at("channels", channel_id, "silence"))


def stop_silence(channel_id: str) -> Request:
    """Stop that."""
    return Request("stop_silence", "DELETE", _at("channels", channel_id, "silence"))


def media_of(item: Item, prompts_dir: str, language: str) -> str:
    """The URI under which Asterisk finds what an item says. Raises BadRequest for what it cannot play."""
    if not forms.is_language(language):
        raise BadRequest(f"language {language!r} is no language code")
    match item:
        case PromptItem(name=name) if forms.is_prompt(name):
            return f"sound:{prompts_dir}/{language}/{name}"
        case PromptItem(name=name):
            raise BadRequest(f"prompt {name!r}: lower-case letters, digits and underscore only")
        case AudioItem(uri=uri) if _AUDIO_URI.fullmatch(uri) and ".." not in uri:
            return uri
        case AudioItem(uri=uri):
            raise BadRequest(
                f"audio {uri!r}: sound:, recording:, number:, digits:, characters: or tone: and a plain name"
            )
        case SpeechItem():
            raise BadRequest("there is no speech service")
    raise BadRequest("an item of a kind that this release does not know")


def play(channel_id: str, playback_id: str, media: Sequence[str], offset_ms: int = 0) -> Request:
    """Play files one after the other as one playback. Raises BadRequest for ids that are none of ours."""
    if not _PLAYBACK_ID.fullmatch(playback_id) or ".." in playback_id:
        raise BadRequest(f"playback id {playback_id!r}: letters, digits, dot, dash, underscore only")
    if not 1 <= len(media) <= MAX_FILES:
        raise BadRequest(f"{len(media)} files: from 1 to {MAX_FILES} in one playback")
    if offset_ms < 0:
        raise BadRequest(f"offset_ms {offset_ms} is negative")
    offset = (("offsetms", str(offset_ms)),) if offset_ms else ()
    path = _at("channels", channel_id, "play", playback_id)
    return Request("play", "POST", path, (("media", ",".join(media)), *offset))


def stop_playback(playback_id: str) -> Request:
    """Silence one playback, or take it out of the queue."""
    return Request("stop_playback", "DELETE", _at("playbacks", playback_id))


def get_playback(playback_id: str) -> Request:
    """Ask whether a playback still is."""
    return Request("get_playback", "GET", _at("playbacks", playback_id))


def extension_exists(channel_id: str, context: str, extension: str) -> Request:
    """Ask the dialplan whether an extension is there: the answer's value is "1" or "0". Raises BadRequest."""
    if not forms.is_extension(extension):
        raise BadRequest(f"extension {extension!r}: letters, digits and + * # _ - only")
    function = f"DIALPLAN_EXISTS({context},{extension},1)"
    return Request("extension_exists", "GET", _at("channels", channel_id, "variable"), (("variable", function),))


def leave_to_dialplan(channel_id: str, context: str, extension: str) -> Request:
    """Hand the caller over to the dialplan."""
    where = (("context", context), ("extension", extension), ("priority", "1"))
    return Request("continue", "POST", _at("channels", channel_id, "continue"), where)


def set_variable(channel_id: str, name: str, value: str) -> Request:
    """Tell the dialplan a fact of the call."""
    path = _at("channels", channel_id, "variable")
    return Request("set_variable", "POST", path, (("variable", name), ("value", value)))


def stay_subscribed(channel_id: str, app: str) -> Request:
    """Have the channel's events when it is not in the application any more."""
    path = _at("applications", app, "subscription")
    return Request("subscribe", "POST", path, (("eventSource", f"channel:{channel_id}"),))


def unsubscribe(channel_id: str, app: str) -> Request:
    """No more of that."""
    path = _at("applications", app, "subscription")
    return Request("unsubscribe", "DELETE", path, (("eventSource", f"channel:{channel_id}"),))


# --- the legs: lane "media" -------------------------------------------------------------------------------------------


def snoop(channel_id: str, call_id: str, app: str) -> Request:
    """A channel that hears the caller and not the bot."""
    params = (("spy", "in"), ("app", app))
    return Request("snoop", "POST", _at("channels", channel_id, "snoop", snoop_id(call_id)), params, "media")


def snoop_both(channel_id: str, call_id: str, app: str) -> Request:
    """A channel that hears both sides."""
    params = (("spy", "both"), ("app", app))
    path = _at("channels", channel_id, "snoop", recorder_id(call_id))
    return Request("snoop_both", "POST", path, params, "media")


def external_media(call_id: str, app: str, rtp_host: str, rtp_port: int) -> Request:
    """A channel that sends slin16 over RTP to the receiver: 16 kHz, 16 bit, big-endian, 20 ms a packet."""
    params = (
        ("app", app),
        ("channelId", external_media_id(call_id)),
        ("external_host", forms.at_port(rtp_host, rtp_port)),
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
