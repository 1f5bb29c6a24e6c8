# ruff: noqa: E501 - tables
"""Names of people: announced, bare, spelled; and what is none."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import SlotReading, parse
from dialogue.slots.words import fold
from dialogue.values.spoken import spelled
from sayable.spoken import say
from tests.slots.said_names import Named, announced, last_names, letters, spelled_last_name

NOW = datetime(2026, 6, 1, 10)
FLOWS = Path(__file__).resolve().parents[2] / "flows"
ASKED_BELOW = 0.72
LEAST_EXACT = 0.98


def read(text: str, language: str = "fr", previous: str | None = None) -> SlotReading:
    return parse("name", text, language, now=NOW, previous=previous)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@pytest.mark.parametrize("seed", [1, 77])
def test_a_set_of_names_is_read_exactly(language: str, seed: int) -> None:
    rng = random.Random(f"{language}{seed}")
    for make in (announced, spelled_last_name):
        cases: list[Named] = [make(language, rng) for _ in range(300)]
        wrong = [
            f"{case.said!r}: {value}, meant {case.name}"
            for case in cases
            if fold(str(value := read(case.said, language).value)) != fold(case.name)
        ]
        assert len(wrong) <= (1 - LEAST_EXACT) * len(cases), "\n".join(wrong)


@given(st.sampled_from(["fr", "it", "en"]), st.data())
def test_letters_are_written_as_they_were_spelled(language: str, data: st.DataObject) -> None:
    """Any word of consonants, in any of the ways to spell it."""
    word = data.draw(st.text("bcdfglmnprst", min_size=6, max_size=12))
    how = data.draw(st.sampled_from(["signs", "dashes", "named", "shown"]))
    said = letters(word, language, random.Random(data.draw(st.integers(0, 99))), how)
    assert str(read(said, language).value).replace(" ", "").lower() == word, said


@pytest.mark.parametrize("language", ["fr", "it", "en"])
def test_a_name_is_understood_as_we_spell_it_ourselves(language: str) -> None:
    """With the letters' names and pauses that a voice makes of them."""
    for name in last_names(language):
        for said in (spelled(name, language), say(spelled(name, language), language)):
            value = str(read(said, language).value)
            assert fold(value).replace(" ", "") == fold(name).replace(" ", ""), said
        heard = read(f"{name}, {spelled(name, language)}", language)
        assert fold(str(heard.value)) == fold(name)


@given(st.sampled_from(["fr", "it", "en"]), st.data())
def test_letters_win_over_what_was_heard(language: str, data: st.DataObject) -> None:
    heard = data.draw(st.sampled_from([name for name in last_names(language) if name.isalpha() and name.isascii()]))
    letter = data.draw(st.sampled_from("xz"))
    value = read(f"{heard}, {' '.join((heard + letter).upper())}", language)
    assert (str(value.value).lower(), value.confidence >= 0.9) == ((heard + letter).lower(), True)


