"""How sure an intent must be: acted on, asked back about, not believed; and nothing of it where a flow has no bands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import Decision, Rehearsal

KNOWN = Known(
    frozenset({"yes", "no", "repeat", "human", "wait", "bye"}), frozenset(), dict.fromkeys(("ask", "sorry", "bye"), 500)
)
FLOW = """\
flow: banded
language: fr
start: ask
too_long: bye
trouble: {say: sorry, then: bye}
slots: {zip: zip_code}
defaults:
  no_input: {say: sorry, retries: 2, then: bye}
  no_match: {say: sorry, retries: 2, then: lost}
bands:
  human: {act: 0.9, ask: 0.6, say: "Vous voulez parler à quelqu'un ?"}
  bye: {act: 0.9, say: "Vous voulez raccrocher ?"}
everywhere:
  human: shop
  repeat: {repeat: true}
  wait: {say: sorry, wait_ms: 10000}
  bye: {hangup: true, outcome: said_bye}
states:
  ask:
    say: ask
    answers: {"yes": zip, "no": bye}
  zip: {say: ask, slot: zip, read_back: "C'est {zip:written} ?", filled: bye}
  bye: {say: bye, hangup: true, outcome: done}
  lost: {say: sorry, hangup: true, outcome: lost}
  shop: {say: bye, transfer: "900", outcome: handed_over}
"""


def flow_of(text: str = FLOW) -> Flow:
    return read_flow(text, "fr/banded.yaml", KNOWN)


def call_of(text: str = FLOW) -> Rehearsal:
    return Rehearsal(flow_of(text), lambda sentence, allowed: Decision())


def sure(intent: str, score: float) -> Decision:
    return Decision(intent, score, fallback=False)


def says(call: Rehearsal, intent: str, score: float) -> list[str]:
    call.says("quelque chose de long et de vague", sure(intent, score))
    return list(call.spoken)


def outcome_of(call: Rehearsal) -> str:
    """How a call came out that the bot ends."""
    call.listen()
    assert call.concluded is not None
    return call.concluded.outcome


def test_a_sure_intent_is_acted_on_a_doubtful_one_asked_back_about_and_a_bad_one_not_believed() -> None:
    assert says(call_of(), "human", 0.9) == ["bye"]
    assert says(call_of(), "human", 0.89) == ["Vous voulez parler à quelqu'un ?"]
    assert says(call_of(), "human", 0.6) == ["Vous voulez parler à quelqu'un ?"]
    assert says(call_of(), "human", 0.59) == ["sorry", "ask"]
    assert says(call_of(), "bye", 0.01) == ["Vous voulez raccrocher ?"]


def test_yes_is_what_was_asked_back_about_and_no_is_the_question_again() -> None:
    call = call_of()
    says(call, "human", 0.7)
    call.says("oui")
    assert outcome_of(call) == "handed_over"

    call = call_of()
    says(call, "human", 0.7)
    call.says("non")
    assert (call.spoken, call.dialogue.state) == (["sorry", "ask"], "ask")  # not "no", which would end the call
    call.says("oui")
    assert call.dialogue.state == "zip"


def test_who_never_means_it_is_not_asked_for_ever() -> None:
    call = call_of()
    for _ in range(3):
        says(call, "human", 0.7)
        call.says("non")
    assert outcome_of(call) == "lost"


def test_the_same_once_more_is_believed_and_another_intent_is_what_it_is() -> None:
    call = call_of()
    says(call, "human", 0.7)
    assert says(call, "human", 0.7) == ["bye"]
    call = call_of()
    says(call, "human", 0.7)
    assert says(call, "bye", 0.95) == []
    assert outcome_of(call) == "said_bye"


def test_what_was_asked_back_is_repeated_waited_for_and_asked_again_after_a_silence() -> None:
    call = call_of()
    question = says(call, "human", 0.7)
    assert says(call, "repeat", 0.95) == question
    says(call, "wait", 0.95)
    call.is_silent()
    assert call.spoken == ["sorry", *question]
    call.says("oui")
    assert outcome_of(call) == "handed_over"


def test_a_value_that_was_read_back_waits_for_its_answer() -> None:
    call = call_of()
    call.says("oui")
    call.says("soixante-quinze mille onze")
    says(call, "human", 0.7)
    call.says("non")
    assert call.spoken == ["sorry", "C'est 75011 ?"]
    call.says("oui")
    assert call.dialogue.conversation.slots == {"zip": "75011"}


@given(st.floats(0.01, 1.0), st.sampled_from(["human", "bye", "repeat"]))
def test_without_bands_nothing_is_different(score: float, intent: str) -> None:
    start, end = FLOW.index("bands:"), FLOW.index("everywhere:")
    plain = call_of(FLOW[:start] + FLOW[end:])
    says(plain, intent, score)
    certain = call_of()
    says(certain, intent, 1.0)
    assert (plain.spoken, plain.dialogue.state) == (certain.spoken, certain.dialogue.state)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("human: {act: 0.9,", "humn: {act: 0.9,", "unknown intent humn, did you mean human?"),
        ("ask: 0.6", "ask: 0.95", "fr/banded.yaml:11: band human: ask is less than act"),
        ("act: 0.9, ask: 0.6", "act: 9, ask: 0.6", "act must be from 0 to 1.01, not 9"),
        ("act: 0.9, say", "say", "band bye needs act"),
        ("Vous voulez raccrocher ?", "Vous voulez {zip:written} ?", "zip may be unset here"),
    ],
)
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert old in FLOW
    with pytest.raises(BadFlow) as refused:
        flow_of(FLOW.replace(old, new, 1))
    assert fault in str(refused.value)
