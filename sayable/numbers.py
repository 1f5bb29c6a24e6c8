"""Numbers in words: cardinals and ordinals of French (as in France), Italian and English. Pure."""

from __future__ import annotations

from typing import Final

LIMIT: Final = 10**12
"""From here on a number is read digit by digit."""

_FR: Final = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
).split()
_FR_TENS: Final = ["", "dix", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt"]
_IT: Final = (
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove"
).split()
_IT_TENS: Final = ["", "", "venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"]
_EN: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_EN_TENS: Final = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_EN_FIRST: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_IT_FIRST: Final = ["", "prim", "second", "terz", "quart", "quint", "sest", "settim", "ottav", "non", "decim"]


def cardinal(number: int, language: str, feminine: bool = False) -> str:
    """A number from 0 to below LIMIT; `feminine`: what is counted is ("vingt et une")."""
    match language:
        case "fr":
            words = _french(number)
            return words + "e" if feminine and (words == "un" or words.endswith((" un", "-un"))) else words
        case "it":
            return "una" if feminine and number == 1 else _italian(number)
    return _english(number)


def ordinal(number: int, language: str, feminine: bool = False) -> str:
    """A number from 1 on as a rank."""
    match language:
        case "fr":
            if number == 1:
                return "première" if feminine else "premier"
            words = _french(number)
            if words.endswith("s") and not words.endswith(("trois", "ss")):
                words = words.removesuffix("s")
            ends = {"cinq": "cinquième", "neuf": "neuvième"}
            for word, rank in ends.items():
                if words.endswith(word):
                    return words.removesuffix(word) + rank
            return words.removesuffix("e") + "ième"
        case "it":
            end = "a" if feminine else "o"
            if number <= 10:
                return _IT_FIRST[number] + end
            words = _italian(number).replace("tré", "tre")
            if not words.endswith(("tre", "sei")):
                words = words[:-1]
            return words + "esim" + end
    head, sep, last = _split_last(_english(number))
    if last in _EN_FIRST:
        return head + sep + _EN_FIRST[last]
    return head + sep + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def _split_last(words: str) -> tuple[str, str, str]:
    at = max(words.rfind(" "), words.rfind("-"))
    return words[:at] if at >= 0 else "", words[at] if at >= 0 else "", words[at + 1 :]


def year(number: int, language: str) -> str:
    """A year as one says it."""
    if language != "en" or not 1_100 <= number <= 2_099 or 2_000 <= number <= 2_009:
        return cardinal(number, language)
    head, tail = divmod(number, 100)
    if tail == 0:
        return f"{_english(head)} hundred"
    return f"{_english(head)} {'oh ' + _english(tail) if tail < 10 else _english(tail)}"


def _french(number: int) -> str:
    if number < 20:
        return _FR[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        if tens in (7, 9):
            tens, ones = tens - 1, ones + 10
        word = _FR_TENS[tens]
        if ones == 0:
            return word + "s" if tens == 8 else word
        if ones in (1, 11) and tens != 8:
            return f"{word} et {_FR[ones]}"
        return f"{word}-{_FR[ones]}"
    if number < 1_000:
        hundreds, rest = divmod(number, 100)
        head = "cent" if hundreds == 1 else f"{_FR[hundreds]} cent{'s' * (rest == 0)}"
        return f"{head} {_french(rest)}" if rest else head
    if number < 10**6:
        thousands, rest = divmod(number, 1_000)
        # cents and quatre-vingts lose their s before mille
        many = _french(thousands)
        many = many.removesuffix("s") if many.endswith(("cents", "vingts")) else many
        head = "mille" if thousands == 1 else f"{many} mille"
        return f"{head} {_french(rest)}" if rest else head
    return _large(number, (("milliard", "milliards"), ("million", "millions")), _french, "un")


def _italian(number: int) -> str:
    if number < 20:
        return _IT[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        word = _IT_TENS[tens]
        if ones in (1, 8):
            word = word[:-1]
        return word + ("" if ones == 0 else "tré" if ones == 3 else _IT[ones])
    if number < 1_000:
        hundreds, rest = divmod(number, 100)
        head = ("" if hundreds == 1 else _IT[hundreds]) + "cento"
        return head + (_italian(rest) if rest else "").replace("tre", "tré" if rest == 3 else "tre")
    if number < 10**6:
        thousands, rest = divmod(number, 1_000)
        head = "mille" if thousands == 1 else _italian(thousands).replace("tré", "tre") + "mila"
        return head + (_italian(rest) if rest else "")
    return _large(number, (("miliardo", "miliardi"), ("milione", "milioni")), _italian, "un")


def _english(number: int) -> str:
    if number < 20:
        return _EN[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _EN_TENS[tens] + (f"-{_EN[ones]}" if ones else "")
    if number < 1_000:
        hundreds, rest = divmod(number, 100)
        return f"{_EN[hundreds]} hundred" + (f" and {_english(rest)}" if rest else "")
    if number < 10**6:
        thousands, rest = divmod(number, 1_000)
        tail = "" if not rest else f" and {_english(rest)}" if rest < 100 else f" {_english(rest)}"
        return f"{_english(thousands)} thousand{tail}"
    return _large(number, (("billion", "billion"), ("million", "million")), _english, "one")


def _large(number: int, names: tuple[tuple[str, str], tuple[str, str]], words: object, one: str) -> str:
    assert callable(words)
    parts = []
    for size, (single, many) in zip((10**9, 10**6), names, strict=True):
        count, number = divmod(number, size)
        if count:
            parts.append(f"{one} {single}" if count == 1 else f"{words(count)} {many}")
    if number:
        parts.append(words(number))
    return " ".join(parts)
