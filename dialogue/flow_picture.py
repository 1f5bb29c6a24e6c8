"""Draws a flow as an SVG picture: questions from top to bottom, ends on the right, what is said anywhere below. Pure.

Own layout: the rank of a question is its distance from the start; an end stands beside the questions that lead to it.
Every arrow that enters an end has its own height there, with its label in front, so that labels never overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from dialogue.flow import Action, Flow, Form, State, SubFlowRun
from dialogue.flow_checks import destinations, exits, own_steps, returns

BOX_W, LINE_H, GAP = 290, 15, 24
MARGIN, LABEL_W = 70, 360
WITHIN_FORM = 10
BACK = ": back to the open question"
MOST_IN_BOX, MOST_ON_ARROW = 46, 52  # characters
STYLE = (
    "text{font:12px sans-serif;fill:#222}.name{font-weight:bold}.small{font-size:11px;fill:#555}"
    ".ask{fill:#e8f1fb;stroke:#3b73b9}.end{fill:#fbeee8;stroke:#b9663b}.good{fill:#e9f7e9;stroke:#3c8f3c}"
    ".act{fill:#f3eafb;stroke:#7a4bb9}.choose{fill:#fdf8e1;stroke:#b59a2b}"
    ".form{fill:#f2f7fd;stroke:#3b73b9;stroke-width:1.5}"
    ".run{fill:#f7f7ee;stroke:#8a8a5b;stroke-dasharray:6 3}"
    ".any{fill:#f5f5f5;stroke:#999;stroke-dasharray:4 3}path{fill:none;stroke:#666}"
)
ANYWHERE = "anywhere"


@dataclass(frozen=True)
class Box:
    """A drawn state: its place and its lines of text."""

    name: str
    kind: str
    x: float
    y: float
    height: float
    lines: tuple[str, ...]

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def picture(flow: Flow) -> str:
    """The SVG text."""
    asking = _with_forms_together(flow, _ranked(flow))
    ends = [name for name, state in flow.states.items() if name not in asking]
    arrows = _arrows(flow)
    boxes: dict[str, Box] = {}
    y = 50.0
    for number, name in enumerate(asking):
        below = asking[number + 1] if number + 1 < len(asking) else ""
        past = {to: label for (begin, to), label in arrows.items() if begin == name and to in asking and to != below}
        lines = (*_lines(flow, flow.states[name]), *(_leads(label, to) for to, label in past.items()))
        state = flow.states[name]
        kind = "act" if state.action else "choose" if state.choose and not state.form else "ask"
        kind = "choose" if state.otherwise is not None and not (state.form or state.action) else kind
        boxes[name] = Box(name, kind, MARGIN, y, 34 + LINE_H * len(lines), lines)
        is_within = flow.states[name].form and name != _last_of_form(flow, flow.states[name].form)
        y += boxes[name].height + (WITHIN_FORM if is_within else 46)
    back = [_leads(label, to) for (begin, to), label in arrows.items() if begin == ANYWHERE and to in asking]
    lines = ("in every question, unless it answers itself", *back)
    boxes[ANYWHERE] = Box(ANYWHERE, "any", MARGIN, y, 34 + LINE_H * len(lines), lines)
    entering: dict[str, list[str]] = {name: [begin for begin, to in arrows if to == name] for name in ends}
    order = sorted(ends, key=lambda name: _mean([boxes[begin].middle for begin in entering[name]]))
    place = 50.0
    for name in order:
        height = max(40.0, LINE_H * len(entering[name]) + 16)
        wanted = _mean([boxes[begin].middle for begin in entering[name]]) - height / 2
        place = max(place, min(wanted, place + 30))
        state = flow.states[name]
        kind = "good" if name in _straight_ends(flow) else "end"
        boxes[name] = Box(name, kind, MARGIN + BOX_W + LABEL_W, place, height, (_ending(state),))
        place += height + GAP
    height = max(place, y + boxes[ANYWHERE].height + 20)
    width = MARGIN + BOX_W + LABEL_W + BOX_W + 30
    drawn = [_arrow(boxes, begin, end, label, arrows) for (begin, end), label in arrows.items()]
    drawn += [_box(box) for box in boxes.values()]
    title = f'<text x="{MARGIN}" y="28" class="name">{escape(flow.language)}/{escape(flow.name)}</text>'
    version = f'<text x="{MARGIN + 200}" y="28" class="small">version {flow.version} {flow.edited_at}</text>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}">',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0,0 L8,4 L0,8 z" style="fill:#666"/></marker></defs>',
            f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
            title + version,
            *[_ground("run", 16, [boxes[name] for name in _of_run(flow, run)]) for run in flow.runs.values()],
            *[_ground("form", 8, [boxes[name] for name in _of_form(form)]) for form in flow.forms.values()],
            *drawn,
            "</svg>\n",
        ]
    )


def _with_forms_together(flow: Flow, ranked: list[str]) -> list[str]:
    """The same order, with the questions of a form below each other, in the order in which they are asked."""
    found: list[str] = []
    for name in ranked:
        form = flow.forms.get(flow.states[name].form)
        if form is None:
            found.append(name)
        elif form.name not in found:
            found += _of_form(form)
    for run in sorted(flow.runs.values(), key=lambda run: run.name.count("."), reverse=True):  # inner ones first
        found = _together(found, _of_run(flow, run))
    return found


def _together(names: list[str], group: list[str]) -> list[str]:
    """The same names with those of a group side by side, where its first one stands."""
    of = set(group)
    at = names.index(group[0])
    inside = sorted((name for name in names if name in of), key=lambda name: (name != group[0], ".done." in name))
    before, after = ([name for name in part if name not in of] for part in (names[:at], names[at:]))
    return [*before, *inside, *after]


def _of_form(form: Form) -> list[str]:
    """The states of a form, as they are drawn."""
    return [form.name, *(member.state for member in form.members), *([form.recap] if form.recap else [])]


def _of_run(flow: Flow, run: SubFlowRun) -> list[str]:
    """The states of a sub-flow that are drawn with it; those that end the call stand with the other ends."""
    names = [run.name, *run.states, *(f"{run.name}.done.{outcome}" for outcome in run.gives)]
    return [name for name in names if not (flow.states[name].transfer or flow.states[name].hangup)]


def _last_of_form(flow: Flow, name: str) -> str:
    return _of_form(flow.forms[name])[-1]


def _ground(kind: str, margin: int, boxes: list[Box]) -> str:
    """What the questions of a form, or the states of a sub-flow, stand on."""
    top, bottom = min(box.y for box in boxes) - margin, max(box.y + box.height for box in boxes) + margin
    x, width = boxes[0].x - margin, BOX_W + 2 * margin
    return f'<rect class="{kind}" x="{x:g}" y="{top:g}" width="{width:g}" height="{bottom - top:g}" rx="9"/>'


def _ranked(flow: Flow) -> list[str]:
    """States that ask or pass on, by distance from the start."""
    distance = {name: 0 for name in (flow.start, flow.adviser_away) if name}
    waiting = list(distance)
    while waiting:
        name = waiting.pop(0)
        for to in _own(flow.states[name]):
            if to not in distance:
                distance[to] = distance[name] + 1
                waiting.append(to)
    far = len(flow.states)
    moving = [
        name
        for name, state in flow.states.items()
        if state.listens or state.goto or state.choose or state.action or state.otherwise
    ]
    return sorted(moving, key=lambda name: distance.get(name, far))


def _own(state: State) -> list[str]:
    return [state.goto] if state.goto else [to for step in own_steps(state) for to in destinations(step)]


def _arrows(flow: Flow) -> dict[tuple[str, str], str]:
    """(from, to) -> label. What every question has leads from `anywhere`, once."""
    labels: dict[tuple[str, str], list[str]] = {}
    asking = [state for state in flow.states.values() if state.listens]
    common = {
        (reason, to)
        for state in asking
        for reason, step in exits(flow, state)
        for to in destinations(step)
        if all((reason, to) in _pairs(flow, other) or reason in other.answers for other in asking)
        and reason not in state.answers
    }
    for reason, to in sorted(common):
        labels.setdefault((ANYWHERE, to), []).append(reason)
    for state in flow.states.values():
        if state.goto:
            labels.setdefault((state.name, state.goto), []).append("")
        for reason, step in exits(flow, state):
            own = reason in state.answers or bool(state.choose or state.action) or (reason, "") == ("filled", "")
            for to in destinations(step):
                if to != state.name and not _stay_in_form(flow, state, to) and (own or (reason, to) not in common):
                    if state.otherwise is not None and not state.choose and not state.action:
                        reason = ""  # it merely passes on
                    over = " (over limit)" if step.count and to != step.goto else ""
                    over = " (otherwise)" if step.otherwise and to != step.goto and not state.choose else over
                    labels.setdefault((state.name, to), []).append(reason + over)
    for form in flow.forms.values():
        _join_form(form, labels)
    return {pair: ", ".join(dict.fromkeys(reasons)) for pair, reasons in labels.items() if reasons}


def _join_form(form: Form, labels: dict[tuple[str, str], list[str]]) -> None:
    """What every question of a form has leads from the form, once."""
    within = [*(member.state for member in form.members), *([form.recap] if form.recap else [])]
    for to in {end for begin, end in labels if begin in within}:
        each = [labels.get((name, to), []) for name in within]
        for reason in [reason for reason in dict.fromkeys(each[0]) if all(reason in reasons for reasons in each)]:
            for reasons in each:
                reasons[:] = [other for other in reasons if other != reason]
            labels.setdefault((form.name, to), []).append(reason)


def _stay_in_form(flow: Flow, state: State, to: str) -> bool:
    return bool(state.form) and flow.states[to].form == state.form


def _pairs(flow: Flow, state: State) -> set[tuple[str, str]]:
    return {(reason, to) for reason, step in exits(flow, state) for to in destinations(step)}


def _lines(flow: Flow, state: State) -> tuple[str, ...]:
    lines = ["says " + ", ".join(state.say)] if state.say else []
    if state.action:
        action = flow.actions[state.action]
        lines.append(f"{_asks(action)}: {action.name}")
        if state.filler:
            lines.append(f"after {state.filler_ms} ms says " + ", ".join(state.filler))
    if state.is_form:
        return ("a form: any of it may be answered any time,", "what is missing is asked in this order")
    if state.name in flow.runs:
        return (f"runs the sub-flow {flow.runs[state.name].subflow} ({flow.runs[state.name].file.rpartition('/')[2]})",)
    if ".done." in state.name:
        return (f"outcome {state.name.rpartition('.')[2]}",)
    form = flow.forms.get(state.form)
    if form is not None and state.name == form.recap:
        lines = ["reads all back; anything can be corrected"]
    member = form.member(state.name) if form is not None else None
    if member is not None and member.when is not None:
        lines.append(f"asked when {member.when.text}")
    if state.choose:
        lines.append(f"chooses by {len(state.choose)} condition{'s' if len(state.choose) > 1 else ''}")
    if state.slot:
        confirmed = ", read back" if state.read_back else ""
        if state.read_back and state.read_back_below <= 1:
            confirmed = f", read back < {state.read_back_below:g}"
        keypad = f", {state.keypad.digits} keys" if state.keypad.digits else ""
        lines.append(f"fills {state.slot} ({flow.slots[state.slot].type}{confirmed}{keypad})")
    back = [reason for reason, step in exits(flow, state) if returns(step) and step in own_steps(state)]
    if back:
        lines.append(f"{_cut(', '.join(back), MOST_IN_BOX - len(BACK))}{BACK}")
    stays = [intent for intent, step in state.answers.items() if not (step.goto or step.ends or step.returns)]
    if stays:
        lines.append("answers and asks again: " + ", ".join(stays))
    return tuple(_cut(line, MOST_IN_BOX) for line in lines)


def _asks(action: Action) -> str:
    """What an action does, in a word or two."""
    if action.knowledge:
        return f"looks up in {action.knowledge}.md"
    server = urlsplit(action.url).netloc
    return f"asks {server}" if server else "sends" if action.message else "notes"


def _leads(label: str, to: str) -> str:
    """The line of a box about an arrow that passes other questions: its target is never cut off."""
    return f"{_cut(label, max(8, MOST_IN_BOX - len(to) - 3))} → {to}" if label else f"→ {to}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _ending(state: State) -> str:
    return f"{'transfer to ' + state.transfer if state.transfer else 'hang up'}: {state.outcome}"


def _straight_ends(flow: Flow) -> set[str]:
    """Ends that a filled slot leads to."""
    filled = [state.filled.goto for state in flow.states.values() if state.filled is not None]
    filled += [form.filled.goto for form in flow.forms.values()]
    return {name for name in filled if name and not flow.states[name].listens}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _box(box: Box) -> str:
    parts = [
        f'<rect class="{box.kind}" x="{box.x:g}" y="{box.y:g}" width="{BOX_W}" height="{box.height:g}" rx="7"/>',
        f'<text class="name" x="{box.x + 10:g}" y="{box.y + 19:g}">{escape(box.name)}</text>',
    ]
    for number, line in enumerate(box.lines, 1):
        y = box.y + 19 + LINE_H * number
        parts.append(f'<text class="small" x="{box.x + 10:g}" y="{y - 1:g}">{escape(line)}</text>')
    return "".join(parts)


def _arrow(boxes: dict[str, Box], begin: str, end: str, label: str, arrows: dict[tuple[str, str], str]) -> str:
    first, last = boxes[begin], boxes[end]
    text = escape(_cut(label, MOST_ON_ARROW))
    if last.x > first.x:  # to an end: in at its own height
        entering = [pair for pair in arrows if pair[1] == end]
        y = last.y + (entering.index((begin, end)) + 1) * last.height / (len(entering) + 1)
        x, turn = first.x + BOX_W, last.x - LABEL_W * 0.75
        return (
            f'<path marker-end="url(#tip)" d="M{x:g},{first.middle:g} C{turn:g},{first.middle:g} {x + 20:g},{y:g}'
            f' {last.x - 240:g},{y:g} L{last.x:g},{y:g}"/>'
            f'<text class="small" text-anchor="end" x="{last.x - 12:g}" y="{y - 3:g}">{text}</text>'
        )
    if last.y > first.y and last.y - first.y - first.height < 60:  # to the next question
        x = first.x + BOX_W / 2
        return (
            f'<path marker-end="url(#tip)" d="M{x:g},{first.y + first.height:g} L{x:g},{last.y:g}"/>'
            f'<text class="small" x="{x + 8:g}" y="{first.y + first.height + 27:g}">{text}</text>'
        )
    x = first.x - 45  # past other questions, or back: a line of the box says where to, and why
    return (
        f'<path marker-end="url(#tip)" d="M{first.x:g},{first.middle:g} C{x:g},{first.middle:g} {x:g},{last.middle:g}'
        f' {last.x:g},{last.middle:g}"/>'
    )
