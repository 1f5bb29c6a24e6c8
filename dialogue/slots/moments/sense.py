"""What the marks of a text mean together: from-to, until, either-or, and above all what is ruled out. Pure.

A day that was ruled out is never the value; two days of which either may be meant are not sure.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from dialogue.slots.moments.clock import NO_TIME
from dialogue.slots.moments.days import with_number
from dialogue.slots.moments.marks import Day, DayPart, Hour, Instant, Length, Mark, Marks
from dialogue.slots.moments.vocabulary import TimeWords

OPENS, CLOSES = time(8), time(20)  # bounds of "avant midi", "après 18 heures"
LATE, EARLY = time(22), time(6)  # where those lie outside
ALTERNATIVE_HOURS = 2  # "vers dix ou onze heures" is a stretch
ARTICLES = r"(?:(?:le|la|les|l'|il|lo|i|the|on|ce|questo|this) )?"
RULE_OUT = "NOT"


@dataclass(frozen=True)
class Said:
    """What was said of a moment, in one piece of a text.

    `until`: the day or hours end a stretch that begins now. `sure` is False where it may mean something else, `loose`
    where it is a rough stretch. `impossible`: a day that does not exist was named. `ruled_out` are days to avoid.
    """

    day: Day | None = None
    hours: Hour | None = None
    part: DayPart | None = None
    instant: Instant | None = None
    until: bool = False
    within: Length | None = None
    sure: bool = True
    impossible: bool = False
    ruled_out: frozenset[date] = frozenset()

    @property
    def empty(self) -> bool:
        """Nothing was said that could be a value."""
        return not (self.day or self.hours or self.part or self.instant or self.within)


class _Patterns:
    """The relations of one language, compiled once."""

    def __init__(self, words: TimeWords) -> None:
        def joined(text: str) -> re.Pattern[str]:
            return re.compile(rf"(?<!\S)(?:{text})(?!\S)")

        a = ARTICLES
        self.days_from_to = joined(rf"{a}(D\d+)(?: ,)? (?:{words.up_to}) {a}(D\d+)")
        self.between_days = joined(rf"(?:{words.between}) {a}(D\d+)(?: ,)? (?:{words.to}) {a}(D\d+)")
        self.hours_from_to = joined(rf"(?:{words.between}) {a}(H\d+)(?: ,)? (?:{words.to}) {a}(H\d+)")
        self.hours_to = joined(r"(H\d+) - (H\d+)")
        self.after_hour = joined(
            rf"(?:{words.after}) {a}(H\d+)(?: {words.onwards})?|(?:{words.between} )?(H\d+) {words.onwards}"
        )
        self.before_hour = joined(rf"(?<!pas )(?<!non )(?<!not )(?:{words.before}) {a}(H\d+)")
        self.until = re.compile(rf"(?<!\S)(?:{words.until}) (?={a}[DHPS]\d)")
        self.around_days = joined(rf"(?:{words.after}|{words.before}) {a}D\d+")
        self.either_hour = joined(rf"(H\d+) {words.alternatives} {a}(?:\S+ )?(H\d+)")
        self.rule_out = joined(words.ruling_out)
        self.stop = joined(words.stops_ruling)
        self.impossible = re.compile(rf"\s*(?:,\s*)?(?:\S+ )?{words.impossible}(?!\S)")
        self.either = joined(words.alternatives)
        self.another = joined(words.another)


@functools.cache
def _patterns(words: TimeWords) -> _Patterns:
    return _Patterns(words)


def sense(text: str, words: TimeWords, marks: Marks, today: date) -> Said:
    """What a text with its marks says."""
    patterns = _patterns(words)
    text = patterns.hours_from_to.sub(lambda m: _hours(m[1], m[2], marks) or m[0], text)
    text = patterns.hours_to.sub(lambda m: _hours(m[1], m[2], marks) or m[0], text)
    text = patterns.either_hour.sub(lambda m: _either(m[1], m[2], marks) or m[0], text)
    text = patterns.between_days.sub(lambda m: _days(m[1], m[2], marks, today) or m[0], text)
    text = patterns.days_from_to.sub(lambda m: _days(m[1], m[2], marks, today) or m[0], text)
    text, until = patterns.until.subn("UNTIL ", text)
    text = patterns.before_hour.sub(lambda m: marks.add(_before(marks.hour(m[1]))), text)
    text = patterns.after_hour.sub(lambda m: marks.add(_after(marks.hour(m[1] or m[2]))), text)
    wanted, ruled_out, either, another = _sorted(text, patterns, marks)
    around = bool(patterns.around_days.search(text))
    said = _together(wanted, today, either)
    said = replace(said, sure=said.sure and not another)
    if any(isinstance(mark, Day) and mark.impossible for mark in wanted):
        return replace(said, impossible=True)
    avoided = frozenset(day for mark in ruled_out if isinstance(mark, Day) for day in _dates_of(mark))
    if any(isinstance(mark, DayPart | Hour) for mark in ruled_out):
        if said.hours is None and said.part is None and not avoided:
            said = replace(said, sure=False)  # "mardi mais pas le matin"
        elif said.day is not None and said.day.first in avoided and (said.hours or said.part):
            avoided -= {said.day.first}  # "pas demain matin mais demain après-midi"
    if around and said.day is not None and not until:
        said = replace(said, day=None)  # "après mardi" names no day
    return replace(said, until=bool(until) and not said.empty, ruled_out=avoided)


def _dates_of(day: Day) -> list[date]:
    if day.first is None:
        return []
    last = day.last or day.first
    days = [day.first + timedelta(days=ahead) for ahead in range(min(31, (last - day.first).days + 1))]
    if day.weekday is not None and day.last is None:  # "not on Monday" is none of them
        days += [day.first + timedelta(days=7 * weeks) for weeks in (-1, 1, 2)]
    return days


# --- from one to another ----------------------------------------------------------------------------------------------


def _hours(first: str, last: str, marks: Marks) -> str | None:
    begin, end = marks.hour(first), marks.hour(last)
    if begin == NO_TIME or end == NO_TIME:
        return None
    start, stop = begin.start, end.start
    if (
        stop.hour >= 12
        and end.fixed
        and not begin.fixed
        and start.hour < 12
        and start.hour + 12 < stop.hour
        and start.hour < 8
    ):
        start = start.replace(hour=start.hour + 12)  # "between 2 and 5 pm"
    if stop <= start and stop.hour < 12 and not end.fixed:
        stop = stop.replace(hour=stop.hour + 12)
    if not begin.fixed and not end.fixed and stop.hour <= 7:
        start, stop = start.replace(hour=start.hour + 12), stop.replace(hour=stop.hour + 12)
    if start >= stop:
        return None
    return marks.add(Hour(start, stop, fixed=begin.fixed or end.fixed or stop.hour >= 12))


def _either(first: str, last: str, marks: Marks) -> str | None:
    """ "Vers dix ou onze heures" is from ten to eleven."""
    begin, end = marks.hour(first), marks.hour(last)
    ahead = end.start.hour - begin.start.hour
    if begin.end or end.end or not 0 < ahead <= ALTERNATIVE_HOURS or NO_TIME in (begin, end):
        return None
    return marks.add(Hour(begin.start, end.start, begin.fixed or end.fixed, sure=begin.fixed or end.fixed))


def _after(hour: Hour) -> Hour:
    if hour.end is not None or hour == NO_TIME:
        return hour
    at = _by_day(hour)
    return replace(at, end=CLOSES if at.start < CLOSES else LATE)


def _before(hour: Hour) -> Hour:
    if hour.end is not None or hour == NO_TIME:
        return hour
    at = _by_day(hour)
    return replace(at, start=OPENS if at.start > OPENS else EARLY, end=at.start)


def _by_day(hour: Hour) -> Hour:
    """The hour in the afternoon where a caller says no more than "after two"."""
    late = not hour.fixed and 1 <= hour.start.hour <= 6
    return replace(hour, start=hour.start.replace(hour=hour.start.hour + 12)) if late else hour


def _days(first: str, last: str, marks: Marks, today: date) -> str | None:
    begin, end = marks.day(first), marks.day(last)
    if begin.impossible or end.impossible or end.first is None or begin.first is None:
        return None
    start, stop = begin.first, end.last or end.first
    if begin.of_month and not end.of_month and begin.weekday is None:  # "du 3 au 5 décembre"
        try:
            start = stop.replace(day=begin.of_month)
        except ValueError:
            return None
    if stop <= start and end.weekday is not None:
        stop += timedelta(days=7)
    if stop <= start:
        return None
    return marks.add(Day(start, stop, sure=begin.sure and end.sure, week=True))


# --- what is wanted and what is not -----------------------------------------------------------------------------------


def _sorted(text: str, patterns: _Patterns, marks: Marks) -> tuple[list[Mark], list[Mark], bool, bool]:
    """The marks that are wanted and those ruled out; whether an "or" leads on, and whether to "another one"."""
    wanted: list[Mark] = []
    ruled_out: list[Mark] = []
    either = another = ruling = False
    position = 0
    since = 0  # wanted marks since the clause began
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        end = text.find(" ", position)
        word = text[position:] if end < 0 else text[position:end]
        if match := patterns.rule_out.match(text, position):
            ruling = True
            position = match.end()
        elif match := patterns.stop.match(text, position):
            ruling, since = False, 0
            position = match.end()
        elif word[0] in "DHPSM" and word[1:].isdigit():
            (ruled_out if ruling else wanted).append(marks.of(word))
            position += len(word)
            if not ruling:
                since += 1
                if patterns.impossible.match(text, position) and not _leads_on(patterns, text, position):
                    ruled_out += wanted[len(wanted) - since :]
                    del wanted[len(wanted) - since :]
                    since = 0
        else:
            if wanted and (match := patterns.either.match(text, position)) and _goes_on(patterns, text[match.end() :]):
                either = True
                another = another or bool(patterns.another.match(text[match.end() :].lstrip()))
            position += len(word)
    return wanted, ruled_out, either, another


def _goes_on(patterns: _Patterns, rest: str) -> bool:
    """Whether an "or" is followed by another moment, or by "another one"."""
    return bool(re.search(r"(?<!\S)[DHPM]\d", rest) or patterns.another.match(rest.lstrip()))


def _leads_on(patterns: _Patterns, text: str, position: int) -> bool:
    """Whether a "not" behind a mark denies the next one rather ("mardi pas mercredi")."""
    match = patterns.impossible.match(text, position)
    if match is None:
        return False
    rest = text[match.end() :].strip()
    return bool(re.match(rf"{ARTICLES}(?:[^\s,]+ )?[DHP]\d", rest))


def _together(wanted: list[Mark], today: date, either: bool) -> Said:
    days = [mark for mark in wanted if isinstance(mark, Day) and not mark.impossible]
    hours = [mark for mark in wanted if isinstance(mark, Hour) and mark != NO_TIME]
    parts = [mark for mark in wanted if isinstance(mark, DayPart)]
    instants = [mark for mark in wanted if isinstance(mark, Instant)]
    lengths = [mark for mark in wanted if isinstance(mark, Length)]
    day, one_day = _one_day(days, today)
    hour = hours[-1] if hours else None
    if either and len(hours) > 1:
        hour = hours[0]
    part = parts[0] if parts else None
    one_part = len({(mark.start, mark.end) for mark in parts}) < 2
    if len(parts) > 1 and not one_part and not either:
        part, one_part = _narrowest(parts)
    one_hour = len(set(hours)) < 2
    no_time = any(mark == NO_TIME for mark in wanted)
    sure = one_day and one_hour and one_part and not (no_time and (days or hours)) and not (either and len(wanted) > 2)
    return Said(
        day, hour, part, instants[-1] if instants else None, within=lengths[-1] if lengths else None, sure=bool(sure)
    )


def _narrowest(parts: list[DayPart]) -> tuple[DayPart, bool]:
    """One part within the others ("l'après-midi, en fin d'après-midi"), or the first and unsure."""
    inner = max(parts, key=lambda part: part.start)
    narrow = min(parts, key=lambda part: (part.end.hour - part.start.hour, part.start))
    if all(part.start <= narrow.start and narrow.end <= part.end for part in parts):
        return narrow, True
    return (parts[0], False) if inner is not parts[0] else (inner, False)


def _one_day(days: list[Day], today: date) -> tuple[Day | None, bool]:
    """The one day that several words name ("mardi", "le 24"); the first, unsure, where they name several."""
    if not days:
        return None, True
    day = days[0]
    for other in days[1:]:
        merged = _merged(day, other, today)
        if merged is None:
            return replace(day, sure=False), False
        day = merged
    return day, True


def _merged(one: Day, other: Day, today: date) -> Day | None:
    if one.week and other.weekday is not None and other.last is None:
        one, other = other, one
    if (
        other.week
        and one.weekday is not None
        and one.last is None
        and other.first is not None
        and one.first is not None
    ):
        monday = other.first - timedelta(days=other.first.weekday())
        found = monday + timedelta(days=one.weekday)
        return Day(found, weekday=one.weekday) if other.last and found <= other.last + timedelta(days=2) else None
    if one.of_month and other.weekday is not None and other.of_month is None:
        one, other = other, one
    if other.of_month and one.weekday is not None:
        return with_number(one, other.of_month, today)
    if one.first == other.first and one.last == other.last:
        return replace(
            one, sure=one.sure or other.sure, weekday=one.weekday if one.weekday is not None else other.weekday
        )
    dated, named = (other, one) if one.weekday is not None else (one, other)
    if named.weekday is not None and dated.weekday is None and dated.first is not None and dated.last is None:
        return replace(dated, sure=dated.first.weekday() == named.weekday)  # "mardi 22 janvier"
    return None
