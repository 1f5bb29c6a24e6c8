"""Says amounts of money as callers do, in words and digits: the parser's other direction, on its own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from tests.slots.spoken import english, french, italian, plain

AROUND = {
    "fr": (
        "{}",
        "c'est {}",
        "euh, {}",
        "j'ai payé {}",
        "la facture est de {}",
        "{} s'il vous plaît",
        "ça fait {} en tout",
    ),
    "it": ("{}", "sono {}", "ehm, {}", "ho pagato {}", "la fattura è di {}", "{} per favore", "in tutto fa {}"),
    "en": ("{}", "it's {}", "um, {}", "I paid {}", "the bill is {}", "{} please", "that makes {} in all"),
}
UNIT = {"fr": ("euro", "euros"), "it": ("euro", "euro"), "en": ("pound", "pounds")}
CENT = {"fr": ("centime", "centimes"), "it": ("centesimo", "centesimi"), "en": ("penny", "pence")}
SIGN = {"fr": "€", "it": "€", "en": "£"}
CURRENCY = {"fr": "EUR", "it": "EUR", "en": "GBP"}


@dataclass(frozen=True)
class Sum:
    """What is said, and the amount that it says."""

    said: str
    amount: Decimal


def in_words(number: int, language: str) -> str:
    """0 to 99 999."""
    match language:
        case "fr":
            return french(number)
        case "it":
            return italian(number)
    thousands, rest = divmod(number, 1_000)
    head = f"{english(thousands)} thousand" if thousands else ""
    tail = english(rest) if rest or not thousands else ""
    joint = " and " if head and 0 < rest < 100 else " " if head and tail else ""
    return head + joint + tail


def said_sum(language: str, rng: random.Random) -> Sum:
    whole = rng.choice(
        [rng.randint(1, 99), rng.randint(100, 999), rng.randint(1_000, 99_999), rng.randint(1, 99) * 100]
    )
    cents = rng.choice([0, 0, 50, rng.randint(10, 99), rng.randint(1, 9)])
    amount = Decimal(whole) + Decimal(cents) / 100
    said = rng.choice(_words(whole, cents, language) if rng.random() < 0.6 else _digits(whole, cents, language))
    said = rng.choice(AROUND[language]).format(said)
    return Sum(plain(said) if rng.random() < 0.3 and language != "fr" else said, amount)


def _words(whole: int, cents: int, language: str) -> list[str]:
    unit, cent = UNIT[language][whole != 1], CENT[language][cents != 1]
    number = "un" if whole == 1 and language != "en" else in_words(whole, language)
    if language == "fr" and whole % 1_000_000 == 0:
        number += " d'"
    head = f"{number} {unit}"
    if not cents:
        return [head]
    tail = "un" if cents == 1 and language != "en" else in_words(cents, language)
    joint = {"fr": "et", "it": "e", "en": "and"}[language]
    ways = [f"{head} {joint} {tail} {cent}", f"{head} {tail} {cent}"]
    if cents >= 10:
        ways += [f"{head} {joint} {tail}"] if language == "it" else [f"{head} {tail}"]
        mark = {"fr": "virgule", "it": "virgola", "en": "point"}[language]
        said = tail if language != "en" else " ".join(english(int(digit)) for digit in f"{cents:02d}")
        ways.append(f"{number} {mark} {said} {UNIT[language][1]}")
    if cents == 50:
        ways += {"fr": [f"{head} et demi"], "it": [f"{head} e mezzo"], "en": [f"{head} and a half"]}[language]
    return ways


def _digits(whole: int, cents: int, language: str) -> list[str]:
    point, group = (".", ",") if language == "en" else (",", "." if language == "it" else " ")
    sign, unit = SIGN[language], UNIT[language][whole != 1]
    tail = f"{point}{cents:02d}" if cents else ""
    grouped = f"{whole:,}".replace(",", group)
    numbers = [f"{whole}{tail}", f"{grouped}{tail}"]
    ways = [f"{number} {unit}" for number in numbers]
    ways += (
        [f"{sign}{number}" for number in numbers] if language == "en" else [f"{number} {sign}" for number in numbers]
    )
    if cents:
        ways.append(f"{whole} {unit} {cents:02d}")
        if language == "fr":
            ways.append(f"{whole}€{cents:02d}")
    return ways
