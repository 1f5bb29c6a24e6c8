"""What an engine makes becomes what a telephone plays: its rate, its band, one level, no silence around it.

Everything works on a stream: samples go in as they are made and come out a few milliseconds later. Pure: arrays in,
arrays out, state in the object.
"""

from __future__ import annotations

import io
import wave
from typing import Final, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from audio_prompts.loudness import LEVEL_DBFS, SilentAudio, level_dbfs, limited

Samples: TypeAlias = NDArray[np.int16]
Floats: TypeAlias = NDArray[np.float32]

TELEPHONE_HZ: Final = 8_000
BAND_HZ: Final = (300.0, 3_400.0)
"""The pass band of a telephone line, ITU-T G.712."""
LEAD_MS: Final = 10
SILENT_BELOW: Final = 0.004
"""Of full scale, after levelling: -48 dBFS."""
LOOK_MS: Final = 400
"""Heard of a text before its level is set: from then on the level is that of all of it so far."""
PRIOR_MS: Final = 60
"""How much of a text the voice's usual level counts for."""
MOST_OFF_DB: Final = 9.0
"""How far the gain may be from the voice's usual one."""
GAIN_DB: Final = (-20.0, 30.0)
"""What a calibration may ask for."""
_TAPS: Final = 161
_FRAME_MS: Final = 10


