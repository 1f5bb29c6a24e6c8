"""Which meaning of a closed set an utterance sounds like. Pure.

Free decoding writes "le gaz" as "c'est le gars", "oui, c'est ça" as "Où est-ce ça ?": it knows what people write, and
hears short words badly. A network that hears phonemes and knows no word (`sound_ear`) tells how well each thing that a
caller may say there fits. What fits as a whole, and far better than every other meaning, was said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from whisper_service.closed_sets import (
    LONGEST_WORDS,
    SURE_OTHER,
    Awaited,
    Weighed,
    choice_set,
    closed_set,
    is_worth_scoring,
    names_a_choice,
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
"""Natural log that even the shortest text may be behind the likeliest sounds; and for each of its phonemes"""
ANSWER_BEHIND: Final = -0.4
CHOICE_BEHIND: Final = -1.6
"""so much more. A yes decides more than a choice does, and much sounds like "oui"."""
APART: Final = 10.0
"""Natural log between a meaning and every other one."""


@dataclass(frozen=True)
class SoundSet:
    """`ways`: text -> meaning; `rivals`: short words that are none of it. `named`: meaning -> what it is written as,
    where not as it was said. `per_sound`: see LEAST_BEHIND."""

    ways: Mapping[str, str]
    rivals: tuple[str, ...]
    named: Mapping[str, str]
    per_sound: float

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is scored."""
        return (*self.ways, *self.rivals)


def all_sounds(awaited: Awaited, language: str) -> tuple[SoundSet, ...]:
    """The sets of what is awaited: of a yes or no, of a choice."""
    sets = (_answers(awaited.types, language), _choices(awaited.choices, language))
    return tuple(one for one in sets if one is not None)


def sounds_awaited(awaited: Awaited, language: str, text: str, avg_logprob: float) -> Iterator[SoundSet]:
    """Those of them that may tell what was said better than the text that was decoded does, with the mean log
    probability of its tokens."""
    answers, choices = closed_set(awaited.types, language), choice_set(awaited.choices, language)
    if answers is not None and is_worth_scoring(answers, text, avg_logprob):
        yield from filter(None, (_answers(awaited.types, language),))
    is_sure = text != "" and avg_logprob >= SURE_OTHER
    if choices is None or is_sure or names_a_choice(choices, text) or len(text.split()) > LONGEST_WORDS:
        return
    yield from filter(None, (_choices(awaited.choices, language),))


@lru_cache(maxsize=256)
def _answers(types: tuple[str, ...], language: str) -> SoundSet | None:
    expected = closed_set(types, language)
    if expected is None:
        return None
    ways = {text: meaning for meaning, texts in expected.written.items() for text in texts.split("|")}
    for meaning, texts in _ALSO_SAID.get(language, {}).items():
        ways |= dict.fromkeys(texts.split("|"), meaning)
    return SoundSet(ways, tuple(expected.rivals.split("|")), {}, ANSWER_BEHIND)


@lru_cache(maxsize=256)
def _choices(choices: tuple[str, ...], language: str) -> SoundSet | None:
    """Every phrase of each choice, with what callers say before it."""
    expected = choice_set(choices, language)
    if expected is None:
        return None
    ways: dict[str, str] = {}
    for choice in choices:
        phrases = [
            phrase for phrase in choice.split("|") if normalise(phrase)
        ]  # as they are written: accents are heard
        ways |= {lead.format(phrase): phrases[0] for phrase in phrases for lead in _LEADS.get(language, ("{}",))}
    return SoundSet(ways, tuple(expected.rivals.split("|")), {name: name for name in ways.values()}, CHOICE_BEHIND)


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
    apart = score - max(others, default=-math.inf)
    if score < LEAST_BEHIND + expected.per_sound * sounds_of(text) or apart < APART:
        return Weighed()
    return Weighed("taken", expected.named.get(meaning, text), -math.log1p(math.exp(-apart)))
