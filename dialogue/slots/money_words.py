# ruff: noqa: E501 - tables
"""The words for money in each language: units, cents, halves, what makes an amount vague. Pure: data.

All without accents and in lower case, an elided word apart ("plus d'").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MoneyWords:
    """One language's. `units` and `cents` give the currencies that a word may mean, the likeliest first."""

    units: Mapping[str, tuple[str, ...]]
    cents: frozenset[str]
    links: frozenset[str]  # between a unit and its cents, or before a unit
    half: tuple[str, ...]
    decimal: frozenset[str]
    vague: tuple[str, ...]
    ranges: frozenset[str]  # between two numbers that are no amount together
    loose: frozenset[str]  # numbers that are none: "une centaine"
    times: Mapping[str, int]
    zeros_dropped: bool  # "twelve fifty" may be 12.50


SIGNS = {"€": "EUR", "£": "GBP", "$": "USD"}
EUR, GBP, USD, CHF = ("EUR",), ("GBP",), ("USD",), ("CHF",)

MONEY_WORDS = {
    "fr": MoneyWords(
        units={"euro": EUR, "euros": EUR, "eur": EUR, "balles": EUR, "livre": GBP, "livres": GBP, "dollar": USD,
               "dollars": USD, "franc": CHF, "francs": CHF},
        cents=frozenset("centime centimes cts ct".split()),
        links=frozenset({"et", "d'", "de", "sterling", "suisse", "suisses"}),
        half=("et demi", "et demie"),
        decimal=frozenset({"virgule", "point"}),
        vague=("environ", "a peu pres", "autour de", "autour des", "aux alentours de", "plus ou moins", "presque", "plus de",
               "plus d'", "moins de", "moins d'", "au moins", "au maximum", "maximum", "minimum", "dans les", "disons",
               "peut etre", "jusqu' a", "entre"),
        ranges=frozenset({"a", "ou", "ou bien"}),
        loose=frozenset("centaine centaines dizaine dizaines vingtaine trentaine cinquantaine millier milliers quelques".split()),
        times={"million": 1_000_000, "millions": 1_000_000, "k": 1_000, "mille": 1_000},
        zeros_dropped=False,
    ),
    "it": MoneyWords(
        units={"euro": EUR, "euri": EUR, "eur": EUR, "sterlina": GBP, "sterline": GBP, "dollaro": USD, "dollari": USD,
               "franco": CHF, "franchi": CHF},
        cents=frozenset("centesimo centesimi cent".split()),
        links=frozenset({"e", "di", "d'", "svizzeri", "svizzero"}),
        half=("e mezzo", "e mezza"),
        decimal=frozenset({"virgola", "punto"}),
        vague=("circa", "piu o meno", "quasi", "intorno a", "intorno ai", "sui", "sulle", "piu di", "meno di", "almeno", "al massimo",
               "massimo", "minimo", "diciamo", "forse", "fino a", "tra", "fra"),
        ranges=frozenset({"a", "o", "oppure"}),
        loose=frozenset("centinaio centinaia decina decine ventina trentina cinquantina migliaio migliaia qualche".split()),
        times={"milione": 1_000_000, "milioni": 1_000_000, "k": 1_000, "mila": 1_000},
        zeros_dropped=False,
    ),
    "en": MoneyWords(
        units={"euro": EUR, "euros": EUR, "eur": EUR, "pound": GBP, "pounds": GBP, "quid": GBP, "gbp": GBP, "dollar": USD,
               "dollars": USD, "buck": USD, "bucks": USD, "usd": USD, "franc": CHF, "francs": CHF},
        cents=frozenset("cent cents penny pence p pennies".split()),
        links=frozenset({"and", "of", "sterling", "swiss"}),
        half=("and a half",),
        decimal=frozenset({"point"}),
        vague=("about", "around", "roughly", "approximately", "almost", "nearly", "more than", "less than", "at least", "at most",
               "up to", "over", "under", "maybe", "say", "or so", "maximum", "minimum", "between"),
        ranges=frozenset({"to", "or"}),
        loose=frozenset("dozens hundreds thousands few couple several".split()),
        times={"million": 1_000_000, "millions": 1_000_000, "k": 1_000, "grand": 1_000, "thousand": 1_000},
        zeros_dropped=True,
    ),
}  # fmt: skip
