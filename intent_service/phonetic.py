"""Turns normalised French words into how they sound, so that what a recogniser confuses looks alike. Pure.

A rough code, not a phonetiser: endings go, spellings of one sound become one sign. "je peux être rappelé" and
"je peut être rappeler" give the same line. Other languages are returned as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Without accents "rappelé" and "rappelle" cannot be told apart, so endings that sound é go with the silent ones.
_END: Final = re.compile(r"(?<=..)(?:e(?:r|z|es?|s|nt)?|aient|ai[ts]|[stdxp]{1,2})$")

# In order: longer spellings first. Capitals are sounds: A (an), I (in), O (on), U (ou), E (e with an accent), S (ch).
_SPELLINGS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"eau|aux?|oh", "o"),
        (r"oeu|eu", "e"),
        (r"oin", "wI"),
        (r"oi|oy", "wa"),
        (r"ou", "U"),
        (r"(?:ai|ei|yi|i|y|u)[nm](?![aeiouynmUEo])", "I"),
        (r"ie[nm](?![aeiouynm])", "iI"),
        (r"[ea][nm](?![aeiouynmUE])", "A"),
        (r"o[nm](?![aeiouynmUE])", "O"),
        (r"ai|ei|ay|ey", "E"),
        (r"ch|sh", "S"),
        (r"ph", "f"),
        (r"gn", "ni"),
        (r"g(?=[eiyE])", "j"),
        (r"gu(?=[eiy])", "g"),
        (r"qu|q|ck", "k"),
        (r"sc(?=[eiy])|c(?=[eiyE])", "s"),
        (r"c", "k"),
        (r"x", "ks"),
        (r"(?<=[aeiouyUEAOI])s(?=[aeiouyUEAOI])", "z"),
        (r"h", ""),
        (r"y", "i"),
        (r"w", "v"),
        (r"(.)\1+", r"\1"),
    )
)


@lru_cache(maxsize=20_000)
def sound_of(word: str) -> str:
    """The code of one French word in normalised spelling; never empty for a word that is not."""
    stem = _END.sub("", word)
    for pattern, sound in _SPELLINGS:
        stem = pattern.sub(sound, stem)
    return stem or word


def sounds(text: str, language: str) -> str:
    """The line of codes of a normalised sentence."""
    if language != "fr":
        return text
    return " ".join(sound_of(word) for word in text.split())
