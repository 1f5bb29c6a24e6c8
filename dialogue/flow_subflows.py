"""Reads sub-flows, a conversation of its own with inputs and outputs, and puts them into the flows that run them. Pure.

flows/fr/identify.yaml:                          in a flow:
  subflow: identify                                states:
  takes: {telephone: {type: telephone, optional: true}}    who:
  gives: {found: [client.id], unknown: []}           run: identify
  start: ask                                         with: {telephone: "{call.number}"}
  slots: ...                                         outcomes: {found: greet, unknown: register}
  states:
    ask: {..., filled: {done: found}}

What a sub-flow names is its own: in the flow its states, slots and actions have the name of the state that runs it
before theirs (`who.ask`), and only what it gives is known there (`who.client.id`). So it is run as any states are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from yaml.nodes import Node, ScalarNode

from dialogue.flow import Escalation, Form, State, Step, SubFlowRun, Variable
from dialogue.flow_names import Names, SubFlowText
from dialogue.flow_renaming import Renaming
from dialogue.flow_steps import Parts
from dialogue.flow_variables import A_NAME, TYPE_KEYS, VariableTables
from dialogue.flow_yaml import likely, line_of, line_of_key
from dialogue.values.templates import variable_alone
from dialogue.values.value_types import BadValue, ValueType, fits, stored
from dialogue.variables import BUILT_IN, OWNERS

SUBFLOW_KEYS = (
    "subflow", "takes", "gives", "start", "slots", "constants", "variables", "actions", "counters", "defaults",
    "states",
)  # fmt: skip
RUN_KEYS = ("run", "say", "with", "outcomes", "otherwise")
TAKEN_KEYS = ("optional",)
DONE = "done"
MOST_DEPTH = 3


@dataclass(frozen=True)
class SubFlow:
    """A sub-flow as it was read. `optional` are the inputs that may be left out; `gives`: outcome -> what is known;
    `maybe`: what may be known besides."""

    start: str
    takes: Mapping[str, ValueType]
    optional: frozenset[str]
    gives: Mapping[str, tuple[str, ...]]
    maybe: frozenset[str]
    states: Mapping[str, State]
    forms: Mapping[str, Form]
    names: Names
    runs: Mapping[str, SubFlowRun]


@dataclass
class Inlined:
    """The states of a file, with the forms and the runs that they belong to."""

    states: dict[str, State] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    runs: dict[str, SubFlowRun] = field(default_factory=dict)


class ReadsSubFlows(Protocol):
    """What reads the text of a sub-flow, once more for each use: faults come once."""

    names: Names
    parts: Parts
    variables: VariableTables
    no_input: Escalation | None
    no_match: Escalation | None
    stack: tuple[str, ...]

    def sub_flow(self, name: str) -> SubFlow | None: ...


def is_run(node: Node, names: Names) -> bool:
    """Whether a state runs a sub-flow."""
    return "run" in names.reader.keys(node)


class Runs:
    """Reads the states that run sub-flows, and puts these in."""

    def __init__(self, reads: ReadsSubFlows) -> None:
        self.reads = reads
        self.names = reads.names
        self.reader = reads.names.reader
        self.found: dict[str, tuple[SubFlow, Renaming]] = {}

    def open(self, states: Mapping[str, Node]) -> None:
        """Reads the sub-flows that states run, so that what they give may be named anywhere in the file."""
        for name, node in states.items():
            if not is_run(node, self.names):
                continue
            self.reader.state = name
            entries = self.reader.mapping(node, "the state", RUN_KEYS)
            called = self.reader.text(entries["run"], "run")
            known = self.names.known.subflows
            if called in self.reads.stack:
                way = " -> ".join((*self.reads.stack, called))
                self.reader.fault(entries["run"], f"sub-flow {called} would run itself: {way}")
            elif called and called not in known:
                self.reader.fault(entries["run"], f"unknown sub-flow {called}{likely(called, known)}")
            elif name in OWNERS or not A_NAME.fullmatch(name):
                self.reader.fault(node, f"a state called {name} cannot run a sub-flow: small letters, digits and _")
            elif len(self.reads.stack) >= MOST_DEPTH:
                self.reader.fault(entries["run"], f"sub-flows run each other {MOST_DEPTH} deep at most")
            elif called and (sub := self.reads.sub_flow(called)) is not None:
                self.add(name, sub)
        self.reader.state = ""

    def add(self, name: str, sub: SubFlow) -> None:
        """Makes known what a sub-flow gives."""
        inner = sub.names
        owned = frozenset(inner.slots) | frozenset(inner.variables) - frozenset(BUILT_IN)
        states = frozenset(sub.states) | {f"{DONE}.{outcome}" for outcome in sub.gives}
        renaming = Renaming(f"{name}.", states, owned)
        self.found[name] = sub, renaming
        for given in {given for names in sub.gives.values() for given in names} | sub.maybe:
            if given in inner.slots:
                self.names.slots[f"{name}.{given}"] = renaming.slot(inner.slots[given])
            elif given in inner.variables:
                self.names.variables[f"{name}.{given}"] = inner.variables[given]

    def state(self, name: str, node: Node) -> tuple[list[State], SubFlowRun] | None:
        """The state that runs a sub-flow, and the one of each outcome."""
        if name not in self.found:
            return None
        sub, renaming = self.found[name]
        reader, parts = self.reader, self.reads.parts
        entries = reader.mapping(node, "the state")
        called = reader.text(entries["run"], "run")
        copied, constants = self.given(entries.get("with"), called, sub, node)
        line = line_of_key(node)
        begin = Step(
            say=self.names.say(entries["say"], "say") if "say" in entries else (),
            goto=renaming.state_name(sub.start),
            set={f"{name}.{key}": value for key, value in constants.items()},
            copy={f"{name}.{key}": source for key, source in copied.items()},
            forget=f"{name}.",
        )
        states = [State(name, line, (), otherwise=begin)]
        named = reader.mapping(entries["outcomes"], "outcomes", sub.gives) if "outcomes" in entries else {}
        for outcome in sub.gives:
            step_node = named.get(outcome, entries.get("otherwise"))
            if step_node is None:
                reader.fault(node, f"nothing is said of the outcome {outcome} of {called}: name it, or otherwise")
                continue
            step = parts.step(step_node, outcome)
            parts.must_lead_on(step_node, step, outcome)
            states.append(State(f"{name}.{DONE}.{outcome}", line_of(step_node), (), otherwise=step))
        source = self.names.known.subflows[called]
        run = SubFlowRun(
            name,
            called,
            source.file,
            tuple(renaming.prefix + state for state in sub.states),
            {outcome: tuple(f"{name}.{given}" for given in names) for outcome, names in sub.gives.items()},
            frozenset(f"{name}.{key}" for key in sub.optional),
        )
        return states, run

    def given(self, node: Node | None, called: str, sub: SubFlow, at: Node) -> tuple[dict[str, str], dict[str, str]]:
        """The inputs: those that are copied from variables, and constants."""
        reader = self.reader
        entries = reader.mapping(node, "with", sub.takes) if node is not None else {}
        for name in sub.takes:
            if name not in entries and name not in sub.optional:
                reader.fault(node or at, f"sub-flow {called} needs {name}: give it in with")
        copied, constants = {}, {}
        for name, value in entries.items():
            text, kind = reader.text(value, name), sub.takes[name]
            source = variable_alone(text)
            if source is None:
                try:
                    constants[name] = stored(kind, text, self.names.where)
                except BadValue as error:
                    reader.fault(value, f"{name} {error}")
                continue
            self.names.check_text(value, text)
            of = self.names.scope.get(source)
            self.names.lines.setdefault((reader.state, text), line_of(value))
            if of is not None and not fits(of, kind):
                reader.fault(value, f"{name} is a {kind}, {source} a {of}")
            copied[name] = source
        return copied, constants

    def inline(self, into: Inlined, reads: ReadsSubFlows) -> None:
        """The states, slots, variables, actions and counters of all sub-flows, under names of their own."""
        for sub, renaming in self.found.values():
            inner = sub.names
            file = self.names.known.subflows[inner.subflow].file
            for state in sub.states.values():
                own = renaming.state(state)
                own = replace(own, file=own.file or file)
                if own.listens:  # where it has none of its own, those of the flow around
                    own = replace(own, no_input=own.no_input or reads.no_input, no_match=own.no_match or reads.no_match)
                into.states[own.name] = own
            into.forms |= {renaming.prefix + key: renaming.form(form) for key, form in sub.forms.items()}
            into.runs |= {renaming.prefix + key: _renamed_run(run, renaming) for key, run in sub.runs.items()}
            self.names.slots |= {renaming.prefix + key: renaming.slot(slot) for key, slot in inner.slots.items()}
            self.names.variables |= renaming.variables(inner.variables)
            self.names.actions |= {
                renaming.prefix + key: renaming.action(action) for key, action in inner.actions.items()
            }
            self.names.counters |= {renaming.prefix + key: limit for key, limit in inner.counters.items()}
            for (state_name, text), line in inner.lines.items():
                key = renaming.prefix + state_name if state_name else ""
                self.names.lines.setdefault((key, renaming.text(text)), line)


def read_gives(names: Names, node: Node | None) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """Outcome -> the slots and variables that are known then, and those with a `?`, which may be."""
    reader = names.reader
    found: dict[str, tuple[str, ...]] = {}
    maybe: set[str] = set()
    if node is None:
        return found, frozenset()
    for outcome, listed in reader.mapping(node, "gives").items():
        if not A_NAME.fullmatch(outcome):
            reader.fault(listed, f"{outcome} cannot be an outcome: small letters, digits and _")
            continue
        all_given = reader.texts(listed, f"gives {outcome}") if not _is_empty(listed) else ()
        found[outcome] = tuple(given for given in all_given if not given.endswith("?"))
        maybe |= {given[:-1] for given in all_given if given.endswith("?")}
        scope = [*names.slots, *(name for name in names.variables if name not in BUILT_IN)]
        for given in (given.removesuffix("?") for given in all_given):
            if given not in scope:
                reader.fault(listed, f"unknown slot or variable {given}{likely(given, scope)}")
    return found, frozenset(maybe)


def read_takes(variables: VariableTables, node: Node) -> tuple[dict[str, ValueType], frozenset[str]]:
    """The inputs of a sub-flow with their types, and those that may be left out; they become variables."""
    names = variables.names
    found: dict[str, ValueType] = {}
    optional: set[str] = set()
    for name, entry in names.reader.mapping(node, "takes").items():
        if not A_NAME.fullmatch(name) or name in OWNERS or name in names.variables or name in names.slots:
            names.reader.fault(entry, f"{name} cannot be an input: it is there already, or no name")
            continue
        found[name] = variables.type(name, entry, TAKEN_KEYS)
        entries = {} if isinstance(entry, ScalarNode) else names.reader.mapping(entry, name, (*TYPE_KEYS, *TAKEN_KEYS))
        if "optional" in entries and names.reader.flag(entries["optional"], "optional"):
            optional.add(name)
        names.variables[name] = Variable(found[name], "input")
    return found, frozenset(optional)


def _renamed_run(run: SubFlowRun, renaming: Renaming) -> SubFlowRun:
    def names(of: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(renaming.prefix + name for name in of)

    gives = {outcome: names(given) for outcome, given in run.gives.items()}
    optional = frozenset(renaming.prefix + name for name in run.optional)
    return replace(run, name=renaming.prefix + run.name, states=names(run.states), gives=gives, optional=optional)


def _is_empty(node: Node) -> bool:
    return not isinstance(node, ScalarNode) and not node.value


def split_text(text: str) -> tuple[str, dict[str, SubFlowText]]:
    """The text of a flow that was kept, and the sub-flows that were kept behind it."""
    main, *rest = text.split(MARK)
    found = {}
    for part in rest:
        file, _, body = part.partition("\n")
        found[file.rpartition("/")[2].removesuffix(".yaml")] = SubFlowText(file, body)
    return main, found


MARK = "\n--- # sub-flow "


def joined_text(main: str, used: Mapping[str, SubFlowText]) -> str:
    """The text of a flow with the sub-flows that it runs, as it is kept: one that is whole."""
    return (
        main.removesuffix("\n")
        + "".join(f"{MARK}{one.file}\n{one.text}".removesuffix("\n") for one in used.values())
        + "\n"
    )
