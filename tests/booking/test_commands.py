"""Words with two meanings, commands at any time, how sure is sure enough: through the shipped Italian intents."""

from __future__ import annotations

import pytest

from dialogue.rehearsal import Decision, Rehearsal, Resolver
from tests.booking.talking import ELENA, DemoShop

pytestmark = pytest.mark.timeout(900)


def talk(call: Rehearsal, *said: str) -> str:
    for text in said:
        call.says(text)
    return " ".join(call.spoken)


ONE_BREATH = "vorrei un taglio domani alle nove con Giulia"
INTENT = "Come posso aiutarla?"


@pytest.mark.parametrize("said", ["annulla", "lascia stare", "stop", "basta", "ricominciamo"])
def test_the_command_annulla_forgets_what_was_begun_and_keeps_who_calls(shop: DemoShop, said: str) -> None:
    call = shop.call(ELENA)
    talk(call, ONE_BREATH, "sì")
    assert talk(call, said) == f"Va bene, ricominciamo. {INTENT}"
    assert dict(call.dialogue.conversation.slots) == {}
    assert talk(call, "vorrei una piega") == "Per quale giorno?"
    assert shop.appointments() == []


def test_annulla_undoes_no_appointment_and_says_so(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, ONE_BREATH, "sì", "sì")
    assert talk(call, "annulla") == f"Va bene, ricominciamo. L'appuntamento già prenotato resta. {INTENT}"
    assert [row[5] for row in shop.appointments()] == ["BOOKED"]


@pytest.mark.parametrize("said", ["vorrei annullare l'appuntamento", "annulla la prenotazione di venerdì"])
def test_a_sentence_with_an_object_is_no_command(shop: DemoShop, said: str) -> None:
    shop.book(client=3, data="2026-01-16")
    assert talk(shop.call(ELENA), said, "sì").endswith("Lo cancello?")


def test_no_is_the_no_to_what_is_open(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    assert talk(call, ONE_BREATH, "sì", "no").startswith("Che cosa vuole cambiare")


@pytest.mark.parametrize("said", ["non ho capito", "come?", "ripeti", "cosa hai detto"])
def test_the_last_answer_again(shop: DemoShop, said: str) -> None:
    call = shop.call(ELENA)
    before = talk(call, "vorrei prenotare", "sì")
    assert talk(call, said) == before == "Quale servizio desidera?"


@pytest.mark.parametrize(
    "said", ["un operatore per favore", "una persona vera", "operatore", "umano", "qualcuno vero", "persona"]
)
@pytest.mark.parametrize("before", [(), ("vorrei prenotare", "sì", "un taglio", "domani alle nove")])
def test_a_person_is_asked_for(shop: DemoShop, said: str, before: tuple[str, ...]) -> None:
    call = shop.call(ELENA)
    assert talk(call, *before, said) == "La passo a una persona, resti in linea."


@pytest.mark.parametrize("said", ["vorrei l'operatore Giulia", "con l'operatrice Giulia per favore"])
def test_an_operatore_with_a_name_is_staff(shop: DemoShop, said: str) -> None:
    call = shop.call(ELENA)
    answer = talk(call, "vorrei prenotare", "sì", "un taglio", "domani alle nove", said)
    assert answer.startswith("Riepilogo: taglio, giovedì 15 gennaio alle 9, con Giulia.")


@pytest.mark.parametrize("said", ["indietro", "torna", "precedente", "correggo"])
def test_back_to_the_slot_before(shop: DemoShop, said: str) -> None:
    call = shop.call(ELENA)
    assert talk(call, "vorrei prenotare", "sì", "un taglio") == "Per quale giorno?"
    assert talk(call, said) == "Quale servizio desidera?"
    assert "services" not in call.dialogue.conversation.slots
    assert talk(call, "una piega") == "Per quale giorno?"


def test_back_twice_and_at_the_first_question(shop: DemoShop) -> None:
    call = shop.call("")
    assert talk(call, "vorrei prenotare", "Paolo Verdoni", "un taglio", "venerdì") == "A che ora?"
    assert talk(call, "indietro") == "Per quale giorno?"
    assert talk(call, "indietro") == "Quale servizio desidera?"
    first = shop.call("")
    assert talk(first, "indietro") == INTENT


def test_torno_domani_is_no_command(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei prenotare", "sì", "un taglio")
    talk(call, "torno domani")
    assert "services" in call.dialogue.conversation.slots


@pytest.mark.parametrize("said", ["aiuto", "cosa puoi fare", "come funziona"])
def test_help_and_then_the_open_question(shop: DemoShop, said: str) -> None:
    call = shop.call(ELENA)
    answer = talk(call, "vorrei prenotare", "sì", "un taglio", said)
    assert answer.startswith("Posso prenotare, spostare o cancellare un appuntamento")
    assert answer.endswith("giorno preferisce?")


@pytest.mark.parametrize("said", ["come faccio ad arrivare?", "avete il parcheggio"])
def test_a_question_without_an_answer_is_not_answered_by_invention(shop: DemoShop, said: str) -> None:
    call = shop.call(ELENA)
    answer = talk(call, "vorrei prenotare", "sì", "un taglio", said)
    assert answer.startswith("Su questo non ho informazioni. Se vuole, le passo una persona.")
    assert call.dialogue.state == "ask_when"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("quali sono i prezzi", "Taglio 25 euro, colore 45 euro,"),
        ("quanto costa la piega", "Piega costa 20 euro."),
        ("a che ora aprite", "Siamo aperti da martedì a sabato dalle 9 alle 12 e 30 e dalle 14 alle 19."),
        ("che orari fate sabato", "Sabato siamo aperti dalle 9"),
        ("quali servizi fate", "Facciamo taglio, colore, piega,"),
    ],
)
def test_questions_that_the_shops_data_answers_and_then_the_open_question(shop: DemoShop, said: str, told: str) -> None:
    call = shop.call(ELENA)
    answer = talk(call, "vorrei prenotare", "sì", "un taglio", said)
    assert answer.startswith(told), answer
    assert call.dialogue.state == "ask_when"
    assert call.dialogue.conversation.slots.get("services") == "taglio"
    talk(call, "domani alle nove", "Giulia")
    assert talk(call, said).startswith(told)
    assert call.dialogue.state == "confirm"
    assert talk(call, "sì").startswith("È prenotato.")
    assert len(shop.appointments()) == 1


