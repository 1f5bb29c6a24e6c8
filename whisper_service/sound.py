"""Samples become a few facts about the sound: how loud, how long, how tonal, how clipped. Pure: numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whisper_service.audio import SAMPLE_RATE_HZ, Samples

_WINDOW: Final = 1024
_STEP: Final = _WINDOW // 2
_FLOOR_DB: Final = -120.0
_TONAL: Final = 8
"""Loud windows, spread evenly, that are looked at for tones: a tone is one in each of them."""
_HANN: Final = np.hanning(_WINDOW).astype(np.float32)


@dataclass(frozen=True)
class Sound:
    """What can be said of a clip without understanding it."""

    duration_s: float
    level_dbfs: float
    """RMS of the loudest 64 ms; full scale is 0."""
    tonality: float
    """Share of the energy that lies in the two strongest narrow bands of the whole clip, 0 to 1.

    Ring-back, DTMF and fax tones are above 0.9. Speech is not: its pitch moves, so no narrow band keeps the energy.
    """
    clipped: float
    """Share of samples at full scale, 0 to 1."""
    loudest_at: int
    """Sample in the middle of the loudest 64 ms."""
    loud_s: float
    """From the first to the last 64 ms that are at most 15 dB under the loudest."""


def listen(samples: Samples) -> Sound:
    """The facts of a clip of 16 kHz samples, shape [n]."""
    duration_s = samples.size / SAMPLE_RATE_HZ
    if samples.size < _WINDOW:
        samples = np.pad(samples, (0, _WINDOW - samples.size))
    halves = samples[: samples.size // _STEP * _STEP].reshape(-1, _STEP)
    energies = np.einsum("ij,ij->i", halves, halves)
    levels = (energies[1:] + energies[:-1]) / _WINDOW
    loudest = int(levels.argmax())
    level = float(levels[loudest])
    loud = np.flatnonzero(levels > level / 31.6)
    very_loud = np.flatnonzero(levels > level / 10)
    some = very_loud[:: -(-very_loud.size // _TONAL) or 1]
    return Sound(
        duration_s=duration_s,
        level_dbfs=10 * math.log10(level) if level > 0 else _FLOOR_DB,
        tonality=_tonality(np.hstack([halves[some], halves[some + 1]])) if level > 0 else 0.0,
        clipped=(np.count_nonzero(samples >= 0.99) + np.count_nonzero(samples <= -0.99)) / samples.size,
        loudest_at=(loudest + 1) * _STEP,
        loud_s=float(loud[-1] - loud[0] + 1) * _STEP / SAMPLE_RATE_HZ if level > 0 else 0.0,
    )


def _tonality(windows: Samples) -> float:
    """`windows`: loud ones, shape [n, 1024]; a band is 5 bins of 15.6 Hz."""
    spectra = np.fft.rfft(windows * _HANN, axis=1)
    power: NDArray[np.float64] = np.sum(np.square(np.abs(spectra)), axis=0, dtype=np.float64)
    power[:4] = 0.0  # a direct-current offset is no tone
    total = float(power.sum())
    if total <= 0.0:
        return 0.0
    share = 0.0
    for _ in range(2):
        peak = int(power.argmax())
        band = slice(max(0, peak - 2), peak + 3)
        share += float(power[band].sum()) / total
        power[band] = 0.0
    return share
