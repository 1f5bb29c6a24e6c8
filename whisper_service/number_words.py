"""Which number words were said, by their probabilities per frame; and whether they are a postal code. Pure.

Free decoding writes "soixante-quinze mille onze" as "75 11 11": its text model has seen every way of writing numbers. A
small network on the same encoder output knows a few dozen words and nothing of what is likely (`heads`); here
its frames become the likeliest rows of words, by a prefix beam search over CTC (Hannun et al., 2014).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whisper_service.closed_sets import Weighed, log_sum

BLANK, OTHER = 0, 1
"""No word begins or goes on here; a word that is no number."""
_BEAM: Final = 16
_WORTH: Final = -7.0
"""Log probability of a token in a frame, below which it is not looked at."""
_FEW: Final = math.log(1e-30)
CODE_DIGITS: Final = 5
_OVERSEAS: Final = frozenset("971 972 973 974 975 976 977 978 980 984 986 987 988".split())
_UNITS: Final = {
    word: number
    for number, word in enumerate(
        "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
    )
}
_TENS: Final = {
    "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "huitante": 80,
    "nonante": 90,
}  # fmt: skip
_SPOKEN: Final = frozenset((*_UNITS, *_TENS, "cent", "mille", "et", "double"))
_SINGULAR: Final = {"vingts": "vingt", "cents": "cent", "une": "un", "zero": "zéro", "octante": "huitante"}
_NO_NUMBERS: Final = ("oui", "non")
"""Words that the network knows besides numbers."""

AGREED: Final = 0.3
"""Share of a code among all that may have been said, from which on it is what was said if it was decoded as well."""
ALONE: Final = 0.6
"""The same where what was decoded is no code."""
ALONE_AGAINST: Final = 0.9
"""The same where another code was decoded."""


@dataclass(frozen=True)
class SaidWords:
    """A row of words, OTHER among them as an empty one, with its log probability."""

    words: tuple[str, ...]
    logprob: float


@dataclass(frozen=True)
class SaidCode:
    """A postal code, the likeliest words for it, and its share of all that may have been said."""

    digits: str
    words: tuple[str, ...]
    share: float


def likely_rows(frames: NDArray[np.float32], words: Sequence[str], count: int = 12) -> list[SaidWords]:
    """The likeliest rows of words, best first. `frames`: log probabilities, shape [frames, tokens]; `words`: the name
    of each token, empty for BLANK and OTHER."""
    beams: dict[tuple[int, ...], tuple[float, float]] = {
        (): (0.0, -math.inf)
    }  # ends in a blank, ends in its last token
    for frame in frames:
        near: dict[tuple[int, ...], tuple[float, float]] = {}
        tokens = [int(token) for token in np.flatnonzero(frame > _WORTH) if token != BLANK]
        for row, (blank, last) in beams.items():
            whole = _plus(blank, last)
            stays = last + float(frame[row[-1]]) if row else -math.inf
            _add(near, row, whole + float(frame[BLANK]), stays)
            for token in tokens:
                # the same token again is another word only behind a blank
                before = blank if row and row[-1] == token else whole
                _add(near, (*row, token), -math.inf, before + float(frame[token]))
        beams = dict(sorted(near.items(), key=lambda item: _plus(*item[1]), reverse=True)[:_BEAM])
    ranked = sorted(beams.items(), key=lambda item: _plus(*item[1]), reverse=True)[:count]
    return [SaidWords(tuple(words[token] for token in row), _plus(*ends)) for row, ends in ranked]


def _add(near: dict[tuple[int, ...], tuple[float, float]], row: tuple[int, ...], blank: float, last: float) -> None:
    if max(blank, last) > _FEW * 10:
        old = near.get(row, (-math.inf, -math.inf))
        near[row] = (_plus(old[0], blank), _plus(old[1], last))


def _plus(one: float, other: float) -> float:
    high, low = (one, other) if one >= other else (other, one)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def digits_of(words: Sequence[str]) -> str:
    """The postal code that French number words can be, in as few numbers as possible: "soixante quinze mille onze" is
    75011, "six mille cent" 06100, "vingt cinq cent" 25100 and not 20500. Empty where they are none."""
    found: dict[int, dict[str, int]] = {0: {"": 0}}  # end -> digits so far and how many numbers they are
    for at in range(len(words)):
        for digits, count in found.get(at, {}).items():
            for behind, value in _from(words, at):
                longer = digits + value
                if len(longer) <= CODE_DIGITS:
                    into = found.setdefault(behind, {})
                    into[longer] = min(count + 1, into.get(longer, count + 1))
    whole = found.get(len(words), {})
    for digits in [digits for digits, count in whole.items() if count == 1 and len(digits) == CODE_DIGITS - 1]:
        whole.setdefault(f"0{digits}", 1)
    codes = {digits: count for digits, count in whole.items() if is_code(digits)}
    return min(codes, key=lambda digits: (codes[digits], -int(digits[:2])), default="")


def _from(words: Sequence[str], at: int) -> list[tuple[int, str]]:
    """Every number that begins at `at`, by its end."""
    if words[at] == "zéro":
        return [(at + 1, "0")]
    ends = ((*_number(words[at:end], 0), end) for end in range(at + 1, len(words) + 1))
    return [(end, str(value)) for value, used, end in ends if used == end - at]


def _number(words: Sequence[str], at: int) -> tuple[int, int]:
    """A number up to 99 999 from `at` on, and where it ends."""
    head, behind = _hundreds(words, at)
    if behind < len(words) and words[behind] == "mille" and head < 100:
        thousands = head if behind > at else 1
        rest, end = _hundreds(words, behind + 1)
        return thousands * 1_000 + rest, end
    return head, behind


def _hundreds(words: Sequence[str], at: int) -> tuple[int, int]:
    head, behind = _tens(words, at)
    if behind < len(words) and words[behind] == "cent" and (behind == at or 1 < head < 10):
        rest, end = _tens(words, behind + 1)
        return (head if behind > at else 1) * 100 + rest, end
    return head, behind


def _tens(words: Sequence[str], at: int) -> tuple[int, int]:
    """A number up to 99, and where it ends; (0, at) where there is none."""
    ahead = [*words[at : at + 4], *[""] * 4]
    if ahead[0] == "quatre" and ahead[1] == "vingt":
        value, used = 80, 2
    elif ahead[0] in _TENS:
        value, used = _TENS[ahead[0]], 1
    elif ahead[0] == "dix" and ahead[1] in ("sept", "huit", "neuf"):
        return 10 + _UNITS[ahead[1]], at + 2
    elif ahead[0] in _UNITS and ahead[0] != "zéro":
        return _UNITS[ahead[0]], at + 1
    else:
        return 0, at
    joint = int(ahead[used] == "et" and ahead[used + 1] in ("un", "onze"))
    unit, end = _tens(words, at + used + joint) if ahead[used + joint] in _UNITS else (0, at + used)
    if 0 < unit < (20 if value in (60, 80) else 10):
        return value + unit, end
    return value, at + used


def is_code(digits: str) -> bool:
    """Whether a French postal code can be these digits."""
    return len(digits) == CODE_DIGITS and ("01" <= digits[:2] <= "95" or digits[:3] in _OVERSEAS)


def code_of(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The postal code in a row of words and the words that say it; empty where there is none, or more than one."""
    runs: list[list[str]] = [[]]
    for word in _without_double(words):
        if word and word not in _NO_NUMBERS:
            runs[-1].append(word)
        else:
            runs.append([])
    found = {digits: tuple(run) for run in runs if run and (digits := digits_of(run))}
    if not found:  # "soixante-quinze, euh, zéro onze"
        whole = [word for run in runs for word in run]
        found = {digits: tuple(whole)} if whole and (digits := digits_of(whole)) else {}
    return next(iter(found.items())) if len(found) == 1 else ("", ())


