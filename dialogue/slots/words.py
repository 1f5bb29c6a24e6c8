"""Turns a transcript into words without accents, and cuts it where the caller corrects themselves. Pure.

Both kinds of transcript come out alike: lower-case words ("soixante quinze zéro onze") and punctuated text with digits
("C'est le 75 011.").
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from dialogue.slots.lexicon import Lexicon

_WORD = re.compile(r"\d+|\+(?=\s?\d)|[^\W\d_]+'|[^\W\d_]+")
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'"})
MAX_CHARACTERS = 1_000  # nothing said in one breath is longer; bounds the work on garbage


@dataclass(frozen=True)
class Word:
    """One word in lower case without accents; a digit string is a word too.

    `hyphen`: it hangs on the word before it ("soixante-quinze"); `pause`: punctuation stands before it.
    """

    text: str
    hyphen: bool = False
    pause: bool = False

    @property
    def is_digits(self) -> bool:
        """Whether it was written in digits."""
        return self.text.isdigit()


def fold(text: str) -> str:
    """Lower case, accents removed, one kind of apostrophe, ligatures opened."""
    lowered = text.translate(_APOSTROPHES).lower().replace("œ", "oe").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))


def words_of(text: str) -> list[Word]:
    """The words of a transcript; an elided word keeps its apostrophe and stands alone ("c'", "est")."""
    return list(_cut(text[:MAX_CHARACTERS]))


@functools.lru_cache(maxsize=64)
def _cut(text: str) -> tuple[Word, ...]:
    """One transcript is read as many things in one step."""
    folded = fold(text)
    found: list[Word] = []
    end = 0
    for match in _WORD.finditer(folded):
        gap = folded[end : match.start()]
        found.append(Word(match.group(), hyphen=gap == "-", pause=any(c in ",;:.!?…" for c in gap)))
        end = match.end()
    return tuple(found)


_AWord = TypeVar("_AWord", bound=Word)


def texts(words: Sequence[Word]) -> list[str]:
    """The bare texts."""
    return [word.text for word in words]


@functools.cache
def phrase_words(phrase: str) -> tuple[str, ...]:
    """A lexicon phrase cut like a transcript."""
    return tuple(texts(words_of(phrase)))


@functools.cache
def _by_first_word(phrases: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for parts in map(phrase_words, phrases):
        found.setdefault(parts[0], []).append(parts)
    return found


def find_phrase(words: Sequence[str], phrases: tuple[str, ...], start: int) -> int:
    """How many words the first phrase that matches at `start` covers, 0 when none does. Phrases come longest first."""
    for parts in _by_first_word(phrases).get(words[start], ()) if start < len(words) else ():
        if tuple(words[start : start + len(parts)]) == parts:
            return len(parts)
    return 0


def without_fillers(words: Sequence[_AWord], lexicon: Lexicon) -> list[_AWord]:
    """The words without hesitations."""
    return [word for word in words if word.text not in lexicon.fillers]


def cut_at_corrections(words: Sequence[_AWord], lexicon: Lexicon) -> tuple[list[list[_AWord]], bool]:
    """The pieces between corrections ("..., non, ..."), and whether the text began with a refusal.

    Pieces without words are left out: "non pardon" is one correction.
    """
    bare = texts(words)
    pieces: list[list[_AWord]] = [[]]
    negated = False
    position = 0
    while position < len(words):
        length = find_phrase(bare, lexicon.corrections, position)
        if length:
            negated = negated or (position == 0 and bare[0] in {"non", "no", "nan"})
            pieces.append([])
            position += length
        else:
            pieces[-1].append(words[position])
            position += 1
    return [piece for piece in pieces if piece], negated
