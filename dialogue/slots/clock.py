"""Reads a time of day or a stretch of it out of normalised text: "vers 10 heures", "entre 9 heures et midi". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from dialogue.slots.time_words import TimeWords

OPENS = time(8)  # bounds of "avant midi", "après 18 heures"
CLOSES = time(20)


@dataclass(frozen=True)
class Hours:
    """A time of day; `end` is set for a stretch, which `name` may name ("matin")."""

    start: time
    end: time | None = None
    name: str = ""


def read_hours(text: str, words: TimeWords) -> tuple[Hours | None, str]:
    """The hours of a text, and the text without them. The last ones said win."""
    pattern, replacement = words.unit_left_out
    text = re.sub(r"\s+", " ", pattern.sub(replacement, text))
    for part, (start, end), name in words.parts[:9]:
        if "midi et 2" in part.pattern and (match := part.search(text)):
            return Hours(start, end, name), _cut(text, match)
    found = list(words.clock.finditer(text))
    if len(found) >= 2 and _is_stretch(text, found[-2], found[-1], words):
        first, last = _time(found[-2]), _time(found[-1])
        if first is not None and last is not None:
            evening = found[-1].groupdict().get("pm") and first.hour < 12 and last.hour >= 12
            if evening and not found[-2].groupdict().get("am") and first.hour + 12 < last.hour:
                first = first.replace(hour=first.hour + 12)
            if last <= first and last.hour < 12:
                last = last.replace(hour=last.hour + 12)
            if first < last:
                return Hours(first, last), text[: found[-2].start()] + " " + text[found[-1].end() :]
    for match in reversed(found):
        at = _time(match)
        if at is None:
            continue
        lead, rest = text[: match.start()], _cut(text, match)
        own = match.group().split(" ")[0]
        if words.after.search(lead) or words.after.search(lead + own):
            return Hours(at, CLOSES if at < CLOSES else time(22)), rest
        if words.before.search(lead) or words.before.search(lead + own):
            return Hours(OPENS if at > OPENS else time(6), at), rest
        return Hours(_by_part(at, match, rest, words)), rest
    for part, (start, end), name in words.parts:
        if match := part.search(text):
            return Hours(start, end, name), _cut(text, match)
    return None, text


def _is_stretch(text: str, first: re.Match[str], last: re.Match[str], words: TimeWords) -> bool:
    joint = text[first.end() : last.start()]
    if words.language == "en":
        joint += last.group().split(" ")[0] if last.group().split(" ")[0] in {"and", "to", "until", "till"} else ""
    before = text[: first.start()] + first.group().split(" ")[0]
    return bool(words.joined.match(joint)) and bool(
        words.between.search(text[: first.start()]) or words.between.search(before)
    )


def _cut(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " | " + text[match.end() :]


def _time(match: re.Match[str]) -> time | None:
    """The time of one match, None when there is no such time (25 heures)."""
    got = match.groupdict()
    if got.get("noon"):
        return time(12, 30 if got.get("nhalf") else 15 if got.get("nquarter") else int(got.get("nm") or 0))
    if got.get("midnight"):
        return time(0)
    hour = int(next(got[key] for key in ("h", "hh", "hq", "hl", "hp", "ht", "hs", "ha") if got.get(key)))
    minute = 0
    if got.get("half"):
        minute = 30
    elif got.get("quarter"):
        minute = 15
    elif got.get("lessq"):
        minute = -15
    elif got.get("less"):
        minute = -int(got["less"])
    elif got.get("m") or got.get("pastm"):
        minute = int(got.get("m") or got["pastm"])
    if hour > 24 or abs(minute) > 59:
        return None
    minutes = hour % 24 * 60 + minute
    if got.get("pm") and hour < 12:
        minutes += 12 * 60
    elif got.get("am") and hour == 12:
        minutes -= 12 * 60
    elif 1 <= hour <= 6 and not got.get("am") and not got.get("pm"):
        minutes += 12 * 60  # nobody is called at three in the night
    minutes %= 24 * 60
    return time(minutes // 60, minutes % 60)


def _by_part(at: time, match: re.Match[str], rest: str, words: TimeWords) -> time:
    """ "demain après-midi vers 2 heures", "le soir à 8 heures": the part of the day decides between 8 and 20."""
    if match.groupdict().get("am") or at.hour >= 12:
        return at
    for part, (start, _), _name in words.parts:
        if part.search(rest):
            return at.replace(hour=at.hour + 12) if start.hour >= 12 and at.hour + 12 >= start.hour else at
    return at
