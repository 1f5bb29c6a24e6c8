"""Reads a British postcode: "SW1A 1AA", or letter by letter and digit by digit. Pure."""

from __future__ import annotations

import re

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import cut_at_corrections, texts, without_fillers, words_of

# Outward and inward part, as the Royal Mail's PAF guide gives them: A9, A99, AA9, AA99, A9A, AA9A; then 9AA.
_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?) ?(\d[ABD-HJLNP-UW-Z]{2})")
_PARTS = re.compile(r"\d+|[a-z]+")
_DIGITS = {
    "zero": "0", "nought": "0", "naught": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13",
    "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
    "twenty": "20",
}  # fmt: skip
_LETTERS = {
    "ay": "a", "bee": "b", "be": "b", "see": "c", "sea": "c", "dee": "d", "ee": "e", "ef": "f", "eff": "f", "gee": "g",
    "aitch": "h", "eye": "i", "jay": "j", "kay": "k", "okay": "ok", "el": "l", "ell": "l", "em": "m", "en": "n",
    "oh": "o", "pee": "p", "pea": "p", "queue": "q", "cue": "q", "are": "r", "ar": "r", "ess": "s", "tee": "t",
    "tea": "t", "you": "u", "vee": "v", "ex": "x", "why": "y", "wye": "y", "zed": "z",
}  # fmt: skip
_SPELLED_WORDS = 14


def parse_postcode(text: str, lexicon: Lexicon) -> SlotReading:
    """The last postcode of a text; what follows a correction wins. One in an impossible form is not read."""
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    found, corrected = NOTHING, False
    for piece in pieces:
        reading = _piece(texts(piece))
        if reading.complete:
            corrected = corrected or found.complete
            found = reading
    return found.with_flags(negated, corrected)


def _piece(words: list[str]) -> SlotReading:
    """The longest stretch that spells a postcode."""
    words = _doubled(words)
    for start in range(len(words)):
        for end in range(min(len(words), start + _SPELLED_WORDS), start, -1):
            if start and words[start - 1].endswith("'"):
                continue  # "it's"
            written = [_spelled(word) for word in words[start:end]]
            if any(part is None for part in written):
                continue
            code = "".join(part for part in written if part is not None).upper()
            for candidate in dict.fromkeys((code, _with_zero(code))):
                if match := _POSTCODE.fullmatch(candidate):
                    confidence = 0.95 if candidate == code else 0.75
                    value = f"{match[1]} {match[2]}"
                    return SlotReading(value, True, False, confidence, readable=value)
    return NOTHING


def _doubled(words: list[str]) -> list[str]:
    """ "Double A" as two."""
    found: list[str] = []
    times = 1
    for word in words:
        found += [word] * times if word != "double" else []
        times = 2 if word == "double" else 1
    return found


def _spelled(word: str) -> str | None:
    """What a word stands for in a postcode, None for one that is no part of it."""
    if word in _DIGITS:
        return _DIGITS[word]
    if word in _LETTERS:
        return _LETTERS[word]
    return word if word.isdigit() or (len(word) <= 2 and word.isalpha()) else None


def _with_zero(code: str) -> str:
    """The inward part's O as a zero: "one oh double u" is said for both."""
    return f"{code[:-3]}{code[-3:].replace('O', '0', 1)}" if len(code) > 4 and code[-3] == "O" else code
