"""Makes days of what the patterns of a language found: dates, weekdays, weeks, days of a month. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from dialogue.slots.moments import calendar
from dialogue.slots.moments.marks import Day
from dialogue.slots.moments.normal import full_year
from dialogue.slots.moments.vocabulary import TimeWords

Groups = Mapping[str, str | None]
EARLY_ENDS, MIDDLE_ENDS = 10, 20  # "début janvier" is up to the 10th, "mi-janvier" up to the 20th
LAST_DAYS = 6  # "fin du mois"


def dated(got: Groups, words: TimeWords, today: date) -> Day | None:
    """A day of a month by name ("trois décembre 2026") or by number ("le 24 11")."""
    said = str(got["d"]).rstrip("#")
    day = int(said)
    month = int(str(got["mm"])) if got.get("mm") else _month(str(got["m"]), words)
    if not 1 <= day <= 31:
        return None
    year = got.get("y")
    if year:
        found = calendar.made(int(year) if len(year) == 4 else full_year(int(year), today), month, day)
    else:
        found = calendar.next_date(month, day, today)
    return Day(found, has_year=bool(year)) if found is not None else Day(impossible=True)


def nth_weekday(got: Groups, words: TimeWords, today: date) -> Day | None:
    """ "Le premier vendredi de juillet", "the last Monday of this month"."""
    said = str(got["n"])
    sure = bool(got.get("m") or got.get("ahead"))
    nth = int(said.rstrip("#")) if said[0].isdigit() else -1
    weekday = number_of(str(got["w"]), words.weekdays)
    if got.get("m"):
        month = _month(str(got["m"]), words)
        candidates = [calendar.nth_weekday(year, month, weekday, nth) for year in (today.year, today.year + 1)]
        found = next((day for day in candidates if day is not None and day >= today), None)
    else:
        months = (1,) if got.get("ahead") else (0, 1)
        firsts = [calendar.in_month(today, months_ahead, 1) or today for months_ahead in months]
        found = next(
            (
                day
                for first in firsts
                if (day := calendar.nth_weekday(first.year, first.month, weekday, nth)) and day >= today
            ),
            None,
        )
    return Day(found, weekday=weekday, sure=sure) if found is not None else Day(impossible=True)


def of_month(got: Groups, today: date) -> Day:
    """ "Le 20 du mois prochain"."""
    found = calendar.in_month(today, 1 if got.get("next") else 0, int(str(got["d"]).rstrip("#")))
    return Day(found) if found is not None else Day(impossible=True)


def part_of_month(got: Groups, words: TimeWords, today: date) -> Day:
    """ "Fin du mois", "début janvier": a stretch that begins today at the earliest."""
    first = _first_of_month(got, words, today)
    last = calendar.last_of(first.year, first.month)
    if got.get("early"):
        begin, end = 1, EARLY_ENDS
    elif got.get("middle"):
        begin, end = EARLY_ENDS + 1, MIDDLE_ENDS
    else:
        begin, end = last - LAST_DAYS + 1, last
    if first.replace(day=end) < today and not got.get("y") and got.get("m"):
        first = first.replace(year=first.year + 1)
    begins = max(first.replace(day=begin), today)
    ends = first.replace(day=end)
    return Day(begins, ends, sure=False, week=True) if begins < ends else Day(ends, sure=False)


def month_alone(got: Groups, words: TimeWords, today: date) -> Day | None:
    """ "En janvier": the whole month, which is too long to be sure of."""
    if not (got.get("m") or got.get("next")):
        return None
    first = _first_of_month(got, words, today)
    last = first.replace(day=calendar.last_of(first.year, first.month))
    return Day(max(first, today), last, sure=False, week=True)


def _first_of_month(got: Groups, words: TimeWords, today: date) -> date:
    if got.get("next"):
        return calendar.in_month(today, 1, 1) or today
    if not got.get("m"):
        return today.replace(day=1)
    month = _month(str(got["m"]), words)
    year = int(str(got["y"])) if got.get("y") else today.year + (month < today.month)
    return date(year, month, 1)


def weekday(got: Groups, words: TimeWords, today: date) -> Day:
    """A weekday with what says which one ("prochain", "en huit", "de la semaine prochaine", "le 24")."""
    number = number_of(str(got["w"]), words.weekdays)
    said = {name.rstrip("0123456789") for name, value in got.items() if value}
    monday = calendar.monday_of(today)
    if "next_week" in said:
        return _numbered(got, Day(monday + timedelta(days=7 + number), weekday=number), today)
    if "last_week" in said:
        return Day(monday + timedelta(days=number - 7), weekday=number)
    ahead = (number - today.weekday()) % 7
    if "last" in said:
        return Day(today - timedelta(days=7 - ahead), weekday=number)
    if "this_week" in said:
        return Day(monday + timedelta(days=number), weekday=number)
    sure = ahead != 0 or bool(said - {"w", "dom"})  # said on that very day
    if ahead == 0 and "this" not in said:
        ahead = 7
    if "two_later" in said:
        ahead += 14
    elif "week_later" in said:
        ahead += 7
    elif "next" in said and (monday + timedelta(days=number)) > today:
        sure = False  # the one to come, or that of next week
        ahead += 7 if ahead > 2 else 0
    return _numbered(got, Day(today + timedelta(days=ahead), sure=sure, weekday=number), today)


def _numbered(got: Groups, day: Day, today: date) -> Day:
    """ "Mardi 24": the day of the month decides, if it is such a weekday."""
    number = got.get("dom") or got.get("dom2")
    return with_number(day, int(number), today) if number else day


def with_number(day: Day, number: int, today: date) -> Day:
    """A weekday and a day of the month that were said together; not sure where they do not fit."""
    found = calendar.next_day_of_month(number, today)
    this = calendar.in_month(today, 0, number)
    if found is not None and found.weekday() == day.weekday:
        return Day(found, weekday=day.weekday)
    if this is not None and this.weekday() == day.weekday:
        return Day(this, weekday=day.weekday)  # it may be over
    return Day(found, sure=False, weekday=day.weekday, impossible=found is None)


def week(kind: str, today: date) -> Day:
    """A stretch of days: this or next week's working days, the weekend."""
    monday = calendar.monday_of(today)
    next_monday = monday + timedelta(days=7)
    match kind:
        case "next_week":
            return Day(next_monday, next_monday + timedelta(days=4), week=True)
        case "weekend":
            saturday = monday + timedelta(days=5)
            return Day(saturday, saturday + timedelta(days=1), week=True)
        case "end_of_week":
            friday = (next_monday if today.weekday() > 4 else monday) + timedelta(days=4)
            thursday = max(today, friday - timedelta(days=1))
            return Day(thursday, friday if friday > thursday else None, sure=False, week=True)
    if today.weekday() >= 4 and kind == "workweek":
        return Day(next_monday, next_monday + timedelta(days=4), sure=False, week=True)
    last = monday + timedelta(days=4 if today.weekday() < 5 else 6)
    return Day(today, last, sure=False, week=True) if last > today else Day(today, sure=False)


def day_of_month(got: Groups, today: date) -> Day | None:
    """ "Le 15": the next one."""
    number = int(next((value for name, value in got.items() if name[0] == "d" and value), 1))
    if not 1 <= number <= 31:
        return None
    return Day(calendar.next_day_of_month(number, today), of_month=number)


def _month(said: str, words: TimeWords) -> int:
    return number_of(said, words.months) + 1


def number_of(said: str, names: tuple[str, ...]) -> int:
    """Which of the names this is, from 0."""
    return next(number for number, name in enumerate(names) if re.fullmatch(name, said))
