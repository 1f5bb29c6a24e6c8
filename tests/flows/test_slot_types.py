"""Slots of every newer type in a whole conversation: asked, read back, recapped, corrected; in each language."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.values.value_types import value
from dialogue.variables import scope_of

PROMPTS = dict.fromkeys(("sorry", "bye", *(f"digit_{d}" for d in range(10))), 1_000)
KNOWN = Known(frozenset({"yes", "no", "repeat", "human", "fuel"}), frozenset(), PROMPTS)
FLOW = """\
flow: form
language: LANGUAGE
start: ask_name
too_long: bye
trouble: {say: sorry, then: bye}
slots:
  name: name
  born: birth_date
  email: email
  budget: {type: money, range: [10, 5000]}
  remark: {type: note, length: 60}
  fuel: {type: choice, choices: {gas: [gaz, gas], oil: [fioul, gasolio, oil]}}
defaults:
  no_input: {say: sorry, then: bye}
  no_match: {say: sorry, retries: 3, then: bye}
corrections: {say: "Now {corrected}.", unread: "Not read."}
everywhere:
  repeat: {repeat: true}
  human: {say: sorry, goto: bye}
states:
  ask_name: {say: "Name ?", slot: name, read_back: ["{name}", "That is {name:spelled} ?"], filled: ask_born}
  ask_born: {say: "Born ?", slot: born, read_back: ["{born} ?"], filled: ask_email}
  ask_email: {say: "E-mail ?", slot: email, filled: ask_budget}
  ask_budget: {say: "Budget ?", slot: budget, filled: ask_remark}
  ask_remark: {say: "Remark ?", slot: remark, filled: ask_fuel, answers: {"no": {set: {remark: none}, goto: ask_fuel}}}
  ask_fuel: {say: "Fuel ?", slot: fuel, filled: recap}
  recap:
    say: "So {name}, {born}, {email}, {budget}, {remark}, {fuel} ?"
    answers: {"yes": bye, "no": sorry}
  sorry: {say: sorry, goto: bye}
  bye: {say: bye, hangup: true, outcome: done}
"""
BORN = {
    "fr": "douze mars quatre-vingt-cinq",
    "it": "dodici marzo ottantacinque",
    "en": "march twelfth nineteen eighty five",
}
MARIE = "marie.dupont@gmail.com"
FUEL = {"fr": "gaz", "it": "gaz", "en": "gaz"}
EMAIL = {
    "fr": "marie point dupont arobase gmail point com",
    "it": "marie punto dupont chiocciola gmail punto com",
    "en": "marie dot dupont at gmail dot com",
}
BUDGET = {
    "fr": "mille deux cents euros cinquante",
    "it": "milleduecento euro e cinquanta",
    "en": "twelve hundred pounds fifty",
}
REMARK = {"fr": "Sonnez deux fois.", "it": "Suonare due volte.", "en": "Please ring twice."}
SAID_BUDGET = {"fr": "1200 euros 50", "it": "1200 euro e 50", "en": "1200 pounds 50"}
YES = {"fr": "oui", "it": "sì", "en": "yes"}
HUMAN = ("un conseiller s'il vous plaît", "un operatore per favore", "an adviser please")


def resolved(sentence: str, allowed: object) -> Decision:
    return Decision("human", 0.95, fallback=False) if sentence in HUMAN else Decision()


def a_call(language: str) -> Rehearsal:
    return Rehearsal(read_flow(FLOW.replace("LANGUAGE", language), f"{language}/form.yaml", KNOWN), resolved)


def at_the_recap(language: str) -> Rehearsal:
    call = a_call(language)
    for line in (
        "Marie Dupont",
        YES[language],
        BORN[language],
        YES[language],
        EMAIL[language],
        BUDGET[language],
        REMARK[language],
        "gas",
    ):
        call.says(line)
    assert call.dialogue.state == "recap"
    return call


def slots(call: Rehearsal) -> dict[str, str]:
    return dict(call.dialogue.conversation.slots)


@pytest.mark.parametrize(
    ("language", "said", "spelled", "name"),
    [
        (
            "fr",
            "je m'appelle Anne-Lise d'Arc",
            "A, N, N, E, trait d'union, L, I, S, E; D, apostrophe, A, R, C",
            "Anne-Lise d'Arc",
        ),
        ("it", "sono niccolò rossi", "N, I, C, C, O, L, Ò; R, O, S, S, I", "Niccolò Rossi"),
        ("en", "it's Siobhan O'Brien", "S, I, O, B, H, A, N; O, apostrophe, B, R, I, E, N", "Siobhan O'Brien"),
    ],
)
def test_a_name_is_read_back_and_spelled(language: str, said: str, spelled: str, name: str) -> None:
    call = a_call(language)
    call.says(said)
    assert call.spoken == [name, f"That is {spelled} ?"]
    call.says(YES[language])
    assert slots(call) == {"name": name}


SENDING = """\
actions:
  create:
    post: "https://shop.example/clients"
    body: {nome: "{name:first}", "cognome?": "{name:last}"}
    purpose: "{name}"
