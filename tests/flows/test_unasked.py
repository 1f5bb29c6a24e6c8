# ruff: noqa: E501 - one fault per line reads as a table
"""A question that is asked only where there is a choice; a caller's question that is answered before their slot is read."""

from __future__ import annotations

import json

import pytest

from dialogue.effects import Effect, EffectDone
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import Decision, Rehearsal

FLOW = """\
flow: shop
language: it
start: begin
too_long: {say: "La passo a una persona.", transfer: "900", outcome: too_long}
trouble: {say: "Mi scusi.", retries: 1, then: human}
slots:
  what: {type: choice, choices: {cut: [taglio], beard: [barba]}}
  who: {type: choice, choices: {anna: [Anna], luca: [Luca]}}
  moment: date_time
actions:
  count: {post: "https://shop.example/able", body: {moment: "{moment}"}, gives: {able: integer}, idempotent: true}
  tell: {post: "https://shop.example/info", body: {asked: "{call.heard}"}, gives: {told: text}, idempotent: true}
defaults:
  no_input: {say: "Pronto?", retries: 1, then: human}
  no_match: {say: "Come?", retries: 1, then: human}
everywhere:
  info: look_up
  go_back: {back: true}
states:
  begin: {say: "Quando?", slot: moment, filled: look}
  look: {action: count, outcomes: {ok: ask_who}, otherwise: human}
  ask_who:
    say: "Con chi?"
    slot: who
    unasked: {when: able < 2, say: "Bene.", goto: ask_what}
    filled: ask_what
  ask_what: {say: "Che cosa?", slot: what, filled: bye}
  look_up: {action: tell, outcomes: {ok: {say: "{told}", return: true}}, otherwise: human}
  bye: {say: "Arrivederci.", hangup: true, outcome: done}
  human: {say: "La passo a una persona.", transfer: "900", outcome: handed_over}
"""
KNOWN = Known(frozenset({"yes", "no", "info", "go_back"}), frozenset(), {}, language="it")


def flow(old: str = "", new: str = "") -> Flow:
    assert old in FLOW
    return read_flow(FLOW.replace(old, new) if old else FLOW, "flows/it/shop.yaml", KNOWN)


class Shop:
    """So many do what is asked for; questions are answered with themselves."""

    def __init__(self, able: int) -> None:
        self._able = able
        self.asked: list[str] = []

    def __call__(self, effect: Effect) -> tuple[EffectDone | None, float]:
        body = json.loads(effect.arguments["body"])
        if effect.arguments["action"] == "tell":
            self.asked.append(body["asked"])
            return EffectDone(0.0, effect.id, {"outcome": "ok", "body": {"told": "Costa dieci euro."}}), 0.05
        return EffectDone(0.0, effect.id, {"outcome": "ok", "body": {"able": self._able}}), 0.05


def meant(sentence: str, allowed: tuple[str, ...]) -> Decision:
    intent = {"indietro": "go_back"}.get(sentence, "info" if "ora" in sentence or "costa" in sentence else "")
    return Decision(intent, 0.95, fallback=False) if intent in allowed else Decision()


def call(able: int) -> tuple[Rehearsal, Shop]:
    shop = Shop(able)
    return Rehearsal(flow(), meant, world=shop, number="+390600000001"), shop


def test_is_asked_where_there_is_a_choice_and_passed_over_where_there_is_none() -> None:
    several, _ = call(2)
    several.says("domani alle nove")
    assert several.spoken == ["Con chi?"]
    one, _ = call(1)
    one.says("domani alle nove")
    assert one.spoken == ["Bene.", "Che cosa?"]
    one.says("indietro")  # what was not asked is not come back to
    assert one.spoken == ["Quando?"]


def test_what_was_said_before_is_taken_all_the_same() -> None:
    one, _ = call(1)
    one.says("domani alle nove con Luca")
    assert one.spoken == ["Che cosa?"]
    assert one.dialogue.conversation.slots["who"] == "luca"


@pytest.mark.parametrize("said", ["a che ora aprite", "che ora fate domani", "quanto costa la barba"])
def test_a_question_fills_no_slot_although_a_value_is_in_it(said: str) -> None:
    asked, shop = call(1)
    asked.says(said)
    assert asked.spoken == ["Costa dieci euro.", "Quando?"]
    asked.says("domani alle nove")
    asked.says(said)
    assert asked.spoken == ["Costa dieci euro.", "Che cosa?"]
    assert shop.asked == [said, said]
    asked.says("barba")
    assert asked.spoken == ["Arrivederci."]
    assert asked.dialogue.conversation.slots["what"] == "beard"


def test_a_value_that_no_intent_claims_is_taken_also_from_a_question() -> None:
    asked, shop = call(1)
    asked.says("quando? domani alle nove")
    assert asked.spoken == ["Bene.", "Che cosa?"]
    assert shop.asked == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("when: able < 2, ", "", "flows/it/shop.yaml:25: state ask_who: unasked belongs to a slot, and says when"),
        ('say: "Bene.", goto: ask_what}', 'say: "Bene."}', "unasked must lead to a state, transfer or hang up"),
        ("goto: ask_what}", "goto: ask_who}", "goes round for ever"),
        ("begin: {say", "begin: {unasked: {when: able < 2, goto: bye}, say", "able may be unset here"),
        ("{say: \"Arrivederci.\", hangup", "{unasked: {when: able < 2, goto: human}, say: \"Arrivederci.\", hangup", "unasked belongs to a slot"),
    ],
)  # fmt: skip
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    with pytest.raises(BadFlow) as refused:
        flow(old, new)
    assert fault in str(refused.value)
