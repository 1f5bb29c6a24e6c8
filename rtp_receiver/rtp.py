"""Turns one UDP datagram into an RtpPacket, or says what is wrong with it (RFC 3550, section 5.1).

Sequence numbers and timestamps wrap around; `uint16_add`, `uint16_distance` and `uint32_distance` are the only places
that know. Pure: bytes in, values out.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

HEADER_BYTES = 12
VERSION = 2

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
_PLAIN = VERSION << 6  # no padding, no extension, no CSRC: what Asterisk sends


class BadRtp(ValueError):
    """A datagram that is no RTP packet. `code` is one word for counters, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def uint16_add(a: int, b: int) -> int:
    """a + b as a 16-bit sequence number."""
    return (a + b) & 0xFFFF


def uint16_distance(a: int, b: int) -> int:
    """How far `b` is ahead of `a` on the circle of 16-bit numbers, from -32768 (behind) to 32767."""
    return ((b - a + 0x8000) & 0xFFFF) - 0x8000


def uint32_distance(a: int, b: int) -> int:
    """How far `b` is ahead of `a` on the circle of 32-bit numbers, negative when it is behind."""
    return ((b - a + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


@dataclass(slots=True)
class RtpPacket:
    """One packet. `payload` is what is left without header, CSRC list, extension and padding.

    Not frozen: a frozen one costs twice as much to make, and fifty are made per second and call.
    """

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension_profile: int | None = None
    extension: bytes = field(default=b"")

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """The packet of a datagram. Raises BadRtp."""
        if len(data) < HEADER_BYTES:
            raise BadRtp("too_short", f"{len(data)} bytes are less than the {HEADER_BYTES} of an RTP header")
        first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
        if first == _PLAIN:
            return cls(second & 0x7F, sequence_number, timestamp, ssrc, data[HEADER_BYTES:], second >= 0x80)
        if first >> 6 != VERSION:
            raise BadRtp("version", f"RTP version is {first >> 6}, not {VERSION}")
        start = HEADER_BYTES + 4 * (first & 0x0F)
        if len(data) < start:
            raise BadRtp("csrc", f"CSRC list of {first & 0x0F} entries is cut off after {len(data)} bytes")
        csrc = struct.unpack_from(f"!{first & 0x0F}I", data, HEADER_BYTES)
        profile, extension = None, b""
        if first & 0x10:
            if len(data) < start + 4:
                raise BadRtp("extension_header", f"extension header is cut off after {len(data)} bytes")
            profile, words = _EXTENSION.unpack_from(data, start)
            start += 4
            if len(data) < start + 4 * words:
                raise BadRtp("extension", f"extension of {4 * words} bytes is cut off after {len(data)} bytes")
            extension = data[start : start + 4 * words]
            start += 4 * words
        end = len(data)
        if first & 0x20:
            padding = data[-1]
            if padding == 0:
                raise BadRtp("padding_zero", "padding flag is set but the padding length is 0")
            if padding > end - start:
                raise BadRtp("padding", f"padding of {padding} bytes is longer than the {end - start} of the payload")
            end -= padding
        return cls(
            second & 0x7F,
            sequence_number,
            timestamp,
            ssrc,
            data[start:end],
            second >= 0x80,
            csrc,
            profile,
            extension,
        )

    def to_bytes(self) -> bytes:
        """The datagram of this packet, without padding. Extension lengths are multiples of 4 bytes."""
        first = _PLAIN | len(self.csrc) | (0x10 if self.extension_profile is not None else 0)
        second = self.payload_type | (0x80 if self.marker else 0)
        parts = [_HEADER.pack(first, second, self.sequence_number, self.timestamp, self.ssrc)]
        parts.append(struct.pack(f"!{len(self.csrc)}I", *self.csrc))
        if self.extension_profile is not None:
            parts += [_EXTENSION.pack(self.extension_profile, len(self.extension) // 4), self.extension]
        return b"".join([*parts, self.payload])
