"""Reads `prompts.yaml` (name -> spoken text) and tells which prompts have audio, and how long it is.

A prompt named `welcome` in the folder `fr` is `fr/welcome.wav`: 8 kHz, 16 bit, mono, what Asterisk plays without work.
"""

from __future__ import annotations

import re
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SAMPLE_RATE_HZ = 8_000
NAME = re.compile(r"[a-z][a-z0-9_]*")
VOICE_RANGES = {"speed": (80, 300), "pitch": (0, 99)}


class BadCatalogue(ValueError):
    """A prompts.yaml that is refused: one line per fault, with the file."""


class BadPromptAudio(ValueError):
    """A WAV that Asterisk would not play."""


@dataclass(frozen=True)
class PromptVoice:
    """The synthesiser's settings: espeak-ng voice, words per minute, pitch (0-99)."""

    name: str = "fr"
    speed: int = 155
    pitch: int = 45


@dataclass(frozen=True)
class PromptCatalogue:
    """The prompts of one language: their texts by name."""

    language: str
    voice: PromptVoice
    texts: Mapping[str, str]


def read_catalogue(path: Path) -> PromptCatalogue:
    """The catalogue in a prompts.yaml. Raises BadCatalogue with every fault, OSError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadCatalogue(f"{path}: no UTF-8: {error}") from error
    return read_catalogue_text(text, str(path))


def read_catalogue_text(text: str, path: str) -> PromptCatalogue:
    """The catalogue in the text of a prompts.yaml; `path` names it in faults. Raises BadCatalogue."""
    try:
        body = yaml.load(text, Loader=_Strict)
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets dates and numbers that are none through as ValueError
        raise BadCatalogue(f"{path}: no YAML: {error}") from error
    except RecursionError:
        raise BadCatalogue(f"{path}: no YAML: nested too deeply") from None
    if not isinstance(body, dict):
        raise BadCatalogue(f"{path}: must be a mapping with language, settings and prompts")
    faults = [f"{path}: unknown key {key}" for key in body if key not in ("language", "settings", "prompts")]
    settings = body.get("settings", {})
    voice = _voice(settings, path, faults)
    prompts = body.get("prompts")
    texts: dict[str, str] = {}
    if not isinstance(prompts, dict):
        faults.append(f"{path}: needs prompts: name: text")
    else:
        for name, text in prompts.items():
            if not isinstance(name, str) or not NAME.fullmatch(name):
                faults.append(f"{path}: {name!r} is no name (small letters, digits and _)")
            elif not isinstance(text, str) or not text.strip():
                faults.append(f"{path}: {name} has no text")
            else:
                texts[name] = text.strip()
    if not isinstance(body.get("language"), str):
        faults.append(f"{path}: needs a language")
    if faults:
        raise BadCatalogue("\n".join(faults))
    return PromptCatalogue(body["language"], voice, texts)


def audio_ms(path: Path) -> int:
    """Length of a prompt's WAV in milliseconds. Raises BadPromptAudio when Asterisk would not play it."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            frames = file.getnframes()
    except (OSError, EOFError, wave.Error) as error:
        raise BadPromptAudio(f"{path}: {error}") from error
    if (rate, width, channels) != (SAMPLE_RATE_HZ, 2, 1):
        raise BadPromptAudio(
            f"{path}: {rate} Hz, {8 * width} bit, {channels} channel(s); must be 8000 Hz, 16 bit, mono"
        )
    if frames == 0:
        raise BadPromptAudio(f"{path}: is empty")
    return round(frames * 1_000 / SAMPLE_RATE_HZ)


def lengths_ms(folder: Path) -> dict[str, int | None]:
    """Every prompt of a folder's catalogue with its length, None where there is no audio to play.

    Raises BadCatalogue or OSError for the catalogue itself.
    """
    found: dict[str, int | None] = {}
    for name in read_catalogue(folder / "prompts.yaml").texts:
        try:
            found[name] = audio_ms(folder / f"{name}.wav")
        except BadPromptAudio:
            found[name] = None
    return found


def _voice(settings: Any, path: str, faults: list[str]) -> PromptVoice:
    if not isinstance(settings, dict):
        faults.append(f"{path}: settings must be a mapping (voice, speed, pitch)")
        return PromptVoice()
    faults.extend(f"{path}: unknown setting {key}" for key in settings if key not in ("voice", *VOICE_RANGES))
    for key, (low, high) in VOICE_RANGES.items():
        value = settings.get(key, low)
        if type(value) is not int or not low <= value <= high:
            faults.append(f"{path}: {key} must be a whole number from {low} to {high}, not {value!r}")
            return PromptVoice()
    usual = PromptVoice()
    return PromptVoice(
        str(settings.get("voice", usual.name)), settings.get("speed", usual.speed), settings.get("pitch", usual.pitch)
    )


class _Strict(yaml.SafeLoader):
    """YAML that refuses a key given twice, which would silently lose a prompt."""


def _mapping_of(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
        seen.add(str(key.value))
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_of)
