"""Reads a postal code: in digits, in one number, digit by digit, in pairs, or any mixture. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dialogue.slots.lexicon import Lexicon, lexicon_of
from dialogue.slots.numbers import Digits, digits_replaced_at_end, natural, number_runs, readings
from dialogue.slots.postcode import parse_postcode
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.regions import FRENCH_OVERSEAS
from dialogue.slots.words import Word, cut_at_corrections, without_fillers, words_of

FRENCH = {"FR", *FRENCH_OVERSEAS}
OVERSEAS = {*"971 972 973 974 975 976 977 978 980 984 986 987 988".split()}  # and Monaco, which has French codes
UNNATURAL = 0.9  # a reading that costs so much more than one with fewer digits is not meant
CORSICA = {("2", "a"), ("2", "b"), ("deux", "a"), ("deux", "b")}
LENGTHS = {
    **dict.fromkeys(FRENCH, 5),
    "IT": 5,
    "US": 5,
    "DE": 5,
    "ES": 5,
    "MC": 5,
    "BE": 4,
    "CH": 4,
    "LU": 4,
    "AT": 4,
    "NL": 4,
}


def exists(code: str, region: str) -> bool:
    """Whether a code of that region can begin like this (French departments, the Italian ranges)."""
    if len(code) != LENGTHS.get(region, 5):
        return False
    if region in FRENCH:
        return "01" <= code[:2] <= "95" or code[:3] in OVERSEAS
    if region == "MC":
        return code.startswith("980")
    if region == "IT":
        return "00010" <= code <= "98168"
    return True


def parse_zip_code(text: str, lexicon: Lexicon, region: str, previous: str | None = None) -> SlotReading:
    """The postal code of a text; the last one said when there are several.

    `previous` is the code that was read back: "non, douze" then replaces its end.
    """
    if region == "GB":
        return parse_postcode(text, lexicon)
    words = [word for word in without_fillers(words_of(text), lexicon) if word.text not in lexicon.joints]
    pieces, negated = cut_at_corrections(_without_corsica(words) if region in FRENCH else words, lexicon)
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
    runs = number_runs(piece, lexicon)
    if joined := _joined(piece, runs, lexicon, region):
        return joined, str(joined.value)
    for run in runs:
        reading, digits = _run(run, lexicon, region)
        if reading.complete:
            last = reading
        elif not last.complete:
            last, fragment = reading, digits
    return last, fragment


def _without_corsica(words: Sequence[Word]) -> list[Word]:
    """Words without "deux A zéro zéro quatre": a department and a commune's number there, and no postal code."""
    kept: list[Word] = []
    for position, word in enumerate(words):
        if kept and (kept[-1].text, word.text) in CORSICA:
            kept[-1] = Word("|")
            rest = list(words[position + 1 :])
            whole = natural(readings(rest[:5], "fr", 5)) if rest else None
            return kept + (rest if whole is not None and len(whole.text) == 5 else _behind_digits(rest))
        kept.append(word)
    return kept


def _behind_digits(words: list[Word]) -> list[Word]:
    runs = number_runs(words, lexicon_of("fr"))
    if not runs or not words or runs[0][0] != words[0]:
        return words
    return words if len(runs[0]) > 3 else words[len(runs[0]) :]


def _joined(piece: Sequence[Word], runs: Sequence[list[Word]], lexicon: Lexicon, region: str) -> SlotReading | None:
    """A code said in parts ("le département, c'est le 75, et le code 011"), None when it is not."""
    if len(runs) < 2 or any(_run(run, lexicon, region)[0].complete for run in runs):
        return None
    first = next(index for index, word in enumerate(piece) if word is runs[0][0])
    last = next(index for index, word in reversed(list(enumerate(piece))) if word is runs[-1][-1])
    said = {id(word) for run in runs for word in run}
    between = [word.text for word in piece[first : last + 1] if id(word) not in said]
    if not set(between) <= lexicon.links:
        return None
    parts = [natural(readings(run, lexicon.language, LENGTHS.get(region, 5))) for run in runs]
    code = "".join(part.text for part in parts if part is not None)
    if any(part is None for part in parts) or not exists(code, region):
        return None
    return SlotReading(code, True, False, 0.75)


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
    if exact is not None and len(plain.text) < length and exact.cost - plain.cost >= UNNATURAL:
        exact = None  # "soixante-quinze zéro" is no 60 15 0: it goes on
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
