"""When an Italian caller would like to come: digits as a recogniser writes them, words as callers say them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialogue.slots import parse

NOW = datetime(2026, 1, 14, 10, tzinfo=ZoneInfo("Europe/Rome"))
"""Wednesday."""
MONTHS = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
DAYS = (
    "primo due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove venti ventuno ventidue ventitré ventiquattro venticinque ventisei ventisette "
    "ventotto ventinove trenta trentuno"
).split()


def read(text: str, now: datetime = NOW) -> str | bool | None:
    return parse("date_time", text, "it", now=now, region="IT").value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("oggi", "2026-01-14"),
        ("domani", "2026-01-15"),
        ("dopodomani", "2026-01-16"),
        ("lunedì", "2026-01-19"),
        ("mercoledì", "2026-01-21"),
        ("questo mercoledì", "2026-01-14"),
        ("15 marzo", "2026-03-15"),
        ("quindici marzo", "2026-03-15"),
        ("15/03", "2026-03-15"),
        ("15-03", "2026-03-15"),
        ("15/3/26", "2026-03-15"),
        ("15-03-2026", "2026-03-15"),
        ("10 gennaio", "2027-01-10"),
        ("primo aprile", "2026-04-01"),
        ("fra tre giorni", "2026-01-17"),
        ("tra una settimana", "2026-01-21"),
        ("31/02", None),
        ("15:30", "2026-01-14T15:30"),
        ("alle 15:30", "2026-01-14T15:30"),
        ("alle 15.30", "2026-01-14T15:30"),
        ("domani alle 10.15", "2026-01-15T10:15"),
        ("le 15", "2026-01-14T15:00"),
        ("alle quindici", "2026-01-14T15:00"),
        ("le 15 e 30", "2026-01-14T15:30"),
        ("alle quindici e trenta", "2026-01-14T15:30"),
        ("3 di pomeriggio", "2026-01-14T15:00"),
        ("le tre del pomeriggio", "2026-01-14T15:00"),
        ("domani alle 9 di mattina", "2026-01-15T09:00"),
        ("8 di sera", "2026-01-14T20:00"),
        ("mezzogiorno", "2026-01-14T12:00"),
        ("mezzanotte", "2026-01-15T00:00"),
        ("le tre e mezza", "2026-01-14T15:30"),
        ("le tre meno un quarto", "2026-01-14T14:45"),
        ("domani alle nove e un quarto", "2026-01-15T09:15"),
        ("domani pomeriggio", "2026-01-15T14:00/2026-01-15T18:00"),
        ("venerdì mattina", "2026-01-16T09:00/2026-01-16T12:00"),
        ("domani verso le 10", "2026-01-15T10:00"),
        ("dopo le 17", "2026-01-14T17:00/2026-01-14T20:00"),
        ("29 febbraio", "2028-02-29"),
    ],
)
def test_what_is_said_and_when_it_is(said: str, value: str | None) -> None:
    assert read(said) == value


def test_every_day_of_a_leap_year_in_digits_and_in_words() -> None:
    day = date(2028, 1, 1)
    now = datetime(2027, 12, 31, 10, tzinfo=NOW.tzinfo)
    while day < date(2028, 12, 31):  # which is today in the year before
        month = MONTHS[day.month - 1]
        for said in (f"{day.day} {month}", f"{DAYS[day.day - 1]} {month}", f"{day.day:02d}/{day.month:02d}/2028"):
            assert read(said, now) == day.isoformat(), said
        day += timedelta(days=1)


@pytest.mark.parametrize(
    "said",
    [
        "333 123 7890",
        "3331237890",
        "333.123.78.90",
        "333-123-7890",
        "+39 333 123 7890",
        "0039 3331237890",
        "tre tre tre uno due tre sette otto nove zero",
        "tre tre tre centoventitré settantotto novanta",
        "trecentotrentatré centoventitré settantotto novanta",
        "trentatré trentuno ventitré settantotto novanta",
    ],
)
def test_an_italian_mobile_in_every_grouping(said: str) -> None:
    assert parse("phone", said, "it", now=NOW, region="IT").value == "+393331237890"
