"""How this contract writes things: Italian mobiles, dates in words, confirmation codes; names compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from booking_service.refusals import BookingRefused
from booking_service.shop import MONDAY_TO_SUNDAY

MONTHS: Final = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
)  # fmt: skip
CODE_SIGNS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, O, 1 and I, which are heard and read for each other."""
CODE_LENGTH: Final = 6


def mobile(text: str) -> str:
    """The ten digits of an Italian mobile: spaces, dots, dashes and +39 are dropped. Raises BookingRefused (422)."""
    digits = re.sub(r"[\s.\-/()]", "", text)
    digits = re.sub(r"^(\+39|0039)", "", digits)
    if len(digits) == 12 and digits.startswith("393"):
        digits = digits[2:]
    if not digits.isascii() or not digits.isdigit():
        raise BookingRefused(422, "telefono", "a telephone number has digits")
    if digits.startswith("0"):
        raise BookingRefused(422, "telefono_fisso", "a landline: confirmations go to a mobile")
    if len(digits) != 10 or not digits.startswith("3"):
        raise BookingRefused(
            422,
            "telefono",
            f"an Italian mobile has ten digits and begins with 3, not {len(digits)}",
            {"cifre": len(digits)},
        )
    return digits


def international(telefono: str) -> str:
    """The ten digits as E.164."""
    return f"+39{telefono}"


def long_date(day: date) -> str:
    """`martedì 1 dicembre 2026`."""
    return f"{MONDAY_TO_SUNDAY[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def confirmation_code(choose: Callable[[Sequence[str]], str]) -> str:
    """Six signs, each of them chosen."""
    return "".join(choose(CODE_SIGNS) for _ in range(CODE_LENGTH))


def name_words(text: str) -> frozenset[str]:
    """The words of a name without regard to case, accents and apostrophes."""
    plain = "".join(one for one in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(one))
    return frozenset(re.findall(r"[^\W\d_]+", plain.replace("'", "").replace("’", "")))


def clean(text: str) -> str:
    """Without control characters, with single blanks."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
