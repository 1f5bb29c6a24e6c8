"""The sound of browser calls: int16 at 16 kHz, mono, little-endian, in frames of 20 ms that are numbered. Pure.

A binary frame of the socket, either way, is 644 bytes: its number (uint32, little-endian, one more each time, from 0
on) and 320 samples. The receiver is sent the same samples as RTP (RFC 3550) in network order, as Asterisk sends slin16.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]

RATE_HZ: Final = 16_000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = RATE_HZ * FRAME_MS // 1_000
FRAME_BYTES: Final = 2 * FRAME_SAMPLES
WIRE_BYTES: Final = 4 + FRAME_BYTES
SILENT_FRAME: Final = bytes(FRAME_BYTES)

_NUMBER: Final = struct.Struct("<I")
_RTP: Final = struct.Struct("!BBHII")
_SLIN16: Final = 118
"""The payload type of Asterisk's static table."""
# a half-band low pass: every second tap but the middle one is 0, so that only the samples in between are computed
_HALF: Final = np.array([0.6270, -0.1879, 0.0893, -0.0436, 0.0187, -0.0052])
_BETWEEN: Final = np.concatenate((_HALF[::-1], _HALF)) / (2 * _HALF.sum())


class BadFrame(ValueError):
    """Bytes that are no frame; the text says why."""


def numbered(number: int, pcm: bytes) -> bytes:
    """A frame of the socket."""
    return _NUMBER.pack(number & 0xFFFF_FFFF) + pcm


def frame_of(data: bytes) -> tuple[int, bytes]:
    """Number and samples of a frame of the socket. Raises BadFrame."""
    if len(data) != WIRE_BYTES:
        raise BadFrame(f"a frame has {WIRE_BYTES} bytes, not {len(data)}")
    return _NUMBER.unpack_from(data)[0], data[4:]


def rtp_packet(number: int, ssrc: int, pcm: bytes) -> bytes:
    """The RTP packet of a caller's frame: sequence number and timestamp follow from the frame's number."""
    head = _RTP.pack(0x80, _SLIN16, number & 0xFFFF, number * FRAME_SAMPLES & 0xFFFF_FFFF, ssrc)
    return head + np.frombuffer(pcm, "<i2").astype(">i2").tobytes()


def twice_as_fast(samples: Samples) -> Samples:
    """8 kHz as 16 kHz: the samples, and between each two what a low pass of 12 of them makes."""
    if not len(samples):
        return samples
    padded = np.pad(samples.astype(np.float64), (len(_BETWEEN) // 2 - 1, len(_BETWEEN) // 2))
    between = np.convolve(padded, _BETWEEN, "valid")
    found = np.empty(2 * len(samples), np.int16)
    found[::2] = samples
    found[1::2] = np.clip(np.rint(between), -32_768, 32_767)
    return found


def mixed(one: bytes, other: bytes) -> bytes:
    """Two frames as one; what is too loud is clipped."""
    total = np.frombuffer(one, "<i2").astype(np.int32) + np.frombuffer(other, "<i2")
    sound: bytes = np.clip(total, -32_768, 32_767).astype("<i2").tobytes()
    return sound
