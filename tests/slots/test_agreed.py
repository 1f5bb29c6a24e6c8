"""A moment that was agreed before is not the one that is wanted now, and the length of a shift is no moment."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dialogue.slots.date_time import parse_date_time
from dialogue.slots.lexicon import lexicon_of
from dialogue.slots.moments.agreed import MOST_TEXT, without_agreed

NOW = datetime(2026, 1, 14, 10, 0, tzinfo=ZoneInfo("Europe/Rome"))  # a Wednesday


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("devo spostare l'appuntamento di venerdì", "it", None),
        ("vorrei spostare l'appuntamento di venerdì a lunedì alle dieci", "it", "2026-01-19T10:00"),
        ("sposti l'appuntamento di venerdì alle dieci a lunedì", "it", "2026-01-19"),
        ("Può spostare il mio appuntamento delle dieci alle undici?", "it", "2026-01-14T11:00"),
        ("spostare da venerdì a lunedì", "it", "2026-01-19"),
        ("Lo sposti da venerdì mattina a lunedì, per favore", "it", "2026-01-19"),
        ("annulla la prenotazione di venerdì", "it", None),
        ("déplacer mon rendez-vous de vendredi à lundi", "fr", "2026-01-19"),
        ("je voudrais décaler le rendez-vous de mardi à jeudi à quinze heures", "fr", "2026-01-15T15:00"),
        ("mon rendez-vous de vendredi à 10 heures", "fr", None),
        ("avancer mon rdv de 15h à 14h", "fr", "2026-01-14T14:00"),
        ("move my appointment on Friday to Monday at ten", "en", "2026-01-19T10:00"),
        ("Could you move it from Friday to Monday?", "en", "2026-01-19"),
    ],
)
def test_what_was_agreed_is_left_out(text: str, language: str, value: str | None) -> None:
    left = without_agreed(text, language)
    assert parse_date_time(left, lexicon_of(language), NOW).value == value, left


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("vorrei un appuntamento venerdì", "it"),
        ("sono libero da lunedì a mercoledì", "it"),
        ("dalle dieci alle undici", "it"),
        ("il mio appuntamento è venerdì", "it"),
        ("libre de lundi à mercredi", "fr"),
        ("je préfère le rendez-vous de mardi", "fr"),
        ("free from Monday to Wednesday", "en"),
        ("", "it"),
        ("?!", "it"),
        ("lunedì", "xx"),
        ("sposti il mio appuntamento di " + "x" * MOST_TEXT, "it"),
    ],
)
def test_anything_else_stays_as_it_is(text: str, language: str) -> None:
    assert without_agreed(text, language) == text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("un'ora", "it"),
        ("mezz'ora", "it"),
        ("alla stessa ora", "it"),
        ("a quell'ora", "it"),
        ("a che ora", "it"),
        ("anticipare di un'ora", "it"),
        ("posticipare di mezz'ora", "it"),
        ("spostare di un giorno", "it"),
        ("avancer d'une heure", "fr"),
        ("décaler de deux jours", "fr"),
        ("reculer mon rendez-vous d'une demi-heure", "fr"),
        ("move it by an hour", "en"),
    ],
)
def test_the_length_of_a_shift_is_no_moment(text: str, language: str) -> None:
    assert parse_date_time(text, lexicon_of(language), NOW).value is None


def test_now_is_now() -> None:
    for text in ("ora", "adesso", "subito, ora", "vorrei venire ora"):
        assert parse_date_time(text, lexicon_of("it"), NOW).value == "2026-01-14T10:00"
