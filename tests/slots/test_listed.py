# ruff: noqa: E501 - one language per line reads as a table
"""Choosing one of a few things that were just said: by place, by value, none of them; never by a guess."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import ListedField, Option, SlotReading, parse_listed, parse_several
from dialogue.slots.lexicon import lexicon_of
from dialogue.values.spoken import spoken
from dialogue.values.value_types import Locale, ValueType

NOW = datetime(2026, 6, 1, 10, tzinfo=ZoneInfo("Europe/Paris"))  # a Monday
REGIONS = {"fr": "FR", "it": "IT", "en": "GB"}


def options(*records: list[tuple[str, str]]) -> list[Option]:
    return [Option(n, tuple(ListedField(*one) for one in record)) for n, record in enumerate(records, 1)]


def read(text: str, language: str, of: list[Option]) -> SlotReading:
    return parse_listed(text, lexicon_of(language), of, 3, NOW, REGIONS[language])


def shown(reading: SlotReading) -> str:
    """The number that is meant, `none`, `1?3` where it is one of these, `-` where nothing was understood."""
    if reading.complete:
        return str(reading.value)
    return "none" if reading.refused else "?".join(reading.among) or "-"


TIMES = options(
    [("time", "09:00"), ("name", "Giulia Rossi")],
    [("time", "10:30"), ("name", "Anna Bianchi")],
    [("time", "15:00"), ("name", "Marco Verdi")],
)
ALIKE = options(
    [("time", "09:00"), ("name", "Giulia")],
    [("time", "09:30"), ("name", "Giulia")],
    [("time", "10:00"), ("name", "Anna")],
)
CLIENTS = options(
    [("date", "1985-03-15"), ("telephone", "+393331237890")], [("date", "1990-07-22"), ("telephone", "+393331234567")]
)
DAYS = options(
    [("moment", "2026-06-02T09:00+02:00")],
    [("moment", "2026-06-03T09:00+02:00")],
    [("moment", "2026-06-09T14:30+02:00")],
)
SERVICES = options(
    [("text", "Taglio"), ("money", "20.00")],
    [("text", "Taglio e piega"), ("money", "35.50")],
    [("text", "Colore"), ("money", "50.00")],
)
CARS = options([("text", "Vidange"), ("money", "120.00")], [("text", "Pneus"), ("money", "340.50")])
TABLE = [
    ("fr", CARS, "1", "celle à cent vingt euros|la vidange|cent vingt"),
    ("fr", CARS, "2", "celle à trois cent quarante euros cinquante|les pneus"),
    ("fr", TIMES, "1", "le premier|la première|celui de neuf heures|avec Giulia|oui, la une|numéro un|non, celle de neuf heures|disons neuf heures|9h|un|la première, celle de neuf heures"),
    ("fr", TIMES, "2", "la deuxième|le second|à dix heures et demie|celle de 10h30 avec Anna|deux|2|option deux|celui du milieu|l'avant-dernier|aucun problème, la deuxième|la première, non, la deuxième|non pas la première, la deuxième|je préfère avec Bianchi|la 2e"),
    ("fr", TIMES, "3", "la dernière|l'après-midi|à trois heures|quinze heures|le rendez-vous de quinze heures|euh la troisième s'il vous plaît|avec Marco Verdi"),
    ("fr", TIMES, "none", "aucun|aucune des trois|aucun ne me convient|non merci|ni l'une ni l'autre|ça ne me va pas|rien de tout ça|non|ni la première ni la deuxième ni la troisième"),
    ("fr", TIMES, "-", "celle de huit heures|la cinquième|celle de huit heures avec Giulia|oui|je ne sais pas|je voudrais un rendez-vous|quatre|avec Sophie|allô"),
    ("fr", TIMES, "1?2", "celui du matin|neuf heures ou dix heures et demie|la première celle de dix heures trente|avec Giulia ou Anna"),
    ("fr", TIMES, "2?3", "pas celle de neuf heures|pas la première"),
    ("fr", ALIKE, "1", "neuf heures|Giulia à neuf heures"),
    ("fr", ALIKE, "2", "neuf heures et demie|celui de neuf heures trente"),
    ("fr", ALIKE, "1?2", "avec Giulia|Giulia s'il vous plaît"),
    ("fr", DAYS, "1", "demain|mardi à neuf heures|mardi 2"),
    ("fr", DAYS, "2", "mercredi|celui de mercredi"),
    ("fr", DAYS, "3", "mardi neuf juin|le 9|après-midi|mardi après-midi|mardi en huit"),
    ("fr", DAYS, "1?3", "mardi"),
    ("fr", DAYS, "2?3", "le trois"),  # the third, or the third of June
    ("fr", DAYS, "-", "jeudi|mardi à seize heures"),
    ("it", TIMES, "1", "il primo|quello delle nove|con Giulia|nove|numero uno|uno|nessun problema, il primo|la Rossi"),
    ("it", TIMES, "2", "la seconda|quello delle dieci e mezza|il due|con la Bianchi|quello di mezzo|penultimo|la prima, anzi la seconda|la prima, no, la seconda"),
    ("it", TIMES, "3", "l'ultimo|alle tre|le tre|alle quindici|quello del pomeriggio|facciamo quello con Marco|il terzo grazie"),
    ("it", TIMES, "none", "nessuno|nessuna di queste|né l'uno né l'altro|no grazie|non mi va bene nessuna|no"),
    ("it", TIMES, "-", "quello delle otto|il quinto|boh|vorrei prenotare|sì"),
    ("it", TIMES, "1?2", "quella di mattina|le nove o le dieci e mezza"),
    ("it", TIMES, "2?3", "non quello delle nove"),
    ("it", SERVICES, "1", "taglio|il taglio|venti euro"),
    ("it", SERVICES, "2", "taglio e piega|piega|trentacinque euro e cinquanta"),
    ("it", SERVICES, "3", "colore|il colore|quello da cinquanta euro|quello da cinquanta|collore"),
    ("it", CLIENTS, "1", "sono il primo|1|1985|ottantacinque|15 marzo|15/03/1985|15/03/85|7890|finisce con settantotto novanta|quindici marzo millenovecentottantacinque"),
    ("it", CLIENTS, "2", "il secondo|22 luglio|1990|4567|ventidue luglio|finisce con quarantacinque sessantasette"),
    ("it", CLIENTS, "-", "2 marzo|quattro|boh|15 luglio"),
    ("en", TIMES, "1", "the first|the nine o'clock one|with Giulia|the one at nine|one|number one|option one|I'll take the first one"),
    ("en", TIMES, "2", "the second one|half past ten|ten thirty please|number two|two|the middle one|the first, no, the second|the one with Anna"),
    ("en", TIMES, "3", "the last one|at three|three pm|the third one please|the afternoon"),
    ("en", TIMES, "none", "none of these|none|neither|no thanks|not any of them|nothing works for me|no|I can't do any of those"),
    ("en", TIMES, "-", "eight o'clock|the fifth one|yes|what do you mean"),
    ("en", TIMES, "1?2", "the morning one|nine or half past ten"),
    ("en", TIMES, "2?3", "not the first one"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "of", "meant", "text"),
    [(language, of, meant, text) for language, of, meant, texts in TABLE for text in texts.split("|")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_meant(language: str, of: list[Option], meant: str, text: str) -> None:
    assert shown(read(text, language, of)) == meant


def test_the_only_one_left_is_taken_by_a_yes_and_refused_by_a_no() -> None:
    assert shown(read("oui", "fr", TIMES[1:2])) == "2"
    assert shown(read("d'accord", "fr", TIMES[1:2])) == "2"
    assert shown(read("non", "fr", TIMES[1:2])) == "none"
    assert shown(read("oui", "fr", TIMES)) == "-"


def test_the_other_one() -> None:
    assert shown(read("pas celle de neuf heures, l'autre", "fr", TIMES[:2])) == "2"
    assert read("pas celle de neuf heures", "fr", TIMES[:2]).among == ("2",)  # is offered again, alone


def test_places_count_among_what_was_said_and_values_among_all() -> None:
    of = options(*([("time", f"{hour:02}:00")] for hour in range(8, 13)))
    assert shown(read("la dernière", "fr", of)) == "3"
    assert shown(read("la quatrième", "fr", of)) == "-"
    assert shown(read("celle de onze heures", "fr", of)) == "4"


def test_a_time_that_may_go_on_is_open() -> None:
    assert read("neuf heures", "fr", ALIKE).open
    assert not read("neuf heures", "fr", TIMES).open
    assert read("celle de neuf heures et", "fr", TIMES).open


# --- properties -------------------------------------------------------------------------------------------------------

NAMES = "Giulia Anna Marco Sophie Karim Amélie Pietro Chiara Nathan Émile Lucia Matteo".split()
LEADS = {
    "fr": ("celui de ", "je prends ", "plutôt ", "euh ", "donc ", ""),
    "it": ("facciamo ", "prendo ", "direi ", "ehm ", "allora ", ""),
    "en": ("the one with ", "I'll take ", "rather ", "uh ", "well ", ""),
}
ORDINALS = {
    "fr": ("la première", "la deuxième", "la troisième"),
    "it": ("la prima", "la seconda", "la terza"),
    "en": ("the first one", "the second one", "the third one"),
}
BEFORE = {"fr": "à ", "it": "alle ", "en": "at "}


@given(st.sampled_from(sorted(REGIONS)), st.randoms(use_true_random=False))
def test_each_is_found_by_its_place_its_name_and_its_time(language: str, chance: random.Random) -> None:
    """Three different names at three different hours: each is found by each, whatever stands before it."""
    names, hours = chance.sample(NAMES, 3), sorted(chance.sample(range(8, 20), 3))
    while len({hour % 12 for hour in hours}) < 3:
        hours = sorted(chance.sample(range(8, 20), 3))
    minutes = [chance.choice((0, 15, 30)) for _ in hours]
    clocks = [time(hour, minute) for hour, minute in zip(hours, minutes, strict=True)]
    of = options(*([("time", f"{c:%H:%M}"), ("name", name)] for c, name in zip(clocks, names, strict=True)))
    at = chance.randrange(3)
    lead = chance.choice(LEADS[language])
    where = Locale(language, REGIONS[language], "Europe/Paris")
    clock = spoken(ValueType("time"), f"{clocks[at]:%H:%M}", where, NOW.date())
    for said in (ORDINALS[language][at], names[at], BEFORE[language] + clock):
        assert shown(read(lead + said, language, of)) == str(at + 1), lead + said
    other = (at + 1) % 3
    either = {"fr": "ou", "it": "o", "en": "or"}[language]
    both = read(f"{names[at]} {either} {names[other]}", language, of)
    assert shown(both) == "?".join(sorted((str(at + 1), str(other + 1))))


WORDS = {
    "fr": "la le première deuxième dernier neuf dix heures et demie avec Giulia Anna pas non aucun oui ou celle du matin mardi quinze mars 1985 7890 euros ni".split(),
    "it": "la il prima secondo ultimo nove dieci e mezza con Giulia Anna non no nessuno sì o quella di mattina martedì quindici marzo 1985 7890 euro né".split(),
    "en": "the first second last one nine ten o'clock half past with Giulia Anna not no none yes or of morning Tuesday fifteen March 1985 7890 euros neither".split(),
}


@given(
    st.sampled_from(sorted(WORDS)),
    st.sampled_from([TIMES, ALIKE, CLIENTS, DAYS, SERVICES, [], TIMES[:1]]),
    st.lists(st.integers(0, 30), max_size=9),
    st.text(max_size=12),
)
def test_whatever_is_said_the_reading_is_of_what_is_on_offer(
    language: str, of: list[Option], picked: list[int], noise: str
) -> None:
    words = WORDS[language]
    reading = read(" ".join(words[n % len(words)] for n in picked) + " " + noise, language, of)
    there = {str(option.number) for option in of}
    assert set(reading.among) < there or not reading.among
    assert not (reading.complete and (reading.refused or reading.among or reading.value not in there))
    assert not (reading.refused and reading.among)
    assert len(reading.among) != 1 or "?" not in shown(reading)
    assert 0.0 <= reading.confidence <= 1.0


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_day_that_two_have_is_asked(one: int, apart: int) -> None:
    days = [date(2026, 6, 2) + timedelta(days=n) for n in (one, one, one + apart % 6 + 1)]
    of = options(*([("date", day.isoformat()), ("name", name)] for day, name in zip(days, NAMES, strict=False)))
    where = Locale("fr", "FR", "Europe/Paris")
    said = spoken(ValueType("date"), days[0].isoformat(), where, NOW.date())
    assert shown(read(said, "fr", of)) == "1?2"
    assert shown(read(f"{said} avec {NAMES[1]}", "fr", of)) == "2"


# --- several ----------------------------------------------------------------------------------------------------------

SHOP = options(*([("text", name)] for name in ("Taglio", "Taglio e piega", "Colore", "Barba", "Meches")))
MENU = options(*([("text", name)] for name in ("Coupe", "Coupe et brushing", "Couleur", "Barbe")))


def several(text: str, language: str, of: list[Option], kept: tuple[str, ...] = ()) -> str:
    reading = parse_several(text, lexicon_of(language), of, 3, NOW, REGIONS[language], kept)
    if reading.complete:
        return f"{reading.value}{'?' if reading.confidence < 0.72 else ''}"
    return "none" if reading.refused else "-"


@pytest.mark.parametrize(
    ("language", "text", "kept", "meant"),
    [
        ("it", "taglio, colore e barba", (), "1 3 4"),
        ("it", "vorrei un taglio e una barba per favore", (), "1 4"),
        ("it", "taglio e piega", (), "2"),  # the longest name first
        ("it", "taglio e piega e colore", (), "2 3"),
        ("it", "taglio più colore", (), "1 3"),
        ("it", "taglio e taglio", (), "1"),
        ("it", "il primo e il terzo", (), "1 3"),
        ("it", "un taglio domani alle tre con Giulia", (), "1"),
        ("it", "taglio e domani alle tre", (), "1"),
        ("it", "taglio e massaggio", (), "1?"),  # nothing is called so: asked, or read back
        ("it", "taglio e collore", (), "1 3"),  # misheard
        ("it", "anche la barba", ("1",), "1 4"),
        ("it", "senza il colore", ("1", "3"), "1"),
        ("it", "tolga il taglio", ("1", "3"), "3"),
        ("it", "nessuno", (), "none"),
        ("it", "no grazie", (), "none"),
        ("it", "boh", (), "-"),
        ("fr", "une coupe et une couleur", (), "1 3"),
        ("fr", "coupe et brushing", (), "2"),
        ("fr", "ajoutez la barbe", ("1",), "1 4"),
        ("fr", "sans la barbe", ("1", "4"), "1"),
        ("fr", "pas la couleur, la barbe", (), "4"),
        ("fr", "la coupe, non, la couleur", (), "3"),
        ("fr", "coupe et massage", (), "1?"),
        ("fr", "aucun", (), "none"),
    ],
)
def test_several_at_once(language: str, text: str, kept: tuple[str, ...], meant: str) -> None:
    assert several(text, language, SHOP if language == "it" else MENU, kept) == meant


@given(
    st.permutations(["Taglio", "Colore", "Barba", "Meches"]), st.integers(1, 4), st.sampled_from([" e ", ", ", " più "])
)
def test_whatever_is_listed_is_found_once_each(names: list[str], count: int, joint: str) -> None:
    said = names[:count]
    numbers = {"Taglio": "1", "Colore": "3", "Barba": "4", "Meches": "5"}
    assert several("vorrei " + joint.join(said), "it", SHOP) == " ".join(numbers[name] for name in said)
    assert several(joint.join([*said, said[0]]), "it", SHOP) == " ".join(numbers[name] for name in said)


@given(
    st.lists(
        st.sampled_from("taglio e piega colore barba senza anche non no nessuno , il massaggio più con".split()),
        max_size=9,
    ),
    st.sets(st.sampled_from("12345")),
)
def test_several_are_of_what_is_on_offer(words: list[str], kept: set[str]) -> None:
    reading = parse_several(" ".join(words), lexicon_of("it"), SHOP, 3, NOW, "IT", sorted(kept))
    numbers = str(reading.value).split() if reading.complete else []
    assert len(numbers) == len(set(numbers))
    assert set(numbers) <= {"1", "2", "3", "4", "5"}
    assert not (reading.complete and reading.refused)
