"""What a conversation that is cut off leaves behind, as text, and how another call goes on with it. Pure.

Kept is what was known at the open question. Facts are those of the new call; what was under way, and how the call was
to end, is over. A memory fits only the very text of the flow that it is of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import msgspec

from dialogue.changing import changed
from dialogue.conversation import Conversation
from dialogue.flow import Flow

_encoder = msgspec.json.Encoder()


class BadMemory(ValueError):
    """A memory that nobody can go on with; the text says why, and not what was in it."""


@dataclass(frozen=True)
class _Memory:
    """Fields of `Conversation` with the names that they have there."""

    session: str
    flow_version: str
    state: str
    asked: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    tentative: str | None = None
    narrowed: tuple[int, ...] = ()
    read_backs: int = 0
    history: tuple[str, ...] = ()


_NAMES = tuple(one.name for one in fields(_Memory))


def memory_of(c: Conversation, flow: Flow) -> str:
    """What is to be known when somebody goes on with this conversation; of earlier ones nothing."""
    kept = {name: getattr(c, name) for name in _NAMES}
    earlier = {name for name, one in flow.variables.items() if one.type.kind == "conversation"}
    variables = {name: text for name, text in c.variables.items() if name not in earlier}
    return _encoder.encode(_Memory(**{**kept, "session": c.session or c.call_id, "variables": variables})).decode()


def recalled(memory: str, c: Conversation, flow: Flow) -> Conversation:
    """`c`, a call of now, where the earlier one stopped. Raises BadMemory."""
    try:
        kept = msgspec.json.decode(memory, type=_Memory)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadMemory("cannot be read") from None
    if kept.flow_version != flow.version:
        raise BadMemory("is of another version of the flow")
    if kept.state not in flow.states or not flow.states[kept.state].listens:
        raise BadMemory("has no open question")
    facts = {name for name, one in flow.variables.items() if one.origin == "fact"}
    variables = {
        **{name: text for name, text in kept.variables.items() if name not in facts},
        **{name: text for name, text in c.variables.items() if name in facts},
    }
    values = {name: getattr(kept, name) for name in _NAMES}
    empty = {"steps": {}, "doubted": "", "part": "", "volunteered": (), "unmatched": (), "awaited": ""}
    return changed(c, **{**values, **empty, "variables": variables})
