"""Declared rules: a phrase word for word, sentences of declared words."""

import pytest

from intent_service.normalise import normalise
from intent_service.phrases import read_phrase_set
from intent_service.rules import PhraseRules, Ruling

TEXT = """\
language: fr
polite: [merci, madame, le, c'est]
intents:
  yes:
    only: [oui, bien sûr, d'accord]
    phrases: [oui, bien sûr, je veux bien]
  no:
    only: [non, pas du tout]
    phrases: [non, pas du tout, je ne veux pas]
  zip:
    only: ["{zip_code}"]
    has: ["{zip_code}"]
    phrases: [mon code postal, je vous le donne, le treize mille huit]
"""
ALL = frozenset({"yes", "no", "zip"})


@pytest.fixture(scope="module")
def rules() -> PhraseRules:
    return PhraseRules([read_phrase_set(TEXT, "f.yaml")], lambda text: normalise(text, "fr"))


@pytest.mark.parametrize(
    ("sentence", "ruling"),
    [
        ("je veux bien", Ruling("yes", "phrase")),
        ("Je ne veux pas.", Ruling("no", "phrase")),
        ("oui bien sûr madame", Ruling("yes", "only")),
        ("d'accord, merci", Ruling("yes", "only")),
        ("non merci pas du tout", Ruling("no", "only")),
        ("75 011", Ruling("zip", "only")),
        ("c'est 75011 merci", Ruling("zip", "only")),
        ("alors j'habite dans le 75011 à Paris", Ruling("zip", "has")),
        ("merci", None),
        ("oui non", None),
        ("oui peut-être", None),
        ("", None),
    ],
)
def test_rulings(rules: PhraseRules, sentence: str, ruling: Ruling | None) -> None:
    assert rules.decide(normalise(sentence, "fr"), ALL) == ruling


def test_an_intent_that_is_not_allowed_is_never_ruled(rules: PhraseRules) -> None:
    assert rules.decide("oui", frozenset({"no"})) is None
    assert rules.decide("codepostal", frozenset({"yes", "no"})) is None


def test_held_out_phrases_are_not_known_word_for_word() -> None:
    rules = PhraseRules([read_phrase_set(TEXT, "f.yaml")], lambda text: normalise(text, "fr"), word_for_word=False)
    assert rules.decide(normalise("je veux bien", "fr"), ALL) is None
    assert rules.decide("oui", ALL) == Ruling("yes", "only")
