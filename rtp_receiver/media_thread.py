"""The media thread: one UDP socket in, speech out, for all calls of this process.

It alone touches the socket, the streams and the VAD, so nothing here is locked. Others give it orders (`assign`,
`listen`, `bot_speaks`, `drop`), which it takes between packets; it tells what it heard through two callbacks, which are
called on this thread. The event loop never waits for the model.

Whatever is decided here by time is decided by the monotonic clock; the wall clock may be set meanwhile.

With few calls every packet is taken as it comes. With many the thread sleeps up to `LONGEST_PACE_S` and then takes all
that came meanwhile: one system call for the packets of many calls, and one VAD step for their chunks.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from protocol.messages import EndUtterance, Listen
from rtp_receiver.call_stream import CallStream, StreamEvent, StreamSettings
from rtp_receiver.clocks import Clocks
from rtp_receiver.datagrams import BATCH, LONGEST_DATAGRAM, Datagrams, Source
from rtp_receiver.media_counts import MediaCounts
from rtp_receiver.rtp import HEADER_BYTES, BadRtp, RtpPacket
from rtp_receiver.slin16 import NETWORK_INT16, PAYLOAD_TYPE
from rtp_receiver.sources import Address, UnknownSources
from rtp_receiver.vad import Vad

log = logging.getLogger("pronto.receiver")

MAX_BATCH = 256  # streams per VAD call: a few ms, so that the socket is never left alone for long
MAX_DRAIN = 1_024  # packets read before the VAD has its turn
MAX_WAITING_CHUNKS = 32  # of one stream, before the VAD has its turn
PACE_PER_CALL_S = 0.0001
LONGEST_PACE_S = 0.020  # a chunk waits at most about this long for others to share its VAD step
PHASES = 8
"""Five of eight packets complete a chunk. Calls that begin together would all want the VAD after the same packets, and
it would rest between: so they begin with different lengths of silence."""
WATCH_EVERY_S = 0.1
STALL_S = 0.3  # speech without packets for this long is over
IDLE_WAIT_MS = 20  # orders are noticed at least this often
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
    last_packet_at: float
    sources: set[Source] = field(default_factory=set)
    ready: bool = False
    audible: bool = False
    reported_silent: bool = False


class MediaThread:
    """Owns the socket from `start` to `stop`."""

    def __init__(
        self,
        sock: socket.socket,
        vad: Vad,
        limits: StreamSettings,
        on_reports: Callable[[list[Report]], None],
        on_unknown: Callable[[Address], None],
        audio_lost_s: float = 3.0,
        clocks: Clocks | None = None,
    ) -> None:
        self.counts = MediaCounts()
        self.error: BaseException | None = None
        self._sock = sock
        clocks = clocks or Clocks()
        self._now = clocks.monotonic
        self._datagrams = Datagrams(sock, clocks)
        self._vad = vad
        self._limits = limits
        self._on_reports = on_reports
        self._on_unknown = on_unknown
        self._audio_lost_s = audio_lost_s
        self._orders: deque[Callable[[], None]] = deque()
        self._lines: dict[str, _Line] = {}
        self._by_source: dict[Source, _Line] = {}
        self._unknown = UnknownSources()
        self._ready: deque[_Line] = deque()
        self._chunks = np.empty((MAX_BATCH, limits.chunk_samples), dtype=NETWORK_INT16)
        rows, size = self._chunks.view(np.uint8).reshape(-1).data, 2 * limits.chunk_samples
        self._rows = [rows[start : start + size] for start in range(0, MAX_BATCH * size, size)]
        self._reports: list[Report] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)

    # --- orders, from any thread ---

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and closes the socket."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        self._sock.close()

    @property
    def alive(self) -> bool:
        """The thread runs."""
        return self._thread.is_alive()

    @property
    def calls(self) -> int:
        """Calls that have a stream."""
        return len(self._lines)

    @property
    def held(self) -> int:
        """Datagrams that are neither used nor thrown away yet: they wait for others, or for somebody to know them.
        Exact while no packets come: `packets` is this, `released`, what the streams dropped and `dropped` together."""
        return self._unknown.held + sum(line.stream.held for line in list(self._lines.values()))

    def assign(
        self, source: Address, call_id: str, listen: Listen | None, speaking: bool, first_utterance: int = 1
    ) -> None:
        """Packets from `source` are the audio of `call_id`. A call that has a stream keeps it."""
        self._orders.append(lambda: self._assign(source, call_id, listen, speaking, first_utterance))

    def listen(self, listen: Listen) -> None:
        """How to listen to a call from now on; a call without a stream is left out."""
        self._orders.append(lambda: self._with_line(listen.call_id, lambda line: line.stream.listen(listen)))

    def end_utterance(self, command: EndUtterance) -> None:
        """How much silence ends an utterance if a guess is all of it; too late does no harm."""
        utterance, revision, silence_ms = command.utterance, command.revision, command.silence_ms
        self._orders.append(
            lambda: self._with_line(
                command.call_id, lambda line: line.stream.end_after(utterance, revision, silence_ms)
            )
        )

    def bot_speaks(self, call_id: str, speaking: bool) -> None:
        """A prompt begins or ends; a call without a stream is left out."""
        self._orders.append(lambda: self._with_line(call_id, lambda line: line.stream.bot_speaks(speaking)))

    def continue_after(self, call_id: str, utterance: int) -> None:
        """Another receiver heard the call up to that utterance."""
        self._orders.append(lambda: self._with_line(call_id, lambda line: line.stream.continue_after(utterance)))

    def drop(self, call_id: str) -> None:
        """The call is over."""
        self._orders.append(lambda: self._drop(call_id))

    def nobody_knows(self, source: Address) -> None:
        """Answer to `on_unknown`: no call has this source now."""
        self._orders.append(lambda: self.counts.drop("unknown_source", self._unknown.drop_packets(source)))

    # --- on the thread ---

    def _run(self) -> None:
        try:
            poller = select.poll()
            poller.register(self._sock, select.POLLIN)
            watch_at = drained_at = self._now()
            while not self._stopping.is_set():
                if not self._ready:
                    poller.poll(IDLE_WAIT_MS)
                    pace_s = min(LONGEST_PACE_S, len(self._lines) * PACE_PER_CALL_S)
                    time.sleep(max(0.0, min(pace_s, drained_at + pace_s - self._now())))
                drained_at = self._now()
                while self._orders:
                    self._orders.popleft()()
                self._drain()
                if self._ready:
                    self._step()
                if drained_at >= watch_at:
                    self._watch(self._now())
                    watch_at = drained_at + WATCH_EVERY_S
                if self._reports:
                    reports, self._reports = self._reports, []
                    self._on_reports(reports)
        except BaseException as error:
            self.error = error
            log.exception("media thread died")

    def _drain(self) -> None:
        datagrams = self._datagrams
        for _ in range(MAX_DRAIN // BATCH):
            try:
                count = datagrams.receive()
            except OSError as error:  # an ICMP answer to somebody's packet is no reason to stop
                self.counts.drop("socket_error")
                log.warning("socket gave an error", extra={"error": repr(error)})
                return
            self.counts.packets += count
            self._take(count)
            if count < BATCH or any(line.stream.waiting >= MAX_WAITING_CHUNKS for line in self._ready):
                return

    def _take(self, count: int) -> None:
        """The packets of one batch, in the order in which they came."""
        datagrams, by_source, header = self._datagrams, self._by_source, _HEADER.unpack_from
        memory, lengths, arrivals = datagrams.memory, datagrams.lengths, datagrams.arrivals
        for number, source in enumerate(datagrams.sources[:count]):
            start, length = number * LONGEST_DATAGRAM, lengths[number]
            line = by_source.get(source)
            if line is None:
                self._stranger(source, bytes(memory[start : start + length]), arrivals[number])
                continue
            if HEADER_BYTES < length < LONGEST_DATAGRAM and not length & 1:
                first, second, sequence_number, timestamp, ssrc = header(memory, start)
                if first == _PLAIN and second & 0x7F == PAYLOAD_TYPE and line.audible:
                    line.last_packet_at = arrived_at = arrivals[number]
                    payload = memory[start + HEADER_BYTES : start + length]
                    if line.stream.push_next(sequence_number, timestamp, ssrc, payload, arrived_at):
                        if not line.ready and line.stream.waiting:
                            line.ready = True
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
        line.last_packet_at = arrived_at
        if not line.audible:
            line.audible, line.reported_silent = True, False
            self._reports.append((line.stream.call_id, Audible()))
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
        self._reports.append((line.stream.call_id, Silent(0)))
        self._drop(line.stream.call_id)

    def _make_ready(self, line: _Line) -> None:
        if not line.ready and line.stream.waiting:
            line.ready = True
            self._ready.append(line)

    def _stranger(self, source: Source, data: bytes, now: float) -> None:
        address = self._datagrams.address_of(source)
        kept, ask = self._unknown.keep(address, data, now)
        if not kept:
            self.counts.drop("unknown_source")
        if ask:
            self._on_unknown(address)

    def _step(self) -> None:
        """One VAD call for the streams that wait longest; those with more to say wait again."""
        lines = [self._ready.popleft() for _ in range(min(MAX_BATCH, len(self._ready)))]
        lines = [line for line in lines if line.vad_stream >= 0]
        if not lines:
            return
        arrivals = [line.stream.copy_next_chunk(row) for line, row in zip(lines, self._rows, strict=False)]
        chunks = self._chunks[: len(lines)].astype(np.int16)
        probabilities = self._vad.step([line.vad_stream for line in lines], chunks)
        self.counts.judged(arrivals, self._now())
        epoch = self._datagrams.epoch
        for line, probability in zip(lines, probabilities.tolist(), strict=True):
            stream = line.stream
            try:
                heard = stream.heard(probability, epoch)
            except Exception:
                self._abandon(line)
                continue
            for item in heard:
                self._reports.append((stream.call_id, item))
            line.ready = False
            if stream.waiting:
                self._make_ready(line)

    def _watch(self, now: float) -> None:
        self.counts.drop("unknown_source", self._unknown.expire(now))
        for call_id, line in self._lines.items():
            silent_s = now - line.last_packet_at
            if silent_s > STALL_S and line.stream.speaking and not line.stream.waiting:
                self.counts.stalls += 1
                line.stream.stall(now)
                self._make_ready(line)
            if silent_s > self._audio_lost_s and not line.reported_silent:
                line.audible, line.reported_silent = False, True
                self._reports.append((call_id, Silent(int(silent_s * 1_000))))

    def _assign(
        self, source: Address, call_id: str, listen: Listen | None, speaking: bool, first_utterance: int
    ) -> None:
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
            stream = CallStream(call_id, self._limits, self.counts.streams, first_utterance, head_start)
            line = self._lines[call_id] = _Line(stream, vad_stream, self._now())
            stream.bot_speaks(speaking)
            if listen is not None:
                stream.listen(listen)
        before = self._by_source.get(key)
        if before is not None and before is not line:
            before.sources.discard(key)
        line.sources.add(key)
        self._by_source[key] = line
        for data, arrived_at in self._unknown.take(source):
            self._packet(line, data, arrived_at)

    def _with_line(self, call_id: str, act: Callable[[_Line], None]) -> None:
        line = self._lines.get(call_id)
        if line is not None:
            act(line)

    def _drop(self, call_id: str) -> None:
        line = self._lines.pop(call_id, None)
        if line is None:
            return
        for source in line.sources:
            self._by_source.pop(source, None)
        self.counts.drop("call_over", line.stream.held)
        self._vad.close(line.vad_stream)
        line.vad_stream = -1  # it may still wait in the queue of ready lines
