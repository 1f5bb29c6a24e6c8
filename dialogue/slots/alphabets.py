# ruff: noqa: E501 - tables
"""How letters are named and made clear on the telephone: letter names, spelling alphabets, accents, signs. Pure: data.

French: the alphabet of the post office (Anatole, Berthe ...); Italian: the cities; everywhere the radio alphabet of ICAO
(Alfa, Bravo ...). All words without accents and in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ACUTE, GRAVE, CIRCUMFLEX, DIAERESIS, CEDILLA, TILDE = "\u0301", "\u0300", "\u0302", "\u0308", "\u0327", "\u0303"
Phrases = tuple[tuple[str, str], ...]
"""Words separated by one space, and what they stand for; longer ones first."""


@dataclass(frozen=True)
class Alphabet:
    """What is said in one language to spell. `likened`: between a letter and its word ("M comme Marie")."""

    letters: Mapping[str, str]
    usual_words: frozenset[str]
    """Names of letters that are words of their own ("are", "elle"): no evidence that somebody spells."""
    long_letters: Phrases
    likened: tuple[str, ...]
    twice: Mapping[str, int]
    accents: Phrases
    signs: Phrases
    skipped: tuple[str, ...]
    words: Mapping[str, str]


def _longest_first(table: Mapping[str, str]) -> Phrases:
    return tuple(sorted(table.items(), key=lambda pair: -len(pair[0].split())))


def _by_letter(text: str) -> dict[str, str]:
    return {word: word[0] for word in text.split()}


_ICAO = _by_letter(
    "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliet juliett juliette kilo lima mike november oscar "
    "papa quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu"
)

FRENCH = Alphabet(
    letters={
        "be": "b", "ce": "c", "de": "d", "effe": "f", "eff": "f", "ge": "g", "ache": "h", "hache": "h", "ji": "j", "ka": "k",
        "elle": "l", "emme": "m", "enne": "n", "pe": "p", "qu": "q", "cu": "q", "erre": "r", "esse": "s", "te": "t",
        "ve": "v", "ixe": "x", "ix": "x", "igrec": "y", "zede": "z", "zed": "z", "eu": "e",
    },
    usual_words=frozenset("elle hache ce de te eu qu a y".split()),
    long_letters=_longest_first({"double v": "w", "double ve": "w", "i grec": "y", "i grecque": "y", "y grec": "y"}),
    likened=("comme",),
    twice={"double": 2, "deux": 2, "2": 2, "triple": 3},
    accents=_longest_first({
        "accent aigu": ACUTE, "aigu": ACUTE, "accent grave": GRAVE, "grave": GRAVE, "accent circonflexe": CIRCUMFLEX,
        "circonflexe": CIRCUMFLEX, "trema": DIAERESIS, "cedille": CEDILLA, "tilde": TILDE,
    }),
    signs=_longest_first({
        "trait d' union": "-", "trait union": "-", "tiret": "-", "apostrophe": "'", "espace": " ", "plus loin": " ",
        "nouveau mot": " ", "en deux mots": " ",
    }),
    skipped=("majuscule", "minuscule", "puis", "ensuite", "la lettre", "lettre", "un", "une"),
    words=_by_letter(
        "anatole berthe celestin desire eugene francois gaston henri irma joseph kleber louis marcel nicolas oscar "
        "pierre quintal raoul suzanne therese ursule victor william xavier yvonne zoe"
    ) | _ICAO,
)  # fmt: skip

ITALIAN = Alphabet(
    letters={
        "bi": "b", "ci": "c", "di": "d", "effe": "f", "gi": "g", "acca": "h", "cappa": "k", "kappa": "k", "elle": "l",
        "emme": "m", "enne": "n", "pi": "p", "cu": "q", "qu": "q", "erre": "r", "esse": "s", "ti": "t", "vu": "v",
        "vi": "v", "ics": "x", "ipsilon": "y", "zeta": "z",
    },
    usual_words=frozenset("ci di ti vi a e i o".split()),
    long_letters=_longest_first({
        "doppia v": "w", "doppia vu": "w", "doppio vu": "w", "vu doppia": "w", "vu doppio": "w", "doppia vi": "w",
        "i greca": "y", "i lunga": "j", "i lungo": "j",
    }),
    likened=("come", "di"),
    twice={"doppia": 2, "doppio": 2, "due": 2, "2": 2, "tripla": 3},
    accents=_longest_first({
        "accento acuto": ACUTE, "acuto": ACUTE, "acuta": ACUTE, "accento grave": GRAVE, "grave": GRAVE,
        "accentata": GRAVE, "con l' accento": GRAVE, "accento": GRAVE, "con la dieresi": DIAERESIS,
    }),
    signs=_longest_first({"trattino": "-", "apostrofo": "'", "spazio": " ", "staccato": " "}),
    skipped=("maiuscola", "maiuscolo", "minuscola", "minuscolo", "poi", "la lettera", "lettera"),
    words=_by_letter(
        "ancona asti bari bologna brescia como catania domodossola empoli enna firenze foggia genova gorizia hotel "
        "imola ischia jolly jersey kappa kursaal livorno lucca lecce milano modena mantova napoli novara otranto "
        "palermo padova pisa parma quarto quadro roma rimini ravenna savona siena salerno torino taranto trento udine "
        "venezia verona vicenza varese washington xeres york yacht yogurt zara zagabria zeta"
    ) | {"kursaal": "k"} | _ICAO,
)  # fmt: skip

ENGLISH = Alphabet(
    letters={
        "ay": "a", "bee": "b", "be": "b", "see": "c", "sea": "c", "cee": "c", "dee": "d", "ee": "e", "ef": "f",
        "eff": "f", "gee": "g", "aitch": "h", "haitch": "h", "eye": "i", "jay": "j", "kay": "k", "el": "l", "ell": "l",
        "em": "m", "en": "n", "oh": "o", "pee": "p", "pea": "p", "queue": "q", "cue": "q", "ar": "r", "are": "r",
        "ess": "s", "tee": "t", "tea": "t", "you": "u", "vee": "v", "ex": "x", "why": "y", "wye": "y", "zed": "z",
        "zee": "z",
    },
    usual_words=frozenset("be see sea eye oh pea queue are tea you why a i el en ex bee jay kay dee gee".split()),
    long_letters=_longest_first({"double u": "w", "double you": "w"}),
    likened=("for", "as in", "like", "as"),
    twice={"double": 2, "two": 2, "2": 2, "triple": 3},
    accents=_longest_first({
        "acute": ACUTE, "acute accent": ACUTE, "with an acute accent": ACUTE, "grave": GRAVE, "umlaut": DIAERESIS,
        "with an umlaut": DIAERESIS, "cedilla": CEDILLA, "circumflex": CIRCUMFLEX, "tilde": TILDE,
    }),
    signs=_longest_first({"hyphen": "-", "dash": "-", "apostrophe": "'", "space": " ", "new word": " "}),
    skipped=("capital", "upper case", "lower case", "then", "the letter", "letter"),
    words=_by_letter(
        "adam boy charles david edward frank george henry ida john king lincoln mary nora ocean peter queen robert sam "
        "tom thomas union young zebra able baker dog easy fox jig love nan peter roger sugar tare uncle xray"
    ) | _ICAO,
)  # fmt: skip

ALPHABETS: Mapping[str, Alphabet] = {"fr": FRENCH, "it": ITALIAN, "en": ENGLISH}
SIGN_NAMES: Mapping[str, Mapping[str, str]] = {
    "fr": {"-": "trait d'union", "'": "apostrophe", "@": "arobase", ".": "point", "_": "tiret du bas", "+": "plus"},
    "it": {"-": "trattino", "'": "apostrofo", "@": "chiocciola", ".": "punto", "_": "trattino basso", "+": "più"},
    "en": {"-": "hyphen", "'": "apostrophe", "@": "at", ".": "dot", "_": "underscore", "+": "plus"},
}
"""What the signs of names and addresses are called when they are spelled."""
