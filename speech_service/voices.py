"""Which voice says a text: names become voices, a voice becomes a ladder of those that fall in for it. Pure.

pico-fr                 SVOX Pico, one voice a language (fr, it, en, en-us, es, de)
espeak-fr               espeak-ng
it_IT-paola-medium      a Piper model of that name
server:NAME/fr          the voice NAME of the server SPEECH_UPSTREAM_URL, for a language
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

EngineName: TypeAlias = Literal["pico", "espeak", "piper", "server"]
PICO_LANGUAGES: Final = ("fr", "it", "en", "en-us", "es", "de")
TILT_DB: Final[Mapping[str, float]] = {"pico": 9.0}
"""Pico's French has 18 % of its energy in the telephone's band."""
OPENAI_NAMES: Final = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse default".split()
)
"""What a client of OpenAI's must say when it has no wish: the first voice of the language."""
SLOWEST, FASTEST = 0.25, 4.0
_PIPER = re.compile(r"([a-z]{2})_[A-Z]{2}-[A-Za-z0-9_]+-[a-z_]+")


class UnknownVoice(ValueError):
    """A name that is no voice here; the text says which there are."""


@dataclass(frozen=True)
class Voice:
    """A voice: its engine, what the engine calls it, its language and its usual speed."""

    name: str
    engine: EngineName
    model: str
    language: str
    speed: float = 1.0


def parse_voice(text: str) -> Voice:
    """A voice from a name, with `@1.1` behind it for a speed of its own. Raises UnknownVoice."""
    name, _, pace = text.strip().partition("@")
    try:
        speed = float(pace) if pace else 1.0
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise UnknownVoice(f"{text!r}: a speed is a number from {SLOWEST} to {FASTEST}")
    if name.startswith("pico-") and name[5:] in PICO_LANGUAGES:
        return Voice(name, "pico", name[5:], name[5:7], speed)
    if match := re.fullmatch(r"espeak-([a-z]{2,3})((?:-[a-z]+)?(?:\+[a-z0-9]+)?)", name):
        return Voice(name, "espeak", match[1] + match[2], match[1], speed)
    if match := re.fullmatch(r"server:([A-Za-z0-9_.-]{1,80})/([a-z]{2,3})", name):
        return Voice(name, "server", match[1], match[2], speed)
    if match := _PIPER.fullmatch(name):
        return Voice(name, "piper", name, match[1], speed)
    raise UnknownVoice(f"{text!r} is no voice: pico-fr, espeak-fr, it_IT-paola-medium or server:NAME/fr")


class VoiceTable:
    """The voices of a setting, by language in the order in which they fall in for each other."""

    def __init__(self, names: str) -> None:
        """`names` with commas between them. Raises UnknownVoice."""
        self.voices: dict[str, Voice] = {}
        for name in filter(None, (part.strip() for part in names.split(","))):
            voice = parse_voice(name)
            self.voices[voice.name] = voice
        if not self.voices:
            raise UnknownVoice("no voice is named")

    @property
    def languages(self) -> list[str]:
        """Those that have a voice, in the order of the setting."""
        return list(dict.fromkeys(voice.language for voice in self.voices.values()))

    def ladder(self, name: str, language: str) -> list[Voice]:
        """The voice of that name, then the others of its language in their order. Without a name, or with one of
        OpenAI's, those of `language`, or of the first language. Raises UnknownVoice."""
        short = language.lower()[:2]
        if name in self.voices:
            first = self.voices[name]
            return [first, *(v for v in self.voices.values() if v.language == first.language and v != first)]
        if name and name.lower() not in OPENAI_NAMES and name.lower()[:2] not in self.languages:
            raise UnknownVoice(f"voice {name!r}: there are {', '.join(self.voices)}")
        if not short:
            short = name.lower()[:2] if name.lower() not in OPENAI_NAMES and name else self.languages[0]
        found = [voice for voice in self.voices.values() if voice.language == short]
        if not found:
            raise UnknownVoice(f"language {language!r} has no voice: there are {', '.join(self.languages)}")
        return found
