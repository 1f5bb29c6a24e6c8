"""flows/it/booking.yaml with the demo shop behind it: what callers hear, and what is in the database afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot_manager.actions import ActionWorker
from bot_manager.targets import targets_of
from dialogue.rehearsal import Rehearsal
from tests.booking.talking import ELENA, NOW, PAOLO, DemoShop, demo_shop

GIULIA, MARCO, SARA = 1, 2, 3
LUCA, BRAMBINI, PAOLO_ID = 1, 3, 4


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[DemoShop]:
    with demo_shop(tmp_path) as served:
        yield served


def heard(call: Rehearsal) -> str:
    """All that the bot said since the caller's last words."""
    return " ".join(call.spoken)


def talk(call: Rehearsal, *said: str) -> str:
    """Says one thing after the other; what is heard after the last."""
    for text in said:
        call.says(text)
    return heard(call)


# --- happy path ---


def test_an_appointment_in_one_breath(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    assert heard(call) == "Buongiorno, sono Paola, l'assistente automatica di Salone Aurora. Come posso aiutarla?"
    assert talk(call, "vorrei un taglio domani alle nove con Giulia") == "Parlo con Elena?"
    recap = "Riepilogo: taglio, giovedì 15 gennaio alle 9, con Giulia. Confermo la prenotazione?"
    assert talk(call, "sì") == recap
    assert shop.appointments() == []
    assert talk(call, "sì").startswith("È prenotato. Il codice è ")
    assert shop.appointments() == [(BRAMBINI, "taglio", "2026-01-15", "09:00", GIULIA, "BOOKED")]
    assert talk(call, "no grazie") == "Grazie e arrivederci."
    call.listen()
    assert call.concluded is not None
    assert call.concluded.outcome == "done"


@pytest.mark.parametrize(("services", "is_asked"), [("taglio", True), ("colore", True), ("colore e barba", False)])
def test_staff_is_asked_for_where_more_than_one_does_it(shop: DemoShop, services: str, is_asked: bool) -> None:
    call = shop.call(ELENA)
    answer = talk(call, "vorrei prenotare", "sì", services, "domani alle nove")
    assert answer.startswith("Ha una preferenza per l'operatore?") is is_asked
    if not is_asked:
        assert "con Giulia" in answer


def test_who_is_named_is_heard_also_where_nobody_is_asked(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    answer = talk(call, "vorrei colore e barba domani alle nove con Marco", "sì")
    assert answer.startswith("Marco non fa questo servizio."), answer


def test_the_assistant_has_the_name_that_is_set_and_says_the_shops_number(shop: DemoShop) -> None:
    shop.run(shop.served.ask("PUT", "/api/settings", {"nome_assistente": "Sofia", "nome_attivita": "Salone Prova"}))
    call = shop.call("")
    assert heard(call).startswith("Buongiorno, sono Sofia, l'assistente automatica di Salone Prova.")
    shop.worker = ActionWorker(targets_of("", ""), Path("/nowhere"))  # from now on the shop is away
    answer = talk(call, "vorrei prenotare", "Elena Brambini")
    assert "Il numero del salone è 3 0 0 0 0 0 0 0 0 0." in answer, answer
    shop.run(shop.worker.close())


def test_a_note_for_the_appointment_on_wish(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert talk(call, "vorrei aggiungere una nota") == "Che cosa devo annotare?"
    answer = talk(call, "sono allergica alla lavanda")
    assert answer.startswith("Ho annotato: sono allergica alla lavanda. Riepilogo: taglio, giovedì 15 gennaio alle 9")
    assert talk(call, "sì").startswith("È prenotato.")
    (made,) = shop.post("/api/appuntamenti/search", cliente_id=BRAMBINI)["appuntamenti"]
    assert made["note"] == "sono allergica alla lavanda"


def test_question_by_question_with_a_name(shop: DemoShop) -> None:
    call = shop.call("")
    assert talk(call, "vorrei prenotare") == "Mi dice il suo nome e cognome, per favore?"
    assert talk(call, "Paolo Verdoni") == "Quale servizio desidera?"
    assert talk(call, "taglio, colore e piega") == "Per quale giorno?"
    assert talk(call, "venerdì") == "A che ora?"
    assert talk(call, "alle quindici e trenta") == "Ha una preferenza per l'operatore?"
    assert talk(call, "è uguale").startswith("Riepilogo: taglio, colore e piega, venerdì 16 gennaio alle 15 e 30, con ")
    talk(call, "sì")
    (made,) = shop.appointments()
    assert made[:4] == (PAOLO_ID, "taglio, colore, piega", "2026-01-16", "15:30")


def test_two_yeses_make_one_appointment(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì", "sì")
    again = shop.call(ELENA, call_id="call-1")  # the same call, taken up by another process
    talk(again, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert talk(again, "sì").startswith("Purtroppo") or len(shop.appointments()) == 1
    assert len(shop.appointments()) == 1


# --- alternatives ---


def test_a_taken_slot_and_the_second_of_three_others(shop: DemoShop) -> None:
    shop.book()
    call = shop.call(ELENA)
    offered = talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert offered == (
        "Purtroppo giovedì 15 gennaio alle 9 è occupato. Posso offrirle giovedì 15 gennaio alle 9 e 30, "
        "giovedì 15 gennaio alle 9 e 45 o giovedì 15 gennaio alle 10. Quale preferisce?"
    )
    assert talk(call, "la seconda").startswith("Riepilogo: taglio, giovedì 15 gennaio alle 9 e 45, con Giulia.")
    talk(call, "sì")
    assert shop.appointments()[-1] == (BRAMBINI, "taglio", "2026-01-15", "09:45", GIULIA, "BOOKED")


@pytest.mark.parametrize(
    ("said", "ora"), [("alle nove e mezza", "09:30"), ("quella delle dieci", "10:00"), ("l'ultima", "10:00")]
)
def test_another_time_is_chosen_as_one_says_it(shop: DemoShop, said: str, ora: str) -> None:
    shop.book()
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì", said, "sì")
    assert shop.appointments()[-1][3] == ora


def test_a_new_time_instead_of_those_offered_is_a_new_wish(shop: DemoShop) -> None:
    shop.book()
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert talk(call, "alle cinque").startswith("Riepilogo: taglio, giovedì 15 gennaio alle 17, con Giulia.")


def test_what_was_refused_does_not_come_again(shop: DemoShop) -> None:
    shop.book()
    call = shop.call(ELENA)
    first = talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert "alle 9 e 30" in first
    assert talk(call, "nessuna") == "Vuole che la metta in lista d'attesa per giovedì 15 gennaio?"
    again = talk(call, "no", "domani", "alle nove")
    assert "Posso offrirle" in again
    assert all(time not in again for time in ("alle 9 e 30,", "alle 9 e 45", "alle 10 o"))


def test_two_callers_for_one_slot(shop: DemoShop) -> None:
    first, second = shop.call(ELENA), shop.call(PAOLO)
    talk(first, "vorrei un taglio domani alle nove con Giulia", "sì")
    offered = talk(second, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert "Posso offrirle" in offered
    talk(first, "sì")
    assert [row[:1] + row[3:4] for row in shop.appointments()] == [(BRAMBINI, "09:00")]


def test_a_stretch_of_the_day_offers_its_first_free_times(shop: DemoShop) -> None:
    shop.book(ora="14:00")
    call = shop.call(ELENA)
    offered = talk(call, "vorrei un taglio domani pomeriggio con Giulia", "sì")
    assert offered.startswith("Posso offrirle giovedì 15 gennaio alle 14 e 30, ")
    talk(call, "la prima", "sì")
    assert shop.appointments()[-1][3] == "14:30"


def test_a_stretch_that_was_said_chooses_none_of_its_times(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    assert talk(call, "vorrei un taglio domani dopo le 16 con Giulia", "sì") == (
        "Posso offrirle giovedì 15 gennaio alle 16, giovedì 15 gennaio alle 16 e 15 o giovedì 15 gennaio alle 16 e 30. "
        "Quale preferisce?"
    )


def test_who_refuses_all_may_wait(shop: DemoShop) -> None:
    shop.book()
    call = shop.call(ELENA)  # a VIP
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì", "nessuna")
    assert talk(call, "sì").startswith("È in lista d'attesa, al posto numero 1.")
    other = shop.call(PAOLO)
    talk(other, "vorrei un taglio domani alle nove con Giulia", "sì", "no grazie")
    assert talk(other, "sì").startswith("È in lista d'attesa, al posto numero 2.")
    assert [(row["cliente_id"], row["priorita"]) for row in shop.get("/api/waitlist/list")["waitlist"]] == [
        (BRAMBINI, "VIP"), (PAOLO_ID, "NORMAL"),
    ]  # fmt: skip


def test_a_full_day_offers_the_next_ones(shop: DemoShop) -> None:
    shop.close_days("2026-01-15")
    call = shop.call(ELENA)
    answer = talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert "Posso offrirle venerdì 16 gennaio alle 9, " in answer


# --- what is not free ---


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("vorrei un taglio domenica alle dieci con Giulia", "Di domenica siamo chiusi."),
        ("vorrei un taglio domani alle otto e trenta con Giulia", "Apriamo alle 09:00."),
        ("vorrei un taglio domani alle 18:45 con Giulia", "Chiudiamo alle 19:00, e non faremmo in tempo."),
        ("vorrei un taglio domani alle 13 con Giulia", "A quell'ora siamo in pausa pranzo, dalle 12:30-14:00."),
        ("vorrei un taglio oggi alle 10:30 con Giulia", "Serve almeno un'ora di preavviso."),
    ],
)
def test_why_not_is_said_and_others_are_offered(shop: DemoShop, said: str, reason: str) -> None:
    answer = talk(shop.call(ELENA), said, "sì")
    assert answer.startswith(reason)
    assert "Posso offrirle" in answer


def test_a_holiday_is_named(shop: DemoShop) -> None:
    call = shop.call(ELENA, NOW.replace(month=4, day=22))
    answer = talk(call, "vorrei un taglio sabato alle dieci con Giulia", "sì")
    assert answer.startswith("Mi dispiace, sabato 25 aprile siamo chiusi: è Festa della Liberazione. Posso offrirle")


def test_more_than_ninety_days_ahead(shop: DemoShop) -> None:
    answer = talk(shop.call(ELENA), "vorrei un taglio il 12 maggio alle dieci con Giulia", "sì")
    assert answer == "Prendiamo prenotazioni fino a tre mesi prima. Per quale giorno?"


# --- cancel and move ---


def test_the_only_appointment_is_cancelled_after_a_yes(shop: DemoShop) -> None:
    shop.book(client=BRAMBINI)
    call = shop.call(ELENA)
    answer = talk(call, "vorrei annullare l'appuntamento", "sì")
    assert answer == "Ha un appuntamento per taglio, giovedì 15 gennaio alle 9. Lo cancello?"
    assert shop.appointments()[0][5] == "BOOKED"
    assert talk(call, "sì") == "L'appuntamento è cancellato. Vuole prenotarne un altro?"
    assert [row[5] for row in shop.appointments()] == ["CANCELLED"]


def test_a_no_at_the_end_leaves_it(shop: DemoShop) -> None:
    shop.book(client=BRAMBINI)
    talk(shop.call(ELENA), "vorrei annullare l'appuntamento", "sì", "no")
    assert [row[5] for row in shop.appointments()] == ["BOOKED"]


@pytest.mark.parametrize("said", ["il secondo", "quello di venerdì", "la piega"])
def test_one_of_several_appointments_is_cancelled(shop: DemoShop, said: str) -> None:
    shop.book(client=BRAMBINI)
    shop.book(client=BRAMBINI, data="2026-01-16", ora="11:00", servizi=[3])
    call = shop.call(ELENA)
    answer = talk(call, "vorrei annullare l'appuntamento", "sì")
    assert answer == (
        "Ha 2 appuntamenti: taglio, giovedì 15 gennaio alle 9 o piega, venerdì 16 gennaio alle 11. Quale?"
    )
    assert talk(call, said) == "Allora piega, venerdì 16 gennaio alle 11. Lo cancello?"
    talk(call, "sì")
    assert [row[5] for row in shop.appointments()] == ["BOOKED", "CANCELLED"]


def test_nothing_to_cancel(shop: DemoShop) -> None:
    answer = talk(shop.call(ELENA), "vorrei annullare l'appuntamento", "sì")
    assert answer == "Non risultano appuntamenti a suo nome. Posso fare altro per lei?"


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("venerdì", ("2026-01-16", "09:00")),
        ("alle dieci", ("2026-01-15", "10:00")),
        ("venerdì alle undici", ("2026-01-16", "11:00")),
        ("alle nove e un quarto", ("2026-01-15", "09:15")),  # over its own place
    ],
)
def test_an_appointment_is_moved(shop: DemoShop, said: str, when: tuple[str, str]) -> None:
    shop.book(client=BRAMBINI)
    call = shop.call(ELENA)
    assert talk(call, "vorrei spostare l'appuntamento", "sì") == (
        "Ha un appuntamento per taglio, giovedì 15 gennaio alle 9. A quando lo spostiamo?"
    )
    assert talk(call, said).startswith("Lo sposto a ")
    assert talk(call, "sì").startswith("L'appuntamento è spostato a ")
    assert [row[2:4] for row in shop.appointments()] == [when]


def test_a_no_leaves_the_old_time(shop: DemoShop) -> None:
    shop.book(client=BRAMBINI)
    talk(shop.call(ELENA), "vorrei spostare l'appuntamento", "sì", "venerdì", "no")
    assert [row[2:4] for row in shop.appointments()] == [("2026-01-15", "09:00")]


def test_a_new_time_that_is_taken(shop: DemoShop) -> None:
    shop.book(client=BRAMBINI)
    for operatore in (GIULIA, MARCO, SARA):
        shop.book(data="2026-01-16", operatore_id=operatore)
    call = shop.call(ELENA)
    answer = talk(call, "vorrei spostare l'appuntamento", "sì", "venerdì")
    assert answer.startswith("Purtroppo venerdì 16 gennaio alle 9 è occupato. Posso offrirle")
    talk(call, "la prima", "sì")
    assert shop.appointments()[0][2:4] == ("2026-01-16", "09:30")


# --- corrections ---


@pytest.mark.parametrize(
    ("said", "recap"),
    [
        ("no, non giovedì, volevo dire venerdì", "taglio e colore, venerdì 16 gennaio alle 9, con Giulia."),
        ("anzi, meglio alle cinque", "taglio e colore, giovedì 15 gennaio alle 17, con Giulia."),
        ("mi sono sbagliata, è venerdì", "taglio e colore, venerdì 16 gennaio alle 9, con Giulia."),
        ("correggo: alle dieci", "taglio e colore, giovedì 15 gennaio alle 10, con Giulia."),
        ("no, non il colore, volevo dire la piega", "taglio e piega, giovedì 15 gennaio alle 9, con Giulia."),
        ("anzi, preferisco Sara", "taglio e colore, giovedì 15 gennaio alle 9, con Sara."),
    ],
)
def test_after_the_recap_the_named_part_is_corrected(shop: DemoShop, said: str, recap: str) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei taglio e colore domani alle nove con Giulia", "sì")
    assert f"Riepilogo: {recap}" in talk(call, said)
    assert shop.appointments() == []


TO_THE_CONSENT = ("vorrei prenotare un taglio", "Anna Verdini", "sì", "320 123 4567", "sì", "no")
CONSENT = "Acconsente al trattamento dei suoi dati personali"


@pytest.mark.parametrize(
    "said",
    [
        "no, non 320 123 4567, volevo dire 320 765 4321",
        "anzi, meglio il 320 765 4321",
        "ho sbagliato, è 320 765 4321",
        "correggo: tre due zero sette sei cinque quattro tre due uno",
    ],
)
def test_the_telephone_is_corrected_and_nothing_is_asked_twice(shop: DemoShop, said: str) -> None:
    call = shop.call("")
    assert CONSENT in talk(call, *TO_THE_CONSENT)
    answer = talk(call, said)
    assert answer.startswith("Ho corretto: 320 765 4321. Registro Anna Verdini."), answer
    talk(call, "sì")
    (client,) = shop.post("/api/clienti/search", nome="Verdini")["clienti"]
    assert client["telefono"] == "3207654321"


@pytest.mark.parametrize(
    "said",
    [
        "no, non Anna Verdini, volevo dire Anna Bardelli",
        "anzi, meglio Anna Bardelli",
        "mi sono sbagliata, è Anna Bardelli",
        "correggo: Anna Bardelli",
    ],
)
def test_the_name_is_corrected_and_nothing_is_asked_twice(shop: DemoShop, said: str) -> None:
    call = shop.call("")
    assert CONSENT in talk(call, *TO_THE_CONSENT)
    answer = talk(call, said)
    assert answer.startswith("Ho corretto: Anna Bardelli. Registro Anna Bardelli."), answer
    talk(call, "sì")
    (client,) = shop.post("/api/clienti/search", nome="Bardelli")["clienti"]
    assert (client["nome"], client["cognome"], client["telefono"]) == ("Anna", "Bardelli", "3201234567")


def test_a_corrected_name_that_is_a_clients_is_that_client(shop: DemoShop) -> None:
    call = shop.call("")
    talk(call, *TO_THE_CONSENT)
    assert talk(call, "mi sono sbagliata, è Elena Brambini").endswith("Per quale giorno?")
    assert call.dialogue.conversation.variables["cliente"] == "3"


def test_a_corrected_number_that_is_somebodys_offers_that_client(shop: DemoShop) -> None:
    shop.post("/api/clienti/create", nome="Bruno", cognome="Gallini", telefono="3207654321", voice_consent=True)
    call = shop.call("")
    talk(call, *TO_THE_CONSENT)
    assert talk(call, "ho sbagliato, è 320 765 4321").endswith("Con questo numero conosco Bruno. È lei?")


def test_after_the_recap_what_is_registered_stays(shop: DemoShop) -> None:
    call = shop.call("")
    talk(call, "vorrei un taglio domani alle nove con Giulia", *TO_THE_CONSENT[1:])
    assert "Riepilogo: taglio" in talk(call, "sì")
    answer = talk(call, "correggo: 320 765 4321")
    assert "Il numero registrato lo corregge il salone. Riepilogo: taglio, giovedì 15 gennaio alle 9" in answer
    assert "Il nome registrato lo corregge il salone. Riepilogo: taglio" in talk(
        call, "mi sono sbagliata, è Anna Bardelli"
    )
    talk(call, "sì")
    assert len(shop.appointments()) == 1


def test_a_no_to_the_recap_asks_what_to_change(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    assert talk(call, "no").startswith("Che cosa vuole cambiare")
    assert talk(call, "l'ora") == "A che ora?"
    assert talk(call, "alle undici").startswith("Riepilogo: taglio, giovedì 15 gennaio alle 11, con Giulia.")
    assert talk(call, "no", "il giorno") == "Per quale giorno?"
    assert talk(call, "sabato alle dieci").startswith("Riepilogo: taglio, sabato 17 gennaio alle 10, con Giulia.")
    assert talk(call, "no", "il servizio") == "Quale servizio desidera?"
    assert talk(call, "la piega").startswith("Riepilogo: piega, sabato 17 gennaio alle 10, con Giulia.")


# --- who is calling ---


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("1985", 1),
        ("ottantacinque", 1),
        ("15 marzo", 1),
        ("il quindici marzo", 1),
        ("15/03/1985", 1),
        ("7890", 1),
        ("finisce con settantotto novanta", 1),
        ("22 luglio", 2),
        ("1990", 2),
        ("4567", 2),
    ],
)
@pytest.mark.parametrize("disclosure", ["ask", "full"])
def test_one_of_two_clients_of_a_name_by_every_key(shop: DemoShop, disclosure: str, said: str, client: int) -> None:
    shop.edit("disambiguation_disclosure: ask", f"disambiguation_disclosure: {disclosure}")
    call = shop.call("")
    answer = talk(call, "vorrei prenotare", "sono Mario Rossetti")
    assert answer.startswith("Ho trovato 2 clienti con questo nome")
    assert ("1985" in answer) == (disclosure == "full")
    assert talk(call, said) == "Quale servizio desidera?"
    talk(call, "taglio domani alle nove con Giulia", "sì")
    assert shop.appointments()[-1][0] == client


@pytest.mark.parametrize(("said", "client"), [("sono il primo", 1), ("1", 1), ("il secondo", 2)])
def test_by_the_place_in_the_list_that_was_read_out(shop: DemoShop, said: str, client: int) -> None:
    shop.edit("disambiguation_disclosure: ask", "disambiguation_disclosure: full")
    call = shop.call("")
    assert talk(call, "vorrei prenotare", "sono Mario Rossetti") == (
        "Ho trovato 2 clienti con questo nome: Mario Rossetti, 15 marzo 1985, telefono 3 0 0 0 0 0 7 8 9 0 o "
        "Mario Rossetti, 22 luglio 1990, telefono 3 0 0 0 0 0 4 5 6 7. "
        "Mi dica il numero nell'elenco o la data di nascita."
    )
    talk(call, said, "taglio domani alle nove con Giulia", "sì")
    assert shop.appointments()[-1][0] == client


@pytest.mark.parametrize("disclosure", ["ask", "full"])
@pytest.mark.parametrize("said", ["2 marzo", "quattro", "boh"])
def test_what_is_no_key_names_nobody_and_two_misses_hand_over(shop: DemoShop, said: str, disclosure: str) -> None:
    shop.edit("disambiguation_disclosure: ask", f"disambiguation_disclosure: {disclosure}")
    call = shop.call("")
    talk(call, "vorrei prenotare", "sono Mario Rossetti", said)
    assert call.dialogue.state in ("ask_which_client", "choose_client")
    assert talk(call, said) == "La passo a una persona, resti in linea."


@pytest.mark.parametrize("said", ["sono il primo", "1", "il secondo"])
def test_who_is_not_read_out_has_no_place(shop: DemoShop, said: str) -> None:
    call = shop.call("")
    talk(call, "vorrei prenotare", "sono Mario Rossetti", said)
    assert call.dialogue.state == "ask_which_client"


def test_a_new_client_is_stored_after_the_consent(shop: DemoShop) -> None:
    call = shop.call("")
    assert talk(call, "vorrei un taglio domani alle nove con Giulia", "Anna Verdini") == (
        "Non ho trovato nessuno con il nome Anna Verdini. Vuole registrarsi?"
    )
    assert talk(call, "sì", "320 123 4567") == "Ho capito 320 123 4567. È giusto?"
    assert talk(call, "sì", "venti giugno novantacinque").startswith("Registro Anna Verdini. Acconsente")
    assert shop.post("/api/clienti/search", nome="Verdini")["count"] == 0
    assert talk(call, "sì").startswith(
        "Grazie, la registrazione è fatta. Riepilogo: taglio, giovedì 15 gennaio alle 9, con Giulia."
    )
    (client,) = shop.post("/api/clienti/search", nome="Verdini")["clienti"]
    assert (client["nome"], client["cognome"], client["telefono"], client["data_nascita"]) == (
        "Anna", "Verdini", "3201234567", "1995-06-20",
    )  # fmt: skip
    talk(call, "sì")
    assert shop.appointments() == [(client["id"], "taglio", "2026-01-15", "09:00", GIULIA, "BOOKED")]
    assert shop.consents() == [(client["id"], True, "call-1", "2026-01")]


def test_a_surname_is_asked_for_and_a_birth_date_may_be_kept(shop: DemoShop) -> None:
    call = shop.call("")
    assert talk(call, "vorrei prenotare un taglio", "mi chiamo Anna", "sì") == "Qual è il suo cognome?"
    assert talk(call, "Verdini", "sì") == "Qual è il suo numero di cellulare?"
    talk(call, "tre due zero uno due tre quattro cinque sei sette", "sì")
    assert talk(call, "no").startswith("Registro Anna Verdini.")
    talk(call, "sì")
    (client,) = shop.post("/api/clienti/search", nome="Verdini")["clienti"]
    assert client["data_nascita"] is None


def test_without_consent_nothing_is_kept(shop: DemoShop) -> None:
    call = shop.call("")
    talk(call, "vorrei prenotare un taglio", "Anna Verdini", "sì", "320 123 4567", "sì", "no")
    assert talk(call, "no").startswith("Va bene, non registro nulla.")
    assert shop.post("/api/clienti/search", nome="Verdini")["count"] == 0
    assert shop.consents() == [(None, False, "call-1", "2026-01")]
    c = call.dialogue.conversation
    assert not {"caller_name", "telephone", "birth_date", "surname"} & set(c.slots)
    assert "cognome" not in c.variables


def test_a_landline_is_refused_with_the_reason(shop: DemoShop) -> None:
    call = shop.call("")
    talk(call, "vorrei prenotare un taglio", "Anna Verdini", "sì", "02 1234567")
    assert talk(call, "sì").startswith("Mi serve un cellulare: la conferma arriva lì.")


def test_a_number_that_is_somebodys_offers_that_client(shop: DemoShop) -> None:
    shop.post("/api/clienti/create", nome="Bruno", cognome="Gallini", telefono="3201234567", voice_consent=True)
    call = shop.call("")
    talk(call, "vorrei prenotare un taglio", "Anna Verdini", "sì", "320 123 4567")
    assert talk(call, "sì") == "Con questo numero conosco Bruno. È lei?"
    assert talk(call, "no").startswith("Allora mi serve un altro numero.")
    talk(call, "320 123 4567", "sì")
    assert talk(call, "sì") == "Per quale giorno?"
    assert call.dialogue.conversation.variables["cliente"] == "6"


def test_another_name_once_more_and_then_a_person(shop: DemoShop) -> None:
    call = shop.call("")
    assert talk(call, "vorrei prenotare un taglio", "Anna Verdini", "no") == (
        "Mi dice il suo nome e cognome, per favore?"
    )
    assert talk(call, "Elena Brambini") == "Per quale giorno?"
    other = shop.call("")
    talk(other, "vorrei prenotare un taglio", "Anna Verdini", "no", "Anna Verdini")
    assert talk(other, "no") == "La richiesta mi sembra complessa. Vuole parlare con una persona?"


def test_who_calls_from_anothers_telephone(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    assert talk(call, "vorrei un taglio domani alle nove con Giulia", "no") == (
        "Mi dice il suo nome e cognome, per favore?"
    )
    talk(call, "Paolo Verdoni", "sì")
    assert shop.appointments()[-1][0] == PAOLO_ID


# --- the end of a call ---


def test_a_slot_that_was_held_is_free_when_the_caller_hangs_up(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì")
    wish = {"data": "2026-01-15", "ora": "09:00", "servizi": [1], "operatore_id": GIULIA}
    assert not shop.post("/api/appuntamenti/disponibilita", **wish)["available"]
    call.hangs_up()
    assert shop.asked[-1] == "release"
    assert shop.post("/api/appuntamenti/disponibilita", **wish)["available"]
    assert shop.appointments() == []


def test_an_appointment_stands_after_the_call(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    talk(call, "vorrei un taglio domani alle nove con Giulia", "sì", "sì")
    call.hangs_up()
    assert [row[5] for row in shop.appointments()] == ["BOOKED"]
    later = shop.call(PAOLO, NOW + timedelta(minutes=1))
    assert "Posso offrirle" in talk(later, "vorrei un taglio domani alle nove con Giulia", "sì")
