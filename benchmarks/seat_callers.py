"""What simulated callers answer to each prompt: drawn by seed from lists, plainly spoken or with hesitations. Pure.

A caller listens to the last prompt of what the bot says and answers that, whatever it is: a call goes on even when the
recogniser misheard. `<600>` is a pause of 600 ms (callers/caller_voice.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from callers.script import Caller

VOICES: Final = ("fr", "fr", "fr+f2", "fr+f4", "fr+m3", "fr+m2", "fr+f3")
SPEEDS: Final = (140, 150, 150, 160, 170)
PAUSES_MS: Final = (250, 350, 450, 550, 650, 800)

YES = ("oui", "oui c'est ça", "c'est exact", "oui c'est bien ça", "c'est ça", "oui tout à fait")
PLAIN: Final[dict[str, tuple[str, ...]]] = {
    "ask_eligibility": (
        *("oui", "oui bonjour", "oui d'accord", "d'accord", "oui ça m'intéresse", "oui je veux bien vérifier"),
        *("combien ça coûte", "vous êtes un robot", "qui êtes-vous", "vous pouvez répéter", "je suis occupé"),
    ),
    "ask_zip_code": (
        *("soixante-quinze mille onze", "cinquante-neuf mille", "trente et un mille", "treize mille huit"),
        *("soixante-neuf mille trois", "trente-trois mille", "quarante-quatre mille", "six neuf zéro zéro trois"),
        *("mon code postal c'est soixante-quinze mille onze", "c'est le soixante-neuf mille trois"),
        *("pourquoi mon code postal", "sept cinq zéro un un"),
    ),
    "is_that_right": (*YES, *YES, "oui", "oui", "non soixante-quinze mille douze", "non"),
    "ask_owner_house": (
        *("oui", "je suis propriétaire", "oui je suis propriétaire", "on est propriétaires", "la maison est à moi"),
        *("nous sommes propriétaires", "vous pouvez répéter"),
    ),
    "ask_which_heating": (
        *("au gaz", "au fioul", "au bois", "chauffage électrique", "une pompe à chaleur", "chaudière à gaz"),
        *("j'ai une chaudière à gaz", "des radiateurs électriques", "je ne sais pas", "c'est le chauffage électrique"),
    ),
    "ask_be_called_back": ("oui", "oui rappelez-moi", "d'accord", "oui d'accord", "non"),
    "ask_slot_call_back": (
        *("demain à quatorze heures", "demain matin", "demain après-midi", "mardi matin", "jeudi à dix heures"),
        *("lundi après-midi", "vendredi à seize heures", "je ne sais pas"),
    ),
}
HESITANT: Final[dict[str, tuple[str, ...]]] = {
    "ask_eligibility": (
        "euh <*> oui",
        "euh <*> oui bonjour",
        "euh <*> oui ça m'intéresse",
        "je veux bien <*> vérifier",
    ),
    "ask_zip_code": (
        *("soixante-quinze mille <*> onze", "soixante-neuf mille <*> trois", "treize mille <*> huit"),
        *("mon code postal c'est <*> soixante-quinze mille onze", "euh <*> trente-trois mille"),
        *("sept cinq <*> zéro <*> un un", "six neuf <*> zéro zéro <*> trois", "cinq neuf <*> zéro zéro zéro"),
        *("soixante-quinze <*> zéro onze", "soixante-quinze <*> mille <*> onze"),
    ),
    "is_that_right": ("euh <*> oui", "euh <*> c'est ça", "oui", "non <*> soixante-quinze mille douze"),
    "ask_owner_house": (
        *("euh <*> je suis <*> propriétaire", "je suis <*> propriétaire", "la maison <*> est à moi"),
        *("euh <*> la maison est à moi", "alors <*> on est propriétaires"),
    ),
    "ask_which_heating": (
        *("euh <*> au gaz", "alors <*> j'ai <*> une chaudière à gaz", "j'ai <*> une pompe à chaleur"),
        *("c'est <*> le chauffage électrique", "euh <*> des radiateurs électriques"),
    ),
    "ask_be_called_back": ("euh <*> oui", "euh <*> d'accord", "euh <*> oui rappelez-moi"),
    "ask_slot_call_back": (
        *("demain <*> à quatorze heures", "euh <*> mardi matin", "jeudi <*> à dix heures"),
        *("euh <*> demain <*> après-midi", "disons <*> vendredi <*> à seize heures"),
    ),
}
AFTERTHOUGHT: Final[dict[str, tuple[str, ...]]] = {
    "ask_eligibility": ("oui <*> bonjour", "oui <*> d'accord", "oui <*> ça m'intéresse"),
    "ask_zip_code": ("soixante-quinze mille onze", "c'est le soixante-neuf mille trois", "treize mille huit"),
    "is_that_right": ("oui <*> c'est ça", "oui <*> c'est exact"),
    "ask_owner_house": ("oui <*> je suis propriétaire", "oui <*> la maison est à moi"),
    "ask_which_heating": ("au gaz <*> oui", "au fioul <*> je crois"),
    "ask_be_called_back": ("oui <*> rappelez-moi", "oui <*> d'accord"),
    "ask_slot_call_back": ("demain matin <*> oui", "mardi matin <*> c'est bien"),
}
"""A whole answer, a pause, and a few words more."""
SETS: Final = {"plain": PLAIN, "hesitant": HESITANT, "afterthought": AFTERTHOUGHT}
QUESTIONS: Final = {
    "ask_eligibility_again": "ask_eligibility",
    "ask_eligibility_short": "ask_eligibility",
    "ask_zip_code_again": "ask_zip_code",
    "ask_zip_code_keypad": "ask_zip_code",
    "zip_code_why_answer": "ask_zip_code",
    "busy_answer": "ask_eligibility",
    "not_interested_answer": "ask_eligibility",
    "ask_owner_house_again": "ask_owner_house",
    "ask_which_heating_again": "ask_which_heating",
    "ask_which_heating_short": "ask_which_heating",
    "ask_be_called_back_again": "ask_be_called_back",
    "no_callback_answer": "ask_be_called_back",
    "ask_slot_call_back_again": "ask_slot_call_back",
    "slot_call_back_answer": "ask_slot_call_back",
}


class Talker:
    """One caller: a voice, and an answer to every question, the same ones for the same seed."""

    def __init__(self, seed: int, kind: str) -> None:
        self._random = random.Random(seed)  # nothing but a choice of lines
        self._lines = SETS[kind]
        draw = self._random
        self.voice = Caller(draw.choice(VOICES), draw.choice(SPEEDS), draw.choice((45, 50, 55)))

    def answer(self, prompts: Sequence[str]) -> str | None:
        """What the caller says after these prompts; None when none of them asks them anything."""
        for prompt in reversed(prompts):
            question = QUESTIONS.get(prompt, prompt)
            if question in self._lines:
                line = self._random.choice(self._lines[question])
                while "<*>" in line:
                    line = line.replace("<*>", f"<{self._random.choice(PAUSES_MS)}>", 1)
                return line
        return None
