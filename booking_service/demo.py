"""A shop to try things on: invented names, and telephone numbers of a prefix that no operator has.

Italy keeps no numbers for fiction; none of its mobiles begins with 300.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking_service.bodies import HolidayEntry, HoursEntry, ServiceEntry, StaffEntry
from booking_service.catalogue import put_holidays, put_hours, put_service, put_settings, put_staff
from booking_service.models import ClientRow
from booking_service.refusals import BookingRefused

SETTINGS: Final = {
    "nome_attivita": "Salone Aurora",
    "nome_assistente": "Paola",
    "telefono_attivita": "3000000000",
    "indirizzo": "via delle Prove 12",
}
SERVICES: Final = (
    ServiceEntry("taglio", 30, 2_500, ["taglio di capelli", "tagliare i capelli", "capelli"]),
    ServiceEntry("colore", 60, 4_500, ["tinta", "colorazione", "tingere"]),
    ServiceEntry("piega", 30, 2_000, ["messa in piega", "piegatura"]),
    ServiceEntry("barba", 15, 1_200, ["rasatura", "fare la barba"]),
    ServiceEntry("taglio e barba", 40, 3_200),
    ServiceEntry("trattamento", 45, 3_500, ["trattamento alla cheratina", "maschera"]),
)
STAFF: Final = (StaffEntry("Giulia"), StaffEntry("Marco", [1, 4, 5]), StaffEntry("Sara", [1, 2, 3, 6]))
HOLIDAYS: Final = (
    (1, 1, "Capodanno"),
    (1, 6, "Epifania"),
    (4, 25, "Festa della Liberazione"),
    (5, 1, "Festa dei Lavoratori"),
    (6, 2, "Festa della Repubblica"),
    (8, 15, "Ferragosto"),
    (11, 1, "Ognissanti"),
    (12, 8, "Immacolata"),
    (12, 25, "Natale"),
    (12, 26, "Santo Stefano"),
)
CLIENTS: Final = (
    ("Mario", "Rossetti", "3000007890", date(1985, 3, 15), False),
    ("Mario", "Rossetti", "3000004567", date(1990, 7, 22), False),
    ("Elena", "Brambini", "3000001111", date(1972, 11, 2), True),
    ("Paolo", "Verdoni", "3000002222", None, False),
    ("Chiara", "Lungari", "3000003333", date(1995, 6, 20), False),
)


def easter_monday(year: int) -> date:
    """By Gauss' rule for the Gregorian calendar, as Meeus and Butcher wrote it."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    month, day = divmod(d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114, 31)
    return date(year, month, day + 1) + timedelta(days=1)


def fill_demo(session: Session, today: date) -> dict[str, int]:
    """Fills an empty database; how many of what. Raises BookingRefused (409) for one that holds a shop already."""
    if session.scalar(select(func.count()).select_from(ClientRow)):
        raise BookingRefused(409, "exists", "there is a shop in this database already")
    closed = [HoursEntry(day, day not in (0, 6), time(9), time(19), time(12, 30), time(14)) for day in range(7)]
    put_hours(session, closed)
    feasts = [HolidayEntry(date(2020, month, day), name, True) for month, day, name in HOLIDAYS]
    easter = [HolidayEntry(easter_monday(year), "Lunedì dell'Angelo") for year in range(today.year, today.year + 3)]
    put_holidays(session, [*feasts, *easter])
    for service in SERVICES:
        put_service(session, service)
    for member in STAFF:
        put_staff(session, member)
    put_settings(session, dict(SETTINGS))
    for first, last, telephone, born, vip in CLIENTS:
        session.add(
            ClientRow(nome=first, cognome=last, telefono=telephone, data_nascita=born, is_vip=vip, voice_consent=True)
        )
    session.flush()
    return {"servizi": len(SERVICES), "operatori": len(STAFF), "clienti": len(CLIENTS)}
