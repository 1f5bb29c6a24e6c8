# ruff: noqa: E501 - tables
"""Amounts of money: exact to the cent, in words and digits; two amounts are none, vague ones are asked."""

from __future__ import annotations

import random
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import SlotReading, parse
from dialogue.values.spoken import spoken
from dialogue.values.value_types import Locale, ValueType, stored
from tests.slots.said_money import CURRENCY, said_sum

NOW = datetime(2026, 6, 1, 10)
ASKED_BELOW = 0.72
LEAST_EXACT = 0.98


def read(
    text: str, language: str = "fr", currency: str = "", previous: str | None = None, most: int = 1_000_000
) -> SlotReading:
    return parse(
        "money", text, language, now=NOW, currency=currency or CURRENCY[language], previous=previous, most=most
    )


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@pytest.mark.parametrize("seed", [9, 64])
def test_a_set_of_amounts_is_read_exactly(language: str, seed: int) -> None:
    rng = random.Random(f"{language}{seed}")
    cases = [said_sum(language, rng) for _ in range(600)]
    wrong = [
        f"{case.said!r}: {value}, meant {case.amount}"
        for case in cases
        if (value := read(case.said, language).value) != f"{case.amount:.2f}"
    ]
    assert len(wrong) <= (1 - LEAST_EXACT) * len(cases), "\n".join(wrong)


@given(st.integers(0, 99_999_999), st.sampled_from(["fr", "it", "en"]))
def test_every_amount_is_understood_as_we_say_it_ourselves(cents: int, language: str) -> None:
    amount = f"{Decimal(cents) / 100:.2f}"
    kind = ValueType("money", currency=CURRENCY[language])
    where = Locale(language)
    said = spoken(kind, amount, where, date(2026, 6, 1))
    assert read(said, language).value == amount, said
    assert stored(kind, amount, where) == amount


@pytest.mark.parametrize(
    ("language", "said", "amount"),
    [
        ("fr", "mille deux cents euros cinquante", "1200.50"), ("fr", "12€50", "12.50"), ("fr", "12.50", "12.50"),
        ("fr", "1 200,50 €", "1200.50"), ("fr", "douze euros cinquante cents", "12.50"), ("fr", "3 mille 500 euros", "3500.00"),
        ("fr", "un million d'euros", "1000000.00"), ("fr", "1,2 million d'euros", "1200000.00"), ("fr", "mille cinq cents", "1500.00"),
        ("fr", "cent euros, non, cent dix", "110.00"), ("fr", "j'ai deux factures de cent euros", "100.00"),
        ("fr", "quatre-vingt-dix-neuf euros quatre-vingt-dix-neuf", "99.99"), ("fr", "zéro euro", "0.00"),
        ("it", "centoventi euro e cinquanta", "120.50"), ("it", "due euro e mezzo", "2.50"), ("it", "1.200,50", "1200.50"),
        ("it", "cinquanta centesimi", "0.50"),
        ("en", "twelve pounds fifty", "12.50"), ("en", "£1,200.50", "1200.50"), ("en", "fifty quid", "50.00"),
        ("en", "two grand", "2000.00"), ("en", "a pound", "1.00"), ("en", "two and a half pounds", "2.50"),
        # none
        ("fr", "entre cinquante et cent euros", None), ("fr", "cinquante euros ou soixante euros", None),
        ("fr", "de 50 à 100 euros", None), ("fr", "une centaine d'euros", None), ("fr", "cinquante dollars", None),
        ("fr", "un conseiller", None), ("fr", "je ne sais pas", None), ("it", "non lo so", None),
        ("en", "fifty dollars", None), ("en", "a human please", None), ("en", "forty pounds or fifty pounds", None), ("en", "it is two weeks", None), ("fr", "dans deux minutes", None),
    ],
)  # fmt: skip
def test_an_amount_and_what_is_none(language: str, said: str, amount: str | None) -> None:
    reading = read(said, language, most=99_999_999)
    assert (reading.value, reading.complete) == (amount, amount is not None)


def test_the_currency_is_that_of_the_slot() -> None:
    assert read("fifty dollars", "en", "USD").value == "50.00"
    assert read("cinquante francs suisses", "fr", "CHF").value == "50.00"
    assert read("€50", "en", "GBP").value is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "environ cinquante euros"), ("fr", "plus de cent euros"), ("fr", "12 euros 5"), ("fr", "1,200 euros"),
        ("it", "circa cento euro"), ("en", "twelve fifty"), ("en", "nineteen ninety nine"), ("en", "about fifty pounds"),
        ("en", "what is new in 2019 for me"),
    ],
)  # fmt: skip
def test_what_is_vague_or_may_be_another_amount_is_asked(language: str, said: str) -> None:
    reading = read(said, language)
    assert reading.complete
    assert reading.confidence < ASKED_BELOW


def test_the_range_is_kept_and_cents_may_follow() -> None:
    assert [read(said, most=100).value for said in ("cent euros", "cent euros dix")] == ["100.00", None]
    assert read("douze euros").open
    assert not read("douze euros cinquante").open
    assert read("non, soixante centimes", previous="12.50").value == "12.60"
    assert read("non, treize euros", previous="12.50").value == "13.00"


@given(
    st.lists(
        st.sampled_from(
            "un deux cent cents mille euros euro et cinquante 12 12,50 € centimes virgule ou environ demi non".split()
        )
    )
)
def test_whatever_is_read_is_an_amount(words: list[str]) -> None:
    reading = read(" ".join(words))
    if reading.complete:
        assert Decimal(str(reading.value)) == Decimal(str(reading.value)).quantize(Decimal("0.01")) >= 0
