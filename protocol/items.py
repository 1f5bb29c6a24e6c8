"""What is said to a caller: a list of items, and how much of each was heard. Pure values.

A recorded prompt by its name, speech that is made at run time, or audio that lies somewhere. A telephone hears them
one after the other without a gap; a text client is shown their texts.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
ItemState: TypeAlias = Literal["finished", "stopped", "failed", "skipped"]


class PromptItem(Struct, frozen=True, tag_field="kind", tag="prompt"):
    """A recorded prompt, `audio_prompts/<language>/<name>.wav`."""

    name: str


class SpeechItem(Struct, frozen=True, tag_field="kind", tag="speech"):
    """A text that is spoken by a synthesiser. Empty `voice` and `language`: those of what it is said in."""

    text: str
    voice: str = ""
    language: str = ""


class AudioItem(Struct, frozen=True, tag_field="kind", tag="audio"):
    """A sound that Asterisk finds under `uri` (sound:..., recording:...), `ms` long; 0 when nobody knows."""

    uri: str
    ms: Milliseconds = 0


class UnknownItem(Struct, frozen=True, tag_field="kind", tag="unknown"):
    """An item of a kind that a newer release knows. It keeps its place, so that reports by place stay right."""


Item: TypeAlias = PromptItem | SpeechItem | AudioItem | UnknownItem


class ItemHeard(Struct, frozen=True):
    """What became of one item: `heard_ms` of it were played, counted from its beginning.

    `stopped`: cut in it; `failed`: could not be played; `skipped`: the end came before it.
    """

    state: ItemState
    heard_ms: Milliseconds = 0


def prompts(*names: str) -> tuple[Item, ...]:
    """Recorded prompts, one after the other."""
    return tuple(PromptItem(name) for name in names)


def label(item: Item) -> str:
    """A few words that name an item in a log or a note: never what a speech item says, which may be personal."""
    match item:
        case PromptItem(name=name):
            return name
        case SpeechItem():
            return "(speech)"
        case AudioItem(uri=uri):
            return uri
    return "(unknown)"
