"""Prompts that a near-human voice has spoken in advance: files in git, each with what it was made of.

    fr/rendered/welcome.opus   the prompt, 24 kHz Ogg Opus (4 kB a second)
    fr/rendered/index.json     of each file its text, voice and speed, and its SHA-256

A file counts while prompts.yaml says the same text in the same voice at the same speed; the silence around it, level
and band are a matter of the build and may change without a new rendering.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from audio_prompts.audio_files import opus_bytes
from audio_prompts.catalogue import PromptCatalogue, PromptVoice, read_catalogue
from audio_prompts.loudness import Samples
from audio_prompts.phonemes import is_near_human
from audio_prompts.replacing import replace_file

Renderer: TypeAlias = Callable[[str, PromptVoice], Samples]  # text to float32 samples at 24 kHz
RATE_HZ = 24_000
PEAK = 0.7  # Opus may overshoot a little


@dataclass
class Rendering:
    """What a rendering did, by prompt name."""

    spoken: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


class RenderedPrompts:
    """The rendered prompts of one language's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rendered"
        self._index = _read_index(self.folder / "index.json")

    def path(self, name: str, text: str, voice: PromptVoice) -> Path | None:
        """The file of a prompt, if there is one that says this text in this voice and is whole."""
        entry, path = self._index.get(name), self.folder / f"{name}.opus"
        if entry is None or {**entry, "sha256": ""} != _entry(text, voice, ""):
            return None
        with contextlib.suppress(OSError):
            if hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]:
                return path
        return None

    def missing(self, catalogue: PromptCatalogue) -> Iterator[str]:
        """The prompts that a near-human voice should speak and has not."""
        for name, text in catalogue.texts.items():
            voice = catalogue.manner(name).voice
            if is_near_human(voice.name) and self.path(name, text, voice) is None:
                yield name

    def add(self, name: str, text: str, voice: PromptVoice, samples: Samples) -> None:
        """Stores what was spoken (24 kHz)."""
        self.folder.mkdir(exist_ok=True)
        loudest = float(np.abs(samples).max(initial=1e-6))
        data = opus_bytes((samples * np.float32(PEAK / loudest)).astype(np.float32), RATE_HZ)
        replace_file(self.folder / f"{name}.opus", data)
        self._index[name] = _entry(text, voice, hashlib.sha256(data).hexdigest())
        self._write_index()

    def prune(self, catalogue: PromptCatalogue) -> list[str]:
        """Removes what is no prompt of a near-human voice any more."""
        kept = {name for name in catalogue.texts if is_near_human(catalogue.manner(name).voice.name)}
        gone = sorted(({path.stem for path in self.folder.glob("*.opus")} | set(self._index)) - kept)
        for name in gone:
            (self.folder / f"{name}.opus").unlink(missing_ok=True)
            self._index.pop(name, None)
        if gone:
            self._write_index()
        return gone

    def _write_index(self) -> None:
        text = json.dumps(self._index, indent=1, sort_keys=True, ensure_ascii=False)
        replace_file(self.folder / "index.json", f"{text}\n".encode())


def render(folder: Path, speak: Renderer) -> Rendering:
    """Speaks what is missing or changed, each text once. Raises BadCatalogue, OSError and what `speak` raises; what was
    spoken until then stays."""
    catalogue = read_catalogue(folder / "prompts.yaml")
    prompts = RenderedPrompts(folder)
    done = Rendering(removed=prompts.prune(catalogue))
    missing = set(prompts.missing(catalogue))
    spoken: dict[tuple[str, str, int], Samples] = {}
    for name, text in catalogue.texts.items():
        voice = catalogue.manner(name).voice
        if name in missing:
            key = (text, voice.name, voice.speed)
            if key not in spoken:
                spoken[key] = speak(text, voice)
            prompts.add(name, text, voice, spoken[key])
            done.spoken.append(name)
        elif is_near_human(voice.name):
            done.unchanged.append(name)
    return done


def _entry(text: str, voice: PromptVoice, sha256: str) -> dict[str, Any]:
    return {"text": text, "voice": voice.name, "speed": voice.speed, "sha256": sha256}


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    with contextlib.suppress(OSError, ValueError):
        body = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(body, dict):
            return {name: entry for name, entry in body.items() if isinstance(entry, dict) and "sha256" in entry}
    return {}
