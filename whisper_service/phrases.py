"""Files of invented sentences become phrase families, regular expressions on normalised text. Pure: reads no file.

Admins edit `flows/<lang>/hallucinations.yaml`; a family that is no regular expression refuses to load.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from whisper_service.credits import is_credit

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ß": "ss"})
"""Letters that Unicode does not take apart."""


class BadGuardPhrases(ValueError):
    """Says file, entry and reason."""


@dataclass(frozen=True)
class Families:
    """`always`: refused on sight. `unsure`: only when the sound or the model was weak as well. `answers`: only when the
    model doubts that anybody spoke."""

    always: tuple[re.Pattern[str], ...] = ()
    unsure: tuple[re.Pattern[str], ...] = ()
    answers: tuple[re.Pattern[str], ...] = ()

    def is_invented(self, normalised: str, is_weak: bool) -> bool:
        """Whether the whole text is of a family that counts here, or has the shape of a credit in any language."""
        families = (*self.always, *self.unsure) if is_weak else self.always
        return is_credit(normalised) or any(family.fullmatch(normalised) for family in families)

    def is_answer(self, normalised: str) -> bool:
        """Whether the whole text is a bare answer."""
        return any(family.fullmatch(normalised) for family in self.answers)


def normalise(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces: « Sous-titres réalisés » is `sous titres realises`."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    kept = "".join(char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return " ".join(kept.split())


def read_families(files: Mapping[str, str]) -> dict[str, Families]:
    """Families by language, from file texts by file name. Raises BadGuardPhrases.

    Every `always` family counts for all languages: Whisper invents English credits whatever language was asked for.
    """
    read = {name: _read(name, text) for name, text in files.items()}
    everywhere = tuple(family for _, families in read.values() for family in families.always)
    return {language: Families(everywhere, families.unsure, families.answers) for language, families in read.values()}


def _read(name: str, text: str) -> tuple[str, Families]:
    try:
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets dates and numbers that are none through as ValueError
        raise BadGuardPhrases(f"{name}: {error}") from None
    except RecursionError:
        raise BadGuardPhrases(f"{name}: nested too deeply") from None
    if not isinstance(content, dict) or not isinstance(content.get("language"), str):
        raise BadGuardPhrases(f"{name}: `language: <code>` is missing")
    unknown = set(content) - {"language", "always", "unsure", "answers"}
    if unknown:
        raise BadGuardPhrases(
            f"{name}: unknown key {sorted(unknown)[0]!r}; known are language, always, unsure, answers"
        )
    keys = ("always", "unsure", "answers")
    return content["language"], Families(*(_patterns(name, key, content.get(key) or []) for key in keys))


def _patterns(name: str, key: str, entries: Any) -> tuple[re.Pattern[str], ...]:
    if not isinstance(entries, list):
        raise BadGuardPhrases(f"{name}: {key} must be a list")
    patterns = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, str) or not entry.strip():
            raise BadGuardPhrases(f"{name}: {key}, entry {number}: must be text, not {entry!r}")
        try:
            pattern = re.compile(entry.strip())
        except (re.error, RecursionError, OverflowError) as error:
            raise BadGuardPhrases(f"{name}: {key}, entry {number} ({entry!r}): {error}") from None
        if pattern.fullmatch(""):
            raise BadGuardPhrases(f"{name}: {key}, entry {number} ({entry!r}): matches the empty text")
        patterns.append(pattern)
    return tuple(patterns)
