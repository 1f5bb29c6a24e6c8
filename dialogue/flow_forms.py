"""Reads forms: a group of questions of which any may be answered in any turn. Pure.

states:
  about_house:
    form:
      zip_code: {say: ask_zip_code, recap: "Code postal {zip_code:digits}.", called: [code postal]}
      owner: {say: ask_owner, answers: {ok_proprio: {set: {owner: yes}}}, recap: ...}
      heating: {say: ask_heating, when: owner == yes, recap: ...}
    recap: {say: "Je récapitule.", question: "Est-ce exact ?", wrong: "Que dois-je corriger ?"}
    filled: goodbye_qualified

A form becomes states that there are anyway: one that chooses (the first question whose slot is missing, then the recap,
then what comes), one per question (`about_house.zip_code`), and the recap (`about_house.recap`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from yaml.nodes import MappingNode, Node

from dialogue.flow import Escalation, Form, Keypad, Member, Slot, State, Step, Variable, Wording
from dialogue.flow_names import Names
from dialogue.flow_steps import Parts
from dialogue.flow_yaml import Fault, line_of, line_of_key
from dialogue.values.conditions import Condition, IsKnown, Junction, Not, When
from dialogue.values.templates import BadTemplate, fields_of
from dialogue.values.value_types import ValueType

FORM_KEYS = ("form", "recap", "filled", "answers", "means", "listen", "no_input", "no_match")
MEMBER_KEYS = ("when", "recap", "called")
RECAP_KEYS = ("say", "question", "wrong", "no_match", "no_input", "listen")
RECAP = "recap"


@dataclass(frozen=True)
class Recapped:
    """The state of a recap, and what it says: before the values, after them, and when something is wrong."""

    state: State
    wordings: tuple[Wording, Wording, Wording]


class ReadsStates(Protocol):
    """What reads one state, with defaults of its own `within` a form."""

    parts: Parts
    no_input: Escalation | None
    no_match: Escalation | None

    def state(self, name: str, node: Node, member: Slot | None = None) -> State: ...

    def within(self, entries: Mapping[str, Node]) -> ReadsStates: ...


def names_of_forms(states: Mapping[str, Node]) -> frozenset[str]:
    """The names of the states that forms become, besides their own."""
    found: set[str] = set()
    for name, node in states.items():
        form = _entry(node, "form")
        for key, _ in form.value if isinstance(form, MappingNode) else ():
            found.add(f"{name}.{key.value}")
        if form is not None and _entry(node, "recap") is not None:
            found.add(f"{name}.{RECAP}")
    return frozenset(found)


def is_form(node: Node) -> bool:
    """Whether a state is a form."""
    return _entry(node, "form") is not None


def _entry(node: Node, name: str) -> Node | None:
    entries = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in entries if key.value == name), None)


class Forms:
    """Reads forms with what reads states; faults go to the reader of `names`."""

    def __init__(self, names: Names, states: ReadsStates) -> None:
        self.names = names
        self.reader = names.reader
        self.states = states

    def read(self, name: str, node: Node, has_corrections: bool) -> tuple[Form, list[State]] | None:
        """The form of a state, and the states that it becomes."""
        reader = self.reader
        entries = reader.mapping(node, "the form", FORM_KEYS)
        inner = self.states.within(entries)
        nodes = reader.mapping(entries["form"], "form")
        common = inner.parts.answers(entries["answers"], "answers") if "answers" in entries else {}
        means = inner.parts.means(entries["means"]) if "means" in entries else {}
        members: list[Member] = []
        states: list[State] = []
        for slot, entry in nodes.items():
            if slot not in self.names.slots:
                self.names.slot_name_of(entry, slot)
                continue
            reader.state = f"{name}.{slot}"
            state, member = self.member(name, self.names.slots[slot], entry, inner)
            states.append(replace(state, answers={**common, **state.answers}, means={**means, **state.means}))
            members.append(member)
        reader.state = name
        filled = inner.parts.step(entries["filled"], "filled") if "filled" in entries else None
        if filled is None:
            reader.fault(node, "a form needs filled: what comes once nothing is missing")
        else:
            inner.parts.must_lead_on(entries["filled"], filled, "filled")
        if not members:
            reader.fault(entries["form"], "a form needs questions: slot by slot")
        if filled is None or not members:
            return None
        after = filled
        recap: Recapped | None = None
        if "recap" in entries:
            if not has_corrections:
                reader.fault(entries["recap"], "a recap needs corrections: what is said of one")
            recap = self.recap(name, entries["recap"], members, filled, common, means)
            states.append(recap.state)
            after = Step(goto=recap.state.name)
        for entry in nodes.values():
            if "recap" in reader.keys(entry) and "recap" not in entries:
                reader.fault(entry, "recap of a question belongs to a form with a recap")
        router = State(
            name, line_of_key(node), (), choose=self.choices(name, members, states), otherwise=after, form=name
        )
        form = Form(name, tuple(members), filled, *(recap.wordings if recap else ((), (), ())))
        return form, [router, *states]

    def member(self, form: str, slot: Slot, node: Node, inner: ReadsStates) -> tuple[State, Member]:
        """One question of a form; steps that fill its slot, or skip it, and lead nowhere lead back to the form."""
        reader = self.reader
        entries = reader.mapping(node, f"form {slot.name}")
        name = f"{form}.{slot.name}"
        skipped = f"{name}.skipped"
        self.names.variables[skipped] = Variable(ValueType("yes_no"), "set")
        state = inner.state(name, node, slot)

        def onward(step: Step, fills: bool = False) -> Step:
            over = onward(step.over, fills) if step.over is not None else None
            otherwise = onward(step.otherwise, fills) if step.otherwise is not None else None
            leads = step.goto or step.ends or step.back or step.returns or step.restart or step.repeat or step.wait_ms
            values = {**step.set, skipped: "yes"} if step.skip else step.set
            goes_on = not leads and (fills or step.skip or slot.name in (*step.set, *step.copy))
            goto = form if goes_on else step.goto
            return replace(step, over=over, otherwise=otherwise, set=values, goto=goto, skip=False)

        state = replace(
            state,
            form=form,
            answers={intent: onward(step) for intent, step in state.answers.items()},
            filled=onward(state.filled or Step(), fills=True),
            filled_as={value: onward(step, fills=True) for value, step in state.filled_as.items()},
            refused=onward(state.refused) if state.refused is not None else None,
        )
        when = self.names.condition(entries["when"], "when") if "when" in entries else None
        called = reader.texts(entries["called"], "called") if "called" in entries else ()
        recap = self.names.say(entries["recap"], "recap") if "recap" in entries else ()
        return state, Member(slot.name, name, when, called, recap)

    def choices(self, form: str, members: list[Member], states: list[State]) -> tuple[Step, ...]:
        """For each question: it is asked when its slot is missing, was not skipped, and its condition is true."""
        steps = []
        for member, state in zip(members, states, strict=False):
            is_missing = Not(IsKnown(member.slot))
            parts: list[Condition] = [is_missing, *([Not(IsKnown(f"{member.state}.skipped"))] if _skips(state) else [])]
            text = f"{member.slot} is not known"
            if member.when is not None:
                parts.append(member.when.condition)
                text = f"{member.when.text} and {text}"
                self.names.lines.setdefault((form, text), state.line)
            condition = Junction("and", tuple(parts)) if len(parts) > 1 else is_missing
            steps.append(Step(goto=member.state, when=When(text, condition)))
        return tuple(steps)

    def recap(
        self,
        form: str,
        node: Node,
        members: list[Member],
        filled: Step,
        common: Mapping[str, Step],
        means: Mapping[str, str],
    ) -> Recapped:
        """The question whether all is right. It must say every value."""
        reader = self.reader
        entries = reader.mapping(node, RECAP, RECAP_KEYS)
        inner = self.states.within(entries)
        for key in ("question", "wrong"):
            if key not in entries:
                reader.fault(node, f"recap needs {key}")
        say = self.names.say(entries["say"], "say") if "say" in entries else ()
        question = self.names.say(entries["question"], "question") if "question" in entries else ()
        wrong = self.names.say(entries["wrong"], "wrong") if "wrong" in entries else ()
        for member in members:
            if not member.recap and not any(_names(entry, member.slot) for entry in (*say, *question)):
                reader.faults.append(
                    Fault(reader.file, line_of(node), form, f"the recap does not say {member.slot}: give it a recap")
                )
        state = State(
            f"{form}.{RECAP}",
            line_of(node),
            say + question,
            answers={**common, "yes": filled, "no": Step(say=wrong, ask=False)},
            means={key: meaning for key, meaning in means.items() if key not in ("yes", "no")},
            listening=inner.parts.listening,
            keypad=Keypad(inner.parts.keys),
            no_input=inner.no_input,
            no_match=inner.no_match,
            form=form,
        )
        for key in ("no_input", "no_match"):
            if getattr(state, key) is None and not self.names.subflow:
                reader.fault(node, f"recap needs {key}, here, in the form or in defaults")
        return Recapped(state, (say, question, wrong))


def _skips(state: State) -> bool:
    """Whether a question may be left without an answer."""
    waiting = [*state.answers.values(), *([state.refused] if state.refused else [])]
    while waiting:
        step = waiting.pop()
        if f"{state.name}.skipped" in step.set:
            return True
        waiting += [other for other in (step.over, step.otherwise) if other is not None]
    return False


def _names(entry: str, slot: str) -> bool:
    """Whether an entry of a wording says a slot, or a field of it."""
    try:
        return "{" in entry and any(field.name.partition(".")[0] == slot for field in fields_of(entry))
    except BadTemplate:
        return False
