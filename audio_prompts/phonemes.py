"""Text to the phonemes that Kokoro speaks: espeak-ng's IPA of each clause, in the symbols of its training. Pure but for
the `ipa` function that is given.

The network was trained on phonemes of misaki (hexgrad), whose English writes diphthongs and affricates as one letter;
for other languages it took espeak-ng's. Symbols and numbers are those of the model's config.json (Kokoro-82M).
"""

from __future__ import annotations

import re
from collections.abc import Callable

Ipa = Callable[[str, str], str]  # a clause and an espeak-ng voice to IPA

ESPEAK_OF = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "i": "it"}
"""First letter of a voice's name -> the espeak-ng voice that reads its language."""
_ONE_BY_ONE = (
    (1, ";:,.!?"), (9, '—…"()“” \u0303ʣʥʦʨᵝ\uab67AI'), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"), (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ"),
    (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"), (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"),
    (142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip
SYMBOLS = {symbol: first + place for first, symbols in _ONE_BY_ONE for place, symbol in enumerate(symbols)}
_ENGLISH = (
    ("aɪ", "I"), ("aʊ", "W"), ("dʒ", "ʤ"), ("eɪ", "A"), ("tʃ", "ʧ"), ("ɔɪ", "Y"), ("oʊ", "O"), ("əʊ", "Q"), ("ɚ", "əɹ"),
    ("ɐ", "ə"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɬ", "l"), ("ʔ", "t"), ("\u0303", ""),
)  # fmt: skip
_AMERICAN = (*_ENGLISH, ("ɜː", "ɜɹ"), ("ɹɹ", "ɹ"), ("ɪə", "iə"), ("ɾ", "T"), ("ː", ""))
_BRITISH = (*_ENGLISH, ("eə", "ɛː"), ("iə", "ɪə"))
_AFFRICATES = (("tʃ", "ʧ"), ("dʒ", "ʤ"), ("ts", "ʦ"), ("dz", "ʣ"))
_CHANGES = {"a": _AMERICAN, "b": _BRITISH, "e": _AFFRICATES, "i": _AFFRICATES}
_MARK = re.compile(r"\s*([,.;:!?…]+)(?=\s|$)")
LONGEST = 400
"""Most symbols that are spoken in one go; the network takes 510 and rushes when it gets near."""


def is_near_human(voice: str) -> bool:
    """Whether a name is that of one of Kokoro's voices in a language that is spoken here: `ff_siwis`, `bm_george`."""
    return re.fullmatch(f"[{''.join(ESPEAK_OF)}][fm]_[a-z]+", voice) is not None


def clauses_of(text: str, voice: str, ipa: Ipa) -> list[str]:
    """The symbols of a text, in strings that are each short enough to be spoken in one go."""
    parts = _MARK.split(text.replace("’", "'"))
    spoken = [""]
    for clause, mark in zip(parts[::2], [*parts[1::2], ""], strict=True):
        sounds = _sounds(clause, voice, ipa) + (f"{mark[0]} " if mark else "")
        if len(spoken[-1]) + len(sounds) > LONGEST and spoken[-1]:
            spoken.append("")
        spoken[-1] += sounds
    return [said.strip() for said in spoken if said.strip()]


def numbers_of(symbols: str) -> list[int]:
    """The network's numbers of a string of symbols; what it has no symbol for is left out."""
    return [SYMBOLS[symbol] for symbol in symbols if symbol in SYMBOLS]


def _sounds(clause: str, voice: str, ipa: Ipa) -> str:
    if not clause.strip():
        return ""
    sounds = ipa(clause, ESPEAK_OF[voice[0]])
    sounds = re.sub(r"\([a-z-]+\)", "", sounds)  # espeak-ng says where it changes the language
    sounds = sounds.replace("-", "").replace("\u200d", "").replace("\u0361", "")
    for old, new in _CHANGES.get(voice[0], ()):
        sounds = sounds.replace(old, new)
    return " ".join(sounds.split())
