"""Makes a time of day of what the patterns of a language found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time

from dialogue.slots.moments.marks import Hour, Marks, Written
from dialogue.slots.moments.vocabulary import TimeWords

Groups = Mapping[str, str | None]
NO_TIME = Hour(time(0), sure=False, name="?")
"""What is said like a time and is none ("trente-cinq heures")."""


def clock(got: Groups, words: TimeWords, marks: Marks) -> Hour | None:
    """The time of one match; None when the match is no time at all."""
    if got.get("midnight"):
        return Hour(time(0), fixed=True)
    minute = _minutes(got)
    if got.get("noon"):
        return _at(12, minute, fixed=True)
    if got.get("t"):
        written = marks.of(str(got["t"]))
        if not isinstance(written, Written) or written.at is None:
            return NO_TIME
        hour, minute = written.at.hour, written.at.minute
        found = _at(hour, minute, fixed=written.is_full or hour > 12 or hour == 0)
    else:
        hour = int(next(value for name, value in got.items() if name.startswith("h") and name != "half" and value))
        if hour > 24 or abs(minute) > 59:
            return NO_TIME
        found = replace(_at(hour, minute, fixed=hour > 12 or hour == 0), said=hour)
    return _halved(found, got.get("ap") or "")


def _halved(found: Hour, meridiem: str) -> Hour:
    """With "am" or "pm" taken into account."""
    hour = found.start.hour
    if meridiem == "pm" and hour < 12:
        return Hour(found.start.replace(hour=hour + 12), fixed=True)
    if meridiem == "am" and hour == 12:
        return Hour(found.start.replace(hour=0), fixed=True)
    return replace(found, fixed=found.fixed or meridiem in ("am", "pm"))


def _minutes(got: Groups) -> int:
    if got.get("half"):
        return 30
    if got.get("three"):
        return 45
    if got.get("quarter"):
        return 15
    if got.get("lessq"):
        return -15
    if got.get("less"):
        return -int(str(got["less"]))
    return int(got.get("min") or 0)


def _at(hour: int, minute: int, fixed: bool) -> Hour:
    minutes = (hour * 60 + minute) % (24 * 60)
    return Hour(time(minutes // 60, minutes % 60), fixed=fixed)
