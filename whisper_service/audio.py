"""Bytes of an audio file become samples: float32, mono, 16 kHz, between -1 and 1. Pure: no clock, socket or model.

WAV is read here (PCM of 8 to 32 bits, floats, A-law and mu-law); other codings in WAV (GSM, ADPCM) and other containers
go to `containers`. What is no audio, is too long or cannot be heard as audio raises `BadAudio`, which says whose fault
it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from whisper_service.audio_faults import AudioFault, BadAudio
from whisper_service.containers import Channels, read_container

__all__ = ["MIN_SAMPLES", "SAMPLE_RATE_HZ", "AudioFault", "BadAudio", "Samples", "decode", "is_plain", "mixed"]

Samples: TypeAlias = NDArray[np.float32]

ContainerReader: TypeAlias = Callable[[bytes, float], tuple[Channels, int]]
"""Reads a file of at most so many seconds: samples, shape [n, channels], and their rate in Hz. Raises BadAudio."""

SAMPLE_RATE_HZ: Final = 16_000
MIN_SAMPLES: Final = 160
"""One mel frame; anything shorter is no utterance but a mistake."""
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_BY_FFMPEG: Final = [
    struct.pack("<H", encoding) for encoding in (0x02, 0x11, 0x31, 0x45, 0x50, 0x55, 0x64, 0x65, 0x28F)
]
"""WAVE encodings for a decoder: MS ADPCM, IMA ADPCM, GSM 06.10 (Asterisk's .WAV), G.726, MP2, MP3, G.726, G.722."""
_OPEN_ENDED: Final = 0x7FFFF000
"""Sizes from here on (and 0) are what a writer leaves in the header when it streams and cannot know the length."""


def decode(data: bytes, max_s: float = 30.0, read: ContainerReader = read_container) -> Samples:
    """The samples of an audio file of at most `max_s` seconds, shape [n], 16 kHz. Raises BadAudio.

    `read` reads what is no plain WAV: here, or in a process that can be ended.
    """
    if not data:
        raise BadAudio("empty", "the audio is empty")
    if is_plain(data):
        samples, rate_hz = _read_wav(data, max_s)
    else:
        channels, rate_hz = read(data, max_s)
        samples = mixed(channels)
    if not np.isfinite(samples).all():
        raise BadAudio("not_finite", "the audio has samples that are no numbers (NaN or infinite)")
    if rate_hz != SAMPLE_RATE_HZ and samples.size:
        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="MQ")
    if samples.size < MIN_SAMPLES:
        raise BadAudio("too_short", f"{samples.size} samples at 16 kHz; at least {MIN_SAMPLES} are needed")
    return np.clip(samples, np.float32(-1.0), np.float32(1.0))


def is_plain(data: bytes) -> bool:
    """Whether it is a WAV file that is read here, not by FFmpeg's decoders."""
    at = data.find(b"fmt ", 12, 4_096)
    return data[:4] == b"RIFF" and (at < 0 or data[at + 8 : at + 10] not in _BY_FFMPEG)


def _read_wav(data: bytes, max_s: float) -> tuple[Samples, int]:
    """Mono samples and sample rate of a RIFF WAVE file (Microsoft/IBM, 1991; WAVE_FORMAT_EXTENSIBLE)."""
    if len(data) < 12 or data[8:12] != b"WAVE":
        raise BadAudio("not_audio", "the file begins with RIFF but is no WAVE file")
    form: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            if form is None:
                raise BadAudio("not_audio", "the WAVE file has samples before their format")
            if size >= _OPEN_ENDED or (size == 0 and at < len(data)):
                size = len(data) - at
            if at + size > len(data):
                raise BadAudio("truncated", f"the WAVE header promises {size} bytes of samples, {len(data) - at} came")
            return _wav_samples(data[at : at + size], form, max_s), form[2]
        if name == b"fmt ":
            form = _wav_format(data[at : at + size])
        at += size + (size & 1)
    raise BadAudio("truncated", "the WAVE file ends before its samples")


