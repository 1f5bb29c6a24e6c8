# ruff: noqa: E501 - one fault per line reads as a table
"""Actions in a conversation: what is asked, what comes of it, and that the caller is never left in silence."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from dialogue.effects import Effect, EffectDone
from dialogue.events import (
    Begun,
    CallOver,
    DialogueAction,
    DialogueEvent,
    HoldBegan,
    HoldEnded,
    PlaybackEnded,
    Recognised,
    Resumed,
    StartTimer,
    TimerExpired,
)
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import BEGIN_AT, Decision, Rehearsal
from dialogue.scores import recorded
from dialogue.snapshot import from_json, to_json
from dialogue.voice import Dialogue, handle
from dialogue.voice.table import AT_ONCE_MS
from protocol.messages import CallConcluded, Say
from tests.flows.test_random_walk import any_event, check_step, end_by_timers, latest

KNOWN = Known(
    frozenset({"yes", "no", "repeat", "human"}),
    frozenset(),
    dict.fromkeys(("ask", "sorry", "bye", "moment", *(f"digit_{d}" for d in range(10))), 1_000),
)
FLOW = """\
flow: order
language: fr
start: ask
too_long: bye
trouble: {say: sorry, then: bye}
slots: {number: {type: digits, length: 4}}
defaults:
  no_input: {say: ask, then: bye}
  no_match: {say: sorry, retries: 2, then: bye}
everywhere:
  repeat: {repeat: true}
actions:
  find:
    get: "https://shop.example/orders/{number}"
    query: {"since?": "{order.date}", lang: fr}
    headers: {Authorization: "Bearer {secret.shop}"}
    gives:
      order.status: {type: choice, choices: {sent: [expédiée], late: [en retard]}, from: state.name}
      order.date: {type: date, optional: true, from: date}
      lines: {type: list, optional: true, fields: {name: text, price: {type: money, currency: EUR}}}
      why: {type: text, with: refused, optional: true}
    timeout_ms: 1500
  call_back:
    post: "https://shop.example/call_backs"
    body: {order: "{number}", status: "{order.status}", "date?": "{order.date}", "lines?": "{lines}", text: "Commande {number}", is: {"new?": "{call.number}"}}
    purpose: "{number}"
  remember: {note: "La commande {number} est {order.status}."}
states:
  ask:
    say: ask
    slot: number
    filled: look
  look:
    say: moment
    action: find
    filler: {say: "Un instant.", after_ms: 700}
    outcomes:
      ok: tell
      not_found: {say: "La commande {number} n'existe pas.", goto: ask}
      refused: {when: why is known, say: "Refus : {why}.", goto: bye, otherwise: bye}
    otherwise: bye
  tell:
    action: remember
    outcomes: {ok: {say: "Elle est {order.status}.", goto: offer}}
    otherwise: bye
  offer:
    say: "Voulez-vous être rappelé ?"
    answers: {"yes": order_call_back, "no": bye}
  order_call_back: {action: call_back, outcomes: {ok: done}, otherwise: bye}
  done: {say: "C'est noté.", hangup: true, outcome: call_back}
  bye: {say: bye, hangup: true, outcome: failed}
