"""Samples become a few facts about the sound: how loud, how tonal, how clipped. Pure: numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from whisper_service.audio import SAMPLE_RATE_HZ, Samples

_WINDOW: Final = 1024
_FLOOR_DB: Final = -120.0


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


def listen(samples: Samples) -> Sound:
    """The facts of a clip of 16 kHz samples, shape [n]."""
    step = _WINDOW // 2
    padded = np.pad(samples, (0, max(0, _WINDOW - samples.size)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::step]
    levels = np.mean(np.square(windows, dtype=np.float64), axis=1)
    loudest = float(levels.max())
    return Sound(
        duration_s=samples.size / SAMPLE_RATE_HZ,
        level_dbfs=10 * np.log10(loudest) if loudest > 0 else _FLOOR_DB,
        tonality=_tonality(windows[levels > loudest / 10]) if loudest > 0 else 0.0,
        clipped=float(np.mean(np.abs(samples) >= 0.99)),
    )


def _tonality(windows: Samples) -> float:
    """`windows`: the loud ones, shape [n, 1024]; a band is 5 bins of 15.6 Hz."""
    power = np.mean(np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2, axis=0)
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
