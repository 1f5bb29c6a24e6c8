"""Names in a flow file: each must be known, and what is close is suggested. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from yaml.nodes import Node

from dialogue.flow import Action, Slot, Variable, Wording
from dialogue.flow_yaml import Fault, Reader, likely, line_of
from dialogue.hours.opening_hours import ALWAYS, Hours
from dialogue.readout import is_spoken, pieces_of
from dialogue.values.conditions import BadCondition, When, parse_condition
from dialogue.values.judging import check
from dialogue.values.templates import PARTS_OF_NAMES, BadTemplate, fields_of
from dialogue.values.value_types import Locale, ValueType
from dialogue.variables import BUILT_IN, OF_HOURS, sayable_type, scope_of

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True)
class SubFlowText:
    """A sub-flow as its file has it."""

    file: str
    text: str


@dataclass(frozen=True)
class Known:
    """What the flow's folder holds: intents, FAQ intents, prompts with their length (None: no audio yet) and texts."""

    intents: frozenset[str]
    faqs: frozenset[str]
    prompts: Mapping[str, int | None]
    texts: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    """Its name; empty where the flow is in no folder."""
    any_intent: bool = False
    """The files of the intents cannot be read: whatever a flow names is taken."""
    subflows: Mapping[str, SubFlowText] = field(default_factory=dict)
    knowledge: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)
    """Files of questions and answers, with what is wrong in them."""
    hours: Mapping[str, Hours] = field(default_factory=dict)
    bad_hours: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)
    """Files of hours that are refused, with what is wrong in them."""
    any_hours: bool = False
    """A flow whose file of hours is refused is read all the same, and always open: better than no flow at all."""


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
        self.variables: dict[str, Variable] = dict(BUILT_IN)
        self.actions: dict[str, Action] = {}
        self.where = Locale()
        self.subflow = ""
        self.outcomes: frozenset[str] = frozenset()
        """The name of the sub-flow that is read, and how it may be done; of a flow, none."""
        self.lines: dict[tuple[str, str], int] = {}
        """(state, a wording's entry or a condition) -> the line where it stands, for faults that are found later."""
        self._recorded = {text: name for name, text in known.texts.items() if known.prompts.get(name) is not None}

    def say(self, node: Node, what: str) -> Wording:
        """Prompts and texts that are said one after the other. A sentence that is a prompt's text is that prompt."""
        names: list[str] = []
        for entry in self.reader.texts(node, what):
            names += self._sentences(entry) if _is_text(entry) else [entry]
        for name in names:
            self.check_prompt(node, name)
            self.lines.setdefault((self.reader.state, name), line_of(node))
        return tuple(names)

    def _sentences(self, text: str) -> list[str]:
        found: list[str] = []
        was_spoken = False
        for sentence in _SENTENCE_END.split(text.strip()):
            prompt = self._recorded.get(sentence)
            if prompt is None and was_spoken:
                found[-1] += " " + sentence
            else:
                found.append(prompt or sentence)
            was_spoken = prompt is None
        return found

    def wordings(self, node: Node, what: str) -> tuple[Wording, ...]:
        """A list of which each entry is said at another time."""
        return tuple(self.say(item, what) for item in self.reader.items(node))

    def check_prompt(self, node: Node, name: str) -> None:
        """A prompt with audio, `{slot}` of which every piece has audio, or a text whose variables are known."""
        if not name.startswith("{") and not _is_text(name):
            self._check_audio(node, name)
            return
        slot = self.slots.get(name[1:-1])
        speaks = is_spoken(slot) if slot is not None else _is_text(name) or name[1:-1] in self.scope
        if speaks:
            self.check_text(node, name)
            return
        if slot is None:
            self.reader.fault(node, f"unknown slot {name}{likely(name[1:-1], self.slots)}")
            return
        pieces = pieces_of(slot)
        if not pieces:
            self.reader.fault(node, f"{name} cannot be read out: slot {slot.name} needs say_as for each of its values")
        missing = [piece for piece in pieces if self.known.prompts.get(piece) is None]
        if missing:
            self.reader.fault(node, f"{name} is read out with prompts that have no audio: {', '.join(missing)}")

    def check_text(self, node: Node, text: str) -> None:
        """A template whose variables there are, and can be said."""
        try:
            fields = fields_of(text)
        except BadTemplate as error:
            self.reader.fault(node, str(error))
            return
        for field_ in fields:
            kind = sayable_type(self.scope, field_.name)
            if kind is None:
                names = [*self.scope, *_fields_of_lists(self.scope)]
                self.reader.fault(node, f"unknown variable {field_.name}{likely(field_.name, names)}")
            elif field_.form in PARTS_OF_NAMES and kind.kind != "name":
                self.reader.fault(node, f"{{{field_.name}:{field_.form}}}: only a name has a first and a last one")
            elif kind.kind == "conversation":
                self.reader.fault(node, f"{{{field_.name}}} is an earlier conversation: resume it")
            elif kind.kind == "list":
                fields_ = ", ".join(f"{{{field_.name}.{name}}}" for name in kind.fields)
                self.reader.fault(node, f"{{{field_.name}}} is a list: say one of its fields, {fields_}")

    @property
    def scope(self) -> dict[str, ValueType]:
        """Every variable with its type: slots, constants, facts, what actions bring."""
        return scope_of(self.slots, self.variables)

    def condition(self, node: Node, what: str) -> When | None:
        """A condition whose variables there are and whose types go together."""
        text = self.reader.text(node, what)
        if not text:
            return None
        try:
            condition = parse_condition(text)
            check(condition, self.scope)
        except BadCondition as error:
            self.reader.fault(node, f"{what}: {error}")
            return None
        self.lines.setdefault((self.reader.state, text), line_of(node))
        return When(text, condition)

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
        if name not in known and not self.known.any_intent:
            self.reader.fault(node, f"unknown intent {name}{likely(name, known)}")

    def state_name(self, node: Node, what: str) -> str:
        """A state of this flow."""
        name = self.reader.text(node, what)
        if name and name not in self.states:
            self.reader.fault(node, f"unknown state {name} in {what}{likely(name, self.states)}")
        return name

    def done(self, node: Node) -> str:
        """The place where a sub-flow is left, by an outcome."""
        name = self.reader.text(node, "done")
        if not self.subflow:
            self.reader.fault(node, "done belongs to sub-flows")
        elif name and name not in self.outcomes:
            self.reader.fault(node, f"unknown outcome {name}{likely(name, self.outcomes)}: gives names them")
        return f"done.{name}"

    def slot_name(self, node: Node) -> str:
        """A slot of this flow."""
        return self.slot_name_of(node, self.reader.text(node, "slot"))

    def slot_name_of(self, node: Node, name: str) -> str:
        """A slot of this flow, named at a node."""
        if name and name not in self.slots:
            self.reader.fault(node, f"unknown slot {name}{likely(name, self.slots)}")
        return name

    def opening_hours(self, node: Node) -> Hours | None:
        """The hours of a file beside the flow; their variables are known from here on."""
        name = self.reader.text(node, "hours")
        self.variables.update(OF_HOURS)
        if name in self.known.bad_hours:
            if self.known.any_hours:
                return ALWAYS
            self.reader.faults += self.known.bad_hours[name]
        elif name and name not in self.known.hours:
            self.reader.fault(node, f"unknown hours {name}{likely(name, self.known.hours)}: there is no {name}.yaml")
        return self.known.hours.get(name)

    def action_name(self, node: Node) -> str:
        """An action of this flow."""
        name = self.reader.text(node, "action")
        if name and name not in self.actions:
            self.reader.fault(node, f"unknown action {name}{likely(name, self.actions)}")
        return name if name in self.actions else ""

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


def _is_text(entry: str) -> bool:
    """Whether an entry of a wording is a text to be spoken: more than one word, one with a mark behind it ("Bonjour."),
    or with something around a variable."""
    return bool(re.search(r"\s|^[^{]+[.!?…,:;]$", entry)) or (
        "{" in entry and not (entry.startswith("{") and entry.endswith("}"))
    )


def _fields_of_lists(scope: Mapping[str, ValueType]) -> list[str]:
    return [f"{name}.{of}" for name, kind in scope.items() if kind.kind == "list" for of in kind.fields]
