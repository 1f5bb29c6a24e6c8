"""Finds what names a day, a time, a part of the day or a length of time in normal text, and marks it there. Pure.

The order matters: lengths before times ("dans deux heures"), dates before days of the month, units before bare numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dialogue.slots.moments import calendar
from dialogue.slots.moments.clock import clock
from dialogue.slots.moments.days import (
    dated,
    day_of_month,
    month_alone,
    nth_weekday,
    number_of,
    of_month,
    part_of_month,
    week,
    weekday,
)
from dialogue.slots.moments.lengths import length
from dialogue.slots.moments.marks import Day, DayPart, Instant, Length, Mark, Marks, Written
from dialogue.slots.moments.vocabulary import TimeWords

Groups = Mapping[str, str | None]
LONGEST_HOURS = 7  # "d'ici six heures" is a length of time


class Mentions:
    """One text on its way: `text` with marks in it, `marks` what they stand for."""

    def __init__(self, text: str, words: TimeWords, marks: Marks, now: datetime, zone: ZoneInfo) -> None:
        self.text = text
        self.words = words
        self.marks = marks
        self.now = now
        self.zone = zone

    @property
    def today(self) -> date:
        """The day that "tomorrow" counts from."""
        return self.now.date()

    def find(self) -> str:
        """Marks everything; the text with its marks."""
        words, today = self.words, self.today
        self._lengths()
        for pattern in words.dated:
            self.mark(pattern, lambda got: dated(got, words, today))
        self.mark(words.nth_weekday, lambda got: nth_weekday(got, words, today))
        self.mark(words.of_month, lambda got: of_month(got, today))
        self.mark(words.part_of_month, lambda got: part_of_month(got, words, today))
        self.mark(words.month_alone, lambda got: month_alone(got, words, today))
        self.mark(words.now, lambda _: Instant(self.now.replace(second=0, microsecond=0)))
        for pattern, offset in words.days:
            self.mark(pattern, self._relative(offset))
        self._lengths_from_days()
        self.mark(words.weekday, lambda got: weekday(got, words, today))
        self.mark(words.week_of, lambda got: self._week_of(self.marks.day(str(got["day"]))))
        for pattern, kind in words.weeks:
            self.mark(pattern, self._week(kind))
        self._clocks(words.clocks[1:], words.clocks[0])
        for part in words.parts:
            self.mark(part.said, self._part(DayPart(part.start, part.end, part.name, sure=not part.vague)))
        self.mark(words.day_of_month, lambda got: day_of_month(got, today))
        self._clocks(words.bare_clocks, None)
        return self.text

    def mark(self, pattern: re.Pattern[str], make: Callable[[Groups], Mark | None]) -> None:
        """Puts a mark in the place of each match that `make` makes one of."""

        def marked(match: re.Match[str]) -> str:
            got = match.groupdict()
            found = make(got)
            if found is None:
                return match[0]
            lead = got.get("lead")
            return (f"{lead} " if lead else "") + self.marks.add(found)

        self.text = pattern.sub(marked, self.text)

    def _relative(self, offset: int) -> Callable[[Groups], Mark]:
        return lambda _: Day(self.today + timedelta(days=offset))

    def _week(self, kind: str) -> Callable[[Groups], Mark]:
        return lambda _: week(kind, self.today)

    @staticmethod
    def _week_of(day: Day) -> Mark | None:
        if day.first is None:
            return day
        monday = calendar.monday_of(day.first)
        return Day(monday, monday + timedelta(days=4), week=True)

    @staticmethod
    def _part(part: DayPart) -> Callable[[Groups], Mark]:
        return lambda _: part

    def _clocks(self, patterns: tuple[re.Pattern[str], ...], kept: re.Pattern[str] | None) -> None:
        """Times of day; what `kept` matches looks like one and is a part of the day."""
        held: list[str] = []
        if kept is not None:
            for part in self.words.parts:
                if kept.search(self.text) and part.said.search(self.text):
                    self.text = kept.sub(lambda m: self._held(held, m[0]), self.text)
        for pattern in patterns:
            self.mark(pattern, lambda got: clock(got, self.words, self.marks))
        for number, said in enumerate(held):
            self.text = self.text.replace(f"X{number}", said)

    @staticmethod
    def _held(held: list[str], said: str) -> str:
        held.append(said)
        return f"X{len(held) - 1}"

    # --- lengths of time ---

    def _lengths(self) -> None:
        """Lengths of time ahead or behind become moments; "within" them stays for the sense to read."""
        words = self.words
        joint = rf"(?:(?: ,)? (?:{words.also} |plus |più )?)"
        amount = words.amount.pattern.removeprefix(r"(?<!\S)(?:").removesuffix(r")(?!\S)")
        run = rf"(?:{amount})(?:{joint}(?:{amount}))*"
        bare = [
            _bare(pattern) for pattern in (words.within, words.ahead, words.ago_before, words.ago_behind, words.behind)
        ]
        within, ahead, ago_before, ago_behind, behind = bare
        self.mark(words.working_days, self._working_days)
        self._spans(rf"(?P<lead>{within}) (?P<run>{run})(?!\S)", _if_short)
        self._spans(rf"(?:{ago_before}) (?P<run>{run})(?!\S)", self._ago)
        self._spans(rf"(?P<run>{run}) (?:{ago_behind})(?!\S)", self._ago)
        self.mark(re.compile(rf"(?<!\S)(?:{ahead}) (?P<t>T\d+)(?!\S)"), self._written_length)
        self._spans(rf"(?:{ahead}) (?P<run>{run})(?: (?:{behind}))?(?!\S)", self._from_now)
        self._spans(rf"(?P<run>{run}) (?:{behind})(?!\S)", self._from_now)

    def _spans(self, pattern: str, make: Callable[[Length], Mark | None]) -> None:
        def marked(got: Groups) -> Mark | None:
            found = length(str(got["run"]), self.words)
            return None if found is None else make(found)

        self.mark(re.compile(r"(?<!\S)(?:" + pattern + ")"), marked)

    def _written_length(self, got: Groups) -> Mark | None:
        """ "Dans 1h30"."""
        written = self.marks.of(str(got["t"]))
        if not isinstance(written, Written) or written.at is None:
            return None
        return self._from_now(Length(timedelta(hours=written.at.hour, minutes=written.at.minute)))

    def _from_now(self, span: Length) -> Mark:
        return at_the_end(span, self.now, self.zone)

    def _ago(self, span: Length) -> Mark:
        back = Length(-span.exact, -span.days, -span.months, span.sure)
        return at_the_end(back, self.now, self.zone)

    def _working_days(self, got: Groups) -> Mark:
        return Day(calendar.working_days_later(self.today, int(got["n"] or 1)))

    def _lengths_from_days(self) -> None:
        """ "Two weeks from tomorrow", "two Sundays from now": counted from a day that is marked already."""
        words = self.words
        amount = words.amount.pattern.removeprefix(r"(?<!\S)(?:").removesuffix(r")(?!\S)")
        from_day = _bare(words.from_day)

        def counted(got: Groups) -> Mark | None:
            span, begin = length(str(got["run"]), words), self.marks.day(str(got["day"]))
            if span is None or begin.first is None or span.exact:
                return None
            return Day(calendar.plus_months(begin.first, span.months) + timedelta(days=span.days), sure=span.sure)

        self.mark(re.compile(rf"(?<!\S)(?P<run>{amount}) (?:{from_day}) (?P<day>D\d+)(?!\S)"), counted)
        if words.weekdays_from_now is not None:
            self.mark(words.weekdays_from_now, self._weekdays_from_now)

    def _weekdays_from_now(self, got: Groups) -> Mark:
        number = number_of(str(got["w"]), self.words.weekdays)
        ahead = (number - self.today.weekday() - 1) % 7 + 1
        return Day(self.today + timedelta(days=ahead + 7 * (int(got["n"] or 1) - 1)))


def _if_short(span: Length) -> Mark | None:
    """A length of time; "d'ici dix-huit heures" is rather a time of day."""
    return None if timedelta(hours=LONGEST_HOURS) <= span.exact < timedelta(hours=24) else span


def at_the_end(span: Length, now: datetime, zone: ZoneInfo) -> Mark:
    """The moment, or the day, that is so far from now."""
    if not span.exact:
        return Day(calendar.plus_months(now.date(), span.months) + timedelta(days=span.days), sure=span.sure)
    day = calendar.plus_months(now.date(), span.months) + timedelta(days=span.days)
    begin = datetime.combine(day, now.time())
    return Instant(calendar.later(begin, span.exact, zone).replace(second=0, microsecond=0), span.sure)


def _bare(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.removeprefix(r"(?<!\S)(?:").removesuffix(r")(?!\S)")
