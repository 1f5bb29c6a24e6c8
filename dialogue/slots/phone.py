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
from dialogue.slots.regions import FRENCH_OVERSEAS
from dialogue.slots.words import Word, cut_at_corrections, without_fillers, words_of

MOST_DIGITS = 15  # E.164
FRENCH = {"FR", *FRENCH_OVERSEAS}
PAIRED = {*FRENCH, "BE", "CH", "MC", "LU"}  # where numbers are said in groups of two
OVERSEAS_CODES = {
    **dict.fromkeys(("0590", "0690", "0691"), "590"),
    **dict.fromkeys(("0594", "0694"), "594"),
    **dict.fromkeys(("0596", "0696", "0697"), "596"),
    **dict.fromkeys(("0262", "0263", "0269", "0639", "0692", "0693"), "262"),
    "0508": "508",
}
"""First digits as dialled -> country code, where a number is too new for phonenumbers to know (ARCEP's plan)."""
UNNATURAL = 1.5  # a reading that costs so much more than the most natural one is not meant
NATIONAL_DIGITS = {**dict.fromkeys(FRENCH, 10), "BE": 10, "CH": 10, "US": 10, "CA": 10, "GB": 11}


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
    piece = [word for word in piece if word.text not in lexicon.joints]
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
        dialled = prefix + plain.text
        sure = (
            not plain.ambiguous
            and phonenumbers.is_valid_number(number)
            and _is_whole(dialled, region)
            and not _is_claimed_twice(dialled, region)
        )
        return _complete(number, 0.95 if sure else 0.75, False), plain.text
    other = _other_reading(found, prefix, region)
    if other is not None:
        return _complete(other, 0.75, len(plain.text) < NATIONAL_DIGITS.get(region, 0)), plain.text
    return SlotReading(None, open=True), plain.text


def _abroad(digits: str, region: str) -> str:
    """The number with its country code where 0 and three digits name an overseas department, else as it is."""
    code = OVERSEAS_CODES.get(digits[:4]) if region in FRENCH and len(digits) == NATIONAL_DIGITS["FR"] else None
    if code is None:
        return digits
    return "+508" + digits[4:] if code == "508" else f"+{code}{digits[1:]}"


def _is_whole(digits: str, region: str) -> bool:
    """Whether no leading zero is missing where numbers have one."""
    return digits[0] in "0+" or region not in FRENCH


def _international_start(piece: Sequence[Word], lexicon: Lexicon) -> int | None:
    """Where the digits begin behind "plus" or "+", None for a national number."""
    for position, word in enumerate(piece[:-1]):
        if word.text == "+" or (word.text in lexicon.number_prefix and is_number_word(piece[position + 1], lexicon)):
            return position + 1
    return None


def _other_reading(found: dict[int, Digits], prefix: str, region: str) -> PhoneNumber | None:
    least = min(digits.cost for digits in found.values())
    for digits in sorted(found.values(), key=lambda digits: digits.cost):
        if digits.cost - least >= UNNATURAL:
            break  # "zéro six cinquante-cinq soixante-six" goes on
        number = _number(prefix + digits.text, region)
        if number is not None:
            return number
    return None


def _number(digits: str, region: str) -> PhoneNumber | None:
    """A number that phonenumbers finds valid, or at least possible and of the national length.

    In France and overseas 0692 12 34 56 is dialled alike, but the number is Réunion's: +262.
    """
    for home in _homes(digits, region):
        try:
            number = phonenumbers.parse(digits, home)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number) and (home != "FR" or digits[:4] not in OVERSEAS_CODES):
            return number
    try:
        number = phonenumbers.parse(_abroad(digits, region), region)
    except NumberParseException:
        return None
    significant = phonenumbers.national_significant_number(number)
    if digits[:4] in OVERSEAS_CODES and region in FRENCH and phonenumbers.is_possible_number(number):
        return number
    fits = len(significant) + 1 == NATIONAL_DIGITS.get(region) and significant[0] != "0" and digits[0] in "0+"
    return number if fits and phonenumbers.is_possible_number(number) else None


def _is_claimed_twice(digits: str, region: str) -> bool:
    """Whether a number is one of France and one from overseas alike: plans differ on 0708."""
    homes = _homes(digits, region)
    if len(homes) == 1 or digits[:4] in OVERSEAS_CODES:
        return False
    codes = set()
    for home in homes:
        number = phonenumbers.parse(digits, home)
        if phonenumbers.is_valid_number(number):
            codes.add(number.country_code)
    return len(codes) > 1


def _homes(digits: str, region: str) -> tuple[str, ...]:
    """The regions whose numbering a national number may belong to, the narrowest first."""
    if region not in FRENCH or len(digits) != NATIONAL_DIGITS["FR"] or digits[0] != "0":
        return (region,)
    return (*FRENCH_OVERSEAS, "FR") if region == "FR" else (region, *FRENCH_OVERSEAS, "FR")


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
