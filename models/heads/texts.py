"""What is spoken to train a number head, and the tokens of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import yaml

from config import ROOT
from tests.slots import spoken

WORDS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente "
    "quarante cinquante soixante cent mille et septante huitante nonante double oui non"
).split()
NAMES = ("", "", *WORDS)
"""Token -> word; 0 is CTC's blank, 1 any other words in a row."""
OTHER = 1
_TOKENS = {word: number for number, word in enumerate(NAMES) if word} | {
    "vingts": NAMES.index("vingt"), "cents": NAMES.index("cent"), "une": NAMES.index("un"),
    "octante": NAMES.index("huitante"), "zero": NAMES.index("zéro"),
}  # fmt: skip
_FRAMES = (
    *("{}",) * 8, "c'est le {}", "mon code postal c'est le {}", "euh {}", "alors {}", "oui {}", "c'est {}",
    "{} s'il vous plaît", "{} à Paris", "j'habite dans le {}", "le {}", "non {}", "alors c'est le {}",
    "oui c'est le {}", "euh alors {}", "attendez {}", "{} voilà", "c'est dans le {}", "non pas {}",
)  # fmt: skip
_TIMES = (
    "demain à {} heures", "à {} heures", "vers {} heures", "{} heures", "lundi à {} heures trente", "j'ai {} ans",
    "dans {} jours",
)  # fmt: skip
_ANSWERS = (
    "oui|oui oui|oui bonjour|oui d'accord|oui c'est ça|oui tout à fait|oui bien sûr|non|non non|non merci"
    "|non c'est pas ça|ouais|d'accord|oui exactement|non pas du tout|c'est ça oui|oui je veux bien|oui allô"
    "|ah non|ah oui|bah oui|bah non"
).split("|")
_WAYS: tuple[Callable[[str, random.Random], str], ...] = (
    *(spoken.whole_number,) * 5, *(spoken.department_then_commune,) * 3, spoken.with_double_zero,
    *(spoken.digit_by_digit,) * 2, spoken.pairs_and_unit, spoken.swiss_number,
)  # fmt: skip


def tokens_of(text: str) -> list[int]:
    """The tokens of a text; "et" is one only between numbers."""
    said = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower().replace("-", " ").replace("’", "'"))
    found = [_TOKENS.get(word, OTHER) for word in said]
    joint = _TOKENS["et"]
    for at, token in enumerate(found):
        around = [*found[max(0, at - 1) : at], *found[at + 1 : at + 2]]
        if token == joint and (len(around) < 2 or OTHER in around):
            found[at] = OTHER
    return [token for at, token in enumerate(found) if not (token == OTHER and found[max(0, at - 1) : at] == [OTHER])]


def text(draw: random.Random) -> str:
    """One more sentence."""
    kind = draw.random()
    if kind < 0.62:
        return _code(draw)
    if kind < 0.78:
        return number(draw)
    return short_answer(draw) if kind < 0.86 else draw.choice(sentences())


def short_answer(draw: random.Random) -> str:
    """A yes or a no, as callers say it."""
    return draw.choice(_ANSWERS)


def _code(draw: random.Random) -> str:
    code = spoken.zip_code(draw)
    if draw.random() < 0.35:
        code = f"{draw.randint(1, 95):02}{draw.randint(0, 999):03}"
    said = spoken.plain(draw.choice(_WAYS)(code, draw))
    if draw.random() < 0.08:
        said = spoken.hesitant(said, draw)
    if draw.random() < 0.06:
        said = spoken.corrected(spoken.plain(said), draw)
    if draw.random() < 0.12:
        said = said.replace(" ", ", ", 1) if draw.random() < 0.5 else said.replace(" mille ", " mille, ")
    return draw.choice(_FRAMES).format(said)


def number(draw: random.Random) -> str:
    """A number that is no postal code, in one of many ways."""
    kind = draw.random()
    if kind < 0.35:
        most = draw.choice(((0, 99), (100, 999), (1_000, 99_999)))
        return spoken.plain(spoken.french(draw.randint(*most)))
    if kind < 0.6:
        pairs = (f"{draw.randint(0, 99):02}" for _ in range(draw.randint(2, 5)))
        return " ".join(spoken.plain(spoken.french_group(pair)) for pair in pairs)
    if kind < 0.75:
        return spoken.one_by_one("".join(draw.choice("0123456789") for _ in range(draw.randint(3, 6))), spoken.FR_SMALL)
    if kind < 0.9:
        return draw.choice(_TIMES).format(spoken.french(draw.randint(1, 20)))
    return " ".join(draw.choice(WORDS[:24]) for _ in range(draw.randint(3, 7)))


@cache
def sentences() -> list[str]:
    """What callers say in the French flow, by its intents' phrases."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, str):
            found.append(node)
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    walk(yaml.safe_load((ROOT / "flows" / "fr" / "intents.yaml").read_text(encoding="utf-8")))
    return [one for one in found if 2 <= len(one.split()) <= 12 and not re.search(r"[\d{}()\[\]|_/]", one)]
