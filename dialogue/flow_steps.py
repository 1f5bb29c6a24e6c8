"""Reads the parts that states are made of: steps, escalations, how to listen, keys. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode

import forms
from dialogue.flow import Band, Corrections, Escalation, Keypad, Listening, Step
from dialogue.flow_names import Names
from dialogue.flow_yaml import likely, line_of
from dialogue.values.templates import variable_alone
from dialogue.values.value_types import BadValue, fits, stored

STEP_KEYS = (
    "say", "goto", "transfer", "hangup", "outcome", "ask", "repeat", "wait_ms", "set", "count", "over",
    "when", "otherwise", "back", "restart", "keep", "skip", "done", "forget", "add",
    "resume", "return",
)  # fmt: skip
WAYS_OF_STEPS = ("goto", "transfer", "hangup", "repeat", "wait_ms", "back", "restart", "done", "resume", "return")
LADDER_KEYS = ("say", "retries", "then", "ask")
LISTEN_KEYS = (
    "eager_silence_ms", "commit_silence_ms", "whole_silence_ms", "open_silence_ms", "end_silence_ms",
    "max_utterance_ms", "barge_in", "barge_in_ms", "no_input_ms",
    "commit_confidence", "commit_recognition", "ending_recognition", "hints", "turn_model",
)  # fmt: skip
CORRECTION_KEYS = ("say", "unread")
BAND_KEYS = ("act", "ask", "say")
FILLER_KEYS = ("say", "after_ms")
KEYPAD_KEYS = ("keys", "digits", "end", "pause_ms")
PHONE_KEYS = tuple("0123456789*#")


class Parts:
    """Reads parts with the `listening` and `keys` that the file gives as defaults."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.reader = names.reader
        self.listening = Listening()
        self.keys: dict[str, str] = {}

    def extension(self, node: Node) -> str:
        """The dialplan extension that a caller is handed over to."""
        why = "no extension: letters, digits and + * # _ - only, 40 at most"
        return self.reader.form(node, "transfer", forms.is_extension, why)

    def step(self, node: Node, what: str, is_choice: bool = False) -> Step:
        """`name` alone means goto. Of a `choose`, what is done otherwise stands beside the steps."""
        reader = self.reader
        if isinstance(node, ScalarNode):
            return Step(goto=self.names.state_name(node, what))
        entries = reader.mapping(node, what, STEP_KEYS)
        values = self.values(entries["set"]) if "set" in entries else {}
        sources = {name: source for name, text in values.items() if (source := variable_alone(text)) is not None}
        step = Step(
            say=self.names.say(entries["say"], "say") if "say" in entries else (),
            goto=self.names.state_name(entries["goto"], "goto")
            if "goto" in entries
            else self.names.done(entries["done"])
            if "done" in entries
            else "",
            transfer=self.extension(entries["transfer"]) if "transfer" in entries else "",
            hangup=reader.flag(entries["hangup"], "hangup") if "hangup" in entries else False,
            outcome=reader.text(entries["outcome"], "outcome") if "outcome" in entries else "",
            ask=reader.flag(entries["ask"], "ask") if "ask" in entries else True,
            repeat=reader.flag(entries["repeat"], "repeat") if "repeat" in entries else False,
            wait_ms=reader.whole(entries["wait_ms"], "wait_ms", 1_000, 60_000) if "wait_ms" in entries else 0,
            set={name: text for name, text in values.items() if name not in sources},
            copy=sources,
            count=self.names.counter_name(entries["count"]) if "count" in entries else "",
            over=self.step(entries["over"], "over") if "over" in entries else None,
            when=self.names.condition(entries["when"], "when") if "when" in entries else None,
            otherwise=self.step(entries["otherwise"], "otherwise") if "otherwise" in entries else None,
            back=reader.flag(entries["back"], "back") if "back" in entries else False,
            returns=reader.flag(entries["return"], "return") if "return" in entries else False,
            restart=self.names.state_name(entries["restart"], "restart") if "restart" in entries else "",
            keep=self.kept(entries["keep"]) if "keep" in entries else (),
            skip=reader.flag(entries["skip"], "skip") if "skip" in entries else False,
            resume=self.resumed(entries["resume"]) if "resume" in entries else "",
            empties=self.kept(entries["forget"], "forget") if "forget" in entries else (),
            add=self.added(entries["add"]) if "add" in entries else {},
        )
        ways = [key for key in (*WAYS_OF_STEPS, "skip") if key in entries]
        if len(ways) > 1:
            reader.fault(entries[ways[1]], f"{what} cannot have both {ways[0]} and {ways[1]}")
        if ("count" in entries) != ("over" in entries):
            reader.fault(node, f"{what}: count and over belong together")
        if "resume" in entries:
            if "otherwise" not in entries:
                reader.fault(node, f"{what}: resume needs otherwise: what is done when it does not fit")
            elif "when" in entries:
                reader.fault(entries["when"], f"{what}: resume cannot have when: ask before")
        elif ("when" in entries) != ("otherwise" in entries) and not is_choice:
            reader.fault(node, f"{what}: when and otherwise belong together")
        if step.keep and not step.restart:
            reader.fault(entries["keep"], f"{what}: keep belongs to restart")
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
        """Intent -> step."""
        found = {}
        for intent, step in self.reader.mapping(node, what).items():
            self.names.check_intent(step, intent)
            found[intent] = self.step(step, f"{what} {intent}")
        return found

    def means(self, node: Node) -> dict[str, str]:
        """Intent -> the intent that it stands for here."""
        found = {}
        for intent, meaning in self.reader.mapping(node, "means").items():
            self.names.check_intent(meaning, intent)
            found[intent] = self.reader.text(meaning, f"means {intent}")
            self.names.check_intent(meaning, found[intent])
        return found

    def escalation(self, node: Node, what: str) -> Escalation:
        """What is said step by step, and what then."""
        reader = self.reader
        entries = reader.mapping(node, what, LADDER_KEYS)
        say = self.names.wordings(entries["say"], f"{what} say") if "say" in entries else ()
        if "then" not in entries:
            reader.fault(node, f"{what} needs then: what comes after the last step")
        then = self.step(entries["then"], f"{what} then") if "then" in entries else Step(hangup=True, outcome=what)
        if not (then.goto or then.ends):  # `done` is a goto
            reader.fault(node, f"{what} then must lead to a state, transfer or hang up")
        ask = reader.flag(entries["ask"], f"{what} ask") if "ask" in entries else True
        if not say and not ask:
            reader.fault(node, f"{what} says nothing")
        retries = reader.whole(entries["retries"], f"{what} retries", 0, 10) if "retries" in entries else len(say)
        return Escalation(say, retries, then, ask)

    def listen(self, node: Node) -> Listening:
        """How to listen; what is not given is as in the defaults."""
        reader = self.reader
        entries = reader.mapping(node, "listen", LISTEN_KEYS)
        bounds = {
            "eager_silence_ms": (60, 2_000),
            "commit_silence_ms": (0, 5_000),
            "whole_silence_ms": (60, 5_000),
            "open_silence_ms": (60, 5_000),
            "end_silence_ms": (150, 5_000),
            "max_utterance_ms": (1_000, 60_000),
            "barge_in_ms": (60, 2_000),
            "no_input_ms": (1_000, 60_000),
        }
        wholes = {k: reader.whole(entries[k], k, low, high) for k, (low, high) in bounds.items() if k in entries}
        shares = ("commit_confidence", "commit_recognition", "ending_recognition")
        numbers = {key: reader.number(entries[key], key, 0.0, 1.01) for key in shares if key in entries}
        read = replace(self.listening, **wholes, **numbers)  # type: ignore[arg-type]
        for key in ("barge_in", "turn_model"):
            if key in entries:
                read = replace(read, **{key: reader.flag(entries[key], key)})  # type: ignore[arg-type]
        if "hints" in entries:
            read = replace(read, hints=reader.texts(entries["hints"], "hints"))
        for key in ("eager_silence_ms", "commit_silence_ms", "whole_silence_ms", "open_silence_ms"):
            if getattr(read, key) > read.end_silence_ms:
                reader.fault(node, f"{key} must not be above end_silence_ms")
        return read

    def keypad(self, node: Node) -> Keypad:
        """What keys mean."""
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
        """Key -> intent."""
        found = {}
        for key, intent in self.reader.mapping(node, "keys").items():
            if key not in PHONE_KEYS:
                self.reader.fault(intent, f"there is no key {key} on a telephone")
            found[key] = self.reader.text(intent, f"key {key}")
            self.names.check_intent(intent, found[key])
        return found

    def values(self, node: Node) -> dict[str, str]:
        """Slot or variable -> value."""
        found = {}
        for slot, value in self.reader.mapping(node, "set").items():
            text = str(value.value) if isinstance(value, ScalarNode) else ""
            if (source := variable_alone(text)) is not None:
                found[slot] = text
                self.check_copy(value, slot, source)
                continue
            if slot in self.names.variables:
                found[slot] = self.variable_value(value, slot)
                continue
            if slot not in self.names.slots:
                known = [*self.names.slots, *self.names.variables]
                self.reader.fault(value, f"unknown slot {slot}{likely(slot, known)}")
                continue
            if self.names.slots[slot].source:
                self.reader.fault(value, f"slot {slot} is chosen from a list: no step sets it")
            found[slot] = self.reader.text(value, f"slot {slot}")
            if "{" in found[slot]:
                self.names.check_text(value, found[slot])
                self.names.lines.setdefault((self.reader.state, found[slot]), line_of(value))
            else:
                self.names.check_value(value, slot, found[slot])
        return found

    def check_copy(self, node: Node, name: str, source: str) -> None:
        """Whether a slot or variable can be given the value of another variable."""
        names = self.names
        variable = names.variables.get(name)
        if variable is None and name not in names.slots:
            known = [*names.slots, *names.variables]
            self.reader.fault(node, f"unknown slot {name}{likely(name, known)}")
            return
        if (variable is not None and variable.origin != "set") or (name in names.slots and names.slots[name].source):
            self.reader.fault(node, f"{name} is no slot or variable that steps set")
        names.check_text(node, "{" + source + "}")
        of, wanted = names.scope.get(source), names.scope[name]
        if of is not None and not fits(of, wanted):
            self.reader.fault(node, f"{name} is a {wanted}, {source} a {of}")
        names.lines.setdefault((self.reader.state, "{" + source + "}"), line_of(node))

    def variable_value(self, node: Node, name: str) -> str:
        """The value that a step gives a variable."""
        variable = self.names.variables[name]
        if variable.origin != "set":
            self.reader.fault(node, f"{name} is no variable that steps set: it is a {variable.origin}")
            return ""
        text = self.reader.text(node, name)
        if variable.type.kind == "list":
            self.reader.fault(node, f"{name} is a list: add to it")
            return ""
        if "{" in text:
            self.names.check_text(node, text)
            self.names.lines.setdefault((self.reader.state, text), line_of(node))
            return text
        try:
            return stored(variable.type, text, self.names.where)
        except BadValue as error:
            self.reader.fault(node, f"variable {name} {error}")
            return ""

    def choices(self, node: Node) -> tuple[Step, ...]:
        """The steps of a `choose`, of which the first whose `when` is true is taken."""
        found = []
        for item in self.reader.items(node):
            step = self.step(item, "choose", is_choice=True)
            if step.when is None and isinstance(item, MappingNode) and "when" not in self.reader.keys(item):
                self.reader.fault(item, "each step of choose needs when")
            self.must_lead_on(item, step, "a step of choose")
            found.append(step)
        return tuple(found)

    def added(self, node: Node) -> dict[str, str]:
        """List -> the list whose records are put behind its own."""
        found = {}
        lists = {name: kind.fields for name, kind in self.names.scope.items() if kind.kind == "list"}
        for name, other in self.reader.mapping(node, "add").items():
            found[name] = self.reader.text(other, "add")
            variable = self.names.variables.get(name)
            if variable is None or variable.origin != "set" or variable.type.kind != "list":
                self.reader.fault(other, f"{name} is no list of `variables`{likely(name, lists)}")
            elif found[name] not in lists:
                self.reader.fault(other, f"no list {found[name]}{likely(found[name], lists)}")
            elif any(lists[found[name]].get(field) != kind for field, kind in variable.type.fields.items()):
                self.reader.fault(other, f"{found[name]} has not the fields of {name}")
        return found

    def kept(self, node: Node, what: str = "keep") -> tuple[str, ...]:
        """Slots and variables that a restart does not forget, or that a step empties."""
        names = self.reader.texts(node, what)
        known = [*self.names.slots, *self.names.variables]
        for name in names:
            if name not in known:
                self.reader.fault(node, f"unknown slot or variable {name}{likely(name, known)}")
        return names

    def resumed(self, node: Node) -> str:
        """The variable that holds an earlier conversation."""
        name = self.reader.text(node, "resume")
        kind = self.names.scope.get(name)
        if kind is None or kind.kind != "conversation":
            others = [other for other, one in self.names.scope.items() if one.kind == "conversation"]
            self.reader.fault(node, f"resume names a variable of the type conversation{likely(name, others)}")
        elif self.names.subflow:
            self.reader.fault(node, "a sub-flow resumes nothing: the flow does")
        self.names.lines.setdefault((self.reader.state, name), line_of(node))
        return name

    def corrections(self, node: Node) -> Corrections | None:
        """What is said of a correction."""
        entries = self.reader.mapping(node, "corrections", CORRECTION_KEYS)
        missing = [key for key in CORRECTION_KEYS if key not in entries]
        if missing:
            self.reader.fault(node, f"corrections needs {' and '.join(missing)}")
            return None
        return Corrections(*(self.names.say(entries[key], key) for key in CORRECTION_KEYS))

    def bands(self, node: Node) -> dict[str, Band]:
        """How sure intents must be, and what is asked when they are less sure."""
        reader, found = self.reader, {}
        for intent, entry in reader.mapping(node, "bands").items():
            self.names.check_intent(entry, intent)
            entries = reader.mapping(entry, f"band {intent}", BAND_KEYS)
            if missing := [key for key in ("act", "say") if key not in entries]:
                reader.fault(entry, f"band {intent} needs {' and '.join(missing)}")
                continue
            act = reader.number(entries["act"], "act", 0.0, 1.01)
            ask = reader.number(entries["ask"], "ask", 0.0, 1.0) if "ask" in entries else 0.0
            if ask >= act:
                reader.fault(entry, f"band {intent}: ask is less than act")
            found[intent] = Band(act, self.names.say(entries["say"], "say"), ask)
        return found

    def filler(self, node: Node) -> dict[str, Any]:
        """What is said when an answer takes long: a wording, or `say` and `after_ms`."""
        if not isinstance(node, MappingNode):
            return {"filler": self.names.say(node, "filler")}
        entries = self.reader.mapping(node, "filler", FILLER_KEYS)
        if "say" not in entries:
            self.reader.fault(node, "filler needs say")
            return {}
        after = self.reader.whole(entries["after_ms"], "after_ms", 200, 5_000) if "after_ms" in entries else 700
        return {"filler": self.names.say(entries["say"], "filler say"), "filler_ms": after}

    def must_lead_on(self, node: Node, step: Step, what: str) -> None:
        """A step that cannot stay where it is, as nobody was asked anything there."""
        steps = [step, *(other for other in (step.over, step.otherwise) if other is not None)]
        if any(not (each.goto or each.ends or each.resume or each.returns) for each in steps):
            self.reader.fault(node, f"{what} must lead to a state, transfer or hang up")
