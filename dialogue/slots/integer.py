"""A whole number within a range, as it is said or written ("nous serons vingt et un", "12"). Pure.

One number is wanted: with two ("deux ou trois"), or one that may be said in several ways, there is no reading, so that
it is asked again and never guessed.
"""

from __future__ import annotations

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import natural, number_runs, readings
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import cut_at_corrections, without_fillers, words_of

MOST_INTEGER = 999_999
_MOST_DIGITS = 6
SURE, SOLE = 0.95, 0.8


def parse_integer(text: str, lexicon: Lexicon, least: int, most: int) -> SlotReading:
    """The one number of a text, complete within the range; after a correction ("trois, non, quatre") the last piece.

    Open while more may follow that makes it another ("vingt" ... "et un").
    """
    pieces, negated = cut_at_corrections(without_fillers(words_of(text), lexicon), lexicon)
    for piece in reversed(pieces):
        runs = number_runs(piece, lexicon)
        if len(runs) > 1:  # "un" before a word is rather an article than a number
            runs = [run for run in runs if len(run) > 1 or run[0].text not in lexicon.articles]
        if not runs:
            continue
        found = natural(readings(runs[0], lexicon.language, _MOST_DIGITS)) if len(runs) == 1 else None
        if found is None or found.ambiguous or len(found.groups) != 1 or (found.text[0] == "0" and found.text != "0"):
            return NOTHING.with_flags(negated, len(pieces) > 1)
        value = int(found.text)
        is_alone = len(runs[0]) == len(piece)
        is_article = len(runs[0]) == 1 and runs[0][0].text in lexicon.articles and not is_alone
        if is_article or not least <= value <= most:
            return NOTHING.with_flags(negated, len(pieces) > 1)
        may_go_on = not runs[0][-1].is_digits and value >= 20 and value % 10 == 0
        return SlotReading(
            str(value), True, may_go_on, SURE if is_alone else SOLE, negated, len(pieces) > 1, str(value)
        )
    return NOTHING
