# ruff: noqa: E501 - tables
"""Takes a free note as it was said: any words, but for a bare yes, a bare no and "nothing". Pure."""

from __future__ import annotations

from dialogue.slots.lexicon import Lexicon
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import find_phrase, texts, without_fillers, words_of
from dialogue.slots.yes_no import parse_yes_no

MOST_NOTE = 500  # characters
LONG_WORDS = 12  # a note of so many words is rather a note than anything else that has a meaning
LONG, SHORT = 0.9, 0.8
_BARE_WORDS = 4
_BARE_YES_NO = 0.95
NOTHING_TO_SAY: dict[str, tuple[str, ...]] = {
    "fr": ("rien", "rien du tout", "rien de special", "rien de particulier", "rien a ajouter", "non rien", "pas de message",
           "aucun message", "rien a signaler", "c' est tout", "ce sera tout", "je n' ai rien a ajouter", "non c' est tout",
           "non rien du tout", "non rien de special", "non rien a ajouter", "pas de remarque", "je ne sais pas"),
    "it": ("niente", "nulla", "niente di particolare", "nient' altro", "nessun messaggio", "no niente", "nessuna nota",
           "niente da aggiungere", "e tutto", "basta cosi", "no basta cosi", "no nient' altro", "no nulla", "non lo so"),
    "en": ("nothing", "nothing special", "nothing else", "no message", "nothing to add", "no nothing", "that' s all",
           "that' s it", "no that' s all", "no that' s it", "that is all", "no note", "i don' t know", "no nothing else"),
}  # fmt: skip


def parse_note(text: str, lexicon: Lexicon, most: int = MOST_NOTE) -> SlotReading:
    """The words as they were said, on one line; nothing where they are more than `most` characters, for a note that is
    cut may say something else. Open: whoever dictates may go on."""
    said = " ".join(text.split())
    words = texts(without_fillers(words_of(said), lexicon))
    if not words or len(said) > most:
        return NOTHING
    answer = parse_yes_no(said, lexicon)
    nothing = tuple(sorted(NOTHING_TO_SAY[lexicon.language], key=lambda phrase: -len(phrase.split())))
    is_bare = answer.complete and answer.confidence >= _BARE_YES_NO and len(words) <= _BARE_WORDS
    if is_bare or find_phrase(words, nothing, 0) == len(words):
        return NOTHING
    return SlotReading(said, True, True, LONG if len(words) >= LONG_WORDS else SHORT, readable=said)
