"""The parts of a moment that a caller named: its day, its time, the ends of a stretch of it; of a name, first and last.

Pure: texts as they are kept, moments in ISO 8601.

2026-01-15                         date 2026-01-15
2026-01-15T09:00                   date 2026-01-15, time 09:00
2026-01-15T14:00/2026-01-15T18:00  date 2026-01-15, begin 14:00, end 18:00
2026-01-19/2026-01-25              date 2026-01-19, last 2026-01-25
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dialogue.values.value_types import ValueKind

PARTS: Mapping[str, Mapping[str, ValueKind]] = {
    "date_time": {"date": "date", "time": "time", "until": "time"},
    "name": {"first": "name", "last": "name"},
}
"""Type of slot -> part -> what that is."""
SURE_PARTS: Mapping[str, str] = {"date_time": "date", "name": "first"}
"""The part that every value of a type has."""


def part_of(kind: str, text: str, part: str) -> str | None:
    """One part of a value; None where it has none. A name is parted behind its first word."""
    if kind == "name":
        first_name, _, last_name = text.partition(" ")
        return (first_name if part == "first" else last_name) or None
    return _part_of_moment(text, part)


def _part_of_moment(moment: str, part: str) -> str | None:
    begin, _, end = moment.partition("/")
    day, _, clock = begin.partition("T")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):  # "any_time"
        return None
    return {"date": day, "time": clock, "until": end.partition("T")[2]}[part] or None


def joined_moment(before: str, new: str, is_day_named: bool) -> str:
    """A moment of which only one part was said anew: the day keeps its time, the time, or stretch, its day."""
    day, _, clock = before.partition("/")[0].partition("T")
    new_day, _, new_clock = new.partition("/")[0].partition("T")
    if not new_clock:
        is_one_time = clock and "/" not in before and "/" not in new
        return f"{new_day}T{clock}" if is_one_time else new
    if is_day_named or ("T" not in before and "/" in before):  # a stretch of days has no day to keep
        return new
    return "/".join(f"{day}T{end.partition('T')[2]}" for end in new.split("/"))
