"""Hears that somebody spells: letters, letter names, "M comme Marie", bare alphabets, accents, hyphens. Pure.

A recogniser writes "D U P O N T", "D-U-P-O-N-T." or "dé u pé o enne té"; callers say "deux n", "e accent aigu", "emme
come Milano", "trait d'union". What comes out is the text that was spelled, in lower case with its accents.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from dialogue.slots.alphabets import ALPHABETS, Alphabet
from dialogue.slots.words import MAX_CHARACTERS, Word, fold

_WORD = re.compile(r"\d+|[^\W\d_]+['’ʼ`´]|[^\W\d_]+")
_PAUSES = frozenset(",;:.!?…")
LEAST_LETTERS = 3  # fewer are a word of one letter beside another ("il y a"), unless spelling was announced
MANY_LETTERS = 5  # nobody says so many words that are letters, and means words
_VOWELS = frozenset("aeiouy")
_HEARD_ALIKE = ("mn", "bdpvtg", "fsx", "cs", "jg", "qk", "ei", "au", "ou", "ae", "aeio")
"""Letters that a recogniser writes for one another on the telephone."""
_CLEAR = frozenset({"comme", "come"})
_ALPHABET_WORDS = 3  # so many bare words of an alphabet in a row spell


@dataclass(frozen=True)
class WrittenWord(Word):
    """A word that also knows how the recogniser wrote it: `written` has case and accents, and no apostrophe."""

    written: str = ""


@dataclass(frozen=True)
class Spelling:
    """What was spelled, and the place behind its last word."""

    text: str
    end: int


def written_words(text: str) -> list[WrittenWord]:
    """The words of a transcript with how they were written."""
    plain = unicodedata.normalize("NFC", text[:MAX_CHARACTERS])
    found: list[WrittenWord] = []
    end = 0
    for match in _WORD.finditer(plain):
        gap = plain[end : match.start()]
        pause = any(character in _PAUSES for character in gap)
        found.append(WrittenWord(fold(match[0]), gap in "-‐‑" and gap != "", pause, match[0].rstrip("'’ʼ`´")))
        end = match.end()
    return found


@dataclass(frozen=True)
class _Letter:
    """One element: its characters, the place behind it, how much it shows that somebody spells; `is_clear`: all by
    itself ("M comme Marie")."""

    text: str
    end: int
    evidence: int
    is_single: bool = False
    is_clear: bool = False


def spelled_at(words: Sequence[WrittenWord], start: int, language: str, announced: bool = False) -> Spelling | None:
    """The longest spelling that begins at a word, None where nothing is spelled. `announced`: "ça s'écrit" was said."""
    alphabet = ALPHABETS[language]
    letters: list[_Letter] = []
    starts: list[int] = []
    position = start
    while position < len(words):
        if letters and (skipped := _phrase_at(words, position, alphabet.skipped)):
            position += skipped
            continue
        letter = _element(words, position, alphabet, bool(letters))
        if letter is None:
            break
        letters.append(letter)
        starts.append(position)
        position = letter.end
    while letters and not letters[-1].text.strip("- '"):  # a sign joins what follows
        letters.pop()
        starts.pop()
    if language == "it" and len(letters) > 2 and words[start].written in ("è", "È"):
        letters, starts = letters[1:], starts[1:]  # "il cognome è R O S S I"
    apart = len(starts) >= LEAST_LETTERS and all(words[at].pause for at in starts[1:])  # "bee, oh, en, dee"
    if letters and _is_spelled(letters, announced or apart):
        return Spelling(_text(words, letters, starts), letters[-1].end)
    return _by_alphabet(words, start, alphabet)


def letter_at(words: Sequence[WrittenWord], start: int, language: str) -> tuple[str, int] | None:
    """One letter by its sign, name or likeness, with the place behind it."""
    found = _element(words, start, ALPHABETS[language], False) if start < len(words) else None
    return (found.text, found.end) if found is not None and found.text.isalpha() else None


def _is_spelled(letters: Sequence[_Letter], announced: bool) -> bool:
    count = sum(len(letter.text) for letter in letters if letter.text.isalpha())
    evidence = sum(letter.evidence for letter in letters)
    if any(letter.is_clear for letter in letters) or announced:
        return count >= 1
    is_shown = evidence >= 2 or count + evidence >= MANY_LETTERS or all(letter.is_single for letter in letters)
    return count >= LEAST_LETTERS and is_shown


def _element(words: Sequence[WrittenWord], at: int, alphabet: Alphabet, within: bool) -> _Letter | None:
    """A letter in any of the ways it can be said, with its accent; a sign only within a spelling."""
    for phrase, sign in alphabet.signs if within else ():
        if length := _phrase_at(words, at, (phrase,)):
            return _Letter(sign, at + length, 0)
    for phrase, letter in alphabet.long_letters:
        if length := _phrase_at(words, at, (phrase,)):
            likened = _likened(words, at + length, alphabet, letter, "", within)
            return likened or _Letter(letter, at + length, 1)
    times = alphabet.twice.get(words[at].text, 0)
    if not times:
        return _accented(words, at, alphabet, within)
    doubled = _accented(words, at + 1, alphabet, False) if at + 1 < len(words) else None
    if doubled is None or len(doubled.text) != 1:
        return None
    end = doubled.end
    if end < len(words) and words[end].text == "s" and words[end - 1].text.endswith("'"):
        end += 1  # "two t's"
    return _Letter(doubled.text * times, end, doubled.evidence + 1)


def _accented(words: Sequence[WrittenWord], at: int, alphabet: Alphabet, within: bool) -> _Letter | None:
    """A letter by its sign or its name, with what makes it clear, or its accent."""
    word = words[at]
    named, evidence, is_single = _named(words, at, alphabet)
    behind = at + 1
    if named and _has_echo(words, behind, alphabet):
        behind += 1  # "S e come Savona": esse
    likened = _likened(words, behind, alphabet, named, word.text, within)
    if likened is not None or not named:
        return likened
    for phrase, mark in alphabet.accents:
        if length := _phrase_at(words, at + 1, (phrase,)):
            base = unicodedata.normalize("NFD", named)[0]
            marked = unicodedata.normalize("NFC", base + mark)
            return _Letter(marked if len(marked) == 1 else base, at + 1 + length, 2, is_single, True)
    return _Letter(named, at + 1, evidence, is_single)


def _has_echo(words: Sequence[WrittenWord], at: int, alphabet: Alphabet) -> bool:
    """Whether a stray "e" stands between a letter and what it is likened to."""
    return at < len(words) and words[at].text == "e" and _phrase_at(words, at + 1, alphabet.likened) > 0


def _named(words: Sequence[WrittenWord], at: int, alphabet: Alphabet) -> tuple[str, int, bool]:
    """The letter that a word is or names, empty for none; its evidence; whether it is the sign itself."""
    word = words[at]
    if at and words[at - 1].text.endswith("'"):
        return "", 0, False  # "can't see"
    bare = word.text.removesuffix("'")
    if len(bare) == 1 and bare.isalpha():
        if bare != word.text and not (at + 1 < len(words) and words[at + 1].text == "s"):
            return "", 0, False  # "j'", "l'": elided words are no letters
        is_shown = bare not in _VOWELS or word.hyphen or word.written.isupper()
        return (word.written.lower() if len(word.written) == 1 else bare), int(is_shown), True
    if word.text in alphabet.letters:
        is_unusual = word.text not in alphabet.usual_words or word.written.lower() != word.text  # "dé" is not "de"
        return alphabet.letters[word.text], int(is_unusual), False
    return "", 0, False


def _likened(
    words: Sequence[WrittenWord], at: int, alphabet: Alphabet, named: str, said: str, within: bool
) -> _Letter | None:
    """ "M comme Marie": the word decides, for it is heard more surely than the letter ("N comme Marie"). `at`: behind
    the letter, `named`; `said` is how it was heard where that names none."""
    length = _phrase_at(words, at, alphabet.likened)
    behind = at + length
    if not length or behind >= len(words) or words[behind].pause or said.isdigit():
        return None
    shown = words[behind].text.removesuffix("'")
    if shown in ("le", "la", "l", "un", "une", "il", "the", "a") and behind + 1 < len(words):
        behind += 1  # "comme un ananas"
        shown = words[behind].text
    if len(shown) < 3 or not shown.isalpha() or shown in alphabet.twice or shown in alphabet.letters:
        return None
    plain = fold(named)
    is_clear = shown in alphabet.words and words[at].text in _CLEAR  # "ci come Torino"
    is_alike = words[at].text != "di" and any({plain, shown[0]} <= set(alike) for alike in _HEARD_ALIKE)
    if plain and (plain == shown[0] or is_alike or is_clear):
        is_vowel = {plain, shown[0]} <= _VOWELS and shown not in alphabet.words  # "O come Utranto"
        text = named if plain == shown[0] or is_vowel else shown[0]
        return _Letter(text, behind + 1, 2, is_clear=True)
    is_misheard = within and not named and words[at].text in _CLEAR and 0 < len(said) < 6 and len(shown) > 2
    return _Letter(shown[0], behind + 1, 2, is_clear=True) if is_misheard else None


def _by_alphabet(words: Sequence[WrittenWord], start: int, alphabet: Alphabet) -> Spelling | None:
    """Bare words of a spelling alphabet: "Delta Uniform Papa Oscar"."""
    found: list[str] = []
    position = start
    while position < len(words):
        word = words[position].text
        if word in alphabet.words and not words[position].hyphen:
            found.append(alphabet.words[word])
        elif found and (sign := next((s for p, s in alphabet.signs if _phrase_at(words, position, (p,)) == 1), "")):
            found.append(sign)
        else:
            break
        position += 1
    while found and not found[-1].isalpha():
        found.pop()
        position -= 1
    return Spelling("".join(found), position) if len(found) >= _ALPHABET_WORDS else None


def _text(words: Sequence[WrittenWord], letters: Sequence[_Letter], starts: Sequence[int]) -> str:
    """The letters, with a blank where one word ends and the next begins: at a pause, or between hyphenated groups."""
    pauses = [n for n in range(1, len(letters)) if words[starts[n]].pause]
    cuts = set(pauses) if _are_words([0, *pauses, len(letters)]) else set()
    hyphens = [n for n in range(1, len(letters)) if words[starts[n]].hyphen]
    if hyphens:
        cuts |= {
            n
            for n in range(2, len(letters) - 1)
            if not words[starts[n]].hyphen and words[starts[n - 1]].hyphen and words[starts[n + 1]].hyphen
        }
    return "".join((" " if n in cuts else "") + letter.text for n, letter in enumerate(letters))


def _are_words(ends: Sequence[int]) -> bool:
    """Whether pauses cut the letters into words, and do not merely stand between letters."""
    return len(ends) > 2 and all(after - before >= 2 for before, after in itertools.pairwise(ends))


def _phrase_at(words: Sequence[WrittenWord], at: int, phrases: Sequence[str]) -> int:
    """How many words the first of some phrases covers here, 0 when none does."""
    for phrase in phrases:
        parts = phrase.split()
        if [word.text for word in words[at : at + len(parts)]] == parts:
            return len(parts)
    return 0
