# ruff: noqa: E501 - one fault per line reads as a table
"""What a flow remembers, says and decides: typed variables, texts with values in them, conditions."""

from __future__ import annotations

from datetime import date

import pytest

from dialogue.events import Begun, Noted
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import BEGIN_AT, Decision, Rehearsal
from dialogue.snapshot import from_json, to_json
from dialogue.values.spoken import any_of, spoken
from dialogue.values.templates import BadTemplate, fields_of, fill
from dialogue.values.value_types import BadValue, Locale, ValueType, stored
from dialogue.voice import Dialogue, handle
from protocol.items import PromptItem, SpeechItem
from protocol.messages import Say

KNOWN = Known(
    frozenset({"yes", "no", "repeat"}),
    frozenset(),
    dict.fromkeys(("hello", "sorry", "bye", *(f"digit_{d}" for d in range(10))), 1_000),
)
FLOW = """\
flow: small
language: fr
start: hello
too_long: bye
trouble: {say: sorry, then: bye}
slots:
  owner: yes_no
  zip_code: zip_code
constants:
  shop: Atelier du Nord
  free_from: {type: money, currency: EUR, value: 50}
facts:
  campaign: text
  basket: {type: money, currency: EUR}
variables:
  reason: {type: choice, choices: {late: [en retard], lost: [perdue]}}
defaults:
  no_input: {say: hello, then: bye}
  no_match: {say: sorry, retries: 2, then: bye}
everywhere:
  repeat: {repeat: true}
states:
  hello:
    choose:
      - {when: call.basket is known and call.basket >= free_from, say: "Votre panier de {call.basket} est livré sans frais.", goto: ask_zip}
      - {when: 'call.direction == "outbound"', goto: ask_owner}
    otherwise: ask_zip
  ask_zip:
    say: "Ici {shop}. Quel est votre code postal ?"
    slot: zip_code
    filled:
      when: zip_code begins "75"
      say: "Paris, donc. {zip_code:digits}."
      set: {reason: late}
      goto: tell
      otherwise: ask_owner
  ask_owner:
    say: "Êtes-vous propriétaire ?"
    answers:
      "yes": bye
      "no": bye
  tell:
    say: "Votre commande est {reason}."
    goto: bye
  bye: {say: bye, hangup: true, outcome: done}
"""


def read(text: str = FLOW) -> Flow:
    return read_flow(text, "fr/small.yaml", KNOWN)


def edited(old: str, new: str) -> str:
    assert FLOW.count(old) == 1, f"{old!r} is there {FLOW.count(old)} times"
    return FLOW.replace(old, new)


def faults_of(text: str) -> str:
    with pytest.raises(BadFlow) as caught:
        read(text)
    return str(caught.value)


def begun(flow: Flow, **facts: str) -> tuple[Dialogue, list[object]]:
    direction = facts.pop("direction", "inbound")
    dialogue, actions = handle(flow, Dialogue(), Begun("c", BEGIN_AT, "0612345678", facts, direction))
    return from_json(to_json(dialogue)), list(actions)


def said(actions: list[object]) -> list[str]:
    items = [item for action in actions if isinstance(action, Say) for item in action.items]
    return [
        item.text if isinstance(item, SpeechItem) else item.name
        for item in items
        if isinstance(item, SpeechItem | PromptItem)
    ]


def test_a_constant_is_said_and_the_first_true_condition_is_taken() -> None:
    flow = read()
    assert said(begun(flow)[1]) == ["Ici Atelier du Nord. Quel est votre code postal ?"]
    assert said(begun(flow, basket="60")[1])[0] == "Votre panier de 60 euros est livré sans frais."
    assert begun(flow, basket="49.99")[0].state == "ask_zip"
    assert begun(flow, direction="outbound")[0].state == "ask_owner"


def test_a_fact_of_the_wrong_type_is_unset_and_noted() -> None:
    dialogue, actions = begun(read(), basket="a lot", campaign="summer\x00{shop}")
    assert [(action.what, action.detail) for action in actions if isinstance(action, Noted)] == [
        ("fact_refused", "call.basket")
    ]
    assert dialogue.conversation.variables["call.campaign"] == "summer {shop}"
    assert dialogue.conversation.variables["call.number"] == "+33612345678"


