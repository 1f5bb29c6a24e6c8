"""Refuses what may be unset when it is needed: which variables are known wherever a flow can be, on every way. Pure.

The known ones of a state are those that are known on all ways into it; a step adds what it sets, an answer its slot, a
condition what it asks for (`order.date is known`). What is said, asked and decided there may need no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dialogue.acting import SECRET, needed_texts
from dialogue.flow import Flow, State, Step, Wording
from dialogue.flow_checks import alternatives, own_steps
from dialogue.flow_yaml import Fault
from dialogue.offers import OPTIONS, known_with
from dialogue.values.judging import known_if, needs
from dialogue.values.templates import fields_of
from dialogue.values.value_types import ValueType
from dialogue.variables import scope_of

Knowledge = frozenset[str]


def check_known(flow: Flow, lines: Mapping[tuple[str, str], int]) -> list[Fault]:
    """The faults of a flow whose names are all known. `lines`: (state, text) -> where it stands."""
    walk = _Walk(flow, frozenset(name for name, variable in flow.variables.items() if variable.always))
    walk.set_by_steps = frozenset(name for step in _all_steps(flow) for name in (*step.set, *step.copy))
    walk.everything()
    return [
        Fault(
            _file(flow, state), lines.get((state, text)) or lines.get(("", text)) or _line(flow, state), state, reason
        )
        for state, text, reason in dict.fromkeys(walk.wanting)
    ]


def _all_steps(flow: Flow) -> Iterator[Step]:
    waiting = [*flow.everywhere.values(), flow.trouble.then, flow.too_long]
    for state in flow.states.values():
        waiting += own_steps(state)
        waiting += [escalation.then for escalation in (state.no_input, state.no_match) if escalation is not None]
    while waiting:
        step = waiting.pop()
        yield step
        waiting += alternatives(step)


def _file(flow: Flow, state: str) -> str:
    return (flow.states[state].file if state in flow.states else "") or flow.file


def _line(flow: Flow, state: str) -> int:
    return flow.states[state].line if state in flow.states else 1


@dataclass
class _Walk:
    """`known` of each state that was reached; `wanting` is what is needed and may be unset: state, text, reason."""

    flow: Flow
    always: Knowledge
    known: dict[str, Knowledge] = field(default_factory=dict)
    wanting: list[tuple[str, str, str]] = field(default_factory=list)
    set_by_steps: Knowledge = frozenset()
    _state: str = ""
    _reports: bool = False

    def everything(self) -> None:
        """Spreads what is known until nothing changes, then looks at every use."""
        waiting = [self.flow.start]
        self.known[self.flow.start] = self.always
        while waiting:
            state = self.flow.states[waiting.pop()]
            for target, known in self._leaving(state, self.known[state.name]):
                before = self.known.get(target)
                after = known if before is None else before & known
                if after != before:
                    self.known[target] = after
                    waiting.append(target)
        self._reports = True
        for name, known in self.known.items():
            list(self._leaving(self.flow.states[name], known))
        for run in self.flow.runs.values():
            for outcome, given in run.gives.items():
                known = self.known.get(f"{run.name}.done.{outcome}", frozenset(given))
                of = self.flow.states[run.states[0]].name if run.states else ""
                self.wanting += [(of, "", _gives(outcome, name)) for name in given if name not in known]
        self._state = ""
        if self.flow.turns is not None:
            for text in needed_texts(self.flow.turns):
                self._said((text,), self.always)
        asked_back = (band.say for band in self.flow.bands.values())
        for wording in (self.flow.dead_air, self.flow.transfer_failed, *self.flow.trouble.say, *asked_back):
            self._said(wording, self.always)

    def _leaving(self, state: State, known: Knowledge) -> Iterator[tuple[str, Knowledge]]:
        """Every way out of a state with what is known on it."""
        self._state = state.name
        known = self._with_fields(known)
        self._said(state.say, known)
        for wording in state.ask_again:
            self._said(wording, known)
        if state.goto:
            yield state.goto, known
        for step in state.choose:
            if step.when is not None:
                self._judged(step.when.text, needs(step.when.condition, known))
                yield from self._taken(step, known | self._told(step, True), is_judged=True)
                known |= self._told(step, False)
        if state.otherwise is not None:
            yield from self._taken(state.otherwise, known)
        if state.action:
            yield from self._acted(state, known)
        if state.listens:
            yield from self._answered(state, known)

    def _with_fields(self, known: Knowledge) -> Knowledge:
        """What slots that are known bring with them, where only callers fill them: a step may set a moment that has no
        day ("any_time")."""
        for slot in self.flow.slots.values():
            if slot.name in known and (slot.source or slot.name not in self.set_by_steps):
                known |= known_with(slot)
        return known

    def _acted(self, state: State, known: Knowledge) -> Iterator[tuple[str, Knowledge]]:
        """What an action gives is known after the outcome that it comes with."""
        action = self.flow.actions[state.action]
        for text in needed_texts(action):
            self._said((text,), known)
        self._said(state.filler, known)
        for outcome, step in state.outcomes.items():
            given = {one.name for one in action.gives if one.outcome == outcome and not one.optional}
            yield from self._taken(step, known | given)

    def _answered(self, state: State, known: Knowledge) -> Iterator[tuple[str, Knowledge]]:
        for step in state.answers.values():
            yield from self._taken(step, known)
        if state.slot:
            slot = self.flow.slots[state.slot]
            filled = known | known_with(slot)
            if slot.source:
                self._judged(state.name, frozenset({slot.source}) - known)
            if state.refused is not None:
                yield from self._taken(state.refused, known)
            if state.unasked is not None and state.unasked.when is not None:
                self._judged(state.unasked.when.text, needs(state.unasked.when.condition, known))
                yield from self._taken(state.unasked, known | self._told(state.unasked, True), is_judged=True)
            self._said(state.read_back, filled)
            for step in (*state.filled_as.values(), *((state.filled,) if state.filled else ())):
                yield from self._taken(step, filled)
        for name, step in state.also.items():
            yield from self._taken(step, known | known_with(self.flow.slots[name]))
        for escalation in (state.no_input, state.no_match):
            if escalation is not None:
                for wording in escalation.say:
                    self._said(wording, known)
                yield from self._taken(escalation.then, known)
        for intent, step in self.flow.everywhere.items():
            if intent not in state.answers:
                yield from self._taken(step, known)
        for wording in self.flow.faqs.values():
            self._said(wording, known)
        if self.flow.corrections is not None:
            self._said(self.flow.corrections.say, known | {"corrected"})
            self._said(self.flow.corrections.unread, known)
            for slot in self.flow.slots.values():
                if slot.corrected and slot.name in known:
                    yield slot.corrected, known
        # what may happen anywhere knows nothing of where it happened
        yield from self._taken(self.flow.trouble.then, self.always)
        yield from self._taken(self.flow.too_long, self.always)

    def _taken(self, step: Step, known: Knowledge, is_judged: bool = False) -> Iterator[tuple[str, Knowledge]]:
        if step.over is not None:
            yield from self._taken(step.over, known)
        if step.when is not None and not is_judged:
            self._judged(step.when.text, needs(step.when.condition, known))
            if step.otherwise is not None:
                yield from self._taken(step.otherwise, known | self._told(step, False))
            known |= self._told(step, True)
        if step.resume:  # what was known at that question is known again: it is the same flow
            self._judged(step.resume, frozenset({step.resume}) - known)
            if step.otherwise is not None:
                yield from self._taken(step.otherwise, known)
        self._said(tuple(text for text in step.set.values() if "{" in text), known)
        known = self._given(step, known)
        known -= {name for gone in step.empties for name in known if name == gone or name.startswith(f"{gone}.")}
        known |= frozenset(step.set)
        for name in (*step.set, *(() if step.forget else step.copy)):
            if name in self.flow.slots:
                known |= known_with(self.flow.slots[name])
        self._said(step.say, known)
        if step.goto:
            yield step.goto, known
        if step.restart:
            yield step.restart, self.always

    def _given(self, step: Step, known: Knowledge) -> Knowledge:
        """What is known where a sub-flow begins: nothing of its own but its inputs."""
        if not step.forget:
            for source in step.copy.values():
                if source.removesuffix(".count") not in known and self._reports:
                    self.wanting.append((self._state, "{" + source + "}", _reason(source)))
            return known | frozenset(step.copy)
        run = self.flow.runs[step.forget.removesuffix(".")]
        for target, source in step.copy.items():
            if source not in known and target not in run.optional and self._reports:
                self.wanting.append((self._state, "{" + source + "}", _reason(source)))
        inputs = {target for target, source in step.copy.items() if source in known or target not in run.optional}
        return frozenset(name for name in known if not name.startswith(step.forget)) | inputs

    def _told(self, step: Step, truth: bool) -> Knowledge:
        """What a step's condition tells to be known where it is true, or false; with a part of a slot all of it is."""
        told = known_if(step.when.condition, truth) if step.when is not None else frozenset()
        owners = [name if name in self.flow.slots else name.rpartition(".")[0] for name in told]
        return told.union(*(known_with(self.flow.slots[name]) for name in owners if name in self.flow.slots))

    def _said(self, wording: Wording, known: Knowledge) -> None:
        if self._reports:
            for entry in wording:
                for one in fields_of(entry) if "{" in entry else ():
                    owner = one.name.rpartition(".")[0]
                    is_known = one.name in known or one.name.startswith(SECRET) or self._are_options(one.name, known)
                    if not is_known and not (owner in known and self._is_list(owner)):
                        self.wanting.append((self._state, entry, _reason(one.name)))

    def _judged(self, text: str, wanting: Knowledge) -> None:
        if self._reports:
            self.wanting += [(self._state, text, _reason(name)) for name in sorted(wanting)]

    def _are_options(self, name: str, known: Knowledge) -> bool:
        """Whether a name is what there is to choose from, of a list that is there."""
        owner, _, last = name.rpartition(".")
        slot = self.flow.slots.get(owner)
        return slot is not None and last == OPTIONS and slot.source in known

    def _is_list(self, name: str) -> bool:
        kind: ValueType | None = scope_of(self.flow.slots, self.flow.variables).get(name)
        return kind is not None and kind.kind == "list"


def _gives(outcome: str, name: str) -> str:
    return f"gives {outcome}: {name} may be unset then: not every way to this outcome gives it a value"


def _reason(name: str) -> str:
    return f"{name} may be unset here: not every way that leads here gives it a value"
