"""Clean speech at 22.05 kHz -> what arrives from a telephone line, at 16 kHz.

Narrow band (8 kHz, 300 to 3400 Hz, mu-law or A-law) for most, wide band (the G.722 path) for some; noise, level, lost
packets. Every function is pure given its generator.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Samples = NDArray[np.float64]
SAMPLE_RATE_HZ = 16_000
PACKET_S = 0.02
SPEECH_LEVEL = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """One telephone line; `noise_free` SNR is None. `sample_rate_hz` is 8000 (narrow band) or 16000 (wide band)."""

    sample_rate_hz: int = 8000
    band_hz: tuple[float, float] | None = (300.0, 3400.0)
    snr_db: float | None = 25.0
    level_dbfs: float = -20.0
    codec: str = "mu-law"
    lost_packets: int = 0
    lead_s: float = 0.25
    tail_s: float = 0.5


def random_line(rng: np.random.Generator) -> Line:
    """A line as it is drawn for training: a quarter are bad, a quarter are clean."""
    wide = rng.random() < 0.15
    draw = rng.random()
    snr_db = rng.uniform(9, 20) if draw < 0.22 else rng.uniform(18, 35) if draw < 0.75 else None
    narrow_band = (float(rng.choice((150, 200, 250, 300, 350))), float(rng.choice((3200, 3400, 3600))))
    return Line(
        sample_rate_hz=16_000 if wide else 8000,
        band_hz=((50.0, 7000.0) if rng.random() < 0.5 else None)
        if wide
        else (narrow_band if rng.random() < 0.85 else None),
        snr_db=snr_db,
        level_dbfs=rng.uniform(-38, -10),
        codec="none" if wide else str(rng.choice(("mu-law", "a-law", "a-law", "none"))),
        lost_packets=int(rng.integers(1, 4)) if rng.random() < 0.1 else 0,
        lead_s=rng.uniform(0.03, 0.4),
        tail_s=rng.uniform(0.05, 0.75),
    )


@functools.lru_cache(maxsize=256)
def _window(up: int, down: int) -> NDArray[np.float64]:
    half = 8 * max(up, down)
    return np.asarray(signal.firwin(2 * half + 1, 1.0 / max(up, down), window=("kaiser", 5.0)))


def resample(x: NDArray[np.floating], up: int, down: int) -> Samples:
    """Polyphase, the filter kept between calls.

    The ratio is reduced first: scipy would reduce it as well, but apply the filter designed for the ratio as given, and
    cut the band to a half or less.
    """
    common = math.gcd(up, down)
    up, down = up // common, down // common
    if up == down:
        return x.astype(np.float64)
    return np.asarray(signal.resample_poly(x.astype(np.float64), up, down, window=_window(up, down)))


@functools.lru_cache(maxsize=64)
def _band(band_hz: tuple[float, float], sample_rate_hz: int) -> NDArray[np.float64]:
    return np.asarray(signal.butter(4, band_hz, "bandpass", fs=sample_rate_hz, output="sos"))


def line_noise(n: int, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """White, coloured or slowly modulated noise with hum, RMS one."""
    kind, x = rng.random(), rng.standard_normal(n + 200)
    if kind > 0.35:
        x = np.asarray(signal.lfilter([1.0], [1.0, -rng.uniform(0.7, 0.97)], x))
    x = x[200:]
    if kind > 0.75:
        t = np.arange(n) / sample_rate_hz
        x = x * (1 + 0.8 * np.sin(2 * np.pi * rng.uniform(0.3, 3) * t)) + rng.uniform(0, 1.5) * np.sin(
            2 * np.pi * rng.choice((50, 100, 150)) * t
        )
    return np.asarray(x / (np.sqrt(np.mean(x**2)) + 1e-9))


def companded(x: Samples, codec: str) -> Samples:
    """Through 8-bit G.711 and back, by its continuous law (ITU-T G.711)."""
    if codec == "none":
        return x
    magnitude = np.abs(np.clip(x, -1, 1))
    if codec == "mu-law":
        y = np.round(np.log1p(255 * magnitude) / np.log(256) * 127) / 127
        return np.asarray(np.sign(x) * np.expm1(y * np.log(256)) / 255)
    a = 87.6
    scale = 1 + np.log(a)
    y = np.where(magnitude < 1 / a, a * magnitude, 1 + np.log(np.maximum(a * magnitude, 1e-9))) / scale
    y = np.round(y * 127) / 127
    return np.asarray(np.sign(x) * np.where(y < 1 / scale, y * scale / a, np.exp(y * scale - 1) / a))


def through(speech: Samples, line: Line, rng: np.random.Generator) -> NDArray[np.float32]:
    """`speech` at the line's own rate -> float32 at 16 kHz with the line's lead and tail of silence around it."""
    rate = line.sample_rate_hz
    x = np.concatenate([np.zeros(int(line.lead_s * rate)), speech, np.zeros(int(line.tail_s * rate))])
    rms = np.sqrt(np.mean(speech**2)) + 1e-6
    if line.band_hz:
        x = np.asarray(signal.sosfilt(_band(line.band_hz, rate), x))
    x = x / rms
    if line.snr_db is not None:
        x = x + line_noise(len(x), rate, rng) * 10 ** (-line.snr_db / 20)
    x = companded(x * 10 ** (line.level_dbfs / 20), line.codec)
    packet = int(PACKET_S * rate)
    for _ in range(line.lost_packets):
        at = int(rng.integers(0, max(1, len(x) - packet)))
        x[at : at + packet] = 0
    x = np.clip(x, -1, 1)
    if rate != SAMPLE_RATE_HZ:
        x = resample(x, SAMPLE_RATE_HZ // rate, 1)
    return x.astype(np.float32)
