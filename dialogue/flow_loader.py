"""Makes a checked Flow of a YAML text, or refuses it with every fault at once: file, line, state, reason. Pure.

What a flow may name is handed in as `Known`. The shape of the whole (what leads where) is checked in `flow_checks`.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from yaml.nodes import Node

from dialogue.acting import SECRET
from dialogue.flow import OUTCOMES, Action, Escalation, Flow, Keypad, Slot, State, Step
from dialogue.flow_actions import Actions
from dialogue.flow_checks import check_shape, own_steps, skips
from dialogue.flow_forms import MEMBER_KEYS, Forms, is_form, names_of_forms
from dialogue.flow_known import check_known
from dialogue.flow_names import Known, Names, SubFlowText
from dialogue.flow_steps import Parts
from dialogue.flow_subflows import (
    SUBFLOW_KEYS,
    Inlined,
    Runs,
    SubFlow,
    is_run,
    joined_text,
    read_gives,
    read_takes,
    split_text,
)  # fmt: skip
from dialogue.flow_tables import Tables
from dialogue.flow_variables import TABLES_OF_VARIABLES, VariableTables
from dialogue.flow_yaml import Fault, Reader, likely, line_of_key
from dialogue.slots.regions import region_of, timezone_of
from dialogue.values.templates import fields_of
from dialogue.values.value_types import Locale

STATE_KEYS = (
    "say", "ask_again", "answers", "means", "slot", "slot_intents", "read_back", "read_back_retries", "filled",
    "read_back_below", "filled_as", "refused", "unasked", "completes", "also", "listen", "keypad", "no_input",
    "no_match", "goto", "transfer", "hangup", "outcome", "choose", "otherwise", "action", "outcomes", "filler",
    "done",
)  # fmt: skip
QUESTION_KEYS = (
    "say", "ask_again", "answers", "means", "slot_intents", "read_back", "read_back_retries", "read_back_below",
    "filled", "filled_as", "refused", "listen", "keypad", "no_input", "no_match",
)  # fmt: skip
"""What a question of a form may have; its slot is its name."""
FLOW_KEYS = (
    "flow", "language", "region", "timezone", "start", "max_turns", "too_long", "trouble", "transfer_failed",
    "adviser_away", "dead_air", "defaults", "counters", "slots", "constants", "facts", "variables", "actions",
    "hours", "turns", "at_end", "everywhere", "corrections", "bands", "faqs", "states",
)  # fmt: skip
WAYS = ("goto", "transfer", "hangup", "choose", "action", "done")
REQUIRED = ("flow", "language", "start", "too_long", "trouble", "states")


class BadFlow(ValueError):
    """A flow that is refused; `faults` are all that were found, in the order of their lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line, fault.reason)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def read_flow(text: str, file: str, known: Known, edited_at: str = "") -> Flow:
    """The flow of a YAML text. `file` names it in faults, `edited_at` goes into the call record. Raises BadFlow."""
    main, kept = split_text(text)
    known = replace(known, subflows={**known.subflows, **kept})
    loader = _Loader(file, known)
    flow = loader.flow(main)
    if flow is None or loader.reader.faults:
        raise BadFlow(loader.reader.faults)
    faults = check_shape(flow) or check_known(flow, loader.names.lines)
    if faults:
        raise BadFlow(faults)
    if loader.used:
        text = joined_text(main, loader.used)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    lengths = {name: ms for name, ms in known.prompts.items() if ms is not None}
    return replace(flow, prompt_ms=lengths, prompt_texts=known.texts, text=text, version=version, edited_at=edited_at)


def faults_of_sub_flow(name: str, known: Known) -> list[Fault]:
    """What is wrong in the file of a sub-flow, whoever runs it."""
    source = known.subflows[name]
    loader = _Loader(source.file, known, (name,))
    loader.names.where = Locale(known.language or "fr")
    loader.has_corrections = True
    loader.read_sub_flow(source.text, name)
    return loader.reader.faults


