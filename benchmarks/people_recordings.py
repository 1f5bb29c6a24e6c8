"""Recordings of people with what they say: Asterisk's French, Italian and English prompts (GSM, 8 kHz).

Set-up fetches them (`scripts/fetch_packages.sh people`) into `.pronto/people`: June Wallack (CC-BY-SA-3.0), Carlo Flora
(CC-BY-3.0), Allison Smith (CC-BY-SA-3.0). They are for measuring; nothing of them is shipped or developed with.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from callers.rtp_audio import from_ulaw, to_ulaw
from config import STATE

LINE_HZ = 8_000
FOLDER = STATE / "people"
LANGUAGES = ("fr", "it", "en")
NO_WORDS = re.compile(r"[\[\]()<>_]|\.\.\.|…|\bbeep\b")
"""A text with one of these tells of a sound, or leaves something out."""
LOUD = 0.05


@dataclass(frozen=True)
class Recording:
    """One prompt; `samples` are float at 8 kHz, as the file has them."""

    language: str
    name: str
    text: str
    samples: NDArray[np.float32]


def are_there(folder: Path = FOLDER) -> bool:
    """Whether set-up brought them."""
    return all((folder / "texts" / f"core-sounds-{language}.txt.gz").is_file() for language in LANGUAGES)


def recordings(
    language: str, count: int = 0, least_words: int = 1, seed: int = 7, folder: Path = FOLDER
) -> list[Recording]:
    """What is said with so many words at least, in an order that depends on the seed; `count` 0: all."""
    texts = list(_texts(language, folder).items())
    random.Random(seed).shuffle(texts)
    found: list[Recording] = []
    for name, text in texts:
        path = folder / "sounds" / language / f"{name}.gsm"
        if NO_WORDS.search(text) or len(text.split()) < least_words:
            continue
        if not path.exists():
            continue
        found.append(Recording(language, name, text, _read_gsm(path)))
        if len(found) == count:
            break
    return found


def on_line(
    samples: NDArray[np.float32], level_dbfs: float, before_s: float, after_s: float, seed: int
) -> NDArray[np.int16]:
    """A recording as it arrives: int16 at 8 kHz after G.711, what is loud in it at that level, a quiet line around."""
    noise = np.random.default_rng(seed).normal(
        0, 10 ** (-70 / 20), len(samples) + round((before_s + after_s) * LINE_HZ)
    )
    at = round(before_s * LINE_HZ)
    loud = samples[np.abs(samples) > LOUD * np.abs(samples).max()].astype(np.float64)
    noise[at : at + len(samples)] += samples * (10 ** (level_dbfs / 20) / np.sqrt(np.mean(loud**2)))
    coded = from_ulaw(to_ulaw(np.round(np.clip(noise, -1, 1) * 32_767).astype(np.int16)))
    return np.asarray(coded, np.int16)


def loud_parts(samples: NDArray[np.float32], frame_s: float = 0.02) -> NDArray[np.bool_]:
    """Which frames are within 30 dB of the loudest."""
    frame = round(frame_s * LINE_HZ)
    power = (samples[: len(samples) // frame * frame].reshape(-1, frame).astype(np.float64) ** 2).mean(axis=1)
    loud: NDArray[np.bool_] = power > power.max(initial=0.0) * 1e-3
    return loud


def _read_gsm(path: Path) -> NDArray[np.float32]:
    # the shortest are too short to be told by their bytes
    with av.open(str(path), format="gsm") as container:
        pieces = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    return np.concatenate(pieces).astype(np.float32) / np.float32(32_768)


def _texts(language: str, folder: Path) -> dict[str, str]:
    raw = gzip.decompress((folder / "texts" / f"core-sounds-{language}.txt.gz").read_bytes())
    try:
        lines: Sequence[str] = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        lines = raw.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if not line.startswith(";"))
    return {name.strip(): text.strip(' "“”') for name, colon, text in pairs if colon and text.strip()}
