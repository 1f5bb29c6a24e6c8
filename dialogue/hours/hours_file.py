"""Reads a file of opening hours beside the flows. Pure.

hours:
  monday-friday: 9:00-12:00, 14:00-18:00
  saturday: 9:00-12:00
holidays: FR                                   # closed; or {country: FR, open: 10:00-12:00}
exceptions:
  2026-12-24: 9:00-12:00
  2026-12-25..2027-01-03: closed
messages:
  - {from: 2026-12-20, until: 2027-01-03, say: "Nous sommes fermés du 25 décembre au 3 janvier."}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise

from yaml.nodes import Node, ScalarNode, SequenceNode

from dialogue.flow_yaml import Fault, Reader, likely
from dialogue.hours.opening_hours import DAY_MINUTES, MOST_DAYS_CLOSED, DayMessage, Hours, Openings
from dialogue.hours.public_holidays import COUNTRIES

HOURS_KEYS = ("hours", "holidays", "exceptions", "messages")
HOLIDAY_KEYS = ("country", "open")
MESSAGE_KEYS = ("from", "until", "say")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOSED = "closed"
MOST_OPENINGS = 6  # of a day
MOST_MESSAGES = 50
MOST_MESSAGE = 500  # characters: what a variable of the type text holds
_OPENING = re.compile(r"(\d{1,2})(?::(\d\d))?\s*-\s*(\d{1,2})(?::(\d\d))?")


class BadHours(ValueError):
    """A file of hours that is refused; `faults` are all that were found."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


def read_hours(text: str, file: str) -> Hours:
    """The hours of a YAML text; `file` names it in faults. Raises BadHours."""
    reader = Reader(file)
    hours = _HoursReader(reader).hours(text)
    if reader.faults or hours is None:
        raise BadHours(tuple(sorted(reader.faults, key=lambda fault: fault.line)))
    return hours


