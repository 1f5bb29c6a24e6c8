"""Packets of 20 ms to packets of any length: what telephones and routers send that pack otherwise. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from callers.rtp_audio import SAMPLE_RATE_HZ, CallerPacket
from callers.sdp import PCMU


@dataclass
class Repacketiser:
    """Audio is cut, or waits until a packet is full; before a key it leaves as it is."""

    packet_ms: int
    _waiting: bytes = b""
    _timestamp: int = 0
    """Of the first sample that waits."""
    _sequence: int | None = None
    _marker: bool = False

    def go_on_from(self, before: Repacketiser) -> None:
        """Counts on: it is the same stream, described anew."""
        self._sequence = before._sequence

    def take(self, packet: CallerPacket) -> list[CallerPacket]:
        """What leaves now. Sequence numbers are counted anew, timestamps stay those of the samples."""
        if self._sequence is None:
            self._sequence = packet.sequence
        if packet.payload_type != PCMU:
            rest = [self._audio(packet.ssrc, len(self._waiting))] if self._waiting else []
            return [*rest, self._numbered(packet)]
        if not self._waiting:
            self._timestamp, self._marker = packet.timestamp, packet.marker
        self._waiting += packet.payload
        size = self.packet_ms * SAMPLE_RATE_HZ // 1_000
        full = []
        while len(self._waiting) >= size:
            full.append(self._audio(packet.ssrc, size))
        return full

    def _audio(self, ssrc: int, samples: int) -> CallerPacket:
        payload, self._waiting = self._waiting[:samples], self._waiting[samples:]
        packet = CallerPacket(PCMU, 0, self._timestamp, ssrc, payload, self._marker)
        self._timestamp, self._marker = (self._timestamp + samples) & 0xFFFFFFFF, False
        return self._numbered(packet)

    def _numbered(self, packet: CallerPacket) -> CallerPacket:
        assert self._sequence is not None
        numbered = replace(packet, sequence=self._sequence)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return numbered
