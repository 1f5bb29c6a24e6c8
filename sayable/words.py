"""The words of each language for what is written in signs: units, money, months, letters. Pure: tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Forms = tuple[str, str]
"""One of it, several of it."""


@dataclass(frozen=True)
class Words:
    """One language's."""

    months: tuple[str, ...]
    month_names: str
    """What months are written as, a regular expression."""
    letters: dict[str, str]
    point: str
    """Between a number and its decimals."""
    decimal_comma: bool
    minus: str
    plus: str
    to: str
    over: str
    and_: str
    percent: str
    degrees: Forms
    at: str
    dot: str
    dash: str
    underscore: str
    slash: str
    money: dict[str, tuple[Forms, Forms]]
    """Sign or code -> its name, and that of its hundredth."""
    units: dict[str, Forms]
    feminine: frozenset[str]
    """Names of things that are counted as feminine."""
    abbreviations: tuple[tuple[str, str], ...]
    """A regular expression, and what is said. In their order."""
    acronyms: frozenset[str]
    """Spelled, though they have vowels."""
    signs: dict[str, str]
    halves: dict[str, str]
    by: str
    """Between the lengths of two sides."""
    spoken_ends: frozenset[str]
    """Short ends of addresses that are said as words."""


def pairs(text: str) -> dict[str, str]:
    """From `sign=said|...`."""
    return dict(pair.split("=", 1) for pair in text.split("|"))


def forms(text: str) -> dict[str, Forms]:
    """From `sign=one/several|...`."""
    found = {}
    for sign, said in pairs(text).items():
        single, _, many = said.partition("/")
        found[sign] = (single, many or single)
    return found


def named(letters: str, names: str) -> dict[str, str]:
    """Letters and their names, a blank in a name written as _."""
    return dict(zip(letters, names.split(), strict=True))


def shortened(names: dict[str, str], before: str, behind: str, dot_needed: bool = False) -> list[tuple[str, str]]:
    """Abbreviations of days and months as rules; without their dot only where they begin with a capital, or always."""
    found = []
    for short, whole in names.items():
        found.append((rf"{before}{short}\.{behind}", whole))
        if not dot_needed or short[0].isupper():
            found.append((rf"{before}{short}\b{behind}", whole))
    return found


LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


CODES: Final = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "€": "€", "$": "$", "£": "£"}
