"""Names in a flow file: each must be known, and what is close is suggested. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from yaml.nodes import Node

from dialogue.flow import Slot, Wording
from dialogue.flow_yaml import Reader, likely
from dialogue.readout import pieces_of


@dataclass(frozen=True)
class Known:
    """What the flow's folder holds: intents, FAQ intents, and prompts with their length (None: no audio yet)."""

    intents: frozenset[str]
    faqs: frozenset[str]
    prompts: Mapping[str, int | None]


class Names:
    """Checks names against what the folder and the file itself hold; faults go to `reader`.

    `states`, `slots` and `counters` are filled in before any step is read, so that names may come later in the file.
    """

    def __init__(self, reader: Reader, known: Known) -> None:
        self.reader = reader
        self.known = known
        self.states: frozenset[str] = frozenset()
        self.slots: dict[str, Slot] = {}
        self.counters: dict[str, int] = {}

    def say(self, node: Node, what: str) -> Wording:
        """Prompts that are said one after the other."""
        names = self.reader.texts(node, what)
        for name in names:
            self.check_prompt(node, name)
        return names

    def wordings(self, node: Node, what: str) -> tuple[Wording, ...]:
        """A list of which each entry is said at another time."""
        return tuple(self.say(item, what) for item in self.reader.items(node))

    def check_prompt(self, node: Node, name: str) -> None:
        """A prompt with audio, or `{slot}` of which every piece has audio."""
        if not name.startswith("{"):
            self._check_audio(node, name)
            return
        slot = self.slots.get(name[1:-1])
        if slot is None:
            self.reader.fault(node, f"unknown slot {name}{likely(name[1:-1], self.slots)}")
            return
        pieces = pieces_of(slot)
        if not pieces:
            self.reader.fault(node, f"{name} cannot be read out: slot {slot.name} needs say_as for each of its values")
        missing = [piece for piece in pieces if self.known.prompts.get(piece) is None]
        if missing:
            self.reader.fault(node, f"{name} is read out with prompts that have no audio: {', '.join(missing)}")

    def _check_audio(self, node: Node, name: str) -> None:
        """A prompt that can be played."""
        if name not in self.known.prompts:
            self.reader.fault(node, f"unknown prompt {name}{likely(name, self.known.prompts)}")
        elif self.known.prompts[name] is None:
            self.reader.fault(node, f"prompt {name} has no audio: run `pronto prompts build`")

    def intents(self, node: Node, what: str) -> tuple[str, ...]:
        """One or several intents."""
        names = self.reader.texts(node, what)
        for name in names:
            self.check_intent(node, name)
        return names

    def check_intent(self, node: Node, name: str) -> None:
        """An intent or a FAQ of this language."""
        known = self.known.intents | self.known.faqs
        if name not in known:
            self.reader.fault(node, f"unknown intent {name}{likely(name, known)}")

    def state_name(self, node: Node, what: str) -> str:
        """A state of this flow."""
        name = self.reader.text(node, what)
        if name and name not in self.states:
            self.reader.fault(node, f"unknown state {name} in {what}{likely(name, self.states)}")
        return name

    def slot_name(self, node: Node) -> str:
        """A slot of this flow."""
        name = self.reader.text(node, "slot")
        if name and name not in self.slots:
            self.reader.fault(node, f"unknown slot {name}{likely(name, self.slots)}")
        return name

    def check_value(self, node: Node, slot: str, value: str) -> None:
        """A value that the slot can have."""
        spec = self.slots.get(slot)
        if spec is None:
            return
        allowed = tuple(spec.choices) if spec.type == "choice" else ("yes", "no") if spec.type == "yes_no" else ()
        if allowed and value not in allowed:
            self.reader.fault(node, f"slot {slot} has no value {value}{likely(value, allowed)}")

    def counter_name(self, node: Node) -> str:
        """A counter of this flow."""
        name = self.reader.text(node, "count")
        if name and name not in self.counters:
            self.reader.fault(node, f"unknown counter {name}{likely(name, self.counters)}")
        return name
