"""What a caller may answer in a state, as the recogniser writes it, and the decision between that and all else. Pure.

A state that asks yes or no need not guess among 50,000 words. Where free decoding is unsure of a short text, the texts
of the set are scored on the same encoder output. A meaning is taken only when it is far likelier than the other one and
likelier than everything that is neither: what the decoder considered, and short words that sound alike. In between
nothing is taken: the caller is asked again. A text that nobody said also has a best candidate; the margins, the
decoder's own candidates and the voice gate must agree before it counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

from whisper_service.phrases import normalise

ClosedVerdict: TypeAlias = Literal["", "taken", "contested"]
"""Nothing to say; a meaning of the set was said; what was decoded is of the set and may as well be something else."""

APART: Final = 4.0
"""Log probability between a meaning and the other one."""
ABOVE: Final = 1.0
"""Log probability between a meaning and all that is none."""
LEAST: Final = -5.0
"""Log probability of a meaning, below which it is not taken."""
CONTESTED_APART: Final = 2.0
"""Log probability between what was decoded and the other meaning, below which it is contested; above all that is none
of both it need only be."""
SURE: Final = -0.5
"""Mean log probability of a decoded text from which on nobody else is asked."""
LONGEST_WORDS: Final = 4
"""A longer text is a sentence, unless the model doubts it."""
DOUBTED: Final = -1.0

LEAST_CHOICE: Final = -9.5
"""Log probability of a choice, below which it is not taken."""
CHOICE_APART: Final = 2.5
"""Log probability between a choice and every other one, and every short word that is none."""
BEHIND_FREE: Final = 7.0
"""Log probability that a choice may be behind what free decoding wrote: nonsense is likelier than what was said."""
SURE_OTHER: Final = -0.35
"""Mean log probability of a decoded text that is no choice, from which on it is believed."""


@dataclass(frozen=True)
class Awaited:
    """What the caller's dialogue can accept; what is not known here is passed over."""

    types: tuple[str, ...] = ()
    """`yes_no`, and the types of slots."""
    choices: tuple[str, ...] = ()
    """Of a choice: the phrases of each, with `|` between them, the first of which names it."""


ANYTHING: Final = Awaited()
"""Nobody said what is awaited."""


