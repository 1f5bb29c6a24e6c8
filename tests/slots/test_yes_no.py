"""Yes and no as people say them; above all: what is denied or doubted is never a yes."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import parse
from dialogue.slots.lexicon import LEXICONS

NOW = datetime(2026, 11, 20, 15, 40)

DENIED = {
    "fr": (
        "c'est pas exact", "pas ok", "pas volontiers", "c'est pas très bien", "ce n'est absolument pas exact",
        "je ne pense pas que ce soit exact", "pas vraiment d'accord", "je peux pas dire oui", "je confirme pas",
        "c'est loin d'être exact", "pas parfait", "c'est pas ça du tout", "ça ne marche pas", "c'est jamais correct",
        "aucunement d'accord", "c'est pas exactement ça", "inexact", "C'est pas exact.", "non, c'est pas ça",
    ),
    "it": (
        "non è esatto", "mica giusto", "mica esatto", "non va bene", "non direi che è giusto", "non credo sia corretto",
        "non sono d'accordo", "non confermo", "non mi sembra giusto", "per niente esatto", "non è affatto corretto",
        "neanche giusto", "poco esatto", "scorretto",
        "nient'affatto corretto",
    ),
    "en": (
        "not ok", "I don't think that's correct", "disagree, it is not ok", "that's not right", "it isn't correct",
        "I wouldn't say that's right", "that can't be right", "that doesn't sound good", "hardly correct",
        "I cannot agree", "it's not alright", "not at all okay", "that is far from correct", "that's incorrect",
    ),
}  # fmt: skip
DOUBTED = {
    "fr": (
        "vous êtes sûr que c'est exact",
        "je suis pas sûr", "je ne sais pas si c'est exact", "peut-être", "vous m'avez mal entendu", "si vous voulez",
        "ce n'est pas faux", "j'en doute", "je ne suis pas certain que ce soit correct", "ni oui ni non",
    ),
    "it": ("non sono sicuro", "non ne sono certo", "forse", "è sicuro?", "non so se è giusto", "un certo signore"),
    "en": ("I'm not sure", "are you sure?", "right now", "maybe",
        "I don't know if that's right", "I wouldn't be so sure"),
}  # fmt: skip
AGREED = {
    "fr": (
        "oui", "ok", "c'est exact", "oui c'est exact", "pas de problème", "il n'y a pas de problème", "pourquoi pas",
        "tout à fait exact", "entendu", "parfait", "je dis pas non", "oui, je ne suis pas pressé", "d'accord", "juste",
        "c'est exact n'est-ce pas", "volontiers", "oui oui pas de souci", "si si",
    ),
    "it": (
        "sì", "certo", "sì certo", "esatto", "va bene", "perché no", "nessun problema", "come no", "sicuro", "è giusto",
        "confermo", "non c'è problema", "sì è esatto", "non dico di no",
    ),
    "en": (
        "yes", "sure", "that's right", "right", "okay then", "yes it is", "no problem", "why not", "I don't mind",
        "fine",
        "I'd love to", "sounds good", "you're right", "correct", "I wouldn't say no",
    ),
}  # fmt: skip


def rows(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), rows(DENIED))
def test_a_denied_yes_is_a_no(language: str, text: str) -> None:
    reading = parse("yes_no", text, language, now=NOW)
    assert (reading.value, reading.complete) == (False, True)


@pytest.mark.parametrize(("language", "text"), rows(DOUBTED))
def test_a_doubted_yes_is_nothing(language: str, text: str) -> None:
    reading = parse("yes_no", text, language, now=NOW)
    assert (reading.value, reading.complete) == (None, False)


@pytest.mark.parametrize(("language", "text"), rows(AGREED))
def test_a_yes_is_a_yes(language: str, text: str) -> None:
    reading = parse("yes_no", text, language, now=NOW)
    assert (reading.value, reading.complete) == (True, True)


HEDGES = {
    "fr": ("c'est pas {}", "ce n'est pas {}", "c'est vraiment pas {}", "je ne dirais pas que c'est {}", "plus {}"),
    "it": ("non è {}", "non è proprio {}", "non mi pare {}", "mica tanto {}", "non direi {}"),
    "en": ("that's not {}", "it isn't really {}", "I don't believe it's {}", "not quite {}", "that was never {}"),
}  # fmt: skip
ADJECTIVES = {
    "fr": ("exact", "correct", "juste", "bon", "parfait", "ça", "très bien", "ok"),
    "it": ("esatto", "corretto", "giusto", "perfetto", "vero", "molto bene", "ok"),
    "en": ("right", "correct", "ok", "okay", "fine", "perfect", "great", "all right"),
}


@pytest.mark.parametrize("language", HEDGES)
def test_no_hedge_before_no_word_of_agreement_is_a_yes(language: str) -> None:
    said = [hedge.format(word) for hedge, word in itertools.product(HEDGES[language], ADJECTIVES[language])]
    taken = [text for text in said if parse("yes_no", text, language, now=NOW).value is True]
    assert not taken


@given(st.sampled_from(sorted(LEXICONS)), st.data())
def test_every_yes_of_the_lexicon_is_taken_and_none_behind_a_denial(language: str, data: st.DataObject) -> None:
    yes = data.draw(st.sampled_from(LEXICONS[language].yes))
    denial = {"fr": "c'est pas", "it": "non è", "en": "it's not"}[language]
    assert parse("yes_no", yes, language, now=NOW).value is True
    assert parse("yes_no", f"{denial} {yes}", language, now=NOW).value is not True


@pytest.mark.parametrize("text", ["oui pas de souci", "oui pas de problème", "ok pas de problème", "oui, pas de souci"])
def test_a_yes_before_a_polite_not_is_a_plain_yes(text: str) -> None:
    reading = parse("yes_no", text, "fr", now=NOW)
    assert (reading.value, reading.confidence >= 0.8) == (True, True)
