"""Gives what a sub-flow names a name of its own within the flow that runs it: `ask` becomes `who.ask`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dialogue.flow import Action, Escalation, Form, Given, Member, Slot, State, Step, Variable, Wording
from dialogue.values.conditions import Comparison, Condition, IsKnown, Junction, Name, Not, OneOf, Sum, When
from dialogue.values.templates import BadTemplate, Field, parse_template


@dataclass(frozen=True)
class Renaming:
    """`prefix` goes before the names of `states`, of `owned` (slots, variables) and of all counters and actions; other
    names (facts of the call, states of the flow around) stay."""

    prefix: str
    states: frozenset[str]
    owned: frozenset[str]

    def state_name(self, name: str) -> str:
        return self.prefix + name if name in self.states else name

    def name(self, name: str) -> str:
        """A slot or variable, or a field of one."""
        parts = name.split(".")
        owners = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        return self.prefix + name if owners & self.owned else name

    def text(self, text: str) -> str:
        """A template; braces that are meant as such stay doubled."""
        if "{" not in text:
            return text
        try:
            parts = parse_template(text)
        except BadTemplate:
            return text
        return "".join(self._part(part) for part in parts)

    def _part(self, part: str | Field) -> str:
        if isinstance(part, str):
            return part.replace("{", "{{").replace("}", "}}")
        return f"{{{self.name(part.name)}{':' + part.form if part.form else ''}}}"

    def wording(self, wording: Wording) -> Wording:
        return tuple(map(self.text, wording))

    # --- parts of a flow ---

    def state(self, state: State) -> State:
        return replace(
            state,
            name=self.prefix + state.name,
            say=self.wording(state.say),
            ask_again=tuple(map(self.wording, state.ask_again)),
            answers={intent: self.step(step) for intent, step in state.answers.items()},
            slot=self.name(state.slot) if state.slot else "",
            read_back=self.wording(state.read_back),
            filled=self.maybe(state.filled),
            filled_as={value: self.step(step) for value, step in state.filled_as.items()},
            refused=self.maybe(state.refused),
            unasked=self.maybe(state.unasked),
            also={self.name(slot): self.step(step) for slot, step in state.also.items()},
            no_input=self.escalation(state.no_input),
            no_match=self.escalation(state.no_match),
            goto=self.state_name(state.goto),
            choose=tuple(map(self.step, state.choose)),
            otherwise=self.maybe(state.otherwise),
            action=self.prefix + state.action if state.action else "",
            outcomes={outcome: self.step(step) for outcome, step in state.outcomes.items()},
            filler=self.wording(state.filler),
            form=self.state_name(state.form),
        )

    def step(self, step: Step) -> Step:
        return replace(
            step,
            say=self.wording(step.say),
            goto=self.state_name(step.goto),
            set={self.name(name): self.text(value) for name, value in step.set.items()},
            empties=tuple(map(self.name, step.empties)),
            add={self.name(name): self.name(other) for name, other in step.add.items()},
            copy={self.name(name): self.name(source) for name, source in step.copy.items()},
            forget=self.prefix + step.forget if step.forget else "",
            count=self.prefix + step.count if step.count else "",
            over=self.maybe(step.over),
            when=self.when(step.when),
            otherwise=self.maybe(step.otherwise),
            restart=self.state_name(step.restart),
            keep=tuple(map(self.name, step.keep)),
        )

    def maybe(self, step: Step | None) -> Step | None:
        return self.step(step) if step is not None else None

    def escalation(self, escalation: Escalation | None) -> Escalation | None:
        if escalation is None:
            return None
        return replace(escalation, say=tuple(map(self.wording, escalation.say)), then=self.step(escalation.then))

    def when(self, when: When | None) -> When | None:
        return replace(when, condition=self.condition(when.condition)) if when is not None else None

    def condition(self, node: Condition) -> Condition:
        match node:
            case Name(name):
                return Name(self.name(name))
            case IsKnown(name):
                return IsKnown(self.name(name))
            case Sum(sign, left, right):
                return Sum(sign, self.condition(left), self.condition(right))
            case Comparison(sign, left, right):
                return Comparison(sign, self.condition(left), self.condition(right))
            case OneOf(left, of):
                return OneOf(self.condition(left), of)
            case Not(inner):
                return Not(self.condition(inner))
            case Junction(sign, parts):
                return Junction(sign, tuple(map(self.condition, parts)))
        return node

    def form(self, form: Form) -> Form:
        return replace(
            form,
            name=self.prefix + form.name,
            members=tuple(map(self.member, form.members)),
            filled=self.step(form.filled),
            say=self.wording(form.say),
            question=self.wording(form.question),
            wrong=self.wording(form.wrong),
        )

    def member(self, member: Member) -> Member:
        state, when = self.prefix + member.state, self.when(member.when)
        return replace(member, slot=self.name(member.slot), state=state, when=when, recap=self.wording(member.recap))

    def slot(self, slot: Slot) -> Slot:
        source = self.name(slot.source) if slot.source else ""
        return replace(slot, name=self.prefix + slot.name, corrected=self.state_name(slot.corrected), source=source)

    def action(self, action: Action) -> Action:
        return replace(
            action,
            name=self.prefix + action.name,
            url=self.text(action.url),
            headers={name: self.text(text) for name, text in action.headers.items()},
            query={name: self.text(text) for name, text in action.query.items()},
            body=self.body(action.body),
            gives=tuple(map(self.given, action.gives)),
            purpose=self.text(action.purpose),
            note=self.text(action.note),
            message=self.text(action.message),
            to=self.text(action.to),
        )

    def body(self, body: Any) -> Any:
        if isinstance(body, Mapping):
            return {key: self.body(value) for key, value in body.items()}
        if isinstance(body, tuple):
            return tuple(self.body(value) for value in body)
        return self.text(body) if isinstance(body, str) else body

    def given(self, given: Given) -> Given:
        return replace(given, name=self.name(given.name))

    def variables(self, variables: Mapping[str, Variable]) -> dict[str, Variable]:
        return {self.prefix + name: variable for name, variable in variables.items() if name in self.owned}
