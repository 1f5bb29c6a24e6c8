"""What a conversation remembers, by name: the types of a flow's variables, and their values in a conversation. Pure.

Slots, constants, facts of the call and results of actions have one name space. Values are kept as texts in a canonical
form (`dialogue.values`); records as one variable per field (`order.status`), lists row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dialogue.conversation import Conversation
from dialogue.flow import Flow, Slot, Variable
from dialogue.hours.opening_hours import Hours
from dialogue.offers import OPTIONS, fields_in, offered_rows, options_said, words_for
from dialogue.offers import chosen as words_chosen
from dialogue.values.parts import PARTS, part_of
from dialogue.values.spoken import any_of, spoken
from dialogue.values.templates import Field
from dialogue.values.value_types import BadValue, Row, Value, ValueKind, ValueType, stored, value

KIND_OF_SLOT: Mapping[str, ValueKind] = {
    "yes_no": "yes_no", "zip_code": "postcode", "phone": "telephone", "date_time": "date_time", "digits": "digits",
    "choice": "choice", "integer": "integer", "name": "name",
    "birth_date": "date", "email": "email", "money": "money", "note": "text",
}  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DIRECTIONS = ("inbound", "outbound")
BUILT_IN: Mapping[str, Variable] = {
    "call.call_id": Variable(ValueType("text"), "fact", always=True),
    "call.session": Variable(ValueType("text"), "fact", always=True),
    "call.heard": Variable(ValueType("text"), "fact", always=True),
    "call.number": Variable(ValueType("telephone"), "fact"),
    "call.direction": Variable(ValueType("choice", {name: (name,) for name in DIRECTIONS}), "fact", always=True),
    "corrected": Variable(ValueType("text"), "fact"),
    "now.date": Variable(ValueType("date"), "fact", always=True),
    "now.time": Variable(ValueType("time"), "fact", always=True),
    "now.moment": Variable(ValueType("moment"), "fact", always=True),
    "now.weekday": Variable(ValueType("choice", {name: (name,) for name in WEEKDAYS}), "fact", always=True),
}
"""Facts that every call has."""
OF_HOURS: Mapping[str, Variable] = {
    "hours.open": Variable(ValueType("yes_no"), "fact", always=True),
    "hours.opens_at": Variable(ValueType("moment"), "fact", always=True),
    "hours.closes_at": Variable(ValueType("moment"), "fact"),
    "hours.holiday": Variable(ValueType("yes_no"), "fact", always=True),
    "hours.message": Variable(ValueType("text"), "fact"),
}
"""What the calls of a flow know that has opening hours."""
OF_CALL = frozenset({"call.call_id", "call.session", "call.heard"})
"""Names of the call, which nobody passes in."""
OWNERS = ("call", "now", "hours", "secret", "corrected")
"""Names that no variable of a flow may have."""


# --- types ------------------------------------------------------------------------------------------------------------


def slot_type(slot: Slot) -> ValueType:
    """What a slot's values are."""
    return ValueType("text") if slot.source else ValueType(KIND_OF_SLOT[slot.type], slot.choices, slot.currency)


def scope_of(slots: Mapping[str, Slot], variables: Mapping[str, Variable]) -> dict[str, ValueType]:
    """Name -> type of all that conditions and texts may name."""
    return {
        **{name: variable.type for name, variable in variables.items()},
        **{name: slot_type(slot) for name, slot in slots.items()},
        **fields_in(slots, variables),
    }


def sayable_type(scope: Mapping[str, ValueType], name: str) -> ValueType | None:
    """The type of what a text names: a variable, or a field of the records of a list; None when there is none."""
    if name in scope:
        return scope[name]
    owner, _, last = name.rpartition(".")
    of = scope.get(owner)
    if of is None or of.kind != "list":
        return None
    return ValueType("integer") if last == "count" else of.fields.get(last)


# --- values -----------------------------------------------------------------------------------------------------------


