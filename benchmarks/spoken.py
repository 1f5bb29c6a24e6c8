"""French sentences become telephone utterances: espeak-ng through a narrow-band line, cached between runs."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from config import ROOT, STATE
from models.train.channel import Line, through
from whisper_service.audio import SAMPLE_RATE_HZ, decode

Samples = NDArray[np.float32]
VOICES = ("fr", "fr+m1", "fr+m3", "fr+m7", "fr+f2", "fr+f5", "fr-be", "fr-ch", "fr+Annie", "fr+Mario")
HELD_OUT_VOICES = ("fr+f4", "fr+m6", "fr+michel", "fr+linda")
"""Never heard by the demo model."""


def say(text: str, seed: int, voices: tuple[str, ...] = VOICES) -> Samples:
    """`text` at telephone quality, 16 kHz: voice, speed, pitch, noise, level and codec are drawn from `seed`."""
    choice = random.Random(seed)
    voice, speed, pitch = choice.choice(voices), choice.randint(135, 185), choice.randint(35, 65)
    line = Line(
        snr_db=choice.uniform(18, 32),
        level_dbfs=choice.uniform(-28, -14),
        codec=choice.choice(("mu-law", "a-law")),
        lead_s=choice.uniform(0.2, 0.3),
        tail_s=choice.uniform(0.2, 0.7),
    )
    clean = soxr.resample(_synthesise(text, voice, speed, pitch), SAMPLE_RATE_HZ, line.sample_rate_hz)
    loud = np.flatnonzero(np.abs(clean) > 0.01 * np.abs(clean).max())
    return through(clean[loud[0] : loud[-1] + 1], line, np.random.default_rng(seed))


def wav(samples: Samples) -> bytes:
    """A 16-bit WAV file of 16 kHz samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


SENTENCES = """oui je suis propriétaire|je suis chauffé au gaz|soixante-quinze mille onze|non je suis locataire
une pompe à chaleur|rappelez-moi demain matin|mardi à quatorze heures|qui êtes-vous|combien ça coûte
j'ai une maison avec un chauffage au fioul|treize mille huit|je ne suis pas intéressé merci|pourquoi mon code postal
vous pouvez répéter s'il vous plaît|chauffage électrique|oui tout à fait|je voudrais parler à quelqu'un""".replace(
    "\n", "|"
).split("|")


def utterances(count: int = 32, shortest_s: float = 1.0, longest_s: float = 4.0) -> list[tuple[str, Samples]]:
    """(text, samples) of callers' sentences that last 1 to 4 s."""
    made: list[tuple[str, Samples]] = []
    seed = 0
    while len(made) < count:
        text = SENTENCES[seed % len(SENTENCES)]
        samples = say(text, seed)
        if shortest_s <= samples.size / SAMPLE_RATE_HZ <= longest_s:
            made.append((text, samples))
        seed += 1
    return made


def _synthesise(text: str, voice: str, speed: int, pitch: int) -> Samples:
    name = hashlib.sha256(f"{text}|{voice}|{speed}|{pitch}".encode()).hexdigest()[:24]
    file = STATE / "cache" / "spoken" / f"{name}.wav"
    if not file.exists():
        program = ROOT / ".pronto" / "espeak" / "bin" / "espeak-ng"
        file.parent.mkdir(parents=True, exist_ok=True)
        command = [str(program), "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
        made = subprocess.run(command, check=True, capture_output=True).stdout
        temporary = Path(f"{file}.{hash(made) & 0xFFFF}.tmp")
        temporary.write_bytes(made)
        temporary.replace(file)
    return decode(file.read_bytes())
