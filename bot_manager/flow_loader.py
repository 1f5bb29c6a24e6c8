"""Makes a checked Flow of a YAML text, or refuses it with every fault at once: file, line, state, reason. Pure.

What a flow may name is handed in as `Known`. The shape of the whole (what leads where) is checked in `flow_checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from yaml.nodes import MappingNode, Node, ScalarNode

from bot_manager.dialogue_readout import pieces_of
from bot_manager.flow import SLOT_TYPES, Flow, Keypad, Ladder, Listening, Say, Slot, SlotType, State, Step
from bot_manager.flow_checks import check_shape
from bot_manager.flow_yaml import Fault, Reader, likely, line_of

STEP_KEYS = ("say", "goto", "transfer", "hangup", "outcome", "ask", "repeat", "wait_ms", "set", "count", "over")
LADDER_KEYS = ("say", "retries", "then", "ask")
LISTEN_KEYS = (
    "eager_silence_ms", "end_silence_ms", "max_utterance_ms", "barge_in", "barge_in_ms", "no_input_ms",
    "commit_confidence", "commit_recognition", "hints",
)  # fmt: skip
KEYPAD_KEYS = ("keys", "digits", "end", "pause_ms")
STATE_KEYS = (
    "say", "ask_again", "answers", "means", "slot", "slot_intents", "read_back", "read_back_retries", "filled",
    "filled_as", "listen", "keypad", "no_input", "no_match", "goto", "transfer", "hangup", "outcome",
)  # fmt: skip
FLOW_KEYS = (
    "flow", "language", "timezone", "start", "max_turns", "too_long", "trouble", "transfer_failed", "dead_air",
    "defaults", "counters", "slots", "everywhere", "faqs", "states",
)  # fmt: skip
REQUIRED = ("flow", "language", "start", "too_long", "trouble", "states")
PHONE_KEYS = tuple("0123456789*#")


@dataclass(frozen=True)
class Known:
    """What the flow's folder holds: intents, FAQ intents, and prompts with their length (None: no audio yet)."""

    intents: frozenset[str]
    faqs: frozenset[str]
    prompts: Mapping[str, int | None]


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
        self.known = known
        self.states: frozenset[str] = frozenset()
        self.slots: dict[str, Slot] = {}
        self.counters: dict[str, int] = {}
        self.listening = Listening()
        self.keys: dict[str, str] = {}
        self.no_input: Ladder | None = None
        self.no_match: Ladder | None = None

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
        self.states = frozenset(state_nodes)
        if "counters" in top:
            for name, node in reader.mapping(top["counters"], "counters").items():
                self.counters[name] = reader.whole(node, f"counter {name}", 0, 100)
        if "slots" in top:
            for name, node in reader.mapping(top["slots"], "slots").items():
                self.slots[name] = self.slot(name, node)
        if "defaults" in top:
            self.defaults(top["defaults"])
        everywhere = {}
        if "everywhere" in top:
            everywhere = self.answers(top["everywhere"], "everywhere")
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
        start = self.state_name(top["start"], "start")
        dead_air_ms, dead_air = self.dead_air(top["dead_air"]) if "dead_air" in top else (2_500, ())
        return Flow(
            name=reader.text(top["flow"], "flow"),
            language=reader.text(top["language"], "language"),
            start=start,
            states=states,
            trouble=self.ladder(top["trouble"], "trouble"),
            too_long=self.step(top["too_long"], "too_long"),
            timezone=self.timezone(top["timezone"]) if "timezone" in top else "Europe/Paris",
            slots=self.slots,
            counters=self.counters,
            everywhere=everywhere,
            faqs=faqs,
            dead_air_ms=dead_air_ms,
            dead_air=dead_air,
            transfer_failed=self.say(top["transfer_failed"], "transfer_failed") if "transfer_failed" in top else (),
            max_turns=reader.whole(top["max_turns"], "max_turns", 3, 500) if "max_turns" in top else 40,
            file=reader.file,
        )

    def defaults(self, node: Node) -> None:
        entries = self.reader.mapping(node, "defaults", ("listen", "keys", "no_input", "no_match"))
        if "listen" in entries:
            self.listening = self.listen(entries["listen"])
        if "keys" in entries:
            self.keys = self.key_intents(entries["keys"])
        if "no_input" in entries:
            self.no_input = self.ladder(entries["no_input"], "no_input")
        if "no_match" in entries:
            self.no_match = self.ladder(entries["no_match"], "no_match")

    # --- states ---

    def state(self, name: str, node: Node) -> State:
        reader = self.reader
        entries = reader.mapping(node, "the state", STATE_KEYS)
        slot = self.slot_name(entries["slot"]) if "slot" in entries else ""
        for key in ("slot_intents", "read_back", "read_back_retries", "filled", "filled_as"):
            if key in entries and "slot" not in entries:
                reader.fault(entries[key], f"{key} needs a slot")
        if "slot" in entries and "filled" not in entries:
            reader.fault(entries["slot"], "a slot needs filled: what comes once it is known")
        filled_as = {}
        if "filled_as" in entries:
            for value, step in reader.mapping(entries["filled_as"], "filled_as").items():
                self.check_value(step, slot, value)
                filled_as[value] = self.step(step, f"filled_as {value}")
        state = State(
            name=name,
            line=line_of(node) - (1 if isinstance(node, MappingNode) else 0),
            say=self.say(entries["say"], "say") if "say" in entries else (),
            ask_again=self.rungs(entries["ask_again"], "ask_again") if "ask_again" in entries else (),
            answers=self.answers(entries["answers"], "answers") if "answers" in entries else {},
            means=self.means(entries["means"]) if "means" in entries else {},
            slot=slot,
            slot_intents=self.intents(entries["slot_intents"], "slot_intents") if "slot_intents" in entries else (),
            read_back=self.say(entries["read_back"], "read_back") if "read_back" in entries else (),
            read_back_retries=reader.whole(entries["read_back_retries"], "read_back_retries", 1, 10)
            if "read_back_retries" in entries
            else 3,
            filled=self.step(entries["filled"], "filled") if "filled" in entries else None,
            filled_as=filled_as,
            listening=self.listen(entries["listen"]) if "listen" in entries else self.listening,
            keypad=self.keypad(entries["keypad"]) if "keypad" in entries else Keypad(self.keys),
            no_input=self.ladder(entries["no_input"], "no_input") if "no_input" in entries else self.no_input,
            no_match=self.ladder(entries["no_match"], "no_match") if "no_match" in entries else self.no_match,
            goto=self.state_name(entries["goto"], "goto") if "goto" in entries else "",
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

    # --- parts of states ---

    def step(self, node: Node, what: str) -> Step:
        """`name` alone means goto."""
        reader = self.reader
        if isinstance(node, ScalarNode):
            return Step(goto=self.state_name(node, what))
        entries = reader.mapping(node, what, STEP_KEYS)
        step = Step(
            say=self.say(entries["say"], "say") if "say" in entries else (),
            goto=self.state_name(entries["goto"], "goto") if "goto" in entries else "",
            transfer=reader.text(entries["transfer"], "transfer") if "transfer" in entries else "",
            hangup=reader.flag(entries["hangup"], "hangup") if "hangup" in entries else False,
            outcome=reader.text(entries["outcome"], "outcome") if "outcome" in entries else "",
            ask=reader.flag(entries["ask"], "ask") if "ask" in entries else True,
            repeat=reader.flag(entries["repeat"], "repeat") if "repeat" in entries else False,
            wait_ms=reader.whole(entries["wait_ms"], "wait_ms", 1_000, 60_000) if "wait_ms" in entries else 0,
            set=self.values(entries["set"]) if "set" in entries else {},
            count=self.counter_name(entries["count"]) if "count" in entries else "",
            over=self.step(entries["over"], "over") if "over" in entries else None,
        )
        ways = [key for key in ("goto", "transfer", "hangup", "repeat", "wait_ms") if key in entries]
        if len(ways) > 1:
            reader.fault(entries[ways[1]], f"{what} cannot have both {ways[0]} and {ways[1]}")
        if ("count" in entries) != ("over" in entries):
            reader.fault(node, f"{what}: count and over belong together")
        if step.over is not None and step.over.count == step.count and step.count:
            reader.fault(entries["over"], f"{what}: over counts {step.count} again")
        if step.ends and not step.outcome:
            reader.fault(node, f"{what} ends the call and needs an outcome")
        if step.wait_ms and not step.say:
            reader.fault(node, f"{what} waits in silence: it must say something first")
        if not (ways or step.say or step.ask):
            reader.fault(node, f"{what} does nothing: it says nothing and leads nowhere")
        return step

    def answers(self, node: Node, what: str) -> dict[str, Step]:
        found = {}
        for intent, step in self.reader.mapping(node, what).items():
            self.check_intent(step, intent)
            found[intent] = self.step(step, f"{what} {intent}")
        return found

    def means(self, node: Node) -> dict[str, str]:
        found = {}
        for intent, meaning in self.reader.mapping(node, "means").items():
            self.check_intent(meaning, intent)
            found[intent] = self.reader.text(meaning, f"means {intent}")
            self.check_intent(meaning, found[intent])
        return found

    def ladder(self, node: Node, what: str) -> Ladder:
        reader = self.reader
        entries = reader.mapping(node, what, LADDER_KEYS)
        say = self.rungs(entries["say"], f"{what} say") if "say" in entries else ()
        if "then" not in entries:
            reader.fault(node, f"{what} needs then: what comes after the last rung")
        then = self.step(entries["then"], f"{what} then") if "then" in entries else Step(hangup=True, outcome=what)
        if not (then.goto or then.ends):
            reader.fault(node, f"{what} then must lead to a state, transfer or hang up")
        ask = reader.flag(entries["ask"], f"{what} ask") if "ask" in entries else True
        if not say and not ask:
            reader.fault(node, f"{what} says nothing")
        retries = reader.whole(entries["retries"], f"{what} retries", 0, 10) if "retries" in entries else len(say)
        return Ladder(say, retries, then, ask)

    def listen(self, node: Node) -> Listening:
        reader = self.reader
        entries = reader.mapping(node, "listen", LISTEN_KEYS)
        bounds = {
            "eager_silence_ms": (60, 2_000),
            "end_silence_ms": (150, 5_000),
            "max_utterance_ms": (1_000, 60_000),
            "barge_in_ms": (60, 2_000),
            "no_input_ms": (1_000, 60_000),
        }
        wholes = {k: reader.whole(entries[k], k, low, high) for k, (low, high) in bounds.items() if k in entries}
        shares = ("commit_confidence", "commit_recognition")
        numbers = {key: reader.number(entries[key], key, 0.0, 1.01) for key in shares if key in entries}
        read = replace(self.listening, **wholes, **numbers)  # type: ignore[arg-type]
        if "barge_in" in entries:
            read = replace(read, barge_in=reader.flag(entries["barge_in"], "barge_in"))
        if "hints" in entries:
            read = replace(read, hints=reader.texts(entries["hints"], "hints"))
        if read.eager_silence_ms > read.end_silence_ms:
            reader.fault(node, "eager_silence_ms must not be above end_silence_ms")
        return read

    def keypad(self, node: Node) -> Keypad:
        reader = self.reader
        entries = reader.mapping(node, "keypad", KEYPAD_KEYS)
        end = reader.text(entries["end"], "end") if "end" in entries else "#"
        if end not in PHONE_KEYS:
            reader.fault(node, f"end must be one key, not {end}")
        return Keypad(
            keys=self.key_intents(entries["keys"]) if "keys" in entries else self.keys,
            digits=reader.whole(entries["digits"], "digits", 1, 24) if "digits" in entries else 0,
            end=end,
            pause_ms=reader.whole(entries["pause_ms"], "pause_ms", 500, 20_000) if "pause_ms" in entries else 3_000,
        )

    def key_intents(self, node: Node) -> dict[str, str]:
        found = {}
        for key, intent in self.reader.mapping(node, "keys").items():
            if key not in PHONE_KEYS:
                self.reader.fault(intent, f"there is no key {key} on a telephone")
            found[key] = self.reader.text(intent, f"key {key}")
            self.check_intent(intent, found[key])
        return found

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
                say_as[value] = next(iter(self.say(prompt, "say_as")), "")
        return Slot(name, slot_type, choices, say_as)

    def faqs(self, node: Node) -> dict[str, Say]:
        reader = self.reader
        found = {}
        for name, say in reader.mapping(node, "faqs").items():
            if name not in self.known.faqs:
                reader.fault(say, f"unknown FAQ {name}{likely(name, self.known.faqs)}")
            found[name] = self.say(say, name)
        missing = sorted(self.known.faqs - set(found), key=lambda name: (len(name), name))
        if missing:
            reader.fault(node, f"no answer for {', '.join(missing)}")
        return found

    def dead_air(self, node: Node) -> tuple[int, Say]:
        entries = self.reader.mapping(node, "dead_air", ("after_ms", "say"))
        after = self.reader.whole(entries["after_ms"], "after_ms", 500, 3_000) if "after_ms" in entries else 2_500
        return after, self.say(entries["say"], "dead_air say") if "say" in entries else ()

    def timezone(self, node: Node) -> str:
        name = self.reader.text(node, "timezone")
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            self.reader.fault(node, f"unknown timezone {name}")
        return name

    def values(self, node: Node) -> dict[str, str]:
        found = {}
        for slot, value in self.reader.mapping(node, "set").items():
            if slot not in self.slots:
                self.reader.fault(value, f"unknown slot {slot}{likely(slot, self.slots)}")
                continue
            found[slot] = self.reader.text(value, f"slot {slot}")
            self.check_value(value, slot, found[slot])
        return found

    def check_value(self, node: Node, slot: str, value: str) -> None:
        spec = self.slots.get(slot)
        if spec is None:
            return
        allowed = tuple(spec.choices) if spec.type == "choice" else ("yes", "no") if spec.type == "yes_no" else ()
        if allowed and value not in allowed:
            self.reader.fault(node, f"slot {slot} has no value {value}{likely(value, allowed)}")

    # --- names ---

    def say(self, node: Node, what: str) -> Say:
        names = self.reader.texts(node, what)
        for name in names:
            self.check_prompt(node, name)
        return names

    def rungs(self, node: Node, what: str) -> tuple[Say, ...]:
        return tuple(self.say(item, what) for item in self.reader.items(node))

    def check_prompt(self, node: Node, name: str) -> None:
        if not name.startswith("{"):
            self.check_audio(node, name, "")
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

    def check_audio(self, node: Node, name: str, why: str) -> None:
        if name not in self.known.prompts:
            self.reader.fault(node, f"unknown prompt {name}{likely(name, self.known.prompts)}{why}")
        elif self.known.prompts[name] is None:
            self.reader.fault(node, f"prompt {name} has no audio{why}: run `pronto prompts build`")

    def check_intent(self, node: Node, name: str) -> None:
        known = self.known.intents | self.known.faqs
        if name not in known:
            self.reader.fault(node, f"unknown intent {name}{likely(name, known)}")

    def intents(self, node: Node, what: str) -> tuple[str, ...]:
        names = self.reader.texts(node, what)
        for name in names:
            self.check_intent(node, name)
        return names

    def state_name(self, node: Node, what: str) -> str:
        name = self.reader.text(node, what)
        if name and name not in self.states:
            self.reader.fault(node, f"unknown state {name} in {what}{likely(name, self.states)}")
        return name

    def slot_name(self, node: Node) -> str:
        name = self.reader.text(node, "slot")
        if name and name not in self.slots:
            self.reader.fault(node, f"unknown slot {name}{likely(name, self.slots)}")
        return name

    def counter_name(self, node: Node) -> str:
        name = self.reader.text(node, "count")
        if name and name not in self.counters:
            self.reader.fault(node, f"unknown counter {name}{likely(name, self.counters)}")
        return name
