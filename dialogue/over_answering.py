"""What an utterance says beyond its answer: clauses that may answer questions that are still to come. Pure.

"Soixante-quinze mille onze, je suis propriétaire et je me chauffe au fioul" answers three questions in one breath. The
clauses that are not the answer itself are kept with the conversation; a state that is entered looks there first.
"""

from __future__ import annotations

import re

from dialogue.flow import Flow
from dialogue.slots import NUMBER_TYPES
from dialogue.slots.lexicon import Lexicon, lexicon_of
from dialogue.slots.numbers import is_number_word
from dialogue.slots.words import MAX_CHARACTERS, words_of

MOST_CLAUSES = 3
LEAST_WORDS = 2  # "oui" and "merci" are no clauses
_PAUSES = re.compile(r"[,;.!?…]+(?=\s|$)")
_SUBJECTS = {
    "fr": re.compile(
        r"(?<!\S)(?:et |puis |donc |alors )?(?=j['’]|(?:je|on|nous|c'est|ma|mon|notre)(?![^\W\d_]))", re.I
    ),
    "it": re.compile(r"(?<!\S)(?:e |poi )?(?=(?:io|sono|ho|mi|abbiamo|siamo|la mia|il mio)(?![^\W\d_]))", re.I),
    "en": re.compile(r"(?<!\S)(?:and |so )?(?=(?:i|i'm|i’m|i've|we|we're|it's|my|our)(?![^\W\d_]))", re.I),
}
"""Where a clause begins in a transcript without punctuation: before its subject."""


def clauses(text: str, language: str) -> list[str]:
    """The clauses of an utterance, in order."""
    found: list[str] = []
    for stretch in _PAUSES.split(text[:MAX_CHARACTERS]):
        starts = [0, *(match.end() for match in _SUBJECTS[lexicon_of(language).language].finditer(stretch))]
        cuts = [match.start() for match in _SUBJECTS[lexicon_of(language).language].finditer(stretch)]
        found += [stretch[start:end].strip() for start, end in zip(starts, [*cuts, len(stretch)], strict=True)]
    return [clause for clause in found if clause]


def beyond(flow: Flow, slot_type: str, text: str) -> tuple[str, ...]:
    """The clauses that say more than the value of a slot of `slot_type`, which the text holds."""
    lexicon = lexicon_of(flow.language)
    said = clauses(text, flow.language)
    if slot_type not in NUMBER_TYPES or len(said) < 2:
        return ()
    return tuple(clause for clause in said if _says_something(clause, lexicon))[:MOST_CLAUSES]


def _says_something(clause: str, lexicon: Lexicon) -> bool:
    words = [word for word in words_of(clause) if word.text not in lexicon.fillers]
    numbers = [word for word in words if is_number_word(word, lexicon) and word.text not in lexicon.articles]
    return not numbers and len(words) >= LEAST_WORDS
