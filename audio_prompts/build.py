"""Makes the WAVs of a folder: recordings first, then what a near-human voice has spoken, then the synthesiser; and
only what changed.

    fr/prompts.yaml        what is said (in git)
    fr/recordings/x.wav    a recording of x by a human, already a prompt in format and level (in git)
    fr/rendered/x.opus     x in a near-human voice, spoken in advance (in git, audio_prompts/rendered.py)
    fr/x.wav               the prompt, to hear it and to put another over it; made here, not in git
    fr/.built.json         of what each x.wav was made
    .played/fr/x.wav       the same for Asterisk, which plays only what was built: no half, foreign or missing file

A file that somebody put over `fr/x.wav` by hand is a recording: it is taken over into `recordings/`, never overwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from audio_prompts.audio_files import read_audio, wav_bytes
from audio_prompts.catalogue import (
    PLAYED,
    SAMPLE_RATE_HZ,
    BadPromptAudio,
    Manner,
    PromptVoice,
    audio_ms,
    read_catalogue,
)
from audio_prompts.espeak import telephone_band
from audio_prompts.loudness import Samples, SilentAudio, prepared
from audio_prompts.phonemes import is_near_human
from audio_prompts.rendered import RenderedPrompts
from audio_prompts.replacing import replace_file

Synthesiser: TypeAlias = Callable[[str, PromptVoice], Samples]  # text to float32 samples at 8 kHz
INDEX = ".built.json"
MAKER = "3"  # raise it when prompts are made differently, so that all are made anew


@dataclass
class Built:
    """What a build did, by prompt name. `faults` are texts with the file and the reason, `stand_ins` prompts that a
    near-human voice should speak and the synthesiser speaks, because nobody has rendered them."""

    rendered: list[str] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)
    synthesised: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def build(folder: Path, synthesise: Synthesiser) -> Built:
    """Brings the WAVs of a language up to date. Raises BadCatalogue, OSError; other faults are returned."""
    catalogue = read_catalogue(folder / "prompts.yaml")
    index, spoken = _read_index(folder), RenderedPrompts(folder)
    done = Built()
    for name, text in catalogue.texts.items():
        path, recording, manner = folder / f"{name}.wav", folder / "recordings" / f"{name}.wav", catalogue.manner(name)
        try:
            rendered = spoken.path(name, text, manner.voice)
            source = _source(text, manner, recording, rendered)
            if not rendered and not recording.exists() and is_near_human(manner.voice.name):
                done.stand_ins.append(name)
            there = _hash(path.read_bytes()) if path.exists() else ""
            if there and index.get(name) == {"source": source, "wav": there}:
                _play_from_now_on(folder, name, path.read_bytes())
                done.unchanged.append(name)
                continue
            if recording.exists():
                audio_ms(recording)
                data, made = recording.read_bytes(), done.recorded
            elif rendered:
                data, made = _prompt(_in_band(read_audio(rendered)), manner), done.rendered
            else:
                data, made = _prompt(synthesise(text, manner.voice), manner), done.synthesised
            if there and there != _hash(data) and there != index.get(name, {}).get("wav"):
                import_recording(folder, name, path)
                index = _read_index(folder)
                done.adopted.append(name)
                continue
            _place(folder, name, data, source, index)
            made.append(name)
        except (BadPromptAudio, SilentAudio) as error:
            done.faults.append(f"{path}: {error}")
    for name in [name for name in index if name not in catalogue.texts]:
        (folder / f"{name}.wav").unlink(missing_ok=True)
        _played(folder, name).unlink(missing_ok=True)
        del index[name]
        done.removed.append(name)
    _write_index(folder, index)
    return done


def import_recording(folder: Path, name: str, file: Path) -> int:
    """Takes an audio file of any format over as the recording of a prompt; the result is its length in ms.

    Format, level and silence around it are fixed. Raises KeyError for an unknown prompt, BadPromptAudio, SilentAudio.
    """
    catalogue = read_catalogue(folder / "prompts.yaml")
    if name not in catalogue.texts:
        raise KeyError(name)
    data = wav_bytes(prepared(read_audio(file), SAMPLE_RATE_HZ))
    recording = folder / "recordings" / f"{name}.wav"
    recording.parent.mkdir(exist_ok=True)
    replace_file(recording, data)
    index = _read_index(folder)
    _place(folder, name, data, _source(catalogue.texts[name], catalogue.manner(name), recording, None), index)
    return audio_ms(folder / f"{name}.wav")


def _source(text: str, manner: Manner, recording: Path, rendered: Path | None) -> str:
    """Of what a WAV is made: a recording, a rendered file, or a text in a voice."""
    if recording.exists():
        return f"recording {_hash(recording.read_bytes())}"
    if rendered:
        around = f"{MAKER} {manner.lead_ms} {manner.trail_ms} {_hash(rendered.read_bytes())}"
        return f"rendered {_hash(around.encode())}"
    return f"text {_hash(f'{MAKER} {manner} {text}'.encode())}"


def _in_band(samples: Samples) -> Samples:
    """What a telephone line lets through, so that the level is that of what the caller hears."""
    return telephone_band(samples.astype(np.float64)).astype(np.float32)


def _prompt(samples: Samples, manner: Manner) -> bytes:
    return wav_bytes(prepared(samples, SAMPLE_RATE_HZ, manner.lead_ms, manner.trail_ms))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _place(folder: Path, name: str, data: bytes, source: str, index: dict[str, Any]) -> None:
    replace_file(folder / f"{name}.wav", data)
    _play_from_now_on(folder, name, data)
    index[name] = {"source": source, "wav": _hash(data)}
    _write_index(folder, index)


def _played(folder: Path, name: str) -> Path:
    return folder.parent / PLAYED / folder.name / f"{name}.wav"


def _play_from_now_on(folder: Path, name: str, data: bytes) -> None:
    path = _played(folder, name)
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)


def _read_index(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        body = json.loads((folder / INDEX).read_text())
        if isinstance(body, dict):
            return {k: v for k, v in body.items() if isinstance(v, dict) and {"source", "wav"} <= set(v)}
    return {}


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    replace_file(folder / INDEX, json.dumps(index, indent=0, sort_keys=True).encode())
