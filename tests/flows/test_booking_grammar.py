# ruff: noqa: E501 - one fault per line reads as a table
"""An Italian shop books appointments: lists, forms and sub-flows together, and no Python for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialogue.fixed_texts import fixed_texts
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known, SubFlowText
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.scores import recorded

WHO = """\
subflow: chi
takes: {telephone: {type: telephone, optional: true}}
gives: {found: [id, first], human: []}
start: begin
slots:
  who: name
  which: {type: choice, from: clients, by: [born, telephone], offer: "{first}", needs: [id]}
  phone: phone
variables: {id: integer, first: name}
counters: {names: 1}
actions:
  by_telephone:
    post: "https://shop.example/api/clienti/search"
    body: {telefono: "{telephone}"}
    gives:
      count: integer
      client.id: {type: integer, from: clienti.0.id, optional: true}
      client.first: {type: name, from: clienti.0.nome, optional: true}
  by_name:
    post: "https://shop.example/api/clienti/search"
    body: {nome: "{who}"}
    gives: {clients: {type: list, from: clienti, fields: {id: {type: integer, from: id}, first: {type: name, from: nome}, born: {type: date, from: data_nascita}, telephone: {type: telephone, from: telefono}}}}
  create:
    post: "https://shop.example/api/clienti/create"
    body: {nome: "{who}", telefono: "{phone}", voice_consent: yes}
    gives: {client.id: {type: integer, from: id}, client.first: {type: name, from: nome}}
    purpose: "{phone}"
states:
  begin:
    choose: [{when: telephone is known, goto: look}]
    otherwise: ask_name
  look:
    action: by_telephone
    outcomes:
      ok: {when: count == 1 and client.id is known and client.first is known, set: {id: "{client.id}", first: "{client.first}"}, goto: is_it, otherwise: ask_name}
    otherwise: ask_name
  is_it: {say: "Parlo con {first} ?", answers: {"yes": {done: found}, "no": ask_name}}
  ask_name: {say: "Come si chiama ?", slot: who, filled: search}
  search: {action: by_name, outcomes: {ok: how_many}, otherwise: {done: human}}
  how_many:
    choose: [{when: clients.count == 0, goto: unknown}]
    otherwise: ask_which
  ask_which:
    say: "Ci sono {clients.count} clienti con questo nome. La data di nascita, o le ultime quattro cifre del telefono ?"
    slot: which
    filled: {set: {id: "{which.id}", first: "{which.first}"}, done: found}
    refused: {done: human}
  unknown:
    say: "Non la trovo. Vuole che la registri ?"
    answers: {"yes": ask_phone, "no": {count: names, goto: ask_name, over: {done: human}}}
  ask_phone: {say: "Il numero del cellulare ?", slot: phone, filled: consent}
  consent: {say: "Acconsente al trattamento dei dati ?", answers: {"yes": store, "no": {done: human}}}
  store: {action: create, outcomes: {ok: {set: {id: "{client.id}", first: "{client.first}"}, done: found}}, otherwise: {done: human}}
"""
FLOW = """\
flow: prenota
language: it
start: load
too_long: human
trouble: {say: sorry, then: human}
corrections: {say: "Corretto: {corrected}.", unread: "Non ho capito."}
slots:
  service: {type: choice, from: services, offer: "{nome}", needs: [id], several: true}
  staff: {type: choice, from: operators, offer: "{nome}"}
  day: date_time
  other: {type: choice, from: alternatives, by: [data, ora], offer: "{data} alle {ora:written}"}
actions:
  list_services: {get: "https://shop.example/api/servizi/list", gives: {services: {type: list, from: servizi, fields: {id: integer, nome: text, durata_minuti: integer}}}, cache_s: 300}
  list_staff: {get: "https://shop.example/api/operatori/list", gives: {operators: {type: list, from: operatori, fields: {id: integer, nome: name}}}, cache_s: 300}
  free:
    post: "https://shop.example/api/appuntamenti/disponibilita"
    body: {data: "{day.date}", "ora?": "{day.time}", servizi: "{service.id}", "operatore_id?": "{staff.id}", "fino_a?": "{day.until}"}
    gives: {available: yes_no, alternatives: {type: list, fields: {data: date, ora: time}}}
  book:
    post: "https://shop.example/api/appuntamenti/create"
    body: {cliente_id: "{chi.id}", servizi: "{service.id}", data: "{on}", ora: "{at}", "operatore_id?": "{staff.id}"}
    gives: {code: {type: text, from: confirmation_code}}
    purpose: "{on} {at}"
  wait:
    post: "https://shop.example/api/waitlist/add"
    body: {cliente_id: "{chi.id}", servizi: "{service.id}", data_preferita: "{day.date}"}
    purpose: wait