@pytest.mark.parametrize(
    ("language", "said", "name"),
    [
        ("fr", "nom Dupont prénom Marie", "Marie Dupont"),
        ("fr", "Mon nom est Dupont, mon prénom c'est Marie.", "Marie Dupont"),
        ("fr", "marie dupont non pardon marie durand", "Marie Durand"),
        ("fr", "jean trait d'union pierre martin", "Jean-Pierre Martin"),
        ("fr", "jean de la tour", "Jean de la Tour"),
        ("fr", "mohamed ben ali", "Mohamed Ben Ali"),
        ("fr", "Je m'appelle Karim N'Diaye", "Karim N'Diaye"),
        ("fr", "je m'appelle Claire Petit", "Claire Petit"),
        ("fr", "Dupont avec un d à la fin", "Dupond"),
        ("fr", "Philipe avec deux p", "Philippe"),
        ("fr", "Sarah sans h", "Sara"),
        ("fr", "Marie. M-A-R-I-E. Dupont. D-U-P-O-N-T.", "Marie Dupont"),
        ("fr", "Hélène Lefèvre, L E F E V R E", "Hélène Lefèvre"),
        ("fr", "M-A-R-I-E D-U-P-O-N-T", "Marie Dupont"),
        (
            "fr",
            "Marie du pont, D comme Denise, U comme Ursul, P comme Pierre, O comme Oscar, N comme Nicolas, T comme Thérèse.",
            "Marie Dupont",
        ),
        ("fr", "Anatole Berthe Célestin Désiré", "Abcd"),
        ("it", "cognome Rossi nome Giulia", "Giulia Rossi"),
        ("it", "Michiamo Giulia Bianchi", "Giulia Bianchi"),
        ("it", "R e come Roma, o come utranto, S e come Savona, S e come Savona, e come Imola.", "Rossi"),
        ("it", "V come bologna, R come Roma, U come Udine, N come Napoli, o come Otranto.", "Bruno"),
        ("it", "C come Como, O come Otranto, N come Napoli, ci come Torino, I come Imola", "Conti"),
        ("it", "il cognome è R O doppia S I", "Rossi"),
        ("it", "Domodossola Imola Napoli Ischia", "Dini"),
        ("it", "mi chiamo marco de luca", "Marco De Luca"),
        ("it", "Kevin con la kappa", "Kevin"),
        ("en", "first name John last name Smith", "John Smith"),
        ("en", "Smith, S M Y T H", "Smyth"),
        ("en", "mcdonald", "McDonald"),
        ("en", "graham wood", "Graham Wood"),
        ("en", "sierra mike india tango hotel", "Smith"),
        ("en", "Philip with two p's", "Philipp"),
    ],
)
def test_a_name_in_one_way_or_another(language: str, said: str, name: str) -> None:
    assert read(said, language).value == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("non, Durand", "Marie Durand"),
        ("non, D U P O N D", "Marie Dupond"),
        ("non, avec un d", "Marie Dupond"),
        ("non, Maria", "Maria Dupont"),
        ("non, Paul Martin", "Paul Martin"),
        ("non", None),
        ("oui c'est ça", None),
    ],
)
def test_a_part_of_what_was_read_back_is_corrected(said: str, name: str | None) -> None:
    value = read(said, previous="Marie Dupont").value
    assert value == name or (said == "non, Durand" and value == "Durand")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "non"), ("fr", "Euh..."), ("fr", "oui"), ("fr", "comment ?"), ("fr", "je suis propriétaire"), ("fr", "il y a"),
        ("fr", "soixante-quinze mille onze"), ("fr", "Je voudrais parler à un conseiller"), ("fr", "ah ben alors voilà"),
        ("it", "no"), ("it", "ehm"), ("it", "sono impegnato"), ("it", "un attimo"), ("it", "non ho capito"),
        ("en", "no"), ("en", "um"), ("en", "I'm busy"), ("en", "why are you calling"), ("en", "I can't see it"),
        ("en", "What happened?"), ("en", "call me back"),
    ],
)  # fmt: skip
def test_fillers_refusals_and_other_words_are_no_names(language: str, said: str) -> None:
    assert read(said, language).value is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "dupont"), ("fr", "Locataire."), ("fr", "oumou ndiaye"), ("fr", "Lucas et Emma Bernard"), ("fr", "c'est machin truc"),
        ("fr", "moi c'est l'alsace"), ("it", "il nome della ditta"), ("en", "martin martin"), ("en", "Sean with a u"), ("en", "Smith F M Y T H"),
        # as a small recogniser heard a voice that spelled
        ("fr", "Elle comme lui, eux comme le gène, des conneries, leurs rouls, eux comme le russul et une communique là."),
        ("fr", "L comme Louis, E comme Hégène, Vécon Berth, Erkond Roule, E comme Ursul, N comme Nicolas"),
        ("fr", "Mourou, M. Marcel, O. Muscar, Erkome Roule, E. Khomeugène, A. Khome Anatol, E. Khomeur-Sûl."),
        ("fr", "Mourou, M comme Marcel, D comme Muscar, R comme Roule, E comme Eugène, A Comenatole, E comme Ursul."),
        ("fr", "J'ai comme Gaston, Y comme Irma, Erkome Roule, A Comanatoll, Y comme Ursul, Dès comme Desvieré."),
    ],
)  # fmt: skip
def test_what_may_be_no_name_is_asked(language: str, said: str) -> None:
    reading = read(said, language)
    assert not reading.complete or reading.confidence < ASKED_BELOW


@pytest.mark.parametrize("file", sorted(FLOWS.glob("*/intents.yaml")), ids=lambda path: path.parent.name)
def test_what_callers_say_otherwise_is_taken_for_a_name_by_nobody(file: Path) -> None:
    """The phrases of the intents, but for those that name somebody."""
    intents = yaml.safe_load(file.read_text(encoding="utf-8"))
    phrases = {phrase for phrase in _texts(intents) if phrase}
    sure = [p for p in phrases if (r := read(p, file.parent.name)).complete and r.confidence >= ASKED_BELOW]
    assert len(sure) <= 0.01 * len(phrases), sure


def _texts(node: object) -> list[str]:
    if isinstance(node, dict):
        return [text for value in node.values() for text in _texts(value)]
    if isinstance(node, list):
        return [text for value in node for text in _texts(value)]
    return [node] if isinstance(node, str) else []


def test_a_name_may_go_on_with_its_letters() -> None:
    assert read("je m'appelle Marie Dupont").open
