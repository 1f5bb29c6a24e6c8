"""Whether a place is open, when it opens, when it closes, and what it has to tell today. Pure: the moment is handed in.

Times are those of the clock on the wall. Where that is put forward a time that does not exist is as long after
midnight as it would have been; where it is put back a place opens at the first of two equal times and closes at the
second. Openings that touch are one ("8:00-24:00", and the next day "0:00-2:00").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from dialogue.hours.public_holidays import public_holidays

DAY_MINUTES = 24 * 60
MOST_DAYS_CLOSED = 366
"""Of all exceptions together; within twice as many days and a few weeks there is an opening."""
HORIZON_DAYS = 2 * MOST_DAYS_CLOSED + 70
CLOSING_DAYS = 14

Openings = tuple[tuple[int, int], ...]
"""From and until, in minutes of the day, one after the other; an end beyond 1440 is on the next day."""


@dataclass(frozen=True)
class DayMessage:
    """What is told from one moment of the wall clock until another, which is not part of it."""

    begin: datetime
    end: datetime
    text: str


@dataclass(frozen=True)
class Hours:
    """A place's hours. `week`: Monday first; `holidays`: the country whose public holidays have the hours
    `on_holidays`, empty: they are days like others; `exceptions` come before both."""

    week: tuple[Openings, ...]
    holidays: str = ""
    on_holidays: Openings = ()
    exceptions: Mapping[date, Openings] = field(default_factory=dict)
    messages: tuple[DayMessage, ...] = ()

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a public holiday here."""
        return bool(self.holidays) and day in public_holidays(self.holidays, day.year)

    def of_day(self, day: date) -> Openings:
        """The openings that begin on a day."""
        if day in self.exceptions:
            return self.exceptions[day]
        return self.on_holidays if self.is_holiday(day) else self.week[day.weekday()]

    def is_open(self, now: datetime) -> bool:
        """Whether it is open at a moment (with its time zone)."""
        return any(begin <= now.astimezone(UTC) < end for begin, end in self._around(now, 0))

    def opens_at(self, now: datetime) -> datetime | None:
        """The first moment from now on at which it is open: now, when it is. None: not within HORIZON_DAYS."""
        at = now.astimezone(UTC)
        for begin, end in self._around(now, HORIZON_DAYS):
            if end > at:
                return max(begin, at).astimezone(now.tzinfo)
        return None

    def closes_at(self, now: datetime) -> datetime | None:
        """When it closes; None while it is closed, and of a place that does not close within CLOSING_DAYS."""
        closing: datetime | None = None
        at = now.astimezone(UTC)
        for begin, end in self._around(now, CLOSING_DAYS):
            if closing is None:
                if begin > at:
                    return None
                closing = end if end > at else None
            elif begin <= closing:
                closing = max(closing, end)
            else:
                return closing.astimezone(now.tzinfo)
        return None

    def message(self, now: datetime) -> str:
        """What is to be told now; empty: nothing. The first of several."""
        wall = now.replace(tzinfo=None)
        return next((one.text for one in self.messages if one.begin <= wall < one.end), "")

    def _around(self, now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Openings in their order, in UTC, from the day before `now` until so many days after it."""
        assert now.tzinfo is not None
        today = now.date()
        for ahead in range(-1, days + 1):
            day = today + timedelta(ahead)
            yield from sorted(
                (_moment(day, begin, now.tzinfo, 0), _moment(day, end, now.tzinfo, 1))
                for begin, end in self.of_day(day)
            )


ALWAYS = Hours((((0, DAY_MINUTES),),) * 7)
"""Open day and night."""


def _moment(day: date, minute: int, zone: tzinfo, fold: int) -> datetime:
    """A minute of a day's wall clock as a moment in UTC; `fold` chooses of two equal times."""
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    earlier, later = (wall.replace(tzinfo=zone, fold=one).astimezone(UTC) for one in (0, 1))
    return later if fold and earlier < later else earlier  # earlier > later: a time that is skipped
