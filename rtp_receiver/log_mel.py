"""Samples to the log-mel picture that models of the Whisper family look at. Pure: numpy only.

80 mel bands of 25 ms windows every 10 ms. The mel scale is Slaney's (linear below 1 kHz, logarithmic above), its
triangles have equal area; the logarithm is limited to 80 dB below the loudest point. Source: Radford et al., "Robust
Speech Recognition via Large-Scale Weak Supervision", and Whisper's feature extractor as published.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
WINDOW: Final = 400
HOP: Final = 160
BANDS: Final = 80
_LINEAR_HZ, _LINEAR_MEL = 1_000.0, 15.0
_LOG_STEP = np.log(6.4) / 27

Floats: TypeAlias = NDArray[np.float32]


def mel_of(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale."""
    log = _LINEAR_MEL + np.log(np.maximum(hz, _LINEAR_HZ) / _LINEAR_HZ) / _LOG_STEP
    return np.where(hz < _LINEAR_HZ, hz * _LINEAR_MEL / _LINEAR_HZ, log)


def hz_of(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The other way round."""
    log = _LINEAR_HZ * np.exp((np.maximum(mel, _LINEAR_MEL) - _LINEAR_MEL) * _LOG_STEP)
    return np.where(mel < _LINEAR_MEL, mel * _LINEAR_HZ / _LINEAR_MEL, log)


def _triangles() -> Floats:
    """Weights [80, 201] of the bands over the bins of a spectrum."""
    top = mel_of(np.array([RATE_HZ / 2]))[0]
    edges = hz_of(np.linspace(0.0, top, BANDS + 2))[:, None]
    bins = np.linspace(0.0, RATE_HZ / 2, WINDOW // 2 + 1)[None, :]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return weights.astype(np.float32)


_TRIANGLES = _triangles()
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def log_mel(samples: Floats) -> Floats:
    """float32 [n] at 16 kHz, at least 201 samples, to float32 [80, n // 160], about -1 to 1.5."""
    padded = np.pad(samples, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(samples) // HOP]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    decades = np.log10(np.maximum(_TRIANGLES @ power.T, 1e-10))
    picture: Floats = ((np.maximum(decades, decades.max() - 8.0) + 4.0) / 4.0).astype(np.float32)
    return picture
