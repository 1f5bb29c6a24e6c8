"""Text as it is written becomes text as it is said. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sayable.english import ENGLISH
from sayable.french import FRENCH
from sayable.italian import ITALIAN
from sayable.markup import plain
from sayable.reading import SignReader

WORDS: Final = {"fr": FRENCH, "it": ITALIAN, "en": ENGLISH}
_BLANKS = re.compile(r"\s+")


def say(text: str, language: str) -> str:
    """What a voice is given for a text; empty when nothing of it can be said. Languages without rules of their own
    are left to the voice."""
    words = plain(text)
    if language[:2].lower() not in WORDS:
        return words
    said = _reader(language[:2].lower()).read(words)
    said = said.replace("un' ", "un'")
    return re.sub(r"\s+([,.;])", r"\1", _BLANKS.sub(" ", said)).strip()


@lru_cache(maxsize=len(WORDS))
def _reader(language: str) -> SignReader:
    return SignReader(language, WORDS[language])
