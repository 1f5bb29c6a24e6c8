"""The text frames of `/ws/call`: what pages send, as values, and what they are sent, as JSON. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

MAX_TEXT_BYTES: Final = 4_096
FrameNumber: TypeAlias = Annotated[int, Meta(ge=0, le=2**32)]


class BadText(ValueError):
    """A text frame that is none of ours."""


class HelloCall(Struct, tag_field="type", tag="hello", forbid_unknown_fields=True):
    """The first frame: the page has its microphone. `flow` empty: the default one."""

    flow: Annotated[str, Meta(max_length=80)] = ""


class PlayedFrames(Struct, tag_field="type", tag="played", forbid_unknown_fields=True):
    """The frames before this number were played."""

    number: FrameNumber


class FlushedFrames(Struct, tag_field="type", tag="flushed", forbid_unknown_fields=True):
    """The page is silent: it had played the frames before `number`, and plays again from frame `until` on."""

    number: FrameNumber
    until: FrameNumber


class PressedKey(Struct, tag_field="type", tag="dtmf", forbid_unknown_fields=True):
    """A key of the keypad."""

    digit: Annotated[str, Meta(pattern="^[0-9*#]$")]


class PongCall(Struct, tag_field="type", tag="pong", forbid_unknown_fields=True):
    """The answer to a ping."""


class ByeCall(Struct, tag_field="type", tag="bye", forbid_unknown_fields=True):
    """The caller hangs up."""


CallFrame: TypeAlias = HelloCall | PlayedFrames | FlushedFrames | PressedKey | PongCall | ByeCall
_DECODER: Final = msgspec.json.Decoder(CallFrame)


def call_frame_of(text: str) -> CallFrame:
    """What a page sent. Raises BadText."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise BadText(f"a frame has at most {MAX_TEXT_BYTES} bytes")
    try:
        frame: CallFrame = _DECODER.decode(text)
        return frame
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise BadText(str(error)) from error


def call_frame_text(kind: str, **fields: Any) -> str:
    """A frame for a page."""
    return msgspec.json.encode({"type": kind, **fields}).decode()
