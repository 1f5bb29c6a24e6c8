"""Counts days and months, and says whether a moment exists. Pure: dates in, dates out."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

FARTHEST_YEARS = 9  # 29 February is never further away


def next_date(month: int, day: int, today: date) -> date | None:
    """The next such day, today included; None when no year has it."""
    for year in range(today.year, today.year + FARTHEST_YEARS):
        found = made(year, month, day)
        if found is not None and found >= today:
            return found
    return None


def made(year: int, month: int, day: int) -> date | None:
    """A date, None when there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def next_day_of_month(day: int, today: date) -> date | None:
    """The next month's or this month's such day, today excluded; None when no month has it."""
    for ahead in range(13):
        found = made(*_month(today, ahead), day)
        if found is not None and found > today:
            return found
    return None


def in_month(today: date, months: int, day: int) -> date | None:
    """A day of the month that is so many months after this one."""
    return made(*_month(today, months), day)


def plus_months(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a month that is shorter."""
    year, month = _month(day, months)
    return date(year, month, min(day.day, last_of(year, month)))


def _month(day: date, ahead: int) -> tuple[int, int]:
    number = day.year * 12 + day.month - 1 + ahead
    return number // 12, number % 12 + 1


def last_of(year: int, month: int) -> int:
    """How many days a month has."""
    return calendar.monthrange(year, month)[1]


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    """The nth Friday of a month (-1: the last), None when it has fewer."""
    if nth < 0:
        last = date(year, month, last_of(year, month))
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return made(year, month, 1 + (weekday - first.weekday()) % 7 + 7 * (nth - 1))


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def working_days_later(day: date, count: int) -> date:
    """So many days from Monday to Friday later; holidays are not known."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def later(now: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    """Local time after a length of time has really passed, over a change of the clocks too."""
    return (now.replace(tzinfo=zone).astimezone(UTC) + length).astimezone(zone).replace(tzinfo=None)


def exists(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks show this local time at all: in spring an hour is left out."""
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
