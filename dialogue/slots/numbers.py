"""Turns number words and digits into strings of digits, in every way a caller may have meant them. Pure.

text2num values each group of words; what it leaves open on the telephone is decided here: zeros that lead, "double
zéro", digits mixed with words ("75 mille 11"), and where one group ends ("soixante dix sept": 77, 60 17 or 70 7).
The group borders come from a shortest path: fewest groups for a wanted number of digits.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from text_to_num import text2num

from dialogue.slots.lexicon import Lexicon, lexicon_of
from dialogue.slots.words import Word

MAX_RUN_WORDS = 40
MAX_GROUP_WORDS = 12  # quatre vingt dix sept mille neuf cent quatre vingt dix neuf
_SPLIT_AT_HYPHEN = 1.5
_SPAN_OVER_PAUSE = 1.5
_SPAN_WITHOUT_HYPHEN = 0.8  # "soixante deux" where the same transcript has "quatre-vingt-cinq"
_ALIKE = 0.01  # costs that differ by less are equal
_PLURAL = 0.6  # "quarante neuf cents" is 40 900, "quarante-neuf cent" 49 100; "quatre-vingts" ends there
_TEEN_HUNDREDS = 0.7  # "treize cent dix" is rather 13 110 than 1310


@dataclass(frozen=True)
class Digits:
    """Digits read from a run of words; `groups` as they were said ("75", "0", "11"), small `cost`: natural.

    `ambiguous`: other digits are as natural a reading ("vingt cinq cent dix" is 25 110 or 20 510).
    """

    groups: tuple[str, ...]
    cost: float
    ambiguous: bool = False

    @property
    def text(self) -> str:
        """All digits."""
        return "".join(self.groups)


def is_number_word(word: Word, lexicon: Lexicon) -> bool:
    """Whether a word alone is (part of) a number: digits, a number word, "double"."""
    text = word.text
    return (
        word.is_digits
        or text in lexicon.zero
        or text in lexicon.twice
        or text in lexicon.thousand
        or text in lexicon.hundred
        or _value((text,), lexicon.language) is not None
    )


def number_runs(words: Sequence[Word], lexicon: Lexicon) -> list[list[Word]]:
    """The longest stretches of number words, "double zéro" written out; a conjunction stays inside a stretch only."""
    runs: list[list[Word]] = []
    current: list[Word] = []
    for position, word in enumerate(words):
        after = words[position + 1] if position + 1 < len(words) else None
        if is_number_word(word, lexicon) or (
            current and word.text in lexicon.conjunctions and after is not None and is_number_word(after, lexicon)
        ):
            current.append(word)
        elif current:
            runs.append(current)
            current = []
    if current:
        runs.append(current)
    return [run for run in (_written_out(run, lexicon)[:MAX_RUN_WORDS] for run in runs) if run]


def _written_out(run: Sequence[Word], lexicon: Lexicon) -> list[Word]:
    """ "double zéro" as "zéro zéro", "deux fois" not at all: callers say it too rarely. "un mille" as "mille"."""
    found: list[Word] = []
    times = 1
    for position, word in enumerate(run):
        after = run[position + 1].text if position + 1 < len(run) else ""
        before = found[-1].text if found else ""
        if word.text in lexicon.twice:
            times = lexicon.twice[word.text]
        elif word.text in lexicon.articles and after in lexicon.thousand and before in {"", *lexicon.zero}:
            continue
        else:
            found.extend([word] * times)
            times = 1
    return found


_TENS_AND_ONE = re.compile(r"\b(vingt|trente|quarante|cinquante|soixante) (?=une?\b|onze\b)")
"""A recogniser writes "quarante un mille" where people say "quarante et un mille"."""


@functools.lru_cache(maxsize=20_000)
def _value(group: tuple[str, ...], language: str) -> int | None:
    text = " ".join(group)
    try:
        return int(text2num(_TENS_AND_ONE.sub(r"\1 et ", text) if language == "fr" else text, language))
    except ValueError:
        return None


def _group_digits(group: Sequence[Word], lexicon: Lexicon) -> str | None:
    """One group of words as the digits one would write, None when it is no single number."""
    head = group[0]
    if len(group) == 1 and (head.is_digits or head.text in lexicon.zero):
        return head.text if head.is_digits else "0"
    if head.text in lexicon.zero or any(word.text in lexicon.zero for word in group):
        return None
    if not any(word.is_digits for word in group):
        value = _value(tuple(word.text for word in group), lexicon.language)
        return None if value is None else str(value)
    if head.is_digits and len(group) > 1 and group[1].text in lexicon.thousand:  # "75 mille 11"
        rest = _group_digits(group[2:], lexicon) if len(group) > 2 else "0"
        return str(int(head.text) * 1000 + int(rest)) if rest is not None and len(rest) <= 3 else None
    if len(group) == 3 and group[1].text == "000" and all(word.is_digits for word in group):  # "75 000 11"
        return str(int(head.text) * 1000 + int(group[2].text)) if len(group[2].text) <= 3 else None
    return None


def readings(run: Sequence[Word], language: str, max_digits: int, pairs: bool = False) -> dict[int, Digits]:
    """For each number of digits up to `max_digits`: the most natural way to read the whole run as that many digits.

    `pairs`: groups of two digits are the usual way to say it (French telephone numbers). Work: words x groups x digits.
    """
    lexicon = lexicon_of(language)
    hyphenated = any(word.hyphen and not word.is_digits for word in run)
    best: list[dict[int, Digits]] = [{} for _ in range(len(run) + 1)]
    best[len(run)][0] = Digits((), 0.0)
    for start in range(len(run) - 1, -1, -1):
        for end in range(start + 1, min(len(run), start + MAX_GROUP_WORDS) + 1):
            if not best[end]:
                continue
            group = _group_digits(run[start:end], lexicon)
            if group is None or len(group) > max_digits:
                continue
            cost = 0.5 if group == "0" else 1.0
            cost += _SPAN_OVER_PAUSE * sum(word.pause for word in run[start + 1 : end])
            cost += _PLURAL * (
                run[start].text == "cents" or any(word.text == "vingts" for word in run[start : end - 1])
            )
            cost += _TEEN_HUNDREDS * (len(group) > 3 and not any(w.text in lexicon.thousand for w in run[start:end]))
            cost += _SPAN_WITHOUT_HYPHEN * (hyphenated and _lacks_hyphen(run[start:end], lexicon))
            if end < len(run) and run[end].hyphen and not run[end].is_digits:
                cost += _SPLIT_AT_HYPHEN
            if pairs and len(group) > 2 and not run[start].is_digits:
                cost += 1.0
            for length, rest in best[end].items():
                total = length + len(group)
                if total > max_digits:
                    continue
                here = Digits((group, *rest.groups), rest.cost + cost, rest.ambiguous)
                best[start][total] = _better(best[start].get(total), here)
    return best[0]


def _better(one: Digits | None, other: Digits) -> Digits:
    """The cheaper reading; of two alike the one whose first group is longer, which is `other`."""
    if one is None or one.cost > other.cost + _ALIKE:
        return other
    if other.cost > one.cost + _ALIKE:
        return one
    return replace(other, ambiguous=one.text != other.text or one.ambiguous or other.ambiguous)


def _lacks_hyphen(group: Sequence[Word], lexicon: Lexicon) -> bool:
    """Whether tens and units stand in one group without a hyphen between them."""
    apart = lexicon.thousand | lexicon.hundred | lexicon.conjunctions
    return any(
        not after.hyphen and before.text not in apart and after.text not in apart
        for before, after in itertools.pairwise(group)
    )


def natural(found: dict[int, Digits]) -> Digits | None:
    """The most natural of some readings, None when there is none."""
    return min(found.values(), key=lambda digits: (digits.cost, -len(digits.text))) if found else None


def digits_replaced_at_end(earlier: str, tail: str) -> str:
    """`earlier` with its last digits replaced: what "soixante-quinze mille onze, non, douze" means."""
    return earlier[: -len(tail)] + tail if 0 < len(tail) < len(earlier) else ""