def _without_double(words: Sequence[str]) -> list[str]:
    doubled = [[word] * (2 if before == "double" else 1) for before, word in pairwise(("", *words)) if word != "double"]
    return [word for same in doubled for word in same]


def code_in(text: str) -> str:
    """The postal code that a decoded text holds, in digits or in words, whatever stands between its digits."""
    digits = "".join(char for char in text if char.isdigit())
    if digits:
        return digits if is_code(digits) else ""
    said = text.lower().replace("-", " ").replace("'", " ").strip(" .!?,")
    words = [_SINGULAR.get(word, word) for word in re.findall(r"[^\W_]+", said)]
    return code_of([word if word in _SPOKEN else "" for word in words])[0]


def codes_by_likelihood(rows: Sequence[SaidWords]) -> list[SaidCode]:
    """Each code that may have been said, and none (""), the likeliest first."""
    whole = log_sum([row.logprob for row in rows]) if rows else 0.0
    found: dict[str, SaidCode] = {}
    for row in rows:
        digits, words = code_of(row.words)
        share = math.exp(row.logprob - whole)
        known = found.get(digits, SaidCode(digits, words, 0.0))
        found[digits] = SaidCode(digits, known.words, known.share + share)
    return sorted(found.values(), key=lambda code: code.share, reverse=True)


def decide_code(text: str, avg_logprob: float, rows: Sequence[SaidWords]) -> Weighed:
    """Which postal code was said, by what was decoded and by the likeliest rows of number words."""
    codes = codes_by_likelihood(rows)
    if not codes or not codes[0].digits:
        return Weighed()
    best, decoded = codes[0], code_in(text)
    if decoded == best.digits and best.share >= AGREED:
        return Weighed("taken", text, max(avg_logprob, math.log(best.share)))
    if best.share >= (ALONE_AGAINST if decoded else ALONE):
        return Weighed("taken", " ".join(best.words), math.log(best.share))
    return Weighed("contested", text, -math.inf) if decoded and best.share >= AGREED else Weighed()
