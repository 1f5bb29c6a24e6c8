"""Bytes of an audio file become samples: float32, mono, 16 kHz, between -1 and 1. Pure: no clock, socket or model.

WAV is read here (PCM of 8 to 32 bits, floats, A-law and mu-law); any other container goes to FFmpeg's decoders, which
PyAV carries. What is no audio, is too long or cannot be heard as audio raises `BadAudio`, which says whose fault it is.
"""

from __future__ import annotations

import io
import struct
from typing import Final, Literal, TypeAlias

import av
import numpy as np
import soxr
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
AudioFault: TypeAlias = Literal["empty", "not_audio", "truncated", "unsupported", "not_finite", "too_short", "too_long"]

SAMPLE_RATE_HZ: Final = 16_000
MIN_SAMPLES: Final = 160
"""One mel frame; anything shorter is no utterance but a mistake."""
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_OPEN_ENDED: Final = 0x7FFFF000
"""Sizes from here on (and 0) are what a writer leaves in the header when it streams and cannot know the length."""


class BadAudio(ValueError):
    """`fault` for machines, the text for people."""

    def __init__(self, fault: AudioFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


def decode(data: bytes, max_s: float = 30.0) -> Samples:
    """The samples of an audio file of at most `max_s` seconds, shape [n], 16 kHz. Raises BadAudio."""
    if not data:
        raise BadAudio("empty", "the audio is empty")
    samples, rate_hz = _read_wav(data, max_s) if data[:4] == b"RIFF" else _read_container(data, max_s)
    if not np.isfinite(samples).all():
        raise BadAudio("not_finite", "the audio has samples that are no numbers (NaN or infinite)")
    if rate_hz != SAMPLE_RATE_HZ and samples.size:
        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="MQ")
    if samples.size < MIN_SAMPLES:
        raise BadAudio("too_short", f"{samples.size} samples at 16 kHz; at least {MIN_SAMPLES} are needed")
    return np.clip(samples, np.float32(-1.0), np.float32(1.0))


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
    return samples.reshape(-1, channels).mean(axis=1, dtype=np.float32) if channels > 1 else samples


def _read_container(data: bytes, max_s: float) -> tuple[Samples, int]:
    """Mono samples at 16 kHz of any container and codec that FFmpeg reads; decoding stops at `max_s`."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    parts: list[Samples] = []
    count = 0
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise BadAudio("not_audio", "the file has no audio in it")
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    parts.append(piece.to_ndarray().reshape(-1).astype(np.float32))
                    count += parts[-1].size
                if count > max_s * SAMPLE_RATE_HZ:
                    raise BadAudio("too_long", f"the audio is longer than {max_s:g} s")
            parts += [piece.to_ndarray().reshape(-1).astype(np.float32) for piece in resampler.resample(None)]
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        if isinstance(error, BadAudio):
            raise
        raise BadAudio("not_audio", f"this is no audio that can be decoded ({error})") from None
    if not parts:
        raise BadAudio("empty", "the file holds no samples")
    return np.concatenate(parts), SAMPLE_RATE_HZ


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
