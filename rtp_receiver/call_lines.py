"""The calls that one thread hears: datagrams and probabilities in, reports of what was heard out.

No socket is read here and no thread runs. `Packets` does what is plain, in C where that was compiled; what it leaves,
the first packet of a line, whatever is lost, late or odd, speech, is done here.
"""

from __future__ import annotations

import logging
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from protocol.messages import Listen
from rtp_receiver.call_stream import CallStream, StreamEvent, StreamSettings
from rtp_receiver.datagrams import LONGEST_DATAGRAM, Datagrams, Source
from rtp_receiver.media_counts import MediaCounts
from rtp_receiver.packets import Packets
from rtp_receiver.rtp import HEADER_BYTES, BadRtp, RtpPacket
from rtp_receiver.slin16 import PAYLOAD_TYPE
from rtp_receiver.sources import Address, UnknownSources
from rtp_receiver.vad import Vad

log = logging.getLogger("pronto.receiver")

MAX_BATCH = 256  # streams per VAD call: a few ms, so that the socket is never left alone for long
MAX_WAITING_CHUNKS = 32  # of one stream, before the VAD has its turn
PHASES = 8
"""Five of eight packets complete a chunk. Calls that begin together would all want the VAD after the same packets, and
it would rest between: so they begin with different lengths of silence."""
STALL_S = 0.3  # speech without packets for this long is over
FORGOTTEN_S = 600.0
"""Asterisk sends all the time that a call is up, whether its caller speaks or is muted."""
_PLAIN = 0x80  # first byte of a header: version 2, nothing optional
_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Silent:
    """No packet of this call for `silent_ms`."""

    silent_ms: int


@dataclass(frozen=True, slots=True)
class Audible:
    """The first packet of this call, or the first after it was silent."""


Report: TypeAlias = tuple[str, StreamEvent | Silent | Audible]
"""Call id and what was heard."""


@dataclass(slots=True)
class _Line:
    """One call on this thread."""

    stream: CallStream
    vad_stream: int
    sources: set[Source] = field(default_factory=set)
    reported_silent: bool = False


