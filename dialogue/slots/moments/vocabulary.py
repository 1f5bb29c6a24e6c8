"""What a language needs to say moments: patterns over normal text, in which numbers are digits. Pure: data.

Normal text is words that are separated by one space, punctuation is a word too (","). `MENTION` stands for what was
recognised before: D a day, H a time, P a part of the day, S a length of time, with its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Literal, TypeAlias

DAY, HOUR, PART, SPAN = (rf"{letter}\d+" for letter in "DHPS")
Position: TypeAlias = Literal["early", "middle", "late", "all"]


def pattern(text: str) -> re.Pattern[str]:
    """Whole words only."""
    return re.compile(rf"(?<!\S)(?:{text})(?!\S)")


@dataclass(frozen=True)
class PartOfDay:
    """A part of the day as a language says it: from when to when, and what it is called when it is read back.

    `vague`: callers mean quite different hours by it ("end of the day").
    """

    said: re.Pattern[str]
    start: time
    end: time
    name: str
    vague: bool = False


def parts(*rows: tuple[str, str, str, str]) -> tuple[PartOfDay, ...]:
    """The parts of a day in the order in which they are looked for; a name with "?" is vague."""
    return tuple(
        PartOfDay(
            pattern(said), time.fromisoformat(start), time.fromisoformat(end), name.rstrip("?"), name.endswith("?")
        )
        for said, start, end, name in rows
    )


@dataclass(frozen=True)
class TimeWords:
    """One language's patterns.

    Groups: d a day's number, m a month's name, y a year, w a weekday, n a count, u a unit, h an hour, min its minutes,
    half, quarter, three (quarters), less (minutes before), lessq, ap (am, pm), t (a time written in digits), noon,
    midnight, lead (what stays in the text before a time).
    """

    language: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    noise: re.Pattern[str]  # means nothing here: "pas de souci"
    rewrites: tuple[tuple[re.Pattern[str], str], ...]
    dated: tuple[re.Pattern[str], ...]
    nth_weekday: re.Pattern[str]  # with n, w, and m or `ahead` (this or next month)
    last: str  # the word for the last one, in n
    of_month: re.Pattern[str]  # "le 20 du mois prochain": d, and next or this
    part_of_month: re.Pattern[str]  # "fin janvier", "fin du mois": early, middle, late, m or next or this
    month_alone: re.Pattern[str]
    amount: re.Pattern[str]
    units: tuple[tuple[re.Pattern[str], float, Literal["minutes", "days", "months"]], ...]
    ahead: re.Pattern[str]  # right before lengths: in
    behind: re.Pattern[str]  # right behind lengths: later, from now
    ago_before: re.Pattern[str]
    ago_behind: re.Pattern[str]
    within: re.Pattern[str]  # right before lengths: by then
    from_day: re.Pattern[str]  # between a length and a day: "three weeks from tomorrow"
    weekdays_from_now: re.Pattern[str] | None  # "two Sundays from now"
    working_days: re.Pattern[str]
    days: tuple[tuple[re.Pattern[str], int], ...]
    now: re.Pattern[str]
    weekday: re.Pattern[str]  # with w, this, next, last, week_later, two_later, this_week, next_week, last_week, dom
    week_of: re.Pattern[str]  # the week of a day that is marked: day
    weeks: tuple[tuple[re.Pattern[str], str], ...]  # stretches: next_week, this_week, workweek, weekend
    clocks: tuple[re.Pattern[str], ...]
    parts: tuple[PartOfDay, ...]
    day_of_month: re.Pattern[str]
    bare_clocks: tuple[re.Pattern[str], ...]
    between: str  # before the first of two
    to: str  # between the two
    up_to: str  # between two days without a word before the first
    after: str
    before: str
    until: str  # "d'ici"
    onwards: str
    alternatives: str  # or
    another: str  # behind "or": another one
    also: str  # and
    prefer: tuple[re.Pattern[str], ...]  # "plutôt X que Y": groups yes, no
    ruling_out: str
    stops_ruling: str
    impossible: str  # behind a mention: it does not suit
    morning_hours: int  # a bare hour up to this is rather one of the afternoon
    unsure_hours: int  # a bare hour up to this may be meant either way
    weekday_names: tuple[str, ...]
    month_names: tuple[str, ...]
    hour_format: str
    from_to: str
