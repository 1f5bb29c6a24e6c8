"""Dates of birth: past, whole, within 120 years; by region; asked when they may be two."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import SlotReading, parse
from tests.slots.said_birth_dates import said_birth

TODAY = date(2026, 1, 14)
ASKED_BELOW = 0.72
LEAST_EXACT = 0.99


def read(text: str, language: str = "fr", region: str = "", previous: str | None = None) -> SlotReading:
    now = datetime(TODAY.year, TODAY.month, TODAY.day, 10)
    return parse("birth_date", text, language, now=now, region=region, previous=previous)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@pytest.mark.parametrize("seed", [3, 58])
def test_a_set_of_dates_is_read_exactly(language: str, seed: int) -> None:
    rng = random.Random(f"{language}{seed}")
    cases = [said_birth(language, TODAY, rng) for _ in range(600)]
    wrong = [
        f"{case.said!r}: {value}, meant {case.day}"
        for case in cases
        if (value := read(case.said, language).value) != case.day.isoformat()
    ]
    assert len(wrong) <= (1 - LEAST_EXACT) * len(cases), "\n".join(wrong)


@pytest.mark.parametrize(
    ("language", "region", "said", "day"),
    [
        ("it", "IT", "20 giugno 1995", "1995-06-20"),
        ("it", "IT", "venti sei novantacinque", "1995-06-20"),
        ("it", "IT", "20/06/95", "1995-06-20"),
        ("it", "IT", "il 3 maggio dell'ottantacinque", "1985-05-03"),
        ("fr", "FR", "12031985", "1985-03-12"),
        ("fr", "FR", "120385", "1985-03-12"),
        ("fr", "FR", "douze du trois quatre-vingt-cinq", "1985-03-12"),
        ("fr", "FR", "j'ai 40 ans, je suis né le 12 mars 1985", "1985-03-12"),
        ("fr", "FR", "12 mars 1985, non, 1986", "1986-03-12"),
        ("fr", "FR", "trente et un décembre deux mille", "2000-12-31"),
        ("fr", "FR", "29 février 1984", "1984-02-29"),
        ("fr", "FR", "né aujourd'hui, le 14 janvier 2026", "2026-01-14"),
        ("en", "GB", "3/4/1985", "1985-04-03"),
        ("en", "US", "3/4/1985", "1985-03-04"),
        ("en", "US", "13/4/1985", "1985-04-13"),
        ("en", "GB", "twenty sixth of june twenty twelve", "2012-06-26"),
        # nothing that is over and whole
        ("fr", "FR", "31/02/1985", None),
        ("fr", "FR", "29 février 1985", None),
        ("fr", "FR", "15 janvier 2026", None),
        ("fr", "FR", "12 mars 2030", None),
        ("fr", "FR", "12 mars 1850", None),
        ("fr", "FR", "12 mars", None),
        ("fr", "FR", "1985", None),
        ("fr", "FR", "hier", None),
        ("fr", "FR", "06 12 34 56 78", None),
        ("it", "IT", "domani", None),
        ("en", "GB", "may I ask why", None),
    ],
)
def test_a_date_and_what_is_none(language: str, region: str, said: str, day: str | None) -> None:
    reading = read(said, language, region)
    assert (reading.value, reading.complete) == (day, day is not None)


@pytest.mark.parametrize(
    ("language", "region", "said"),
    [
        ("fr", "FR", "12 mars 12"),  # 2012 or 1912
        ("fr", "FR", "dix neuf quatre vingt cinq"),  # 10/9/85 or 19/4/25
        ("en", "CA", "3/4/1985"),
    ],
)
def test_what_may_be_two_dates_is_asked(language: str, region: str, said: str) -> None:
    assert read(said, language, region).confidence < ASKED_BELOW


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("non, 1986", "1986-03-12"),
        ("non, quatre-vingt-six", "1986-03-12"),
        ("non, le treize", "1985-03-13"),
        ("non, avril", "1985-04-12"),
        ("non, le 14 avril", "1985-04-14"),
        ("non", None),
        ("oui", None),
    ],
)
def test_a_part_of_what_was_read_back_is_corrected(said: str, day: str | None) -> None:
    assert read(said, previous="1985-03-12").value == day


def test_a_year_that_may_go_on_is_open() -> None:
    assert read("douze mars mille neuf cent quatre-vingt").open
    assert not read("douze mars mille neuf cent quatre-vingt-cinq").open
    assert read("douze mars").open


@given(st.dates(date(1800, 1, 1), date(2200, 1, 1)), st.sampled_from(["fr", "it", "en"]))
def test_never_in_the_future_and_never_older_than_anybody(day: date, language: str) -> None:
    for said in (f"{day:%d/%m/%Y}", f"{day:%d/%m/%y}", f"{day:%Y-%m-%d}"):
        reading = read(said, language, "FR")
        if reading.value is not None:
            read_day = date.fromisoformat(str(reading.value))
            assert TODAY - timedelta(days=120 * 366) <= read_day <= TODAY
            assert (read_day.month, read_day.day) == (day.month, day.day)
    if date(1906, 2, 1) <= day <= TODAY:
        assert read(f"{day:%d/%m/%Y}", language, "FR").value == day.isoformat()
