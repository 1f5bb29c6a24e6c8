"""Makes prompts sound alike: trimmed to a breath of silence, one level, no clicks. Pure: arrays in, arrays out.

Samples are float32 in [-1, 1], mono.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]

LEVEL_DBFS = -20.0  # RMS of the voiced frames
CEILING = 0.89  # -1 dBFS
LEAD_MS, TRAIL_MS = 10, 100
FADE_MS = 5
FRAME_MS = 10
SILENCE_BELOW_LOUDEST_DB = 40.0


class SilentAudio(ValueError):
    """Audio in which nothing can be heard."""


def prepared(samples: Samples, rate_hz: int, lead_ms: int = LEAD_MS, trail_ms: int = TRAIL_MS) -> Samples:
    """The samples as a prompt: trimmed, levelled, faded at both ends. Raises SilentAudio."""
    return faded(levelled(trimmed(samples, rate_hz, lead_ms, trail_ms), rate_hz), rate_hz)


def trimmed(samples: Samples, rate_hz: int, lead_ms: int = LEAD_MS, trail_ms: int = TRAIL_MS) -> Samples:
    """With so much silence before the first sound and after the last. Raises SilentAudio."""
    voiced = np.flatnonzero(_voiced(samples, rate_hz))
    if voiced.size == 0:
        raise SilentAudio("nothing can be heard")
    frame = rate_hz * FRAME_MS // 1_000
    begin, end = int(voiced[0]) * frame, min((int(voiced[-1]) + 1) * frame, len(samples))
    lead, trail = rate_hz * lead_ms // 1_000, rate_hz * trail_ms // 1_000
    padded = np.concatenate([np.zeros(lead, np.float32), samples, np.zeros(trail, np.float32)])
    return padded[begin : end + lead + trail]


def levelled(samples: Samples, rate_hz: int) -> Samples:
    """With -20 dBFS RMS where there is voice; peaks are bent below -1 dBFS instead of clipped. Raises SilentAudio."""
    level = level_dbfs(samples, rate_hz)
    return limited((samples * np.float32(10 ** ((LEVEL_DBFS - level) / 20))).astype(np.float32))


def limited(samples: Samples) -> Samples:
    """Peaks above three quarters of the ceiling are compressed towards it, smoothly, the rest is untouched."""
    knee = 0.75 * CEILING
    size = np.abs(samples)
    room = CEILING - knee
    bent = knee + room * np.tanh((size - knee) / room)
    return np.where(size <= knee, samples, np.sign(samples) * bent).astype(np.float32)


def faded(samples: Samples, rate_hz: int) -> Samples:
    """With 5 ms ramps at both ends, so that nothing clicks."""
    length = min(rate_hz * FADE_MS // 1_000, len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    shaped = samples.copy()
    shaped[:length] *= ramp
    shaped[len(samples) - length :] *= ramp[::-1]
    return shaped


def level_dbfs(samples: Samples, rate_hz: int) -> float:
    """RMS of the voiced frames in dB of full scale. Raises SilentAudio."""
    voiced = _voiced(samples, rate_hz)
    if not voiced.any():
        raise SilentAudio("nothing can be heard")
    power = _frame_power(samples, rate_hz)[voiced].mean()
    return float(10 * np.log10(power))


def _voiced(samples: Samples, rate_hz: int) -> NDArray[np.bool_]:
    """Which frames of 10 ms are within 40 dB of the loudest."""
    power = _frame_power(samples, rate_hz)
    loudest = float(power.max(initial=0.0))
    if loudest < 1e-8:
        return np.zeros(len(power), bool)
    return power >= loudest * 10 ** (-SILENCE_BELOW_LOUDEST_DB / 10)


def _frame_power(samples: Samples, rate_hz: int) -> NDArray[np.float64]:
    frame = rate_hz * FRAME_MS // 1_000
    count = -(-len(samples) // frame)
    padded = np.zeros(count * frame, np.float64)
    padded[: len(samples)] = samples
    power: NDArray[np.float64] = (padded.reshape(count, frame) ** 2).mean(axis=1)
    return power
