"""Makes a checked Flow of a YAML text, or refuses it with every fault at once: file, line, state, reason. Pure.

What a flow may name is handed in as `Known`. The shape of the whole (what leads where) is checked in `flow_checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from yaml.nodes import MappingNode, Node, ScalarNode

from dialogue.flow import Escalation, Flow, Keypad, Slot, State, Step, Wording
from dialogue.flow_checks import check_shape
from dialogue.flow_names import Known, Names
from dialogue.flow_steps import Parts
from dialogue.flow_yaml import Fault, Reader, likely, line_of
from dialogue.slots import SLOT_TYPES, SlotType

STATE_KEYS = (
    "say", "ask_again", "answers", "means", "slot", "slot_intents", "read_back", "read_back_retries", "filled",
    "filled_as", "listen", "keypad", "no_input", "no_match", "goto", "transfer", "hangup", "outcome",
)  # fmt: skip
FLOW_KEYS = (
    "flow", "language", "timezone", "start", "max_turns", "too_long", "trouble", "transfer_failed", "dead_air",
    "defaults", "counters", "slots", "everywhere", "faqs", "states",
)  # fmt: skip
REQUIRED = ("flow", "language", "start", "too_long", "trouble", "states")


class BadFlow(ValueError):
    """A flow that is refused; `faults` are all that were found, in the order of their lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line, fault.reason)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def read_flow(text: str, file: str, known: Known, edited_at: str = "") -> Flow:
    """The flow of a YAML text. `file` names it in faults, `edited_at` goes into the call record. Raises BadFlow."""
    loader = _Loader(file, known)
    flow = loader.flow(text)
    if flow is None or loader.reader.faults:
        raise BadFlow(loader.reader.faults)
    faults = check_shape(flow)
    if faults:
        raise BadFlow(faults)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    lengths = {name: ms for name, ms in known.prompts.items() if ms is not None}
    return replace(flow, prompt_ms=lengths, version=version, edited_at=edited_at)


