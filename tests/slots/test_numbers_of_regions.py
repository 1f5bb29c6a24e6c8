"""Telephone numbers, postal codes and digits by region, in words and in digits alike."""

from __future__ import annotations

from datetime import datetime

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import parse
from tests.slots.spoken import french_group

NOW = datetime(2026, 11, 20, 15, 40)
OVERSEAS = {
    "0590": "+590", "0690": "+590", "0691": "+590", "0594": "+594", "0694": "+594", "0596": "+596", "0696": "+596",
    "0697": "+596", "0262": "+262", "0269": "+262", "0692": "+262", "0693": "+262", "0639": "+262",
}  # fmt: skip


@given(st.sampled_from(sorted(OVERSEAS)), st.integers(0, 999_999), st.sampled_from(["FR", "RE", "MQ", ""]))
def test_an_overseas_number_gets_its_own_country_code(prefix: str, rest: int, region: str) -> None:
    digits = f"{prefix}{rest:06d}"
    pairs = [digits[at : at + 2] for at in range(0, 10, 2)]
    spoken = parse("phone", " ".join(map(french_group, pairs)), "fr", now=NOW, region=region)
    assert spoken.value == f"{OVERSEAS[prefix]}{digits[1:]}" or spoken.confidence < 0.8  # "quatre vingt" may be 80
    for text in (" ".join(pairs), digits, f"{digits[:4]} {' '.join(pairs[2:])}"):
        reading = parse("phone", text, "fr", now=NOW, region=region)
        assert reading.value == f"{OVERSEAS[prefix]}{digits[1:]}"
        if not phonenumbers.is_valid_number(phonenumbers.parse(str(reading.value))):
            assert reading.confidence < 0.8


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("333 123 4567", "it", "+393331234567"),
        ("tre tre tre uno due tre quattro cinque sei sette", "it", "+393331234567"),
        ("06 6982 1234", "it", "+390669821234"),
        ("07911 123456", "en", "+447911123456"),
        ("oh seven nine one one one two three four five six", "en", "+447911123456"),
        ("+262 692 12 34 56", "fr", "+262692123456"),
        ("00 262 692 12 34 56", "fr", "+262692123456"),
        ("+377 93 15 12 34", "fr", "+37793151234"),
        ("06 12 34 56 78", "fr", "+33612345678"),
        ("06 12 34 56", "fr", None),
        ("0508 41 12 34", "fr", "+508411234"),
    ],
)
def test_a_number_without_a_region_is_one_of_the_languages_country(text: str, language: str, value: str | None) -> None:
    assert parse("phone", text, language, now=NOW).value == value


def test_a_number_without_its_leading_zero_is_asked_about() -> None:
    reading = parse("phone", "6 12 34 56 78", "fr", now=NOW)
    assert (reading.value, reading.confidence < 0.8) == ("+33612345678", True)


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("98000 Monaco", "fr", "98000"),
        ("deux A zéro zéro quatre", "fr", None),
        ("2A004", "fr", None),
        ("deux B", "fr", None),
        ("deux B, deux zéro deux zéro zéro", "fr", "20200"),
        ("20 000 Ajaccio", "fr", "20000"),
        ("soixante-quinze point zéro onze", "fr", "75011"),
        ("le département c'est le soixante-quinze et le code zéro onze", "fr", "75011"),
        ("le 75 et ensuite 011", "fr", "75011"),
        ("j'ai 75 ans et 011 enfants", "fr", None),
        ("75008 Paris Cedex 08", "fr", "75008"),
        ("987 14", "fr", "98714"),
        ("97400", "fr", "97400"),
        ("97999", "fr", None),
        ("99100", "fr", None),
        ("96000", "fr", None),
        ("75 11 11", "fr", None),
        ("75 mille 11", "fr", "75011"),
        ("75 0 11", "fr", "75011"),
        ("00184", "it", "00184"),
        ("zero zero uno otto quattro", "it", "00184"),
        ("SW1A 1AA", "en", "SW1A 1AA"),
        ("S W one A one A A", "en", "SW1A 1AA"),
        ("it's M1 1AE please", "en", "M1 1AE"),
        ("S W one A one double A", "en", "SW1A 1AA"),
        ("75011", "en", None),
    ],
)
def test_a_postal_code_of_the_languages_country(text: str, language: str, value: str | None) -> None:
    reading = parse("zip_code", text, language, now=NOW)
    assert (reading.value, reading.complete) == (value, value is not None)


def test_a_code_that_was_put_together_is_asked_about() -> None:
    said = "le département c'est le soixante-quinze et le code zéro onze"
    assert parse("zip_code", said, "fr", now=NOW).confidence < 0.8


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("attendez une seconde", "fr", None),
        ("euh un instant", "fr", None),
        ("deux minutes s'il vous plaît", "fr", None),
        ("je vous passe un collègue", "fr", None),
        ("one moment please", "en", None),
        ("just a second", "en", None),
        ("un attimo", "it", None),
        ("due minuti", "it", None),
        ("un deux trois quatre", "fr", "1234"),
        ("c'est le un", "fr", "1"),
        ("12 34 un", "fr", "12341"),
        ("one two one three", "en", "1213"),
        ("zéro zéro sept", "fr", "007"),
    ],
)
def test_digits_are_digits_and_no_articles(text: str, language: str, value: str | None) -> None:
    assert parse("digits", text, language, now=NOW).value == value


@pytest.mark.parametrize(("text", "complete"), [("12 34", False), ("12 34 56", True), ("12 34 56 78 9", False)])
def test_digits_have_the_length_that_is_asked_for(text: str, complete: bool) -> None:
    assert parse("digits", text, "fr", now=NOW, least_digits=6, most_digits=8).complete is complete
