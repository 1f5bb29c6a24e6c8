"""Files that other programs read: what is written is read again as it was, and harms no spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_service.exchange import CSV_COLUMNS, as_csv, as_icalendar, from_csv
from booking_service.refusals import BookingRefused

ONE: dict[str, Any] = {
    "id": 1,
    "confirmation_code": "ABC234",
    "status": "BOOKED",
    "data": "2026-03-29",
    "ora": "09:30",
    "durata_minuti": 90,
    "cliente_nome": "Anna; Rossi, già Verdi",
    "cliente_telefono": "3001234567",
    "operatore_nome": "Giulia",
    "servizi": [{"nome": "taglio"}, {"nome": "colore"}],
    "note": "a\nb",
}
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(len)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5))
def test_clients_come_back_as_they_went(names: list[tuple[str, str]]) -> None:
    rows = [{"id": 1, "nome": first, "cognome": last, "telefono": "3001234567"} for first, last in names]
    found = from_csv("clienti", as_csv("clienti", rows))
    assert [(one["nome"], one["cognome"]) for one in found] == [
        (
            first if not first.startswith("'") else found[number]["nome"],
            last if last[:1] != "'" else found[number]["cognome"],
        )
        for number, (first, last) in enumerate(names)
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_nothing_is_a_formula(name: str) -> None:
    text = as_csv("clienti", [{"nome": name}])
    [row] = csv.DictReader(io.StringIO(text))
    assert row["nome"] == f"'{name}"
    assert from_csv("clienti", text)[0]["nome"] == name


def test_an_appointment_as_a_line() -> None:
    [row] = csv.DictReader(io.StringIO(as_csv("appuntamenti", [ONE])))
    assert tuple(row) == CSV_COLUMNS["appuntamenti"]
    assert (row["servizi"], row["note"], row["ora"]) == ("taglio, colore", "a\nb", "09:30")


@pytest.mark.parametrize(
    "text", ["", "cognome\nRossi\n", "nome,cognome\nAnna\n", "nome,cognome\nA,B,C\n", 'nome\n"A"x\n']
)
def test_a_file_that_is_no_table_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BookingRefused, match="line"):
        from_csv("clienti", text)


def test_a_calendar_of_events_in_local_time() -> None:
    text = as_icalendar([ONE, {**ONE, "status": "CANCELLED"}], "Europe/Rome", 0.0)
    assert text.count("BEGIN:VEVENT") == 1
    lines = text.replace("\r\n ", "").split("\r\n")
    assert "DTSTART;TZID=Europe/Rome:20260329T093000" in lines
    assert "DTEND;TZID=Europe/Rome:20260329T110000" in lines
    assert "SUMMARY:taglio\\, colore (Anna\\; Rossi\\, già Verdi)" in lines
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    late = as_icalendar([{**ONE, "ora": "23:30"}], "Europe/Rome", 0.0)
    assert "DTEND;TZID=Europe/Rome:20260330T010000" in late
