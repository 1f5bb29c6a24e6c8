"""The audio of one caller: samples and key presses to RTP packets, and received packets to samples.

Pure: the shell asks for one packet every 20 ms and hands in what arrives. PCMU is ITU-T G.711, key presses are those of
RFC 4733, packets those of RFC 3550.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callers.sdp import PCMU, TELEPHONE_EVENT

SAMPLE_RATE_HZ = 8_000
PACKET_MS = 20
PACKET_SAMPLES = SAMPLE_RATE_HZ * PACKET_MS // 1_000
KEYS = "0123456789*#ABCD"
KEY_PACKETS = 5
"""Packets while a key is down: 100 ms, a quick press on a real phone."""
KEY_END_PACKETS = 3
"""The end of a key press is sent three times, so that a lost packet does not lose it (RFC 4733 section 2.5.1.4)."""
KEY_PAUSE_PACKETS = 3
KEY_VOLUME_DBM0 = 10
COMFORT_NOISE = 13

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")

Samples = NDArray[np.int16]


class MalformedRtp(ValueError):
    """The bytes are no RTP packet; the text says why."""


@dataclass(frozen=True)
class CallerPacket:
    """One packet, without CSRC and header extension."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        """The datagram."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(0x80, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse(datagram: bytes) -> CallerPacket:
    """Reads one datagram. Raises MalformedRtp."""
    if len(datagram) < _HEADER.size:
        raise MalformedRtp(f"{len(datagram)} bytes are less than a header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        raise MalformedRtp(f"version {first >> 6} is not 2")
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(datagram) < start + 4:
            raise MalformedRtp("header extension is cut off")
        start += 4 + 4 * struct.unpack_from("!H", datagram, start + 2)[0]
    padding = datagram[-1] if first & 0x20 else 0
    if start + padding > len(datagram):
        raise MalformedRtp("header and padding are longer than the packet")
    payload = datagram[start : len(datagram) - padding]
    return CallerPacket(second & 0x7F, sequence, timestamp, ssrc, payload, bool(second & 0x80))


def _decode_table() -> Samples:
    codes = np.arange(256, dtype=np.int32) ^ 0xFF
    magnitude = ((((codes & 0x0F) << 3) + 0x84) << ((codes & 0x70) >> 4)) - 0x84
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    samples = np.arange(-32_768, 32_768, dtype=np.int32)
    biased = np.minimum(np.abs(samples), 32_635) + 0x84
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    codes: NDArray[np.uint8] = ((sign | exponent << 4 | mantissa) ^ 0xFF).astype(np.uint8)
    return codes


_DECODED = _decode_table()
_ENCODED = _encode_table()


def to_ulaw(samples: Samples) -> bytes:
    """int16 samples at 8 kHz to one byte each."""
    return _ENCODED[samples.astype(np.int32) + 32_768].tobytes()


def from_ulaw(payload: bytes) -> Samples:
    """Bytes of PCMU to int16 samples at 8 kHz."""
    return _DECODED[np.frombuffer(payload, dtype=np.uint8)]


SILENCE = to_ulaw(np.zeros(PACKET_SAMPLES, dtype=np.int16))


@dataclass(frozen=True)
class _Frame:
    payload: bytes
    utterance: int | None


@dataclass(frozen=True)
class _KeyFrame:
    event: int
    elapsed_samples: int
    is_end: bool
    is_first: bool


class Packetiser:
    """A phone's microphone and keypad as one RTP stream: one packet per 20 ms, silence when there is nothing to say.

    Key presses have the stream's own SSRC and running sequence number: a receiver counts anything else as new keys.
    """

    def __init__(self, ssrc: int, sequence: int, timestamp: int, event_type: int = TELEPHONE_EVENT):
        """First values of the stream; RFC 3550 wants them random. `event_type`: payload type of key presses, which may
        be set again once it is negotiated."""
        self._ssrc = ssrc
        self._sequence = sequence
        self._timestamp = timestamp
        self._key_timestamp = timestamp
        self.event_type = event_type
        self._queue: deque[_Frame | _KeyFrame | None] = deque()
        self._utterances = 0
        self._is_first = True

    @property
    def is_idle(self) -> bool:
        """True when nothing but silence is left to send."""
        return not self._queue

    def speak(self, samples: Samples) -> int:
        """Queues int16 samples at 8 kHz; the last packet is filled up with silence. Returns the utterance's number,
        which `next_packet` gives back with each of its packets."""
        self._utterances += 1
        filled = np.pad(samples, (0, -len(samples) % PACKET_SAMPLES))
        for start in range(0, len(filled), PACKET_SAMPLES):
            self._queue.append(_Frame(to_ulaw(filled[start : start + PACKET_SAMPLES]), self._utterances))
        return self._utterances

    def press(self, keys: str) -> None:
        """Queues key presses. Raises ValueError for a character that is on no keypad."""
        unknown = [key for key in keys if key.upper() not in KEYS]
        if unknown:
            raise ValueError(f"no such key: {''.join(unknown)!r}")
        for key in keys.upper():
            event = KEYS.index(key)
            for number in range(1, KEY_PACKETS + 1):
                self._queue.append(_KeyFrame(event, number * PACKET_SAMPLES, False, number == 1))
            for _ in range(KEY_END_PACKETS):
                self._queue.append(_KeyFrame(event, KEY_PACKETS * PACKET_SAMPLES, True, False))
            self._queue.extend([None] * KEY_PAUSE_PACKETS)

    def stop_speaking(self) -> None:
        """Drops what is queued and was not sent."""
        self._queue.clear()

    def comfort_noise(self) -> CallerPacket:
        """What a telephone sends last before it sends nothing (RFC 3389): how loud the silence is."""
        return self._packet(COMFORT_NOISE, self._timestamp, bytes([64]), False)

    def next_packet(self) -> tuple[CallerPacket, int | None]:
        """The packet for this 20 ms, and the number of the utterance it belongs to. Call it once per 20 ms."""
        frame = self._queue.popleft() if self._queue else None
        match frame:
            case _KeyFrame():
                if frame.is_first:
                    self._key_timestamp = self._timestamp
                flags = KEY_VOLUME_DBM0 | (0x80 if frame.is_end else 0)
                payload = _EVENT.pack(frame.event, flags, frame.elapsed_samples)
                packet = self._packet(self.event_type, self._key_timestamp, payload, frame.is_first)
                utterance = None
            case _Frame():
                packet = self._packet(PCMU, self._timestamp, frame.payload, self._is_first)
                utterance = frame.utterance
            case None:
                packet = self._packet(PCMU, self._timestamp, SILENCE, self._is_first)
                utterance = None
        self._is_first = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + PACKET_SAMPLES) & 0xFFFFFFFF
        return packet, utterance

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, marker: bool) -> CallerPacket:
        return CallerPacket(payload_type, self._sequence, timestamp, self._ssrc, payload, marker)
