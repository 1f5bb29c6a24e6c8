"""Reads a date of birth: a day, month and year that are over, in words or digits ("venti sei novantacinque"). Pure.

A date of its own type because what reads appointments prefers the future. It lies within 120 years; a year of two
digits is the last such one, and is asked where a century before is possible too. Never in the future, never half.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from text_to_num import text2num

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import is_number_word
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import Word, cut_at_corrections, without_fillers, words_of

MOST_YEARS = 120
MONTH_FIRST = frozenset({"US"})
BOTH_ORDERS = frozenset({"CA", "PH", "PR"})
"""Regions where one writes the month first, and where both orders are written."""
NAMED, WRITTEN, SHORT, BY_REGION, DOUBTED = 0.95, 0.95, 0.9, 0.85, 0.6
_MOST_WORDS = 16  # of one date; bounds the splits
_OVER_PAUSE = 1.0
_ALIKE = 0.01
MONTHS = {
    "fr": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre".split(),
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split(),
    "en": "january february march april may june july august september october november december".split(),
}
_SHORT_MONTHS = {
    "fr": {"janv": 1, "fev": 2, "fevr": 2, "avr": 4, "juil": 7, "oct": 10, "nov": 11, "dec": 12},
    "it": {"gen": 1, "feb": 2, "mar": 3, "apr": 4, "mag": 5, "giu": 6, "lug": 7, "ago": 8, "sett": 9, "ott": 10,
           "nov": 11, "dic": 12},
    "en": {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10,
           "nov": 11, "dec": 12},
}  # fmt: skip
_LINKS = {
    "fr": frozenset("de du d' le l' an annee en et slash barre tiret point sur mois".split()),
    "it": frozenset("di del dell' il lo l' anno nel nell' e slash barra trattino punto su mese".split()),
    "en": frozenset("of the in year and slash dash hyphen point dot on".split()),
}
"""Words that stand between the parts of a date."""
_ORDINALS = {
    "fr": {"premier": "un", "premiere": "un", "1er": "un"},
    "it": {"primo": "uno"},
    "en": {
        "first": "one", "second": "two", "third": "three", "fourth": "four", "fifth": "five", "sixth": "six",
        "seventh": "seven", "eighth": "eight", "ninth": "nine", "tenth": "ten", "eleventh": "eleven",
        "twelfth": "twelve", "thirteenth": "thirteen", "fourteenth": "fourteen", "fifteenth": "fifteen",
        "sixteenth": "sixteen", "seventeenth": "seventeen", "eighteenth": "eighteen", "nineteenth": "nineteen",
        "twentieth": "twenty", "thirtieth": "thirty",
    },
}  # fmt: skip
_SUFFIXES = frozenset({"er", "st", "nd", "rd", "th"})  # behind digits: "1er", "3rd"
_HUNDREDS = frozenset({"cent", "cents", "hundred", "cento"})


@dataclass(frozen=True)
class _Parts:
    """What was said of a date; 0 where it was not. `confidence`: of the reading; `years` are all that it may be."""

    day: int = 0
    month: int = 0
    years: tuple[int, ...] = ()
    confidence: float = 0.0


def parse_birth_date(text: str, lexicon: Lexicon, today: date, region: str, previous: str | None = None) -> SlotReading:
    """The date of birth of a text as ISO 8601. After a correction, or to what was read back (`previous`), a part alone
    ("non, 1986", "non, le treize") replaces that part."""
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    found, corrected, is_begun = NOTHING, False, False
    for piece in pieces:
        words = _normal(piece, lexicon.language)
        before = str(found.value) if found.complete else (previous or "")
        parts = _with_month(words, lexicon, today) or _in_numbers(words, lexicon, today, region)
        reading = _reading(parts, today, words, lexicon) if parts is not None else NOTHING
        if not reading.complete and before:
            reading = _corrected(parts or _part_alone(words, lexicon, today), before, today, words, lexicon)
        is_begun = is_begun or parts is not None
        if reading.complete:
            corrected = corrected or found.complete
            found = reading
    if not found.complete and is_begun:
        found = SlotReading(None, open=True)
    return found.with_flags(negated, corrected)


def _normal(piece: Sequence[Word], language: str) -> list[Word]:
    """Ordinals as numbers, and no suffixes of digits."""
    found: list[Word] = []
    for word in piece:
        if word.text in _SUFFIXES and found and found[-1].is_digits:
            continue
        text = _ORDINALS[language].get(word.text, word.text)
        found.append(Word(text, word.hyphen, word.pause))
    return found


# --- with the name of a month -----------------------------------------------------------------------------------------


def _with_month(words: Sequence[Word], lexicon: Lexicon, today: date) -> _Parts | None:
    """The last month that is named with a day beside it; the year stands behind."""
    found = None
    for at, word in enumerate(words):
        month = _month(word, lexicon.language)
        if not month:
            continue
        before = _numbers_before(words, at, lexicon)
        after = _numbers_after(words, at + 1, lexicon)
        days = _days(before, lexicon)
        if days:
            found = _Parts(days[0], month, _years(after, lexicon, today), _year_confidence(after, NAMED, lexicon))
        elif after:
            splits = [
                (day, _years(after[cut:], lexicon, today), after[cut:])
                for cut in range(1, len(after))
                for day in _days(after[:cut], lexicon)
            ]
            whole = [split for split in splits if split[1]]
            if whole:
                day, years, said = whole[0]
                found = _Parts(day, month, years, DOUBTED if len(whole) > 1 else _year_confidence(said, NAMED, lexicon))
            elif _days(after, lexicon):
                found = _Parts(_days(after, lexicon)[0], month, (), NAMED)
            elif years := _years(after, lexicon, today):
                found = _Parts(0, month, years, NAMED)
        if found is None:
            found = _Parts(0, month, (), NAMED)
    return found


def _month(word: Word, language: str) -> int:
    months = MONTHS[language]
    if word.text in months:
        return months.index(word.text) + 1
    return _SHORT_MONTHS[language].get(word.text, 0)


def _is_number(words: Sequence[Word], at: int, lexicon: Lexicon) -> bool:
    """Whether a word is part of a number; a conjunction is one between two."""
    if words[at].text in lexicon.conjunctions or words[at].text in lexicon.twice:
        around = 0 < at < len(words) - 1
        return (
            words[at].text not in lexicon.twice
            and around
            and is_number_word(words[at - 1], lexicon)
            and is_number_word(words[at + 1], lexicon)
        )
    return is_number_word(words[at], lexicon)


def _numbers_before(words: Sequence[Word], end: int, lexicon: Lexicon) -> list[Word]:
    at = end
    while at and words[at - 1].text in _LINKS[lexicon.language]:
        at -= 1
    last = at
    while at and _is_number(words, at - 1, lexicon):
        at -= 1
    return list(words[at:last])


def _numbers_after(words: Sequence[Word], start: int, lexicon: Lexicon) -> list[Word]:
    """The numbers behind a place, over the words that link them."""
    found: list[Word] = []
    at = start
    while at < len(words):
        if _is_number(words, at, lexicon):
            found.append(words[at])
        elif words[at].text not in _LINKS[lexicon.language]:
            break
        at += 1
    return found[:_MOST_WORDS]


# --- in numbers alone -------------------------------------------------------------------------------------------------


def _in_numbers(words: Sequence[Word], lexicon: Lexicon, today: date, region: str) -> _Parts | None:
    """The last stretch of numbers that is a date: three numbers, or six or eight digits."""
    found = None
    for stretch in _stretches(words, lexicon):
        found = _of_numbers(stretch, lexicon, today, region) or found
    return found


def _stretches(words: Sequence[Word], lexicon: Lexicon) -> list[list[Word]]:
    found: list[list[Word]] = [[]]
    for at, word in enumerate(words):
        if _is_number(words, at, lexicon):
            found[-1].append(word)
        elif word.text not in _LINKS[lexicon.language]:
            found.append([])
    return [stretch for stretch in found if 0 < len(stretch) <= _MOST_WORDS]


def _of_numbers(said: Sequence[Word], lexicon: Lexicon, today: date, region: str) -> _Parts | None:
    if len(said) == 1 and said[0].is_digits and len(said[0].text) in (6, 8):
        text = said[0].text
        cuts = (0, 4, 6) if len(text) == 8 and text[:2] in ("19", "20") and int(text[4:6]) <= 12 else (0, 2, 4)
        said = [Word(text[start:end]) for start, end in itertools.pairwise((*cuts, len(text)))]
    options: list[tuple[float, _Parts]] = []
    for one in range(1, len(said) - 1):
        for two in range(one + 1, len(said)):
            groups = said[:one], said[one:two], said[two:]
            if any(said[cut].hyphen and not said[cut].is_digits for cut in (one, two)):
                continue  # "quatre-vingt-six" is one number
            cost = _OVER_PAUSE * sum(word.pause for at, word in enumerate(said) if at not in (0, one, two))
            options += [(cost, parts) for parts in _orders(groups, lexicon, today, region)]
    if not options:
        return None
    least = min(cost for cost, _ in options)
    best = [parts for cost, parts in options if cost < least + _ALIKE]
    if len({(parts.day, parts.month, parts.years) for parts in best}) > 1:
        first = best[0]
        return _Parts(first.day, first.month, first.years, min(DOUBTED, first.confidence))
    return best[0]


def _orders(
    groups: tuple[Sequence[Word], Sequence[Word], Sequence[Word]], lexicon: Lexicon, today: date, region: str
) -> Iterator[_Parts]:
    """The dates that three numbers are: year first where that has four digits, else as one writes it in the region."""
    first, second, third = groups
    if len(first) == 1 and first[0].is_digits and len(first[0].text) == 4:
        years = _years(first, lexicon, today)
        for month, day in itertools.product(_months(second, lexicon), _days(third, lexicon)):
            if years:
                yield _Parts(day, month, years, WRITTEN)
        return
    years = _years(third, lexicon, today)
    if not years:
        return
    sure = _year_confidence(third, WRITTEN, lexicon)
    day_first = [(d, m) for d in _days(first, lexicon) for m in _months(second, lexicon)]
    month_first = [(d, m) for m in _months(first, lexicon) for d in _days(second, lexicon)]
    wanted, other = (month_first, day_first) if region in MONTH_FIRST else (day_first, month_first)
    if lexicon.language != "en" and not first[0].is_digits:
        other = []  # nobody says the month first
    for day, month in wanted or other:
        both = bool(wanted and other) and day != month and lexicon.language == "en"
        least = DOUBTED if region in BOTH_ORDERS else BY_REGION
        yield _Parts(day, month, years, min(sure, least) if both else sure)


# --- numbers ----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=20_000)
def _value(words: tuple[str, ...], language: str) -> int | None:
    """One number in words or digits, None for anything else; "zéro trois" is 3 said with its zero."""
    if len(words) == 1 and words[0].isdigit():
        return int(words[0])
    if any(word.isdigit() for word in words):
        return None
    try:
        return int(text2num(" ".join(words), language))
    except ValueError:
        return None


def _number(said: Sequence[Word], lexicon: Lexicon) -> int | None:
    words = [word.text for word in said]
    if len(words) > 1 and words[0] in lexicon.zero:
        rest = _value(tuple(words[1:]), lexicon.language)
        return rest if rest is not None and 1 <= rest <= 9 else None
    if len(words) == 1 and words[0] in lexicon.zero:
        return 0
    found = _value(tuple(words), lexicon.language)
    if found is None and lexicon.language == "fr" and len(words) == 2 and words[1] in ("un", "une"):
        found = _value((words[0], "et", "un"), "fr")  # "trente un"
    return found


def _days(said: Sequence[Word], lexicon: Lexicon) -> list[int]:
    return _within(said, lexicon, 31)


def _months(said: Sequence[Word], lexicon: Lexicon) -> list[int]:
    return _within(said, lexicon, 12)


def _within(said: Sequence[Word], lexicon: Lexicon, most: int) -> list[int]:
    if not said or (said[0].is_digits and len(said[0].text) > 2):
        return []
    number = _number(said, lexicon)
    return [number] if number is not None and 1 <= number <= most else []


def _years(said: Sequence[Word], lexicon: Lexicon, today: date) -> tuple[int, ...]:
    """What a year may be, the likeliest first; of two digits the last such year, and the one a century before."""
    if not said:
        return ()
    number = _number(said, lexicon)
    is_short = number is not None and number < 100 and not (said[0].is_digits and len(said[0].text) != 2)
    if is_short and number is not None:
        century = today.year // 100 * 100
        years = [century + number, century - 100 + number]
        return tuple(year for year in years if today.year - MOST_YEARS <= year <= today.year)
    if number is None:
        number = _in_two_parts(said, lexicon)
    if number is None or not today.year - MOST_YEARS <= number <= today.year:
        return ()
    return (number,)


def _in_two_parts(said: Sequence[Word], lexicon: Lexicon) -> int | None:
    """ "Nineteen eighty five", "diciannove novantacinque", "19 85", "twenty oh three"."""
    for cut in range(1, len(said)):
        head, tail = _number(said[:cut], lexicon), said[cut:]
        is_century = head == 19 or (head == 20 and (lexicon.language == "en" or said[0].is_digits))
        if not is_century or (said[0].is_digits and not tail[0].is_digits):
            continue
        if tail[0].text in _HUNDREDS and len(tail) > 1:
            tail = tail[1:]
        rest = _number(tail, lexicon)
        if head is None:
            continue
        has_two = tail[0].text in lexicon.zero or (rest is not None and rest >= 10)
        if rest is not None and rest < 100 and has_two:
            return head * 100 + rest
    return None


def _year_confidence(said: Sequence[Word], sure: float, lexicon: Lexicon) -> float:
    number = _number(said, lexicon) if said else None
    return SHORT if number is not None and number < 100 else sure


# --- the reading ------------------------------------------------------------------------------------------------------


def _reading(parts: _Parts, today: date, words: Sequence[Word], lexicon: Lexicon) -> SlotReading:
    """A whole date that there is, and is over; the first year that makes one. A half one is nothing yet."""
    if not (parts.day and parts.month and parts.years):
        return NOTHING
    dates = [made for year in parts.years if (made := _made(year, parts.month, parts.day, today)) is not None]
    if not dates:
        return NOTHING
    confidence = parts.confidence if len(dates) == 1 else min(parts.confidence, DOUBTED)
    return SlotReading(
        dates[0].isoformat(), True, _may_go_on(words, lexicon), confidence, readable=_readable(dates[0], lexicon)
    )


def _made(year: int, month: int, day: int, today: date) -> date | None:
    try:
        made = date(year, month, day)
        earliest = date(today.year - MOST_YEARS, today.month, min(today.day, 28))
    except ValueError:
        return None
    return made if earliest <= made <= today else None


def _may_go_on(words: Sequence[Word], lexicon: Lexicon) -> bool:
    """Whether the last word is a number that another may follow: "quatre-vingt" ... "cinq"."""
    last = words[-1] if words else Word("")
    if last.is_digits or not is_number_word(last, lexicon):
        return False
    value = _value((last.text,), lexicon.language) or 0
    return value >= 20 and value % 10 == 0


def _part_alone(words: Sequence[Word], lexicon: Lexicon, today: date) -> _Parts | None:
    """One number: a year where it has four digits or is too large for a day, else a day."""
    stretches = _stretches(words, lexicon)
    if len(stretches) != 1:
        return None
    if days := _days(stretches[0], lexicon):
        return _Parts(day=days[0], confidence=SHORT)
    years = _years(stretches[0], lexicon, today)
    return _Parts(years=years, confidence=SHORT) if years else None


def _corrected(parts: _Parts | None, before: str, today: date, words: Sequence[Word], lexicon: Lexicon) -> SlotReading:
    """The date before with the parts that were said anew."""
    if parts is None or not (parts.day or parts.month or parts.years):
        return NOTHING
    try:
        old = date.fromisoformat(before)
    except ValueError:
        return NOTHING
    whole = _Parts(parts.day or old.day, parts.month or old.month, parts.years or (old.year,), SHORT)
    return _reading(whole, today, words, lexicon)


def _readable(day: date, lexicon: Lexicon) -> str:
    return f"{day.day} {MONTHS[lexicon.language][day.month - 1]} {day.year}"
