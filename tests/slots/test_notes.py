# ruff: noqa: E501 - tables
"""Free notes: as they were said, within a length; a bare yes, a bare no and "nothing" are none."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import SlotReading, parse

NOW = datetime(2026, 6, 1, 10)
SAID = {
    "fr": "Sonnez deux fois, l'interphone est cassé.",
    "it": "Citofonare due volte, grazie: c'è un cane!",
    "en": "Please ring twice, there's a dog - he's nice.",
}


def read(text: str, language: str = "fr", most: int = 500) -> SlotReading:
    return parse("note", text, language, now=NOW, most_characters=most)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
def test_a_note_is_kept_as_it_was_said(language: str) -> None:
    reading = read(SAID[language], language)
    assert (reading.value, reading.complete, reading.open) == (SAID[language], True, True)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "oui"), ("fr", "non merci"), ("fr", "Non, rien."), ("fr", "rien à ajouter"), ("fr", "euh"), ("fr", ""),
        ("it", "sì"), ("it", "no grazie"), ("it", "niente"), ("it", "no, nient'altro"), ("it", "ehm"),
        ("en", "yes"), ("en", "no thanks"), ("en", "nothing"), ("en", "no, that's all"), ("en", "um"),
    ],
)  # fmt: skip
def test_a_bare_answer_is_no_note(language: str, said: str) -> None:
    assert read(said, language).value is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "non, il faut passer par la cour"), ("fr", "oui, je suis allergique aux noix"), ("fr", "rien que des lis blancs"),
        ("it", "no, passate dal cortile"), ("en", "no nuts please"), ("en", "nothing with gluten"),
    ],
)  # fmt: skip
def test_a_note_may_begin_like_an_answer(language: str, said: str) -> None:
    assert read(said, language).value == said


def test_a_note_that_is_too_long_is_not_cut() -> None:
    assert read("a b c d e", most=9).value == "a b c d e"
    assert not read("a b c d e f", most=9).complete


@given(st.text(max_size=600), st.sampled_from(["fr", "it", "en"]), st.integers(1, 500))
def test_a_note_is_never_longer_than_it_may_be_and_never_other_words(text: str, language: str, most: int) -> None:
    reading = read(text, language, most)
    if reading.complete:
        assert len(str(reading.value)) <= most
        assert str(reading.value).split() == text.split()
