"""Days and times against a calendar: field reports and their relatives, in words and in digits, in three languages."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dialogue.slots import SlotReading, parse
from dialogue.slots.regions import TIMEZONES, region_of
from tests.slots.spoken import EN_MONTHS, EN_ORDINALS, FR_MONTHS, FR_WEEKDAYS, IT_MONTHS, english, french, italian

NOW = datetime(2026, 11, 20, 15, 40)  # a Friday
ASKED_BELOW = 0.8


def read(text: str, language: str, now: datetime = NOW) -> SlotReading:
    return parse("date_time", text, language, now=now, previous=None)


def is_asked(reading: SlotReading) -> bool:
    """No value, one that cannot be taken, or one that is confirmed first."""
    return not reading.complete or reading.confidence < ASKED_BELOW


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        # the Italian clock
        ("alle 15:00", "it", "2026-11-21T15:00"),
        ("alle 15:30", "it", "2026-11-21T15:30"),
        ("alle 15,30", "it", "2026-11-21T15:30"),
        ("domani alle 9:00", "it", "2026-11-21T09:00"),
        ("alle 14.30", "it", "2026-11-21T14:30"),
        ("14.30", "it", "2026-11-21T14:30"),
        ("lunedì alle 16:15", "it", "2026-11-23T16:15"),
        ("dalle 15:00 alle 17:00", "it", "2026-11-20T15:00/2026-11-20T17:00"),
        ("martedì dalle 15:00 in poi", "it", "2026-11-24T15:00/2026-11-24T20:00"),
        ("verso le undici meno un quarto", "it", "2026-11-21T10:45"),
        ("domani alle quindici e trenta", "it", "2026-11-21T15:30"),
        ("martedì tra le 14 e le 16", "it", "2026-11-24T14:00/2026-11-24T16:00"),
        ("mezzogiorno e mezza", "it", "2026-11-21T12:30"),
        ("stasera alle 8", "it", "2026-11-20T20:00"),
        ("stasera dopo le 7", "it", "2026-11-20T19:00/2026-11-20T20:00"),
        # the British clock
        ("tomorrow at half eight", "en", "2026-11-21T08:30"),
        ("half ten tomorrow", "en", "2026-11-21T10:30"),
        ("at half four", "en", "2026-11-20T16:30"),
        ("quarter past ten tomorrow", "en", "2026-11-21T10:15"),
        ("tomorrow at quarter to five", "en", "2026-11-21T16:45"),
        ("ten to nine tomorrow", "en", "2026-11-21T08:50"),
        ("twenty-five to six", "en", "2026-11-20T17:35"),
        ("from 9 to 5 on Monday", "en", "2026-11-23T09:00/2026-11-23T17:00"),
        ("Monday 2-4pm", "en", "2026-11-23T14:00/2026-11-23T16:00"),
        ("Tuesday week", "en", "2026-12-01"),
        ("a week tomorrow", "en", "2026-11-28"),
        # lengths of time
        ("dans une heure et quart", "fr", "2026-11-20T16:55"),
        ("dans trois quarts d'heure", "fr", "2026-11-20T16:25"),
        ("dans une heure et demie", "fr", "2026-11-20T17:10"),
        ("dans 1h30", "fr", "2026-11-20T17:10"),
        ("dans quinze jours", "fr", "2026-12-04"),
        ("dans 15 jours", "fr", "2026-12-04"),
        ("dans deux semaines à dix heures", "fr", "2026-12-04T10:00"),
        ("tra un'ora e un quarto", "it", "2026-11-20T16:55"),
        ("tra tre quarti d'ora", "it", "2026-11-20T16:25"),
        ("in an hour and a quarter", "en", "2026-11-20T16:55"),
        ("in three quarters of an hour", "en", "2026-11-20T16:25"),
        # what was ruled out
        ("plutôt mardi que lundi", "fr", "2026-11-24"),
        ("mardi plutôt que lundi", "fr", "2026-11-24"),
        ("pas lundi, mardi", "fr", "2026-11-24"),
        ("pas lundi mais mardi", "fr", "2026-11-24"),
        ("mardi pas mercredi", "fr", "2026-11-24"),
        ("je ne peux pas mardi mais mercredi à 14h", "fr", "2026-11-25T14:00"),
        ("pas demain matin mais demain après-midi", "fr", "2026-11-21T14:00/2026-11-21T18:00"),
        ("pas de souci mardi à dix heures", "fr", "2026-11-24T10:00"),
        ("mardi à dix heures, pas de problème", "fr", "2026-11-24T10:00"),
        ("demain mais pas avant 10 heures", "fr", "2026-11-21T10:00/2026-11-21T20:00"),
        ("lunedì no, martedì", "it", "2026-11-24"),
        ("preferisco martedì a lunedì", "it", "2026-11-24"),
        ("Tuesday rather than Monday", "en", "2026-11-24"),
        ("not Monday but Tuesday", "en", "2026-11-24"),
        ("Monday is no good, Tuesday at ten", "en", "2026-11-24T10:00"),
        # dates
        ("le vingt-neuf février", "fr", "2028-02-29"),
        ("du 3 au 5 décembre", "fr", "2026-12-03/2026-12-05"),
        ("la semaine du 14 décembre", "fr", "2026-12-14/2026-12-18"),
        ("le premier vendredi de janvier", "fr", "2027-01-01"),
        ("le 20 du mois prochain", "fr", "2026-12-20"),
        ("le vingt-quatre onze à dix heures", "fr", "2026-11-24T10:00"),
        ("mardi 24 à 14:32", "fr", "2026-11-24T14:32"),
        ("demain dix-sept trente", "fr", "2026-11-21T17:30"),
    ],
)
def test_what_was_said_is_read_as_said(text: str, language: str, value: str) -> None:
    reading = read(text, language)
    assert (reading.value, reading.complete) == (value, True)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        *((text, "fr") for text in (
            "d'ici mardi", "d'ici demain soir", "d'ici une semaine", "au plus tard mardi", "sous huitaine",
            "sauf mercredi", "jamais le lundi", "pas lundi mardi", "mercredi je ne peux pas", "ni lundi ni mardi",
            "tous les jours sauf le jeudi", "mercredi non", "mardi mais pas le matin",
            "lundi matin ou mardi après-midi",
            "après dix-huit heures mais pas le mercredi", "mardi ou mercredi", "mardi et jeudi",
            "soit mardi soit jeudi",
            "mardi prochain ou celui d'après", "la semaine prochaine sauf mercredi", "le mercredi ça ne m'arrange pas",
            "fin du mois", "début janvier", "mi-décembre", "en semaine", "dans une quinzaine", "le mois prochain",
            "le trente février", "le 31 novembre à 10 heures", "30/02", "29/02/2027", "le 32 décembre",
            "demain à 25 heures",
            "mardi 25 novembre", "mardi 25", "demain mardi", "avant mardi", "après mardi", "à trois heures",
            "aujourd'hui à 8 heures", "ce matin", "hier", "le 3 mars 2020", "vendredi",
        )),
        *((text, "it") for text in (
            "entro martedì", "entro domani sera", "qualsiasi giorno tranne mercoledì", "non lunedì", "mai di lunedì",
            "mercoledì non posso", "lunedì o martedì", "fine mese", "il trenta febbraio", "il 31 aprile", "ieri",
            "alle tre",
            "lunedì mattina o martedì pomeriggio", "dopo le 18 ma non mercoledì", "lunedì no",
        )),
        *((text, "en") for text in (
            "by Tuesday", "no later than Tuesday", "any day but Wednesday", "no mondays please", "never on Mondays",
            "Wednesday doesn't work", "I can't do Monday", "anything but Friday", "Monday or Tuesday",
            "end of the month",
            "either Monday or Tuesday", "in a couple of hours", "February 30th", "the 31st of April", "3/12 at 10am",
            "yesterday", "today at eight in the morning", "tomorrow at seven", "after six but not on Wednesday",
        )),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_asked(text: str, language: str) -> None:
    assert is_asked(read(text, language))


WEEKDAYS = {
    "fr": FR_WEEKDAYS,
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}
RULED_OUT = {
    "fr": (
        "sauf {}", "jamais le {}", "pas le {}", "tout sauf le {}", "n'importe quel jour sauf {}", "{} je ne peux pas",
        "à part {}", "excepté le {}", "pas {} s'il vous plaît", "{} c'est pas possible",
        "après 18 heures mais pas le {}",
        "le {} ça ne va pas", "hormis le {} matin", "le matin mais pas {}", "en dehors du {}",
    ),
    "it": (
        "tranne {}", "non {}", "mai di {}", "eccetto il {}", "{} non posso", "qualsiasi giorno tranne il {}",
        "dopo le 18 ma non {}", "escluso {}", "a parte {}", "{} no", "la mattina ma non {}",
    ),
    "en": (
        "except {}", "not {}", "any day but {}", "never on {}", "{} doesn't work", "I can't do {}", "anything but {}",
        "not on {}", "apart from {}", "no {}s please", "other than {}", "after six but not on {}",
        "mornings but not {}",
    ),
}  # fmt: skip


@given(st.sampled_from(sorted(RULED_OUT)), st.data(), st.integers(0, 13))
def test_a_day_that_was_ruled_out_is_never_booked(language: str, data: st.DataObject, ahead: int) -> None:
    weekday = data.draw(st.integers(0, 6))
    said = data.draw(st.sampled_from(RULED_OUT[language])).format(WEEKDAYS[language][weekday])
    now = NOW + timedelta(days=ahead)
    reading = read(said, language, now)
    if reading.complete and "/" not in str(reading.value)[:11] and reading.confidence >= 0.6:
        assert date.fromisoformat(str(reading.value)[:10]).weekday() != weekday, said


@given(st.sampled_from(sorted(WEEKDAYS)), st.integers(0, 6), st.integers(0, 6), st.integers(0, 30))
def test_one_of_two_days_is_asked_and_a_preference_is_not(language: str, one: int, other: int, ahead: int) -> None:
    now = NOW + timedelta(days=ahead)
    assume(one != other and one != now.weekday())
    either = {"fr": "{} ou {}", "it": "{} o {}", "en": "{} or {}"}[language]
    rather = {"fr": "plutôt {} que {}", "it": "{} piuttosto che {}", "en": "{} rather than {}"}[language]
    names = WEEKDAYS[language][one], WEEKDAYS[language][other]
    assert is_asked(read(either.format(*names), language, now))
    reading = read(rather.format(*names), language, now)
    wanted = now.date() + timedelta(days=(one - now.weekday()) % 7)
    assert (reading.value, reading.complete) == (wanted.isoformat(), True)


DATES = st.dates(NOW.date() + timedelta(days=1), NOW.date() + timedelta(days=360))
CLOCKS = st.builds(time, st.integers(8, 19), st.sampled_from(range(60)))


def spoken_date(day: date, language: str) -> tuple[str, str]:
    """A date in words, and with its number in digits."""
    if language == "fr":
        number = "premier" if day.day == 1 else french(day.day)
        return f"le {number} {FR_MONTHS[day.month - 1]}", f"le {day.day} {FR_MONTHS[day.month - 1]}"
    if language == "it":
        number = "primo" if day.day == 1 else italian(day.day)
        return f"il {number} {IT_MONTHS[day.month - 1]}", f"il {day.day} {IT_MONTHS[day.month - 1]}"
    return f"the {EN_ORDINALS[day.day - 1]} of {EN_MONTHS[day.month - 1]}", f"{EN_MONTHS[day.month - 1]} {day.day}"


def spoken_clock(at: time, language: str) -> tuple[str, str]:
    if language == "fr":
        minutes = "" if not at.minute else f" {'zéro ' if at.minute < 10 else ''}{french(at.minute)}"
        return f"à {french(at.hour)} heures{minutes}", f"à {at.hour}h{at.minute:02d}"
    if language == "it":
        minutes = "" if not at.minute else f" e {italian(at.minute)}"
        return f"alle {italian(at.hour)}{minutes}", f"alle {at.hour}:{at.minute:02d}"
    hour, suffix = (at.hour, "am") if at.hour < 12 else (at.hour - 12 or 12, "pm")
    minutes = "" if not at.minute else f" {'oh ' if at.minute < 10 else ''}{english(at.minute)}"
    return f"at {english(hour)}{minutes} {suffix}", f"at {hour}:{at.minute:02d} {suffix}"


@given(st.sampled_from(["fr", "it", "en"]), DATES, CLOCKS)
def test_a_date_and_a_time_in_words_and_in_digits_are_the_same(language: str, day: date, at: time) -> None:
    wanted = datetime.combine(day, at).isoformat(timespec="minutes")
    for said_day in spoken_date(day, language):
        for said_clock in spoken_clock(at, language):
            for text in (f"{said_day} {said_clock}", f"{said_clock} {said_day}"):
                reading = read(text, language)
                assert (reading.value, reading.confidence >= ASKED_BELOW) == (wanted, True), text


@given(
    DATES,
    st.sampled_from(["{0.day}/{0.month}", "{0.day:02d}/{0.month:02d}/{0.year}", "{0.year}-{0.month:02d}-{0.day:02d}"]),
)
def test_a_date_in_digits_is_that_date(day: date, style: str) -> None:
    assert read(style.format(day) + " à 10h", "fr").value == f"{day.isoformat()}T10:00"


@given(st.sampled_from(["fr", "it"]), st.integers(1, 31), st.integers(1, 12), st.integers(0, 2000))
def test_a_day_that_does_not_exist_is_refused_and_any_other_is_to_come(
    language: str, day: int, month: int, ahead: int
) -> None:
    now = NOW + timedelta(days=ahead)
    months = {"fr": FR_MONTHS, "it": IT_MONTHS}[language]
    reading = read(f"{'le' if language == 'fr' else 'il'} {day} {months[month - 1]}", language, now)
    if day > calendar.monthrange(2028, month)[1]:
        assert reading.value is None
        return
    found = date.fromisoformat(str(reading.value))
    assert (found.day, found.month) == (day, month)
    assert found >= now.date()
    assert not any(
        _exists(year, month, day) and date(year, month, day) >= now.date() for year in range(now.year, found.year)
    )


def _exists(year: int, month: int, day: int) -> bool:
    return day <= calendar.monthrange(year, month)[1]


@given(st.integers(1, 31), st.integers(0, 800))
def test_a_day_of_the_month_is_the_next_one(day: int, ahead: int) -> None:
    now = NOW + timedelta(days=ahead)
    found = date.fromisoformat(str(read(f"le {day}", "fr", now).value))
    assert found.day == day
    assert timedelta() < found - now.date() <= timedelta(days=62)


@given(
    st.sampled_from(["fr", "it", "en"]), st.integers(1, 30), st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31))
)
def test_in_so_many_hours_is_so_much_real_time_later(language: str, hours: int, now: datetime) -> None:
    text = {"fr": "dans {} heures", "it": "tra {} ore", "en": "in {} hours"}[language].format(hours)
    zone = ZoneInfo(TIMEZONES[region_of(language)])
    now = now.replace(second=0, microsecond=0)
    assume(now.replace(tzinfo=zone).astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) == now)
    found = datetime.fromisoformat(str(read(text, language, now).value)).replace(tzinfo=zone)
    passed = found.astimezone(ZoneInfo("UTC")) - now.replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))
    assert passed in (timedelta(hours=hours), timedelta(hours=hours - 1))  # the later of two 02:30 is not told apart
    if not 1 <= found.hour <= 3:
        assert passed == timedelta(hours=hours)


def test_twelve_hours_from_the_evening_before_the_clocks_change() -> None:
    assert read("dans douze heures", "fr", datetime(2026, 10, 24, 20, 0)).value == "2026-10-25T07:00"
    assert read("dans douze heures", "fr", datetime(2026, 3, 28, 20, 0)).value == "2026-03-29T09:00"
    aware = datetime(2026, 10, 24, 20, 0, tzinfo=ZoneInfo("America/Martinique"))
    assert read("dans douze heures", "fr", aware).value == "2026-10-25T08:00"


def test_a_time_that_the_clocks_leave_out_is_refused() -> None:
    reading = read("le 29 mars 2026 à 2h30 du matin", "fr", datetime(2026, 3, 27, 10, 0))
    assert not reading.complete


@given(st.sampled_from(["fr", "it", "en"]), st.datetimes(datetime(2026, 1, 1, 8), datetime(2030, 12, 31)), st.data())
def test_no_moment_that_can_be_taken_is_over(language: str, now: datetime, data: st.DataObject) -> None:
    words = {
        "fr": "demain hier mardi à dix heures le 15 30 février mars 2020 ce matin soir prochain dernier dans deux",
        "it": "domani ieri martedì alle dieci il 15 30 febbraio marzo 2020 mattina sera prossimo scorso tra due",
        "en": "tomorrow yesterday tuesday at ten the 15 30 february march 2020 this morning next last in two days",
    }[language].split()
    text = " ".join(data.draw(st.lists(st.sampled_from(words), max_size=8)))
    reading = read(text, language, now)
    if reading.complete:
        last = str(reading.value).split("/")[-1]
        ends = datetime.fromisoformat(last) if "T" in last else datetime.combine(date.fromisoformat(last), time.max)
        assert ends >= now.replace(second=0, microsecond=0), text


def test_a_day_that_is_far_away_is_read_back_with_its_year() -> None:
    assert read("le vingt-neuf février", "fr").readable == "mardi 29 février 2028"
    assert read("le vingt-neuf décembre", "fr").readable == "mardi 29 décembre"
