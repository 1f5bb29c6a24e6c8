"""What a conversation is, whatever it is held over: where it stands in its flow, what is known, what it waits for.

Pure and immutable. How turns are taken (by voice: playbacks, barge-in, silences) is beside it: `dialogue.voice`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialogue.effects import Effect
from protocol.items import Item


@dataclass(frozen=True)
class Volunteered:
    """A clause that was said beyond an answer, with the intent that it has: a later question may be answered by it."""

    text: str
    intent: str = ""
    score: float = 0.0
    used: tuple[str, ...] = ()
    """The slots that were filled from it already."""


@dataclass(frozen=True)
class Conversation:
    """Where a conversation stands.

    `turn` counts questions. `asked` counts how often the question of the state was asked, `steps` how far each
    escalation (no_input, no_match, trouble) has gone. `variables` are what else is remembered (facts of the call, what
    actions brought), by name, and `lists` their lists of records. `doubted` is an intent that they were asked back
    about. A slot value that waits for confirmation is `tentative`; `part` are the digits so far of a number that is
    given in parts ("soixante-quinze" ... "zéro onze"), `narrowed` the records that an answer to a choice from a list
    left open, by number. `volunteered` are clauses that may answer later questions, `unmatched` the last texts in a row
    that meant nothing.
    `heard` is what the caller said last.
    `last_said` is the last question, for "repeat". `effects` are those
    that are under way, by id; `effects_made` counts all. `acts` counts how often each state asked for its action,
    `awaited` is the effect that the conversation cannot go on without. `history` are the questions that were asked, by
    state, the last one last. `notes` go into the call record. `ending` is how the call will end: "hangup", or
    "transfer" and an extension.
    """

    call_id: str = ""
    session: str = ""
    """The conversation that this call goes on with; empty: one of its own, named as the call is."""
    flow: str = ""
    flow_version: str = ""
    state: str = ""
    turn: int = 0
    asked: int = 0
    steps: Mapping[str, int] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    tentative: str | None = None
    doubted: str = ""
    part: str = ""
    narrowed: tuple[int, ...] = ()
    volunteered: tuple[Volunteered, ...] = ()
    read_backs: int = 0
    unmatched: tuple[str, ...] = ()
    heard: str = ""
    last_said: tuple[Item, ...] = ()
    effects: Mapping[str, Effect] = field(default_factory=dict)
    effects_made: int = 0
    acts: Mapping[str, int] = field(default_factory=dict)
    awaited: str = ""
    notes: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    ending: str = ""
    outcome: str = ""
    concluded: bool = False

    @property
    def confirming(self) -> bool:
        """A slot value was read back and waits for yes or no."""
        return self.tentative is not None

    @property
    def known(self) -> tuple[str, ...]:
        """The slots that are known so far, as `name=value`."""
        return tuple(f"{name}={value}" for name, value in self.slots.items())
