"""Reads a string of digits (a customer number, a code), said one by one or in groups. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import digits_replaced_at_end, is_number_word, natural, number_runs, readings
from dialogue.slots.reading import SlotReading
from dialogue.slots.words import Word, cut_at_corrections, without_fillers, words_of

MOST_DIGITS = 24


def parse_digits(
    text: str, lexicon: Lexicon, least: int = 1, most: int = MOST_DIGITS, previous: str | None = None
) -> SlotReading:
    """All digits of the text in order; complete when there are from `least` to `most`, open below `most`.

    After a correction only what follows counts, or it replaces the end of what was said when it is too short. A number
    that counts something ("une seconde", "two minutes") is none of the digits.
    """
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    value, corrected, confidence = "", False, 0.95
    for piece in pieces:
        said = ""
        for run in _digit_runs(piece, lexicon):
            found = readings(run, lexicon.language, MOST_DIGITS)
            best = natural(found)
            wanted = found.get(most - len(said))
            if best is not None and best.ambiguous:
                confidence = 0.7
            if best is not None and len(said + best.text) > most and wanted is not None:
                best, confidence = wanted, 0.7
            said += best.text if best else ""
        if not said:
            continue
        earlier = value or (previous or "" if negated else "")
        corrected = corrected or bool(earlier)
        value = said if len(said) >= max(least, len(earlier)) else digits_replaced_at_end(earlier, said) or said
    complete = least <= len(value) <= most
    return SlotReading(
        value or None,
        complete,
        open=len(value) < most,
        confidence=confidence if complete else 0.0,
        negated=negated,
        corrected=corrected,
        readable=" ".join(value),
    )


def digits_alone(text: str, lexicon: Lexicon) -> str:
    """The digits of a text that says nothing else ("c'est le soixante-quinze"); empty for any other."""
    words = [word for word in without_fillers(words_of(text), lexicon) if word.text not in lexicon.joints]
    runs = _digit_runs(words, lexicon)
    others = [word for word in words if word.text not in lexicon.links and not is_number_word(word, lexicon)]
    if not runs or others:
        return ""
    found = [natural(readings(run, lexicon.language, MOST_DIGITS)) for run in runs]
    return "".join(digits.text for digits in found if digits is not None)


def _digit_runs(piece: Sequence[Word], lexicon: Lexicon) -> list[list[Word]]:
    """The stretches of number words that are digits, and no article or number in a sentence."""
    words = [word for word in piece if word.text not in lexicon.joints]
    runs = number_runs(words, lexicon)
    if not runs:
        return []
    kept: list[Word] = []
    for position, word in enumerate(words):
        after = words[position + 1].text if position + 1 < len(words) else ""
        kept.append(Word("|") if after in lexicon.counted or _is_article(words, position, lexicon) else word)
    return number_runs(kept, lexicon)


def _is_article(words: Sequence[Word], position: int, lexicon: Lexicon) -> bool:
    """Whether "un" stands before another word that is no number ("un conseiller"), with no number before it."""
    if words[position].text not in lexicon.articles:
        return False
    neighbours = [*words[max(0, position - 1) : position], *words[position + 1 : position + 2]]
    numbers = sum(bool(number_runs([word], lexicon)) for word in neighbours)
    return numbers == 0 and position + 1 < len(words)
