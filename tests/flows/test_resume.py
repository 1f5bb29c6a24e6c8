# ruff: noqa: E501 - one fault per line reads as a table
"""A call goes on where an earlier one stopped: at its open question, with what was known, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialogue.effects import Effect, EffectDone
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.memory import BadMemory, memory_of, recalled
from dialogue.rehearsal import Decision, Rehearsal

FLOW = """\
flow: shop
language: it
start: look
too_long: {say: "La passo a una persona.", transfer: "900", outcome: too_long}
trouble: {say: "Mi scusi.", retries: 1, then: human}
slots: {size: {type: choice, choices: {small: [piccolo], big: [grande]}}, paid: yes_no}
facts: {campaign: text}
actions:
  find_earlier:
    get: "https://shop.example/sessions/{call.session}"
    gives: {earlier: {type: conversation, from: memory}}
defaults:
  no_input: {say: "Pronto?", retries: 1, then: human}
  no_match: {say: "Come?", retries: 1, then: human}
turns: {post: "https://shop.example/turns", headers: {Authorization: "Bearer {secret.shop}"}, body: {"size?": "{size}", call: "{call.session}"}}
states:
  look: {action: find_earlier, outcomes: {ok: offer}, otherwise: ask_size}
  offer:
    say: "Continuiamo?"
    answers: {"yes": {say: "Bene.", resume: earlier, otherwise: ask_size}, "no": ask_size}
  ask_size: {say: "Grande o piccolo?", slot: size, filled: ask_paid}
  ask_paid: {say: "Ha pagato per quello {size}?", answers: {"yes": {set: {paid: yes}, goto: bye}, "no": bye}}
  bye: {say: "Arrivederci.", hangup: true, outcome: done}
  human: {say: "La passo a una persona.", transfer: "900", outcome: handed_over}
"""
KNOWN = Known(frozenset({"yes", "no"}), frozenset(), {}, language="it")


def flow(old: str = "", new: str = "") -> Flow:
    assert old in FLOW
    return read_flow(FLOW.replace(old, new) if old else FLOW, "flows/it/shop.yaml", KNOWN)


def call_of(of: Flow, call_id: str, memory: str | None = None, **facts: str) -> Rehearsal:
    def world(effect: Effect) -> tuple[EffectDone | None, float]:
        found: dict[str, Any] = {"outcome": "not_found", "body": None}
        if memory is not None:
            found = {"outcome": "ok", "body": {"memory": memory}}
        return EffectDone(0.0, effect.id, found), 0.05

    def meant(sentence: str, allowed: tuple[str, ...]) -> Decision:
        return Decision("yes", 0.99, fallback=False) if sentence == "sì" else Decision()

    return Rehearsal(of, meant, world=world, call_id=call_id, number="+390600000001", facts=facts)


def cut_off(of: Flow) -> str:
    """What a call leaves that was cut off at the second question."""
    call = call_of(of, "first", campaign="winter")
    call.says("grande")
    assert call.spoken == ["Ha pagato per quello grande?"]
    return memory_of(call.dialogue.conversation, of)


def test_goes_on_at_the_open_question_under_the_name_of_the_first_call() -> None:
    of = flow()
    memory = cut_off(of)
    call = call_of(of, "second", memory, campaign="summer")
    assert call.spoken == ["Continuiamo?"]
    call.says("sì")
    assert call.spoken == ["Bene.", "Ha pagato per quello grande?"]
    c = call.dialogue.conversation
    assert (c.call_id, c.session) == ("second", "first")
    assert c.slots == {"size": "big"}
    assert c.variables["call.campaign"] == "summer"  # facts are those of the new call
    assert "earlier" not in c.variables
    again = json.loads(memory_of(c, of))  # who is cut off once more goes on with the same conversation
    assert (again["session"], again["state"]) == ("first", "ask_paid")
    call.says("sì")
    assert call.spoken == ["Arrivederci."]


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (lambda memory: "", "cannot be read"),
        (lambda memory: memory[:-1], "cannot be read"),
        (lambda memory: '{"session":"x"}', "cannot be read"),
        (lambda memory: json.dumps({**json.loads(memory), "flow_version": "older"}), "is of another version"),
        (lambda memory: json.dumps({**json.loads(memory), "state": "bye"}), "has no open question"),
        (lambda memory: json.dumps({**json.loads(memory), "state": "nowhere"}), "has no open question"),
    ],
)
def test_what_does_not_fit_begins_anew(spoilt: Any, why: str) -> None:
    of = flow()
    memory = spoilt(cut_off(of))
    call = call_of(of, "second", memory)
    with pytest.raises(BadMemory, match=why):
        recalled(memory, call.dialogue.conversation, of)
    call.says("sì")
    assert call.spoken == ["Grande o piccolo?"]
    (reason,) = [one.detail for one in call.noted if one.what == "not_resumed"]
    assert why in reason


def test_an_earlier_conversation_is_not_kept_within_a_later_one() -> None:
    of = flow()
    call = call_of(of, "second", cut_off(of))
    call.says("no")
    assert "earlier" not in json.loads(memory_of(call.dialogue.conversation, of))["variables"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("earlier, otherwise: ask_size}", "earlier}", "flows/it/shop.yaml:20: state offer: answers yes: resume needs otherwise"),
        ("resume: earlier", "resume: early", "flows/it/shop.yaml:20: state offer: resume names a variable of the type conversation"),
        ("resume: earlier", "resume: size", "flows/it/shop.yaml:20: state offer: resume names a variable of the type conversation"),
        ('say: "Continuiamo?"', 'say: "Continuiamo {earlier}?"', "{earlier} is an earlier conversation: resume it"),
        ("otherwise: ask_size}\n  offer", "otherwise: offer}\n  offer", "earlier may be unset here"),
        ("https://shop.example/turns", "https://shop.example/{size}", "have no variables but secrets"),
        ("{secret.shop}", "{call.session}", "have no variables but secrets"),
        ('"size?"', "size", "size may be unset here"),
        ('turns: {post: "https://shop.example/turns"', 'turns: {get: "https://shop.example/turns"', "flows/it/shop.yaml:15: turns has no key get"),
    ],
)  # fmt: skip
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    with pytest.raises(BadFlow) as refused:
        flow(old, new)
    assert fault in str(refused.value)