def facts(flow: Flow, number: str, direction: str, passed: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The facts of a call as they are kept, and the names of those that were passed in and have not their type."""
    given = {f"call.{name}": text for name, text in passed.items()} | {"call.direction": direction}
    if number:
        given["call.number"] = number
    kept: dict[str, str] = {}
    refused: list[str] = []
    for name, variable in flow.variables.items():
        if variable.origin == "fact" and name in given and name not in OF_CALL:
            try:
                kept[name] = stored(variable.type, given[name], flow.where)
            except BadValue:
                if name != "call.number":  # withheld, or an extension: simply not known
                    refused.append(name)
    return kept, refused


def text_of(flow: Flow, conversation: Conversation, now: datetime, name: str) -> str | None:
    """A value as it is kept; None while it is unset."""
    owner, _, last = name.rpartition(".")
    asked_for = flow.states[conversation.state].slot if conversation.state in flow.states else ""
    chosen = flow.slots.get(name) or flow.slots.get(owner)
    if chosen is not None and chosen.source and chosen.name == asked_for and conversation.tentative is not None:
        if chosen.several:
            return words_chosen(flow, conversation, chosen, conversation.tentative, now)[0]
        row = offered_rows(flow, conversation, chosen).get(int(conversation.tentative), {})
        return words_for(flow, chosen, row, now) if name == chosen.name else row.get(last)
    if chosen is not None and chosen.source and last == OPTIONS:
        return options_said(flow, conversation, chosen, now)
    if name == "call.call_id":
        return conversation.call_id
    if name == "call.heard":
        return conversation.heard
    if name == "call.session":
        return conversation.session or conversation.call_id
    if owner in flow.slots and last in PARTS.get(flow.slots[owner].type, {}):
        whole = text_of(flow, conversation, now, owner)
        return part_of(flow.slots[owner].type, whole, last) if whole else None
    if name in flow.slots:
        if conversation.tentative is not None and asked_for == name:
            return conversation.tentative
        return conversation.slots.get(name)
    if name in conversation.variables:
        return conversation.variables[name]
    if name.startswith("now."):
        return _of_now(name, now)
    if name in OF_HOURS and flow.hours is not None:
        return _of_hours(flow.hours, name, now)
    if last == "count" and owner in conversation.lists:
        return str(len(conversation.lists[owner]))
    if name in conversation.lists:
        return str(len(conversation.lists[name]))
    variable = flow.variables.get(name)
    return (variable.default or None) if variable is not None else None


def value_of(flow: Flow, conversation: Conversation, now: datetime, name: str) -> Value | None:
    """A value as conditions compare it; None while it is unset, or where an edited flow has another type for it."""
    text = text_of(flow, conversation, now, name)
    kind = scope_of(flow.slots, flow.variables).get(name) or ValueType("integer")
    if text is None or kind.kind == "list":
        return text
    try:
        return value(kind, text)
    except (ValueError, ArithmeticError):
        return None


def said(flow: Flow, conversation: Conversation, now: datetime, field: Field) -> str | None:
    """How a variable is said; None while it is unset."""
    kind = sayable_type(scope_of(flow.slots, flow.variables), field.name)
    rows = _rows(conversation, field.name)
    if kind is not None and rows is not None:
        last = field.name.rpartition(".")[2]
        each = [spoken(kind, row[last], flow.where, now.date(), field.form) for row in rows if last in row]
        return any_of(each, flow.language)
    text = text_of(flow, conversation, now, field.name)
    if kind is None or text is None:
        return None
    return spoken(kind, text, flow.where, now.date(), field.form)


def _rows(conversation: Conversation, name: str) -> tuple[Row, ...] | None:
    owner, _, last = name.rpartition(".")
    return conversation.lists.get(owner) if last != "count" else None


def _of_hours(hours: Hours, name: str, now: datetime) -> str | None:
    at: datetime | None = None
    match name:
        case "hours.open":
            return "yes" if hours.is_open(now) else "no"
        case "hours.holiday":
            return "yes" if hours.is_holiday(now.date()) else "no"
        case "hours.message":
            return hours.message(now) or None
        case "hours.opens_at":
            at = hours.opens_at(now)
        case "hours.closes_at":
            at = hours.closes_at(now)
    return at.isoformat(timespec="minutes") if at is not None else None


def _of_now(name: str, now: datetime) -> str | None:
    match name:
        case "now.date":
            return now.date().isoformat()
        case "now.time":
            return now.time().isoformat("minutes")
        case "now.moment":
            return now.isoformat(timespec="minutes")
        case "now.weekday":
            return WEEKDAYS[now.weekday()]
    return None
