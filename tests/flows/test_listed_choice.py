# ruff: noqa: E501 - one fault per line reads as a table
"""A slot that is chosen from a list which an action brought: offered, chosen, narrowed, refused; checked before."""

from __future__ import annotations

import random

import pytest

from dialogue.effects import EffectDone
from dialogue.events import Begun, DialogueEvent, StartTimer, Understood
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.rehearsal import BEGIN_AT, Decision, Rehearsal
from dialogue.scores import recorded
from dialogue.snapshot import from_json, to_json
from dialogue.voice import Dialogue, handle
from protocol.messages import Listen
from tests.flows.test_random_walk import any_event, check_step, end_by_timers, latest

KNOWN = Known(
    frozenset({"yes", "no", "repeat", "human", "go_back", "start_again"}),
    frozenset(),
    dict.fromkeys(("sorry", "bye"), 1_000),
)
FLOW = """\
flow: times
language: fr
start: look
too_long: bye
trouble: {say: sorry, then: bye}
slots:
  day: date_time
  free: {type: choice, from: times, by: [start, staff], offer: "{start} avec {staff}"}
corrections: {say: "C'est corrigé : {corrected}.", unread: "Je n'ai pas compris la correction."}
actions:
  find:
    get: "https://shop.example/times"
    query: {"day?": "{day}"}
    gives:
      times: {type: list, fields: {id: integer, start: time, staff: name, price: {type: money, currency: EUR}}}
  book:
    post: "https://shop.example/bookings"
    body: {id: "{free.id}", start: "{free.start}", text: "{free}"}
    purpose: "{free.start}"
defaults:
  no_input: {say: sorry, then: bye}
  no_match: {say: sorry, retries: 2, then: bye}
everywhere:
  repeat: {repeat: true}
  human: bye
  go_back: {back: true}
  start_again: {restart: look, keep: [free]}
states:
  look: {action: find, outcomes: {ok: offer}, otherwise: bye}
  offer:
    say: "J'ai {free.options}. Lequel préférez-vous ?"
    ask_again: "Donc {free.options} : lequel ?"
    slot: free
    filled: recap
    refused: {say: "C'est dommage.", goto: ask_day}
  ask_day: {say: "Quel jour alors ?", slot: day, filled: look}
  recap:
    choose:
      - {when: 'free.staff == "Giulia" and free.start < 9:15', say: "C'est tôt.", goto: confirm}
    otherwise: confirm
  confirm:
    say: "Donc {free}, à {free.start:written} : d'accord ?"
    answers: {"yes": {when: free.id is known, goto: order, otherwise: bye}, "no": bye}
  order: {action: book, outcomes: {ok: bye}, otherwise: bye}
  bye: {say: bye, hangup: true, outcome: done}
"""
ROWS = [
    {"id": 7, "start": "09:00", "staff": "Giulia", "price": 30},
    {"id": 8, "start": "09:30", "staff": "Giulia"},
    {"id": 9, "start": "10:00"},  # without staff: cannot be offered
    {"id": 10, "start": "15:00", "staff": "Marco"},
    {"id": 11, "start": "16:00", "staff": "Anna"},
]


def read(text: str = FLOW) -> Flow:
    return read_flow(text, "fr/times.yaml", KNOWN)


def rehearse(*bodies: object, text: str = FLOW) -> Rehearsal:
    answers = tuple({"outcome": "ok", "body": {"times": body}} for body in bodies)
    return Rehearsal(
        read(text),
        lambda sentence, allowed: Decision(),
        world=recorded({"find": answers, "book": ({"outcome": "ok"},)}),
    )


OFFER = "J'ai 9 heures avec Giulia, 9 heures 30 avec Giulia ou 15 heures avec Marco. Lequel préférez-vous ?"


def test_three_are_offered_and_one_is_chosen_with_its_fields() -> None:
    call = rehearse(ROWS)
    assert call.spoken == [OFFER]
    call.says("le dernier")
    assert call.spoken == ["Donc 15 heures avec Marco, à 15:00 : d'accord ?"]
    c = call.dialogue.conversation
    assert c.slots == {"free": "15 heures avec Marco"}
    assert {n: v for n, v in c.variables.items() if n.startswith("free.")} == {
        "free.id": "10", "free.start": "15:00", "free.staff": "Marco",
    }  # fmt: skip
    call.says("oui")
    assert call.asked_for[-1].arguments["body"] == '{"id": 10, "start": "15:00", "text": "15 heures avec Marco"}'


def test_fields_are_typed_in_conditions() -> None:
    call = rehearse(ROWS)
    call.says("la première")
    assert call.spoken == ["C'est tôt.", "Donc 9 heures avec Giulia, à 09:00 : d'accord ?"]


