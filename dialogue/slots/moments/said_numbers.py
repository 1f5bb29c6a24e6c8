"""Number words up to 99, years and ordinals as digits, so that both kinds of transcript read alike. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

_FR = "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
_FR_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 70: "septante", 90: "nonante"}
_FR_ORDINALS = "premier deuxieme troisieme quatrieme cinquieme sixieme septieme huitieme neuvieme dixieme".split()
_IT = (
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove"
).split()
_IT_TENS = "venti trenta quaranta cinquanta sessanta settanta ottanta novanta".split()
_IT_ORDINALS = "primo secondo terzo quarto quinto sesto settimo ottavo nono decimo".split()
_EN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_EN_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
).split()
ORDINAL = "#"
"""Stands behind the digits of an ordinal: "premier" is 1#."""
Phrases = Mapping[tuple[str, ...], str]


def _french() -> dict[str, str]:
    words = {str(n): [word] for n, word in enumerate(_FR)} | {str(n): [f"dix {_FR[n - 10]}"] for n in (17, 18, 19)}
    words["1"].append("une")

    def add(base: int, stem: str, units: range) -> None:
        for unit in units:
            tails = words[str(unit)]
            joined = [f"{stem} {tail}" for tail in tails]
            if unit in (1, 11):
                joined += [f"{stem} et {tail}" for tail in tails]
            words.setdefault(str(base + unit), []).extend(joined)

    for tens, stem in _FR_TENS.items():
        words.setdefault(str(tens), []).append(stem)
        add(tens, stem, range(1, 10))
    words.setdefault("70", []).append("soixante dix")
    add(60, "soixante", range(10, 20))
    words["80"] = ["quatre vingt", "quatre vingts", "huitante", "octante"]
    for stem in ("quatre vingt", "quatre vingts"):
        add(80, stem, range(1, 20))
    words["90"].append("quatre vingt dix")
    found = {phrase: number for number, phrases in words.items() for phrase in phrases}
    found |= {f"deux mille {phrase}": f"20{int(n):02d}" for phrase, n in list(found.items())} | {"deux mille": "2000"}
    found |= {word: f"{n + 1}{ORDINAL}" for n, word in enumerate(_FR_ORDINALS)}
    return found | {"premiere": "1#", "second": "2#", "seconde": "2#"}


def _italian() -> dict[str, str]:
    found = {word: str(n) for n, word in enumerate(_IT)} | {"un": "1", "una": "1", "un'": "1"}
    for n, stem in enumerate(_IT_TENS):
        found[stem] = str(20 + 10 * n)
        for unit in range(1, 10):
            tail = _IT[unit]
            found[(stem[:-1] if unit in (1, 8) else stem) + tail] = str(20 + 10 * n + unit)
            found[f"{stem} {tail}"] = str(20 + 10 * n + unit)
        found[stem[:-1] + "un"] = str(21 + 10 * n)
    thousands = ("duemila", "duemila ", "due mila ")
    years = {f"{stem}{phrase}": f"20{int(n):02d}" for phrase, n in found.items() for stem in thousands}
    ordinals = {word: f"{n + 1}{ORDINAL}" for n, word in enumerate(_IT_ORDINALS) if word != "quarto"}
    ordinals |= {word[:-1] + "a": n for word, n in ordinals.items() if word != "primo"}
    return found | years | {"duemila": "2000"} | ordinals


def _english() -> dict[str, str]:
    found = {word: str(n) for n, word in enumerate(_EN)} | {"nought": "0"}
    ordinals = {word: f"{n + 1}{ORDINAL}" for n, word in enumerate(_EN_ORDINALS)}
    for n, stem in enumerate(_EN_TENS):
        found[stem] = str(20 + 10 * n)
        ordinals[stem[:-1] + "ieth"] = f"{20 + 10 * n}{ORDINAL}"
        for unit in range(1, 10):
            found[f"{stem} {_EN[unit]}"] = str(20 + 10 * n + unit)
            ordinals[f"{stem} {_EN_ORDINALS[unit - 1]}"] = f"{20 + 10 * n + unit}{ORDINAL}"
    joints = ("", "and ")
    years = {f"two thousand {joint}{phrase}": f"20{int(n):02d}" for phrase, n in found.items() for joint in joints}
    years |= {f"twenty {phrase}": f"20{n}" for phrase, n in found.items() if 10 <= int(n) <= 49}
    years |= {f"nineteen {phrase}": f"19{n}" for phrase, n in found.items() if int(n) >= 50}
    return found | years | {"two thousand": "2000"} | ordinals


@functools.cache
def _phrases(language: str) -> Phrases:
    found = {"fr": _french, "it": _italian, "en": _english}[language]()
    zeros = {"fr": ("zero",), "it": ("zero",), "en": ("zero", "oh", "o")}[language]
    found |= {
        f"{zero} {phrase}": f"0{n}" for phrase, n in list(found.items()) if len(n) == 1 and n != "0" for zero in zeros
    }
    return {tuple(phrase.split()): digits for phrase, digits in found.items()}


def in_digits(words: Sequence[str], language: str) -> list[str]:
    """The words with every number in digits; the longest phrase wins ("vingt et un" is one number)."""
    phrases = _phrases(language)
    found: list[str] = []
    position = 0
    while position < len(words):
        for length in range(min(6, len(words) - position), 0, -1):
            digits = phrases.get(tuple(words[position : position + length]))
            if digits is not None:
                found.append(digits)
                position += length
                break
        else:
            found.append(words[position])
            position += 1
    return found