class TelephoneLine:
    """One text on its way to a line of `rate_hz`."""

    def __init__(self, rate_hz: int, gain_db: float, tilt_db: float = 0.0, *, levels: bool = True) -> None:
        """`tilt_db` is how much more 3 kHz is raised than 300 Hz: some voices have little where a telephone has much.
        `gain_db` is what the voice needs as a rule; without `levels` it is kept to."""
        self._rate_hz = rate_hz
        self._usual_db = gain_db
        self._most_off_db = MOST_OFF_DB if levels else 0.0
        self._power, self._frames, self._loudest = 0.0, 0, 0.0
        self._gain: float | None = None
        self._unlevelled: list[Floats] = []
        self._taps = shape(rate_hz, tilt_db) if rate_hz == TELEPHONE_HZ or tilt_db else None
        self._resampler: soxr.ResampleStream | None = None
        self._source_hz = 0
        self._tail = np.zeros(_TAPS - 1, np.float32)
        self._late = _TAPS // 2 if self._taps is not None else 0
        self._begun = False
        self._held: list[Floats] = []

    def push(self, samples: Samples, source_hz: int) -> Samples:
        """What can be played of it; often less came out than went in, as silence waits for what follows it."""
        return self._cut(self._levelled(self._shaped(self._resampled(samples, source_hz, last=False)), last=False))

    def end(self) -> Samples:
        """The rest, without the silence behind it."""
        rest = self._resampled(np.zeros(0, np.int16), self._source_hz or self._rate_hz, last=True)
        behind = np.zeros(_TAPS // 2, np.float32) if self._taps is not None else np.zeros(0, np.float32)
        out = self._cut(self._levelled(self._shaped(np.concatenate([rest, behind])), last=True))
        self._held.clear()
        return out

    def _resampled(self, samples: Samples, source_hz: int, *, last: bool) -> Floats:
        floats: Floats = samples.astype(np.float32) / np.float32(32_768)
        if source_hz == self._rate_hz:
            return floats
        if self._resampler is None:
            self._source_hz = source_hz
            self._resampler = soxr.ResampleStream(source_hz, self._rate_hz, 1, dtype="float32", quality="MQ")
        out: Floats = self._resampler.resample_chunk(floats, last=last)
        return out

    def _shaped(self, samples: Floats) -> Floats:
        if self._taps is not None and samples.size:
            joined = np.concatenate([self._tail, samples])
            self._tail = joined[-(_TAPS - 1) :]
            samples = np.convolve(joined, self._taps, "valid").astype(np.float32)
            dropped = min(self._late, samples.size)
            self._late -= dropped
            samples = samples[dropped:]
        return samples

    def _levelled(self, samples: Floats, *, last: bool) -> Floats:
        """At the level of the prompts: short texts differ by 8 dB as a voice says them."""
        if samples.size:
            self._measure(samples)
            self._unlevelled.append(samples)
        if (self._frames * _FRAME_MS < LOOK_MS and not last) or not self._unlevelled:
            return np.zeros(0, np.float32)
        joined = np.concatenate(self._unlevelled)
        self._unlevelled.clear()
        wanted = self._wanted_gain()
        begin = self._gain if self._gain is not None else wanted
        self._gain = wanted
        return limited(joined * np.linspace(begin, wanted, joined.size, dtype=np.float32))

    def _measure(self, samples: Floats) -> None:
        """Adds the frames in which there is voice."""
        frame = self._rate_hz * _FRAME_MS // 1_000
        count = samples.size // frame
        power = (samples[: count * frame].astype(np.float64).reshape(count, frame) ** 2).mean(axis=1)
        self._loudest = max(self._loudest, float(power.max(initial=0.0)))
        voiced = power[power > max(self._loudest * 1e-4, 1e-9)]
        self._power += float(voiced.sum())
        self._frames += int(voiced.size)

    def _wanted_gain(self) -> float:
        usual = 10 ** ((LEVEL_DBFS - self._usual_db) / 10)
        prior = PRIOR_MS / _FRAME_MS
        level = 10 * np.log10((self._power + prior * usual) / (self._frames + prior))
        gain_db = np.clip(LEVEL_DBFS - level, self._usual_db - self._most_off_db, self._usual_db + self._most_off_db)
        return float(10 ** (gain_db / 20))

    def _cut(self, samples: Floats) -> Samples:
        """Holds silence back until something is heard behind it."""
        loud = np.flatnonzero(np.abs(samples) > SILENT_BELOW)
        if not loud.size:
            if samples.size:
                self._held.append(samples)
            return np.zeros(0, np.int16)
        until = int(loud[-1]) + 1
        before = [*self._held, samples[:until]]
        self._held = [samples[until:]] if until < samples.size else []
        out = np.concatenate(before)
        if not self._begun:
            self._begun = True
            first = sum(piece.size for piece in before[:-1]) + int(loud[0])
            out = out[max(0, first - self._rate_hz * LEAD_MS // 1_000) :]
        return np.round(out * np.float32(32_767)).astype(np.int16)


def shape(rate_hz: int, tilt_db: float) -> NDArray[np.float64]:
    """Taps of a filter with linear phase: the telephone's band at 8 kHz, rising by `tilt_db` from 300 to 3000 Hz."""
    size = 4_096
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    slope = np.clip(np.log10(np.maximum(hz, 1.0) / 300.0), 0.0, 1.0)
    gain = 10 ** ((slope - 0.5) * tilt_db / 20)
    if rate_hz == TELEPHONE_HZ:
        gain *= (hz >= BAND_HZ[0] - 40) & (hz <= BAND_HZ[1])
    wanted = np.fft.irfft(gain)
    centred = np.roll(wanted, _TAPS // 2)[:_TAPS]
    return np.asarray(centred * np.hamming(_TAPS))


def gain_for(spoken: list[tuple[Samples, int]], rate_hz: int, tilt_db: float) -> float:
    """The gain (dB) that brings a voice to the level of the prompts, from some sentences of it with their rates.

    Raises SilentAudio when nothing can be heard.
    """
    levels = []
    for samples, source_hz in spoken:
        line = TelephoneLine(rate_hz, 0.0, tilt_db, levels=False)
        peak = float(np.abs(samples).max(initial=0)) or 1.0
        scale = min(1.0, 8_000 / peak)  # far below where peaks are bent
        quiet = (samples.astype(np.float32) * scale).astype(np.int16)
        out = np.concatenate([line.push(quiet, source_hz), line.end()])
        if out.size:
            level = level_dbfs(out.astype(np.float32) / np.float32(32_768), rate_hz)
            levels.append(level - 20 * np.log10(scale))
    if not levels:
        raise SilentAudio("nothing can be heard")
    return float(np.clip(LEVEL_DBFS - np.mean(levels), *GAIN_DB))


def silence(ms: int, rate_hz: int) -> Samples:
    """So much of it."""
    return np.zeros(rate_hz * ms // 1_000, np.int16)


def mulaw(samples: Samples) -> bytes:
    """G.711 mu-law of int16 samples (ITU-T G.711; bias 33 in 14 bits)."""
    wide = samples.astype(np.int32)
    sign = np.where(wide < 0, 0x80, 0).astype(np.int32)
    size = np.minimum(np.abs(wide), 32_635) + 132
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes())


def wav(samples: Samples, rate_hz: int) -> bytes:
    """A WAV file, 16 bit, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()
