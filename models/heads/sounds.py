"""What is spoken to train a sound head, and the tokens of it: the phonemes as espeak-ng reads them.

Everyday words of a word list, sentences of the flows' intents and short answers. What callers choose between in the
shipped flow is left out, so that how well a choice is heard says how well any other one would be.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from audio_prompts import espeak
from models.heads.texts import number, sentences, short_answer
from whisper_service.sounds import FRENCH, tokens_of_ipa

WORD_LIST = Path("/usr/share/dict/french")
"""Debian's `wfrench`; only to train."""
LEFT_OUT = re.compile(
    r"ga[zs]|fi[ou]+l|[ée]lectri|\bbois|pompe|granul|propane|charbon|mazout|chauff|pellet|radiateur", re.I
)
_FRAMES = (
    *("{}",) * 9, "le {}", "la {}", "les {}", "au {}", "du {}", "un {}", "c'est {}", "c'est le {}", "plutôt {}",
    "euh {}", "alors {}", "{} s'il vous plaît", "avec {}", "je voudrais {}", "oui {}", "non {}",
)  # fmt: skip
_SHORT = (
    "allô|bonjour|bon|merci|quoi|hein|on|nous|où|un|ah|pourquoi|comment|pardon|attendez|bonsoir|alors|voilà|demain|lundi"
    "|jeudi|d'accord|ok|peut-être|jamais|toujours|aucune idée|je ne sais pas|un instant|je vous écoute|répétez|stop"
    "|au revoir|ça dépend|pas encore|plus tard|le matin|l'après-midi|mon mari|ma femme|une maison|un appartement"
).split("|")


def text(draw: random.Random) -> str:
    """One more sentence."""
    while True:
        kind = draw.random()
        if kind < 0.42:
            said = _words(draw)
        elif kind < 0.62:
            said = draw.choice(sentences())
        elif kind < 0.82:
            said = short_answer(draw)
        elif kind < 0.92:
            said = draw.choice(_SHORT)
        else:
            said = number(draw)
        if not LEFT_OUT.search(said):
            return said


def tokens_of(said: str) -> list[int]:
    """The tokens of a text."""
    return list(tokens_of_ipa(espeak.ipa(said, "fr"), FRENCH))


def _words(draw: random.Random) -> str:
    count = draw.choice((1, 1, 1, 2, 2, 3))
    return draw.choice(_FRAMES).format(" ".join(draw.choice(_listed()) for _ in range(count)))


@cache
def _listed() -> list[str]:
    words = WORD_LIST.read_text(encoding="utf-8").split()
    return [word for word in words if re.fullmatch("[a-zàâçéèêëîïôöùûü]{2,9}", word)]
