"""A value as one says it in a language, written so that both a reader and a voice can use it. Pure.

    date 2026-12-03   -> jeudi 3 décembre · giovedì 3 dicembre · Thursday 3 December
    time 14:30        -> 14 heures 30     · 14 e 30            · 2:30 pm
    money 12.50 EUR   -> 12 euros 50      · 12 euro e 50       · 12 euros 50
    telephone         -> in pairs or groups, as one dials it there
    list              -> a, b ou c: three at most

What a voice makes of digits is the affair of the speech service.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from dialogue.slots.alphabets import SIGN_NAMES
from dialogue.values.templates import PARTS_OF_NAMES
from dialogue.values.value_types import Locale, ValueType, clean, value

MOST_NAMED = 3  # of a list
FAR_DAYS = 300  # from here on a date is said with its year
LONG_AGO_DAYS = 1_000  # nobody asks on which day of the week somebody was born
MOST_SAID = 300  # characters of one value


@dataclass(frozen=True)
class Tongue:
    """The words that values need in one language."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    yes: str
    no: str
    either: str
    at: str
    currencies: dict[str, tuple[str, str]]
    day: tuple[str, str]
    hour: tuple[str, str]
    minute: tuple[str, str]
    between: tuple[str, str]
    since: tuple[str, str]


TONGUES = {
    "fr": Tongue(
        ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
         "décembre"),
        "oui", "non", "ou", "à",
        {"EUR": ("euro", "euros"), "GBP": ("livre", "livres"), "USD": ("dollar", "dollars"),
         "CHF": ("franc suisse", "francs suisses")},
        ("jour", "jours"), ("heure", "heures"), ("minute", "minutes"), ("entre", "et"), ("du", "au"),
    ),
    "it": Tongue(
        ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
        ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre",
         "novembre", "dicembre"),
        "sì", "no", "o", "alle",
        {"EUR": ("euro", "euro"), "GBP": ("sterlina", "sterline"), "USD": ("dollaro", "dollari"),
         "CHF": ("franco svizzero", "franchi svizzeri")},
        ("giorno", "giorni"), ("ora", "ore"), ("minuto", "minuti"), ("tra le", "e le"), ("da", "a"),
    ),
    "en": Tongue(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
         "December"),
        "yes", "no", "or", "at",
        {"EUR": ("euro", "euros"), "GBP": ("pound", "pounds"), "USD": ("dollar", "dollars"),
         "CHF": ("Swiss franc", "Swiss francs")},
        ("day", "days"), ("hour", "hours"), ("minute", "minutes"), ("between", "and"), ("from", "to"),
    ),
}  # fmt: skip


def spoken(kind: ValueType, text: str, where: Locale, today: date, form: str = "") -> str:
    """How a kept value is said. `today`: a date far from it is said with its year. `form` as in templates."""
    tongue = tongue_of(where.language)
    if form == "spelled":
        return spelled(text, where.language)
    if form in PARTS_OF_NAMES:
        return said_text(part_of_name(text, form) or text)
    if form == "digits":
        return " ".join(re.sub(r"\D", "", text))
    if form == "written":
        return said_text(text)
    try:
        known = value(kind, text)
    except (ValueError, ArithmeticError):
        return said_text(text)
    match known:
        case bool():
            return tongue.yes if known else tongue.no
        case datetime():
            return f"{_day(known.date(), tongue, where, today)} {_at(known.time(), tongue, where)}"
        case date():
            return _day(known, tongue, where, today)
        case time():
            return _clock(known, where)
        case timedelta():
            return _duration(known, tongue)
        case Decimal() if kind.kind == "money":
            return _money(known, kind.currency, tongue, where)
        case int() | Decimal():
            return _number(str(known), where)
    return _text_like(kind, text, where, tongue, today)


def part_of_name(text: str, form: str) -> str:
    """The first word of a name, or the words behind it: empty where there are none."""
    first, _, last = text.partition(" ")
    return first if form == "first" else last


def any_of(said: Sequence[str], language: str) -> str:
    """Some of several to choose from: `a, b ou c`, three at most."""
    named = list(said[:MOST_NAMED])
    if len(named) < 2:
        return "".join(named)
    return f"{', '.join(named[:-1])} {tongue_of(language).either} {named[-1]}"


def spelled(text: str, language: str = "en") -> str:
    """Letter by letter, with the pauses that commas make, and signs by their names; longer ones between words."""
    signs = SIGN_NAMES.get(language.partition("-")[0], SIGN_NAMES["en"])
    words = said_text(text).split()
    return "; ".join(", ".join(signs.get(character, character.upper()) for character in word) for word in words)


