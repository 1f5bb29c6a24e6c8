"""Callers who take something back: corrections in four shapes, back, start again; in each language."""

from __future__ import annotations

import pytest

from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.steering import Correction, correction_of

PROMPTS = dict.fromkeys(("sorry", "bye", *(f"digit_{d}" for d in range(10))), 1_000)
KNOWN = Known(frozenset({"yes", "no", "repeat", "human", "go_back", "start_again", "help"}), frozenset(), PROMPTS)
FLOW = """\
flow: steer
language: LANGUAGE
timezone: Europe/Paris
start: ask_zip
too_long: bye
trouble: {say: sorry, then: bye}
slots:
  zip: zip_code
  heating: {type: choice, choices: {gas: [gaz, gas], oil: [fioul, gasolio, oil]}}
  when: date_time
defaults:
  no_input: {say: sorry, then: bye}
  no_match: {say: sorry, retries: 3, then: bye}
corrections: {say: "Now {corrected}.", unread: "Not read."}
everywhere:
  repeat: {repeat: true}
  go_back: {say: "Going back.", back: true}
  start_again: {restart: ask_zip, keep: [heating]}
states:
  ask_zip: {say: "Zip ?", slot: zip, filled: ask_heating}
  ask_heating: {say: "Heating ?", slot: heating, filled: ask_when}
  ask_when: {say: "When ?", slot: when, filled: recap}
  recap:
    say: "So {zip:written}, {heating}, {when:written} ?"
    answers: {"yes": bye, "no": sorry}
  sorry: {say: sorry, goto: bye}
  bye: {say: bye, hangup: true, outcome: done}
"""
LINES = {
    "fr": ("75011", "gaz", "mardi à dix heures"),
    "it": ("20121", "gas", "martedì alle dieci"),
    "en": ("90210", "gas", "tuesday at ten"),
}


def at_the_recap(language: str, until: int = 3) -> Rehearsal:
    text = FLOW.replace("LANGUAGE", language).replace(
        "timezone", "region: US\ntimezone" if language == "en" else "timezone"
    )
    call = Rehearsal(read_flow(text, f"{language}/steer.yaml", KNOWN), lambda sentence, allowed: Decision())
    for line in LINES[language][:until]:
        call.says(line)
    return call


@pytest.mark.parametrize(
    ("language", "said", "slot", "value"),
    [
        ("fr", "non, pas le gaz, je voulais dire le fioul", "heating", "oil"),
        ("fr", "non pas gaz mais fioul", "heating", "oil"),
        ("fr", "ou plutôt le fioul", "heating", "oil"),
        ("fr", "Je préfère le fioul", "heating", "oil"),
        ("fr", "je me suis trompée, c'est le fioul", "heating", "oil"),
        ("fr", "ah non je me suis trompé c'est au fioul", "heating", "oil"),
        ("fr", "je corrige : soixante-quinze mille douze", "zip", "75012"),
        ("fr", "pardon, je me suis trompé, c'est 75012", "zip", "75012"),
        ("fr", "Plutôt mercredi", "when", "2026-06-03"),
        ("it", "no, non il gas, volevo dire il gasolio", "heating", "oil"),
        ("it", "no non gas intendevo gasolio", "heating", "oil"),
        ("it", "anzi, meglio il gasolio", "heating", "oil"),
        ("it", "anzi preferisco gasolio", "heating", "oil"),
        ("it", "ho sbagliato, è gasolio", "heating", "oil"),
        ("it", "mi sono sbagliata, volevo gasolio", "heating", "oil"),
        ("it", "correggo: gasolio", "heating", "oil"),
        ("it", "mi sono sbagliato è 20122", "zip", "20122"),
        ("en", "no, not gas, I meant oil", "heating", "oil"),
        ("en", "or rather oil", "heating", "oil"),
        ("en", "I was wrong, it's oil", "heating", "oil"),
        ("en", "correction: oil", "heating", "oil"),
        ("en", "let me correct that it is 90211", "zip", "90211"),
    ],
)
def test_the_shapes_of_a_correction(language: str, said: str, slot: str, value: str) -> None:
    call = at_the_recap(language)
    before = dict(call.dialogue.conversation.slots)
    call.says(said)
    after = dict(call.dialogue.conversation.slots)
    assert after[slot].startswith(value)
    assert {name: kept for name, kept in after.items() if name != slot} == {
        n: k for n, k in before.items() if n != slot
    }
    assert call.dialogue.state == "recap"
    assert call.spoken[0].startswith("Now ")
    assert call.spoken[1].startswith("So ")  # the recap is said anew


