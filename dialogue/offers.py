"""What a slot may be chosen from when a list that an action brought is on offer, and what else a slot brings. Pure.

slots:
  free: {type: choice, from: times, by: [start, staff], offer: "{start} avec {staff}"}

`{free.options}` says three at most; what was chosen is known as `free` (as it was offered) and by field (`free.start`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dialogue.conversation import Conversation
from dialogue.flow import Flow, Slot, Variable
from dialogue.slots import ListedField, Option
from dialogue.values.parts import PARTS, SURE_PARTS
from dialogue.values.spoken import MOST_NAMED, any_of, spoken
from dialogue.values.templates import Field, fields_of, fill
from dialogue.values.value_types import LIST_SIGN, Row, ValueType

OPTIONS = "options"
"""`free.options`: what there is to choose from, in words."""
AND = {"fr": "et", "it": "e", "en": "and"}
MOST_HINTS = 12
UNSAID = ListedField("", "")
"""Of a record that has not that field."""


def fields_in(slots: Mapping[str, Slot], variables: Mapping[str, Variable]) -> dict[str, ValueType]:
    """Name -> type of what slots that are chosen from a list bring with them."""
    found: dict[str, ValueType] = {}
    for slot in slots.values():
        found |= {f"{slot.name}.{part}": ValueType(kind) for part, kind in PARTS.get(slot.type, {}).items()}
        source = variables.get(slot.source)
        if slot.source and source is not None:
            fields = source.type.fields
            if slot.several:
                fields = {name: ValueType("list", fields={name: kind}) for name, kind in fields.items()}
                found[f"{slot.name}.count"] = ValueType("integer")
            found |= {f"{slot.name}.{name}": kind for name, kind in fields.items()}
            found[f"{slot.name}.{OPTIONS}"] = ValueType("text")
    return found


def known_with(slot: Slot) -> frozenset[str]:
    """What is known once a slot is: of a record that was chosen, the fields that every one on offer has; of a moment,
    its day."""
    if slot.type in SURE_PARTS:
        return frozenset({slot.name, f"{slot.name}.{SURE_PARTS[slot.type]}"})
    if not slot.source:
        return frozenset({slot.name})
    count = [f"{slot.name}.count"] if slot.several else []
    return frozenset({slot.name, *count, *(f"{slot.name}.{name}" for name in needed_of(slot))})


def needed_of(slot: Slot) -> tuple[str, ...]:
    """The fields that a record must have to be offered: those up to the first comma of `offer`, and `needs`."""
    return (*(field.name for field in fields_of(slot.offer.split(", ")[0])), *slot.needs)


def offered_rows(flow: Flow, c: Conversation, slot: Slot) -> dict[int, Row]:
    """The records that may be chosen, by their place in the list from 1: those that have every field to choose by, and
    after an answer that left several open, only these."""
    rows = enumerate(c.lists.get(slot.source, ()), 1)
    found = {number: row for number, row in rows if all(name in row for name in needed_of(slot))}
    is_asked = c.state in flow.states and flow.states[c.state].slot == slot.name
    narrowed = {number: row for number, row in found.items() if number in c.narrowed}
    return narrowed if is_asked and narrowed else found


def options_of(flow: Flow, c: Conversation, slot: Slot) -> tuple[Option, ...]:
    """The records on offer with what each may be chosen by."""
    kinds = flow.variables[slot.source].type.fields
    return tuple(
        Option(
            number,
            tuple(_field(kinds[name], row[name]) if name in row else UNSAID for name in slot.by),
        )
        for number, row in offered_rows(flow, c, slot).items()
    )


def _field(kind: ValueType, text: str) -> ListedField:
    """A field to choose by. A text that is a list of texts is as many names."""
    first, *others = text.split(LIST_SIGN) if kind.kind == "text" else (text,)
    return ListedField(kind.kind, first, (*kind.choices.get(text, ()), *others))


def hints_of(flow: Flow, c: Conversation) -> tuple[str, ...]:
    """Words that the recogniser may expect: the names on offer, and what else these are called. An open question, which
    asks for nothing and is not answered by yes or no, may be answered by a name of any list that there is."""
    state = flow.states.get(c.state)
    if state is None:
        return ()
    slots = [flow.slots[name] for name in (state.slot, *state.also) if name]
    if not state.slot and not {"yes", "no"} & {*state.answers, *state.means}:
        slots = list(flow.slots.values())
    offered: list[str] = []
    others: list[str] = []
    for slot in slots:
        said = [field.name for field in fields_of(slot.offer)]
        for option in options_of(flow, c, slot) if slot.source else ():
            for name, one in zip(slot.by, option.fields, strict=True):
                if one.kind in ("text", "name"):
                    (offered if name in said else others).append(one.value)
    return tuple(dict.fromkeys((*offered, *others)))[:MOST_HINTS]


def words_for(flow: Flow, slot: Slot, row: Row, now: datetime) -> str:
    """A record as it is offered."""
    kinds = flow.variables[slot.source].type.fields

    def say(field: Field) -> str:
        return spoken(kinds[field.name], row.get(field.name, ""), flow.where, now.date(), field.form)

    parts = [part for part in slot.offer.split(", ") if all(field.name in row for field in fields_of(part))]
    return ", ".join(fill(part, say) for part in parts)


def options_said(flow: Flow, c: Conversation, slot: Slot, now: datetime) -> str | None:
    """What there is to choose from: three at most, then "or"; None where there is nothing."""
    rows = list(offered_rows(flow, c, slot).values())[:MOST_NAMED]
    return any_of([words_for(flow, slot, row, now) for row in rows], flow.language) or None


def all_of(said: Sequence[str], language: str) -> str:
    """Several things that were chosen: "a, b et c"."""
    if len(said) < 2:
        return "".join(said)
    return f"{', '.join(said[:-1])} {AND.get(language.partition('-')[0], 'and')} {said[-1]}"


def rows_of(flow: Flow, c: Conversation, slot: Slot, numbers: str) -> tuple[Row, ...]:
    """The records of a choice of several."""
    rows = offered_rows(flow, c, slot)
    return tuple(rows[int(number)] for number in numbers.split() if int(number) in rows)


def numbers_of(flow: Flow, c: Conversation, slot: Slot) -> tuple[str, ...]:
    """The numbers of the records that are chosen so far."""
    kept = c.lists.get(slot.name, ())
    return tuple(str(number) for number, row in offered_rows(flow, c, slot).items() if row in kept)


def chosen(flow: Flow, c: Conversation, slot: Slot, number: str, now: datetime) -> tuple[str, dict[str, str]]:
    """A choice as it is kept: the words of the record, and its fields as variables; of several, the words alone."""
    if slot.several:
        rows = rows_of(flow, c, slot, number)
        return all_of([words_for(flow, slot, row, now) for row in rows], flow.language), {}
    row = offered_rows(flow, c, slot)[int(number)]
    return words_for(flow, slot, row, now), {f"{slot.name}.{name}": text for name, text in row.items()}


def without(slot: Slot | None, variables: Mapping[str, str]) -> dict[str, str]:
    """Variables but for those that a choice of `slot` left behind."""
    if slot is None or not slot.source:
        return dict(variables)
    return {name: text for name, text in variables.items() if not name.startswith(f"{slot.name}.")}
