"""Reads `prompts.yaml` (name -> spoken text and manner) and tells which prompts have audio, and how long it is.

A prompt named `welcome` in the folder `fr` is `fr/welcome.wav`: 8 kHz, 16 bit, mono, what Asterisk plays without work.
"""

from __future__ import annotations

import wave
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

import forms
from yaml_text import NotUtf8, read_utf8, refuse_odd_indents

SAMPLE_RATE_HZ = 8_000
PLAYED = ".played"
"""The folder beside the languages that Asterisk plays from (audio_prompts/build.py)."""
USUAL_SPEED = 155
RANGES = {"speed": (80, 300), "pitch": (0, 99), "lead_ms": (0, 2_000), "trail_ms": (0, 2_000)}
SPOKEN_KEYS = ("voice", "fallback", *RANGES)


class BadCatalogue(ValueError):
    """A prompts.yaml that is refused: one line per fault, with the file."""


class BadPromptAudio(ValueError):
    """A WAV that Asterisk would not play."""


@dataclass(frozen=True)
class PromptVoice:
    """Who speaks and how."""

    name: str = "fr"
    """A near-human voice (`ff_siwis`, docs/voices.md) or one of espeak-ng (`fr`, `fr+f4`)."""
    speed: int = USUAL_SPEED
    """Words per minute of espeak-ng; a near-human voice speaks at its own pace at 155, quicker above."""
    pitch: int = 45
    """0 to 99, espeak-ng alone."""
    fallback: str = ""
    """The espeak-ng voice of a prompt that a near-human voice has not spoken yet; empty: that of the language."""


@dataclass(frozen=True)
class Manner:
    """How one prompt is spoken, and the silence around it."""

    voice: PromptVoice = field(default_factory=PromptVoice)
    lead_ms: int = 10  # what is silent before the first sound, the caller waits for
    trail_ms: int = 100


@dataclass(frozen=True)
class PromptCatalogue:
    """The prompts of one language: their texts by name, and how those are spoken that are not spoken as usual."""

    language: str
    voice: PromptVoice
    texts: Mapping[str, str]
    usual: Manner | None = None
    """Where the settings say more than the voice."""
    unusual: Mapping[str, Manner] = field(default_factory=dict)

    def manner(self, name: str) -> Manner:
        """How a prompt is spoken."""
        return self.unusual.get(name) or self.usual or Manner(self.voice)


def read_catalogue(path: Path) -> PromptCatalogue:
    """The catalogue in a prompts.yaml. Raises BadCatalogue with every fault, OSError when it cannot be read."""
    try:
        text = read_utf8(path)
    except NotUtf8 as error:
        raise BadCatalogue(f"{path}: {error}") from error
    return read_catalogue_text(text, str(path))


def read_catalogue_text(text: str, path: str) -> PromptCatalogue:
    """The catalogue in the text of a prompts.yaml; `path` names it in faults. Raises BadCatalogue."""
    try:
        refuse_odd_indents(text)
        body = yaml.load(text, Loader=_Strict)
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets dates and numbers that are none through as ValueError
        raise BadCatalogue(f"{path}: no YAML: {error}") from error
    except RecursionError:
        raise BadCatalogue(f"{path}: no YAML: nested too deeply") from None
    if not isinstance(body, dict):
        raise BadCatalogue(f"{path}: must be a mapping with language, settings and prompts")
    faults = [f"{path}: unknown key {key}" for key in body if key not in ("language", "settings", "pieces", "prompts")]
    usual = _manner(body.get("settings", {}), Manner(), f"{path}: settings", faults)
    prompts = body.get("prompts")
    texts: dict[str, str] = {}
    special: dict[str, Any] = {}
    if not isinstance(prompts, dict):
        faults.append(f"{path}: needs prompts: name: text")
    else:
        for name, said in prompts.items():
            spoken: Any = said
            if isinstance(said, dict):
                spoken = said.get("text")
                special[name] = {key: value for key, value in said.items() if key != "text"}
            if not forms.is_prompt(name) or not name[0].isalpha():
                faults.append(
                    f"{path}: {name!r} is no name (a small letter, then small letters, digits and _, 80 at most)"
                )
            elif not isinstance(spoken, str) or not spoken.strip():
                faults.append(f"{path}: {name} has no text")
            else:
                texts[name] = spoken.strip()
    unusual = _pieces(body.get("pieces"), texts, usual, path, faults)
    for name, settings in special.items():
        unusual[name] = _manner(settings, unusual.get(name, usual), f"{path}: {name}", faults)
    if not isinstance(body.get("language"), str) or not forms.is_language(body["language"]):
        faults.append(f"{path}: needs a language, such as fr")
    if faults:
        raise BadCatalogue("\n".join(faults))
    said_plainly = usual == Manner(usual.voice)
    return PromptCatalogue(body["language"], usual.voice, texts, None if said_plainly else usual, unusual)


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


def lengths_of_audio(folder: Path) -> dict[str, int | None]:
    """Every prompt that has audio in a folder, with its length, whatever its catalogue says."""
    found: dict[str, int | None] = {}
    for path in folder.glob("*.wav"):
        try:
            found[path.stem] = audio_ms(path)
        except BadPromptAudio:
            found[path.stem] = None
    return found


def _manner(settings: Any, usual: Manner, place: str, faults: list[str]) -> Manner:
    """What a mapping of settings changes of the usual manner."""
    if not isinstance(settings, dict):
        faults.append(f"{place} must be a mapping ({', '.join(SPOKEN_KEYS)})")
        return usual
    faults.extend(f"{place}: unknown setting {key}" for key in settings if key not in SPOKEN_KEYS)
    numbers: dict[str, int] = {}
    for key, (low, high) in RANGES.items():
        value = str(settings.get(key, low))
        if not (value.isascii() and value.isdecimal() and low <= int(value) <= high):
            faults.append(f"{place}: {key} must be a whole number from {low} to {high}, not {value!r}")
        elif key in settings:
            numbers[key] = int(value)
    names = {key: str(settings[key]) for key in ("voice", "fallback") if key in settings}
    voice = replace(
        usual.voice,
        name=names.get("voice", usual.voice.name),
        fallback=names.get("fallback", usual.voice.fallback),
        speed=numbers.get("speed", usual.voice.speed),
        pitch=numbers.get("pitch", usual.voice.pitch),
    )
    return Manner(voice, numbers.get("lead_ms", usual.lead_ms), numbers.get("trail_ms", usual.trail_ms))


def _pieces(body: Any, texts: Mapping[str, str], usual: Manner, path: str, faults: list[str]) -> dict[str, Manner]:
    """The manner of the prompts that are said one right after the other, by name."""
    if body is None:
        return {}
    names = body.get("names") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(names, list):
        faults.append(f"{path}: pieces needs names: a list of prompts, such as digit_*")
        return {}
    settings = {key: value for key, value in body.items() if key != "names"}
    manner = _manner(settings, usual, f"{path}: pieces", faults)
    found: dict[str, Manner] = {}
    for pattern in names:
        matching = [name for name in texts if fnmatchcase(name, str(pattern))]
        found.update(dict.fromkeys(matching, manner))
        if not matching:
            faults.append(f"{path}: pieces: no prompt is named {pattern}")
    return found


class _Strict(yaml.BaseLoader):
    """YAML whose scalars are texts as they are written (`yes`, `14:30` and `2026` are words somebody says), and which
    refuses a key given twice, which would silently lose a prompt."""


def _mapping_of(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
        seen.add(str(key.value))
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_of)