# --- how sure ---


def scored(score: float, intent: str = "cancella") -> Resolver:
    return lambda text, allowed: Decision(intent, score, fallback=False) if intent in allowed else Decision()


def test_sure_is_done_at_once(shop: DemoShop) -> None:
    shop.resolve = scored(0.8)
    assert talk(shop.call(ELENA), "mmh la disdirei quella cosa") == "Parlo con Elena?"


@pytest.mark.parametrize("score", [0.5, 0.79])
def test_what_is_not_sure_is_asked_back(shop: DemoShop, score: float) -> None:
    shop.resolve = scored(score)
    call = shop.call(ELENA)
    assert talk(call, "mmh la disdirei quella cosa") == "Vuole cancellare un appuntamento?"
    assert talk(call, "sì") == "Parlo con Elena?"
    other = shop.call(ELENA)
    talk(other, "mmh la disdirei quella cosa")
    assert talk(other, "no").endswith("Vuole prenotare, spostare o cancellare un appuntamento?")
    assert other.dialogue.state == "ask_intent"


def test_below_half_three_times_offers_a_human(shop: DemoShop) -> None:
    shop.resolve = scored(0.49)
    call = shop.call(ELENA)
    for _ in range(2):
        assert talk(call, "mmh la disdirei quella cosa").startswith("Mi scusi, non ho capito.")
    assert talk(call, "mmh quella cosa") == "La richiesta mi sembra complessa. Vuole parlare con una persona?"
    assert talk(call, "sì") == "La passo a una persona, resti in linea."


def test_no_human_after_all_goes_on_where_it_was(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei prenotare", "sì", "un taglio")
    talk(call, "la zia è partita", "il gatto dorme sul divano", "la macchina è rossa")
    assert call.dialogue.state == "offer_human"
    assert talk(call, "no") == "Va bene, continuiamo. Per quale giorno?"
    assert talk(call, "domani alle nove") == "Ha una preferenza per l'operatore?"


def test_an_understood_turn_resets_the_count(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(
        call, "vorrei prenotare", "sì", "un taglio", "la zia è partita", "la zia è partita", "aiuto", "la zia è partita"
    )
    assert call.dialogue.state == "ask_when"
