"""Reads a string of digits (a customer number, a code), said one by one or in groups. Pure."""

from __future__ import annotations

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import digits_replaced_at_end, natural, number_runs, readings
from dialogue.slots.reading import SlotReading
from dialogue.slots.words import cut_at_corrections, without_fillers, words_of

MOST_DIGITS = 24


def parse_digits(
    text: str, lexicon: Lexicon, least: int = 1, most: int = MOST_DIGITS, previous: str | None = None
) -> SlotReading:
    """All digits of the text in order; complete when there are from `least` to `most`, open below `most`.

    After a correction only what follows counts, or it replaces the end of what was said when it is too short.
    """
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    value, corrected, confidence = "", False, 0.95
    for piece in pieces:
        said = ""
        for run in number_runs(piece, lexicon):
            found = readings(run, lexicon.language, MOST_DIGITS)
            best = natural(found)
            wanted = found.get(most - len(said))
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