class _Loader:
    """One pass over one file. Names that come later in the file are collected before the steps are read."""

    def __init__(self, file: str, known: Known) -> None:
        self.reader = Reader(file)
        self.names = Names(self.reader, known)
        self.parts = Parts(self.names)
        self.no_input: Escalation | None = None
        self.no_match: Escalation | None = None

    def flow(self, text: str) -> Flow | None:
        reader = self.reader
        root = reader.document(text)
        if root is None:
            return None
        top = reader.mapping(root, "the flow", FLOW_KEYS)
        for key in REQUIRED:
            if key not in top:
                reader.fault(root, f"the flow needs {key}")
        state_nodes = reader.mapping(top["states"], "states") if "states" in top else {}
        self.names.states = frozenset(state_nodes)
        if "counters" in top:
            for name, node in reader.mapping(top["counters"], "counters").items():
                self.names.counters[name] = reader.whole(node, f"counter {name}", 0, 100)
        if "slots" in top:
            for name, node in reader.mapping(top["slots"], "slots").items():
                self.names.slots[name] = self.slot(name, node)
        if "defaults" in top:
            self.defaults(top["defaults"])
        everywhere = {}
        if "everywhere" in top:
            everywhere = self.parts.answers(top["everywhere"], "everywhere")
        faqs = self.faqs(top["faqs"]) if "faqs" in top else {}
        states = {}
        for name, node in state_nodes.items():
            reader.state = name
            states[name] = self.state(name, node)
        reader.state = ""
        for state in states.values():
            self.check_meanings(state, everywhere)
        if any(key not in top for key in REQUIRED):
            return None
        start = self.names.state_name(top["start"], "start")
        dead_air_ms, dead_air = self.dead_air(top["dead_air"]) if "dead_air" in top else (1_800, ())
        return Flow(
            name=reader.text(top["flow"], "flow"),
            language=reader.text(top["language"], "language"),
            start=start,
            states=states,
            trouble=self.parts.escalation(top["trouble"], "trouble"),
            too_long=self.parts.step(top["too_long"], "too_long"),
            timezone=self.timezone(top["timezone"]) if "timezone" in top else "Europe/Paris",
            slots=self.names.slots,
            counters=self.names.counters,
            everywhere=everywhere,
            faqs=faqs,
            dead_air_ms=dead_air_ms,
            dead_air=dead_air,
            transfer_failed=self.names.say(top["transfer_failed"], "transfer_failed")
            if "transfer_failed" in top
            else (),
            max_turns=reader.whole(top["max_turns"], "max_turns", 3, 500) if "max_turns" in top else 40,
            file=reader.file,
        )

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

    def state(self, name: str, node: Node) -> State:
        reader = self.reader
        entries = reader.mapping(node, "the state", STATE_KEYS)
        slot = self.names.slot_name(entries["slot"]) if "slot" in entries else ""
        for key in ("slot_intents", "read_back", "read_back_retries", "filled", "filled_as"):
            if key in entries and "slot" not in entries:
                reader.fault(entries[key], f"{key} needs a slot")
        if "slot" in entries and "filled" not in entries:
            reader.fault(entries["slot"], "a slot needs filled: what comes once it is known")
        filled_as = {}
        if "filled_as" in entries:
            for value, step in reader.mapping(entries["filled_as"], "filled_as").items():
                self.names.check_value(step, slot, value)
                filled_as[value] = self.parts.step(step, f"filled_as {value}")
        state = State(
            name=name,
            line=line_of(node) - (1 if isinstance(node, MappingNode) else 0),
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
            filled=self.parts.step(entries["filled"], "filled") if "filled" in entries else None,
            filled_as=filled_as,
            listening=self.parts.listen(entries["listen"]) if "listen" in entries else self.parts.listening,
            keypad=self.parts.keypad(entries["keypad"]) if "keypad" in entries else Keypad(self.parts.keys),
            no_input=self.parts.escalation(entries["no_input"], "no_input") if "no_input" in entries else self.no_input,
            no_match=self.parts.escalation(entries["no_match"], "no_match") if "no_match" in entries else self.no_match,
            goto=self.names.state_name(entries["goto"], "goto") if "goto" in entries else "",
            transfer=reader.text(entries["transfer"], "transfer") if "transfer" in entries else "",
            hangup=reader.flag(entries["hangup"], "hangup") if "hangup" in entries else False,
            outcome=reader.text(entries["outcome"], "outcome") if "outcome" in entries else "",
        )
        self.check_state(state, node, entries)
        return state

    def check_state(self, state: State, node: Node, entries: Mapping[str, Node]) -> None:
        reader = self.reader
        ways = [key for key in ("goto", "transfer", "hangup") if key in entries]
        if state.listens and ways:
            reader.fault(entries[ways[0]], f"a state that listens (answers, slot) cannot also have {ways[0]}")
        elif not state.listens and len(ways) != 1:
            reader.fault(node, "needs answers or a slot (to listen), or one of goto, transfer, hangup")
        if state.listens:
            if not state.say:
                reader.fault(node, "a state that listens must say something")
            if state.no_input is None:
                reader.fault(node, "needs no_input, here or in defaults")
            if state.no_match is None:
                reader.fault(node, "needs no_match, here or in defaults")
        elif (state.transfer or state.hangup) and not state.outcome:
            reader.fault(node, "a state that ends the call needs an outcome")
        if state.keypad.digits and not state.slot:
            reader.fault(entries["keypad"], "keypad digits need a slot")
        if state.outcome and not (state.transfer or state.hangup):
            reader.fault(entries["outcome"], "an outcome belongs to a state that ends the call, or to a step")

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

    # --- slots, FAQs and other tables ---

    def slot(self, name: str, node: Node) -> Slot:
        reader = self.reader
        entries = {"type": node} if isinstance(node, ScalarNode) else reader.mapping(
            node, f"slot {name}", ("type", "choices", "say_as")
        )  # fmt: skip
        kind = reader.text(entries["type"], "type") if "type" in entries else ""
        if kind not in SLOT_TYPES:
            reader.fault(node, f"slot {name} has type {kind or 'none'}; there are {', '.join(SLOT_TYPES)}")
            return Slot(name, "digits")
        slot_type: SlotType = next(known for known in SLOT_TYPES if known == kind)
        choices = {}
        if "choices" in entries:
            listed = reader.mapping(entries["choices"], "choices")
            choices = {value: reader.texts(words, f"choice {value}") for value, words in listed.items()}
        if (slot_type == "choice") != bool(choices):
            reader.fault(node, f"slot {name}: choices belong to the type choice")
        say_as = {}
        if "say_as" in entries:
            for value, prompt in reader.mapping(entries["say_as"], "say_as").items():
                if choices and value not in choices:
                    reader.fault(prompt, f"slot {name} has no choice {value}{likely(value, choices)}")
                say_as[value] = next(iter(self.names.say(prompt, "say_as")), "")
        return Slot(name, slot_type, choices, say_as)

    def faqs(self, node: Node) -> dict[str, Wording]:
        reader = self.reader
        found = {}
        for name, say in reader.mapping(node, "faqs").items():
            if name not in self.names.known.faqs:
                reader.fault(say, f"unknown FAQ {name}{likely(name, self.names.known.faqs)}")
            found[name] = self.names.say(say, name)
        missing = sorted(self.names.known.faqs - set(found), key=lambda name: (len(name), name))
        if missing:
            reader.fault(node, f"no answer for {', '.join(missing)}")
        return found

    def dead_air(self, node: Node) -> tuple[int, Wording]:
        entries = self.reader.mapping(node, "dead_air", ("after_ms", "say"))
        after = self.reader.whole(entries["after_ms"], "after_ms", 500, 3_000) if "after_ms" in entries else 1_800
        return after, self.names.say(entries["say"], "dead_air say") if "say" in entries else ()

    def timezone(self, node: Node) -> str:
        name = self.reader.text(node, "timezone")
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            self.reader.fault(node, f"unknown timezone {name}")
        return name
