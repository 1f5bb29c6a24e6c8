# ruff: noqa: E501 - a question and its answer per line read as a table
"""Questions that the shop's data answers, in the words of callers; and those that it leaves to others."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from booking_service.shop import Holiday, OpeningHours, Shop, StaffMember
from booking_service.telling import OfferedService, ShopFacts, told_of
from tests.booking.serving import fill, serving, sqlite_url

WEDNESDAY = date(2026, 1, 14)
SERVICES = (
    OfferedService(1, ("taglio", "taglio di capelli"), 30, 2_500),
    OfferedService(2, ("colore", "tinta"), 60, 4_550),
    OfferedService(3, ("taglio e barba",), 40, 3_200),
    OfferedService(4, ("consulenza",), 20, None),
)
STAFF = (StaffMember(1, "Giulia"), StaffMember(2, "Marco", frozenset({1, 3})), StaffMember(3, "Sara", frozenset({1})))


def open_on(*days: int) -> dict[int, OpeningHours]:
    rest = time(12, 30), time(14)
    hours = {day: OpeningHours(day, day in days, time(9), time(19), *rest) for day in range(6)}
    return {**hours, 5: OpeningHours(5, 5 in days, time(9), time(17, 30))}


FACTS = ShopFacts(
    Shop(open_on(1, 2, 3, 4, 5), (Holiday(date(2020, 1, 16), "San Prova", True),), STAFF),
    SERVICES,
    {"telefono_attivita": "0612345678", "indirizzo": "via delle Prove 12"},
)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("quanto costa un taglio?", "Taglio costa 25 euro."),
        ("Che prezzo ha la tinta", "Colore costa 45 euro e 50."),
        ("quanto viene taglio e barba", "Taglio e barba costa 32 euro."),
        ("quanto costano taglio e colore", "Taglio costa 25 euro e colore costa 45 euro e 50."),
        ("mi dice i prezzi", "Taglio 25 euro, colore 45 euro e 50 e taglio e barba 32 euro."),
        ("quanto costa la consulenza", ""),
        ("quanto dura il colore?", "Colore dura circa 60 minuti."),
        ("quanto ci vuole per un taglio", "Taglio dura circa 30 minuti."),
        ("a che ora aprite", "Siamo aperti da martedì a venerdì dalle 9 alle 12 e 30 e dalle 14 alle 19; il sabato dalle 9 alle 17 e 30."),
        ("siete aperti oggi?", "Oggi siamo aperti dalle 9 alle 12 e 30 e dalle 14 alle 19."),
        ("domani siete aperti", "Domani siamo aperti dalle 9 alle 12 e 30 e dalle 14 alle 19."),
        ("venerdì a che ora chiudete", "Venerdì siamo chiusi: è San Prova."),
        ("a che ora aprite sabato", "Sabato siamo aperti dalle 9 alle 17 e 30."),
        ("lunedì siete chiusi?", "Lunedì siamo chiusi."),
        ("la domenica siete aperti?", "Domenica siamo chiusi."),
        ("chi lavora da voi", "Da noi lavorano Giulia, Marco e Sara."),
        ("chi fa il colore", "Per colore c'è Giulia."),
        ("quali operatori fanno il taglio", "Per taglio ci sono Giulia, Marco e Sara."),
        ("che servizi avete", "Facciamo taglio, colore, taglio e barba e consulenza."),
        ("cosa fate", "Facciamo taglio, colore, taglio e barba e consulenza."),
        ("qual è il vostro numero di telefono", "Il nostro numero è 061 234 567 8."),
        ("dove siete", "Siamo in via delle Prove 12."),
        ("dove posso parcheggiare", ""),
        ("accettate la carta", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_asked_and_told(asked: str, told: str) -> None:
    answer = told_of(asked, FACTS, WEDNESDAY)
    assert answer == told
    assert len(answer.split()) <= 40


@pytest.mark.parametrize("asked", ["quanto costa", "a che ora aprite", "chi lavora da voi", "che servizi avete"])
def test_a_shop_of_which_nothing_is_known_says_nothing(asked: str) -> None:
    assert told_of(asked, ShopFacts(Shop({}), (), {}), WEDNESDAY) == ""


async def test_over_http(tmp_path: Path) -> None:
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.service.change(fill)
        told = await shop.post("/api/info", domanda="quanto costa il taglio?")
        assert told == {"risposta": "Taglio costa 25 euro."}
        assert (await shop.ask("POST", "/api/info", {"domanda": "avete il wifi?"}))[0] == 404
        assert (await shop.ask("POST", "/api/info", {}))[0] == 422
        settings = (await shop.ask("GET", "/api/settings"))[1]
        assert settings["nome_attivita"] == "Salone Prova"
        assert settings["nome_assistente"] == ""
        able = await shop.post("/api/operatori/search", servizi=[1, 2])
        assert (able["count"], [one["nome"] for one in able["operatori"]]) == (1, ["Giulia"])
        assert (await shop.post("/api/operatori/search", servizi=[1]))["count"] == 2
