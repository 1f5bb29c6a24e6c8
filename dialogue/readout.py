"""A slot value as the prompts that read it out: numbers as one says them, choices by prompt, dates in pieces. Pure.

Values are those of `dialogue.slots`. The names of the pieces are fixed, so that one recording serves every flow:
`digit_0`..`digit_9`, `weekday_1` (Monday).. `weekday_7`, `day_1`..`day_31`, `month_1`..`month_12`, `hour_0`..`hour_23`,
`minute_5`, `minute_10`..`minute_55`, `at`, `between`, `and`, `from`, `to`; and, where a catalogue has them, `number_10`
..`number_99` (telephone numbers in pairs, other minutes) and `year_2000` (a year is said with `number_28` behind it).
Without those, numbers are read digit by digit.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from dialogue.flow import Slot, Wording
from dialogue.slots import SPOKEN_TYPES
from dialogue.slots.phone import FRENCH, PAIRED

DIGITS = tuple(f"digit_{digit}" for digit in range(10))
DATE_PIECES = (
    *(f"weekday_{day}" for day in range(1, 8)),
    *(f"day_{day}" for day in range(1, 32)),
    *(f"month_{month}" for month in range(1, 13)),
    *(f"hour_{hour}" for hour in range(24)),
    *(f"minute_{minute}" for minute in range(5, 60, 5)),
    *("at", "between", "and", "from", "to"),
)
NUMBERS = tuple(f"number_{number}" for number in range(10, 100))
YEAR = "year_2000"
FAR_DAYS = 300  # from here on a date is read with its year


def is_spoken(slot: Slot) -> bool:
    """Whether values of a slot are in no recording, so that a voice says them."""
    return bool(slot.source) or slot.type in SPOKEN_TYPES


def pieces_of(slot: Slot) -> Wording:
    """Every prompt that reading out this slot cannot do without; empty when it cannot be read out."""
    match slot.type:
        case "zip_code" | "phone" | "digits":
            return DIGITS
        case "date_time":
            return (*DATE_PIECES, *DIGITS, *slot.say_as.values())
        case "choice":
            return tuple(slot.say_as.values()) if set(slot.choices) <= set(slot.say_as) else ()
        case "yes_no":
            return tuple(slot.say_as.values()) if {"yes", "no"} <= set(slot.say_as) else ()
        case _:
            return ()


def read_out(
    slot: Slot, value: str, region: str = "FR", today: date | None = None, prompts: Container[str] = ()
) -> Wording:
    """The prompts for one value; empty for a value that has none.

    `region`: where a telephone number is read as one dials it. `today`: a date far from it is read with its year.
    `prompts`: those that there are, for what is read better with more than the indispensable ones.
    """
    if value in slot.say_as:
        return (slot.say_as[value],)
    if slot.type == "date_time":
        return _moment(value, today, prompts)
    if slot.type == "phone":
        return _phone(value, region, prompts)
    if slot.type in ("zip_code", "digits"):
        return _one_by_one(value)
    return ()


def _one_by_one(text: str) -> Wording:
    return tuple(f"digit_{character}" for character in text if character.isascii() and character.isdigit())


def _number(number: int, prompts: Container[str]) -> Wording:
    """A number below 100: "thirty-two" where there is a prompt for it, else its digits."""
    name = f"number_{number}"
    return (name,) if name in prompts else _one_by_one(str(number))


# --- telephone numbers ------------------------------------------------------------------------------------------------


def _phone(value: str, region: str, prompts: Container[str]) -> Wording:
    """A number as it is dialled in `region`: in pairs where one says pairs; one from abroad with 00 and its country."""
    try:
        number = phonenumbers.parse(value, region)
    except NumberParseException:
        return _one_by_one(value)
    country = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    if country != region and not {country, region} <= FRENCH:
        return _one_by_one("00" + phonenumbers.format_number(number, PhoneNumberFormat.E164))
    home = _one_by_one(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    dialled = "".join(prompt[-1] for prompt in home)
    if region not in PAIRED or len(dialled) % 2:
        return home
    pairs = [dialled[at : at + 2] for at in range(0, len(dialled), 2)]
    return tuple(
        piece for pair in pairs for piece in (_one_by_one(pair) if pair[0] == "0" else _number(int(pair), prompts))
    )


# --- moments ----------------------------------------------------------------------------------------------------------


def _moment(value: str, today: date | None, prompts: Container[str]) -> Wording:
    """A date, a date with a time, a stretch of hours, or a stretch of days (ISO 8601, `from/to`)."""
    begin, _, end = value.partition("/")
    try:
        first = datetime.fromisoformat(begin)
        last = datetime.fromisoformat(end) if end else None
    except ValueError:
        return ()

    def day(when: datetime) -> Wording:
        return (*_day(when), *_year(when, today, prompts))

    if last is None:
        return (*day(first), "at", *_time(first, prompts)) if "T" in begin else day(first)
    if "T" not in begin:
        return ("from", *day(first), "to", *day(last))
    if last.date() == first.date():
        return (*day(first), "between", *_time(first, prompts), "and", *_time(last, prompts))
    return ("from", *day(first), "at", *_time(first, prompts), "to", *day(last), "at", *_time(last, prompts))


def _day(when: datetime) -> Wording:
    return (f"weekday_{when.isoweekday()}", f"day_{when.day}", f"month_{when.month}")


def _year(when: datetime, today: date | None, prompts: Container[str]) -> Wording:
    if (
        today is None
        or abs((when.date() - today).days) < FAR_DAYS
        or YEAR not in prompts
        or not 2001 <= when.year <= 2099
    ):
        return ()
    return (YEAR, *_number(when.year - 2000, prompts))


def _time(when: datetime, prompts: Container[str]) -> Wording:
    """A time to the minute, as it is stored."""
    hour, minute = f"hour_{when.hour}", when.minute
    if not minute:
        return (hour,)
    if minute % 5 == 0:
        return hour, f"minute_{minute}"
    return (hour, f"digit_{minute}") if minute < 10 else (hour, *_number(minute, prompts))
