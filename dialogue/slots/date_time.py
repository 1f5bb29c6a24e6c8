"""Reads when somebody wants to be called: a day, a time, a stretch of time. Pure apart from dateparser.

The value is ISO 8601 in local time: "2026-11-24", "2026-11-24T14:30" or "2026-11-24T16:00/2026-11-24T18:00".
Dates with a month and counted days go to dateparser; what it does not know of telephone French, Italian and English
(parts of the day, "lundi en huit", "mardi prochain", stretches, corrections) is read here.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import dateparser
from text_to_num import alpha2digit

from dialogue.slots.clock import Hours, read_hours
from dialogue.slots.lexicon import Lexicon
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.time_words import TIME_WORDS, TimeWords
from dialogue.slots.words import cut_at_corrections, fold, texts, without_fillers, words_of

_COLON_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?!\d)")
_NUMERIC_DATE = re.compile(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b")
_ISO_DATE = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_GLUED = re.compile(r"\b(\d{1,2}) (er|st|nd|rd|th)\b")  # "25th" was cut in two
_FR_AFTERNOON = re.compile(r"\bapres midis?\b")
_NEW = re.compile(r"\bneuf\b")  # text2num leaves it: it may mean "new"
_MERIDIEM = re.compile(r"\b([ap])\.? ?m\b\.?")


@dataclass(frozen=True)
class When:
    """What was said of a moment. `last_day` for a stretch of days, `moment` for "dans une heure"."""

    day: date | None = None
    last_day: date | None = None
    hours: Hours | None = None
    moment: datetime | None = None

    @property
    def empty(self) -> bool:
        """Nothing was said."""
        return self.day is None and self.hours is None and self.moment is None


def parse_date_time(text: str, lexicon: Lexicon, now: datetime, previous: str | None = None) -> SlotReading:
    """The moment of a text; a correction keeps what it does not replace ("mardi, non, mercredi à dix heures").

    `previous`, the ISO value that was read back, is kept likewise. `now` is naive or aware local time.
    """
    now = now.replace(tzinfo=None)
    words = TIME_WORDS[lexicon.language]
    written, fixed_day = _written_dates(fold(text), now)
    pieces, negated = cut_at_corrections(without_fillers(words_of(written), lexicon), lexicon)
    said, corrected = _of_iso(previous) if previous and negated else When(), False
    for piece in pieces:
        part = _read(" ".join(texts(piece)), words, now)
        if part.empty:
            continue
        corrected = corrected or (not said.empty and _replaces(said, part))
        said = (
            part
            if part.moment
            else replace(said, **{k: v for k, v in vars(part).items() if v is not None}, moment=None)
        )
        if part.day is not None and part.last_day is None:
            said = replace(said, last_day=None)
    if fixed_day is not None and said.moment is None:
        said = replace(said, day=fixed_day)
    return _reading(said, words, now).with_flags(negated, corrected)


def _replaces(said: When, part: When) -> bool:
    return any(getattr(said, name) is not None and value is not None for name, value in vars(part).items())


def _written_dates(text: str, now: datetime) -> tuple[str, date | None]:
    """Dates and times in digits: "25/12/2026" is taken out, "14:30" becomes "14 h 30", "p.m." "pm"."""
    found: date | None = None
    for pattern in (_ISO_DATE, _NUMERIC_DATE):
        if match := pattern.search(text):
            year, month, day = match.groups() if pattern is _ISO_DATE else (match[3], match[2], match[1])
            full_year = now.year if year is None else int(year) + (2000 if len(year) == 2 else 0)
            try:
                found = date(full_year, int(month), int(day))
            except ValueError:
                continue
            if year is None and found < now.date():
                found = found.replace(year=found.year + 1)
            text = text[: match.start()] + " " + text[match.end() :]
    return _MERIDIEM.sub(r"\1m", _COLON_TIME.sub(r"\1 h \2", text)), found


def _read(text: str, words: TimeWords, now: datetime) -> When:
    text = _GLUED.sub(r"\1\2", alpha2digit(_FR_AFTERNOON.sub("apresmidi", text), words.language, 0))
    text = _NEW.sub("9", text.replace("1 4º", "1 quarto"))
    moment = _soon(text, words, now)
    if moment is not None:
        return When(moment=moment)
    same_day = next((offset for pattern, offset in words.days if pattern.search(text)), None)
    day, last_day, text = _read_day(text, words, now.date(), same_day)
    hours, _ = read_hours(text, words)
    return When(day, last_day, hours)


def _soon(text: str, words: TimeWords, now: datetime) -> datetime | None:
    for pattern, minutes in words.soon:
        match = pattern.search(text)
        if match:
            got = match.groupdict()
            total = minutes * int(got.get("n") or 1) + (30 if got.get("half") else 0)
            return (now + timedelta(minutes=total)).replace(second=0, microsecond=0)
    return None


def _read_day(text: str, words: TimeWords, today: date, offset: int | None) -> tuple[date | None, date | None, str]:
    """First and last day, and the text without them (the words for parts of the day stay)."""
    if (match := words.dated.search(text)) and (day := _dated(match, words, today)):
        return day, None, text[: match.start()] + " | " + text[match.end() :]
    if match := words.counted.search(text):
        day = _counted(match, words, today)
        if day is not None:
            return day, None, text[: match.start()] + " | " + text[match.end() :]
    for number, name in enumerate(words.weekdays):
        weekday = re.search(rf"\b(?:{name})\b", text)
        if weekday:
            return _weekday(text, weekday, number, words, today)
    if offset is not None:
        for pattern, _ in words.days:
            if "apres" in pattern.pattern or "domani" in pattern.pattern or "after" in pattern.pattern:
                text = re.sub(r"\bapres[ -]?demain\b|\bdopo ?domani\b|\bday after tomorrow\b", " | ", text)
        return today + timedelta(days=offset), None, text
    if match := words.next_week.search(text):
        monday = today + timedelta(days=7 - today.weekday())
        return monday, monday + timedelta(days=4), text[: match.start()] + " | " + text[match.end() :]
    if match := words.weekend.search(text):
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        return saturday, saturday + timedelta(days=1), text[: match.start()] + " | " + text[match.end() :]
    if match := words.day_of_month.search(text):
        day = _day_of_month(int(re.sub(r"\D", "", match["day"])), today)
        if day is not None:
            return day, None, text[: match.start()] + " | " + text[match.end() :]
    return None, None, text


def _weekday(text: str, match: re.Match[str], number: int, words: TimeWords, today: date) -> tuple[date, None, str]:
    ahead = (number - today.weekday()) % 7
    before, behind = text[: match.start()].rstrip(), text[match.end() :].lstrip()
    if ahead == 0 and not words.this.search(before):
        ahead = 7
    rest = before + " | " + behind
    if later := words.two_weeks_later.match(behind):
        ahead += 14
        rest = before + " | " + behind[later.end() :]
    elif later := words.week_later.match(behind):
        ahead += 7
        rest = before + " | " + behind[later.end() :]
    elif week := words.next_week.search(text):
        ahead = 7 - today.weekday() + number
        rest = text.replace(week.group(), " | ")
    elif dated := re.match(
        r"(?:le |il |the )?(\d{1,2})(?:º|st|nd|rd|th)?(?= |$)(?! ?(?:heures?|h|am|pm|o' )\b)", behind
    ):
        day = _day_of_month(int(dated[1]), today)  # "mardi 24 à dix heures"
        if day is not None and day.weekday() == number:
            return day, None, before + " | " + behind[dated.end() :]
    return today + timedelta(days=ahead), None, rest


def _day_of_month(day: int, today: date) -> date | None:
    """The next such day, today excluded."""
    for ahead in range(1, 63):
        candidate = today + timedelta(days=ahead)
        if candidate.day == day:
            return candidate
    return None


def _dated(match: re.Match[str], words: TimeWords, today: date) -> date | None:
    got = match.groupdict()
    day, month = got.get("day") or got.get("day2") or "", got.get("month") or got.get("month2") or ""
    year = got.get("year") or got.get("year2") or ""
    return _ask_dateparser(f"{re.sub(chr(92) + 'D', '', day)} {month} {year}".strip(), words.language, today)


def _counted(match: re.Match[str], words: TimeWords, today: date) -> date | None:
    number = "1" if match["n"] == "a" else match["n"]
    return _ask_dateparser(words.counted_as.format(n=number, unit=match["unit"]), words.language, today)


@functools.lru_cache(maxsize=2_000)
def _ask_dateparser(text: str, language: str, today: date) -> date | None:
    found = dateparser.parse(
        text,
        languages=[language],
        settings={
            "PREFER_DATES_FROM": "future",
            "RELATIVE_BASE": datetime.combine(today, time(12)),
            "DATE_ORDER": "DMY",
            "STRICT_PARSING": False,
        },
    )
    return found.date() if isinstance(found, datetime) else None


def _of_iso(value: str) -> When:
    """An earlier value of this slot in its parts; nothing when it is none."""
    try:
        start, _, end = value.partition("/")
        if "T" not in start:
            return When(date.fromisoformat(start), date.fromisoformat(end) if end else None)
        first = datetime.fromisoformat(start)
        return When(first.date(), None, Hours(first.time(), datetime.fromisoformat(end).time() if end else None))
    except ValueError:
        return When()


def _reading(said: When, words: TimeWords, now: datetime) -> SlotReading:
    if said.moment is not None:
        value = said.moment.isoformat(timespec="minutes")
        hours = Hours(said.moment.time())
        return SlotReading(value, True, False, 0.9, readable=_readable(said.moment.date(), hours, words))
    if said.day is None and said.hours is None:
        return NOTHING
    if said.hours is None:
        assert said.day is not None
        value = said.day.isoformat() + (f"/{said.last_day.isoformat()}" if said.last_day else "")
        return SlotReading(value, True, True, 0.9, readable=_readable(said.day, None, words))
    day = said.day or _next_day_for(said.hours, now)
    if said.last_day is not None and said.day is not None:
        start, end = said.day, said.last_day  # "la semaine prochaine le matin"
        value = f"{_iso(start, said.hours.start)}/{_iso(end, said.hours.end or said.hours.start)}"
        return SlotReading(value, True, True, 0.8, readable=_readable(start, said.hours, words))
    value = _iso(day, said.hours.start) + (f"/{_iso(day, said.hours.end)}" if said.hours.end else "")
    passed = datetime.combine(day, said.hours.end or said.hours.start) <= now
    return SlotReading(
        value, True, said.day is None, 0.5 if passed else 0.95, readable=_readable(day, said.hours, words)
    )


def _next_day_for(hours: Hours, now: datetime) -> date:
    """Today while that time is still to come, else tomorrow."""
    ahead = datetime.combine(now.date(), hours.start if hours.end is None else hours.end) > now
    return now.date() if ahead else now.date() + timedelta(days=1)


def _iso(day: date, at: time) -> str:
    return datetime.combine(day, at).isoformat(timespec="minutes")


def _readable(day: date, hours: Hours | None, words: TimeWords) -> str:
    said = words.readable.format(
        weekday=words.weekday_names[day.weekday()], day=day.day, month=words.month_names[day.month - 1]
    )
    if hours is None:
        return said
    if hours.name:
        return f"{said}, {hours.name}"
    if hours.end is None:
        return f"{said} {_clock(hours.start, words)}"
    article = re.compile(r"^(?:à|alle|at) ")
    start, end = (article.sub("", _clock(at, words)) for at in (hours.start, hours.end))
    return f"{said} {words.from_to.format(start=start, end=end)}"


def _clock(at: time, words: TimeWords) -> str:
    separator = {"fr": " ", "it": ":", "en": ":"}[words.language]
    minute = f"{separator}{at.minute:02d}" if at.minute else ""
    return words.hour_format.format(h=at.hour, m=minute)
