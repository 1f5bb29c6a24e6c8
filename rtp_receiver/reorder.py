"""Puts the packets of one RTP source in order: packets in, payloads out, each with the silence that precedes it.

A missing packet is waited for until `DEPTH` later ones are there, then becomes silence. Late packets and duplicates
are dropped and counted. A new SSRC, or a sequence number far from the expected one, is believed when the next packet
confirms it (RFC 3550, appendix A.1). Time is what the timestamps say. Pure: no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rtp_receiver.rtp import RtpPacket, uint16_add, uint16_distance, uint32_distance
from rtp_receiver.stream_state import StreamState

DEPTH = 3  # packets that may wait for a missing one: 60 ms at 20 ms each
MAX_DROPOUT = 3_000  # RFC 3550 A.1
MAX_MISORDER = 100
MAX_SILENCE_SAMPLES = 32_000  # a longer gap is shortened to this: 2 s end any utterance
_HISTORY = (1 << MAX_MISORDER) - 1


@dataclass(slots=True)
class Counts:
    """What happened to the packets of one or many streams."""

    released: int = 0
    lost: int = 0
    reordered: int = 0
    duplicate: int = 0
    late: int = 0
    stray: int = 0
    ssrc_changes: int = 0
    sequence_jumps: int = 0
    timestamp_jumps: int = 0
    silence_samples: int = 0
    overrun: int = 0


Released = tuple[int, bytes]
"""Samples of silence, then the payload."""


class ReorderBuffer:
    """Holds at most `DEPTH` packets. A payload is 16-bit mono PCM: half its bytes are samples."""

    def __init__(self, counts: Counts | None = None, state: StreamState | None = None) -> None:
        """`state`: where the expected packet is kept, for others who take it when it comes."""
        self.counts = counts if counts is not None else Counts()
        self._state = state if state is not None else StreamState()
        self._begun = False
        self._seen = 0  # bit n: the packet n + 1 before the expected one came
        self._waiting: dict[int, RtpPacket] = {}
        self._suspect: RtpPacket | None = None
        self._resynchronise = True

    @property
    def held(self) -> int:
        """Packets that wait: for a missing one, or for one that confirms them."""
        return len(self._waiting) + (self._suspect is not None)

    def push(self, packet: RtpPacket) -> Sequence[Released]:
        """Takes one packet; what can be played now, in order."""
        state = self._state
        row = min(state.in_a_row, MAX_MISORDER)
        self._seen = (self._seen << row | (1 << row) - 1) & _HISTORY
        state.in_a_row = 0
        released = self._put(packet)
        state.follows = not (self._waiting or self._suspect is not None or self._resynchronise)
        return released

    def _put(self, packet: RtpPacket) -> Sequence[Released]:
        if packet.ssrc != self._state.ssrc or not self._begun:
            return self._suspicious(packet) if self._begun else self._begin(packet)
        ahead = uint16_distance(self._state.expected, packet.sequence_number)
        if ahead == 0:
            if self._suspect is not None:
                self.counts.stray += 1
                self._suspect = None
            first = self._release(packet)
            return (first, *self._drain()) if self._waiting else (first,)
        if 0 < ahead < MAX_DROPOUT:
            if packet.sequence_number in self._waiting:
                self.counts.duplicate += 1
                return ()
            self._waiting[packet.sequence_number] = packet
            return self._give_up() if len(self._waiting) > DEPTH else ()
        if -MAX_MISORDER <= ahead < 0:
            if self._seen >> (-ahead - 1) & 1:
                self.counts.duplicate += 1
            else:
                self.counts.late += 1
            return ()
        return self._suspicious(packet)

    def take_next(self, sequence_number: int, timestamp: int, ssrc: int, samples: int) -> bool:
        """Takes the packet that follows at once on the last one, if this is it: what nearly every packet does.

        Then its payload can be played now; otherwise nothing has changed, and `push` knows what to do.
        """
        state = self._state
        if not state.follows or sequence_number != state.expected or timestamp != state.timestamp or ssrc != state.ssrc:
            return False
        state.in_a_row = min(state.in_a_row + 1, MAX_MISORDER)
        state.expected = (sequence_number + 1) & 0xFFFF
        state.timestamp = (timestamp + samples) & 0xFFFF_FFFF
        self.counts.released += 1
        return True

    def resynchronise(self) -> None:
        """Forgets the timeline: the gap before the next packet makes no silence (somebody else has filled it)."""
        self._resynchronise = True
        self._state.follows = False

    def _begin(self, packet: RtpPacket) -> Sequence[Released]:
        self._begun = True
        self._state.ssrc = packet.ssrc
        self._state.expected = packet.sequence_number
        self._seen = 0
        self._waiting.clear()
        self._suspect = None
        self._resynchronise = True
        return (self._release(packet),)

    def _suspicious(self, packet: RtpPacket) -> Sequence[Released]:
        """A packet that does not fit: believed when it continues the one before that did not fit either."""
        before = self._suspect
        if (
            before is None
            or before.ssrc != packet.ssrc
            or uint16_distance(before.sequence_number, packet.sequence_number) != 1
        ):
            self.counts.stray += before is not None
            self._suspect = packet
            return ()
        if before.ssrc != self._state.ssrc:
            self.counts.ssrc_changes += 1
        else:
            self.counts.sequence_jumps += 1
        held = [self._release(self._waiting[number]) for number in self._in_order()]
        return (*held, *self._begin(before), self._release(packet))

    def _release(self, packet: RtpPacket) -> Released:
        gap = 0 if self._resynchronise else uint32_distance(self._state.timestamp, packet.timestamp)
        self._resynchronise = False
        if gap:
            if gap < 0 or gap > MAX_SILENCE_SAMPLES:
                self.counts.timestamp_jumps += 1
                gap = 0 if gap < 0 else MAX_SILENCE_SAMPLES
            self.counts.silence_samples += gap
        missing = uint16_distance(self._state.expected, packet.sequence_number)
        self.counts.lost += missing
        self.counts.released += 1
        self._seen = (self._seen << (missing + 1) | 1) & _HISTORY
        self._state.expected = uint16_add(packet.sequence_number, 1)
        self._state.timestamp = packet.timestamp + (len(packet.payload) >> 1) & 0xFFFF_FFFF
        return gap, packet.payload

    def _drain(self) -> list[Released]:
        """Waiting packets that follow without a gap: they came too early, so the one before was late."""
        released = []
        while (packet := self._waiting.pop(self._state.expected, None)) is not None:
            released.append(self._release(packet))
        self.counts.reordered += 1
        return released

    def _give_up(self) -> list[Released]:
        """Too many wait: the missing packets before the first of them are lost."""
        released = [self._release(self._waiting.pop(next(iter(self._in_order()))))]
        while (packet := self._waiting.pop(self._state.expected, None)) is not None:
            released.append(self._release(packet))
        return released

    def _in_order(self) -> list[int]:
        return sorted(self._waiting, key=lambda number: uint16_distance(self._state.expected, number))
