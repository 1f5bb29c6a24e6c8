# ruff: noqa: E501 - one fault per line reads as a table
"""A form: any of its questions may be answered in any turn; only what is missing is asked; a recap that can be corrected."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dialogue.events import Resumed
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.flow_picture import picture
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.snapshot import from_json, to_json

KNOWN = Known(
    frozenset({"yes", "no", "repeat", "human", "go_back", "start_again", "owns", "rents", "unsure"}),
    frozenset(),
    dict.fromkeys(("sorry", "bye", "noted"), 1_000),
)
FLOW = """\
flow: lead
language: fr
start: lead
too_long: bye
trouble: {say: sorry, then: bye}
slots:
  zip: zip_code
  owner: yes_no
  heating: {type: choice, choices: {gas: [gaz], oil: [fioul, mazout], wood: [bois]}}
  rooms: {type: integer, range: [1, 20]}
  when: date_time
corrections: {say: "C'est corrigé : {corrected}.", unread: "Je n'ai pas compris."}
defaults:
  no_input: {say: sorry, retries: 1, then: bye}
  no_match: {say: sorry, retries: 3, then: bye}
everywhere:
  repeat: {repeat: true}
  human: bye
  go_back: {back: true}
  start_again: {restart: lead}
states:
  lead:
    form:
      zip: {say: "Quel code postal ?", ask_again: "Et le code postal ?", filled_as: {"980*": bye}, called: [code postal], recap: "Code {zip:digits}."}
      owner:
        say: "Êtes-vous propriétaire ?"
        means: {"yes": owns, "no": rents}
        answers:
          owns: {set: {owner: yes}}
          rents: {set: {owner: no}, say: "C'est dommage.", goto: bye}
        recap: "Vous êtes propriétaire."
      heating: {say: "Quel chauffage ?", when: owner == yes, called: [chauffage], recap: "Chauffage {heating}."}
      rooms:
        say: "Combien de pièces ?"
        called: [pièces]
        answers: {unsure: {say: noted, skip: true}}
        recap: "{rooms} pièces."
      when: {say: "Quel jour ?", read_back: "{when:written}, oui ?", read_back_below: 0.9, recap: "Rendez-vous {when}."}
    recap: {say: "En résumé.", question: "C'est exact ?", wrong: "Que faut-il changer ?"}
    filled: {say: noted, goto: bye}
  bye: {say: bye, hangup: true, outcome: done}