def _wav_format(chunk: bytes) -> tuple[int, int, int, int]:
    """(encoding, channels, sample rate in Hz, bits) of a `fmt ` chunk that can be read."""
    if len(chunk) < 16:
        raise BadAudio("truncated", "the WAVE file's format is cut off")
    encoding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= 26:
        (encoding,) = struct.unpack_from("<H", chunk, 24)
    readable = (encoding == _PCM and bits in (8, 16, 24, 32)) or (encoding == _FLOAT and bits in (32, 64))
    if not readable and not (encoding in (_ALAW, _MULAW) and bits == 8):
        raise BadAudio("unsupported", f"WAVE encoding {encoding} with {bits} bits is not read here")
    if not 1 <= channels <= 8:
        raise BadAudio("unsupported", f"{channels} channels; 1 to 8 are read")
    if not 4_000 <= rate_hz <= 192_000:
        raise BadAudio("unsupported", f"a sample rate of {rate_hz} Hz; 4000 to 192000 are read")
    return encoding, channels, rate_hz, bits


def _wav_samples(data: bytes, form: tuple[int, int, int, int], max_s: float) -> Samples:
    encoding, channels, rate_hz, bits = form
    width = bits // 8 * channels
    if len(data) % width:
        raise BadAudio("truncated", f"{len(data)} bytes of samples are no whole number of frames of {width} bytes")
    if len(data) // width > max_s * rate_hz:
        raise BadAudio("too_long", f"{len(data) / width / rate_hz:.1f} s of audio; at most {max_s:g} s are taken")
    if encoding == _FLOAT:
        wide = np.frombuffer(data, "<f4" if bits == 32 else "<f8")
        with np.errstate(over="ignore"):
            samples = wide.astype(np.float32)
    elif encoding == _ALAW:
        samples = _ALAW_TABLE[np.frombuffer(data, np.uint8)]
    elif encoding == _MULAW:
        samples = _MULAW_TABLE[np.frombuffer(data, np.uint8)]
    elif bits == 8:
        samples = (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
    elif bits == 24:
        whole = np.zeros((len(data) // 3, 4), np.uint8)
        whole[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        samples = whole.view("<i4")[:, 0].astype(np.float32) / 2.0**31
    else:
        samples = np.frombuffer(data, f"<i{bits // 8}").astype(np.float32) / 2.0 ** (bits - 1)
    return mixed(samples.reshape(-1, channels))


def mixed(channels: NDArray[np.float32]) -> Samples:
    """One channel of several, shape [samples, channels]: their mean, or the loudest where they cancel each other out.

    Wires that are crossed turn one channel over, and the mean of a voice and its opposite is silence. Channels that
    have nothing to do with each other leave the sum of their energies over the square of their number; a tenth of that
    is cancelled.
    """
    if channels.shape[1] == 1:
        return channels[:, 0]
    mean: Samples = channels.mean(axis=1, dtype=np.float32)
    energies = np.einsum("ij,ij->j", channels, channels, dtype=np.float64)
    unrelated = float(energies.sum()) / channels.shape[1] ** 2
    if float(np.dot(mean, mean)) < 0.1 * unrelated:
        return np.ascontiguousarray(channels[:, int(energies.argmax())])
    return mean


def _alaw(code: int) -> float:
    """ITU-T G.711 A-law, full scale 1."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    level = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << exponent - 1
    return (level if code & 0x80 else -level) / 32768.0


def _mulaw(code: int) -> float:
    """ITU-T G.711 mu-law, full scale 1."""
    code = ~code & 0xFF
    level = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return (-level if code & 0x80 else level) / 32768.0


_ALAW_TABLE: Final = np.array([_alaw(code) for code in range(256)], np.float32)
_MULAW_TABLE: Final = np.array([_mulaw(code) for code in range(256)], np.float32)
