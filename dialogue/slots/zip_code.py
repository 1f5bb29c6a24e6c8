"""Reads a postal code: in digits, in one number, digit by digit, in pairs, or any mixture. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import Digits, digits_replaced_at_end, natural, number_runs, readings
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import Word, cut_at_corrections, without_fillers, words_of

LENGTHS = {"FR": 5, "IT": 5, "US": 5, "DE": 5, "ES": 5, "MC": 5, "BE": 4, "CH": 4, "LU": 4, "AT": 4, "NL": 4}


def exists(code: str, region: str) -> bool:
    """Whether a code of that region can begin like this (French departments, the Italian ranges)."""
    if len(code) != LENGTHS.get(region, 5):
        return False
    if region == "FR":
        return "01" <= code[:2] <= "95" or code[:2] in {"97", "98"}
    if region == "IT":
        return "00010" <= code <= "98168"
    return True


def parse_zip_code(text: str, lexicon: Lexicon, region: str, previous: str | None = None) -> SlotReading:
    """The postal code of a text; the last one said when there are several.

    `previous` is the code that was read back: "non, douze" then replaces its end.
    """
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    found = NOTHING
    fragment = ""  # digits of a piece that was broken off
    corrected = False
    for piece in pieces:
        reading, digits = _piece(piece, lexicon, region)
        earlier = str(found.value or "") or (previous or "")
        if reading.complete:
            corrected = corrected or bool(found.value) or bool(fragment)
            found = reading
        elif digits and exists(patched := digits_replaced_at_end(earlier, digits), region):
            corrected = True
            found = SlotReading(patched, complete=True, confidence=0.8)
        elif digits and not found.complete:
            found, fragment = reading, digits
    if found.complete:
        found = SlotReading(found.value, True, found.open, found.confidence, readable=_readable(str(found.value)))
    return found.with_flags(negated, corrected)


def _piece(piece: Sequence[Word], lexicon: Lexicon, region: str) -> tuple[SlotReading, str]:
    """The code in an uncorrected stretch of words, and the digits heard where there is none."""
    last = NOTHING
    fragment = ""
    for run in number_runs(piece, lexicon):
        reading, digits = _run(run, lexicon, region)
        if reading.complete:
            last = reading
        elif not last.complete:
            last, fragment = reading, digits
    return last, fragment


def _run(run: list[Word], lexicon: Lexicon, region: str) -> tuple[SlotReading, str]:
    length = LENGTHS.get(region, 5)
    found = readings(run, lexicon.language, 2 * length)
    if any(word.text in lexicon.thousand for word in run):
        found = _padded(found, length)
    plain = natural(found)
    if plain is None:
        return NOTHING, ""
    exact = found.get(length)
    open_ended = run[-1].text in lexicon.thousand | lexicon.hundred or run[-1].text in lexicon.conjunctions
    if exact is not None and exists(exact.text, region):
        sure = plain.text == exact.text and not exact.ambiguous
        confidence = (0.9 if len(run) > 1 and not run[-1].is_digits and _is_round(exact) else 0.97) if sure else 0.7
        return SlotReading(exact.text, True, open_ended or plain.text != exact.text, confidence), exact.text
    if run[0].text in lexicon.articles and len(run) > 1:  # "un soixante-quinze mille onze"
        return _run(run[1:], lexicon, region)
    halves = plain.text[:length], plain.text[length:]
    twice = len(plain.text) == 2 * length and _falls_apart(plain, length)  # in one breath
    if twice and exists(halves[0], region) and exists(halves[1], region):
        return SlotReading(halves[1], True, open_ended, 0.95 if halves[0] == halves[1] else 0.7), halves[1]
    return SlotReading(None, open=len(plain.text) < length), plain.text


def _padded(found: dict[int, Digits], length: int) -> dict[int, Digits]:
    """With the reading "cinq mille cent" -> 05100 where the whole run is one number of four digits."""
    short = found.get(length - 1)
    if length == 5 and short is not None and len(short.groups) == 1 and short.text[0] != "0":
        whole = Digits(("0" + short.text,), short.cost)
        if length not in found or found[length].cost > whole.cost:
            rest = {size: digits for size, digits in found.items() if size != length - 1}
            return {**rest, length: whole}
    return found


def _falls_apart(digits: Digits, length: int) -> bool:
    """Whether a group ends after `length` digits: two codes, and no telephone number."""
    sizes = [len(group) for group in digits.groups]
    return any(sum(sizes[:count]) == length for count in range(len(sizes)))


def _is_round(digits: Digits) -> bool:
    """A last group that could go on ("vingt" ... "et un")."""
    return len(digits.groups[-1]) > 1 and digits.groups[-1][-1] == "0"


def _readable(code: str) -> str:
    return f"{code[:2]} {code[2:]}" if len(code) == 5 else code
