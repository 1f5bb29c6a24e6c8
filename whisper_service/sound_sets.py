"""Which meaning of a closed set an utterance sounds like. Pure.

Free decoding writes "le gaz" as "c'est le gars", "oui, c'est ça" as "Où est-ce ça ?": it knows what people write, and
hears short words badly. A network that hears phonemes and knows no word (`sound_ear`) tells how well each thing that a
caller may say there fits. What fits as a whole, and far better than every other meaning, was said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from whisper_service.closed_sets import (
    Awaited,
    ClosedSet,
    Weighed,
    choice_set,
    closed_set,
    is_choice_worth_scoring,
    is_worth_scoring,
)
from whisper_service.phrases import normalise

_ALSO_SAID: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "yes": "oui merci|c'est ça|tout à fait|exactement|bah oui|ah oui|oui voilà|oui s'il vous plaît|oui oui c'est ça"
        "|oui c'est exact|c'est exact|oui exactement|oui avec plaisir|oui c'est bien ça|c'est bien ça|oui c'est bon",
        "no": "ah non|bah non|nan|pas du tout|non c'est pas ça|c'est pas ça|non c'est faux|non pas vraiment",
    }
}
"""By meaning, besides the texts of the closed set that the decoder is asked about."""
_LEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": (
        "{}", "au {}", "le {}", "du {}", "à {}", "la {}", "à la {}", "l'{}", "à l'{}", "c'est {}", "c'est le {}",
        "c'est la {}", "c'est au {}", "c'est du {}", "j'ai le {}", "j'ai une {}", "avec du {}", "oui le {}",
        "oui au {}", "euh le {}", "plutôt le {}",
    )
}  # fmt: skip
"""What callers say before a choice."""
LEAST_BEHIND: Final = -2.0
"""Natural log that even the shortest text may be behind the likeliest sounds."""
ANSWER_BEHIND: Final = -0.4
CHOICE_BEHIND: Final = -1.6
"""So much more for each of its phonemes. A yes decides more than a choice does, and much sounds like "oui"."""
APART: Final = 10.0
"""Natural log between a meaning and every other one."""


@dataclass(frozen=True)
class SoundSet:
    """What may be said for each meaning of a closed set. `ways`: text -> meaning."""

    ways: Mapping[str, str]
    expected: ClosedSet
    is_choice: bool

    @cached_property
    def rivals(self) -> tuple[str, ...]:
        """Short words that are none of it."""
        return tuple(self.expected.rivals.split("|"))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All that is scored."""
        return (*self.ways, *self.rivals)

    @cached_property
    def named(self) -> Mapping[str, str]:
        """Meaning -> what it is written as, where not as it was said: a choice by its name."""
        return {name: name for name in self.ways.values()} if self.is_choice else {}

    def may_tell(self, text: str, avg_logprob: float) -> bool:
        """Whether it may tell better what was said than a decoded text with this mean log probability does."""
        if self.is_choice:
            return text == "" or is_choice_worth_scoring(self.expected, text, avg_logprob)
        return is_worth_scoring(self.expected, text, avg_logprob)


def all_sounds(awaited: Awaited, language: str) -> tuple[SoundSet, ...]:
    """The sets of what is awaited: of a yes or no, of a choice."""
    sets = (_answers(awaited.types, language), _choices(awaited.choices, language))
    return tuple(one for one in sets if one is not None)


def sounds_awaited(awaited: Awaited, language: str, text: str, avg_logprob: float) -> Iterator[SoundSet]:
    """Those of them that may tell better what was said than the text that was decoded."""
    return (one for one in all_sounds(awaited, language) if one.may_tell(text, avg_logprob))


@lru_cache(maxsize=256)
def _answers(types: tuple[str, ...], language: str) -> SoundSet | None:
    expected = closed_set(types, language)
    if expected is None:
        return None
    ways = {text: meaning for meaning, texts in expected.written.items() for text in texts.split("|")}
    for meaning, texts in _ALSO_SAID.get(language, {}).items():
        ways |= dict.fromkeys(texts.split("|"), meaning)
    return SoundSet(ways, expected, is_choice=False)


@lru_cache(maxsize=256)
def _choices(choices: tuple[str, ...], language: str) -> SoundSet | None:
    """Every phrase of each choice, with what callers say before it."""
    expected = choice_set(choices, language)
    if expected is None:
        return None
    ways: dict[str, str] = {}
    for choice in choices:
        phrases = [phrase for phrase in choice.split("|") if normalise(phrase)]  # not normalised: accents are heard
        ways |= {lead.format(phrase): phrases[0] for phrase in phrases for lead in _LEADS.get(language, ("{}",))}
    return SoundSet(ways, expected, is_choice=True)


def decide_by_sound(expected: SoundSet, behind: Mapping[str, float], sounds_of: Callable[[str], int]) -> Weighed:
    """Which meaning was said. `behind`: text -> how far (natural log) it is behind the likeliest sounds; `sounds_of`:
    how many phonemes a text has."""
    best: dict[str, tuple[float, str]] = {}
    for text, meaning in expected.ways.items():
        if text in behind:
            best[meaning] = max(best.get(meaning, (-math.inf, "")), (behind[text], text))
    if not best:
        return Weighed()
    meaning = max(best, key=lambda one: best[one])
    score, text = best[meaning]
    others = [other for one, (other, _) in best.items() if one != meaning]
    others += [behind[rival] for rival in expected.rivals if rival in behind]
    per_sound = CHOICE_BEHIND if expected.is_choice else ANSWER_BEHIND
    apart = score - max(others, default=-math.inf)
    if score < LEAST_BEHIND + per_sound * sounds_of(text) or apart < APART:
        return Weighed()
    return Weighed("taken", expected.named.get(meaning, text), -math.log1p(math.exp(-apart)))