class _Loader:
    """One pass over one file. Names that come later in the file are collected before the steps are read."""

    def __init__(self, file: str, known: Known, stack: tuple[str, ...] = ()) -> None:
        self.reader = Reader(file)
        self.names = Names(self.reader, known)
        self.parts = Parts(self.names)
        self.tables = Tables(self.names)
        self.variables = VariableTables(self.names)
        self.no_input: Escalation | None = None
        self.no_match: Escalation | None = None
        self.stack = stack
        self.has_corrections = False
        self.runs = Runs(self)
        self.used: dict[str, SubFlowText] = {}
        """The sub-flows that are run, and those that these run."""

    def flow(self, text: str) -> Flow | None:
        reader = self.reader
        root = reader.document(text)
        if root is None:
            return None
        top = reader.mapping(root, "the flow", FLOW_KEYS)
        for key in REQUIRED:
            if key not in top:
                reader.fault(root, f"the flow needs {key}")
        self.names.where = self.where(top)
        state_nodes = self.state_names(top)
        hours = self.names.opening_hours(top["hours"]) if "hours" in top else None
        self.has_corrections = "corrections" in top
        self.read_tables(top, state_nodes)
        everywhere = {}
        if "everywhere" in top:
            everywhere = self.parts.answers(top["everywhere"], "everywhere")
            if any(skips(step) for step in everywhere.values()):
                reader.fault(top["everywhere"], "skip belongs to the questions of a form")
        corrections = self.parts.corrections(top["corrections"]) if "corrections" in top else None
        faqs = self.tables.faqs(top["faqs"]) if "faqs" in top else {}
        read = self.read_states(state_nodes)
        for state in read.states.values():
            self.check_meanings(state, everywhere)
        if any(key not in top for key in REQUIRED):
            return None
        start = self.names.state_name(top["start"], "start")
        dead_air_ms, dead_air = self.tables.dead_air(top["dead_air"]) if "dead_air" in top else (1_800, ())
        flow = Flow(
            name=reader.text(top["flow"], "flow"),
            language=self.names.where.language,
            start=start,
            states={},
            trouble=self.parts.escalation(top["trouble"], "trouble"),
            too_long=self.parts.step(top["too_long"], "too_long"),
            timezone=self.names.where.timezone,
            region=self.names.where.region,
            hours=hours,
            everywhere=everywhere,
            corrections=corrections,
            bands=self.parts.bands(top["bands"]) if "bands" in top else {},
            turns=self.turns(top["turns"]) if "turns" in top else None,
            at_end=self.at_end(top["at_end"]) if "at_end" in top else (),
            faqs=faqs,
            dead_air_ms=dead_air_ms,
            dead_air=dead_air,
            transfer_failed=self.names.say(top["transfer_failed"], "transfer_failed")
            if "transfer_failed" in top
            else (),
            adviser_away=self.names.state_name(top["adviser_away"], "adviser_away") if "adviser_away" in top else "",
            max_turns=reader.whole(top["max_turns"], "max_turns", 3, 500) if "max_turns" in top else 40,
            file=reader.file,
        )
        self.runs.inline(read, self)
        names = self.names
        return replace(
            flow,
            states=read.states,
            forms=read.forms,
            runs=read.runs,
            slots=names.slots,
            variables=names.variables,
            actions=names.actions,
            counters=names.counters,
        )

    def state_names(self, top: Mapping[str, Node]) -> dict[str, Node]:
        """The nodes of the states, whose names are known from here on."""
        nodes = self.reader.mapping(top["states"], "states") if "states" in top else {}
        self.names.states = frozenset(nodes) | names_of_forms(nodes)
        return nodes

    def read_tables(self, top: Mapping[str, Node], state_nodes: Mapping[str, Node]) -> None:
        """What states may name: counters, slots, variables, actions, what sub-flows give; and the defaults."""
        reader = self.reader
        if "counters" in top:
            for name, node in reader.mapping(top["counters"], "counters").items():
                self.names.counters[name] = reader.whole(node, f"counter {name}", 0, 100)
        if "slots" in top:
            for name, node in reader.mapping(top["slots"], "slots").items():
                self.names.slots[name] = self.tables.slot(name, node)
        for key, origin in TABLES_OF_VARIABLES:
            if key in top:
                self.variables.read(top[key], key, origin)
        self.runs.open(state_nodes)
        if "actions" in top:
            self.names.actions = Actions(self.names, self.variables).read(top["actions"])
        self.tables.check_listed()
        if "defaults" in top:
            self.defaults(top["defaults"])

    def read_states(self, nodes: Mapping[str, Node]) -> Inlined:
        """The states of the file, forms as the states that they become."""
        read = Inlined()
        for name, node in nodes.items():
            self.reader.state = name
            if is_run(node, self.names):
                run = self.runs.state(name, node)
                if run is not None:
                    read.states |= {state.name: state for state in run[0]}
                    read.runs[name] = run[1]
            elif not is_form(node):
                read.states[name] = self.state(name, node)
            elif (form := Forms(self.names, self).read(name, node, self.has_corrections)) is not None:
                read.forms[name] = form[0]
                read.states |= {state.name: state for state in form[1]}
        self.reader.state = ""
        return read

    # --- sub-flows ---

    def sub_flow(self, name: str) -> SubFlow | None:
        """A sub-flow of the folder; its faults are ours, each once."""
        source = self.names.known.subflows[name]
        inner = _Loader(source.file, self.names.known, (*self.stack, name))
        inner.names.where = self.names.where
        inner.has_corrections = self.has_corrections
        inner.parts.listening, inner.parts.keys = self.parts.listening, self.parts.keys
        sub = inner.read_sub_flow(source.text, name)
        self.reader.faults += [fault for fault in inner.reader.faults if fault not in self.reader.faults]
        self.used |= {name: source, **inner.used}
        return sub

    def read_sub_flow(self, text: str, name: str) -> SubFlow | None:
        """The sub-flow of a YAML text."""
        reader, names = self.reader, self.names
        root = reader.document(text)
        if root is None:
            return None
        top = reader.mapping(root, "the sub-flow", SUBFLOW_KEYS)
        for key in ("subflow", "gives", "start", "states"):
            if key not in top:
                reader.fault(root, f"the sub-flow needs {key}")
        names.subflow = name
        if "subflow" in top and reader.text(top["subflow"], "subflow") != name:
            reader.fault(top["subflow"], f"a sub-flow is called as its file, {name}")
        state_nodes = self.state_names(top)
        outcomes = reader.mapping(top["gives"], "gives") if "gives" in top else {}
        names.outcomes = frozenset(outcomes)
        names.states |= {f"done.{outcome}" for outcome in outcomes}
        takes, optional = read_takes(self.variables, top["takes"]) if "takes" in top else ({}, frozenset())
        self.read_tables(top, state_nodes)
        gives, maybe = read_gives(names, top.get("gives"))
        read = self.read_states(state_nodes)
        start = names.state_name(top["start"], "start") if "start" in top else ""
        self.runs.inline(read, self)
        return SubFlow(start, takes, optional, gives, maybe, read.states, read.forms, names, read.runs)

    def also(self, node: Node, asked_for: str) -> dict[str, Step]:
        """Other slots that an answer may fill -> what comes then."""
        found = {}
        for name, entry in self.reader.mapping(node, "also").items():
            if name not in self.names.slots or name == asked_for:
                self.reader.fault(entry, f"also: {name} is no other slot{likely(name, self.names.slots)}")
                continue
            found[name] = self.parts.step(entry, f"also {name}")
        return found

    def at_end(self, node: Node) -> tuple[str, ...]:
        """Actions that are asked for when the call is over."""
        names = self.reader.texts(node, "at_end")
        for name in names:
            if name not in self.names.actions:
                self.reader.fault(node, f"unknown action {name} in at_end{likely(name, self.names.actions)}")
        return tuple(name for name in names if name in self.names.actions)

    def turns(self, node: Node) -> Action:
        """Where turns are told: an address and headers that are the same in every call, and what goes there besides."""
        entries = self.reader.mapping(node, "turns", ("post", "headers", "body"))
        if "post" not in entries:
            self.reader.fault(node, "turns needs post: an address")
            return Action("turns")
        action = Actions(self.names, self.variables).action("turns", node, ())
        fields = [one for text in (action.url, *action.headers.values()) for one in fields_of(text)]
        if any(not one.name.startswith(SECRET) for one in fields):
            self.reader.fault(node, "the address and the headers of turns have no variables but secrets")
        return action

    def where(self, top: Mapping[str, Node]) -> Locale:
        language = self.tables.language(top["language"]) if "language" in top else "fr"
        region = self.tables.region(top["region"]) if "region" in top else region_of(language)
        timezone = self.tables.timezone(top["timezone"]) if "timezone" in top else timezone_of(region)
        return Locale(language, region, timezone)

    def defaults(self, node: Node) -> None:
        entries = self.reader.mapping(node, "defaults", ("listen", "keys", "no_input", "no_match"))
        if "listen" in entries:
            self.parts.listening = self.parts.listen(entries["listen"])
        if "keys" in entries:
            self.parts.keys = self.parts.key_intents(entries["keys"])
        if "no_input" in entries:
            self.no_input = self.parts.escalation(entries["no_input"], "no_input")
        if "no_match" in entries:
            self.no_match = self.parts.escalation(entries["no_match"], "no_match")

    # --- states ---

    def within(self, entries: Mapping[str, Node]) -> _Loader:
        """What reads the states of a form: with the defaults that the form has."""
        inner = copy.copy(self)
        inner.parts = copy.copy(self.parts)
        if "listen" in entries:
            inner.parts.listening = self.parts.listen(entries["listen"])
        if "no_input" in entries:
            inner.no_input = self.parts.escalation(entries["no_input"], "no_input")
        if "no_match" in entries:
            inner.no_match = self.parts.escalation(entries["no_match"], "no_match")
        return inner

    def state(self, name: str, node: Node, member: Slot | None = None) -> State:
        """One state; `member` is the slot of a question of a form."""
        reader = self.reader
        keys = STATE_KEYS if member is None else (*QUESTION_KEYS, *MEMBER_KEYS)
        entries = reader.mapping(node, "the state" if member is None else f"form {member.name}", keys)
        if member is not None:
            entries["slot"] = node
        slot = member.name if member else self.names.slot_name(entries["slot"]) if "slot" in entries else ""
        for key in (
            "slot_intents",
            "read_back",
            "read_back_retries",
            "read_back_below",
            "filled",
            "filled_as",
            "refused",
            "completes",
        ):
            if key in entries and "slot" not in entries:
                reader.fault(entries[key], f"{key} needs a slot")
        if "slot" in entries and "filled" not in entries and member is None:
            reader.fault(entries["slot"], "a slot needs filled: what comes once it is known")
        filled_as = {}
        if "filled_as" in entries:
            for value, step in reader.mapping(entries["filled_as"], "filled_as").items():
                self.names.check_value(step, slot, value)
                filled_as[value] = self.parts.step(step, f"filled_as {value}")
        state = State(
            name=name,
            line=line_of_key(node),
            say=self.names.say(entries["say"], "say") if "say" in entries else (),
            ask_again=self.names.wordings(entries["ask_again"], "ask_again") if "ask_again" in entries else (),
            answers=self.parts.answers(entries["answers"], "answers") if "answers" in entries else {},
            means=self.parts.means(entries["means"]) if "means" in entries else {},
            slot=slot,
            slot_intents=self.names.intents(entries["slot_intents"], "slot_intents")
            if "slot_intents" in entries
            else (),
            read_back=self.names.say(entries["read_back"], "read_back") if "read_back" in entries else (),
            read_back_retries=reader.whole(entries["read_back_retries"], "read_back_retries", 1, 10)
            if "read_back_retries" in entries
            else 3,
            read_back_below=reader.number(entries["read_back_below"], "read_back_below", 0.0, 1.01)
            if "read_back_below" in entries
            else 1.01,
            filled=self.parts.step(entries["filled"], "filled") if "filled" in entries else None,
            filled_as=filled_as,
            refused=self.parts.step(entries["refused"], "refused") if "refused" in entries else None,
            unasked=self.parts.step(entries["unasked"], "unasked", is_choice=True) if "unasked" in entries else None,
            also=self.also(entries["also"], slot) if "also" in entries else {},
            completes=reader.flag(entries["completes"], "completes") if "completes" in entries else False,
            listening=self.parts.listen(entries["listen"]) if "listen" in entries else self.parts.listening,
            keypad=self.parts.keypad(entries["keypad"]) if "keypad" in entries else Keypad(self.parts.keys),
            no_input=self.parts.escalation(entries["no_input"], "no_input") if "no_input" in entries else self.no_input,
            no_match=self.parts.escalation(entries["no_match"], "no_match") if "no_match" in entries else self.no_match,
            goto=self.names.state_name(entries["goto"], "goto")
            if "goto" in entries
            else self.names.done(entries["done"])
            if "done" in entries
            else "",
            transfer=self.parts.extension(entries["transfer"]) if "transfer" in entries else "",
            hangup=reader.flag(entries["hangup"], "hangup") if "hangup" in entries else False,
            outcome=reader.text(entries["outcome"], "outcome") if "outcome" in entries else "",
            choose=self.parts.choices(entries["choose"]) if "choose" in entries else (),
            otherwise=self.parts.step(entries["otherwise"], "otherwise")
            if "otherwise" in entries and "action" not in entries
            else None,
            action=self.names.action_name(entries["action"]) if "action" in entries else "",
            outcomes=self.outcomes(entries) if "action" in entries else {},
            **(self.parts.filler(entries["filler"]) if "filler" in entries else {}),
        )
        self.check_state(state, node, entries)
        self.check_listed(state, node, entries)
        if member is None and any(skips(step) for step in own_steps(state)):
            reader.fault(node, "skip belongs to the questions of a form")
        return state

    def check_state(self, state: State, node: Node, entries: Mapping[str, Node]) -> None:
        reader = self.reader
        ways = [key for key in WAYS if key in entries]
        if state.listens and ways:
            reader.fault(entries[ways[0]], f"a state that listens (answers, slot) cannot also have {ways[0]}")
        elif not state.listens and len(ways) != 1:
            reader.fault(node, f"needs answers or a slot (to listen), or one of {', '.join(WAYS)}")
        if "choose" in entries or ("otherwise" in entries and "action" not in entries):
            self.check_choose(state, node, entries)
        if "action" in entries:
            self.check_action(state, node)
        for key in ("outcomes", "filler"):
            if key in entries and "action" not in entries:
                reader.fault(entries[key], f"{key} belongs to an action")
        if state.listens:
            if not state.say:
                reader.fault(node, "a state that listens must say something")
            if state.no_input is None and not self.names.subflow:
                reader.fault(node, "needs no_input, here or in defaults")
            if state.no_match is None and not self.names.subflow:
                reader.fault(node, "needs no_match, here or in defaults")
        elif (state.transfer or state.hangup) and not state.outcome:
            reader.fault(node, "a state that ends the call needs an outcome")
        if state.keypad.digits and not state.slot:
            reader.fault(entries["keypad"], "keypad digits need a slot")
        if state.outcome and not (state.transfer or state.hangup):
            reader.fault(entries["outcome"], "an outcome belongs to a state that ends the call, or to a step")

    def check_listed(self, state: State, node: Node, entries: Mapping[str, Node]) -> None:
        """What is chosen from a list may also be refused, and only that."""
        slot = self.names.slots.get(state.slot)
        if state.completes and (slot is None or slot.type != "date_time"):
            self.reader.fault(entries["completes"], "completes belongs to a slot of the type date_time")
        if state.unasked is not None:
            self.parts.must_lead_on(entries["unasked"], state.unasked, "unasked")
            if slot is None or state.unasked.when is None or state.unasked.otherwise is not None:
                self.reader.fault(entries["unasked"], "unasked belongs to a slot, and says when, without otherwise")
        if state.also and not state.listens:
            self.reader.fault(entries["also"], "also belongs to a state that listens")
        if slot is not None and slot.source and state.refused is None:
            self.reader.fault(node, f"needs refused: what is done when nothing of {slot.source} suits, or it is empty")
        elif state.refused is not None and slot is not None and not slot.source:
            self.reader.fault(entries["refused"], f"slot {slot.name} is not chosen from a list: it has no refused")
        elif state.refused is not None and not state.refused.skip:
            self.parts.must_lead_on(entries["refused"], state.refused, "refused")

    def outcomes(self, entries: Mapping[str, Node]) -> dict[str, Step]:
        """The step of each outcome of an action; `otherwise` stands for those that are not named."""
        found: dict[str, Step] = {}
        named = self.reader.mapping(entries["outcomes"], "outcomes", OUTCOMES) if "outcomes" in entries else {}
        for outcome in OUTCOMES:
            node = named.get(outcome, entries.get("otherwise"))
            if node is not None:
                found[outcome] = self.parts.step(node, outcome)
                self.parts.must_lead_on(node, found[outcome], outcome)
        return found

    def check_action(self, state: State, node: Node) -> None:
        """Whatever comes of an action leads somewhere."""
        missing = [outcome for outcome in OUTCOMES if outcome not in state.outcomes]
        if missing:
            self.reader.fault(node, f"nothing is said of the outcomes {', '.join(missing)}: name them, or otherwise")

    def check_choose(self, state: State, node: Node, entries: Mapping[str, Node]) -> None:
        """A state that chooses is silent, and there is always a way on."""
        if "choose" not in entries or state.otherwise is None:
            self.reader.fault(node, "choose needs otherwise: what is done when no condition is true")
            return
        self.parts.must_lead_on(entries["otherwise"], state.otherwise, "otherwise")
        if state.say:
            self.reader.fault(entries["say"], "a state that chooses says nothing: its steps may")

    def check_meanings(self, state: State, everywhere: Mapping[str, Step]) -> None:
        """`means` and `keypad.keys` must name something that is handled in this state."""
        handled = {*state.answers, *everywhere, *state.slot_intents}
        self.reader.state = state.name
        for intent, meaning in state.means.items():
            if meaning not in handled:
                self.reader.fault(state.line, f"means: {intent} is {meaning}, which has no answer here")
        if state.listens:
            for key, intent in state.keypad.keys.items():
                if state.means.get(intent, intent) not in {*handled, "yes", "no"}:
                    self.reader.fault(state.line, f"key {key} is {intent}, which has no answer here")
        self.reader.state = ""