@pytest.mark.parametrize(
    ("zip_code", "state", "heard"),
    [
        ("75011", "bye", ["Paris, donc. 7 5 0 1 1.", "Votre commande est en retard.", "bye"]),
        ("69001", "ask_owner", ["Êtes-vous propriétaire ?"]),
    ],
)
def test_a_step_with_a_condition(zip_code: str, state: str, heard: list[str]) -> None:
    call = Rehearsal(read(), lambda sentence, allowed: Decision())
    call.says(zip_code)
    assert (call.dialogue.state, call.spoken) == (state, heard)


def test_what_is_put_into_a_text_is_never_read_as_one() -> None:
    flow = read(
        edited('say: "Ici {shop}. Quel', 'say: "{call.campaign} Quel').replace(
            "campaign: text", "campaign: {type: text, default: x}"
        )
    )
    _, actions = begun(flow, campaign="{shop} {{x}} <speak> {zip_code:digits}")
    assert said(actions) == ["shop x speak zip_code:digits Quel est votre code postal ?"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Ici {shop}", "Ici {shopp}", "fr/small.yaml:29: state ask_zip: unknown variable shopp, did you mean shop?"),
        ("Ici {shop}", "Ici {call.campaign}", "fr/small.yaml:29: state ask_zip: call.campaign may be unset here"),
        ("Ici {shop}", "Ici {reason}", "fr/small.yaml:29: state ask_zip: reason may be unset here"),
        ("Ici {shop}", "Ici {shop", "fr/small.yaml:29: state ask_zip: a { without its }"),
        ("Ici {shop}", "Ici {shop:loud}", "there is no form loud"),
        ("Ici {shop}", "Ici {shop.__class__}", "unknown variable shop.__class__"),
        ("Ici {shop}", "Ici {shop[0]}", "is no variable"),
        ("call.basket is known and ", "", "fr/small.yaml:25: state hello: call.basket may be unset here"),
        ('zip_code begins "75"', "zip_code > 3", "state ask_zip: when: a postcode cannot be compared with a integer"),
        ("    otherwise: ask_zip\n", "", "state hello: choose needs otherwise"),
        ("      otherwise: ask_owner\n", "", "when and otherwise belong together"),
        ("set: {reason: late}", "set: {reason: gone}", "variable reason must be one of late, lost"),
        ("set: {reason: late}", "set: {shop: x}", "shop is no variable that steps set: it is a constant"),
        ("  campaign: text", "  campaign: txet", "call.campaign has type txet, did you mean text?"),
        ("  campaign: text", "  campaign: {type: text, value: x}", "campaign has no key value: it is a fact"),
        ("currency: EUR, value: 50", "currency: EUR, value: much", "free_from must be a money in EUR such as 12.50"),
        ("currency: EUR, value: 50", "value: 50", "money needs a currency"),
        ("  shop: Atelier du Nord", "  owner: Atelier du Nord", "owner is there already"),
        ("  shop: Atelier du Nord", "  call: Atelier du Nord", "call cannot be a variable"),
        ("otherwise: ask_zip\n", "otherwise: hello\n", "goes round for ever"),
        ("  hello:\n    choose:", "  hello:\n    say: hello\n    choose:", "a state that chooses says nothing"),
    ],
)
def test_what_is_refused_before_any_call(old: str, new: str, fault: str) -> None:
    assert fault.removeprefix("call.") in faults_of(edited(old, new))


FRANCE, ITALY, ENGLAND = (
    Locale("fr", "FR", "Europe/Paris"),
    Locale("it", "IT", "Europe/Rome"),
    Locale("en", "GB", "Europe/London"),
)


