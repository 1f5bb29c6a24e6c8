"""The public holidays of a country in a year, computed. Pure.

FR: Code du travail L3133-1, without those of Alsace-Moselle and overseas. IT: legge 260/1949 and its changes, with
4 October from 2026 (legge 151/2025). GB: England and Wales, Banking and Financial Dealings Act 1971: New Year and
Christmas, and the days that are given for those on a weekend. What is proclaimed once is an exception of a place.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

COUNTRIES = ("FR", "IT", "GB")
MONDAY, SATURDAY = 0, 5
_FIXED = {
    "FR": ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)),
    "IT": ((1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26)),
}
_AFTER_EASTER = {"FR": (1, 39, 50), "IT": (0, 1), "GB": (-2, 1)}


@lru_cache(maxsize=64)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The days of a year that are public holidays in a country of COUNTRIES."""
    easter = easter_sunday(year)
    moving = {easter + timedelta(days) for days in _AFTER_EASTER[country]}
    if country == "GB":
        return frozenset(moving | _of_england(year))
    fixed = {date(year, month, day) for month, day in _FIXED[country]}
    if country == "IT" and year >= 2026:
        fixed.add(date(year, 10, 4))
    return frozenset(moving | fixed)


def easter_sunday(year: int) -> date:
    """Easter of the Gregorian calendar (the rule of J. M. Oudin, 1940, as the U.S. Naval Observatory gives it)."""
    century = year // 100
    golden = year % 19
    k = (century - 17) // 25
    i = (century - century // 4 - (century - k) // 3 + 19 * golden + 15) % 30
    i -= (i // 28) * (1 - (i // 28) * (29 // (i + 1)) * ((21 - golden) // 11))
    j = (year + year // 4 + i + 2 - century + century // 4) % 7
    offset = i - j
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


def _of_england(year: int) -> set[date]:
    """New Year, Christmas and Boxing Day, each with the next free weekday when it is on a weekend."""
    found = {date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)}
    for day in sorted(found):
        given = day
        while day.weekday() >= SATURDAY and (given.weekday() >= SATURDAY or given in found):
            given += timedelta(1)
        found.add(given)
    may_last = date(year, 5, 31)
    august_last = date(year, 8, 31)
    first_of_may = date(year, 5, 1)
    found.add(first_of_may + timedelta((MONDAY - first_of_may.weekday()) % 7))
    found.add(may_last - timedelta(may_last.weekday()))
    found.add(august_last - timedelta(august_last.weekday()))
    return found
