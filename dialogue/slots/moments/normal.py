"""Turns a transcript into normal text: one spelling for words and digits, with dates and times in digits marked. Pure.

"Jeudi à 14:30." and "jeudi à quatorze heures trente" both become words and numbers; a time written as one (14:30,
14h30) becomes T0, a date (25/12/2026) D0.
"""

from __future__ import annotations

import re
from datetime import date, time

from dialogue.slots.moments import calendar
from dialogue.slots.moments.marks import Day, Marks, Written
from dialogue.slots.moments.said_numbers import ORDINAL, in_digits
from dialogue.slots.moments.vocabulary import TimeWords
from dialogue.slots.words import MAX_CHARACTERS, fold

_EDGE = r"(?<![\d.,/:-])"
_END = r"(?![./:-]?\d)"
_YEAR_FIRST = re.compile(rf"{_EDGE}(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_END}")
_WITH_YEAR = re.compile(rf"{_EDGE}(\d{{1,2}})[-/.](\d{{1,2}})(?:[-/.]|, ?)(\d{{4}}|\d{{2}}){_END}")
_DAY_MONTH = re.compile(rf"{_EDGE}(\d{{1,2}})([-/.])(\d{{1,2}}){_END}")
_CLOCK = re.compile(rf"{_EDGE}(\d{{1,2}}) ?: ?(\d{{2}})(?: ?: ?\d{{2}})?(?!\d)")
_H_CLOCK = re.compile(r"(?<![\d.,/:-])(\d{1,2}) ?h ?(\d{2})(?: ?m(?:in)?\b)?(?: ?\d{1,2} ?s\b)?(?!\d)")
_H_SECONDS = re.compile(r"(?<!\d)(\d{1,2}) ?h ?\d{1,2} ?s\b")
_DOT_CLOCK = re.compile(rf"{_EDGE}(\d{{1,2}})\.(\d{{2}}){_END}")
_COMMA_CLOCK = re.compile(r"(?:(?<=\balle )|(?<=\bore )|(?<=\bdalle )|(?<=\ba )|(?<=\bat ))(\d{1,2}),(\d{2})(?!\d)")
_RUN_TOGETHER = re.compile(r"(?<!\d)(\d{1,2})(\d{2})(?= ?[ap]\.? ?m\b)")
_MERIDIEM = re.compile(r"(?<![a-z'])([ap])\.? ?m\b\.?(?!')")
_ORDINAL = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|ere?|r|eme|e|[oa]|[°º])(?![a-z0-9])")
_TOKEN = re.compile(r"[DT]\d+|\d+#?|[^\W\d_]+'|[^\W\d_]+|[.,;:!?…]|(?<=[\dh ])-(?=\s|\d)")
_DATE_LEADS = re.compile(r"(?:\b(?:il|le|the|on|del|du|giorno|su|sur) +)$")
_HOURS = re.compile(r" ?(?:h|heures?|ore|[ap]\.?m|o'clock)\b")
_PAUSE = frozenset(".,;:!?…")
MONTH_FIRST_REGIONS = frozenset({"US"})


def normal(text: str, words: TimeWords, marks: Marks, today: date, region: str) -> str:
    """Normal text; what was written as a date or time is added to `marks`."""
    folded = fold(text[:MAX_CHARACTERS])
    folded = _dates(folded, marks, today, region in MONTH_FIRST_REGIONS, words.language == "en")
    folded = _H_SECONDS.sub(r"\1 h", folded)
    folded = _RUN_TOGETHER.sub(r"\1:\2", folded)
    folded = _times(folded, marks)
    folded = _MERIDIEM.sub(r" \1m ", folded)
    folded = _ORDINAL.sub(rf"\1{ORDINAL}", folded)
    tokens = ["," if token in _PAUSE else token for token in _TOKEN.findall(folded)]
    said = " ".join(in_digits(tokens, words.language))
    for pattern, replacement in words.rewrites:
        said = pattern.sub(replacement, said)
    return words.noise.sub(",", said)


def _dates(text: str, marks: Marks, today: date, month_first: bool, both_orders: bool) -> str:
    def year_first(match: re.Match[str]) -> str:
        return _marked(match, int(match[1]), int(match[3]), int(match[4]), True)

    def with_year(match: re.Match[str]) -> str:
        year = full_year(int(match[3]), today) if len(match[3]) == 2 else int(match[3])
        first, second = int(match[1]), int(match[2])
        month, day = (first, second) if _is_month_first(first, second, month_first) else (second, first)
        return _marked(match, year, month, day, _is_clear(first, second, both_orders))

    def day_month(match: re.Match[str]) -> str:
        first, second = int(match[1]), int(match[3])
        led = bool(_DATE_LEADS.search(text[: match.start()]))
        if match[2] == "." and not led and first < 24 and second < 60 and len(match[3]) == 2:
            return match[0]  # a time
        if match[2] == "-" and not led and (_HOURS.match(text, match.end()) or not (first > 12) ^ (second > 12)):
            return match[0]  # "10-12 heures"
        month, day = (first, second) if _is_month_first(first, second, month_first) else (second, first)
        if not 1 <= month <= 12:
            return match[0]
        found = calendar.next_date(month, day, today)
        clear = _is_clear(first, second, both_orders)
        return f" {marks.add(Day(found, sure=clear) if found else Day(impossible=True))} "

    def _marked(match: re.Match[str], year: int, month: int, day: int, clear: bool) -> str:
        found = calendar.made(year, month, day)
        return f" {marks.add(Day(found, sure=clear, has_year=True) if found else Day(impossible=True))} "

    text = _YEAR_FIRST.sub(year_first, text)
    text = _WITH_YEAR.sub(with_year, text)
    return _DAY_MONTH.sub(day_month, text)


def _is_month_first(first: int, second: int, by_region: bool) -> bool:
    return second > 12 or (by_region and first <= 12)


def _is_clear(first: int, second: int, both_orders: bool) -> bool:
    """Whether the day and the month cannot be taken for each other; only English has both orders."""
    return first == second or first > 12 or second > 12 or not both_orders


def full_year(two_digits: int, today: date) -> int:
    """The century of a year that was written short: at most thirty years ahead."""
    year = today.year // 100 * 100 + two_digits
    return year - 100 if year > today.year + 30 else year


def _times(text: str, marks: Marks) -> str:
    def marked(match: re.Match[str]) -> str:
        hour, minute = int(match[1]), int(match[2])
        if hour > 24 or minute > 59:
            return f" {marks.add(Written(None))} "
        return f" {marks.add(Written(time(hour % 24, minute), is_full=match[1][0] == '0' and len(match[1]) == 2))} "

    for pattern in (_CLOCK, _H_CLOCK, _DOT_CLOCK, _COMMA_CLOCK):
        text = pattern.sub(marked, text)
    return text
