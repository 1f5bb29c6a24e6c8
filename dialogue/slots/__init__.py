"""Slots: what a caller said or typed as a value that a computer can use. Pure, apart from the parsing libraries.

`parse` is the one entry point; every type takes both spoken words ("soixante-quinze mille onze") and written digits
("75 011"), in French, Italian and English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from dialogue.slots.birth_date import parse_birth_date
from dialogue.slots.choice import parse_choice
from dialogue.slots.date_time import parse_date_time
from dialogue.slots.digits import MOST_DIGITS, parse_digits
from dialogue.slots.email import parse_email
from dialogue.slots.integer import MOST_INTEGER, parse_integer
from dialogue.slots.lexicon import lexicon_of
from dialogue.slots.listed import ListedField, Option, parse_listed, parse_several
from dialogue.slots.money import MOST_MONEY, parse_money
from dialogue.slots.name import parse_name
from dialogue.slots.note import MOST_NOTE, parse_note
from dialogue.slots.phone import parse_phone
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.regions import region_of
from dialogue.slots.yes_no import parse_yes_no
from dialogue.slots.zip_code import parse_zip_code

__all__ = [
    "EXACT_TYPES", "FREE_TYPES", "MOST_DIGITS", "MOST_INTEGER", "MOST_MONEY", "MOST_NOTE", "NOTHING", "NUMBER_TYPES",
    "PARTED_TYPES", "SLOT_TYPES", "SPOKEN_TYPES", "ListedField", "Option", "SlotReading", "SlotType", "parse",
    "parse_listed", "parse_several",
]  # fmt: skip

SlotType: TypeAlias = Literal[
    "yes_no",
    "zip_code",
    "phone",
    "date_time",
    "digits",
    "choice",
    "integer",
    "name",
    "birth_date",
    "email",
    "money",
    "note",
]
SLOT_TYPES: tuple[SlotType, ...] = get_args(SlotType)
NUMBER_TYPES: tuple[SlotType, ...] = ("zip_code", "phone", "digits")
"""Types whose values are digits, which may be given in parts."""
EXACT_TYPES: tuple[SlotType, ...] = (*NUMBER_TYPES, "birth_date", "email")
"""Types whose values nobody says by the way: a whole one is the answer, in however long a sentence."""
FREE_TYPES: tuple[SlotType, ...] = ("name", "note")
"""Types that nearly any words may be a value of: what means something else in a state is no value of theirs."""
PARTED_TYPES: tuple[SlotType, ...] = ("name", "birth_date", "email")
"""Types of which a part that is said alone ("non, 1986") stands for the whole, once that is known."""
SPOKEN_TYPES: tuple[SlotType, ...] = ("name", "birth_date", "email", "money", "note")
"""Types whose values are in no recording: they are said by a voice."""


def parse(
    slot_type: str,
    text: str,
    language: str,
    *,
    now: datetime,
    choices: Mapping[str, Sequence[str]] | None = None,
    region: str = "",
    previous: str | None = None,
    least_digits: int = 1,
    most_digits: int = MOST_DIGITS,
    least: int = 0,
    most: int = MOST_INTEGER,
    currency: str = "EUR",
    most_characters: int = MOST_NOTE,
) -> SlotReading:
    """Reads `text` as a value of `slot_type`; a reading without a value when nothing fits.

    `now` is the local time that "demain" counts from. `choices`: value -> phrases, for `choice`. `region`: country of
    telephone numbers, postal codes and the clock, empty for that of the language. `previous`: the value that was just
    read back, which "non, douze" then corrects. `least_digits`, `most_digits`: limits of `digits`; `least`, `most`:
    those of `integer` and of `money`, whose `currency` is an ISO 4217 code.
    `most_characters`: of a `note`. Raises ValueError for an unknown type or language.
    """
    lexicon = lexicon_of(language)
    region = region or region_of(language)
    match slot_type:
        case "yes_no":
            return parse_yes_no(text, lexicon)
        case "zip_code":
            return parse_zip_code(text, lexicon, region, previous)
        case "phone":
            return parse_phone(text, lexicon, region, previous)
        case "date_time":
            return parse_date_time(text, lexicon, now, previous, region)
        case "digits":
            return parse_digits(text, lexicon, least_digits, most_digits, previous)
        case "integer":
            return parse_integer(text, lexicon, least, most)
        case "name":
            return parse_name(text, lexicon, previous)
        case "money":
            return parse_money(text, lexicon, currency, least, most, previous)
        case "note":
            return parse_note(text, lexicon, most_characters)
        case "email":
            return parse_email(text, lexicon, previous)
        case "birth_date":
            return parse_birth_date(text, lexicon, now.date(), region, previous)
        case "choice":
            return parse_choice(text, lexicon, choices or {})
    raise ValueError(f"unknown slot type {slot_type!r}; there are {', '.join(SLOT_TYPES)}")
