"""A slot value as the prompts that read it out: digits one by one, a choice by its prompt, a date in pieces. Pure.

Values are those of `dialogue.slots`. The names of the pieces are fixed, so that one recording serves every flow:
`digit_0`..`digit_9`, `weekday_1` (Monday).. `weekday_7`, `day_1`..`day_31`, `month_1`..`month_12`, `hour_0`..`hour_23`,
`minute_5`, `minute_10`..`minute_55`, `at`, `between`, `and`, `from`, `to`.
"""

from __future__ import annotations

from datetime import datetime

from dialogue.flow import Slot, Wording

DIGITS = tuple(f"digit_{digit}" for digit in range(10))
DATE_PIECES = (
    *(f"weekday_{day}" for day in range(1, 8)),
    *(f"day_{day}" for day in range(1, 32)),
    *(f"month_{month}" for month in range(1, 13)),
    *(f"hour_{hour}" for hour in range(24)),
    *(f"minute_{minute}" for minute in range(5, 60, 5)),
    *("at", "between", "and", "from", "to"),
)


def pieces_of(slot: Slot) -> Wording:
    """Every prompt that reading out this slot may need; empty when it cannot be read out."""
    match slot.type:
        case "zip_code" | "phone" | "digits":
            return DIGITS
        case "date_time":
            return (*DATE_PIECES, *slot.say_as.values())
        case "choice":
            return tuple(slot.say_as.values()) if set(slot.choices) <= set(slot.say_as) else ()
        case "yes_no":
            return tuple(slot.say_as.values()) if {"yes", "no"} <= set(slot.say_as) else ()


def read_out(slot: Slot, value: str) -> Wording:
    """The prompts for one value; empty for a value that has none."""
    if value in slot.say_as:
        return (slot.say_as[value],)
    if slot.type == "date_time":
        return _moment(value)
    if slot.type in ("zip_code", "phone", "digits"):
        return tuple(f"digit_{character}" for character in value if character.isascii() and character.isdigit())
    return ()


def _moment(value: str) -> Wording:
    """A date, a date with a time, a stretch of hours, or a stretch of days (ISO 8601, `from/to`)."""
    begin, _, end = value.partition("/")
    try:
        first = datetime.fromisoformat(begin)
        last = datetime.fromisoformat(end) if end else None
    except ValueError:
        return ()
    if last is None:
        return (*_day(first), "at", *_time(first)) if "T" in begin else _day(first)
    if "T" not in begin:
        return ("from", *_day(first), "to", *_day(last))
    if last.date() == first.date():
        return (*_day(first), "between", *_time(first), "and", *_time(last))
    return ("from", *_day(first), "at", *_time(first), "to", *_day(last), "at", *_time(last))


def _day(when: datetime) -> Wording:
    return (f"weekday_{when.isoweekday()}", f"day_{when.day}", f"month_{when.month}")


def _time(when: datetime) -> Wording:
    minute = when.minute - when.minute % 5
    return (f"hour_{when.hour}", f"minute_{minute}") if minute else (f"hour_{when.hour}",)
