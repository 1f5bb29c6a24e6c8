"""Reads a length of time: "une heure et quart", "deux semaines", "trois quarts d'heure". Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from dialogue.slots.moments.marks import Length
from dialogue.slots.moments.vocabulary import TimeWords

FEW = 3  # "a few days"
A_FORTNIGHT_SAID = {15: 14, 8: 7}
"""French and Italian count both ends: "dans quinze jours" is two weeks, "dans huit jours" one."""


def length(run: str, words: TimeWords) -> Length | None:
    """The sum of the amounts in a run of them; None when it is none."""
    minutes, days, months, sure = 0.0, 0.0, 0, True
    found = False
    for amount in words.amount.finditer(run):
        said = amount[0].strip()
        for pattern, size, unit in words.units:
            match = pattern.fullmatch(said)
            if match is None:
                continue
            found = True
            count, counted_exactly = _count(match)
            sure = sure and counted_exactly
            if unit == "months":
                months += round(count * size)
            elif unit == "days":
                if words.language != "en" and size == 1 and count in A_FORTNIGHT_SAID:
                    count = A_FORTNIGHT_SAID[int(count)]
                days += count * size
                sure = sure and size in (1, 7)
            else:
                minutes += count * size
            break
    if not found:
        return None
    return Length(timedelta(minutes=round(minutes)), int(days), months, sure)


def _count(match: re.Match[str]) -> tuple[float, bool]:
    """How many units, and whether that was said exactly ("a few" is not)."""
    got = match.groupdict()
    said = got.get("n") or "1"
    count = float(said) if said.isdigit() else 1.0 if said in ("le", "the", "a", "an", "l'") else float(FEW)
    if got.get("half"):
        count += 0.5
    elif got.get("three"):
        count += 0.75
    elif got.get("quarter"):
        count += 0.25
    return count, said.isdigit() or said in ("le", "the", "a", "an", "l'")
