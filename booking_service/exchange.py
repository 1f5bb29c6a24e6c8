"""The calendar and the clients as files that other programs read, and clients and services from files of theirs. Pure.

CSV (RFC 4180) with the contract's names in the first line; iCalendar (RFC 5545) with local times and the zone's name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from booking_service.refusals import invalid

CSV_COLUMNS: Final = {
    "clienti": ("id", "nome", "cognome", "telefono", "data_nascita", "is_vip"),
    "servizi": ("id", "nome", "durata_minuti", "prezzo"),
    "appuntamenti": (
        *("id", "confirmation_code", "status", "data", "ora", "durata_minuti"),
        *("cliente_nome", "cliente_telefono", "operatore_nome", "servizi", "note"),
    ),
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute."""


def as_csv(kind: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """A table of CSV_COLUMNS."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS[kind], extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row.get(name)) for name in CSV_COLUMNS[kind]})
    return text.getvalue()


def from_csv(kind: str, text: str) -> list[dict[str, str]]:
    """The rows of a table; unknown columns are left out. Raises BookingRefused (422), with the line."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), strict=True)
    wanted = set(CSV_COLUMNS[kind])
    try:
        if not {"nome"} <= set(reader.fieldnames or ()):
            raise invalid(f"line 1: the first line names the columns, {', '.join(CSV_COLUMNS[kind])}")
        rows = []
        for row in reader:
            if None in row or None in row.values():
                raise invalid(f"line {reader.line_num}: not as many values as columns")
            rows.append({name: _plain(value.strip()) for name, value in row.items() if name in wanted})
        return rows
    except csv.Error as error:
        raise invalid(f"line {reader.line_num}: {error}") from None


def as_icalendar(appointments: Sequence[Mapping[str, Any]], zone: str, now_s: float) -> str:
    """Booked appointments as events; `zone` is the name of the shop's time zone."""
    stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pronto//booking//IT"]
    for one in appointments:
        if one["status"] != "BOOKED":
            continue
        begin = datetime.combine(date.fromisoformat(one["data"]), time.fromisoformat(one["ora"]))
        end = begin + timedelta(minutes=one["durata_minuti"])
        names = ", ".join(service["nome"] for service in one["servizi"])
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one['confirmation_code']}@pronto.booking",
            f"DTSTAMP:{stamp}",
            f"DTSTART;TZID={zone}:{begin:%Y%m%dT%H%M%S}",
            f"DTEND;TZID={zone}:{end:%Y%m%dT%H%M%S}",
            f"SUMMARY:{_escaped(names)} ({_escaped(one['cliente_nome'])})",
            *([f"DESCRIPTION:{_escaped(one['operatore_nome'])}"] if one["operatore_nome"] else []),
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _cell(value: object) -> str:
    """As text; what would be a formula is told to be none by an apostrophe."""
    if isinstance(value, list):
        value = ", ".join(str(one["nome"]) for one in value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(value: str) -> str:
    return value[1:] if value[:1] == "'" and value[1:].startswith(_FORMULA) else value


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "")


def _folded(line: str) -> str:
    """No line of more than 75 bytes: what is longer goes on behind a blank. No sign is cut in two."""
    parts: list[str] = []
    part = ""
    for sign in line:
        if len((part + sign).encode()) > (75 if not parts else 74):
            parts.append(part)
            part = ""
        part += sign
    return "\r\n ".join([*parts, part])
