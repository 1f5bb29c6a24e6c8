"""Days and times of a public table (Recognizers-Text, MIT): how many are read right, how many wrong with confidence.

python -m benchmarks.recognizers FOLDER [--half 0|1] [--show]

FOLDER holds `DateTime_<Language>_<Date|Time|DateTime>Parser.json` of Microsoft's Recognizers-Text specs. A row counts
as wrong with confidence where a complete value is another one and its confidence is 0.8 or more: a caller would be
booked wrongly. Everything else that is not right is asked again. What is left out is left out by `left_out`, which
looks at the row and never at the reading; `recognizers.md` gives its rules and the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dialogue.slots import SlotReading, parse
from dialogue.slots.moments.said_numbers import in_digits
from dialogue.slots.words import fold, texts, words_of

LANGUAGES = {"French": "fr", "Italian": "it", "English": "en"}
KINDS = ("DateParser", "TimeParser", "DateTimeParser")
TABLE_REFERENCE = "2016-11-07T00:00:00"
NO_DATE = "0001-01-01"
CONFIDENT = 0.8
FAR_DAYS = 62  # no day of a month, no weekday and no number of days or weeks that is said lies so far away


@dataclass(frozen=True)
class Row:
    """One sentence and what the table reads in it; `half` is 0 for development, 1 held out."""

    language: str
    kind: str
    text: str
    want: str
    reference: datetime
    half: int


def rows(folder: Path) -> Iterator[Row]:
    """The rows with one value, in its reading for the future."""
    for name, language in LANGUAGES.items():
        for kind in KINDS:
            for case in json.loads((folder / f"DateTime_{name}_{kind}.json").read_text(encoding="utf-8-sig")):
                results = case.get("Results") or []
                if len(results) != 1 or not isinstance(results[0].get("Value"), dict):
                    continue
                future = results[0]["Value"].get("FutureResolution") or {}
                want = future.get("date") or future.get("time") or future.get("dateTime")
                if want:
                    reference = (case.get("Context") or {}).get("ReferenceDateTime") or TABLE_REFERENCE
                    text = case["Input"]
                    digest = hashlib.sha256(text.lower().strip().encode()).hexdigest()
                    yield Row(language, kind, text, want, datetime.fromisoformat(reference[:19]), int(digest, 16) % 2)


def left_out(row: Row) -> str:
    """Why a row is left out, empty when it counts. It sees the row alone."""
    if row.want == NO_DATE:
        return ""
    numbers = [word for word in in_digits(texts(words_of(row.text)), row.language) if word[0].isdigit()]
    if re.search(r"\d{1,2}:\d\d:\d\d|\bsec|\bsekund|\d{2} ?m(in)? ?\d{1,2} ?s\b|\dh\d+s\b", row.text.lower()):
        return "to the second"
    if row.kind != "TimeParser":
        wanted = datetime.fromisoformat(row.want.replace(" ", "T"))
        names_date = _NAMES_DATE.search(fold(row.text)) or any(len(number) == 4 for number in numbers)
        if not names_date and abs((wanted - row.reference).days) > FAR_DAYS:
            return "its reference is missing"
        over = wanted.date() < row.reference.date() if row.kind == "DateParser" else wanted < row.reference
        if over:
            return "over"
    if row.want.endswith("23:59:59") or (
        row.kind != "DateParser" and not numbers and not _POINTS.search(row.text.lower())
    ):
        return "a part of the day"
    at = re.search(r"\b(0[0-6]):(\d\d)", row.want) if row.kind != "DateParser" else None
    if at and at[0] != "00:00" and not _MORNING.search(row.text.lower()):
        return "a bare hour of the night"
    if (
        (order := _BOTH_ORDERS.search(row.text))
        and int(order[1]) <= 12
        and int(order[2]) <= 12
        and order[1] != order[2]
    ):
        return "either day or month first"
    return ""


_NAMES_DATE = re.compile(
    r"\d{4}|\d[/.,-] ?\d|mois(?! prochain)|(?<!prossimo )mes[ei]\b|(?<!next )month|\ban[sn]|ann[oi]|year"
    r"|\b(jan|gen|fe[bv]|mar[sz]|march|avr|apr(?!es)|ma[iyg]|ju[nil]|gi?u|lug|a[ou][uogt]|sep|set|o[ck]t|ott|nov|d[ei]c)"
)
_POINTS = re.compile(
    r"noon|mid ?day|midnight|mid night|(?<!apr[eè]s[ -])(?<!apr[eè]s)midi\b|minuit|mezzogiorno|mezzanotte|now|ora\b"
    r"|maintenant|possible"
)
_MORNING = re.compile(r"\bam\b|\ba\.? ?m\.?|morning|matin|mattin|night|nuit|notte|\din\b|\b(in|dans|en|tra) \w+ (h|or)")
_BOTH_ORDERS = re.compile(r"(?<!\d)(\d{1,2})[-/](\d{1,2})(?!\d)")


def verdict(row: Row, reading: SlotReading) -> str:
    """right, wrong (with confidence), or asked."""
    value = str(reading.value or "")
    if row.want == NO_DATE:
        return "right" if not reading.complete else "wrong" if reading.confidence >= CONFIDENT else "asked"
    if row.kind == "DateParser":
        same = value[:10] == row.want
    elif row.kind == "TimeParser":
        same = f"T{row.want[:5]}" in value
    else:
        same = row.want[:16].replace(" ", "T") in value
    if same and reading.complete:
        return "right"
    return "wrong" if reading.complete and reading.confidence >= CONFIDENT else "asked"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--half", type=int, choices=(0, 1), help="0: the half that was developed on, 1: the one held out"
    )
    parser.add_argument("--show", action="store_true", help="list what is not right")
    args = parser.parse_args()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows(args.folder):
        if args.half is not None and row.half != args.half:
            continue
        why = left_out(row)
        if why:
            counts[row.language]["left out"] += 1
            counts["left out"][why] += 1
            continue
        found = verdict(row, parse("date_time", row.text, row.language, now=row.reference))
        counts[row.language][found] += 1
        if args.show and found != "right":
            print(f"    {found} {row.language} {row.text!r}: wanted {row.want}")
    print("| language | rows | right | wrong with confidence | asked | left out |\n|---|---|---|---|---|---|")
    for language in LANGUAGES.values():
        c = counts[language]
        n = c["right"] + c["wrong"] + c["asked"]
        shares = " | ".join(f"{c[verdict] / n:.1%}" for verdict in ("right", "wrong", "asked"))
        print(f"| {language} | {n} | {shares} | {c['left out']} |")
    print(", ".join(f"{why}: {number}" for why, number in counts["left out"].most_common()))


if __name__ == "__main__":
    main()