def test_one_that_was_not_said_is_chosen_by_its_value() -> None:
    call = rehearse(ROWS)
    call.says("vous n'auriez pas quelque chose avec Anna")
    call.says("celui de seize heures")
    assert call.dialogue.conversation.slots == {"free": "16 heures avec Anna"}


def test_what_may_be_two_is_asked_among_these_two() -> None:
    call = rehearse(ROWS)
    call.says("avec Giulia")
    assert call.spoken == ["Donc 9 heures avec Giulia ou 9 heures 30 avec Giulia : lequel ?"]
    assert call.dialogue.conversation.slots == {}
    call.says("euh avec Giulia")  # says no more than before
    assert call.spoken == ["sorry", "Donc 9 heures avec Giulia ou 9 heures 30 avec Giulia : lequel ?"]
    call.says("la deuxième")
    assert call.dialogue.conversation.slots == {"free": "9 heures 30 avec Giulia"}


def test_none_is_an_outcome_of_its_own_and_a_new_wish_is_heard() -> None:
    call = rehearse(ROWS, ROWS[4:])
    call.says("aucun, plutôt jeudi")
    assert call.dialogue.conversation.slots == {"day": "2026-06-04"}
    assert call.spoken == ["C'est dommage.", "J'ai 16 heures avec Anna. Lequel préférez-vous ?"]
    call.says("oui")
    assert call.dialogue.conversation.slots["free"] == "16 heures avec Anna"
    assert [turn.intent for turn in call.turns] == ["refused", "slot_value"]


def test_an_empty_list_is_refused_without_a_question() -> None:
    call = rehearse([], ROWS)
    assert call.spoken == ["C'est dommage.", "Quel jour alors ?"]
    assert any(note.what == "nothing_to_choose" for note in call.noted)
    call.says("jeudi")
    assert call.spoken == [OFFER]


def test_a_choice_is_corrected_and_taken_back() -> None:
    call = rehearse(ROWS)
    call.says("la première")
    call.says("je me suis trompé, c'est la deuxième")
    assert call.spoken[0] == "C'est corrigé : 9 heures 30 avec Giulia."
    assert call.dialogue.conversation.variables["free.start"] == "09:30"
    call.says("non, pas neuf heures trente, je voulais dire quinze heures")
    assert call.dialogue.conversation.variables["free.staff"] == "Marco"
    call.says("retour", Decision("go_back", 0.95, fallback=False))
    c = call.dialogue.conversation
    assert (c.state, dict(c.slots)) == ("offer", {})
    assert not [name for name in c.variables if name.startswith("free.")]


def test_back_does_not_lead_to_a_question_that_says_what_is_forgotten() -> None:
    """A correction that is not read asks for the choice again; the recap before it can say nothing any more."""
    call = rehearse(ROWS)
    call.says("la première")
    call.says("je me suis trompé, c'est euh machin truc")
    assert call.dialogue.state == "offer"
    call.says("retour", Decision("go_back", 0.95, fallback=False))
    assert (call.dialogue.state, call.spoken) == ("offer", [OFFER])


def test_a_restart_keeps_a_choice_whole() -> None:
    call = rehearse(ROWS)
    call.says("la première")
    call.says("recommencez", Decision("start_again", 0.95, fallback=False))
    assert call.dialogue.conversation.slots == {"free": "9 heures avec Giulia"}
    assert call.dialogue.conversation.variables["free.id"] == "7"


def test_a_choice_is_read_back_before_it_is_taken() -> None:
    call = rehearse(
        ROWS, text=FLOW.replace("    filled: recap\n", '    read_back: "{free}, c\'est bien ça ?"\n    filled: recap\n')
    )
    call.says("la première")
    assert call.spoken == ["9 heures avec Giulia, c'est bien ça ?"]
    assert call.dialogue.conversation.slots == {}
    call.says("non, la deuxième")
    assert call.spoken == ["9 heures 30 avec Giulia, c'est bien ça ?"]
    call.says("oui")
    assert call.dialogue.conversation.slots == {"free": "9 heures 30 avec Giulia"}
    assert call.dialogue.conversation.variables["free.id"] == "8"