"""
SENTENCES: Mapping[str, str] = {
    "je suis propriétaire": "owns", "je suis locataire": "rents", "je ne sais pas": "unsure", "en fait je suis locataire": "rents",
}  # fmt: skip


def resolve(sentence: str, allowed: tuple[str, ...]) -> Decision:
    intent = SENTENCES.get(sentence, "")
    return Decision(intent, 0.95, fallback=False) if intent in allowed else Decision()


def read(text: str = FLOW) -> Flow:
    return read_flow(text, "fr/lead.yaml", KNOWN)


def call_of(*lines: str, text: str = FLOW) -> Rehearsal:
    call = Rehearsal(read(text), resolve)
    for line in lines:
        call.says(line)
    return call


def slots(call: Rehearsal) -> dict[str, str]:
    return dict(call.dialogue.conversation.slots)


ALL = "soixante-quinze mille onze, je suis propriétaire, je me chauffe au fioul, nous avons douze pièces"
RECAP = [
    "En résumé.",
    "Code 7 5 0 1 1.",
    "Vous êtes propriétaire.",
    "Chauffage fioul.",
    "12 pièces.",
    "Rendez-vous mardi 2 juin à 10 heures.",
    "C'est exact ?",
]


def test_one_after_the_other() -> None:
    call = call_of("75011", "oui", "fioul", "douze", "mardi à dix heures")
    assert call.spoken == RECAP
    call.says("oui")
    assert call.spoken == ["noted", "bye"]
    assert slots(call) == {"zip": "75011", "owner": "yes", "heating": "oil", "rooms": "12", "when": "2026-06-02T10:00"}


def test_several_in_one_breath_and_only_the_missing_is_asked() -> None:
    call = call_of("soixante-quinze mille onze, je suis propriétaire et je me chauffe au fioul")
    assert slots(call) == {"zip": "75011", "owner": "yes", "heating": "oil"}
    assert call.spoken == ["Combien de pièces ?"]


def test_another_question_may_be_answered_than_the_one_that_was_asked() -> None:
    call = call_of("je me chauffe au fioul")
    assert (slots(call), call.spoken) == ({"heating": "oil"}, ["Et le code postal ?"])
    call.says("je suis propriétaire")
    assert (slots(call), call.spoken) == ({"heating": "oil", "owner": "yes"}, ["Et le code postal ?"])
    assert call.turns[-1].intent == "slot_value"
    call.says("75011")
    assert call.spoken == ["Combien de pièces ?"]
    call.says("douze, et mardi à dix heures")
    assert call.spoken == RECAP


def test_a_clause_begins_with_an_elided_subject_too() -> None:
    call = call_of("je suis propriétaire et j'ai le gaz")
    assert slots(call) == {"owner": "yes", "heating": "gas"}


def test_a_yes_and_more() -> None:
    call = call_of("75011", "oui je me chauffe au bois")
    assert slots(call) == {"zip": "75011", "owner": "yes", "heating": "wood"}


def test_what_is_not_certain_waits_and_is_read_back() -> None:
    call = call_of("75011, mardi ou mercredi")  # doubtful: not taken
    assert slots(call) == {"zip": "75011"}
    for line in ("oui", "gaz", "douze"):
        call.says(line)
    assert call.spoken == ["Quel jour ?"]
    call.says("mardi ou mercredi")
    assert call.spoken == ["2026-06-02, oui ?"]
    call.says("non, mercredi à dix heures")
    assert slots(call)["when"] == "2026-06-03T10:00"
    assert call.spoken[0] == "En résumé."


def test_what_leads_elsewhere_leads_there_when_its_turn_comes() -> None:
    assert call_of("75011, je suis locataire").spoken == ["C'est dommage.", "bye"]
    assert call_of("98000").spoken == ["bye"]
    waiting = call_of("je suis locataire")
    assert (slots(waiting), waiting.spoken) == ({}, ["Quel code postal ?"])
    waiting.says("75011")
    assert waiting.spoken == ["C'est dommage.", "bye"]


def test_a_question_whose_condition_is_not_true_is_not_asked() -> None:
    text = FLOW.replace('rents: {set: {owner: no}, say: "C\'est dommage.", goto: bye}', "rents: {set: {owner: no}}")
    call = call_of("75011", "non", text=text)
    assert call.spoken == ["Combien de pièces ?"]
    call.says("douze")
    call.says("mardi à dix heures")
    assert not any("Chauffage" in said for said in call.spoken)
    call.says("je corrige : douze pièces, je suis propriétaire")
    call.says("non, je suis propriétaire")
    assert slots(call)["owner"] == "no"  # an unknown sentence: asked again
    call.says("je suis propriétaire")
    assert slots(call)["owner"] == "yes"
    assert call.spoken[-1] == "Quel chauffage ?"  # now its condition is true


def test_a_question_may_be_left_without_an_answer() -> None:
    call = call_of("75011", "oui", "gaz", "je ne sais pas")
    assert call.spoken == ["noted", "Quel jour ?"]
    call.says("mardi à dix heures")
    assert "rooms" not in slots(call)
    assert not any("pièces" in said for said in call.spoken)


def test_an_italian_form_with_a_name() -> None:
    text = """\
flow: ciao
language: it
start: chi
too_long: bye
trouble: {say: sorry, then: bye}
slots: {who: name, day: date_time, service: {type: choice, choices: {cut: [taglio], color: [colore]}}}
corrections: {say: "Corretto: {corrected}.", unread: "Non ho capito."}
defaults: {no_input: {say: sorry, then: bye}, no_match: {say: sorry, retries: 3, then: bye}}
states:
  chi:
    form:
      service: {say: "Che servizio ?", recap: "{service},"}
      who: {say: "A che nome ?", called: [mi chiamo, a nome], recap: "per {who},"}
      day: {say: "Che giorno ?", recap: "{day}."}
    recap: {question: "Va bene così ?", wrong: "Che cosa cambio ?"}
    filled: {say: noted, goto: bye}
  bye: {say: bye, hangup: true, outcome: done}
