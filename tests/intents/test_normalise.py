"""Transcripts in, plain words out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intent_service.normalise import LANGUAGES, normalise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Euh, oui !", "oui"),
        ("D'accord.", "de accord"),
        ("d’accord", "de accord"),
        ("J'ai pas compris", "je ai pas compris"),
        ("je n'ai pas compris", "je ai pas compris"),
        ("Est-ce que vous êtes un robot ?", "vous etes un robot"),
        ("s'il vous plaît", "silvousplait"),
        ("MaPrimeRénov', c'est quoi ?", "maprimerenov ce est quoi"),
        ("ma prime rénov' c'est quoi", "maprimerenov ce est quoi"),
        ("oui oui oui oui oui", "oui oui"),
        ("chauffage au fuel", "chauffage au fioul"),
        ("", ""),
        ("...", ""),
        ("euh ben", ""),
    ],
)
def test_french_words(text: str, words: str) -> None:
    assert normalise(text, "fr") == words


@pytest.mark.parametrize(
    "text",
    [
        "75011",
        "75 011",
        "soixante-quinze mille onze",
        "soixante quinze zéro onze",
        "sept cinq zéro un un",
        "trente-trois mille",
        "zéro six mille",
        "quatre-vingt-treize mille cent",
    ],
)
def test_a_zip_code_is_one_word_however_it_is_written(text: str) -> None:
    assert normalise(text, "fr") == "codepostal"
    assert normalise(f"Mon code postal, c'est {text}.", "fr") == "mon code postal ce est codepostal"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("à 14h30", "a heurejour"),
        ("à quatorze heures", "a heurejour"),
        ("dans une heure", "dans heurejour"),
        ("le dix avril", "le heurejour"),
        ("06 12 34 56 78", "numtelephone"),
        ("mille neuf cent soixante-dix", "nombre"),
        ("deux secondes", "nombre secondes"),
        ("c'est une maison", "ce est une maison"),
    ],
)
def test_other_numbers_are_words_for_their_kind(text: str, words: str) -> None:
    assert normalise(text, "fr") == words


def test_kinds_of_words_stand_for_their_members() -> None:
    assert normalise("J'habite à Nîmes", "fr", {"nimes": "ville"}) == "je habite a ville"


@given(st.text(max_size=80), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_gives_plain_words_and_twice_is_once(text: str, language: str) -> None:
    once = normalise(text, language)
    assert once == " ".join(once.split())
    assert once.isascii()
    assert once == once.lower()


@given(st.sampled_from(["Êtes-vous propriétaire ?", "où ça coûte cher", "NON ça m'intéresse pas"]))
def test_case_and_accents_change_nothing(text: str) -> None:
    bare = "".join({"Ê": "E", "ê": "e", "é": "e", "ù": "u", "ç": "c", "û": "u"}.get(sign, sign) for sign in text)
    assert normalise(text, "fr") == normalise(bare.upper(), "fr") == normalise(text.lower(), "fr")
