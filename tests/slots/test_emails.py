"""E-mail addresses: spoken, spelled, written; valid, or asked."""

from __future__ import annotations

import random
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import SlotReading, parse
from dialogue.values.value_types import BadValue, Locale, ValueType, stored
from sayable.spoken import say
from tests.slots.said_emails import an_address, said_address

NOW = datetime(2026, 6, 1, 10)
ASKED_BELOW = 0.72
LEAST_EXACT = 0.98


def read(text: str, language: str = "fr", previous: str | None = None) -> SlotReading:
    return parse("email", text, language, now=NOW, previous=previous)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@pytest.mark.parametrize("seed", [5, 91])
def test_a_set_of_addresses_is_read_exactly(language: str, seed: int) -> None:
    rng = random.Random(f"{language}{seed}")
    cases = [said_address(language, rng) for _ in range(500)]
    wrong = [
        f"{case.said!r}: {value}, meant {case.address}"
        for case in cases
        if (value := read(case.said, language).value) != case.address
    ]
    assert len(wrong) <= (1 - LEAST_EXACT) * len(cases), "\n".join(wrong)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
def test_an_address_is_understood_as_we_say_it_ourselves(language: str) -> None:
    rng = random.Random(language)
    addresses = [an_address(language, rng) for _ in range(200)]
    wrong = [
        f"{said}: {value}"
        for address in addresses
        if (value := read(said := say(address, language), language).value) != address
    ]
    assert len(wrong) <= 0.02 * len(addresses), "\n".join(wrong)


@pytest.mark.parametrize(
    ("language", "said", "address"),
    [
        ("fr", "m comme marie point dupont arobase gmail point com", "m.dupont@gmail.com"),
        ("fr", "j point dupont arobase la poste point net", "j.dupont@laposte.net"),
        ("fr", "le point goff arobase sfr point f r", "le.goff@sfr.fr"),
        ("fr", "ben point ali arobase gmail point comme", "ben.ali@gmail.com"),
        ("fr", "M-A-R-I-E arobase free point fr", "marie@free.fr"),
        ("fr", "marie dupont tout attaché arobase gmail point com", "mariedupont@gmail.com"),
        ("fr", "hélène point noël arobase free point fr", "helene.noel@free.fr"),
        ("fr", "marie point dupont arobase gmail point com non pardon yahoo point fr", "marie.dupont@yahoo.fr"),
        ("it", "emme punto rossi chiocciola virgilio punto it", "m.rossi@virgilio.it"),
        ("it", "Giulia.Rossi chiocciò la libero.it", "giulia.rossi@libero.it"),
        ("it", "giulia trattino basso rossi ottantacinque chiocciola libero punto it", "giulia_rossi85@libero.it"),
        ("en", "john at smith hyphen and hyphen sons dot co dot uk", "john@smith-and-sons.co.uk"),
        # none
        ("fr", "je n'ai pas d'adresse mail", None), ("fr", "oui", None), ("fr", "marie point dupont", None),
        ("fr", "arobase gmail point com", None), ("it", "non ho la mail", None), ("en", "meet me at noon", None),
        ("fr", "..@gmail.com", None), ("fr", "marie@gmail", "marie@gmail.com"), ("fr", "marie@hotmail", None),
    ],
)  # fmt: skip
def test_an_address_in_one_way_or_another(language: str, said: str, address: str | None) -> None:
    assert read(said, language).value == address


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "marie dupont arobase gmail point com"),  # one word, or with a dot that was not heard
        ("fr", "marie arobase gémail point com"),
        ("fr", "marie arobase gmail"),
        ("fr", "marie arobase gmail point fr"),
        ("fr", "jean-pierre point martin arobase gmail point com"),
        ("fr", "marie arobase dupont point photographie"),
    ],
)
def test_what_may_be_another_address_is_asked(language: str, said: str) -> None:
    reading = read(said, language)
    assert reading.complete
    assert reading.confidence < ASKED_BELOW


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("non, arobase free point fr", "marie.dupont@free.fr"),
        ("non, yahoo point fr", "marie.dupont@yahoo.fr"),
        ("non, marie tiret dupont", "marie-dupont@gmail.com"),
        ("non, c'est marie.durand@gmail.com", "marie.durand@gmail.com"),
        ("non", None),
        ("oui c'est ça", None),
    ],
)
def test_a_half_of_what_was_read_back_is_corrected(said: str, address: str | None) -> None:
    assert read(said, previous="marie.dupont@gmail.com").value == address


@given(
    st.lists(
        st.sampled_from([*"abc.-_@+1 ", "point", "arobase", "gmail", "com", "deux", "double", "tiret", "l'"]),
        max_size=30,
    ),
    st.sampled_from(["fr", "it", "en"]),
)
def test_whatever_is_read_is_an_address(words: list[str], language: str) -> None:
    reading = read(" ".join(words), language)
    if reading.complete:
        assert re.fullmatch(
            r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}", str(reading.value)
        )
        assert stored(ValueType("email"), reading.value, Locale()) == reading.value


def test_an_address_from_outside_is_kept_in_lower_case_and_anything_else_refused() -> None:
    assert stored(ValueType("email"), "Marie.Dupont@Example.COM", Locale()) == "marie.dupont@example.com"
    for given_ in ("marie", "marie@", "@x.fr", "a b@c.fr", "a..b@c.fr", "marie@gmail"):
        with pytest.raises(BadValue, match=r"must be an? email"):
            stored(ValueType("email"), given_, Locale())
