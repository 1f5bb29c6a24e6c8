# ruff: noqa: E501 - flows and tables of faults are read as they are
"""Moments that are completed, other slots in one answer, what is set, added, forgotten, and done when a call is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.scores import recorded

KNOWN = Known(
    frozenset({"yes", "no", "repeat", "human", "prenotazione"}), frozenset(), dict.fromkeys(("sorry", "bye"), 1_000)
)
FLOW = """\
flow: shop
language: it
start: look
too_long: bye
trouble: {say: sorry, then: bye}
at_end: release
variables:
  gone: {type: list, fields: {id: integer}}
  total: integer
slots:
  services: {type: choice, from: offered, by: [also], offer: "{name}", needs: [id], several: true, corrected: recap}
  moment: {type: date_time, corrected: recap}
corrections: {say: "Ho corretto: {corrected}.", unread: "Non ho capito la correzione."}
actions:
  find:
    get: "https://shop.example/services"
    gives:
      offered: {type: list, fields: {id: integer, name: text, also: text}}
      why: {type: text, optional: true}
  book:
    post: "https://shop.example/bookings"
    body: {call: "{call.call_id}", services: "{services.id}", day: "{moment.date}", "time?": "{moment.time}", "until?": "{moment.until}",
           "gone?": "{gone}", "total?": "{total}"}
  release:
    delete: "https://shop.example/holds/{call.call_id}"
defaults:
  no_input: {say: sorry, then: bye}
  no_match: {say: sorry, retries: 2, then: bye}
everywhere:
  repeat: {repeat: true}
  human: bye
states:
  look: {action: find, outcomes: {ok: ask_services}, otherwise: bye}
  ask_services:
    say: "Quale servizio?"
    slot: services
    filled: ask_when
    refused: bye
  ask_when:
    say: "Quando viene?"
    slot: moment
    completes: true
    filled: {when: moment.time is known or moment.until is known, goto: recap, otherwise: ask_time}
  ask_time:
    say: "A che ora?"
    slot: moment
    completes: true
    filled: recap
  recap:
    choose:
      - {when: services is not known or moment.date is not known, goto: ask_services}
    otherwise: {say: "Dunque {services}, {moment}.", goto: confirm}
  confirm:
    say: "Va bene così?"
    answers:
      "yes": book
      "no": {add: {gone: offered}, set: {total: "{services.count}"}, forget: [services, moment], goto: ask_services}
    also: {moment: recap}
  book: {action: book, outcomes: {ok: bye}, otherwise: bye}
  bye: {say: bye, hangup: true, outcome: done}
"""
SERVICES = [
    {"id": 11, "name": "taglio", "also": ["taglio di capelli", "capelli"]},
    {"id": 12, "name": "colore", "also": ["tinta"]},
    {"id": 13, "name": "piega", "also": []},
    {"id": 14, "name": "taglio e barba", "also": []},
]


def read(text: str = FLOW) -> Flow:
    return read_flow(text, "it/shop.yaml", KNOWN)


def rehearse(text: str = FLOW) -> Rehearsal:
    answers: dict[str, tuple[Mapping[str, Any], ...]] = {
        "find": ({"outcome": "ok", "body": {"offered": SERVICES, "why": ""}},),
        "book": ({"outcome": "ok"},),
    }
    return Rehearsal(read(text), lambda sentence, allowed: Decision(), world=recorded(answers), call_id="c-7")


def chosen(call: Rehearsal) -> list[str]:
    return [row["name"] for row in call.dialogue.conversation.lists.get("services", ())]


def test_a_list_of_texts_is_as_many_names() -> None:
    call = rehearse()
    call.says("i capelli e la tinta")
    assert (call.dialogue.state, chosen(call)) == ("ask_when", ["taglio", "colore"])


def test_what_is_said_by_the_way_is_read_too() -> None:
    call = rehearse()
    call.says("vorrei un taglio e la piega domani alle dieci")
    assert call.spoken == ["Dunque taglio e piega, martedì 2 giugno alle 10.", "Va bene così?"]
    call.says("sì")
    booked = call.asked_for[-1]
    assert booked.arguments["body"] == ('{"call": "c-7", "services": [11, 13], "day": "2026-06-02", "time": "10:00"}')


@pytest.mark.parametrize(
    ("before", "said", "moment"),
    [
        ("domani", "alle nove", "2026-06-02T09:00"),
        ("domani", "alle 15:30", "2026-06-02T15:30"),
        ("dopodomani", "verso le dieci", "2026-06-03T10:00"),
        ("domani", "di pomeriggio", "2026-06-02T14:00/2026-06-02T18:00"),
        ("domani", "anzi dopodomani alle nove", "2026-06-03T09:00"),
    ],
)
def test_a_time_is_of_the_day_that_was_named(before: str, said: str, moment: str) -> None:
    call = rehearse()
    call.says("taglio")
    call.says(before)
    assert call.spoken == ["A che ora?"]
    call.says(said)
    assert call.dialogue.conversation.slots["moment"] == moment


def test_another_slot_is_filled_by_an_answer() -> None:
    call = rehearse()
    call.says("taglio domani alle nove")
    call.says("alle cinque")
    assert call.spoken[0] == "Dunque taglio, martedì 2 giugno alle 17."


def test_steps_add_set_and_forget() -> None:
    call = rehearse()
    call.says("taglio e piega domani alle nove")
    call.says("no")
    c = call.dialogue.conversation
    assert c.lists["gone"] == ({"id": "11"}, {"id": "12"}, {"id": "13"}, {"id": "14"})
    assert (c.variables["total"], dict(c.slots), call.dialogue.state) == ("2", {}, "ask_services")
    call.says("colore e taglio domani alle dieci")
    call.says("no")
    assert [row["id"] for row in call.dialogue.conversation.lists["gone"]] == ["11", "12", "13", "14"]  # each once


def test_what_is_done_at_the_end_of_a_call_is_done_however_it_ends() -> None:
    call = rehearse()
    call.says("taglio")
    call.hangs_up()
    asked = call.asked_for[-1].arguments
    assert (asked["method"], asked["url"]) == ("DELETE", "https://shop.example/holds/c-7")
    assert call.over
    bot = rehearse()
    bot.says("nessuno")
    bot.listen()
    assert bot.asked_for[-1].arguments["action"] == "release"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("at_end: release", "at_end: relaese", "unknown action relaese in at_end, did you mean release?"),
        ("slot: services\n", "slot: services\n    completes: true\n", "completes belongs to a slot of the type date_time"),
        ("also: {moment: recap}", "also: {day: recap}", "day is no other slot"),
        ("add: {gone: offered}", "add: {total: offered}", "total is no list of `variables`"),
        ("add: {gone: offered}", "add: {gone: nothing}", "no list nothing"),
        ("fields: {id: integer}}", "fields: {nome: integer}}", "has not the fields of gone"),
        ('total: "{services.count}"', 'total: "{tutto}"', "unknown variable tutto"),
        ("forget: [services, moment]", "forget: [services, mement]", "mement"),
        ('total: "{services.count}"', "gone: x", "gone is a list: add to it"),
        ('total: "{services.count}"', "services: x", "services is chosen from a list: no step sets it"),
        ("moment: {type: date_time, corrected", "moment: {type: date_time, several: true, corrected", "several belongs to a choice"),
        ('"time?": "{moment.time}"', '"time": "{moment.time}"', "moment.time may be unset"),
    ],
)  # fmt: skip
def test_what_a_file_has_wrong_is_told(old: str, new: str, reason: str) -> None:
    assert old in FLOW
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace(old, new))
    assert reason in str(caught.value)
