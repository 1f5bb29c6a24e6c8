"""Seed -> telephone sounds that hold no speech: what a recogniser must turn into nothing.

Silence, line noise, hum, hold music, ring-back and busy tones, DTMF, single tones and sweeps, coughs and breaths,
clicks, full-band noise, crowd-like modulated noise. Pure functions of a numpy generator; 16 kHz float32 in [-1, 1].

    for kind, samples in clips(300, seed=1): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import signal

SAMPLE_RATE_HZ = 16_000
Samples = NDArray[np.float32]
DTMF_LOW_HZ, DTMF_HIGH_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale to an RMS of one."""
    return np.asarray(x / (np.sqrt(np.mean(x**2)) + 1e-12))


def _telephone_band(x: NDArray[np.float64]) -> NDArray[np.float64]:
    band = signal.butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(signal.sosfilt(band, x))


def _coloured_noise(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(signal.lfilter([1.0], [1.0, -rng.uniform(0.0, 0.98)], rng.standard_normal(n)))


def silence(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Digital silence, or a comfort-noise floor near -70 dBFS."""
    return np.asarray(rng.choice((0.0, 3e-4)) * rng.standard_normal(int(seconds * SAMPLE_RATE_HZ)))


def line_noise(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Coloured noise in the telephone band."""
    return _unit(_telephone_band(_coloured_noise(int(seconds * SAMPLE_RATE_HZ), rng)))


def hum(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mains hum with harmonics over a little noise."""
    t = _time(seconds)
    x = sum(rng.uniform(0.1, 1) / k * np.sin(2 * np.pi * 50 * k * t + rng.uniform(0, 6)) for k in range(1, 12))
    return _unit(np.asarray(x) + 0.05 * rng.standard_normal(len(t)))


def hold_music(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Notes of a scale with harmonics, decay and a slow bass; one or two voices."""
    t = _time(seconds)
    x = np.zeros(len(t))
    scale = np.array((0, 2, 4, 5, 7, 9, 11, 12, 14, 16)) if rng.random() < 0.5 else np.array((0, 2, 3, 5, 7, 8, 10, 12))
    tonic_hz, beat_s = rng.uniform(110, 330), rng.uniform(0.15, 0.6)
    for voice in range(rng.integers(1, 4)):
        length_s = beat_s * rng.choice((1, 2, 4) if voice else (1, 1, 2))
        for k in range(int(seconds / length_s) + 1):
            if rng.random() < 0.15:
                continue
            f = tonic_hz * 2 ** (rng.choice(scale) / 12) * rng.choice((0.5, 1.0, 2.0))
            start = k * length_s
            n = (t >= start) & (t < start + length_s * 1.5)
            s = t[n] - start
            tone = sum(rng.uniform(0.2, 1) / h * np.sin(2 * np.pi * f * h * s) for h in range(1, 6) if f * h < 7000)
            x[n] += np.asarray(tone) * np.exp(-s * rng.uniform(1, 6)) * np.minimum(1, s / 0.01)
    return _unit(_telephone_band(x) + 1e-4 * rng.standard_normal(len(t)))


def _cadence(t: NDArray[np.float64], on_s: float, off_s: float, phase_s: float) -> NDArray[np.float64]:
    return ((t + phase_s) % (on_s + off_s) < on_s).astype(np.float64)


def ring_back(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """French (440 Hz, 1.5 s on, 3.5 s off), American (440 + 480 Hz) or generic ring-back and busy tones."""
    t = _time(seconds)
    kind = rng.integers(0, 4)
    if kind == 0:
        return np.sin(2 * np.pi * 440 * t) * _cadence(t, 1.5, 3.5, rng.uniform(0, 5))
    if kind == 1:
        return (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)) * _cadence(t, 2, 4, rng.uniform(0, 6)) / 2
    if kind == 2:
        return np.sin(2 * np.pi * 440 * t) * _cadence(t, 0.5, 0.5, rng.uniform(0, 1))
    return np.sin(2 * np.pi * rng.uniform(350, 480) * t) * _cadence(t, rng.uniform(0.2, 2), rng.uniform(0.2, 3), 0)


def dtmf(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Keys pressed one after another."""
    t = _time(seconds)
    x = np.zeros(len(t))
    start = rng.uniform(0, 0.2)
    while start < seconds:
        on_s = rng.uniform(0.06, 0.4)
        n = (t >= start) & (t < start + on_s)
        x[n] = np.sin(2 * np.pi * rng.choice(DTMF_LOW_HZ) * t[n]) + np.sin(2 * np.pi * rng.choice(DTMF_HIGH_HZ) * t[n])
        start += on_s + rng.uniform(0.05, 0.8)
    return x / 2 + 1e-3 * rng.standard_normal(len(t))


def tone(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """One tone, a sweep, or a fax-like warble."""
    t = _time(seconds)
    kind, f = rng.integers(0, 3), rng.uniform(120, 3600)
    if kind == 0:
        return np.asarray(np.sin(2 * np.pi * f * t))
    if kind == 1:
        return np.asarray(signal.chirp(t, f, max(seconds, 0.1), rng.uniform(120, 3600)))
    return np.asarray(np.sin(2 * np.pi * f * t + rng.uniform(1, 30) * np.sin(2 * np.pi * rng.uniform(2, 40) * t)))


def cough(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Bursts of noise through two broad resonances with a sharp rise: coughs, breaths, throat clearing."""
    n = int(seconds * SAMPLE_RATE_HZ)
    x = np.zeros(n)
    for _ in range(rng.integers(1, 4)):
        length = int(rng.uniform(0.08, 0.5) * SAMPLE_RATE_HZ)
        burst = rng.standard_normal(length)
        for f in (rng.uniform(350, 900), rng.uniform(1100, 2600)):
            b, a = signal.iirpeak(f, rng.uniform(1.0, 4.0), fs=SAMPLE_RATE_HZ)
            burst = burst + 3 * signal.lfilter(b, a, burst)
        s = np.arange(length) / SAMPLE_RATE_HZ
        envelope = np.minimum(1, s / rng.choice((0.004, 0.01, 0.1))) * np.exp(-s * rng.uniform(5, 25))
        at = rng.integers(0, max(1, n - length))
        x[at : at + length] += (burst * envelope)[: n - at]
    return np.asarray(x / (np.abs(x).max() + 1e-9) + 2e-3 * rng.standard_normal(n))


def clicks(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Clicks, knocks and handset bumps."""
    n = int(seconds * SAMPLE_RATE_HZ)
    x = np.zeros(n)
    for at in rng.integers(0, n, rng.integers(1, 12)):
        length = min(n - at, int(rng.uniform(0.002, 0.06) * SAMPLE_RATE_HZ))
        s = np.arange(length) / SAMPLE_RATE_HZ
        ring = np.sin(2 * np.pi * rng.uniform(80, 2500) * s) + rng.uniform(0, 1) * rng.standard_normal(length)
        x[at : at + length] += ring * np.exp(-s * rng.uniform(40, 400))
    return np.asarray(x / (np.abs(x).max() + 1e-9) + 1e-3 * rng.standard_normal(n))


def full_band_noise(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """White or coloured noise over the whole band: impossible on a narrow-band line, still to be refused."""
    return _unit(_coloured_noise(int(seconds * SAMPLE_RATE_HZ), rng))


def modulated_noise(seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise in a moving band with a slow envelope: traffic, wind, a crowd far away."""
    n = int(seconds * SAMPLE_RATE_HZ)
    low = rng.uniform(100, 1500)
    band = signal.butter(2, (low, low * rng.uniform(1.5, 4)), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    envelope = 1 + 0.9 * np.sin(2 * np.pi * rng.uniform(0.2, 7) * _time(seconds) + rng.uniform(0, 6))
    return _unit(np.asarray(signal.sosfilt(band, rng.standard_normal(n))) * envelope[:n])


KINDS: dict[str, Callable[[float, np.random.Generator], NDArray[np.float64]]] = {
    "silence": silence,
    "line_noise": line_noise,
    "hum": hum,
    "hold_music": hold_music,
    "ring_back": ring_back,
    "dtmf": dtmf,
    "tone": tone,
    "cough": cough,
    "clicks": clicks,
    "full_band_noise": full_band_noise,
    "modulated_noise": modulated_noise,
}


def clip(kind: str, seconds: float, rng: np.random.Generator) -> Samples:
    """One clip of `kind` (a key of KINDS) at a level between -45 and -10 dBFS, peaks clipped."""
    x = KINDS[kind](seconds, rng)
    if kind != "silence":
        x = x * 10 ** (rng.uniform(-45, -10) / 20)
    return np.clip(x, -1, 1).astype(np.float32)


def clips(count: int, seed: int, shortest_s: float = 0.3, longest_s: float = 6.0) -> Iterator[tuple[str, Samples]]:
    """`count` clips as (kind, samples), kinds in turn, reproducible from `seed`."""
    rng = np.random.default_rng(seed)
    kinds = list(KINDS)
    for i in range(count):
        kind = kinds[i % len(kinds)]
        yield kind, clip(kind, float(rng.uniform(shortest_s, longest_s)), rng)
