"""A moment in words and digits, as a screen or a synthesiser gives it back. Pure."""

from __future__ import annotations

import re
from datetime import date, time

from dialogue.slots.moments.marks import Hour
from dialogue.slots.moments.vocabulary import TimeWords

_PREPOSITION = re.compile(r"^(?:à|alle|at) ")


def readable(first: date, last: date | None, hours: Hour | None, words: TimeWords, today: date) -> str:
    """ "mardi 24 novembre à 14 h 30"; with its year where that is not this one or the next months'."""
    said = _day(first, words, today)
    if last is not None and last != first:
        said = f"{said} – {_day(last, words, today)}"
    if hours is None:
        return said
    if hours.name:
        return f"{said}, {hours.name}"
    if hours.end is None:
        return f"{said} {_clock(hours.start, words)}"
    start, end = (_PREPOSITION.sub("", _clock(at, words)) for at in (hours.start, hours.end))
    return f"{said} {words.from_to.format(start=start, end=end)}"


def _day(day: date, words: TimeWords, today: date) -> str:
    said = f"{words.weekday_names[day.weekday()]} {day.day} {words.month_names[day.month - 1]}"
    return said if abs((day - today).days) < 300 else f"{said} {day.year}"


def _clock(at: time, words: TimeWords) -> str:
    separator = " " if words.language == "fr" else ":"
    minute = f"{separator}{at.minute:02d}" if at.minute else ""
    return words.hour_format.format(h=at.hour, m=minute)
