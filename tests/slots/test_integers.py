# ruff: noqa: E501 - tables
"""Whole numbers within a range: taken when there is one, asked again when there may be another."""

from datetime import datetime

import pytest

from dialogue.slots import parse

NOW = datetime(2026, 6, 1, 10)
# written by hand, not by what reads them
SAID = {
    "fr": {"un": 1, "deux": 2, "douze": 12, "dix-sept": 17, "vingt et un": 21, "trente-deux": 32, "soixante et onze": 71,
           "quatre-vingts": 80, "quatre-vingt-dix-neuf": 99, "cent": 100, "deux cent trois": 203, "mille deux cents": 1200},
    "it": {"uno": 1, "due": 2, "dodici": 12, "diciassette": 17, "ventuno": 21, "trentadue": 32, "settantuno": 71,
           "ottanta": 80, "novantanove": 99, "cento": 100, "duecentotre": 203, "milleduecento": 1200},
    "en": {"one": 1, "two": 2, "twelve": 12, "seventeen": 17, "twenty one": 21, "thirty-two": 32, "seventy one": 71,
           "eighty": 80, "ninety-nine": 99, "one hundred": 100, "two hundred and three": 203},
}  # fmt: skip
AROUND = {
    "fr": ("nous serons {}", "{} personnes", "euh {} s'il vous plaît"),
    "it": ("siamo in {}", "{} persone"),
    "en": ("there are {}", "{} people"),
}


def read(text: str, language: str = "fr", least: int = 0, most: int = 9_999) -> object:
    reading = parse("integer", text, language, now=NOW, least=least, most=most)
    return int(str(reading.value)) if reading.complete else None


@pytest.mark.parametrize(
    ("language", "said", "value"),
    [(language, said, value) for language, all_of in SAID.items() for said, value in all_of.items()],
)
def test_words_and_digits(language: str, said: str, value: int) -> None:
    assert read(said, language) == value
    assert read(str(value), language) == value
    for around in AROUND[language]:
        assert read(around.format(value), language) == value
        if value > 1:  # "un" before a word may be an article
            assert read(around.format(said), language) == value


@pytest.mark.parametrize(
    "text",
    ["deux ou trois", "entre 4 et 6", "", "je ne sais pas", "un conseiller s'il vous plaît", "deux trois", "007"],
)
def test_what_is_not_one_number_is_asked_again(text: str) -> None:
    assert read(text) is None


def test_the_range_is_kept_and_a_correction_counts() -> None:
    assert [read(str(value), least=1, most=12) for value in (0, 1, 12, 13)] == [None, 1, 12, None]
    assert read("trois, non, quatre") == 4


def test_a_number_that_may_go_on_is_open() -> None:
    assert parse("integer", "vingt", "fr", now=NOW).open
    assert not parse("integer", "vingt-deux", "fr", now=NOW).open
    assert not parse("integer", "20", "fr", now=NOW).open
