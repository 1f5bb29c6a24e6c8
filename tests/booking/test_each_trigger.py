"""Each command's triggers at each question of the appointments' flow: what is said, and the state after it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from dialogue.rehearsal import Rehearsal
from protocol.messages import TransferCall
from tests.booking.talking import ELENA, DemoShop

pytestmark = pytest.mark.timeout(900)

START_AGAIN = ("annulla", "ricominciamo", "stop", "basta", "lascia stare")
BACK = ("indietro", "torna", "precedente", "correggo")
HELP = ("aiuto", "help", "cosa puoi fare", "come funziona")
REPEAT = ("ripeti", "non ho capito", "come?", "cosa hai detto")
HUMAN = ("operatore", "persona", "umano", "qualcuno vero")
ONE_BREATH = "vorrei un taglio domani alle nove con Giulia"
NEW = ("vorrei prenotare un taglio", "Anna Verdini")
CAN_DO = "Posso prenotare, spostare o cancellare un appuntamento"
HANDS_OVER = "La passo a una persona, resti in linea."
STRANGE = ("la zia è partita", "il gatto dorme sul divano", "la macchina è rossa")


def nothing(shop: DemoShop) -> None:
    """Nobody has an appointment."""


def nine_is_taken(shop: DemoShop) -> None:
    shop.book()


def somebody_has_the_number(shop: DemoShop) -> None:
    shop.post("/api/clienti/create", nome="Bruno", cognome="Gallini", telefono="3201234567", voice_consent=True)


def elena_has_one(shop: DemoShop) -> None:
    shop.book(client=3, data="2026-01-16")


def elena_has_two(shop: DemoShop) -> None:
    shop.book(client=3, data="2026-01-16")
    shop.book(client=3, data="2026-01-17")


@dataclass(frozen=True)
class Question:
    """A state that asks, how a call comes there, and where `indietro` leads from it."""

    state: str
    said: tuple[str, ...]
    back: str
    number: str = ELENA
    before: Callable[[DemoShop], None] = nothing
    answers: tuple[str, ...] = ()
    """Triggers that are answers to this question: "operatore" to what is to be changed."""


QUESTIONS = (
    Question("ask_intent", (), "ask_intent"),
    Question("confirm_person", ("vorrei prenotare",), "ask_intent"),
    Question("ask_name", ("vorrei prenotare",), "ask_intent", ""),
    Question("ask_which_client", ("vorrei prenotare", "Mario Rossetti"), "ask_name", ""),
    Question("offer_registration", NEW, "ask_name", ""),
    Question("ask_surname", ("vorrei prenotare un taglio", "mi chiamo Anna", "sì"), "offer_registration", ""),
    Question("ask_telephone", (*NEW, "sì"), "offer_registration", ""),
    Question("ask_birth_date", (*NEW, "sì", "320 123 4567", "sì"), "ask_telephone", ""),
    Question("consent_question", (*NEW, "sì", "320 123 4567", "sì", "no"), "ask_birth_date", ""),
    Question("confirm_owner", (*NEW, "sì", "320 123 4567", "sì"), "ask_telephone", "", somebody_has_the_number),
    Question("ask_services", ("vorrei prenotare", "sì"), "confirm_person"),
    Question("ask_when", ("vorrei prenotare un taglio", "sì"), "ask_services"),
    Question("ask_time", ("vorrei prenotare un taglio", "sì", "venerdì"), "ask_when"),
    Question("ask_staff", ("vorrei prenotare un taglio", "sì", "domani alle nove"), "ask_when"),
    Question("ask_alternative", (ONE_BREATH, "sì"), "ask_staff", before=nine_is_taken),
    Question("offer_waitlist", (ONE_BREATH, "sì", "nessuno"), "ask_alternative", before=nine_is_taken),
    Question("confirm", (ONE_BREATH, "sì"), "ask_staff"),
    Question("ask_note", (ONE_BREATH, "sì", "vorrei aggiungere una nota"), "confirm"),
    Question("ask_change", (ONE_BREATH, "sì", "no"), "confirm", answers=("operatore",)),
    Question("anything_else", (ONE_BREATH, "sì", "sì"), "confirm"),
    Question("choose_appointment", ("vorrei disdire", "sì"), "confirm_person", before=elena_has_two),
    Question("confirm_cancel", ("vorrei disdire", "sì"), "confirm_person", before=elena_has_one),
    Question("offer_new", ("vorrei disdire", "sì", "sì"), "confirm_cancel", before=elena_has_one),
    Question("ask_new_time", ("vorrei spostare l'appuntamento", "sì"), "confirm_person", before=elena_has_one),
    Question(
        "recap_move",
        ("vorrei spostare l'appuntamento", "sì", "sabato alle dieci"),
        "ask_new_time",
        before=elena_has_one,
    ),
    Question("offer_human", ("vorrei prenotare un taglio", "sì", *STRANGE), "ask_when"),
)


def says(call: Rehearsal, text: str) -> str:
    """What the bot answers in a copy of the call, which stays where it was."""
    call.spoken = []
    call.says(text)
    return " ".join(call.spoken)


def copied(call: Rehearsal) -> Rehearsal:
    """The same call, to be gone on with in another way: the dialogue is a value."""
    other = copy.copy(call)
    other.spoken, other.turns, other.asked_for = [], [], []
    return other


def where(call: Rehearsal) -> tuple[str, dict[str, str]]:
    """The open question, and every slot's value."""
    return call.dialogue.state, dict(call.dialogue.conversation.slots)


def is_handed_over(call: Rehearsal) -> bool:
    call.listen()
    return isinstance(call.ended_by, TransferCall)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.state)
def test_every_trigger_of_every_command(shop: DemoShop, question: Question) -> None:
    question.before(shop)
    call = shop.call(question.number)
    for text in question.said:
        call.says(text)
    asked = " ".join(call.spoken)
    assert call.dialogue.state == question.state, asked
    booked = shop.appointments()
    wrong: list[str] = []

    def judge(text: str, holds: Callable[[Rehearsal, str], bool]) -> None:
        other = copied(call)
        answer = says(other, text)
        if not holds(other, answer):
            wrong.append(f"{text}: {answer} [{other.dialogue.state}]")

    for text in REPEAT:  # the question word for word
        judge(text, lambda at, answer: asked.endswith(answer) and bool(answer) and at.dialogue.state == question.state)
    for text in HELP:
        judge(text, lambda at, answer: answer.startswith(CAN_DO) and where(at) == where(call))
    for text in START_AGAIN:
        judge(text, lambda at, answer: "Va bene, ricominciamo." in answer and where(at) == ("ask_intent", {}))
    for text in BACK:
        judge(text, lambda at, answer: at.dialogue.state == question.back)
    for text in set(HUMAN) - set(question.answers):
        judge(text, lambda at, answer: answer == HANDS_OVER and is_handed_over(at))
    assert wrong == []
    assert shop.appointments() == booked
