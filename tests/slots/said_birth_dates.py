"""Says dates of birth as callers do, in words and digits: the parser's other direction, on its own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from tests.slots.spoken import english, french, italian, plain

MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}
ENGLISH_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
AROUND = {
    "fr": ("{}", "je suis née le {}", "c'est le {}", "euh, le {}", "né le {} à Lyon", "ma date de naissance c'est {}"),
    "it": ("{}", "sono nata il {}", "è il {}", "ehm, il {}", "nato il {} a Bari", "la mia data di nascita è {}"),
    "en": ("{}", "I was born on {}", "it's {}", "um, {}", "born {} in Leeds", "my date of birth is {}"),
}


@dataclass(frozen=True)
class Birth:
    """What is said, and the day that it says."""

    said: str
    day: date


def a_day(today: date, rng: random.Random) -> date:
    return today - timedelta(days=rng.randint(0, 119 * 365))


def day_said(day: int, language: str) -> str:
    if language == "fr":
        return "premier" if day == 1 else french(day)
    if language == "it":
        return "primo" if day == 1 else italian(day)
    if day <= 20:
        return ENGLISH_ORDINALS[day - 1]
    tens, unit = divmod(day, 10)
    return {2: "twenty", 3: "thirty"}[tens] + f" {ENGLISH_ORDINALS[unit - 1]}" if unit else "thirtieth"


def years_said(year: int, language: str) -> list[str]:
    """A year in all the ways that leave no doubt about its century."""
    rest = year % 100
    if language == "fr":
        if year >= 2000:
            return [french(year)]
        tail = f" {french(rest)}" if rest else ""
        return [f"mille neuf cent{tail}", f"dix-neuf cent{tail}"]
    if language == "it":
        if year >= 2000:
            return ["duemila" + (italian(rest) if rest else "")]
        return ["millenovecento" + (italian(rest) if rest else "")]
    if year >= 2000:
        ways = ["two thousand" + (f" and {english(rest)}" if rest else "")]
        return ways + ([f"twenty {english(rest)}"] if rest >= 10 else [])
    if rest == 0:
        return ["nineteen hundred"]
    return [f"nineteen {english(rest)}" if rest >= 10 else f"nineteen oh {english(rest)}"]


def said_birth(language: str, today: date, rng: random.Random) -> Birth:
    day = a_day(today, rng)
    month = MONTHS[language][day.month - 1]
    year = rng.choice(years_said(day.year, language))
    short = _short(day, language, today)
    words, number = day_said(day.day, language), str(day.day)
    ways = [
        f"{words} {month} {year}",
        f"{number} {month} {day.year}",
        f"{day:%d/%m/%Y}",
        f"{day:%d.%m.%Y}",
        f"{day:%Y-%m-%d}",
    ]
    if short:
        ways += [f"{words} {month} {short}", f"{day:%d/%m/%y}", f"{number} {month} {day:%y}"]
    match language:
        case "fr":
            ways += [f"{french(day.day)} {_two(day.month, 'zéro', french)} {year}"]
        case "it":
            ways += [f"{italian(day.day)} {italian(day.month)} {year}", f"{words} {month} del {year}"]
            ways += [f"{italian(day.day)} {italian(day.month)} {short}"] if short else []
        case "en":
            ways += [f"the {words} of {month} {year}", f"{month} {words} {year}", f"{month} {day.day}, {day.year}"]
            ways += [f"{month} the {words} {year}"]
    said = rng.choice(AROUND[language]).format(rng.choice(ways))
    return Birth(
        plain(said) if rng.random() < 0.3 and "/" not in said and "-0" not in said and "-1" not in said else said, day
    )


def _short(day: date, language: str, today: date) -> str:
    """The year in two digits, where it can be of one century only."""
    if day.year < 1900 or day.year >= 2000 or day.year % 100 <= today.year % 100 or day.year % 100 < 30:
        return ""
    return {"fr": french, "it": italian, "en": english}[language](day.year % 100)


def _two(number: int, zero: str, words: object) -> str:
    assert callable(words)
    return f"{zero} {words(number)}" if number < 10 else str(words(number))