@pytest.mark.parametrize(
    ("kind", "kept", "where", "words"),
    [
        ("date", "2026-12-03", FRANCE, "jeudi 3 décembre"),
        ("date", "2026-12-01", FRANCE, "mardi 1er décembre"),
        ("date", "2026-12-03", ITALY, "giovedì 3 dicembre"),
        ("date", "2026-12-03", ENGLAND, "Thursday 3 December"),
        ("date", "2028-01-05", FRANCE, "mercredi 5 janvier 2028"),
        ("time", "14:30", FRANCE, "14 heures 30"),
        ("time", "01:00", FRANCE, "1 heure"),
        ("time", "14:30", ITALY, "14 e 30"),
        ("time", "14:30", ENGLAND, "2:30 pm"),
        ("moment", "2026-12-03T14:30+01:00", FRANCE, "jeudi 3 décembre à 14 heures 30"),
        ("duration", "5400", FRANCE, "1 heure 30 minutes"),
        ("yes_no", "yes", ITALY, "sì"),
        ("telephone", "+33612345678", FRANCE, "06 12 34 56 78"),
        ("telephone", "+393471234567", FRANCE, "+39 347 123 4567"),
        ("decimal", "1.5", FRANCE, "1,5"),
        ("text", "a <b>{c}</b>\x07", FRANCE, "a b c /b"),
    ],
)
def test_values_are_said_as_one_says_them(kind: str, kept: str, where: Locale, words: str) -> None:
    assert spoken(ValueType(kind), kept, where, date(2026, 11, 29)) == words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kept", "where", "words"),
    [
        ("12.50", FRANCE, "12 euros 50"),
        ("1.00", FRANCE, "1 euro"),
        ("0.05", FRANCE, "0 euro 05"),
        ("12.50", ITALY, "12 euro e 50"),
        ("-3.00", ENGLAND, "-3 euros"),
    ],
)
def test_money(kept: str, where: Locale, words: str) -> None:
    assert spoken(ValueType("money", currency="EUR"), kept, where, date(2026, 11, 29)) == words


def test_a_list_names_three_at_most() -> None:
    assert any_of(["a", "b", "c", "d"], "fr") == "a, b ou c"
    assert any_of(["a"], "it") == "a"


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("integer", 3, "3"), ("integer", "3.0", "3"), ("decimal", 1.5, "1.5"), ("yes_no", True, "yes"), ("date", "2026-12-03T10:00:00Z", "2026-12-03"),
        ("time", "9:05".zfill(5), "09:05"), ("moment", "2026-12-03T14:30", "2026-12-03T14:30+01:00"), ("moment", "2026-12-03T13:30:00Z", "2026-12-03T14:30+01:00"),
        ("duration", "PT1H30M", "5400"), ("telephone", "06 12 34 56 78", "+33612345678"), ("text", " a\n b\u202e ", "a b"),
    ],
)  # fmt: skip
def test_values_of_others_are_kept_in_one_form(kind: str, given: object, kept: str) -> None:
    assert stored(ValueType(kind), given, FRANCE) == kept  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("integer", 1.5), ("integer", "NaN"), ("integer", "1" * 400), ("decimal", float("inf")), ("date", "2026-02-30"), ("time", "25:00"), ("moment", "2026"),
     ("yes_no", "perhaps"), ("telephone", "no number"), ("telephone", "12"), ("duration", "P"), ("digits", "١٢"), ("text", ""), ("text", None), ("text", ["a"])],
)  # fmt: skip
def test_what_is_no_value_of_its_type_is_refused(kind: str, given: object) -> None:
    with pytest.raises(BadValue):
        stored(ValueType(kind), given, FRANCE)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["{", "}", "{}", "{a b}", "{a:}", "{a!r}", "{0}", "{a.__b}" * 300, "{a[b]}", "{{a}"])
def test_bad_templates(text: str) -> None:
    with pytest.raises(BadTemplate):
        fields_of(text)


def test_a_template_is_filled_once() -> None:
    assert fill("{{x}} {name}", lambda field: "{name}") == "{x} {name}"


def test_a_number_within_a_range_is_a_slot_that_conditions_compare() -> None:
    text = FLOW.replace("  owner: yes_no", "  owner: yes_no\n  guests: {type: integer, range: [1, 12]}")
    text = text.replace(
        'say: "Êtes-vous propriétaire ?"\n    answers:\n      "yes": bye\n      "no": bye',
        'say: "Combien ?"\n    slot: guests\n    filled: {when: guests > 4, say: "{guests}, une grande table.", goto: bye, otherwise: bye}',
    )
    call = Rehearsal(read(text), lambda sentence, allowed: Decision())
    call.says("69001")
    call.says("nous serons treize")
    assert call.dialogue.state == "ask_owner"
    call.says("nous serons six")
    assert call.spoken == ["6, une grande table.", "bye"]
    assert "range is [least, most]" in faults_of(text.replace("[1, 12]", "[12, 1]"))
