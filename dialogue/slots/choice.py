"""Reads one of a few named choices ("gaz", "pompe à chaleur") by the phrases that stand for each. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import Word, cut_at_corrections, phrase_words, texts, without_fillers, words_of

CLOSE_ENOUGH = 0.84  # similarity of a misheard phrase


def parse_choice(text: str, lexicon: Lexicon, choices: Mapping[str, Sequence[str]]) -> SlotReading:
    """The key of the choice that is named; what follows a correction wins, a denied mention ("pas le gaz") is skipped.

    Two choices named side by side give the first, with little confidence. Raises ValueError when `choices` is empty.
    """
    if not choices:
        raise ValueError("a choice slot needs choices")
    phrases = sorted(
        ((phrase_words(phrase), value) for value, listed in choices.items() for phrase in (value, *listed)),
        key=lambda pair: -len(pair[0]),
    )
    words = without_fillers(words_of(text), lexicon)
    pieces, negated = cut_at_corrections(words, lexicon)
    found, corrected = NOTHING, False
    for piece in pieces:
        reading = _piece(piece, lexicon, phrases)
        if reading.complete:
            corrected = corrected or (found.complete and found.value != reading.value)
            found = reading
    return found.with_flags(negated, corrected)


def _piece(piece: Sequence[Word], lexicon: Lexicon, phrases: Sequence[tuple[tuple[str, ...], str]]) -> SlotReading:
    words = texts(piece)
    named: list[str] = []
    position = 0
    while position < len(words):
        match = next((p for p in phrases if tuple(words[position : position + len(p[0])]) == p[0]), None)
        if match is None:
            position += 1
            continue
        if not _denied(words, position, lexicon):
            named.append(match[1])
        position += len(match[0])
    if named:
        sure = len(set(named)) == 1
        return SlotReading(named[0], True, words[-1] in lexicon.dangling, 0.95 if sure else 0.5, readable=named[0])
    return _misheard(words, phrases)


def _denied(words: Sequence[str], position: int, lexicon: Lexicon) -> bool:
    """Whether "pas", "pas de", "pas le" ... stands right before the mention."""
    return any(
        position >= len(parts) and tuple(words[position - len(parts) : position]) == parts
        for parts in map(phrase_words, lexicon.negations)
    )


def _common_letters(one: str, other: str) -> int:
    """How many letters two texts share, in whatever order."""
    return sum(min(one.count(letter), other.count(letter)) for letter in set(other))


def _misheard(words: Sequence[str], phrases: Sequence[tuple[tuple[str, ...], str]]) -> SlotReading:
    """The choice whose phrase is nearly what was heard, when no phrase is exactly there.

    Two upper bounds, lengths and common letters, sort out nearly every pair before the ratio itself, the costly part.
    """
    best, value = 0.0, ""
    pieces: dict[int, list[str]] = {}
    for parts, candidate in phrases:
        phrase = " ".join(parts)
        if len(phrase) < 4:
            continue
        length = len(parts)
        if length not in pieces:
            starts = range(max(1, len(words) - length + 1))
            pieces[length] = list(dict.fromkeys(" ".join(words[start : start + length]) for start in starts))
        for piece in pieces[length]:
            both = len(piece) + len(phrase)
            if 2 * min(len(piece), len(phrase)) < CLOSE_ENOUGH * both:
                continue
            if 2 * _common_letters(piece, phrase) < max(best, CLOSE_ENOUGH) * both:
                continue
            ratio = difflib.SequenceMatcher(None, piece, phrase).ratio()
            if ratio > best:
                best, value = ratio, candidate
    if best < CLOSE_ENOUGH:
        return NOTHING
    return SlotReading(value, True, False, 0.88 * best, readable=value)