def said_text(text: str) -> str:
    """A text of others as it may be said: on one line, bounded, and without what a voice or a page takes for markup."""
    return " ".join(re.sub(r"[<>{}\[\]\\]", " ", clean(text)).split())[:MOST_SAID]


def tongue_of(language: str) -> Tongue:
    """The words of `fr` or `fr-CA`."""
    return TONGUES.get(language.partition("-")[0], TONGUES["en"])


def _text_like(kind: ValueType, text: str, where: Locale, tongue: Tongue, today: date) -> str:
    match kind.kind:
        case "choice":
            words = kind.choices.get(text, ())
            return words[0] if words else said_text(text.replace("_", " "))
        case "telephone":
            return _telephone(text, where)
        case "digits":
            return " ".join(text)
        case "date_time":
            return _stretch(text, tongue, where, today)
    return said_text(text)


def _stretch(text: str, tongue: Tongue, where: Locale, today: date) -> str:
    """What a slot of the type date_time holds: a day, a moment, or two of them with a slash between."""
    begin, _, end = text.partition("/")
    try:
        first = datetime.fromisoformat(begin)
        last = datetime.fromisoformat(end) if end else None
    except ValueError:
        return said_text(text)
    day = _day(first.date(), tongue, where, today)
    if last is None:
        return f"{day} {_at(first.time(), tongue, where)}" if "T" in begin else day
    if "T" in begin and first.date() == last.date():
        lead, link = tongue.between
        return f"{day} {lead} {_clock(first.time(), where)} {link} {_clock(last.time(), where)}"
    lead, link = tongue.since
    return f"{lead} {day} {link} {_day(last.date(), tongue, where, today)}"


def _day(day: date, tongue: Tongue, where: Locale, today: date) -> str:
    number = "1er" if day.day == 1 and where.language.startswith("fr") else str(day.day)
    year = f" {day.year}" if abs((day - today).days) >= FAR_DAYS else ""
    if (today - day).days >= LONG_AGO_DAYS:
        return f"{number} {tongue.months[day.month - 1]}{year}"
    return f"{tongue.weekdays[day.weekday()]} {number} {tongue.months[day.month - 1]}{year}"


def _at(clock: time, tongue: Tongue, where: Locale) -> str:
    if where.language.startswith("it") and clock.hour == 1:
        return f"all'{_clock(clock, where)}"
    return f"{tongue.at} {_clock(clock, where)}"


def _clock(clock: time, where: Locale) -> str:
    hour, minute = clock.hour, clock.minute
    match where.language[:2]:
        case "fr":
            hours = f"{hour} heure" if hour in (0, 1) else f"{hour} heures"
            return f"{hours} {minute}" if minute else hours
        case "it":
            return f"{hour or 'mezzanotte'} e {minute}" if minute else str(hour or "mezzanotte")
    half = "am" if hour < 12 else "pm"
    return f"{hour % 12 or 12}:{minute:02} {half}" if minute else f"{hour % 12 or 12} {half}"


def _duration(length: timedelta, tongue: Tongue) -> str:
    seconds = max(0, int(length.total_seconds()))
    minutes = (seconds + 30) // 60
    parts = ((minutes // 1_440, tongue.day), (minutes // 60 % 24, tongue.hour), (minutes % 60, tongue.minute))
    said = [f"{count} {words[count > 1]}" for count, words in parts if count]
    return " ".join(said) or f"0 {tongue.minute[0]}"


def _money(amount: Decimal, currency: str, tongue: Tongue, where: Locale) -> str:
    sign = "-" if amount < 0 else ""
    whole, _, cents = format(abs(amount).quantize(Decimal("0.01")), "f").partition(".")
    one, many = tongue.currencies.get(currency, (currency, currency))
    is_one = int(whole) == 1 or (int(whole) == 0 and where.language.startswith("fr"))
    said = f"{sign}{whole} {one if is_one else many}"
    if not int(cents):
        return said
    return f"{said} e {int(cents)}" if where.language.startswith("it") else f"{said} {int(cents):02}"


def _number(text: str, where: Locale) -> str:
    whole, _, part = text.partition(".")
    mark = "." if where.language.startswith("en") else ","
    return f"{whole}{mark}{part}" if part else whole


def _telephone(text: str, where: Locale) -> str:
    """As it is dialled there: with spaces where one pauses; one from abroad with its country."""
    try:
        number = phonenumbers.parse(text, where.region)
    except NumberParseException:
        return " ".join(re.sub(r"\D", "", text))
    home = phonenumbers.region_code_for_country_code(number.country_code or 0)
    is_home = phonenumbers.country_code_for_region(where.region) == number.country_code or home == where.region
    form = PhoneNumberFormat.NATIONAL if is_home else PhoneNumberFormat.INTERNATIONAL
    return re.sub(r"[-()]", " ", str(phonenumbers.format_number(number, form)))
