"""The bot's own words, come back from a loudspeaker telephone, are told from an answer. Pure.

An echo is a piece of what is being said, or was said just now, as the recogniser heard it. Callers say such pieces as
well ("au gaz", of a question that names it), so a short one counts as an echo only where it can be no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from dialogue.flow import Flow
from dialogue.slots.words import fold
from protocol.items import Item, PromptItem, SpeechItem

LONG: Final = 4
"""So many words of a question nobody says back."""
ALIKE: Final = 0.75
"""Share of a long text's words that stand in what was said, in its order; the recogniser mishears some."""
BARE: Final = frozenset({"oui", "non", "si", "no", "yes", "ok", "okay", "allo"})
"""Answers of one word: theirs, even if a question has the word in it."""


def said_texts(flow: Flow, items: Sequence[Item]) -> tuple[str, ...]:
    """What items say, in their order; an item of sound alone says nothing."""
    texts = []
    for item in items:
        match item:
            case PromptItem(name=name):
                texts.append(flow.prompt_texts.get(name, ""))
            case SpeechItem(text=text):
                texts.append(text)
    return tuple(filter(None, texts))


def is_echo(text: str, said: Sequence[str], speaking: bool, stopped: bool = False) -> bool:
    """Whether a text is the bot's own. `said`: what is being said (`speaking`), or was said last, prompt by prompt.

    While it is said any piece of it is an echo, afterwards the end of it. Of speech that was loud enough to stop a
    prompt (`stopped`), only a long piece or a whole prompt.
    """
    words = _words(text)
    if not words or (len(words) == 1 and words[0] in BARE):
        return False
    every = [_words(one) for one in said]
    if words in every:
        return True
    whole = [word for one in every for word in one]
    if len(words) >= LONG:
        blocks = SequenceMatcher(None, whole, words, autojunk=False).get_matching_blocks()
        return sum(block.size for block in blocks) >= ALIKE * len(words)
    if stopped:
        return False
    if not speaking:
        return whole[-len(words) :] == words
    return any(whole[at : at + len(words)] == words for at in range(len(whole) - len(words) + 1))


def _words(text: str) -> list[str]:
    plain = "".join(char if char.isalnum() else " " for char in fold(text))
    return plain.split()