variables: {on: date, at: time}
defaults: {no_input: {say: sorry, then: human}, no_match: {say: sorry, retries: 2, then: human}}
everywhere: {human: human, repeat: {repeat: true}}
states:
  load: {say: "Buongiorno.", action: list_services, outcomes: {ok: load_staff}, otherwise: human}
  load_staff: {action: list_staff, outcomes: {ok: chi}, otherwise: human}
  chi:
    run: chi
    with: {telephone: "{call.number}"}
    outcomes: {found: wish, human: human}
  wish:
    form:
      service: {say: "Che cosa desidera ? {service.options} ?", called: [servizio], refused: human, recap: "{service},"}
      day: {say: "Per quando ?", called: [giorno, ora], recap: "{day},"}
      staff:
        say: "Con chi ? {staff.options} ?"
        refused: {skip: true}
        recap: "con {staff}."
    recap: {say: "Allora, riassumo:", question: "Va bene ?", wrong: "Che cosa cambio ?"}
    filled: check
  check: {action: free, outcomes: {ok: is_free}, otherwise: human}
  is_free:
    choose:
      - {when: available and day.time is known, set: {on: "{day.date}", at: "{day.time}"}, goto: order}
    otherwise: ask_other
  ask_other:
    say: "Non è libero. Ho {other.options}. Quale preferisce ?"
    slot: other
    filled: {set: {on: "{other.data}", at: "{other.ora}"}, goto: order}
    refused: ask_wait
  ask_wait: {say: "La metto in lista d'attesa ?", answers: {"yes": put_on_list, "no": bye}}
  put_on_list: {action: wait, outcomes: {ok: {say: "È in lista.", goto: bye}}, otherwise: human}
  order: {action: book, outcomes: {ok: {say: "Prenotato: {on} alle {at:written}, codice {code:spelled}.", goto: bye}}, otherwise: human}
  bye: {say: bye, hangup: true, outcome: done}
  human: {say: sorry, transfer: "900", outcome: human}
