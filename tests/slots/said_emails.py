# ruff: noqa: E501 - tables
"""Says e-mail addresses as callers do, and writes them as recognisers do: the parser's other direction, on its own."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.slots.spoken import english, french, italian

NAMES = {
    "fr": "marie dupont julien lefevre camille garnier hugo morel chloe fontaine nathan rousseau jade perrin".split(),
    "it": "giulia rossi luca bianchi chiara ferrari matteo romano sofia colombo davide ricci elena marino".split(),
    "en": "john smith emily clarke oliver turner grace hughes harry cooper lucy bennett jack foster".split(),
}
DOMAINS = {
    "fr": "gmail.com orange.fr free.fr laposte.net hotmail.fr wanadoo.fr yahoo.fr sfr.fr mairie-lyon.fr atelier.pro".split(),
    "it": "gmail.com libero.it virgilio.it tiscali.it alice.it hotmail.it studio-neri.it comune.bari.it".split(),
    "en": "gmail.com btinternet.com outlook.com yahoo.co.uk sky.com hotmail.co.uk green-field.org council.gov.uk".split(),
}
SIGNS = {
    "fr": {
        ".": ("point",),
        "@": ("arobase", "at"),
        "-": ("tiret", "trait d'union"),
        "_": ("tiret du bas", "underscore"),
    },
    "it": {".": ("punto",), "@": ("chiocciola",), "-": ("trattino", "meno"), "_": ("trattino basso", "underscore")},
    "en": {".": ("dot",), "@": ("at",), "-": ("dash", "hyphen"), "_": ("underscore",)},
}
NUMBER = {"fr": french, "it": italian, "en": english}
AROUND = {
    "fr": ("{}", "mon adresse c'est {}", "euh oui, {}", "alors mon e-mail est {}", "vous pouvez m'écrire à {}"),
    "it": ("{}", "la mia mail è {}", "ehm sì, {}", "allora l'indirizzo è {}", "mi scriva a {}"),
    "en": ("{}", "my email is {}", "uh yes, {}", "it's {}", "you can write to {}"),
}


@dataclass(frozen=True)
class Address:
    """What is said, and the address that it says."""

    said: str
    address: str


def an_address(language: str, rng: random.Random) -> str:
    first, last = rng.sample(NAMES[language], 2)
    joined = rng.choice(
        [f"{first}.{last}", f"{first}_{last}", f"{first}-{last}", f"{first[0]}.{last}", first, f"{first[0]}{last}"]
    )
    number = str(rng.choice([rng.randint(2, 99), rng.randint(1950, 2012)])) if rng.random() < 0.4 else ""
    return f"{joined}{number}@{rng.choice(DOMAINS[language])}"


def in_words(address: str, language: str, rng: random.Random) -> str:
    """Signs by their names, numbers in words, the first half spelled now and then."""
    local, _, domain = address.partition("@")
    if rng.random() < 0.2 and local.isalpha():
        said = [" ".join(local.upper() if rng.random() < 0.5 else local)]
    else:
        said = _pieces(local, language, rng)
    return " ".join([*said, rng.choice(SIGNS[language]["@"]), *_pieces(domain, language, rng)])


def _pieces(text: str, language: str, rng: random.Random) -> list[str]:
    said: list[str] = []
    word = ""
    for sign in f"{text} ":
        if word and (sign.isdigit() != word.isdigit() or not sign.isalnum()):
            said.append(_number(word, language) if word.isdigit() else word)
            word = ""
        if sign.isalnum():
            word += sign
        elif sign != " ":
            said.append(rng.choice(SIGNS[language][sign]))
    return said


def _number(digits: str, language: str) -> str:
    if len(digits) == 4 and language == "en":
        return f"{english(int(digits[:2]))} {_two(digits[2:])}"
    return NUMBER[language](int(digits))


def _two(digits: str) -> str:
    return f"oh {english(int(digits))}" if digits[0] == "0" else english(int(digits))


def said_address(language: str, rng: random.Random) -> Address:
    address = an_address(language, rng)
    local, _, domain = address.partition("@")
    one_letter = len(local) > 1 and local[0] not in ".-_" and local[1].isalpha() and local.isalpha()
    ways = [in_words(address, language, rng), address, address.title(), f"{local} @ {domain}"]
    said = rng.choice(ways if not one_letter else [*ways, address])
    said = rng.choice(AROUND[language]).format(said)
    return Address(f"{said}." if rng.random() < 0.3 else said, address)
