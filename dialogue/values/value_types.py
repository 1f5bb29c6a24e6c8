"""The types of what a flow remembers, and a value's way from outside to the text that is kept and back. Pure.

What is kept of a value is a text in one canonical form (ISO 8601, E.164, `12.50`, `yes`), so that snapshots, records
and logs need no types. Anything that has not that form is refused where it comes in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

ValueKind: TypeAlias = Literal[
    "text", "integer", "decimal", "money", "yes_no", "date", "time", "moment", "duration", "telephone", "postcode",
    "name", "email", "digits", "choice", "date_time", "conversation", "list",
]  # fmt: skip
VALUE_KINDS: tuple[ValueKind, ...] = get_args(ValueKind)
TEXT_LIKE = frozenset({"text", "telephone", "postcode", "name", "email", "digits", "choice", "date_time"})
NUMERIC = frozenset({"integer", "decimal", "money"})
ORDERED = NUMERIC | {"date", "time", "moment", "duration"}

Value: TypeAlias = str | int | Decimal | bool | date | time | datetime | timedelta
"""What conditions compare: text-like kinds are str, money is Decimal (its type says of what)."""
Row: TypeAlias = Mapping[str, str]
"""One record of a list: field -> its value as kept."""

MOST_CHARACTERS = 500
MOST_ROWS = 20
MOST_OF_A_CONVERSATION = 200_000
LIST_SIGN = " | "
"""Stands between the texts of a text that came as a list of texts."""
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,6})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*/=?^`{|}~_+-]{1,64}(?:\.[a-z0-9!#$%&'*/=?^`{|}~_+-]{1,64})*"  # RFC 5322, 3.4.1: dot-atom
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}"
)
CURRENCIES = ("EUR", "GBP", "USD", "CHF")


class BadValue(ValueError):
    """Something is no value of its type. The message says what is wanted, never what was given."""


@dataclass(frozen=True)
class ValueType:
    """A type. `choices`: value -> how it is said; `currency` of money; `fields` of the records of a list."""

    kind: ValueKind
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    currency: str = ""
    fields: Mapping[str, ValueType] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"money in {self.currency}" if self.kind == "money" else self.kind


@dataclass(frozen=True)
class Locale:
    """Where the callers of a flow live: what bare numbers and times mean there."""

    language: str = "fr"
    region: str = "FR"
    timezone: str = "Europe/Paris"


def stored(kind: ValueType, given: Any, where: Locale) -> str:
    """The text that is kept of a value that came from outside (JSON, the dialplan, a flow file). Raises BadValue."""
    if isinstance(given, bool):
        given = "yes" if given else "no"
    if isinstance(given, int | float) and abs(given) < 1e15:
        given = format(Decimal(str(given)), "f")
    if not isinstance(given, str):
        raise BadValue(f"must be a {kind}")
    if kind.kind == "conversation":  # nobody reads it but `dialogue.memory`
        if len(given) > MOST_OF_A_CONVERSATION:
            raise BadValue("is too long for a conversation")
        return given
    text = clean(given)
    if not text:
        raise BadValue(f"must be a {kind}, not empty")
    try:
        return _canonical(kind, text, where)
    except (ValueError, InvalidOperation, OverflowError, NumberParseException) as error:
        raise BadValue(str(error) if isinstance(error, BadValue) else f"must be a {kind}") from error


def clean(text: str) -> str:
    """A text of others on one line, without control characters and marks that turn the direction of writing round."""
    return " ".join(_CONTROL.sub(" ", text[: 4 * MOST_CHARACTERS]).split())[:MOST_CHARACTERS]


def fits(of: ValueType, wanted: ValueType) -> bool:
    """Whether a value of one type is one of another."""
    if wanted.kind == "text":
        return of.kind in TEXT_LIKE
    if wanted.kind == "choice":
        return of.kind == "choice" and set(of.choices) <= set(wanted.choices)
    if wanted.kind == "date_time":
        return of.kind in ("date", "date_time")
    return of.kind == wanted.kind and of.currency == wanted.currency


def _canonical(kind: ValueType, text: str, where: Locale) -> str:
    match kind.kind:
        case "integer":
            return str(_whole(text))
        case "decimal" | "money":
            return _decimal(text, kind)
        case "yes_no":
            words = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
            if text.lower() not in words:
                raise BadValue("must be yes or no")
            return words[text.lower()]
        case "date":
            return date.fromisoformat(text[:10] if "T" in text else text).isoformat()
        case "time":
            return time.fromisoformat(text).replace(tzinfo=None).isoformat("minutes")
        case "moment":
            return _moment(text, where).isoformat(timespec="minutes")
        case "duration":
            return str(_seconds(text))
        case "telephone":
            number = phonenumbers.parse(text, where.region)
            if not phonenumbers.is_possible_number(number):
                raise BadValue("must be a telephone number")
            return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
        case "email":
            if not _EMAIL.fullmatch(text.lower()) or len(text) > 254:
                raise BadValue("must be an email such as marie@example.com")
            return text.lower()
        case "digits":
            digits = re.sub(r"[\s.-]", "", text)
            if not (digits.isascii() and digits.isdigit()):
                raise BadValue("must be digits")
            return digits
        case "choice":
            if text not in kind.choices:
                raise BadValue(f"must be one of {', '.join(kind.choices)}")
    return text


def value(kind: ValueType, text: str) -> Value:
    """What a kept text stands for. Raises ValueError when it is no text of that type (a flow that was edited)."""
    match kind.kind:
        case "integer":
            return int(text)
        case "decimal" | "money":
            return Decimal(text)
        case "yes_no":
            return text == "yes"
        case "date":
            return date.fromisoformat(text)
        case "time":
            return time.fromisoformat(text)
        case "moment":
            return datetime.fromisoformat(text)
        case "duration":
            return timedelta(seconds=int(text))
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,15}(\.0+)?", text):
        raise BadValue("must be a whole number")
    return int(text.partition(".")[0])


def _decimal(text: str, kind: ValueType) -> str:
    bare = text.removesuffix(kind.currency).strip() if kind.currency else text
    if not _NUMBER.fullmatch(bare):
        raise BadValue(f"must be a {kind} such as 12.50")
    number = Decimal(bare)
    return format(number.quantize(Decimal("0.01")) if kind.kind == "money" else number, "f")


def _moment(text: str, where: Locale) -> datetime:
    if len(text) < len("2026-01-01T10:00"):
        raise BadValue("must be a moment such as 2026-12-03T14:30+01:00")
    read = datetime.fromisoformat(text)
    zone = ZoneInfo(where.timezone)
    return read.replace(tzinfo=zone) if read.tzinfo is None else read.astimezone(zone)


_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?")


def _seconds(text: str) -> int:
    """ISO 8601 (PT1H30M), or a number of seconds."""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise BadValue("must be a duration such as PT1H30M")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