def test_the_recogniser_is_told_the_names() -> None:
    call = rehearse(ROWS)
    d = call.dialogue
    said = Understood(call.at, d.turn, d.utterance + 1, "bla", 0.9, fallback=True)
    assert [action.hints for action in handle(call.flow, d, said)[1] if isinstance(action, Listen)] == [
        ("Giulia", "Marco", "Anna")
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("from: times", "from: tmies", "slot free: no list tmies, did you mean times?: an action gives one"),
        ("by: [start, staff]", "by: [start, stuff]", "times has no field stuff, did you mean staff?"),
        ('offer: "{start} avec {staff}"', 'offer: "bientôt"', "offer says no field of times"),
        ('offer: "{start} avec {staff}"', 'offer: "{begin}"', "times has no field begin"),
        (', offer: "{start} avec {staff}"', "", "needs offer"),
        ("    refused: {say: \"C'est dommage.\", goto: ask_day}\n", "", "state offer: needs refused"),
        ("slot: day, filled: look", "slot: day, filled: look, refused: bye", "slot day is not chosen from a list"),
        ('say: "C\'est dommage.", goto: ask_day}', 'say: "C\'est dommage."}', "refused must lead to a state"),
        ("start: look\ntoo", "start: offer\ntoo", "times may be unset here"),
        ("free.staff ==", "free.stuff ==", "unknown variable free.stuff"),
        ("free.start < 9:15", "free.start < 9", "a time cannot be compared with a integer"),
        ('{when: free.id is known, goto: order, otherwise: bye}', "order", "free.id may be unset here"),
        ("staff: name, price", "count: name, staff: name, price", "cannot be called count"),
        ("  day: date_time", "  day: {type: date_time, by: [start]}", "by belongs to a choice from a list"),
        ("slot: day, filled: look}", "slot: day, filled: offer}\n  x: {goto: look}", "unreachable"),
        ('goto: ask_day}', "goto: look}", "goes round for ever"),
    ],
)  # fmt: skip
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert FLOW.count(old) == 1
    with pytest.raises(BadFlow) as caught:
        read(FLOW.replace(old, new))
    assert fault in str(caught.value)
    assert "fr/times.yaml:" in str(caught.value)


SAYINGS = ("la première", "aucun", "oui", "avec Giulia", "jeudi", "non", "la dernière", "neuf heures", "bla", "plutôt la deuxième", "")  # fmt: skip


def test_random_walks_through_choices_end() -> None:
    flow, chance = read(), random.Random(20261129)
    intents = ("repeat", "go_back", "start_again", "yes", "no", "unheard_of")
    events = 0
    while events < 4_000:
        dialogue, actions = handle(flow, Dialogue(), Begun("c", BEGIN_AT))
        timer, at, seen = latest(actions), BEGIN_AT, 0
        while not dialogue.over and not dialogue.conversation.ending and seen < 200:
            seen += 1
            at += chance.random() * 2
            event = next_event(chance, dialogue, at, intents, timer)
            before = dialogue
            dialogue, actions = handle(flow, dialogue, event)
            timer = latest(actions) or timer
            check_step(before, dialogue, actions, timer)
            assert from_json(to_json(dialogue)) == dialogue
        events += seen
        assert end_by_timers(flow, dialogue, at, timer).over


def next_event(
    chance: random.Random, d: Dialogue, at: float, intents: tuple[str, ...], timer: StartTimer | None
) -> DialogueEvent:
    if d.conversation.awaited and chance.random() < 0.5:
        rows = chance.sample(ROWS, chance.randint(0, 5))
        return EffectDone(at, d.conversation.awaited, {"outcome": "ok", "body": {"times": rows}})
    if chance.random() < 0.5:
        text, fallback = chance.choice(SAYINGS), chance.random() < 0.7
        return Understood(at, d.turn, d.utterance + 1, text, 0.9, chance.choice(intents), 0.9, False, fallback)
    return any_event(chance, d, at, intents, timer)


def hinted(flow: str, *texts: str) -> tuple[str, ...]:
    """What the recogniser is told with the last question of a call in which so much was said."""
    call = rehearse(ROWS, text=flow)
    for text in texts:
        call.says(text)
    d = call.dialogue
    said = Understood(call.at, d.turn, d.utterance + 1, "bla", 0.9, fallback=True)
    (hints,) = [action.hints for action in handle(call.flow, d, said)[1] if isinstance(action, Listen)]
    return hints


OPEN = FLOW.replace("outcomes: {ok: offer}", "outcomes: {ok: open}").replace(
    "  offer:\n", '  open: {say: "Que puis-je faire ?", answers: {%s: offer}}\n  offer:\n'
)


def test_an_open_question_may_be_answered_by_any_name_that_is_known() -> None:
    assert hinted(OPEN % "human") == ("Giulia", "Marco", "Anna")


def test_a_yes_or_no_may_not() -> None:
    assert hinted(OPEN % '"yes"') == ()


def test_who_is_asked_when_in_italian_may_name_a_day() -> None:
    days = ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica")
    assert hinted(FLOW.replace("language: fr", "language: it"), "nessuno") == days
