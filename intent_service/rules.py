"""What is decided before any classifier: a phrase said word for word, and sentences of declared words. Pure.

`only` and `has` lists come from the phrase files, so a rule is written by whoever writes the intents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from intent_service.normalise import NUMBER, PHONE, TIME, ZIP_CODE
from intent_service.phrases import PhraseSet

_PLACEHOLDERS = {"{zip_code}": ZIP_CODE, "{phone}": PHONE, "{time}": TIME, "{number}": NUMBER}

Normaliser = Callable[[str], str]


@dataclass(frozen=True)
class Ruling:
    """A decision and the rule that made it."""

    intent: str
    rule: str
    """`phrase` (word for word), `only` or `has`."""


class PhraseRules:
    """The rules of the phrase sets of one language."""

    def __init__(self, sets: Sequence[PhraseSet], normaliser: Normaliser, word_for_word: bool = True) -> None:
        owners: dict[str, set[str]] = {}
        for phrase_set in sets if word_for_word else ():
            for intent in phrase_set.intents:
                for phrase in intent.phrases:
                    owners.setdefault(normaliser(phrase), set()).add(intent.name)
        self._phrases = {text: names.pop() for text, names in owners.items() if text and len(names) == 1}
        self._polite = {_expression(words, normaliser) for one in sets for words in one.polite} - {()}
        self._only = {
            intent.name: {_expression(words, normaliser) for words in intent.only} - {()}
            for phrase_set in sets
            for intent in phrase_set.intents
            if intent.only
        }
        self._has = {
            intent.name: {_expression(words, normaliser) for words in intent.has} - {()}
            for phrase_set in sets
            for intent in phrase_set.intents
            if intent.has
        }

    def decide(self, text: str, allowed: frozenset[str]) -> Ruling | None:
        """The ruling on a normalised sentence, if exactly one of the `allowed` intents fits."""
        by_phrase = self._phrases.get(text)
        if by_phrase in allowed:
            return Ruling(by_phrase, "phrase")
        words = tuple(text.split())
        fits = [name for name, expressions in self._only.items() if self._made_of(words, expressions)]
        if len(fits) == 1 and fits[0] in allowed:
            return Ruling(fits[0], "only")
        holds = [name for name, expressions in self._has.items() if _holds(words, expressions)]
        if not fits and len(holds) == 1 and holds[0] in allowed:
            return Ruling(holds[0], "has")
        return None

    def _made_of(self, words: tuple[str, ...], expressions: set[tuple[str, ...]]) -> bool:
        """Whether the words split into expressions and polite words, at least one expression among them."""
        # reached[i]: with the first i words split, whether an expression was among them (None: no split ends here)
        reached: list[bool | None] = [False] + [None] * len(words)
        for start in range(len(words)):
            if reached[start] is None:
                continue
            for end in range(start + 1, len(words) + 1):
                piece = words[start:end]
                if piece in expressions:
                    reached[end] = True
                elif piece in self._polite:
                    reached[end] = bool(reached[end]) or bool(reached[start])
        return bool(words) and reached[len(words)] is True


def _holds(words: tuple[str, ...], expressions: set[tuple[str, ...]]) -> bool:
    return any(
        words[start : start + len(expression)] == expression
        for expression in expressions
        for start in range(len(words) - len(expression) + 1)
    )


def _expression(text: str, normaliser: Normaliser) -> tuple[str, ...]:
    words = (
        [_PLACEHOLDERS.get(word) or normaliser(word) for word in text.split()] if "{" in text else [normaliser(text)]
    )
    return tuple(" ".join(words).split())
