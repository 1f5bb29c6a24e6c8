"""Reads an amount of money, exact to the cent ("mille deux cents euros cinquante", "12,50 €", "two pounds ten"). Pure.

Amounts are decimals, never floats. Two amounts, a stretch between two and another currency are none; an amount that is
about right ("environ", "almost") and one that may be another ("twelve fifty") are asked.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from text_to_num import text2num

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.money_words import MONEY_WORDS, SIGNS, MoneyWords
from dialogue.slots.numbers import is_number_word, natural, readings
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import MAX_CHARACTERS, Word, cut_at_corrections, fold, without_fillers

MOST_MONEY = 999_999_999
NAMED, ROUND, BARE, AMONG, DOUBTED = 0.95, 0.85, 0.8, 0.74, 0.6
_TOKEN = re.compile(
    r"\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?(?![\d])|\d+(?:[.,]\d{1,2})?(?!\d)|\d+|[€£$]|[^\W\d_]+'|[^\W\d_]+"
)
_CENT = Decimal("0.01")
_FEW_WORDS = 3  # around a number that is an amount without its unit: "j'ai payé cinquante"
_MOST_WORDS = 14  # of one number


@dataclass(frozen=True)
class _Amount:
    """One amount, from word `start` to before `end`. `unit`: the currency that was named, empty for none."""

    value: Decimal
    confidence: float
    unit: str = ""
    has_cents: bool = False
    only_cents: bool = False
    start: int = 0
    end: int = 0


def parse_money(
    text: str,
    lexicon: Lexicon,
    currency: str,
    least: int = 0,
    most: int = MOST_MONEY,
    previous: str | None = None,
) -> SlotReading:
    """The one amount of a text in `currency` (ISO 4217), as "1200.50"; complete from `least` to `most`.

    Open while cents may follow. Cents alone, to what was read back (`previous`), replace its cents.
    """
    words = MONEY_WORDS[lexicon.language]
    pieces, negated = cut_at_corrections(without_fillers(_tokens(text), lexicon), lexicon)
    found, corrected = NOTHING, False
    for piece in pieces:
        amount = _one(piece, lexicon, words)
        if amount is None or (amount.unit and amount.unit != currency):
            continue
        value = amount.value
        before = str(found.value) if found.complete else previous or ""
        if amount.only_cents and before and (found.complete or negated):
            value = Decimal(before) // 1 + value
        if not least <= value <= most:
            continue
        written = format(value.quantize(_CENT), "f")
        corrected = corrected or found.complete
        found = SlotReading(written, True, not amount.has_cents, amount.confidence, readable=f"{written} {currency}")
    return found.with_flags(negated, corrected)


# --- one amount of a piece --------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[Word]:
    """Words, written numbers with their separators, and signs of currencies."""
    plain = fold(text[:MAX_CHARACTERS]).replace("\u2019", "'")
    found: list[Word] = []
    end = 0
    for match in _TOKEN.finditer(plain):
        gap = plain[end : match.start()]
        pause = any(character in ",;:!?…" for character in gap) or (gap.strip() == "." and gap != ".")
        found.append(Word(match[0], gap == "-", pause))
        end = match.end()
    return found


def _one(piece: Sequence[Word], lexicon: Lexicon, words: MoneyWords) -> _Amount | None:
    """The amount of a piece; None when there are two, or none."""
    texts = [word.text for word in piece]
    if any(text in words.loose for text in texts):
        return None
    amounts: list[_Amount] = []
    at = 0
    while at < len(piece):
        amount = _amount_at(piece, at, lexicon, words)
        if amount is None:
            at += 1
            continue
        amounts.append(amount)
        at = amount.end
    named = [amount for amount in amounts if amount.unit or amount.only_cents]
    wanted = named or amounts
    if not wanted or len({amount.value for amount in wanted}) > 1:
        return None
    best = wanted[-1]
    if not named and len(amounts) == 1 and _is_article(texts, best, lexicon):
        return None
    others = [amount for amount in amounts if amount.end <= best.start]
    if any(_is_range(texts, other, best, words) for other in others):
        return None
    confidence = best.confidence
    if any(other.end == best.start for other in others):
        confidence = min(confidence, DOUBTED)  # a number right before it, which is rather a part of it
    if not named:
        around = len(piece) - (best.end - best.start)
        if best.end < len(texts) and texts[best.end] in lexicon.counted:
            return None  # "two weeks"
        confidence = min(confidence, NAMED if not around else AMONG if around <= _FEW_WORDS else DOUBTED)
    if any(_starts(texts, n, phrase) for n in range(len(texts)) for phrase in words.vague):
        confidence = min(confidence, DOUBTED)
    return _Amount(best.value, confidence, best.unit, best.has_cents, best.only_cents)


def _is_range(texts: Sequence[str], one: _Amount, other: _Amount, words: MoneyWords) -> bool:
    between = texts[one.end : other.start]
    return len(between) == 1 and (between[0] in words.ranges or between[0] in ("et", "e", "and")) and one != other


def _is_article(texts: Sequence[str], amount: _Amount, lexicon: Lexicon) -> bool:
    is_one = amount.end - amount.start == 1 and texts[amount.start] in lexicon.articles
    return is_one and amount.end < len(texts)


def _amount_at(piece: Sequence[Word], at: int, lexicon: Lexicon, words: MoneyWords) -> _Amount | None:
    """The amount that begins at a word: a sign before it, or a number with what may follow."""
    before = SIGNS.get(piece[at].text, "")
    number = _number_at(piece, at + 1 if before else at, lexicon, words)
    if number is None:
        return None
    value, end, doubt, has_decimals = number
    confidence = BARE - doubt
    if before:
        return _Amount(value, NAMED - doubt, before, has_decimals, start=at, end=end)
    if end < len(piece) and _text(piece, end) in words.cents and not has_decimals:
        return _Amount(value * _CENT, NAMED, "", True, True, at, end + 1) if value < 100 else None
    place = end
    while place < len(piece) and _text(piece, place) in words.links - {"et", "e", "and"}:
        place += 1
    unit = SIGNS.get(_text(piece, place)) or (words.units.get(_text(piece, place)) or ("",))[0]
    if not unit:
        half = next((len(h.split()) for h in words.half if _starts_at(piece, end, h)), 0)
        if half and (follow := words.units.get(_text(piece, end + half))):  # "two and a half euros"
            return _Amount(value + Decimal("0.5"), NAMED, follow[0], True, start=at, end=end + half + 1)
        return _with_dropped_unit(piece, at, end, value, confidence, has_decimals, lexicon, words)
    place += 1
    while place < len(piece) and _text(piece, place) in ("sterling", "suisse", "suisses", "svizzeri", "svizzero"):
        place += 1
    if has_decimals:
        return _Amount(value, NAMED - doubt, unit, True, start=at, end=place)
    return _cents_behind(piece, at, place, value, unit, NAMED - doubt, lexicon, words)


def _cents_behind(
    piece: Sequence[Word],
    start: int,
    at: int,
    value: Decimal,
    unit: str,
    confidence: float,
    lexicon: Lexicon,
    words: MoneyWords,
) -> _Amount:
    """An amount whose unit was said, with the cents that follow: "cinquante", "et demi", "e cinquanta centesimi"."""
    for half in words.half:
        if _starts_at(piece, at, half):
            return _Amount(value + Decimal("0.5"), confidence, unit, True, start=start, end=at + len(half.split()))
    place = at + 1 if _text(piece, at) in words.links else at
    is_over = place < len(piece) and piece[place].pause
    number = None if is_over else _number_at(piece, place, lexicon, words)
    alone = _Amount(value, confidence, unit, start=start, end=at)
    if number is None:
        return alone
    cents, end, _, has_decimals = number
    is_named = _text(piece, end) in words.cents
    if lexicon.language == "fr" and _text(piece, end - 1) == "cents" and end - place > 1 and cents >= 100:
        cents, is_named = Decimal(_value(tuple(w.text for w in piece[place : end - 1]), "fr") or 100), True
    if has_decimals or cents >= 100 or words.units.get(_text(piece, end)):
        return alone
    digits = piece[place].text if end - place == 1 and piece[place].text.isdigit() else ""
    is_clear = is_named or cents >= 10 or len(digits) == 2
    sure = confidence if is_clear else DOUBTED if digits or lexicon.language == "en" else ROUND
    return _Amount(value + cents * _CENT, min(confidence, sure), unit, True, start=start, end=end + is_named)


def _with_dropped_unit(
    piece: Sequence[Word],
    start: int,
    end: int,
    value: Decimal,
    confidence: float,
    has_decimals: bool,
    lexicon: Lexicon,
    words: MoneyWords,
) -> _Amount:
    """A number without a unit; "twelve fifty" is rather 12.50 than two numbers, and asked."""
    is_spoken = not piece[start].text[0].isdigit()
    number = _number_at(piece, end, lexicon, words) if words.zeros_dropped and is_spoken and not has_decimals else None
    if number is not None and 10 <= number[0] < 100 and not number[3] and value < 100 and not piece[end].pause:
        unit = (words.units.get(_text(piece, number[1])) or ("",))[0]
        place = number[1] + 1 if unit else number[1]
        return _Amount(value + number[0] * _CENT, DOUBTED, unit, True, start=start, end=place)
    return _Amount(value, confidence, "", has_decimals, start=start, end=end)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _number_at(
    piece: Sequence[Word], at: int, lexicon: Lexicon, words: MoneyWords
) -> tuple[Decimal, int, float, bool] | None:
    """The number that begins at a word, the place behind it, how doubtful it is, and whether it has decimals."""
    if at >= len(piece):
        return None
    if piece[at].text[0].isdigit():
        value, doubt, has_decimals = written_number(piece[at].text, lexicon.language)
        end = at + 1
        times = words.times.get(_text(piece, end), 0)
        if times:
            rest = _below_thousand(piece, end + 1, lexicon) if times == 1_000 else None
            more, end = rest or (Decimal(0), end + 1)
            return value * times + more, end, doubt, False
        return value, end, doubt, has_decimals
    spoken = _spoken_at(piece, at, lexicon)
    if spoken is None:
        is_one = _text(piece, at) in ("a", "an") and _text(piece, at + 1) in words.units  # "a pound"
        return (Decimal(1), at + 1, 0.0, False) if is_one else None
    value, end = spoken
    if _text(piece, end) in words.decimal and (part := _decimals(piece, end + 1, lexicon)) is not None:
        cents, end = part
        return value + cents, end, 0.0, True
    if times := (words.times.get(_text(piece, end), 0) if _text(piece, end) != "mille" else 0):
        return value * times, end + 1, 0.0, False  # "two grand"
    return value, end, 0.0, False


def _below_thousand(piece: Sequence[Word], at: int, lexicon: Lexicon) -> tuple[Decimal, int] | None:
    """What follows "3 mille": digits or words, below 1000."""
    text = _text(piece, at)
    found = (Decimal(text), at + 1) if text.isdigit() else _spoken_at(piece, at, lexicon)
    return found if found is not None and 0 < found[0] < 1_000 else None


def written_number(text: str, language: str) -> tuple[Decimal, float, bool]:
    """A number in digits with separators: its value, how doubtful it is, whether it has decimals.

    The last separator before one or two digits is the decimal one; before three digits it groups, as one writes it in
    the language.
    """
    marks = [character for character in text if not character.isdigit()]
    tail = re.search(r"[.,](\d{1,2})$", text)
    if tail is not None:
        whole = re.sub(r"\D", "", text[: tail.start()])
        return Decimal(f"{whole}.{tail[1].ljust(2, '0')}"), 0.0, True
    odd = "." if language == "en" else ","
    return Decimal(re.sub(r"\D", "", text)), (NAMED - DOUBTED if odd in marks else 0.0), False


def _spoken_at(piece: Sequence[Word], at: int, lexicon: Lexicon) -> tuple[Decimal, int] | None:
    """The longest run of words from here on that is one number."""
    end = at
    while end < len(piece) and end - at < _MOST_WORDS and _may_be_number(piece, end, at, lexicon):
        end += 1
    while end > at:
        value = _value(tuple(word.text for word in piece[at:end]), lexicon.language)
        if value is not None:
            return Decimal(value), end
        end -= 1
    return None


def _may_be_number(piece: Sequence[Word], at: int, start: int, lexicon: Lexicon) -> bool:
    word = piece[at]
    if word.text[0].isdigit() or (at > start and word.pause):
        return False
    if word.text in lexicon.conjunctions:
        return at > start
    is_million = word.text.rstrip("s") in ("million", "milion", "milione", "milioni")
    is_article = word.text in ("a", "an") and lexicon.language == "en" and at == start
    return is_number_word(word, lexicon) or (is_million and at > start) or is_article


@functools.lru_cache(maxsize=20_000)
def _value(words: tuple[str, ...], language: str) -> int | None:
    """One number in words; None for what is two ("twelve fifty"), or none."""
    if not words or words[-1] in ("et", "e", "and"):
        return None
    if words[0] in ("a", "an"):
        if len(words) == 1 or words[1] not in ("hundred", "thousand", "million"):
            return None
        words = ("one", *words[1:])
    if len(words) == 1 and words[0] in ("zero", "oh", "o", "nought", "naught"):
        return 0 if words[0] in ("zero", "nought", "naught") else None
    if language == "it" and "e" in words:
        return None  # "centoventi e cinquanta" is an amount with its cents
    if language == "fr" and len(words) == 2 and words[1] in ("un", "une"):
        words = (words[0], "et", "un") if words[0] != "quatre-vingt" else words
    try:
        return int(text2num(" ".join(words), language))
    except ValueError:
        return None


def _decimals(piece: Sequence[Word], at: int, lexicon: Lexicon) -> tuple[Decimal, int] | None:
    """What follows "virgule": one or two digits, said one by one or together."""
    end = at
    while end < len(piece) and end - at < 4 and is_number_word(piece[end], lexicon) and not piece[end].pause:
        end += 1
    found = (
        natural(readings([Word(w.text, w.hyphen) for w in piece[at:end]], lexicon.language, 2)) if end > at else None
    )
    if found is None:
        return None
    return Decimal(f"0.{found.text.ljust(2, '0')}"), end


def _text(piece: Sequence[Word], at: int) -> str:
    return piece[at].text if 0 <= at < len(piece) else ""


def _starts_at(piece: Sequence[Word], at: int, phrase: str) -> bool:
    return _starts([word.text for word in piece], at, phrase)


def _starts(texts: Sequence[str], at: int, phrase: str) -> bool:
    parts = phrase.split()
    return list(texts[at : at + len(parts)]) == parts
