"""What a conversation needs from the world, as values: an effect is asked for, and done or failed later. Pure.

The one who runs them knows kinds and arguments, and nothing of conversations. An effect has an id that stays the same
when it is asked for again after a restart; a late answer to one that nobody waits for any more is passed over by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

EffectKind: TypeAlias = Literal["intent", "http", "message", "knowledge"]
"""`intent`: what does a sentence mean? Arguments sentence, language, allowed; result intent, score, faq_set,
fallback. `http`: an action of a flow, a request; arguments as `dialogue.acting.request_of` makes them; result outcome,
body. `message`: somebody is to be sent a text; arguments action, call_id, to, text, language, key; result outcome.
`knowledge`: which answer of a file is to a question; arguments action, question, language, file, timeout_ms; result
outcome, body (question, answer, score, sure)."""
ACTION_KINDS = frozenset({"http", "message", "knowledge"})
"""What is asked of the world to be done: that goes on when nobody waits for it any more."""


@dataclass(frozen=True)
class Effect:
    """Do this, and tell what came of it. `id` is unique for ever: a key for idempotent requests."""

    id: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DropEffect:
    """What came of this effect matters no more; it may be cancelled."""

    id: str


@dataclass(frozen=True)
class EffectDone:
    """What came of an effect: a result, or the code of an error."""

    at: float
    id: str
    result: Mapping[str, Any] | None = None
    error: str = ""
