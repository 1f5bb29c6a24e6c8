"""What was found in a text: days, times, parts of the day, lengths of time, each standing in it as a mark. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TypeAlias


@dataclass(frozen=True)
class Day:
    """A day, or days up to `last`. Not `sure`: another one may be meant. `of_month` is a bare day's number ("le 15").

    `impossible`: there is no such day. `weekday` (from Monday, 0) where a name was said.
    """

    first: date | None = None
    last: date | None = None
    sure: bool = True
    impossible: bool = False
    weekday: int | None = None
    of_month: int | None = None
    week: bool = False
    has_year: bool = False


@dataclass(frozen=True)
class Written:
    """A time in digits (14:30); `is_full` when its hour has two digits though one would do (03:30). None: no time."""

    at: time | None
    is_full: bool = False


@dataclass(frozen=True)
class Hour:
    """A time of day, or times up to `end`. `fixed`: morning or afternoon was said, or cannot be doubted.

    `said` is the hour that was named where that is another ("sept heures moins le quart").
    """

    start: time
    end: time | None = None
    fixed: bool = False
    sure: bool = True
    name: str = ""
    said: int | None = None


@dataclass(frozen=True)
class DayPart:
    """A part of the day."""

    start: time
    end: time
    name: str
    sure: bool = True


@dataclass(frozen=True)
class Length:
    """So much time from now: real time in `exact`, or days and months. `ago` lies behind."""

    exact: timedelta = timedelta()
    days: int = 0
    months: int = 0
    sure: bool = True
    ago: bool = False


@dataclass(frozen=True)
class Instant:
    """A point of time that was counted from now ("dans une heure")."""

    at: datetime
    sure: bool = True


Mark: TypeAlias = Day | Written | Hour | DayPart | Length | Instant
_LETTERS: dict[type, str] = {Day: "D", Written: "T", Hour: "H", DayPart: "P", Length: "S", Instant: "M"}


@dataclass
class Marks:
    """The marks of one text, in the order in which they were found."""

    found: list[Mark] = field(default_factory=list)

    def add(self, mark: Mark) -> str:
        """The word that stands for a mark in the text: a letter for its kind, and its number."""
        self.found.append(mark)
        return f"{_LETTERS[type(mark)]}{len(self.found) - 1}"

    def of(self, word: str) -> Mark:
        """The mark that a word stands for."""
        return self.found[int(word[1:])]

    def day(self, word: str) -> Day:
        """The day that a word stands for."""
        mark = self.of(word)
        assert isinstance(mark, Day)
        return mark

    def hour(self, word: str) -> Hour:
        """The time that a word stands for."""
        mark = self.of(word)
        assert isinstance(mark, Hour)
        return mark
