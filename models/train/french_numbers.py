"""Integers -> French words (of France), and zip codes, telephone numbers and clock times the way callers say them."""

from __future__ import annotations

import random
import re

UNITS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf"
).split()
TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
NUMBER_WORDS = {*"-".join(UNITS).split("-"), *"-".join(TENS.values()).split("-"), "cent", "mille"}


def number_words(n: int) -> str:
    """0 to 99999 in words, as one writes them ("quatre-vingts", but "quatre-vingt mille")."""
    if not 0 <= n < 100_000:
        raise ValueError(f"number_words takes 0 to 99999, got {n}")
    if n >= 1000:
        thousands, rest = divmod(n, 1000)
        head = (
            "mille"
            if thousands == 1
            else "quatre-vingt mille"
            if thousands == 80
            else f"{number_words(thousands)} mille"
        )
        return f"{head} {number_words(rest)}" if rest else head
    if n >= 100:
        hundreds, rest = divmod(n, 100)
        head = "cent" if hundreds == 1 else f"{UNITS[hundreds]} cent"
        return f"{head} {number_words(rest)}" if rest else head + ("s" if hundreds > 1 else "")
    if n < 20:
        return UNITS[n]
    ten = {70: 60, 90: 80}.get(n // 10 * 10, n // 10 * 10)
    rest = n - ten
    if rest == 0:
        return "quatre-vingts" if ten == 80 else TENS[ten]
    if rest in (1, 11) and ten != 80:
        return f"{TENS[ten]} et {UNITS[rest]}"
    return f"{TENS[ten]}-{UNITS[rest]}"


def numerals(text: str) -> list[str]:
    """The number words of a sentence in order, without plural s and "et": what a slot parser has to work with."""
    words = (word.removesuffix("s") if word in ("cents", "vingts") else word for word in re.split(r"[ -]", text))
    return [word for word in words if word in NUMBER_WORDS]


def pair_words(two_digits: str) -> str:
    """ "07" -> "zéro sept", "75" -> "soixante-quinze"."""
    return f"zéro {UNITS[int(two_digits[1])]}" if two_digits[0] == "0" else number_words(int(two_digits))


def zip_code(rng: random.Random) -> str:
    """Five digits spread as real codes are: many end in 00 or 0, many are districts of the large cities."""
    style = rng.random()
    if style < 0.2:
        city, districts = rng.choice((("75", 20), ("75", 20), ("69", 9), ("13", 16)))
        return f"{city}{rng.randint(1, districts):03d}"
    department = rng.choice([f"{d:02d}" for d in range(1, 96)] + ["97"])
    if style < 0.55:
        return department + f"{rng.randint(0, 9)}00"
    if style < 0.9:
        return department + f"{rng.randint(0, 99) * 10:03d}"
    return department + f"{rng.randint(0, 999):03d}"


def zip_code_words(code: str, rng: random.Random) -> str:
    """`code` in one of the usual readings; commas stand where a caller pauses (strip them from the transcript)."""
    department, commune = code[:2], int(code[2:])
    style = rng.random()
    if style < 0.5:
        if department[0] == "0":
            head = rng.choice(("", "zéro ")) + UNITS[int(department[1])] + " mille"
            head = "mille" if head == "un mille" else head
            return head + (f" {number_words(commune)}" if commune else "")
        return number_words(int(code))
    if style < 0.68:
        comma = rng.choice(("", "", ","))
        if commune >= 100:
            return f"{pair_words(department)}{comma} {number_words(commune)}"
        if commune >= 10:
            return f"{pair_words(department)}{comma} zéro {number_words(commune)}"
        return f"{pair_words(department)}{comma} zéro zéro {UNITS[commune]}"
    if style < 0.76:
        return f"{pair_words(department)} {pair_words(code[2:4])} {UNITS[int(code[4])]}"
    comma = rng.choice(("", "", "", ","))
    digits = [UNITS[int(c)] for c in code]
    return " ".join(digits[:2]) + comma + " " + " ".join(digits[2:])


def phone_words(rng: random.Random) -> str:
    """A French ten-digit number read in pairs."""
    pairs = ["0" + rng.choice("123456679")] + [f"{rng.randint(0, 99):02d}" for _ in range(4)]
    comma = rng.choice(("", "", ","))
    return f"{comma} ".join(pair_words(p) for p in pairs)


def clock_words(rng: random.Random) -> str:
    """ "quatorze heures trente", "midi", "neuf heures et demie"."""
    hour = rng.randint(8, 20)
    if hour == 12 and rng.random() < 0.7:
        return rng.choice(("midi", "midi", "midi et demi"))
    minutes = rng.choice(
        (
            "",
            "",
            "",
            "",
            " trente",
            " trente",
            " et demie",
            " quinze",
            " et quart",
            " quarante-cinq",
            " moins le quart",
            " dix",
            " vingt",
        )
    )
    return f"{UNITS[hour] if hour < 20 else 'vingt'} heures{minutes}"
