"""Hears that a caller takes something back: four shapes of correction, in each language. Pure.

    not X, I meant Y     « non, pas lundi, je voulais dire mardi »
    rather Y             « ou plutôt mardi »
    I was wrong, it is Y « je me suis trompée, c'est mardi »
    I correct: Y         « je corrige : mardi »

Without regard to case and accents; commas are optional. What X and Y are is read elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_START = (
    r"^(?:(?:euh|heu|ah|oh|eh|ehm|uhm|um|uh|hm|pardon|excusez moi|scusi|scusa|sorry|attendez|aspetti|wait|no|non)\s+)*"
)
_SHAPES: dict[str, tuple[str, ...]] = {
    "fr": (
        r"^(?:.*?\bnon\s+)?(?:ce n est )?pas (?P<old>.+?)\s+"
        r"(?:mais|je voulais dire|je veux dire|je pensais a|c est)\s+(?P<new>.+)$",
        _START
        + r"(?:(?:ou|enfin|ou bien)\s+)?(?:plutot|je prefere|je prefererais|ce serait mieux|mieux vaut)\s+(?P<new>.+)$",
        r"(?:^|.*\b)(?:je me suis trompee?|j ai fait une erreur|je me trompe|c est une erreur|erreur)\s+"
        r"(?:(?:en fait|c est|c etait|je voulais(?: dire)?)\s+)*(?P<new>.+)$",
        r"(?:^|.*\b)(?:je corrige|je rectifie|correction|rectification)\s+(?:c est\s+)?(?P<new>.+)$",
    ),
    "it": (
        r"^(?:.*?\bno\s+)?non (?:e )?(?P<old>.+?)\s+(?:ma|volevo dire|intendevo|e)\s+(?P<new>.+)$",
        _START + r"anzi\s+(?:(?:meglio|preferisco|e meglio|facciamo)\s+)?(?P<new>.+)$",
        r"(?:^|.*\b)(?:ho sbagliato|mi sono sbagliat[oa]|errore)\s+"
        r"(?:(?:e|era|volevo(?: dire)?|intendevo)\s+)*(?P<new>.+)$",
        r"(?:^|.*\b)(?:corregg?o|rettifico|correzione)\s+(?:e\s+)?(?P<new>.+)$",
    ),
    "en": (
        r"^(?:.*?\bno\s+)?(?:it s )?not (?P<old>.+?)\s+(?:but|i meant|i mean|it s|it is)\s+(?P<new>.+)$",
        _START + r"(?:or\s+)?(?:rather|i d rather|i prefer|better|make (?:it|that))\s+(?P<new>.+)$",
        r"(?:^|.*\b)(?:i was wrong|i made a mistake|my mistake|i got (?:it|that) wrong)\s+"
        r"(?:(?:it s|it is|it was|i meant|i wanted)\s+)*(?P<new>.+)$",
        r"(?:^|.*\b)(?:i correct(?: myself)?|let me correct(?: that| myself)?|correction)\s+"
        r"(?:it s\s+|it is\s+)?(?P<new>.+)$",
    ),
}
_COMPILED = {language: tuple(map(re.compile, shapes)) for language, shapes in _SHAPES.items()}
MOST_TEXT = 300  # characters; nobody corrects in more


@dataclass(frozen=True)
class Correction:
    """`new` is what it is now, `old` what it is not, where that was said; both as the caller's own words. `declared`:
    the words can mean nothing but a correction."""

    new: str
    old: str = ""
    declared: bool = False


def correction_of(text: str, language: str) -> Correction | None:
    """What a sentence takes back, None when it takes nothing back."""
    if len(text) > MOST_TEXT:
        return None
    words = _words(text)
    plain = " ".join(word for word, _, _ in words)
    for number, shape in enumerate(_COMPILED.get(language.partition("-")[0], ())):
        found = shape.match(plain)
        if found is not None:
            groups = found.groupdict()
            old = _original(text, words, plain, *found.span("old")) if groups.get("old") else ""
            return Correction(_original(text, words, plain, *found.span("new")), old, number >= 2)
    return None


_QUESTIONS = {
    "fr": r"^(?:et )?(?:(?:a|de|jusqu a|pour|avec) )?"
    r"(?:combien|comment|ou|quand|quels?|quelles?|pourquoi|est ce que|(?:vous )?(?:etes|ouvrez|fermez)(?: vous)?)\b",
    "it": r"^(?:e |ma |scusi )*(?:(?:a|da|fino a|in|per|con|di) )?"
    r"(?:quanto|quanti|quanta|come|dove|quando|quali|qual|perche|che|cosa|chi"
    r"|siete (?:apert|chius)[aie]|aprite|chiudete|lavorate|avete (?:il|lo|la|l|i|gli|le|dei|degli|delle))\b",
    "en": r"^(?:and )?(?:how|where|when|what|which|why|who|do you|is there|are you (?:open|closed))\b",
}


def asks_something(text: str, language: str) -> bool:
    """Whether a sentence is a question."""
    return _finds(_QUESTIONS, text, language)


_RELATIVE_DAYS = {
    "fr": r"\b(?:demain|apres demain|aujourd hui|ce matin|ce soir|cet apres midi|dans \w+ (?:jour|semaine)s?)\b",
    "it": r"\b(?:domani|dopodomani|oggi|stamattina|stasera|stanotte|(?:tra|fra) \w+ (?:giorn|settiman)\w+)\b",
    "en": r"\b(?:tomorrow|today|tonight|this (?:morning|afternoon|evening)|in \w+ (?:day|week)s?)\b",
}


def names_today(text: str, language: str) -> bool:
    """Whether a text names a day by how far it is from today."""
    return _finds(_RELATIVE_DAYS, text, language)


def _finds(patterns: Mapping[str, str], text: str, language: str) -> bool:
    """Whether a language's pattern is in a text's bare words; a language that has none finds nothing."""
    plain = " ".join(word for word, _, _ in _words(text))
    return re.search(patterns.get(language.partition("-")[0], "$^"), plain) is not None


def _words(text: str) -> list[tuple[str, int, int]]:
    """Each word without accents and case, with its place in the text."""
    return [(_plain(found[0]), found.start(), found.end()) for found in re.finditer(r"[^\W_]+(?:[.:/-]\d+)*", text)]


def _plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))


def _original(text: str, words: list[tuple[str, int, int]], plain: str, begin: int, end: int) -> str:
    """The caller's own words between two places of the plain text."""
    first = len(plain[:begin].split())
    last = len(plain[:end].split()) - 1
    return text[words[first][1] : words[last][2]]
