"""Makes the WAVs of a folder: recordings first, the synthesiser for what has none, and only what changed.

    fr/prompts.yaml        what is said (in git)
    fr/recordings/x.wav    a recording of x by a human, already a prompt in format and level (in git)
    fr/x.wav               what Asterisk plays; made here, not in git
    fr/.built.json         of what each x.wav was made

A file that somebody put over `fr/x.wav` by hand is a recording: it is taken over into `recordings/`, never overwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
import soxr

from audio_prompts.catalogue import SAMPLE_RATE_HZ, BadPromptAudio, PromptVoice, audio_ms, read_catalogue
from audio_prompts.loudness import Samples, SilentAudio, prepared

Synthesiser: TypeAlias = Callable[[str, PromptVoice], Samples]  # text to float32 samples at 8 kHz
INDEX = ".built.json"
MAKER = "2"  # raise it when prompts are made differently, so that all are made anew


@dataclass
class Built:
    """What a build did, by prompt name. `faults` are texts with the file and the reason."""

    synthesised: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def build(folder: Path, synthesise: Synthesiser) -> Built:
    """Brings the WAVs of a language up to date. Raises BadCatalogue, OSError; other faults are returned."""
    catalogue = read_catalogue(folder / "prompts.yaml")
    index = _read_index(folder)
    done = Built()
    for name, text in catalogue.texts.items():
        path, recording = folder / f"{name}.wav", folder / "recordings" / f"{name}.wav"
        try:
            source = _source(text, catalogue.voice, recording)
            there = _hash(path.read_bytes()) if path.exists() else ""
            if there and index.get(name) == {"source": source, "wav": there}:
                done.unchanged.append(name)
                continue
            if recording.exists():
                audio_ms(recording)
                data, made = recording.read_bytes(), done.recorded
            else:
                data = _wav_bytes(prepared(synthesise(text, catalogue.voice), SAMPLE_RATE_HZ))
                made = done.synthesised
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
    data = _wav_bytes(prepared(read_audio(file), SAMPLE_RATE_HZ))
    recording = folder / "recordings" / f"{name}.wav"
    recording.parent.mkdir(exist_ok=True)
    _replace(recording, data)
    index = _read_index(folder)
    _place(folder, name, data, _source(catalogue.texts[name], catalogue.voice, recording), index)
    return audio_ms(folder / f"{name}.wav")


def read_audio(file: Path) -> Samples:
    """Any audio file as mono float32 samples at 8 kHz. Raises BadPromptAudio."""
    try:
        with av.open(str(file)) as container:
            if not container.streams.audio:
                raise BadPromptAudio(f"{file}: holds no audio")
            rate_hz = int(container.streams.audio[0].rate)
            mono = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
            frames = [piece for frame in container.decode(audio=0) for piece in mono.resample(frame)]
            frames += mono.resample(None)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadPromptAudio(f"{file}: {error}") from error
    if not frames:
        raise BadPromptAudio(f"{file}: is empty")
    samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.float32)
    if not np.isfinite(samples).all():
        raise BadPromptAudio(f"{file}: holds numbers that are none")
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    resampled: Samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    return resampled


def _source(text: str, voice: PromptVoice, recording: Path) -> str:
    """Of what a WAV is made: a recording, or a text in a voice."""
    if recording.exists():
        return f"recording {_hash(recording.read_bytes())}"
    return f"text {_hash(f'{MAKER} {voice} {text}'.encode())}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _wav_bytes(samples: Samples) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.round(samples * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def _place(folder: Path, name: str, data: bytes, source: str, index: dict[str, Any]) -> None:
    _replace(folder / f"{name}.wav", data)
    index[name] = {"source": source, "wav": _hash(data)}
    _write_index(folder, index)


def _replace(path: Path, data: bytes) -> None:
    """Writes a file so that nobody ever reads half of it: a call may be playing it."""
    part = path.with_suffix(".part")
    part.write_bytes(data)
    os.replace(part, path)


def _read_index(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        body = json.loads((folder / INDEX).read_text())
        if isinstance(body, dict):
            return {k: v for k, v in body.items() if isinstance(v, dict) and {"source", "wav"} <= set(v)}
    return {}


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    _replace(folder / INDEX, json.dumps(index, indent=0, sort_keys=True).encode())
