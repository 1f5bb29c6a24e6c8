"""A question in between: looked up in a knowledge file, answered, asked back about, and the open one comes again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.flow_picture import picture
from dialogue.flow_store import FlowStore
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.scores import recorded

KNOWN = Known(
    frozenset({"yes", "no", "info", "human"}),
    frozenset(),
    dict.fromkeys(("sorry", "bye"), 1_000),
    knowledge={"faq": ()},
)
FLOW = """\
flow: salon
language: it
start: ask_day
too_long: bye
trouble: {say: sorry, then: bye}
slots: {day: date_time, people: {type: integer, range: [1, 9]}}
defaults:
  no_input: {say: sorry, then: bye}
  no_match: {say: sorry, retries: 3, then: bye}
actions:
  find: {knowledge: faq, gives: {faq.answer: {type: text, from: answer}, faq.question: {type: text, from: question}, faq.sure: {type: yes_no, from: sure}}}
everywhere:
  info: look_up
states:
  ask_day: {say: "Quando?", slot: day, filled: ask_people}
  ask_people: {say: "In quanti siete?", ask_again: ["Quanti?"], slot: people, filled: recap}
  recap: {say: "{people} persone.", answers: {"yes": bye, "no": ask_day}}
  look_up:
    action: find
    outcomes: {ok: tell}
    otherwise: {say: "Non lo so.", return: true}
  tell:
    choose:
      - {when: faq.sure, say: "{faq.answer}", return: true}
    otherwise: confirm
  confirm:
    say: "Vuole sapere: {faq.question}"
    answers: {"yes": {say: "{faq.answer}", return: true}, "no": {say: "Allora non lo so.", return: true}}
  bye: {say: bye, hangup: true, outcome: done}
"""  # noqa: E501


def read(text: str = FLOW) -> Flow:
    return read_flow(text, "it/salon.yaml", KNOWN)


def faults_of(old: str, new: str) -> str:
    assert FLOW.count(old) == 1
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace(old, new))
    return str(caught.value)


def meant(text: str, allowed: tuple[str, ...]) -> Decision:
    intent = "info" if text.endswith("?") else {"sì": "yes", "no": "no"}.get(text, "")
    return Decision(intent, 0.95, fallback=False) if intent in allowed else Decision()


def answer(sure: bool) -> dict[str, Any]:
    found = {"question": "C'è un parcheggio?", "answer": "Sì, qui davanti.", "score": 0.7, "sure": sure}
    return {"outcome": "ok", "body": found}


def call_with(*answers: dict[str, Any]) -> Rehearsal:
    return Rehearsal(read(), meant, world=recorded({"find": answers}))


def test_a_sure_answer_is_told_and_the_open_question_comes_again() -> None:
    call = call_with(answer(sure=True))
    call.says("domani alle dieci")
    call.says("dove parcheggio?")
    assert call.spoken == ["Sì, qui davanti.", "In quanti siete?"]
    asked = call.asked_for[0]
    assert (asked.kind, dict(asked.arguments)) == (
        "knowledge",
        {"action": "find", "question": "dove parcheggio?", "language": "it", "file": "faq", "timeout_ms": 2_000},
    )
    call.says("tre")
    assert call.spoken == ["3 persone."]
    assert call.dialogue.conversation.slots["people"] == "3"


@pytest.mark.parametrize(("said", "told"), [("sì", "Sì, qui davanti."), ("no", "Allora non lo so.")])
def test_a_doubtful_one_is_asked_about_first(said: str, told: str) -> None:
    call = call_with(answer(sure=False))
    call.says("dove parcheggio?")
    assert call.spoken == ["Vuole sapere: C'è un parcheggio?"]
    call.says(said)
    assert call.spoken == [told, "Quando?"]
    assert call.dialogue.state == "ask_day"


def test_another_question_instead_of_a_yes_returns_to_the_same_place() -> None:
    call = call_with(answer(sure=False), answer(sure=True))
    call.says("domani alle dieci")
    call.says("dove parcheggio?")
    call.says("e come si arriva?")
    assert call.spoken == ["Sì, qui davanti.", "In quanti siete?"]
    assert call.dialogue.conversation.history == ("ask_day", "ask_people")


def test_what_is_not_found_or_fails_is_said_and_strands_nobody() -> None:
    wrong = {"outcome": "ok", "body": {"answer": 3}}
    for outcome in ({"outcome": "not_found"}, {"outcome": "error"}, {"outcome": "timeout"}, wrong):
        call = call_with(outcome)
        call.says("domani alle dieci")
        call.says("chi ha vinto?")
        assert call.spoken == ["Non lo so.", "In quanti siete?"]


def test_a_question_may_be_a_text_of_the_flow() -> None:
    told = FLOW.replace(
        "{knowledge: faq, ", '{knowledge: faq, question: "parcheggio il {now.date:written}", timeout_ms: 900, '
    )
    call = Rehearsal(read(told), meant, world=recorded({"find": (answer(sure=True),)}))
    call.says("dove parcheggio?")
    asked = call.asked_for[0].arguments
    assert asked["question"].startswith("parcheggio il 20")
    assert asked["timeout_ms"] == 900


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("knowledge: faq,", "knowledge: faqs,", "there is no faqs.md beside the flow, did you mean faq?"),
        ("knowledge: faq,", "knowledge: faq, retries: 2,", "a look-up has no retries"),
        ("knowledge: faq,", 'knowledge: faq, question: "{nobody}",', "unknown variable nobody"),
        ("from: sure", "from: really", "faq.sure: a look-up gives answer (text), question (text), score (decimal)"),
        ("type: yes_no, from: sure", "type: text, from: sure", "faq.sure: a look-up gives"),
        ("  info: look_up", "  info: {goto: look_up, return: true}", "cannot have both goto and return"),
        ("start: ask_day", "start: look_up", "state look_up: returns to no question: none was asked before"),
    ],
)
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert fault in faults_of(old, new)


def test_a_bad_file_is_a_fault_and_costs_no_flow(tmp_path: Path) -> None:
    folder = tmp_path / "flows" / "it"
    folder.mkdir(parents=True)
    (folder / "intents.yaml").write_text("intents: {yes: {}, no: {}, info: {}, human: {}}", encoding="utf-8")
    text = FLOW.replace("say: sorry", 'say: "Mi scusi."').replace("say: bye", 'say: "Arrivederci."')
    (folder / "salon.yaml").write_text(text, encoding="utf-8")
    (folder / "faq.md").write_text("### Dove?\n- qui\n", encoding="utf-8")
    store = FlowStore(tmp_path / "flows", tmp_path / "prompts")
    assert "faq.md:2: a list is nothing that can be said" in "\n".join(store.load().faults)
    before = store.current("it/salon").version
    (folder / "salon.yaml").write_text(text.replace("Quando?", "Che giorno?"), encoding="utf-8")
    assert store.refresh().changed == ("it/salon",)
    assert store.current("it/salon").version != before
    (folder / "faq.md").write_text("### Dove?\nQui.\n", encoding="utf-8")
    assert store.refresh().faults == ()


def test_the_picture_tells_what_is_looked_up_and_where_the_call_goes_on() -> None:
    drawn = picture(read())
    assert "looks up in faq.md: find" in drawn
    assert "yes, no: back to the open question" in drawn
