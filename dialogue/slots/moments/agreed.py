"""What a sentence says of a moment that was agreed before: it is not the one that is wanted now. Pure.

« sposti l'appuntamento di venerdì a lunedì »    is about Monday
« déplacer mon rendez-vous de vendredi »         is about no day yet
"move it from Friday to Monday at ten"           is about Monday at ten
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dialogue.slots.words import fold


@dataclass(frozen=True)
class _Words:
    """Patterns over plain words. `mine`: what one has already; `the`: the same where a verb of `moves` stands beside
    it; `of` leads to the moment that was agreed, `origin` as well beside such a verb. `at` leads to a time that belongs
    to a day, `to` to the new moment. `numbers` are words that begin a time."""

    mine: str
    the: str
    of: str
    origin: str
    at: str
    to: str
    moves: str
    numbers: str

    def patterns(self) -> _Patterns:
        """Each finds what is to be left out as its group `cut`."""
        hour = rf"(?:\d\S*|{self.numbers})"
        clock = rf"{hour}(?: (?:e|et|heures?|o clock|am|pm)(?: (?:{hour}|mezza|mezzo|quarto|demie|quart))?)?"
        agreed = rf"(?P<cut>{clock}|(?!{hour} ).+?(?: (?:{self.at}) {clock})?)(?= (?:{self.to})(?: |$)|$)"
        return _Patterns(
            mine=re.compile(rf"(?:^| )(?:{self.mine}) (?:{self.of}) {agreed}"),
            the=re.compile(rf"(?:^| )(?:{self.the}) (?:{self.of}) {agreed}"),
            origin=re.compile(rf"(?:^| )(?P<cut>(?:{self.origin}) .+?)(?= (?:{self.to}) )"),
            moves=re.compile(self.moves),
        )


@dataclass(frozen=True)
class _Patterns:
    mine: re.Pattern[str]
    the: re.Pattern[str]
    origin: re.Pattern[str]
    moves: re.Pattern[str]


_LANGUAGES = {
    "fr": _Words(
        mine=r"(?:mon|notre) (?:rendez vous|rdv)|(?:ma|notre) (?:reservation|seance|visite)",
        the=r"(?:le|ce|cet|l) (?:rendez vous|rdv)|(?:la|cette) (?:reservation|seance|visite)|celui|celle",
        of=r"de|du|d|des|prevue? le|prevue? pour|prevue?",
        origin="de|du|d",
        at="a|de|vers",
        to="a|au|pour|vers|plutot",
        moves=r"\b(?:deplac|decal|repouss|recul|avanc|report|chang|annul)\w*",
        numbers="une|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|midi",
    ),
    "it": _Words(
        mine=r"(?:il mio|il nostro) appuntamento|(?:la mia|la nostra) (?:prenotazione|visita)",
        the=r"(?:l|questo|quell) appuntamento|(?:la|questa|quella) (?:prenotazione|visita)|quello|quella",
        of=r"di|del|della|delle|dell|che (?:ho|avevo)(?: per)?|per",
        origin="da|dal|dalle|dalla",
        at="alle|delle|all|verso le",
        to="a|al|alla|alle|all|ad|verso|lo|la",
        moves=r"\b(?:spost|anticip|posticip|rinvi|rimand|cambi|slitt|annull|cancell|disd)\w*",
        numbers="una|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|quattordici|quindici|sedici|diciassette"
        "|diciotto|diciannove|mezzogiorno",
    ),
    "en": _Words(
        mine=r"(?:my|our) (?:appointment|booking|reservation|meeting)",
        the=r"(?:the|this|that) (?:appointment|booking|reservation|meeting|one)",
        of="on|of|for|from|at",
        origin="from",
        at="at",
        to="to|until|for",
        moves=r"\b(?:mov|shift|postpon|reschedul|chang|push|bring|cancel)\w*",
        numbers="one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon",
    ),
}
_WORD = re.compile(r"[^\W_]+(?:[.:/-]\d+)*")
MOST_TEXT = 300  # characters; nobody says more of it in one breath
_PATTERNS = {language: words.patterns() for language, words in _LANGUAGES.items()}


def without_agreed(text: str, language: str) -> str:
    """The text without the moment that was agreed before; as it is where it names none."""
    patterns = _PATTERNS.get(language.partition("-")[0])
    if patterns is None or len(text) > MOST_TEXT:
        return text
    words = [(fold(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]
    plain = " ".join(word for word, _, _ in words)
    found = patterns.mine.search(plain)
    if found is None and patterns.moves.search(plain):
        found = patterns.the.search(plain) or patterns.origin.search(plain)
    if found is None:
        return text
    first, last = (len(plain[:place].split()) for place in found.span("cut"))
    return (text[: words[first][1]] + text[words[last - 1][2] :]).strip()
