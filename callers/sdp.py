"""The session description (RFC 8866) of a caller with PCMU and telephone events, and what it reads in an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

MediaDirection: TypeAlias = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
PCMU = 0
TELEPHONE_EVENT = 101


class MalformedSdp(ValueError):
    """The description has no audio that we can use; the text says why."""


@dataclass(frozen=True)
class AudioTarget:
    """Where the other side wants its audio, and how."""

    host: str
    port: int
    payload_types: tuple[int, ...]
    telephone_event: int | None
    """Payload type of RFC 4733 events; None when the other side takes none."""
    direction: MediaDirection = "sendrecv"
    """What the other side does, as seen from there."""


@dataclass(frozen=True)
class Offer:
    """What a caller asks for beside an address: RFC 3264 section 8.4 puts a call on hold by `direction`, older phones
    by the address 0.0.0.0 (`nowhere`). `ptime_ms` 0: no word of it. `keys` False: none as RTP events. `fax`: a fax
    instead of audio (T.38)."""

    direction: MediaDirection = "sendrecv"
    nowhere: bool = False
    ptime_ms: int = 20
    keys: bool = True
    fax: bool = False


def describe(host: str, port: int, version: int = 1, offer: Offer = Offer()) -> bytes:
    """Our description: audio at `host`:`port`. `version` grows with every new one in a call."""
    lines = [
        "v=0",
        f"o=caller 1 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {'0.0.0.0' if offer.nowhere else host}",
        "t=0 0",
    ]
    if offer.fax:
        return ("\r\n".join([*lines, f"m=image {port} udptl t38", "a=T38FaxVersion:0"]) + "\r\n").encode()
    lines += [
        f"m=audio {port} RTP/AVP {PCMU}" + (f" {TELEPHONE_EVENT}" if offer.keys else ""),
        f"a=rtpmap:{PCMU} PCMU/8000",
        *([f"a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000"] if offer.keys else []),
        *([f"a=fmtp:{TELEPHONE_EVENT} 0-16"] if offer.keys else []),
        *([f"a=ptime:{offer.ptime_ms}"] if offer.ptime_ms else []),
        f"a={offer.direction}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def audio_target(description: bytes) -> AudioTarget:
    """Reads the first audio stream of the other side's description. Raises MalformedSdp."""
    session_host = media_host = ""
    port, types, event = 0, (), None  # type: tuple[int, tuple[int, ...], int | None]
    direction: MediaDirection = "sendrecv"
    in_session, in_audio = True, False
    for line in description.decode("utf-8", errors="replace").splitlines():
        kind, _, value = line.partition("=")
        if kind == "m":
            if port:
                break
            in_session, in_audio = False, value.startswith("audio ")
            if in_audio:
                port, types = _media_line(value)
        elif kind == "c":
            host = value.split(" ")[-1].split("/")[0]
            if in_audio:
                media_host = host
            elif in_session:
                session_host = host
        elif kind == "a" and value in get_args(MediaDirection):
            direction = value  # type: ignore[assignment]
        elif kind == "a" and in_audio and value.lower().endswith(" telephone-event/8000"):
            number = value.removeprefix("rtpmap:").split(" ")[0]
            if not _is_number(number):
                raise MalformedSdp(f"not a payload type: a={value}")
            event = int(number)
    host = media_host or session_host
    if not port or not host:
        raise MalformedSdp("no audio stream with an address and a port")
    if PCMU not in types:
        raise MalformedSdp(f"no PCMU among the payload types {types}")
    return AudioTarget(host, port, types, event, direction)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _media_line(value: str) -> tuple[int, tuple[int, ...]]:
    parts = value.split(" ")
    if len(parts) < 4 or not all(_is_number(part) for part in (parts[1], *parts[3:])):
        raise MalformedSdp(f"not a media line: m={value}")
    return int(parts[1]), tuple(int(part) for part in parts[3:])
