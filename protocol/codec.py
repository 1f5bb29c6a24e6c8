"""Messages to JSON and back. Pure: strict in writing, forgiving in reading, so that a rolling upgrade loses nothing.

A newer sender may know more than we do: fields that we do not know are passed over, a message of an unknown type is
`Unknown`, a value that a known field does not have is taken as the field's most harmless one, an item of an unknown
kind keeps its place. Each is counted by who reads. What an older sender says is translated (protocol.version_1). What
is no message at all is refused with the name of the field that is wrong, and never with what was in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from protocol import version_1
from protocol.call_id import is_fit
from protocol.items import Item, ItemState
from protocol.messages import VERSION, Command, Direction, EndReason, Event, HandoffResult, Message, PlaybackState

LONGEST_MESSAGE = 65_536
"""Characters of JSON; the largest of ours, a Listen with all its hints, has a tenth of that."""

HARMLESS: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "PlaybackFinished": {"state": (get_args(PlaybackState), "stopped")},
    "CallStarted": {"direction": (get_args(Direction), "inbound")},
    "CallEnded": {"reason": (get_args(EndReason), "other")},
    "HandoffEnded": {"result": (get_args(HandoffResult), "other")},
}
"""Type -> field -> the values that we know, and what an unknown one is taken for: a playback or call that ended in a
way we have no word for has ended all the same."""
_ITEM_KINDS = tuple(msgspec.inspect.type_info(cls).tag for cls in get_args(Item))  # type: ignore[attr-defined]
_ITEM_STATES = get_args(ItemState)
_TYPES = frozenset(cls.__name__ for cls in (*get_args(Event), *get_args(Command)))
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class BadMessage(ValueError):
    """Bytes that are no message of ours; the text says which field is wrong, and never what was in it."""


@dataclass(frozen=True)
class Unknown:
    """A message of a type that a newer release knows."""

    type: str


@dataclass(frozen=True)
class Reading:
    """What a text holds. `oddities` counts what was passed over or taken for something else because it is unknown."""

    message: Message | Unknown
    oddities: int = 0


def encode(message: Message, version: int = VERSION) -> str:
    """The JSON text of a message, as a reader of `version` understands it. Raises ValueError for one that none of
    that version does (speech has no word in version 1)."""
    if version < 2:
        return json.dumps(version_1.down(msgspec.to_builtins(message)), ensure_ascii=False)
    try:
        return _encoder.encode(message).decode()
    except UnicodeEncodeError:  # half a character, which JSON can carry and nothing else can
        return _encoder.encode(msgspec.convert(_whole(_plain(message)), type(message))).decode()


def decode(text: str | bytes) -> Message:
    """The message of a JSON text. Raises BadMessage, for one of an unknown type too."""
    message = read(text).message
    if isinstance(message, Unknown):
        raise BadMessage(f"unknown message type {message.type!r}")
    return message


def read(text: str | bytes) -> Reading:
    """What a JSON text holds. Raises BadMessage.

    What is let in can be a key, a file name and a line of a log: call ids have no odd characters.
    """
    if len(text) > LONGEST_MESSAGE:
        raise BadMessage(f"{len(text)} characters; at most {LONGEST_MESSAGE} are taken")
    reading = _quickly(text) or _patiently(text)
    if isinstance(reading.message, msgspec.Struct) and not is_fit(reading.message.call_id):
        raise BadMessage(f"{type(reading.message).__name__}.call_id has characters that we do not let in")
    return reading


def _quickly(text: str | bytes) -> Reading | None:
    """A message of our own version without anything odd; None for any other text."""
    if (b'"v":' if isinstance(text, bytes) else '"v":') not in text:  # type: ignore[operator]
        return None
    try:
        return Reading(_decoder.decode(text))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _patiently(text: str | bytes) -> Reading:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {type(error).__name__}") from error
    if not isinstance(body, dict):
        raise BadMessage("not a JSON object")
    if "v" not in body:
        body = version_1.up(body)
    kind = body.get("type")
    if not isinstance(kind, str):
        raise BadMessage("no message type")
    if kind not in _TYPES:
        return Reading(Unknown(re.sub(r"\W", "", kind)[:40]), 1)
    known, oddities = _mended(kind, _whole(body))
    try:
        message: Message = msgspec.convert(known, Message)
    except (msgspec.ValidationError, RecursionError, ValueError) as error:
        raise BadMessage(f"{kind}: {_without_content(str(error))}") from error
    return Reading(message, oddities)


def _mended(kind: str, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The body with what we do not know replaced by what is harmless, and how often that was needed."""
    oddities = 0
    for name, (known, harmless) in HARMLESS.get(kind, {}).items():
        if isinstance(body.get(name), str) and body[name] not in known:
            body, oddities = {**body, name: harmless}, oddities + 1
    for name, tag, known, replacement in (
        ("items", "kind", _ITEM_KINDS, {"kind": "unknown"}),
        ("heard", "state", _ITEM_STATES, {"state": "stopped"}),
    ):
        entries = body.get(name)
        if not isinstance(entries, list):
            continue
        odd = [
            isinstance(entry, dict) and isinstance(entry.get(tag), str) and entry[tag] not in known for entry in entries
        ]
        if any(odd):
            mended = [entry | replacement if is_odd else entry for entry, is_odd in zip(entries, odd, strict=True)]
            body, oddities = {**body, name: mended}, oddities + sum(odd)
    return body, oddities


def _whole(value: Any) -> Any:
    """A value whose texts have no halves of characters (lone surrogates)."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def _plain(message: Message) -> Any:
    return msgspec.to_builtins(message)


def _without_content(error: str) -> str:
    """msgspec's reason, without the value that it quotes in 'single quotes'."""
    return re.sub(r"'[^']*'?", "...", error)[:200]