class CallLines:
    """Used by one thread; `reports` is what was heard, and emptied by it."""

    def __init__(
        self,
        datagrams: Datagrams,
        vad: Vad,
        limits: StreamSettings,
        packets: Packets,
        on_unknown: Callable[[Address], None],
        audio_lost_s: float,
        now: Callable[[], float],
    ) -> None:
        """`datagrams` is what was read last; `now` gives monotonic seconds."""
        self.counts = MediaCounts()
        self.reports: list[Report] = []
        self.unknown = UnknownSources()
        self._datagrams = datagrams
        self._vad = vad
        self._limits = limits
        self._packets = packets
        self._on_unknown = on_unknown
        self._audio_lost_s = audio_lost_s
        self._now = now
        self._lines: dict[str, _Line] = {}
        self._by_source: dict[Source, _Line] = {}
        self._by_number: dict[int, _Line] = {}
        self._numbers = 0
        self._changed = False  # sources, since the packets were told of them
        self._ready: deque[_Line] = deque()
        self._chunks = np.empty((MAX_BATCH, limits.chunk_samples), dtype=np.int16)

    def __len__(self) -> int:
        """Calls that have a stream."""
        return len(self._lines)

    @property
    def held(self) -> int:
        """Datagrams that are neither used nor thrown away."""
        return self.unknown.held + sum(line.stream.held for line in list(self._lines.values()))

    @property
    def waits(self) -> bool:
        """A chunk is there for the detector."""
        return bool(self._ready)

    @property
    def has_much(self) -> bool:
        """So much that the detector should have its turn before more is read."""
        return any(line.stream.waiting >= MAX_WAITING_CHUNKS for line in self._ready)

    def take(self, count: int) -> None:
        """The datagrams of one read, those of a source in the order in which they came."""
        if self._changed:
            self._changed = False
            self._packets.know({source: line.stream for source, line in self._by_source.items()})
        taken, ready, others = self._packets.take(count)
        self.counts.packets += count
        self.counts.streams.released += taken
        for number in ready:
            self._ready.append(self._by_number[number])
        if others:
            self._take_one_by_one(others)

    def _take_one_by_one(self, numbers: Sequence[int]) -> None:
        datagrams, by_source, header = self._datagrams, self._by_source, _HEADER.unpack_from
        memory, lengths, arrivals, sources = datagrams.memory, datagrams.lengths, datagrams.arrivals, datagrams.sources
        for number in numbers:
            start, length, source = number * LONGEST_DATAGRAM, lengths[number], sources[number]
            line = by_source.get(source)
            if line is None:
                self._stranger(source, bytes(memory[start : start + length]), arrivals[number])
                continue
            if HEADER_BYTES < length < LONGEST_DATAGRAM and not length & 1:
                first, second, sequence_number, timestamp, ssrc = header(memory, start)
                if first == _PLAIN and second & 0x7F == PAYLOAD_TYPE and line.stream.state.audible:
                    state = line.stream.state
                    state.last_packet_at = arrived_at = arrivals[number]
                    payload = memory[start + HEADER_BYTES : start + length]
                    if line.stream.push_next(sequence_number, timestamp, ssrc, payload, arrived_at):
                        if not state.ready and state.waiting:
                            state.ready = True
                            self._ready.append(line)
                        continue
            self._packet(line, bytes(memory[start : start + length]), arrivals[number])

    def _packet(self, line: _Line, data: bytes, arrived_at: float) -> None:
        """Any packet, in full."""
        try:
            packet = RtpPacket.parse(data)
        except BadRtp as error:
            self.counts.drop(error.code)
            return
        if packet.payload_type != PAYLOAD_TYPE:
            self.counts.drop("payload_type")
            return
        if len(packet.payload) & 1 or not packet.payload:
            self.counts.drop("payload_length")
            return
        if len(data) == LONGEST_DATAGRAM:
            self.counts.drop("too_long")
            return
        line.stream.state.last_packet_at = arrived_at
        if not line.stream.state.audible:
            line.stream.state.audible, line.reported_silent = True, False
            self.reports.append((line.stream.call_id, Audible()))
        try:
            line.stream.push(packet, arrived_at)
        except Exception:
            self._abandon(line)
            return
        self._make_ready(line)

    def _abandon(self, line: _Line) -> None:
        """A bug in one call's audio ends that call's hearing, not that of the others: AudioLost tells the dialogue."""
        log.exception("audio of a call failed", extra={"call_id": line.stream.call_id})
        self.counts.failed_calls += 1
        self.reports.append((line.stream.call_id, Silent(0)))
        self.drop(line.stream.call_id)

    def _make_ready(self, line: _Line) -> None:
        state = line.stream.state
        if not state.ready and state.waiting:
            state.ready = True
            self._ready.append(line)

    def _stranger(self, source: Source, data: bytes, now: float) -> None:
        address = self._datagrams.address_of(source)
        kept, ask = self.unknown.keep(address, data, now)
        if not kept:
            self.counts.drop("unknown_source")
        if ask:
            self._on_unknown(address)

    def step(self) -> None:
        """One VAD call for the streams that wait longest; those with more to say wait again."""
        lines = [self._ready.popleft() for _ in range(min(MAX_BATCH, len(self._ready)))]
        lines = [line for line in lines if line.vad_stream >= 0]
        if not lines:
            return
        streams = [line.stream for line in lines]
        chunks = self._chunks[: len(lines)]
        arrivals = self._packets.chunks(streams, chunks)
        probabilities = self._vad.step([line.vad_stream for line in lines], chunks)
        self.counts.judged(arrivals, self._now())
        left = self._packets.heard(streams, probabilities)
        if left:
            self._tell(lines, probabilities.tolist(), left)

    def _tell(self, lines: Sequence[_Line], probabilities: Sequence[float], left: Sequence[int]) -> None:
        epoch = self._datagrams.epoch
        for place in left:
            line = lines[place]
            try:
                heard = line.stream.heard(probabilities[place], epoch)
            except Exception:
                self._abandon(line)
                continue
            for item in heard:
                self.reports.append((line.stream.call_id, item))
            line.stream.state.ready = False
            self._make_ready(line)

    def watch(self, now: float) -> None:
        """Notices the lines that no packets come from; several times a second."""
        self.counts.drop("unknown_source", self.unknown.expire(now))
        for call_id, line in list(self._lines.items()):
            silent_s = now - line.stream.state.last_packet_at
            if silent_s > STALL_S and line.stream.speaking and not line.stream.waiting:
                self.counts.stalls += 1
                line.stream.stall(now)
                self._make_ready(line)
            if silent_s > self._audio_lost_s and not line.reported_silent:
                line.stream.state.audible, line.reported_silent = False, True
                self.reports.append((call_id, Silent(int(silent_s * 1_000))))
            if silent_s > FORGOTTEN_S:  # its end was missed; packets that come are asked about
                self.counts.drop("line_forgotten")
                self.drop(call_id)

    def assign(
        self, source: Address, call_id: str, listen: Listen | None, speaking: bool, first_utterance: int = 1
    ) -> None:
        """Packets from `source` are the audio of `call_id` from now on. A call that has a stream keeps it, and goes on
        with utterances from `first_utterance` on: two may find out about one call at once, each knowing something."""
        try:
            key = self._datagrams.source_of(source)
        except (OSError, OverflowError, ValueError) as error:  # one bad order costs one call
            self.counts.drop("no_address")
            log.error("source is no address", extra={"call_id": call_id, "source": source, "error": repr(error)})
            return
        line = self._lines.get(call_id)
        if line is None:
            vad_stream = self._vad.open()
            head_start = vad_stream % PHASES * self._limits.chunk_samples // PHASES
            self._numbers += 1
            counts, number = self.counts.streams, self._numbers & 0x7FFF_FFFF
            stream = CallStream(call_id, self._limits, counts, first_utterance, head_start, number)
            stream.state.last_packet_at = self._now()
            line = self._lines[call_id] = self._by_number[number] = _Line(stream, vad_stream)
            stream.bot_speaks(speaking)
            if listen is not None:
                stream.listen(listen)
        else:
            line.stream.continue_after(first_utterance - 1)
        before = self._by_source.get(key)
        if before is not None and before is not line:
            before.sources.discard(key)
        line.sources.add(key)
        self._by_source[key] = line
        self._changed = True
        for data, arrived_at in self.unknown.take(source):
            self._packet(line, data, arrived_at)

    def nobody_knows(self, source: Address) -> None:
        """Answer to `on_unknown`: no call has this source now."""
        self.counts.drop("unknown_source", self.unknown.drop_packets(source))

    def stream(self, call_id: str) -> CallStream | None:
        """That of a call; None when it has none."""
        line = self._lines.get(call_id)
        return None if line is None else line.stream

    def drop(self, call_id: str) -> None:
        """The call is over."""
        line = self._lines.pop(call_id, None)
        if line is None:
            return
        del self._by_number[line.stream.state.number]
        self._changed = True
        for source in line.sources:
            self._by_source.pop(source, None)
        self.counts.drop("call_over", line.stream.held)
        self._vad.close(line.vad_stream)
        line.vad_stream = -1  # it may still wait in the queue of ready lines