@dataclass(frozen=True)
class ClosedSet:
    """Texts by meaning, `|` between them. `said`: what counts as that meaning where it is decoded, normalised."""

    written: Mapping[str, str]
    said: Mapping[str, str]
    rivals: str
    """Short words that are none of it, and sound like some."""

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All that is scored."""
        return tuple(text for texts in (*self.written.values(), self.rivals) for text in texts.split("|"))

    @cached_property
    def meaning_of(self) -> Mapping[str, str]:
        """Normalised text -> meaning."""
        return {text: meaning for meaning, texts in self.said.items() for text in texts.split("|")}

    def is_bare(self, text: str) -> bool:
        """Whether a text has nothing in it but one word of the set, once or more often ("sì, sì")."""
        words = set(normalise(text).split())
        return len(words) == 1 and words <= self.meaning_of.keys()


@dataclass(frozen=True)
class Weighed:
    """`text` is what was said, `logprob` of the meaning beside all else."""

    verdict: ClosedVerdict = ""
    text: str = ""
    logprob: float = 0.0


_YES_NO: Final = {
    "fr": ClosedSet(
        {
            "yes": "Oui.|Oui !|Oui...|Oui, oui.|Ouais.|D'accord.|Ok.|Oui, c'est ça.|Oui, tout à fait."
            "|Oui, je veux bien.|Oui, d'accord.|Oui, bien sûr.",
            "no": "Non.|Non !|Non...|Non, non.|Non merci.|Non, ce n'est pas ça.|Non, pas du tout.",
        },
        {
            "yes": "oui|oui oui|oui oui oui|ouais|ouais ouais|d accord|ok|okay|oui d accord|ok d accord|oui merci"
            "|oui c est ca|c est ca|oui bien sur|bien sur|oui tout a fait|tout a fait|oui je veux bien|je veux bien",
            "no": "non|non non|non non non|non merci|nan|non ce n est pas ca|non c est pas ca|c est pas ca"
            "|non pas du tout|pas du tout",
        },
        "Allô ?|Bonjour.|Bon.|Merci.|Quoi ?|Hein ?|Euh...|On...|Nous.|Où ?|Un.|Ah !",
    ),
    "it": ClosedSet(
        {"yes": "Sì.|Sì!|Si.|Sì, sì.|Certo.|Va bene.|Ok.", "no": "No.|No!|No...|No, no.|No, grazie."},
        {
            "yes": "si|si si|si si si|certo|ok|okay|va bene|si certo|si va bene",
            "no": "no|no no|no no no|no grazie|non grazie",
        },
        "Pronto?|Buongiorno.|Bene.|Grazie.|Cosa?|Eh?|Ehm...|Noi.|Se...|Sei.|Ma...|Ah!",
    ),
    "en": ClosedSet(
        {"yes": "Yes.|Yes!|Yeah.|Yep.|Yes, yes.|Okay.|OK.|Sure.", "no": "No.|No!|No...|Nope.|No, no.|No, thanks."},
        {
            "yes": "yes|yes yes|yes yes yes|yeah|yeah yeah|yep|ok|okay|sure|yes please|yes sure",
            "no": "no|nope|no no|no no no|no thanks|no thank you",
        },
        "Hello?|Hi.|Good.|Thanks.|What?|Huh?|Um...|Now.|Know.|So.|Us.|Oh!",
    ),
}
_SETS: Final[Mapping[str, Mapping[str, ClosedSet]]] = {"yes_no": _YES_NO}
_LEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": ("au {}", "le {}"), "it": ("a {}", "il {}"), "en": ("{} heating", "with {}")
}  # fmt: skip
"""How a choice is named in a short answer, besides bare."""
_NO_CHOICE: Final[Mapping[str, str]] = {
    "fr": "pourquoi|comment|pardon|attendez|quoi",
    "it": "perché|come|scusi|aspetti|cosa",
    "en": "why|how|sorry|wait|what",
}
_MOST_TEXTS: Final = 16
"""That are scored of all choices together."""


def choice_set(choices: Sequence[str], language: str) -> ClosedSet | None:
    """The set of a choice, each with `|` between its phrases, the first of which names it; None where there is nothing
    to choose from, or no telling how it is said in this language."""
    if len(choices) < 2 or language not in _NO_CHOICE:
        return None
    phrases = {listed[0]: listed for choice in choices if (listed := [p for p in choice.split("|") if normalise(p)])}
    most = max(2, _MOST_TEXTS // len(phrases))
    return ClosedSet(
        {name: "|".join(_ways(listed, language)[:most]) for name, listed in phrases.items()},
        {name: "|".join(map(normalise, listed)) for name, listed in phrases.items()},
        _NO_CHOICE[language],
    )


def _ways(phrases: Sequence[str], language: str) -> list[str]:
    led = (lead.format(phrases[0]) for lead in _LEADS[language])
    return list(dict.fromkeys((phrases[0], *led, *sorted(phrases[1:], key=len))))


def closed_set(types: Sequence[str], language: str) -> ClosedSet | None:
    """The set of what is awaited, if there is one in this language."""
    return next((_SETS[name][language] for name in types if language in _SETS.get(name, {})), None)


def is_worth_scoring(expected: ClosedSet, text: str, avg_logprob: float) -> bool:
    """Whether a decoded text leaves a doubt that the set may end."""
    said = normalise(text)
    if avg_logprob >= SURE and said in expected.meaning_of:
        return False
    return len(said.split()) <= LONGEST_WORDS or avg_logprob < DOUBTED


def decide(expected: ClosedSet, text: str, hypotheses: Mapping[str, float], scores: Mapping[str, float]) -> Weighed:
    """What was said, by the decoder's hypotheses and the scores of the set's texts (log probabilities)."""
    by_meaning: dict[str, dict[str, float]] = {}
    for written, score in (*scores.items(), *hypotheses.items()):
        texts = by_meaning.setdefault(expected.meaning_of.get(normalise(written), ""), {})
        texts[written] = max(score, texts.get(written, score))
    sums = {meaning: log_sum(list(texts.values())) for meaning, texts in by_meaning.items()}
    best = max(expected.written, key=lambda meaning: sums.get(meaning, -math.inf))
    others = [sums[meaning] for meaning in expected.written if meaning != best and meaning in sums]
    score, nothing = sums.get(best, -math.inf), sums.get("", -math.inf)
    apart, above = score - max(others, default=-math.inf), score - nothing
    decoded = expected.meaning_of.get(normalise(text))
    if score >= LEAST and apart >= APART and above >= ABOVE:
        texts = by_meaning[best]
        likeliest = text if decoded == best else max(texts, key=lambda written: texts[written])
        return Weighed("taken", likeliest, score - log_sum([score, nothing, *others]))
    if decoded and (decoded != best or apart < CONTESTED_APART or above < 0.0):
        return Weighed("contested", text, -math.inf)
    return Weighed()


def names_a_choice(expected: ClosedSet, text: str) -> bool:
    """Whether a phrase of a choice stands in a decoded text."""
    said = f" {normalise(text)} "
    return any(f" {phrase} " in said for phrase in expected.meaning_of)


def is_choice_worth_scoring(expected: ClosedSet, text: str, avg_logprob: float) -> bool:
    """Whether a decoded text may be a choice that was misheard."""
    if not text or avg_logprob >= SURE_OTHER or names_a_choice(expected, text):
        return False
    return len(text.split()) <= LONGEST_WORDS


def decide_choice(
    expected: ClosedSet, hypotheses: Mapping[str, float], scores: Mapping[str, float], unprompted: Mapping[str, float]
) -> Weighed:
    """Which choice was named, by the decoder's hypotheses and the scores of the set's texts (log probabilities), with
    the state's hints before them and without: a hint makes its word likelier, also where a word like it was said."""
    of_choice = {meaning: _best(texts, scores) for meaning, texts in expected.written.items()}
    best = max(of_choice, key=lambda meaning: of_choice[meaning])
    score, text = of_choice[best]
    others = [other[0] for meaning, other in of_choice.items() if meaning != best]
    second = max(*others, _best(expected.rivals, scores)[0])
    free = max(hypotheses.values(), default=-math.inf)
    if score < LEAST_CHOICE or score - second < CHOICE_APART or score < free - BEHIND_FREE:
        return Weighed()
    if _best(expected.written[best], unprompted)[0] < _best(expected.rivals, unprompted)[0]:
        return Weighed()
    return Weighed("taken", text, score - log_sum([score, second]))


def _best(texts: str, scores: Mapping[str, float]) -> tuple[float, str]:
    return max((scores[text], text) for text in texts.split("|"))


def log_sum(values: Sequence[float]) -> float:
    """Logarithm of the sum of what these are the logarithms of."""
    most = max(values)
    return most if most == -math.inf else most + math.log(sum(math.exp(value - most) for value in values))
