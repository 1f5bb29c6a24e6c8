"""Sample formats: big-endian 16-bit PCM of RTP, native int16 that is kept, float32 for models, WAV for recognisers.

Pure: bytes and arrays in, arrays and bytes out.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]

SAMPLE_RATE_HZ = 16_000
PAYLOAD_TYPE = 118  # slin16 in Asterisk's static table
NETWORK_INT16 = np.dtype(">i2")
_WAV = struct.Struct("<4sI4s4sIHHIIHH4sI")


def samples_of(payload: bytes) -> NDArray[np.int16]:
    """The samples of a slin16 payload (network byte order), a read-only view. Its length must be even."""
    return np.frombuffer(payload, dtype=NETWORK_INT16)


def payload_of(samples: Samples) -> bytes:
    """A slin16 payload of native samples."""
    return samples.astype(NETWORK_INT16).tobytes()


def to_float(samples: Samples) -> NDArray[np.float32]:
    """int16 as float32 in [-1, 1)."""
    return samples.astype(np.float32) * np.float32(1 / 32_768)


def wav_bytes(samples: Samples, sample_rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """A mono 16-bit WAV file: the 44-byte header and the samples in little-endian order."""
    data = samples.astype("<i2", copy=False).tobytes()
    size = len(data)
    header = _WAV.pack(
        b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, sample_rate_hz, 2 * sample_rate_hz, 2, 16, b"data", size
    )
    return header + data
