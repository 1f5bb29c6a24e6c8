"""Turns a transcript into the plain words that rules and classifiers read. Pure: text in, text out.

Recognisers differ: one writes "Euh, 75 011 !", another "soixante-quinze mille onze". Both become `codepostal`. Accents,
case, punctuation and fillers go; spoken and written numbers become one token per kind, because which number it is
matters to slots, not to intents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ZIP_CODE: Final = "codepostal"
PHONE: Final = "numtelephone"
TIME: Final = "heurejour"
NUMBER: Final = "nombre"

_APOSTROPHES: Final = re.compile("[\u2018\u2019\u02bc\u0060\u00b4]")
_DASHES: Final = re.compile("[-\u2010-\u2015\u2212_/]")
_CLOCK: Final = re.compile(r"\b\d{1,2} ?[h:] ?(\d{2})?\b")
_DIGIT_GAP: Final = re.compile(r"(?<=\d)[ .,](?=\d)")
_ARTICLES: Final = frozenset({"un", "une", "uno", "una", "one", "oh"})
_NOT_WORD: Final = re.compile(r"[^a-z0-9']+")


@dataclass(frozen=True)
class Language:
    """What is particular to one language; every word is written without accents."""

    fillers: frozenset[str]
    """Words that carry nothing."""

    rewrites: tuple[tuple[re.Pattern[str], str], ...]
    """Spellings of the same words that are made one, applied in order."""

    number_words: frozenset[str]
    """Words that may stand in a spoken number."""

    number_links: frozenset[str]
    """Words that may stand between number words but make no number alone."""

    hour_words: frozenset[str]
    """Words that make the number before them a time: hours and months."""

    negations: frozenset[str]
    """Words that turn a sentence around."""

    elisions: Mapping[str, str]
    """What stands before an apostrophe, written out: "j'ai" and a recogniser's "je ai" become the same."""

    homophones: Mapping[str, str] = field(default_factory=dict)
    """Small words that sound alike, made one spelling: a recogniser writes "pa" for "pas" and "suit" for "suis"."""

    number_homophones: frozenset[str] = frozenset()
    """Words that sound like a number word and are one beside a number: "vin" in "vin et un mille"."""

    inner_fillers: frozenset[str] = frozenset()
    """Words that carry nothing inside a longer sentence, and much alone."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _spellings(text: str) -> dict[str, str]:
    """From "pas pa|ca sa": each word after the first of its group -> the first."""
    groups = [group.split() for group in text.split("|")]
    return {word: group[0] for group in groups for word in group[1:]}


def _rewrites(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in pairs)


LANGUAGES: Final[dict[str, Language]] = {
    "fr": Language(
        fillers=_words("euh heu hum hm mh ben bah beh alors allo donc enfin bref genre ne n"),
        rewrites=_rewrites(
            (r"\bdu coup\b|\ben fait\b", " "),
            (r"\bs'? ?il (?:vous|te) plait\b", "silvousplait"),
            (r"\b(?:stp|svp)\b", "silvousplait"),
            (r"\bmaprimerenov\b|\bma prime renov(?:ation|e)?\b'?", "maprimerenov"),
            (r"\bqu'? ?est[ -]ce qu(?:e |i |')", "quoi "),
            (r"\best[ -]ce qu(?:e |')", ""),
            (r"\b(?:y'? ?a|il y a)\b", "ya"),
            (r"\bchuis\b|\bj'? ?suis\b", "je suis"),
            (r"\bchais\b|\bje s(?:e|ai)s\b", "je sais"),
            (r"\bt'(?=[aeiouy])", "tu "),
            (r"\bouai[ps]?\b", "ouais"),
            (r"\bappart\b", "appartement"),
            (r"\bfuel\b|\bfioule?s?\b|\bmazout\b", "fioul"),
            (r"(?<!\bje )(?<!\btu )(?<!\bil )(?<!\bon )(?<!\bqui )(?<!elle )\b(?:ces|ses|s'est|c'et|sait)\b", "c'est"),
            (r"\bqu'ils?\b", "qui"),
            (r"\bm'as?\b", "ma"),
            (r"\bil faux\b", "il faut"),
            (r"\bc'est faut\b", "c'est faux"),
        ),
        number_words=_words(
            "zero un une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt "
            "vingts trente quarante cinquante soixante septante huitante octante nonante cent cents mille"
        ),
        number_links=_words("et est virgule"),
        hour_words=_words(
            "heure heures h janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre"
        ),
        negations=_words("pas plus jamais rien aucun aucune ni non nan"),
        elisions={"j": "je", "c": "ce", "m": "me", "l": "le", "d": "de", "s": "se", "t": "te", "qu": "que"},
        homophones=_spellings(
            "pas pa|ca sa|a as|est et|on ont|son sont|mais mes mets|peut peu peux|quel quelle quels quelles|"
            "quand quant|veux veut|voudrais voudrait|suis suit|fait fais|tout tous|bien biens|temps tant tend|"
            "prix pris|cher chere chair"
        ),
        number_homophones=_words("vin vins vint sans sang mil cet cette set dis dit neufs"),
        inner_fillers=_words("voila hein"),
    ),
    "it": Language(
        fillers=_words("ehm eh uhm allora beh mah dunque ecco insomma pronto"),
        rewrites=_rewrites((r"\bper (?:favore|piacere|cortesia)\b", "perfavore")),
        number_words=_words(
            "zero uno una due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici "
            "sedici diciassette diciotto diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta "
            "cento mille mila"
        ),
        number_links=_words("e virgola"),
        hour_words=_words(
            "ore gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
        ),
        negations=_words("non no mai niente nessuno nessuna nulla"),
        elisions={},
    ),
    "en": Language(
        fillers=_words("uh um er erm hm well so like"),
        rewrites=_rewrites((r"\bcan not\b", "can't"), (r"\bwhat is\b", "what's"), (r"\bwho is\b", "who's")),
        number_words=_words(
            "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
        ),
        number_links=_words("and point"),
        hour_words=_words("o'clock am pm"),
        negations=_words("not no t don didn isn can't cannot never nothing nope"),
        elisions={},
    ),
}


def plain(text: str) -> str:
    """Compatibility form, lower case, no accents, one kind of apostrophe, only letters, digits and `'`."""
    text = unicodedata.normalize("NFKD", _APOSTROPHES.sub("'", text)).lower()
    text = text.replace("\u0153", "oe").replace("\u00e6", "ae")
    return "".join(sign for sign in text if not unicodedata.combining(sign))


def normalise(text: str, language: str, classes: Mapping[str, str] | None = None) -> str:
    """The words that classifiers read, one space between them; empty when nothing but fillers was said.

    `classes` names the kind of a word that stands for many ("nantes" -> "ville"); a kind's name takes the word's place.
    Raises KeyError for a language that is not in LANGUAGES.
    """
    rules = LANGUAGES[language]
    text = _DASHES.sub(" ", plain(text))
    text = _CLOCK.sub(f" {TIME} ", text)
    text = _DIGIT_GAP.sub("", text)
    text = " ".join(_NOT_WORD.sub(" ", text).split())
    for pattern, replacement in rules.rewrites:
        text = pattern.sub(replacement, text)
    words = [rules.elisions.get(word, word) for part in text.split() for word in part.split("'") if word]
    words = [rules.homophones.get(word, word) for word in words if word not in rules.fillers]
    if len(words) > 2:
        words = [word for word in words if word not in rules.inner_fillers] or words
    words = _join_numbers(words, rules)
    if classes:
        words = [classes.get(word, word) for word in words]
    return " ".join(_without_stutter(words))


def _without_stutter(words: list[str]) -> list[str]:
    """A word said three times or more is said twice: recognisers loop, callers say "oui oui oui"."""
    return [word for index, word in enumerate(words) if index < 2 or not word == words[index - 1] == words[index - 2]]


def _join_numbers(words: list[str], rules: Language) -> list[str]:
    """Each run of number words or digits becomes one token for its kind; a lone article ("un", "une") stays a word."""
    joined: list[str] = []
    index = 0
    while index < len(words):
        end = index
        while end < len(words) and (
            _is_number(words[end], rules)
            or (end > index and _links(words, end, rules))
            or _sounds_like_number(words, index, end, rules)
        ):
            end += 1
        run = words[index:end]
        if run and end < len(words) and words[end] in rules.hour_words:
            joined.append(TIME)
            index = end + 1
            continue
        if not run or (len(run) == 1 and run[0] in _ARTICLES):
            joined.append(words[index])
            index += 1
            continue
        joined.append(_kind(run, rules))
        index = end
    return joined


def _links(words: list[str], index: int, rules: Language) -> bool:
    """Whether the word joins the number before it to the one after: "vingt et un"."""
    return words[index] in rules.number_links and index + 1 < len(words) and _is_number(words[index + 1], rules)


def _sounds_like_number(words: list[str], start: int, index: int, rules: Language) -> bool:
    """Whether a word is a number word misheard: it goes on a number that began at `start`, or stands before one."""
    if words[index] not in rules.number_homophones:
        return False
    if any(_is_number(word, rules) and word not in _ARTICLES for word in words[start:index]):
        return True
    after = words[index + 1 : index + 3]
    if len(after) == 2 and after[0] in rules.number_links:
        return _is_number(after[1], rules)
    return bool(after) and (after[0] in rules.hour_words or (_is_number(after[0], rules) and after[0] not in _ARTICLES))


def _is_number(word: str, rules: Language) -> bool:
    return word.isdigit() or word in rules.number_words


def _kind(run: list[str], rules: Language) -> str:
    digits = sum(len(word) for word in run if word.isdigit())
    spoken = [word for word in run if not word.isdigit()]
    if not spoken:
        return ZIP_CODE if digits == 5 else PHONE if digits >= 8 else NUMBER
    if len(spoken) >= 8:
        return PHONE
    return ZIP_CODE if _may_be_zip(run) else NUMBER


def _may_be_zip(run: list[str]) -> bool:
    """Whether a run of number words may spell five digits: "treize mille huit", "sept cinq zero un un"."""
    thousands = {"mille", "mila", "thousand"} & set(run)
    if run[:2] in (["mille", "neuf"], ["deux", "mille"]):
        return False  # a year
    return (bool(thousands) and len(run) >= 2) or len(run) >= 5 or ("zero" in run and len(run) >= 3)