"""
GOOD = {"state": {"name": "late"}, "date": "2026-12-03", "lines": [{"name": "Vis", "price": 2.5}, {"name": None}]}


def read(text: str = FLOW) -> Flow:
    return read_flow(text, "fr/order.yaml", KNOWN)


def faults_of(old: str, new: str) -> str:
    assert FLOW.count(old) == 1, f"{old!r} is there {FLOW.count(old)} times"
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace(old, new))
    return str(caught.value)


def rehearse(**answers: Any) -> Rehearsal:
    listed = {name: tuple(found) if isinstance(found, list) else (found,) for name, found in answers.items()}
    return Rehearsal(read(), lambda sentence, allowed: Decision(), world=recorded(listed))


def test_an_action_is_asked_and_its_answer_said() -> None:
    call = rehearse(find={"outcome": "ok", "body": GOOD}, call_back={"outcome": "ok"})
    call.says("1234")
    assert call.spoken == ["moment", "Elle est en retard.", "Voulez-vous être rappelé ?"]
    asked = call.asked_for[0].arguments
    assert asked["url"] == "https://shop.example/orders/1234"
    assert (asked["query"], asked["headers"]) == ({"lang": "fr"}, {"Authorization": ["Bearer ", {"secret": "shop"}]})
    assert dict(call.dialogue.conversation.lists) == {"lines": ({"name": "Vis", "price": "2.50"}, {})}
    call.says("oui")
    body = json.loads(call.asked_for[1].arguments["body"])
    assert body == {
        "order": "1234",
        "status": "late",
        "date": "2026-12-03",
        "lines": [{"name": "Vis", "price": 2.5}, {}],
        "text": "Commande 1234",
        "is": {"new": "+33100000000"},
    }
    call.listen()
    assert call.concluded is not None
    assert call.concluded.outcome == "call_back"
    assert "note_1=La commande 1 2 3 4 est en retard." in call.concluded.lead


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        ({"outcome": "not_found"}, ["La commande 1 2 3 4 n'existe pas.", "ask"]),
        ({"outcome": "refused", "body": {"why": "fermé"}}, ["Refus : fermé.", "bye"]),
        ({"outcome": "refused"}, ["bye"]),
        ({"outcome": "timeout"}, ["bye"]),
        ({"outcome": "error"}, ["bye"]),
        ({"outcome": "nothing"}, ["Un instant.", "bye"]),
        ({"outcome": "something new"}, ["bye"]),
        ({"outcome": "ok", "body": {**GOOD, "state": {"name": "lost"}}}, ["bye"]),
        ({"outcome": "ok", "body": {**GOOD, "date": "soon"}}, ["bye"]),
        ({"outcome": "ok", "body": {**GOOD, "lines": "none"}}, ["bye"]),
        ({"outcome": "ok", "body": [1, 2]}, ["bye"]),
        (
            {"outcome": "ok", "body": GOOD, "after_ms": 2_000},
            ["Un instant.", "Elle est en retard.", "Voulez-vous être rappelé ?"],
        ),
    ],
)
def test_whatever_comes_of_it_is_heard(answer: dict[str, Any], heard: list[str]) -> None:
    call = rehearse(find=answer)
    call.says("1234")
    assert call.spoken == ["moment", *heard]


def test_the_key_is_that_of_call_state_and_purpose() -> None:
    call = rehearse(find=[{"outcome": "not_found"}, {"outcome": "ok", "body": GOOD}], call_back={"outcome": "error"})
    call.says("1234")
    call.says("4321")
    keys = [effect.arguments["key"] for effect in call.asked_for]
    assert len(set(keys)) == 2  # each visit is a purpose of its own, where none is given
    call.says("oui")
    again = rehearse(find={"outcome": "ok", "body": GOOD}, call_back={"outcome": "error"})
    again.says("4321")
    again.says("oui")
    assert call.asked_for[-1].arguments["key"] == again.asked_for[-1].arguments["key"]


# --- by voice, step by step -------------------------------------------------------------------------------------------


class Line:
    """A caller at the telephone, whose every step goes through a snapshot."""

    def __init__(self, flow: Flow | None = None) -> None:
        self.flow, self.dialogue, self.at = flow or read(), Dialogue(), BEGIN_AT
        self.actions: list[DialogueAction] = []
        self.feed(Begun("c", self.at))
        self.hears_out()
        self.feed(Recognised(self.at, self.dialogue.turn, 1, "1234", 0.95))

    def feed(self, event: DialogueEvent) -> list[DialogueAction]:
        self.at += 0.1
        self.dialogue, self.actions = handle(self.flow, from_json(to_json(self.dialogue)), event)
        return self.actions

    def hears_out(self) -> list[DialogueAction]:
        playback = self.dialogue.playback
        assert playback is not None
        return self.feed(PlaybackEnded(self.at, playback.playback_id, "finished", 1_000))

    def timer(self) -> list[DialogueAction]:
        return self.feed(TimerExpired(self.at, self.dialogue.timer, self.dialogue.serial))

    @property
    def effect(self) -> Effect:
        [found] = self.dialogue.conversation.effects.values()
        return found

    def done(self) -> EffectDone:
        return EffectDone(self.at, self.effect.id, {"outcome": "ok", "body": GOOD})


def test_an_answer_waits_for_the_end_of_what_is_being_said() -> None:
    line = Line()
    assert line.dialogue.phase == "announcing"
    line.feed(line.done())
    assert line.dialogue.phase == "announcing"
    line.hears_out()
    assert (line.dialogue.state, line.dialogue.phase) == ("offer", "speaking")


def test_the_filler_is_said_once_then_it_is_a_timeout() -> None:
    line = Line()
    line.hears_out()
    assert (line.dialogue.phase, line.dialogue.timer_ms) == ("acting", 700)
    assert any(isinstance(action, Say) for action in line.timer())
    line.hears_out()
    assert (line.dialogue.phase, line.dialogue.timer_ms) == ("acting", 2_500)
    line.timer()
    assert (line.dialogue.state, line.dialogue.phase) == ("bye", "parting")


def test_after_a_kill_it_is_asked_again_under_the_same_key_and_only_while_it_is_open() -> None:
    line = Line()
    line.hears_out()
    asked = line.effect
    assert [action for action in line.feed(Resumed(line.at)) if isinstance(action, Effect)] == [asked]
    assert line.dialogue.timer_ms == AT_ONCE_MS  # they waited in silence already
    assert any(isinstance(action, Say) for action in line.timer())
    line.hears_out()
    line.feed(Resumed(line.at))
    assert line.dialogue.timer_ms == AT_ONCE_MS  # and, whether they heard it before or not, again
    assert any(isinstance(action, Say) for action in line.timer())
    line.hears_out()
    assert line.dialogue.timer_ms == 2_500
    line = Line()
    line.feed(line.done())
    assert not [action for action in line.feed(Resumed(line.at)) if isinstance(action, Effect)]
    line.hears_out()
    assert line.dialogue.state == "offer"


def test_an_answer_that_comes_during_a_hold_is_kept() -> None:
    line = Line()
    line.feed(HoldBegan(line.at))
    line.feed(line.done())
    assert line.dialogue.phase == "held"
    line.feed(HoldEnded(line.at))
    assert line.dialogue.state == "offer"


def test_what_is_said_meanwhile_answers_nothing() -> None:
    line = Line()
    line.hears_out()
    line.feed(Recognised(line.at, line.dialogue.turn, 2, "non", 0.95))
    line.feed(line.done())
    line.feed(Recognised(line.at, line.dialogue.turn - 1, 2, "non merci", 0.95))
    assert line.dialogue.state == "offer"


def test_who_hangs_up_ends_no_action_and_its_answer_harms_nothing() -> None:
    line = Line()
    done = line.done()
    actions = line.feed(CallOver(line.at, "caller_hung_up"))
    assert [type(action).__name__ for action in actions] == ["CallConcluded"]
    assert line.feed(done) == []


def test_a_value_that_leads_to_an_action_is_not_taken_before_the_end() -> None:
    line = Line.__new__(Line)
    line.flow, line.dialogue, line.at = read(), Dialogue(), BEGIN_AT
    line.feed(Begun("c", line.at))
    line.hears_out()
    line.feed(Recognised(line.at, line.dialogue.turn, 1, "1234", 0.95, final=False))
    assert line.dialogue.state == "ask"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "action: call_back,",
            "action: call_bakc,",
            "fr/order.yaml:49: state order_call_back: unknown action call_bakc, did you mean call_back?",
        ),
        (
            "outcomes: {ok: done}, otherwise: bye",
            "outcomes: {ok: done}",
            "state order_call_back: nothing is said of the outcomes not_found, refused, timeout, error",
        ),
        ("outcomes: {ok: done}", "outcomes: {okay: done}", "outcomes has no key okay"),
        ("outcomes: {ok: done}", "outcomes: {ok: {say: bye}}", "ok must lead to a state, transfer or hang up"),
        (
            "outcomes: {ok: done}, otherwise: bye",
            "outcomes: {ok: done}, otherwise: order_call_back",
            "goes round for ever",
        ),
        ("orders/{number}", "orders/{nubmer}", "unknown variable nubmer, did you mean number?"),
        ("orders/{number}", "orders/{order.status}", "fr/order.yaml:14: state look: order.status may be unset here"),
        ("orders/{number}", "orders/../{number}", "a path has no segment"),
        ("orders/{number}", "orders?n={number}", "goes into query"),
        ("https://shop.example/orders", "https://{number}.example/orders", "a server without variables"),
        ("https://shop.example/orders", "https://shop.example{number}/orders", "a server without variables"),
        ("https://shop.example/orders", "https://u:p@shop.example/orders", "a server without variables"),
        ("https://shop.example/orders", "file:///etc/passwd", "begins with http"),
        (
            "https://shop.example/orders/{number}",
            "https://shop.example/{secret.shop}",
            "a secret stands in headers only",
        ),
        ('text: "Commande {number}"', 'text: "{secret.shop}"', "a secret stands in headers only"),
        ("Elle est {order.status}.", "Elle est {secret.shop}.", "unknown variable secret.shop"),
        ("Elle est {order.status}.", "Elle est {order.date}.", "order.date may be unset here"),
        ("Authorization:", "Host:", "Host is no header of a flow"),
        ("timeout_ms: 1500", "timeout_ms: 9000", "timeout_ms must be from 100 to 5000"),
        ('purpose: "{number}"', "retries: 1", "post may do harm when it is done twice"),
        ('purpose: "{number}"', "cache_s: 1", "only what get gives is kept"),
        ("type: date, optional", "type: daet, optional", "order.date has type daet, did you mean date?"),
        ("with: refused", "with: refusal", "there is no outcome refusal"),
        ("      why: {", "      number: {", "number is there already"),
        (
            "{type: list, optional: true, fields: {name: text, price: {type: money, currency: EUR}}}",
            "{type: list}",
            "lines is a list and needs fields",
        ),
        (
            'post: "https://shop.example/call_backs"',
            'note: x\n    post: "https://shop.example/"',
            "needs one of get, post, put, patch, delete, note",
        ),
        ("    filled: look\n", "    filled: look\n    filler: moment\n", "filler belongs to an action"),
    ],
)
def test_what_is_refused_before_any_call(old: str, new: str, fault: str) -> None:
    assert fault in faults_of(old, new)


@pytest.mark.parametrize("value", ["..", "../admin", "a/b", "a?b=c", "a#b", "a@b", "%2e%2e", "a\nb", "é"])
def test_a_value_in_a_url_is_one_segment(value: str) -> None:
    """Values of text that come from outside: whatever they hold, they name no other path, query or server."""
    text = FLOW.replace('{number}"\n    query', '{call.id}"\n    query').replace(
        "actions:\n", "facts: {id: {type: text, default: x}}\nactions:\n"
    )
    call = Rehearsal(read(text), lambda sentence, allowed: Decision(), world=recorded({}), facts={"id": value})
    call.says("1234")
    if value == "..":
        assert not call.asked_for
        assert call.dialogue.state == "bye"
    else:
        url = call.asked_for[0].arguments["url"]
        assert url.startswith("https://shop.example/orders/")
        assert not set(url.removeprefix("https://shop.example/orders/")) & set("/?#@\n")


def test_random_walks_with_actions_that_answer_at_random() -> None:
    """100,000 events; a call always ends, and something is always under way."""
    flow, chance = read(), random.Random(20261129)
    sayings = ("1234", "12", "oui", "non", "euh")
    events = calls = acted = 0
    ends: set[str] = set()
    while events < 100_000:
        calls += 1
        at, timer, ending = BEGIN_AT, None, 0
        dialogue, actions = handle(flow, Dialogue(), Begun(f"c{calls}", at))
        timer = latest(actions) or timer
        while not dialogue.over and ending < 12:
            events += 1
            ending += bool(dialogue.conversation.ending)
            at += chance.random() * 3
            event = some_event(chance, dialogue, at, timer, sayings)
            acted += isinstance(event, EffectDone) and event.id == dialogue.conversation.awaited
            before = dialogue
            dialogue, actions = handle(flow, dialogue, event)
            timer = latest(actions) or timer
            check_step(before, dialogue, actions, timer)
            ends |= {action.outcome for action in actions if isinstance(action, CallConcluded)}
        dialogue = end_by_timers(flow, dialogue, at, timer)
        assert dialogue.over
        assert from_json(to_json(dialogue)) == dialogue
    assert acted > 2_000
    assert {"call_back", "failed"} <= ends


def some_event(
    chance: random.Random, d: Dialogue, at: float, timer: StartTimer | None, sayings: tuple[str, ...]
) -> DialogueEvent:
    awaited = d.conversation.awaited
    if awaited and chance.random() < 0.3:
        if chance.random() < 0.1:
            return EffectDone(at, awaited, error="unknown_error")
        body: Any = chance.choice(
            (GOOD, GOOD, None, [], {"state": {"name": "lost"}}, {"why": "x" * 900}, {"state": 7, "date": {}})
        )
        return EffectDone(
            at,
            awaited,
            {
                "outcome": chance.choice(("ok", "ok", "ok", "not_found", "refused", "timeout", "error", "?")),
                "body": body,
            },
        )
    if d.phase in ("speaking", "announcing") and d.playback is not None and chance.random() < 0.4:
        return PlaybackEnded(at, d.playback.playback_id, "finished", 500)
    if d.phase in ("waiting", "speaking") and chance.random() < 0.5:
        return Recognised(at, d.turn, d.utterance + 1, chance.choice(sayings), 0.95)
    return any_event(chance, d, at, ("yes", "no", "repeat", "human"), timer)


def test_a_message_is_asked_for_with_its_values_as_they_are_said() -> None:
    told = FLOW.replace(
        '  remember: {note: "La commande {number} est {order.status}."}',
        '  remember: {message: "Commande {number:digits} : {order.status}.", to: "{call.number}", purpose: "{number}"}',
    ).replace("filled: look", "filled: {when: call.number is known, goto: look, otherwise: bye}")
    world = recorded({"find": ({"outcome": "ok", "body": GOOD},), "remember": ({"outcome": "ok"},)})
    call = Rehearsal(read(told), lambda sentence, allowed: Decision(), world=world, number="+33612345678")
    call.says("1234")
    asked = call.asked_for[-1]
    assert (asked.kind, call.dialogue.state) == ("message", "offer")
    arguments = dict(asked.arguments)
    key = arguments.pop("key")
    assert arguments == {
        "action": "remember",
        "call_id": "score",
        "to": "+33612345678",
        "text": "Commande 1 2 3 4 : en retard.",
        "language": "fr",
    }
    assert len(key) == 32
    call.hangs_up()
    assert call.dialogue.over


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ('{message: "Bonjour."}', "message remember needs to: a telephone number"),
        ('{message: "Bonjour.", to: "1", retries: 2}', "a message has no retries"),
        ('{message: "Le {order.day}.", to: "1"}', "unknown variable order.day"),
        ('{message: "Le {secret.shop}.", to: "1"}', "a secret stands in headers only"),
        ('{message: "Bonjour.", note: "x", to: "1"}', "action remember needs one of"),
    ],
)
def test_what_is_refused_of_messages(message: str, fault: str) -> None:
    assert fault in faults_of('{note: "La commande {number} est {order.status}."}', message)
