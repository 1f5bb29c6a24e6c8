"""Checks what leads where in a flow: every state can be reached, can end, and nothing goes round in silence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dialogue.flow import Escalation, Flow, State, Step
from dialogue.flow_yaml import Fault


def check_shape(flow: Flow) -> list[Fault]:
    """The faults of a flow whose names are all known."""
    faults = [*_unreachable(flow), *_endless(flow), *_circling(flow), *_returning_to_nothing(flow)]
    for what, step in (("too_long", flow.too_long), ("trouble then", flow.trouble.then)):
        if not _ends_without_listening(flow, step):
            faults.append(Fault(flow.file, 1, "", f"{what} must lead to the end of the call without asking anything"))
    return faults


def exits(flow: Flow, state: State) -> Iterator[tuple[str, Step]]:
    """Every step that a state can take, with its reason: an intent, `filled`, `no_input`, `no_match`, `too_long` ..."""
    for step in state.choose:
        yield step.when.text if step.when else "", step
    yield from state.outcomes.items()
    if state.otherwise is not None:
        yield "otherwise", state.otherwise
    if not state.listens:
        return
    yield from state.answers.items()
    if state.filled is not None:
        yield "filled", state.filled
    for value, step in state.filled_as.items():
        yield f"filled {value}", step
    if state.refused is not None:
        yield "refused", state.refused
    if state.unasked is not None:
        yield "unasked", state.unasked
    yield from ((f"also {slot}", step) for slot, step in state.also.items())
    escalations: tuple[tuple[str, Escalation | None], ...] = (
        ("no_input", state.no_input),
        ("no_match", state.no_match),
    )
    for what, escalation in escalations:
        if escalation is not None:
            yield what, escalation.then
    for intent, step in flow.everywhere.items():
        if intent not in state.answers:
            yield intent, step
    yield "trouble", flow.trouble.then
    yield "too_long", flow.too_long


def destinations(step: Step) -> Iterator[str]:
    """The states that a step can lead to, also over its counter's limit and where its condition is not true."""
    if step.goto or step.restart:
        yield step.goto or step.restart
    for other in alternatives(step):
        yield from destinations(other)


def alternatives(step: Step) -> tuple[Step, ...]:
    """What may be done instead of a step."""
    return tuple(other for other in (step.over, step.otherwise) if other is not None)


def own_steps(state: State) -> list[Step]:
    """The steps of the state itself: without what is offered everywhere, and on silence."""
    steps = [
        *state.answers.values(),
        *state.also.values(),
        *state.filled_as.values(),
        *state.choose,
        *state.outcomes.values(),
    ]
    return steps + [step for step in (state.filled, state.refused, state.unasked, state.otherwise) if step is not None]


def skips(step: Step) -> bool:
    """Whether a step, or what may be done instead of it, leaves a question of a form without an answer."""
    return step.skip or any(skips(other) for other in alternatives(step))


def returns(step: Step) -> bool:
    """Whether a step, or what may be done instead of it, returns to the question that was open."""
    return step.returns or any(returns(other) for other in alternatives(step))


def ends(step: Step) -> bool:
    """Whether a step, or what may be done instead of it, ends the call by itself."""
    return step.ends or any(ends(other) for other in alternatives(step))


def next_states(flow: Flow, state: State) -> set[str]:
    """The states that can follow a state."""
    if state.goto:
        return {state.goto}
    return {name for _, step in exits(flow, state) for name in destinations(step)}


def _unreachable(flow: Flow) -> list[Fault]:
    graph = {name: next_states(flow, state) for name, state in flow.states.items()}
    reached = _closure(graph, [flow.start, *filter(None, [flow.adviser_away])])
    return [
        Fault(state.file or flow.file, state.line, name, "unreachable: nothing leads here")
        for name, state in flow.states.items()
        if name not in reached
    ]


def _endless(flow: Flow) -> list[Fault]:
    """States from which answers lead to no end; what is offered everywhere, or on silence, does not count."""
    back: dict[str, set[str]] = {name: set() for name in flow.states}
    ending = []
    for name, state in flow.states.items():
        own = own_steps(state)
        for follower in {state.goto} if state.goto else {to for step in own for to in destinations(step)}:
            back[follower].add(name)
        if state.transfer or state.hangup or any(ends(step) or returns(step) for step in own):
            ending.append(name)
    can_end = _closure(back, ending)
    return [
        Fault(state.file or flow.file, state.line, name, "cannot end: no way leads from here to a transfer or hang-up")
        for name, state in flow.states.items()
        if name not in can_end
    ]


def _circling(flow: Flow) -> list[Fault]:
    """States that only pass on and come back to themselves without asking anything."""
    graph = {name: _silently(flow, state) for name, state in flow.states.items()}
    return [
        Fault(state.file or flow.file, state.line, name, "goes round for ever: goto leads back here")
        for name, state in flow.states.items()
        if name in _closure(graph, graph[name])
    ]


def _returning_to_nothing(flow: Flow) -> list[Fault]:
    """States that return to an open question and can come before any was asked."""
    first = _closure({name: _silently(flow, state) for name, state in flow.states.items()}, [flow.start])
    return [
        Fault(state.file or flow.file, state.line, name, "returns to no question: none was asked before")
        for name, state in flow.states.items()
        if name in first and not state.listens and any(returns(step) for step in own_steps(state))
    ]


def _silently(flow: Flow, state: State) -> set[str]:
    """The states that can follow before anybody is asked; what is counted comes to an end."""
    if state.listens:  # with nothing to choose from it is not asked; a question that is skipped does not come again
        refused = state.refused
        passes_on = refused is not None and not refused.count and f"{state.name}.skipped" not in refused.set
        past = set(destinations(state.unasked)) if state.unasked is not None else set()
        return past | (set(destinations(refused)) if refused is not None and passes_on else set())
    return {state.goto} - {""} | {
        to for _, step in exits(flow, state) for one in _in_turn(step) if not one.count for to in {one.goto} - {""}
    }


def _in_turn(step: Step) -> Iterator[Step]:
    yield step
    for other in alternatives(step):
        yield from _in_turn(other)


def _ends_without_listening(flow: Flow, step: Step) -> bool:
    """Whether a step, also its alternatives, comes to an end through states that merely pass on."""
    if not all(_ends_without_listening(flow, other) for other in alternatives(step)):
        return False
    if step.ends:
        return True
    seen: set[str] = set()
    name = step.goto
    while name and name not in seen:
        seen.add(name)
        state = flow.states[name]
        if state.transfer or state.hangup:
            return True
        name = state.goto
    return False


def _closure(graph: Mapping[str, set[str]], begin: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(begin)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(graph[name])
    return reached
