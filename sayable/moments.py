"""How dates and times are read. Pure."""

from __future__ import annotations

import re
from datetime import date

from sayable.counted import Match, SaidNumbers
from sayable.numbers import ordinal, year


class SaidMoments(SaidNumbers):
    """Dates and times, in one language."""

    def day(self, number: int, month: int, of: int | None) -> str:
        """A date."""
        name = self.words.months[month - 1]
        tail = f" {year(of, self.language)}" if of is not None else ""
        if self.language == "en":
            return f"the {ordinal(number, 'en')} of {name}{tail}"
        first = {"fr": "premier", "it": "primo"}[self.language]
        return f"{first if number == 1 else self.count(number)} {name}{tail}"

    def _numeric_date(self, match: Match) -> str | None:
        first, second = int(match[1]), int(match[3])
        of = int(match[4]) if match[4] else None
        if of is not None and of < 100:
            of += 2_000
        if self.language == "en" and second > 12 >= first:
            first, second = second, first
        return self._dated(match, of, second, first)

    def _iso_date(self, match: Match) -> str | None:
        return self._dated(match, int(match[1]), int(match[2]), int(match[3]))

    def _dated(self, match: Match, of: int | None, month: int, number: int) -> str | None:
        try:
            date(of or 2_000, month, number)
        except ValueError:
            return None
        said = self.day(number, month, of)
        if self.language == "en" and re.search(r"\b[Tt]he\s$", match.string[: match.start()]):
            said = said.removeprefix("the ")
        return said

    def _first_of_month(self, match: Match) -> str:
        return {"fr": "premier", "it": "primo"}[self.language] + match[1]

    def _english_date(self, match: Match) -> str | None:
        number = int(match["b"] or match["a"])
        if not 1 <= number <= 31:
            return None
        written, rest = match["m"] or match["n"], match["y"]
        name = next(month for month in self.words.months if month.startswith(written[:3]))
        said = f" {year(int(rest), 'en')}" if rest else ""
        if match["n"]:
            return f"{name} {ordinal(number, 'en')}{said}"
        the = "" if re.search(r"\b[Tt]he\s$", match.string[: match.start()]) else "the "
        return f"{the}{ordinal(number, 'en')} of {name}{said}"

    def clock(self, hour: int, minute: int | None, half: str = "") -> str | None:
        """A time of day."""
        if hour > 24 or (minute or 0) > 59:
            return None
        if self.language == "fr":
            name = "heure" if hour < 2 else "heures"
            said = f"{self.count(hour, feminine=True)} {name}"
            return said if not minute else f"{said} {self.count(minute)}"
        if self.language == "it":
            said = "una" if hour == 1 else self.count(hour)
            return said if not minute else f"{said} e {self.count(minute)}"
        said = self.count(hour)
        if minute:
            said += f" {'oh ' + self.count(minute) if minute < 10 else self.count(minute)}"
        elif not half:
            said += " o'clock" if hour <= 12 else " hundred"
        return f"{said} {half}".strip()

    def _time(self, match: Match) -> str | None:
        said = self.clock(int(match[1]), int(match[2]) if match[2] else None)
        if said is None or match.lastindex is None or match.lastindex < 3 or not match[3]:
            return said
        seconds = {"fr": "secondes", "it": "secondi", "en": "seconds"}[self.language]
        return f"{said} {self.words.and_} {self.count(int(match[3]))} {seconds}"

    def _time_of_half(self, match: Match) -> str | None:
        half = "a m" if match[3].lower().startswith("a") else "p m"
        return self.clock(int(match[1]), int(match[2]) if match[2] else None, half)

    def _spans(self, match: Match) -> str | None:
        """Opening hours: "9-12 e 15-19" behind "dalle"."""
        said = []
        for begin, begin_minute, end, end_minute in re.findall(
            r"(\d{1,2})(?:[.:](\d\d))?\s?[-–]\s?(\d{1,2})(?:[.:](\d\d))?", match[0]
        ):
            first = self.clock(int(begin), int(begin_minute or 0))
            last = self.clock(int(end), int(end_minute or 0))
            if first is None or last is None:
                return None
            said.append(f"{first} {'all’' if last[0] in 'aeiou' else 'alle '}{last}".replace("’", "'"))
        return f" {self.words.and_} dalle ".join(said)

    def _hours(self, match: Match) -> str | None:
        first, last = int(match[1]), int(match[2])
        return f"{self.count(first)} {self.words.to} {self.clock(last, None)}" if first < last <= 24 else None
