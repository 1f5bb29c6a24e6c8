"""Whether somebody speaks another language than the one the recogniser was told. Pure.

Told to hear French, Whisper translates: "Si, claro" comes as "Oui, claro", "Vielen Dank" as "Merci". The same encoder
output tells which language it is, in one step of the decoder. It is asked only about what the model is unsure of, and
believed only when it is clear: accents, telephone lines and short words make it waver between many languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from whisper_service.jobs import Decoded

SURE: Final = -0.25
"""Mean log probability from which on a text is in the language it was asked for in."""
SHORTEST_S: Final = 1.4
"""Of an utterance with the silences about it; a shorter one is a word that many languages have."""
LEAST: Final = 0.4
"""Share of the other language at least."""
TIMES: Final = 20.0
"""As likely as the language that was asked for, at least."""


def is_foreign_perhaps(duration_s: float, decoded: Decoded) -> bool:
    """Whether it is worth asking."""
    return duration_s >= SHORTEST_S and bool(decoded.text) and decoded.avg_logprob < SURE


def other_language(wanted: str, shares: Mapping[str, float]) -> str:
    """The language that was spoken instead; empty when it was the wanted one, or is not clear."""
    likeliest = max(shares, key=lambda language: shares[language])
    share = shares[likeliest]
    clear = share >= LEAST and share >= TIMES * shares.get(wanted, 0.0)
    return likeliest if clear and likeliest != wanted else ""
