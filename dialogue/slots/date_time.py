"""Reads when somebody wants to be called: a day, a time, a stretch of time. Pure.

The value is ISO 8601 in local time: "2026-11-24", "2026-11-24T14:30" or "2026-11-24T16:00/2026-11-24T18:00". How the
words are read is in `dialogue.slots.moments`; here they become a value, with how far it can be relied on. A moment that
is over, or that the clocks leave out, is no value; what may mean something else has little confidence, and is asked.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.moments import calendar
from dialogue.slots.moments.english import ENGLISH
from dialogue.slots.moments.french import FRENCH
from dialogue.slots.moments.italian import ITALIAN
from dialogue.slots.moments.marks import Day, Hour, Instant, Marks
from dialogue.slots.moments.mentions import Mentions, at_the_end
from dialogue.slots.moments.normal import normal
from dialogue.slots.moments.readable import readable
from dialogue.slots.moments.sense import RULE_OUT, Said, sense
from dialogue.slots.moments.vocabulary import TimeWords, pattern
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.regions import TIMEZONES
from dialogue.slots.words import phrase_words

VOCABULARIES = {words.language: words for words in (FRENCH, ITALIAN, ENGLISH)}
CERTAIN, WHOLE_DAY, DAY_GUESSED, DOUBTFUL, EITHER, OVER = 0.95, 0.9, 0.75, 0.6, 0.5, 0.3
"""Confidence: day and time; a day or a stretch; the day was left out; may mean another; one of two; it is over."""
NIGHT_ENDS, NIGHT_BEGINS = 6, 22


def parse_date_time(
    text: str, lexicon: Lexicon, now: datetime, previous: str | None = None, region: str = "FR"
) -> SlotReading:
    """The moment of a text; a correction keeps what it does not replace ("mardi, non, mercredi à dix heures").

    `previous`, the ISO value that was read back, is kept likewise. `now` is naive or aware local time; a naive one is
    that of the region's clocks, which decides what "in twelve hours" is in the night that they change.
    """
    zone = now.tzinfo if isinstance(now.tzinfo, ZoneInfo) else ZoneInfo(TIMEZONES.get(region, "Europe/Paris"))
    now = now.replace(tzinfo=None)
    words = VOCABULARIES[lexicon.language]
    marks = Marks()
    said_text = normal(text, words, marks, now.date(), region)
    for preference in words.prefer:
        said_text = preference.sub(rf"\g<yes> , {RULE_OUT} \g<no>", said_text)
    pieces, negated = _pieces(said_text, lexicon)
    said, corrected = _of_iso(previous) if previous and negated else Said(), False
    broken_off = False
    for piece in pieces:
        marked = Mentions(piece, words, marks, now, zone).find()
        part = sense(marked, words, marks, now.date())
        broken_off = part.empty and not part.impossible and not piece.strip(" ,")
        if part.empty and not part.impossible:
            said = replace(said, ruled_out=said.ruled_out | part.ruled_out)
            continue
        corrected = corrected or (not said.empty and _replaces(said, part))
        said = _corrected(said, part)
    if broken_off and len(pieces) > 1:
        said = replace(said, sure=False)  # "mercredi, non"
    return _reading(said, words, now, zone, region).with_flags(negated, corrected)


@functools.cache
def _corrections(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return pattern("|".join(" ".join(phrase_words(phrase)) for phrase in phrases))


def _pieces(text: str, lexicon: Lexicon) -> tuple[list[str], bool]:
    """The text between corrections, without hesitations, and whether it began with a refusal."""
    words = [word for word in text.split() if word not in lexicon.fillers]
    joined = " ".join(words)
    pieces = _corrections(lexicon.corrections).split(joined)
    negated = bool(words) and words[0] in {"non", "no", "nan"} and not pieces[0].strip(" ,")
    return [piece for number, piece in enumerate(pieces) if piece.strip(" ,") or number == len(pieces) - 1], negated


def _replaces(said: Said, part: Said) -> bool:
    return any(
        getattr(said, name) is not None and getattr(part, name) is not None
        for name in ("day", "hours", "part", "instant", "within")
    )


def _corrected(said: Said, part: Said) -> Said:
    """What was said, with what a correction replaces; a time replaces a part of the day, and a part a time."""
    if part.instant is not None or part.impossible or part.within is not None or said.impossible:
        return part
    timed = part.hours is not None or part.part is not None
    return Said(
        day=part.day or said.day,
        hours=part.hours if timed else said.hours,
        part=part.part if timed else said.part,
        until=part.until or (said.until and part.day is None),
        sure=part.sure and (said.sure or said.empty or _replaces(said, part)),
        ruled_out=said.ruled_out | part.ruled_out,
    )


def _of_iso(value: str) -> Said:
    """An earlier value of this slot in its parts; nothing when it is none."""
    try:
        start, _, end = value.partition("/")
        if "T" not in start:
            return Said(Day(date.fromisoformat(start), date.fromisoformat(end) if end else None))
        first = datetime.fromisoformat(start)
        return Said(
            Day(first.date()),
            Hour(first.time(), datetime.fromisoformat(end).time() if end else None, fixed=True),
        )
    except ValueError:
        return Said()


# --- the value --------------------------------------------------------------------------------------------------------


def _reading(said: Said, words: TimeWords, now: datetime, zone: ZoneInfo, region: str) -> SlotReading:
    if said.impossible or said.empty:
        return NOTHING
    if said.within is not None:
        return _within(said, words, now, zone)
    if said.instant is not None and said.hours is None and said.day is None:
        return _instant(said.instant, words, now)
    day, hours, sure = said.day, _hours(said, words, region), said.sure
    if hours is not None and not hours.sure:
        sure = False
    guessed = day is None or day.first is None
    if guessed:
        if hours is None:
            return NOTHING
        first = _next_day_for(hours, now, said.ruled_out)
        day = Day(first)
    assert day is not None
    assert day.first is not None
    dates = (
        {day.first}
        if day.last is None
        else {day.first + timedelta(days=n) for n in range((day.last - day.first).days + 1)}
    )
    if dates & said.ruled_out:
        if day.last is None:
            return NOTHING
        sure = False  # "cette semaine sauf jeudi"
    if said.until:
        return _until(day, hours, words, now)
    confidence = _confidence(day, hours, said, sure, guessed)
    value, ends = _value(day, hours)
    if ends is None or not _exists(day, hours, zone):
        return NOTHING
    text = readable(day.first, day.last, hours, words, now.date())
    if ends <= now:
        return SlotReading(value, False, False, OVER, readable=text)
    is_open = guessed or hours is None or day.last is not None or not sure
    return SlotReading(value, True, is_open, confidence, readable=text)


def _confidence(day: Day, hours: Hour | None, said: Said, sure: bool, guessed: bool) -> float:
    if not said.sure or (not sure and not (hours is not None and not hours.sure)):
        return EITHER
    if not day.sure and not day.week:
        return DOUBTFUL
    if guessed or not sure or not day.sure or (hours is not None and not hours.sure):
        return DAY_GUESSED
    return CERTAIN if hours is not None else WHOLE_DAY


def _hours(said: Said, words: TimeWords, region: str) -> Hour | None:
    """The time of day that hours and a part of the day come to, with the afternoon where nobody calls in the night."""
    hours, part = said.hours, said.part
    if hours is None:
        return Hour(part.start, part.end, fixed=True, sure=part.sure, name=part.name) if part is not None else None
    if part is not None:
        return _in_part(hours, part.start, part.end)
    if hours.fixed or hours.end is not None:
        return hours
    named = hours.said if hours.said is not None else hours.start.hour
    if 1 <= named <= words.morning_hours and hours.start.hour < 12:
        return replace(hours, start=hours.start.replace(hour=hours.start.hour + 12), sure=False)
    return replace(hours, sure=hours.sure and named > words.unsure_hours)


def _in_part(hours: Hour, start: time, end: time) -> Hour:
    """ "Le soir à 8 heures": the part decides between 8 and 20. A time outside of it is not sure."""
    at = hours.start
    if not hours.fixed and start.hour >= 12 and at.hour < 12:
        in_lunch = start.hour == 12 and at.hour >= 10
        night = start.hour >= 20 and at.hour < 5
        if not in_lunch and not night:
            at = at.replace(hour=at.hour + 12)
    last = hours.end
    if last is not None and last <= at and last.hour < 12:
        last = last.replace(hour=last.hour + 12)
    fits = at.hour < 12 if end.hour <= 12 else at.hour >= 11
    return replace(hours, start=at, end=last, fixed=True, sure=hours.sure and (fits or at.hour == 12))


def _next_day_for(hours: Hour, now: datetime, ruled_out: frozenset[date]) -> date:
    """Today while that time is still to come, else tomorrow; no day that was ruled out."""
    ahead = datetime.combine(now.date(), hours.start if hours.end is None else hours.end) > now
    day = now.date() if ahead else now.date() + timedelta(days=1)
    while day in ruled_out and day < now.date() + timedelta(days=14):
        day += timedelta(days=1)
    return day


def _value(day: Day, hours: Hour | None) -> tuple[str, datetime | None]:
    """The ISO value, and when it is over."""
    assert day.first is not None
    last = day.last or day.first
    if hours is None:
        value = day.first.isoformat() + (f"/{last.isoformat()}" if day.last else "")
        return value, datetime.combine(last, time.max)
    begins = datetime.combine(day.first, hours.start)
    if hours.end is None and day.last is None:
        return _iso(begins), begins + timedelta(minutes=1)
    ends = datetime.combine(last, hours.end or hours.start)
    return f"{_iso(begins)}/{_iso(ends)}", ends if ends > begins else None


def _exists(day: Day, hours: Hour | None, zone: ZoneInfo) -> bool:
    if hours is None or day.first is None:
        return True
    return calendar.exists(datetime.combine(day.first, hours.start), zone)


def _instant(instant: Instant, words: TimeWords, now: datetime) -> SlotReading:
    text = readable(instant.at.date(), None, Hour(instant.at.time()), words, now.date())
    if instant.at < now.replace(second=0, microsecond=0):
        return SlotReading(_iso(instant.at), False, False, OVER, readable=text)
    return SlotReading(_iso(instant.at), True, False, WHOLE_DAY if instant.sure else DOUBTFUL, readable=text)


def _within(said: Said, words: TimeWords, now: datetime, zone: ZoneInfo) -> SlotReading:
    """ "D'ici une semaine": from now until then."""
    assert said.within is not None
    end = at_the_end(said.within, now, zone)
    if isinstance(end, Instant):
        return _until(Day(end.at.date()), Hour(end.at.time(), fixed=True), words, now)
    assert isinstance(end, Day)
    return _until(end, None, words, now)


def _until(day: Day, hours: Hour | None, words: TimeWords, now: datetime) -> SlotReading:
    """From now until a day, or a time of it: a stretch, to be confirmed."""
    last = day.last or day.first
    assert last is not None
    if hours is None:
        if last < now.date():
            return NOTHING
        value = f"{now.date().isoformat()}/{last.isoformat()}" if last > now.date() else last.isoformat()
        text = readable(now.date(), last if last > now.date() else None, None, words, now.date())
        return SlotReading(value, True, True, DAY_GUESSED, readable=text)
    begin = now.replace(second=0, microsecond=0)
    end = datetime.combine(last, hours.end or hours.start)
    if end <= begin:
        return NOTHING
    text = readable(begin.date(), last, Hour(begin.time(), end.time()), words, now.date())
    return SlotReading(f"{_iso(begin)}/{_iso(end)}", True, True, DAY_GUESSED, readable=text)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