"""


@pytest.mark.parametrize(
    ("said", "body"),
    [("Jean de la Tour", {"nome": "Jean", "cognome": "de la Tour"}), ("Marie", {"nome": "Marie"})],
)
def test_the_parts_of_a_name_are_sent_by_themselves(said: str, body: dict[str, str]) -> None:
    text = (
        FLOW.replace("LANGUAGE", "fr")
        .replace("states:\n", SENDING + "states:\n")
        .replace("filled: ask_born", "filled: send")
    )
    text = text.replace(
        "  recap:\n", "  send: {action: create, outcomes: {ok: ask_born}, otherwise: sorry}\n  recap:\n"
    )
    call = Rehearsal(read_flow(text, "fr/form.yaml", KNOWN), resolved)
    call.says(said)
    call.says("oui")
    (asked,) = [effect for effect in call.asked_for if "body" in effect.arguments]
    assert json.loads(asked.arguments["body"]) == body


def test_the_first_name_is_said_alone_and_only_names_have_one() -> None:
    text = FLOW.replace("LANGUAGE", "fr").replace('say: "Born ?"', 'say: "{name:first}, née {name:last}, born ?"')
    call = Rehearsal(read_flow(text, "fr/form.yaml", KNOWN), resolved)
    call.says("Marie Dupont")
    call.says("oui")
    assert call.spoken == ["Marie, née Dupont, born ?"]
    with pytest.raises(BadFlow, match="only a name has a first"):
        read_flow(text.replace("{born}, {email}", "{born:first}, {email}"), "fr/form.yaml", KNOWN)


def test_letters_correct_the_name_that_was_read_back() -> None:
    call = a_call("fr")
    call.says("Marie Dupont")
    call.says("non, D U P O N D")
    assert call.dialogue.conversation.tentative == "Marie Dupond"
    call.says("oui")
    assert (slots(call), call.dialogue.state) == ({"name": "Marie Dupond"}, "ask_born")


@pytest.mark.parametrize("said", ["non", "euh", "je ne sais pas", "attendez"])
def test_what_is_no_name_fills_nothing(said: str) -> None:
    call = a_call("fr")
    call.says(said)
    assert (slots(call), call.dialogue.conversation.tentative) == ({}, None)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
def test_an_intent_is_no_name(language: str) -> None:
    call = a_call(language)
    call.says(HUMAN[("fr", "it", "en").index(language)])
    assert (slots(call), call.dialogue.state) == ({}, "bye")


@pytest.mark.parametrize(
    ("language", "said", "name"),
    [
        ("fr", "je me suis trompée, c'est Marie Durand", "Marie Durand"),
        ("fr", "non, pas Marie Dupont, je voulais dire Julie Dupont", "Julie Dupont"),
        ("fr", "je corrige : D U P O N D", "Marie Dupond"),
        ("it", "ho sbagliato, è Maria Dupont", "Maria Dupont"),
        ("en", "I was wrong, it's Mary Dupont", "Mary Dupont"),
    ],
)
def test_a_name_is_corrected_at_the_recap(language: str, said: str, name: str) -> None:
    call = at_the_recap(language)
    call.says(said)
    assert slots(call)["name"] == name
    assert call.spoken[0] == f"Now {name}."


def test_another_answer_is_not_taken_for_a_name_in_a_correction() -> None:
    call = at_the_recap("fr")
    call.says("je me suis trompé, c'est le fioul")
    assert slots(call) == {
        "name": "Marie Dupont",
        "born": "1985-03-12",
        "email": MARIE,
        "budget": "1200.50",
        "remark": "Sonnez deux fois.",
        "fuel": "oil",
    }


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "12 mars 1985"), ("it", "12 marzo 1985"), ("en", "12 March 1985")]
)
def test_a_date_of_birth_is_said_without_its_day_of_the_week(language: str, said: str) -> None:
    call = at_the_recap(language)
    assert call.spoken == [
        f"So Marie Dupont, {said}, {MARIE}, {SAID_BUDGET[language]}, {REMARK[language]}, {FUEL[language]} ?"
    ]


@pytest.mark.parametrize(
    ("language", "said", "born"),
    [
        ("fr", "non, pas quatre-vingt-cinq, je voulais dire quatre-vingt-six", "1986-03-12"),
        ("fr", "je me suis trompée, c'est le treize mars quatre-vingt-cinq", "1985-03-13"),
        ("it", "ho sbagliato, è il tredici marzo ottantacinque", "1985-03-13"),
        ("en", "I was wrong, it's March 13 1985", "1985-03-13"),
    ],
)
def test_a_date_of_birth_is_corrected_at_the_recap(language: str, said: str, born: str) -> None:
    call = at_the_recap(language)
    call.says(said)
    assert slots(call)["born"] == born


def test_a_date_of_birth_may_be_typed() -> None:
    text = FLOW.replace("LANGUAGE", "fr").replace("slot: born,", "slot: born, keypad: {digits: 8},")
    call = Rehearsal(read_flow(text, "fr/form.yaml", KNOWN), resolved)
    call.says("Marie Dupont")
    call.says("oui")
    call.presses("12031985")
    assert (slots(call)["born"], call.dialogue.state) == ("1985-03-12", "ask_email")


@pytest.mark.parametrize("said", ["demain", "12 mars 2030", "12 mars", "je ne sais pas"])
def test_what_is_no_date_of_birth_fills_nothing(said: str) -> None:
    call = a_call("fr")
    for line in ("Marie Dupont", "oui", said):
        call.says(line)
    assert ("born" in slots(call), call.dialogue.conversation.tentative) == (False, None)


def test_each_slot_is_a_variable_of_its_type() -> None:
    flow = read_flow(FLOW.replace("LANGUAGE", "fr"), "fr/form.yaml", KNOWN)
    kinds = {name: str(kind) for name, kind in scope_of(flow.slots, flow.variables).items() if name in flow.slots}
    assert kinds == {
        "name": "name",
        "born": "date",
        "email": "email",
        "budget": "money in EUR",
        "remark": "text",
        "fuel": "choice",
    }


def test_a_comparison_with_another_type_is_refused() -> None:
    text = FLOW.replace("filled: recap}", "filled: {when: name > 5, goto: recap, otherwise: recap}}").replace(
        "LANGUAGE", "fr"
    )
    with pytest.raises(BadFlow, match="cannot be compared"):
        read_flow(text, "fr/form.yaml", KNOWN)


@pytest.mark.parametrize(
    ("language", "said", "email"),
    [
        ("fr", "je me suis trompée, c'est arobase free point fr", "marie.dupont@free.fr"),
        ("fr", "je corrige : marie point durand arobase gmail point com", "marie.durand@gmail.com"),
        ("it", "ho sbagliato, è maria punto dupont chiocciola libero punto it", "maria.dupont@libero.it"),
        ("en", "I was wrong, it's mary dot dupont at sky dot com", "mary.dupont@sky.com"),
    ],
)
def test_an_address_is_corrected_at_the_recap(language: str, said: str, email: str) -> None:
    call = at_the_recap(language)
    call.says(said)
    assert (slots(call)["email"], slots(call)["name"]) == (email, "Marie Dupont")
    assert call.spoken[0] == f"Now {email}."


def test_an_address_that_is_not_sure_is_asked_again() -> None:
    call = a_call("fr")
    for line in ("Marie Dupont", "oui", BORN["fr"], "oui", "marie dupont arobase gmail point com"):
        call.says(line)
    assert ("email" in slots(call), call.dialogue.state) == (False, "ask_email")
    call.says("marie dupont tout attaché arobase gmail point com")
    assert slots(call)["email"] == "mariedupont@gmail.com"


@pytest.mark.parametrize(
    ("language", "said", "budget"),
    [
        ("fr", "non, pas mille deux cents euros cinquante, je voulais dire treize cents euros", "1300.00"),
        ("fr", "je me suis trompée, c'est neuf cents euros", "900.00"),
        ("it", "ho sbagliato, è novecento euro e cinquanta", "900.50"),
        ("en", "I was wrong, it's nine hundred pounds", "900.00"),
    ],
)
def test_an_amount_is_corrected_at_the_recap(language: str, said: str, budget: str) -> None:
    call = at_the_recap(language)
    before = slots(call)
    call.says(said)
    assert slots(call) == before | {"budget": budget}


def at_the_remark() -> Rehearsal:
    call = a_call("fr")
    for line in ("Marie Dupont", "oui", BORN["fr"], "oui", EMAIL["fr"], BUDGET["fr"]):
        call.says(line)
    assert call.dialogue.state == "ask_remark"
    return call


def test_a_no_is_no_note_and_goes_its_own_way() -> None:
    call = at_the_remark()
    call.says("non merci")
    assert (slots(call)["remark"], call.dialogue.state) == ("none", "ask_fuel")


def test_an_adviser_is_no_note() -> None:
    call = at_the_remark()
    call.says(HUMAN[0])
    assert ("remark" in slots(call), call.dialogue.state) == (False, "bye")


def test_a_note_is_not_cut() -> None:
    call = at_the_remark()
    call.says("Sonnez " + "deux fois " * 9)
    assert ("remark" in slots(call), call.dialogue.state) == (False, "ask_remark")


def test_a_correction_is_no_note_and_corrects_none() -> None:
    call = at_the_remark()
    call.says("je me suis trompé, c'est neuf cents euros")
    assert ("remark" in slots(call), slots(call)["budget"], call.dialogue.state) == (False, "900.00", "ask_remark")


def test_an_amount_out_of_its_range_fills_nothing() -> None:
    call = a_call("fr")
    for line in ("Marie Dupont", "oui", BORN["fr"], "oui", EMAIL["fr"], "cinq euros"):
        call.says(line)
    assert ("budget" in slots(call), call.dialogue.state) == (False, "ask_budget")


def test_an_amount_is_compared_with_one_in_its_currency() -> None:
    condition = "filled: {when: budget > 1000 CURRENCY, goto: ask_remark, otherwise: bye}}"
    text = FLOW.replace("LANGUAGE", "fr").replace("filled: ask_remark}", condition)
    read_flow(text.replace("CURRENCY", "EUR"), "fr/form.yaml", KNOWN)
    with pytest.raises(BadFlow, match="cannot be compared"):
        read_flow(text.replace("CURRENCY", "GBP"), "fr/form.yaml", KNOWN)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{type: note, length: 60}", "{type: note, length: 501}", "length"),
        ("{type: note, length: 60}", "{type: name, length: 60}", "length belongs to the types digits and note"),
        ("range: [10, 5000]}", "currency: YEN}", "currency"),
        ("born: birth_date", "born: {type: birth_date, currency: EUR}", "currency"),
        ("born: birth_date", "born: {type: birth_date, range: [1, 2]}", "range is"),
    ],
)
def test_keys_that_a_type_does_not_have_are_refused(old: str, new: str, fault: str) -> None:
    assert old in FLOW
    with pytest.raises(BadFlow, match=fault):
        read_flow(FLOW.replace("LANGUAGE", "fr").replace(old, new), "fr/form.yaml", KNOWN)


WORDS = st.sampled_from(
    "je m'appelle marie dupont d comme denise non oui euh avec un le douze mars quatre-vingt-cinq 1985 12/03/85 "
    "arobase point gmail com tiret mille euros cinquante centimes pas plutôt "
    "je_me_suis_trompé c'est rien D-U-P . , gaz".split()
)


@given(st.lists(st.lists(WORDS, max_size=9), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_the_conversation_goes_on(lines: list[list[str]]) -> None:
    call = a_call("fr")
    kinds = {
        name: kind for name, kind in scope_of(call.flow.slots, call.flow.variables).items() if name in call.flow.slots
    }
    for line in lines:
        if call.over:
            break
        call.says(" ".join(line).replace("_", " "))
        for name, text in slots(call).items():
            value(kinds[name], text)  # each is kept as a value of its type
    assert call.over or call.dialogue.state in call.flow.states