"""
    call = Rehearsal(read_flow(text, "it/ciao.yaml", KNOWN), resolve)
    call.says("un taglio, mi chiamo Giulia Rossi")
    assert slots(call) == {"service": "cut", "who": "Giulia Rossi"}
    call.says("martedì alle dieci")
    assert call.spoken == ["taglio,", "per Giulia Rossi,", "martedì 2 giugno alle 10.", "Va bene così ?"]
    call.says("no, non il taglio, volevo dire il colore")
    assert (slots(call)["service"], call.spoken[0]) == ("color", "Corretto: colore.")
    call.says("anzi, meglio mercoledì")
    assert slots(call)["day"] == "2026-06-03T10:00"
    call.says("sì")
    assert call.spoken == ["noted", "bye"]


@pytest.mark.parametrize(
    ("said", "slot", "value"),
    [
        ("non, c'est le gaz", "heating", "gas"),
        ("le gaz", "heating", "gas"),
        ("non, soixante-quinze mille douze", "zip", "75012"),
        ("non, pas le fioul, je voulais dire le bois", "heating", "wood"),
        ("je me suis trompé, c'est mercredi", "when", "2026-06-03T10:00"),
        ("non mercredi", "when", "2026-06-03T10:00"),
        ("le code postal c'est 75012", "zip", "75012"),
        ("oui mais nous avons treize pièces", "rooms", "13"),
    ],
)
def test_any_of_the_recap_is_corrected(said: str, slot: str, value: str) -> None:
    call = call_of(ALL, "mardi à dix heures")
    assert call.spoken == RECAP
    before = slots(call)
    call.says(said)
    assert slots(call) == before | {slot: value}
    assert call.spoken[0].startswith("C'est corrigé : ")
    assert call.spoken[1] == "En résumé."
    assert call.spoken[-1] == "C'est exact ?"


def test_two_corrections_in_one_breath() -> None:
    call = call_of(ALL, "mardi à dix heures", "non, c'est le gaz, 75012")
    assert (slots(call)["heating"], slots(call)["zip"]) == ("gas", "75012")
    assert call.spoken[0] == "C'est corrigé : gaz, 75012."


def test_a_bare_no_asks_what_is_wrong_and_a_name_asks_that_again() -> None:
    call = call_of(ALL, "mardi à dix heures", "non")
    assert call.spoken == ["Que faut-il changer ?"]
    call.says("le code postal")
    assert (call.spoken, "zip" in slots(call)) == (["Quel code postal ?"], False)
    call.says("75012")
    assert call.spoken[:2] == ["En résumé.", "Code 7 5 0 1 2."]


def test_a_recap_that_is_repeated_is_no_correction() -> None:
    call = call_of(ALL, "mardi à dix heures", "oui c'est bien le fioul")
    assert call.spoken == ["noted", "bye"]


def test_a_correction_that_leads_out_of_the_form_leads_there() -> None:
    assert call_of(ALL, "mardi à dix heures", "non, 98000").spoken == ["C'est corrigé : 98000.", "bye"]
    assert call_of(ALL, "mardi à dix heures", "en fait je suis locataire").spoken == ["C'est dommage.", "bye"]


def test_a_correction_in_the_midst() -> None:
    call = call_of("75011, je suis propriétaire", "je me suis trompé, c'est 75012")
    assert (slots(call)["zip"], call.spoken) == ("75012", ["C'est corrigé : 75012.", "Quel chauffage ?"])


def test_back_and_start_again() -> None:
    call = call_of("75011", "oui", "gaz", "je ne sais pas")
    back = Decision("go_back", 0.95, fallback=False)
    call.says("retour", back)
    assert (call.spoken, call.dialogue.state) == (["Combien de pièces ?"], "lead.rooms")
    call.says("douze")
    assert call.spoken == ["Quel jour ?"]
    call.says("on recommence", Decision("start_again", 0.95, fallback=False))
    assert (call.spoken, slots(call)) == (["Quel code postal ?"], {})


def test_the_form_goes_on_after_a_restart_in_its_midst() -> None:
    call = call_of("75011, je suis propriétaire")
    call.dialogue = from_json(to_json(call.dialogue))
    call.feed(Resumed(call.at))
    call.says("au fioul")
    assert slots(call) == {"zip": "75011", "owner": "yes", "heating": "oil"}
    assert call.spoken == ["Combien de pièces ?"]


def test_who_goes_on_speaking_is_heard_out() -> None:
    """The zip code is taken early; what follows fills the rest, and the question that is moot is not put again."""
    call = call_of()
    call.guessed("75011")
    assert call.spoken == ["Êtes-vous propriétaire ?"]
    call.continues("75011, je suis propriétaire et je me chauffe au fioul")
    assert slots(call) == {"zip": "75011", "owner": "yes", "heating": "oil"}
    assert call.spoken[-1] == "Combien de pièces ?"
    call = call_of()
    call.guessed("75011")
    call.continues("75011 et je me chauffe au fioul")
    assert slots(call) == {"zip": "75011", "heating": "oil"}
    assert call.spoken[-1] == "Êtes-vous propriétaire ?"


def test_what_two_questions_could_mean_is_asked() -> None:
    text = FLOW.replace(
        "  rooms: {type", "  second: {type: choice, choices: {gas: [gaz], oil: [fioul]}}\n  rooms: {type"
    ).replace("      rooms:\n", '      second: {say: "Et en second ?", recap: "Puis {second}."}\n      rooms:\n')
    call = call_of("75011, je me chauffe au fioul", text=text)
    assert slots(call) == {"zip": "75011"}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("      rooms:\n", "      romos:\n", "unknown slot romos, did you mean rooms?"),
        ("    filled: {say: noted, goto: bye}\n", "", "a form needs filled"),
        ("filled: {say: noted, goto: bye}", "filled: {say: noted}", "filled must lead to a state"),
        ('called: [chauffage], recap: "Chauffage {heating}."', "called: [chauffage]", "the recap does not say heating"),
        (', wrong: "Que faut-il changer ?"', "", "recap needs wrong"),
        (
            'corrections: {say: "C\'est corrigé : {corrected}.", unread: "Je n\'ai pas compris."}\n',
            "",
            "a recap needs corrections",
        ),
        ("when: owner == yes", "when: ownr == yes", "unknown variable ownr"),
        ("when: owner == yes", "when: rooms > 3", "rooms may be unset here"),
        ('say: "Combien de pièces ?"', 'say: "Combien de pièces, {heating} ?"', "heating may be unset here"),
        (
            'say: "C\'est dommage.", goto: bye',
            'say: "C\'est dommage.", skip: true, goto: bye',
            "cannot have both goto and skip",
        ),
        ("human: bye", "human: {skip: true}", "skip belongs to the questions of a form"),
        ('recap: "{rooms} pièces."', 'recap: "{romos} pièces."', "unknown variable romos"),
        ("      zip: {say", "      zip: {slot: owner, say", "has no key slot"),
        ("  lead:\n    form", "  lead:\n    say: noted\n    form", "the form has no key say"),
        (
            "  bye: {say: bye",
            '  x: {say: "Oui ou non ?", answers: {"yes": bye, "no": {skip: true}}}\n  bye: {say: bye',
            "skip belongs",
        ),
    ],
)
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert FLOW.count(old) == 1
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace(old, new))
    assert fault in str(caught.value)
    assert all(line.startswith("fr/lead.yaml:") for line in str(caught.value).splitlines())


def test_the_line_of_a_fault_in_a_form() -> None:
    lines = FLOW.splitlines()
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace('say: "Combien', 'slot_intents: [unheard_of]\n        say: "Combien'))
    at = lines.index("      rooms:") + 2
    assert str(caught.value) == f"fr/lead.yaml:{at}: state lead.rooms: unknown intent unheard_of"


def test_the_picture_shows_a_form_as_one() -> None:
    drawn = picture(read())
    assert drawn.count('class="form"') == 1
    for text in ("what is missing is asked in this order", "asked when owner == yes", "reads all back"):
        assert text in drawn
