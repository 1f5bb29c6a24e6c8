"""Text to speech with espeak-ng: sentences to samples as they come over a telephone line, cached; or to phonemes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from config import STATE

TELEPHONE_HZ = 8_000
WIDEBAND_HZ = 16_000
# The pass band of a telephone line, ITU-T G.712.
TELEPHONE_BAND_HZ = (300, 3_400)
PEAK = 0.5
"""Loudest sample of every sentence, of full scale: a voice at the usual level, and nothing is ever clipped."""
DEADLINE_S = 20.0

Samples = NDArray[np.int16]


class EspeakFailed(RuntimeError):
    """espeak-ng is missing or did not speak; the message is its own."""


@dataclass(frozen=True)
class EspeakVoice:
    """How it speaks."""

    name: str = "fr"
    """A voice of espeak-ng, also with a variant: `fr`, `fr+m3`, `fr+f4`, `it`, `en`."""
    speed: int = 150
    """Words per minute, 80 to 450."""
    pitch: int = 50
    """0 to 99."""


def speak(text: str, voice: EspeakVoice | None = None, rate_hz: int = TELEPHONE_HZ, state_dir: Path = STATE) -> Samples:
    """The samples of `text`, mono int16: 8 kHz within the telephone band, or 16 kHz unfiltered. The same text in the
    same voice comes from the cache. Blocks some ten milliseconds per sentence; raises EspeakFailed and ValueError."""
    if rate_hz not in (TELEPHONE_HZ, WIDEBAND_HZ):
        raise ValueError(f"rate_hz must be {TELEPHONE_HZ} or {WIDEBAND_HZ}, not {rate_hz}")
    if not text.strip():
        raise ValueError("no text to speak")
    voice = voice or EspeakVoice()
    # everything that the samples depend on; raise the number when this module changes them
    key = hashlib.sha256(repr((1, text, voice, rate_hz)).encode()).hexdigest()
    cached = state_dir / "cache" / "speech" / f"{key}.npy"
    if cached.exists():
        samples: Samples = np.load(cached)
        return samples
    spoken, spoken_hz = _synthesised(text, voice, _program(state_dir))
    samples = _for_line(spoken, spoken_hz, rate_hz)
    cached.parent.mkdir(parents=True, exist_ok=True)
    # under its name only when complete: several processes may speak the same sentence at once
    handle, partial = tempfile.mkstemp(dir=cached.parent, suffix=".npy")
    with os.fdopen(handle, "wb") as file:
        np.save(file, samples)
    os.replace(partial, cached)
    return samples


def ipa(clause: str, voice: str, state_dir: Path = STATE) -> str:
    """The phonemes of a clause in IPA, with stress. Blocks some 25 ms; raises EspeakFailed."""
    command = [str(_program(state_dir)), "-q", "--ipa", "-v", voice, "--stdin"]
    done = _run(command, clause)
    if done.returncode != 0:
        raise EspeakFailed(f"espeak-ng: {_complaint(done)}")
    return done.stdout.decode(errors="replace")


def telephone_band(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a telephone line lets through of audio at 8 kHz."""
    filtered: NDArray[np.float64] = sosfilt(
        butter(4, TELEPHONE_BAND_HZ, "bandpass", fs=TELEPHONE_HZ, output="sos"), samples
    )
    return filtered


def _program(state_dir: Path) -> Path:
    return state_dir / "espeak" / "bin" / "espeak-ng"


def _run(command: list[str], text: str) -> subprocess.CompletedProcess[bytes]:
    """espeak-ng over a text, which goes through a pipe: it may begin with a dash. Raises EspeakFailed."""
    try:
        return subprocess.run(command, input=text.encode(), capture_output=True, timeout=DEADLINE_S)
    except FileNotFoundError:
        raise EspeakFailed(f"no program {command[0]} (run `make setup`)") from None
    except subprocess.TimeoutExpired:
        raise EspeakFailed(f"espeak-ng took longer than {DEADLINE_S:g} s") from None


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"


def _synthesised(text: str, voice: EspeakVoice, program: Path) -> tuple[Samples, int]:
    with tempfile.TemporaryDirectory(prefix="pronto-espeak-") as folder:
        wav = Path(folder) / "spoken.wav"
        command = [
            str(program),
            "-v",
            voice.name,
            "-s",
            str(voice.speed),
            "-p",
            str(voice.pitch),
            "-b",
            "1",
            "-w",
            str(wav),
        ]
        done = _run([*command, "--stdin"], text)
        if done.returncode != 0 or not wav.exists():
            raise EspeakFailed(f"espeak-ng: {_complaint(done)}")
        with wave.open(str(wav), "rb") as spoken:
            return np.frombuffer(spoken.readframes(spoken.getnframes()), dtype="<i2"), spoken.getframerate()


def _for_line(spoken: Samples, spoken_hz: int, rate_hz: int) -> Samples:
    samples = soxr.resample(spoken.astype(np.float64) / 32_768, spoken_hz, rate_hz)
    if rate_hz == TELEPHONE_HZ:
        samples = telephone_band(samples)
    loudest = float(np.max(np.abs(samples), initial=0.0))
    if loudest == 0.0:
        raise EspeakFailed("espeak-ng made only silence: does the voice know these characters?")
    scaled: Samples = np.round(samples * (PEAK / loudest) * 32_767).astype(np.int16)
    return scaled