def test_a_time_that_is_corrected_keeps_its_day_and_a_day_its_time() -> None:
    call = at_the_recap("fr")
    for said, value in (
        ("plutôt à onze heures", "2026-06-02T11:00"),
        ("plutôt mercredi", "2026-06-03T11:00"),
        ("je me suis trompé, c'est demain", "2026-06-02T11:00"),
        ("plutôt jeudi à quinze heures", "2026-06-04T15:00"),
        ("plutôt mardi", "2026-06-02T15:00"),
    ):
        call.says(said)
        assert call.dialogue.conversation.slots["when"] == value


@pytest.mark.parametrize(
    "said",
    [
        "oui",
        "non",
        "plutôt oui",
        "non pas du tout",
        "ce n'est pas ça",
        "je ne suis pas sûr mais bon",
        "pas de problème",
        "plutôt",
        "je corrige",
    ],
)
def test_what_takes_nothing_back(said: str) -> None:
    call = at_the_recap("fr")
    before = dict(call.dialogue.conversation.slots)
    call.says(said)
    assert dict(call.dialogue.conversation.slots) == before
    assert not any(note.what == "corrected" for note in call.noted)


def test_a_correction_that_is_not_read_is_told_and_asked_again() -> None:
    call = at_the_recap("fr")
    call.says("je me suis trompé, c'est euh machin truc")
    assert call.spoken[0] == "Not read."
    assert call.dialogue.state == "ask_when"


def test_what_answers_the_open_question_is_its_answer() -> None:
    call = at_the_recap("fr", until=1)
    call.says("plutôt le gaz")
    assert (call.dialogue.state, dict(call.dialogue.conversation.slots)) == (
        "ask_when",
        {"zip": "75011", "heating": "gas"},
    )
    call.says("je me suis trompé, c'est 75012")
    assert (call.dialogue.state, call.dialogue.conversation.slots["zip"]) == ("ask_when", "75012")


def test_a_correction_may_lead_elsewhere() -> None:
    text = FLOW.replace("LANGUAGE", "fr").replace("  zip: zip_code", "  zip: {type: zip_code, corrected: ask_heating}")
    call = Rehearsal(read_flow(text, "fr/steer.yaml", KNOWN), lambda sentence, allowed: Decision())
    for line in (*LINES["fr"], "je corrige : 75012"):
        call.says(line)
    assert call.dialogue.state == "ask_heating"


def test_back_and_start_again() -> None:
    call = at_the_recap("fr")
    back, again = Decision("go_back", 0.95, fallback=False), Decision("start_again", 0.95, fallback=False)
    call.says("revenez en arrière", back)
    assert (call.dialogue.state, call.spoken) == ("ask_when", ["Going back.", "When ?"])
    assert set(call.dialogue.conversation.slots) == {"zip", "heating"}
    call.says("encore avant", back)
    call.says("encore avant", back)
    call.says("encore avant", back)
    assert (call.dialogue.state, call.spoken) == ("ask_zip", ["Going back.", "Zip ?"])
    assert not call.dialogue.conversation.slots
    for line in LINES["fr"]:
        call.says(line)
    call.says("recommençons", again)
    assert (call.dialogue.state, dict(call.dialogue.conversation.slots)) == ("ask_zip", {"heating": "gas"})


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("back: true}", "back: true, goto: bye}", "cannot have both goto and back"),
        ("restart: ask_zip", "restart: ask_zpi", "unknown state ask_zpi in restart"),
        ("keep: [heating]", "keep: [haeting]", "unknown slot or variable haeting, did you mean heating?"),
        (', unread: "Not read."', "", "corrections needs unread"),
        ("  zip: zip_code", "  zip: {type: zip_code, corrected: nowhere}", "unknown state nowhere in corrected"),
        ('say: "Zip ?"', 'say: "Zip {corrected} ?"', "corrected may be unset here"),
    ],
)
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert FLOW.count(old) == 1
    with pytest.raises(BadFlow, match=fault.replace("?", r"\?")):
        read_flow(FLOW.replace("LANGUAGE", "fr").replace(old, new), "fr/steer.yaml", KNOWN)


def test_the_words_are_the_callers_own() -> None:
    assert correction_of("Non, PAS l'Éléphant, je voulais dire Mme. Châtaignier-Dupré", "fr") == Correction(
        "Mme. Châtaignier-Dupré", "l'Éléphant"
    )
    assert correction_of("x" * 400, "fr") is None
    assert correction_of("", "it") is None
    assert correction_of("plutôt mardi", "de") is None