class _HoursReader:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def hours(self, text: str) -> Hours | None:
        root = self.reader.document(text)
        if root is None:
            return None
        top = self.reader.mapping(root, "the hours", HOURS_KEYS)
        if "hours" not in top:
            self.reader.fault(root, "opening hours need hours: from when until when on each day")
            return None
        week = self.week(top["hours"])
        country, on_holidays = self.holidays(top["holidays"]) if "holidays" in top else ("", ())
        exceptions = self.exceptions(top["exceptions"]) if "exceptions" in top else {}
        messages = tuple(map(self.message, self.reader.items(top["messages"]))) if "messages" in top else ()
        if len(messages) > MOST_MESSAGES:
            self.reader.fault(top["messages"], f"there are at most {MOST_MESSAGES} messages")
        return Hours(week, country, on_holidays, exceptions, messages)

    def week(self, node: Node) -> tuple[Openings, ...]:
        found: dict[int, Openings] = {}
        for key, entry in self.reader.mapping(node, "hours").items():
            openings = self.openings(entry, key)
            for day in self.days(entry, key):
                if day in found:
                    self.reader.fault(entry, f"{DAYS[day]} is there twice")
                found[day] = openings
        if not any(found.values()):
            self.reader.fault(node, "it is never open: hours needs a day with an opening")
        return tuple(found.get(day, ()) for day in range(7))

    def days(self, node: Node, key: str) -> list[int]:
        """`monday`, or `monday-friday`; `saturday-monday` goes over the end of the week."""
        names = [part.strip() for part in key.split("-")]
        for name in names:
            if name not in DAYS:
                self.reader.fault(node, f"there is no day {name}{likely(name, DAYS)}; there are {', '.join(DAYS)}")
                return []
        if len(names) > 2:
            self.reader.fault(node, f"{key} must be a day, or the first and the last one: monday-friday")
            return []
        first, last = DAYS.index(names[0]), DAYS.index(names[-1])
        return [day % 7 for day in range(first, last + 1 if last >= first else last + 8)]

    def openings(self, node: Node, what: str) -> Openings:
        """`closed`, or from when until when, several with commas or as a list."""
        listed = node.value if isinstance(node, SequenceNode) else [node]
        parts = [part.strip() for one in listed for part in self.reader.text(one, what).split(",")]
        if parts == [CLOSED]:
            return ()
        found = [opening for part in parts if (opening := self.opening(node, part)) is not None]
        if any(begin < end for (_, end), (begin, _) in pairwise(found)):
            self.reader.fault(node, f"{what}: openings stand one after the other, and do not overlap")
        if len(found) > MOST_OPENINGS:
            self.reader.fault(node, f"{what}: at most {MOST_OPENINGS} openings a day")
        return tuple(found)

    def opening(self, node: Node, text: str) -> tuple[int, int] | None:
        match = _OPENING.fullmatch(text)
        if match is None:
            self.reader.fault(node, f"{text!r} is no opening such as 9:00-12:30, and not {CLOSED}")
            return None
        from_hour, from_minute, to_hour, to_minute = (int(part or 0) for part in match.groups())
        begin, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if from_minute > 59 or to_minute > 59 or begin >= DAY_MINUTES or end > DAY_MINUTES or begin == end:
            self.reader.fault(node, f"{text!r} is no opening: hours are 0:00 to 24:00")
            return None
        return begin, end if end > begin else end + DAY_MINUTES  # 22:00-2:00: until the next day

    def holidays(self, node: Node) -> tuple[str, Openings]:
        entries = {"country": node} if isinstance(node, ScalarNode) else self.reader.mapping(
            node, "holidays", HOLIDAY_KEYS
        )  # fmt: skip
        country = self.reader.text(entries["country"], "country") if "country" in entries else ""
        if country not in COUNTRIES:
            self.reader.fault(node, f"public holidays are known of {', '.join(COUNTRIES)}; list others as exceptions")
            return "", ()
        return country, self.openings(entries["open"], "open") if "open" in entries else ()

    def exceptions(self, node: Node) -> Mapping[date, Openings]:
        found: dict[date, Openings] = {}
        for key, entry in self.reader.mapping(node, "exceptions").items():
            openings = self.openings(entry, key)
            for day in self.dates(entry, key):
                if day in found:
                    self.reader.fault(entry, f"{day} has two exceptions")
                found[day] = openings
        if sum(not openings for openings in found.values()) > MOST_DAYS_CLOSED:
            self.reader.fault(node, f"exceptions close at most {MOST_DAYS_CLOSED} days")
        return found

    def dates(self, node: Node, key: str) -> list[date]:
        """`2026-12-24`, or `2026-12-25..2027-01-03`."""
        first, _, last = (part.strip() for part in key.partition(".."))
        try:
            begin = date.fromisoformat(first)
            end = date.fromisoformat(last) if last else begin
            latest = begin + timedelta(MOST_DAYS_CLOSED)
        except (ValueError, OverflowError):
            self.reader.fault(node, f"{key} must be a date such as 2026-12-24, or 2026-12-25..2027-01-03")
            return []
        if not begin <= end < latest:
            self.reader.fault(node, f"{key}: the last day is the first or later, and within a year")
            return []
        return [begin + timedelta(day) for day in range((end - begin).days + 1)]

    def message(self, node: Node) -> DayMessage:
        entries = self.reader.mapping(node, "a message", MESSAGE_KEYS)
        for key in MESSAGE_KEYS:
            if key not in entries:
                self.reader.fault(node, f"a message needs {key}")
        begin = self.moment(entries["from"]) if "from" in entries else datetime.min
        end = self.moment(entries["until"], is_end=True) if "until" in entries else datetime.max
        text = self.reader.text(entries["say"], "say") if "say" in entries else ""
        if end <= begin:
            self.reader.fault(node, "a message ends after it begins")
        if len(text) > MOST_MESSAGE:
            self.reader.fault(entries["say"], f"a message has at most {MOST_MESSAGE} characters")
        return DayMessage(begin, end, text)

    def moment(self, node: Node, is_end: bool = False) -> datetime:
        """`2026-12-20` (an end: the whole of it), or `2026-12-20T18:00`."""
        text = self.reader.text(node, "from and until")
        try:
            read = datetime.fromisoformat(text)
            whole_day = read + timedelta(1)
        except (ValueError, OverflowError):
            self.reader.fault(node, f"{text!r} must be a date, or a date and time such as 2026-12-20T18:00")
            return datetime.min
        if read.tzinfo is not None:
            self.reader.fault(node, "times are those of the flow's zone: write none")
            return datetime.min
        return whole_day if is_end and len(text) <= len("2026-12-20") else read
