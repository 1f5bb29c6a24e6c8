"""Reads a telephone number and gives it in E.164, as phonenumbers judges it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import (
    Digits,
    digits_replaced_at_end,
    is_number_word,
    natural,
    number_runs,
    readings,
)
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import Word, cut_at_corrections, without_fillers, words_of

MOST_DIGITS = 15  # E.164
PAIRED = {"FR", "BE", "CH", "MC", "LU"}  # where numbers are said in groups of two
NATIONAL_DIGITS = {"FR": 10, "BE": 10, "CH": 10, "US": 10, "CA": 10, "GB": 11}


def parse_phone(text: str, lexicon: Lexicon, region: str, previous: str | None = None) -> SlotReading:
    """The telephone number of a text; `previous` (E.164) was read back: "non, soixante-dix-neuf" changes its end."""
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    found, corrected = NOTHING, False
    earlier = _national(previous, region) if previous else ""
    for piece in pieces:
        reading, digits = _piece(piece, lexicon, region)
        if reading.complete:
            corrected = corrected or found.complete
            found = reading
            earlier = _national(str(reading.value), region)
        elif digits and (patched := digits_replaced_at_end(earlier, digits)) and (number := _number(patched, region)):
            found, corrected, earlier = _complete(number, 0.8, False), True, patched
        elif not found.complete and digits:
            found, earlier = reading, digits
    return found.with_flags(negated, corrected)


def _piece(piece: Sequence[Word], lexicon: Lexicon, region: str) -> tuple[SlotReading, str]:
    """The number among the words of one piece. Words between its groups ("alors", "et") are passed over."""
    start = _international_start(piece, lexicon)
    run = [word for found in number_runs(piece[start or 0 :], lexicon) for word in found]
    if not run:
        return NOTHING, ""
    found = readings(run, lexicon.language, MOST_DIGITS, pairs=region in PAIRED)
    plain = natural(found)
    if plain is None:
        return NOTHING, ""
    prefix = "+" if start is not None else ""
    number = _number(prefix + plain.text, region)
    if number is not None:
        return _complete(number, 0.75 if plain.ambiguous else 0.95, False), plain.text
    other = _other_reading(found, prefix, region)
    if other is not None:
        return _complete(other, 0.75, len(plain.text) < NATIONAL_DIGITS.get(region, 0)), plain.text
    return SlotReading(None, open=True), plain.text


def _international_start(piece: Sequence[Word], lexicon: Lexicon) -> int | None:
    """Where the digits begin behind "plus" or "+", None for a national number."""
    for position, word in enumerate(piece[:-1]):
        if word.text == "+" or (word.text in lexicon.number_prefix and is_number_word(piece[position + 1], lexicon)):
            return position + 1
    return None


def _other_reading(found: dict[int, Digits], prefix: str, region: str) -> PhoneNumber | None:
    for digits in sorted(found.values(), key=lambda digits: digits.cost):
        number = _number(prefix + digits.text, region)
        if number is not None:
            return number
    return None


def _number(digits: str, region: str) -> PhoneNumber | None:
    """A number that phonenumbers finds valid, or at least possible and of the national length."""
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    if phonenumbers.is_valid_number(number):
        return number
    significant = phonenumbers.national_significant_number(number)
    fits = len(significant) + 1 == NATIONAL_DIGITS.get(region) and significant[0] != "0" and digits[0] in "0+"
    return number if fits and phonenumbers.is_possible_number(number) else None


def _national(e164: str, region: str) -> str:
    """The digits as they are dialled at home."""
    try:
        number = phonenumbers.parse(e164, region)
    except NumberParseException:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL).replace(" ", "")


def _complete(number: PhoneNumber, confidence: float, is_open: bool) -> SlotReading:
    return SlotReading(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        True,
        is_open,
        confidence,
        readable=phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
    )
