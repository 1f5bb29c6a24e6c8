"""Reads a yes or a no, however politely it is said. Pure."""

from __future__ import annotations

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import find_phrase, texts, without_fillers, words_of


def parse_yes_no(text: str, lexicon: Lexicon) -> SlotReading:
    """True, False or nothing. When both are said the last one counts, with little confidence."""
    words = texts(without_fillers(words_of(text), lexicon))
    answers: list[bool] = []
    covered = 0
    position = 0
    while position < len(words):
        yes, no = find_phrase(words, lexicon.yes, position), find_phrase(words, lexicon.no, position)
        length = max(yes, no)
        if length:
            answers.append(yes > no)
            covered += length
        position += max(length, 1)
    if not answers:
        return NOTHING
    value = answers[-1]
    mixed = len(set(answers)) > 1
    confidence = 0.6 if mixed else 0.97 if covered * 2 >= len(words) else 0.85
    readable = {"fr": ("non", "oui"), "it": ("no", "sì"), "en": ("no", "yes")}[lexicon.language][value]
    return SlotReading(
        value,
        complete=True,
        open=words[-1] in lexicon.dangling,
        confidence=confidence,
        negated=not value,
        corrected=mixed,
        readable=readable,
    )