"""

KNOWN = Known(
    frozenset({"yes", "no", "human", "repeat"}), frozenset(), {"bye": 1_000, "sorry": 1_000},
    subflows={"chi": SubFlowText("it/chi.yaml", WHO.replace("{type: integer, from: id}, first: {type: name, from: nome}, born: {type: date, from: data_nascita}, telephone: {type: telephone, from: telefono}", "integer, first: name, born: date, telephone: telephone"))},
)  # fmt: skip
ONE = {"outcome": "ok", "body": {"count": 1, "clienti": [{"id": 12, "nome": "Anna"}]}}
TWO = [
    {"id": 1, "first": "Mario", "born": "1985-03-15", "telephone": "+393331237890"},
    {"id": 2, "first": "Mario", "born": "1990-07-22", "telephone": "+393331234567"},
]
SERVICES = {
    "outcome": "ok",
    "body": {
        "servizi": [
            {"id": 3, "nome": "Taglio", "durata_minuti": 30},
            {"id": 4, "nome": "Colore", "durata_minuti": 90},
            {"id": 5, "nome": "Piega", "durata_minuti": 20},
        ]
    },
}
STAFF = {"outcome": "ok", "body": {"operatori": [{"id": 8, "nome": "Giulia"}, {"id": 9, "nome": "Marco"}]}}
FREE = {"outcome": "ok", "body": {"available": True, "alternatives": []}}
TAKEN = {
    "outcome": "ok",
    "body": {
        "available": False,
        "alternatives": [
            {"data": "2026-06-02", "ora": "11:00"},
            {"data": "2026-06-02", "ora": "16:00"},
            {"data": "2026-06-03", "ora": "10:00"},
        ],
    },
}
BOOKED = {"outcome": "ok", "body": {"confirmation_code": "AB12"}}


def read() -> Flow:
    return read_flow(FLOW, "it/prenota.yaml", KNOWN)


def call_of(*lines: str, number: str = "+393331112222", **answers: Any) -> Rehearsal:
    known: dict[str, Any] = {
        "list_services": SERVICES,
        "list_staff": STAFF,
        "chi.by_telephone": ONE,
        "free": FREE,
        "book": BOOKED,
        "wait": {"outcome": "ok"},
    }
    listed = {name: (found,) for name, found in (known | {n.replace("__", "."): a for n, a in answers.items()}).items()}
    call = Rehearsal(read(), lambda sentence, allowed: Decision(), world=recorded(listed), number=number)
    for line in lines:
        call.says(line)
    return call


def asked(call: Rehearsal, action: str) -> Any:
    return json.loads(next(e.arguments["body"] for e in reversed(call.asked_for) if e.arguments["action"] == action))


def test_all_in_one_breath() -> None:
    call = call_of("sì")
    assert call.spoken == ["Che cosa desidera ? Taglio, Colore o Piega ?"]
    assert "Buongiorno." in fixed_texts(call.flow)
    assert call_of().spoken[0] == "Buongiorno."
    call.says("vorrei un taglio domani alle tre del pomeriggio con Giulia")
    assert call.spoken == ["Allora, riassumo:", "Taglio,", "martedì 2 giugno alle 15,", "con Giulia.", "Va bene ?"]
    call.says("sì")
    assert asked(call, "free") == {"data": "2026-06-02", "ora": "15:00", "servizi": [3], "operatore_id": 8}
    assert asked(call, "book") == {
        "cliente_id": 12,
        "servizi": [3],
        "data": "2026-06-02",
        "ora": "15:00",
        "operatore_id": 8,
    }
    assert call.spoken[0] == "Prenotato: martedì 2 giugno alle 15:00, codice A, B, 1, 2."


def test_one_after_the_other_corrected_at_the_recap_and_another_time() -> None:
    call = call_of("sì", "colore", "domani alle nove di mattina", "nessuno", free=TAKEN)
    assert call.spoken == ["Allora, riassumo:", "Colore,", "martedì 2 giugno alle 9,", "Va bene ?"]
    call.says("no, non il colore, volevo dire il taglio")
    assert call.spoken[:2] == ["Corretto: Taglio.", "Allora, riassumo:"]
    call.says("anzi, meglio alle dieci di mattina")
    assert call.dialogue.conversation.slots["day"] == "2026-06-02T10:00"
    call.says("sì")
    assert call.spoken == [
        "Non è libero. Ho martedì 2 giugno alle 11:00, martedì 2 giugno alle 16:00 o mercoledì 3 giugno alle 10:00. Quale preferisce ?"
    ]
    call.says("quello delle sedici")
    assert asked(call, "book") == {"cliente_id": 12, "servizi": [3], "data": "2026-06-02", "ora": "16:00"}


def test_none_of_the_alternatives_is_the_waitlist() -> None:
    call = call_of("sì", "taglio domani alle nove di mattina con Marco", "sì", "nessuno", free=TAKEN)
    assert call.spoken == ["La metto in lista d'attesa ?"]
    call.says("sì")
    assert asked(call, "wait") == {"cliente_id": 12, "servizi": [3], "data_preferita": "2026-06-02"}


@pytest.mark.parametrize(
    ("said", "client"),
    [("15 marzo", 1), ("ottantacinque", 1), ("7890", 1), ("finisce con settantotto novanta", 1), ("22 luglio", 2), ("1990", 2), ("2 marzo", 0), ("boh", 0)],
)  # fmt: skip
def test_of_two_clients_of_one_name_the_birth_date_or_the_telephone_decides(said: str, client: int) -> None:
    call = call_of("mi chiamo Mario Rossi", number="", chi__by_name={"outcome": "ok", "body": {"clienti": TWO}})
    assert call.spoken[0].startswith("Ci sono 2 clienti")
    call.says(said)
    assert call.dialogue.conversation.variables.get("chi.id", "0") == str(client)
    assert call.dialogue.state == ("wish.service" if client else "chi.ask_which")


def test_several_services_added_taken_away_and_changed() -> None:
    call = call_of("sì", "taglio e colore", "domani alle nove di mattina", "con Giulia")
    assert call.spoken[1] == "Taglio e Colore,"
    assert dict(call.dialogue.conversation.lists)["service"] == (
        {"id": "3", "nome": "Taglio", "durata_minuti": "30"}, {"id": "4", "nome": "Colore", "durata_minuti": "90"},
    )  # fmt: skip
    call.says("senza il colore")
    assert call.spoken[0] == "Corretto: Taglio."
    call.says("anche il colore")
    assert call.spoken[0] == "Corretto: Taglio e Colore."
    call.says("no, non il colore, volevo dire la piega")
    assert call.spoken[0] == "Corretto: Taglio e Piega."
    call.says("sì")
    assert asked(call, "book")["servizi"] == [3, 5]
    call = call_of("sì", "taglio e massaggio")  # there is no such thing: asked again
    assert call.dialogue.state == "wish.service"


def test_a_stretch_is_asked_with_its_end() -> None:
    call = call_of("sì", "taglio", "domani pomeriggio", "con Giulia", "sì", free=TAKEN)
    body = asked(call, "free")
    assert (body["data"], "fino_a" in body) == ("2026-06-02", True)
    assert call.dialogue.state == "ask_other"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('set: {on: "{other.data}"', 'set: {on: "{other.ora}"', "on is a date, other.ora a time"),
        ('set: {on: "{other.data}"', 'set: {on: "{othr.data}"', "unknown variable othr.data"),
        ("available and day.time is known, set", "available, set", "day.time may be unset here"),
        ('set: {on: "{other.data}"', 'set: {staff: "{other.data}"', "staff is no slot or variable that steps set"),
        ('set: {on: "{other.data}"', "set: {staff: Giulia", "slot staff is chosen from a list: no step sets it"),
    ],
)
def test_what_is_refused(old: str, new: str, fault: str) -> None:
    assert FLOW.count(old) == 1
    with pytest.raises(BadFlow) as caught:
        read_flow(FLOW.replace(old, new), "it/prenota.yaml", KNOWN)
    assert fault in str(caught.value)
