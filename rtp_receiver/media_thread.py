"""The media thread: one UDP socket in, speech out, for all calls of this process.

It alone touches the socket, the streams and the VAD, so nothing here is locked. Others give it orders (`assign`,
`listen`, `bot_speaks`, `drop`), which it takes between packets; it tells what it heard through two callbacks, which are
called on this thread. A blocking socket on a thread of its own costs less than half of asyncio's datagrams, and the
event loop never waits for the model.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from protocol.messages import EndUtterance, Listen
from rtp_receiver.call_stream import CallStream, Heard, Limits
from rtp_receiver.reorder import Counts
from rtp_receiver.rtp import BadRtp, RtpPacket
from rtp_receiver.slin16 import PAYLOAD_TYPE
from rtp_receiver.sources import Address, UnknownSources
from rtp_receiver.vad import Vad

log = logging.getLogger("pronto.receiver")

RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
LONGEST_DATAGRAM = 2_048
MAX_BATCH = 64  # streams per VAD call: a few ms, so that the socket is never left alone for long
MAX_DRAIN = 256  # packets read before the VAD has its turn
MAX_WAITING_CHUNKS = 32  # of one stream, before the VAD has its turn
BATCH_WAIT_S = 0.004  # a chunk waits this long for others to share its VAD call
LATE_S = 0.040
WATCH_EVERY_S = 0.1
STALL_S = 0.3  # speech without packets for this long is over
IDLE_WAIT_MS = 20  # orders are noticed at least this often
LAG_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Silent:
    """No packet of this call for `silent_ms`."""

    silent_ms: int


@dataclass(frozen=True, slots=True)
class Audible:
    """The first packet of this call, or the first after it was silent."""


Report: TypeAlias = tuple[str, Heard | Silent | Audible]
"""Call id and what was heard."""


@dataclass(slots=True)
class MediaCounts:
    """What this thread counts; others read it without a lock, a moment old."""

    packets: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    streams: Counts = field(default_factory=Counts)
    chunks: int = 0
    batches: int = 0
    late_chunks: int = 0
    lag_sum_s: float = 0.0
    lag_buckets: list[int] = field(default_factory=lambda: [0] * (len(LAG_BUCKETS_S) + 1))
    stalls: int = 0
    failed_calls: int = 0

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts packets that were thrown away."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count


@dataclass(slots=True)
class _Line:
    """One call on this thread."""

    stream: CallStream
    vad_stream: int
    last_packet_at: float
    sources: set[Address] = field(default_factory=set)
    ready: bool = False
    audible: bool = False
    reported_silent: bool = False


def open_socket(host: str, port: int) -> socket.socket:
    """A bound UDP socket that other receivers may share. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.bind(address)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


class MediaThread:
    """Owns the socket from `start` to `stop`."""

    def __init__(
        self,
        sock: socket.socket,
        vad: Vad,
        limits: Limits,
        on_reports: Callable[[list[Report]], None],
        on_unknown: Callable[[Address], None],
        audio_lost_s: float = 3.0,
    ) -> None:
        self.counts = MediaCounts()
        self.error: BaseException | None = None
        self._sock = sock
        self._vad = vad
        self._limits = limits
        self._on_reports = on_reports
        self._on_unknown = on_unknown
        self._audio_lost_s = audio_lost_s
        self._orders: deque[Callable[[], None]] = deque()
        self._lines: dict[str, _Line] = {}
        self._by_source: dict[Address, _Line] = {}
        self._unknown = UnknownSources()
        self._ready: deque[_Line] = deque()
        self._chunks = np.empty((MAX_BATCH, limits.chunk_samples), dtype=np.int16)
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
            watch_at = 0.0
            while not self._stopping.is_set():
                poller.poll(self._wait_ms())
                while self._orders:
                    self._orders.popleft()()
                self._drain()
                now = time.time()
                if self._ready and self._step_is_due(now):
                    self._step()
                if now >= watch_at:
                    self._watch(now)
                    watch_at = now + WATCH_EVERY_S
                if self._reports:
                    reports, self._reports = self._reports, []
                    self._on_reports(reports)
        except BaseException as error:
            self.error = error
            log.exception("media thread died")

    def _wait_ms(self) -> float:
        if not self._ready:
            return IDLE_WAIT_MS
        waited_s = time.time() - self._ready[0].stream.oldest_arrival
        return max(0.0, min(IDLE_WAIT_MS, (BATCH_WAIT_S - waited_s) * 1_000))

    def _step_is_due(self, now: float) -> bool:
        ready = len(self._ready)
        return (
            ready >= min(MAX_BATCH, len(self._lines)) or now - self._ready[0].stream.oldest_arrival >= BATCH_WAIT_S / 2
        )

    def _drain(self) -> None:
        receive, counts, by_source, clock = self._sock.recvfrom, self.counts, self._by_source, time.time
        for _ in range(MAX_DRAIN):
            try:
                data, source = receive(LONGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:  # an ICMP answer to somebody's packet is no reason to stop
                counts.drop("socket_error")
                log.warning("socket gave an error", extra={"error": repr(error)})
                return
            counts.packets += 1
            now = clock()
            line = by_source.get(source[:2])
            if line is None:
                self._stranger(source[:2], data, now)
                continue
            self._packet(line, data, now)
            if line.stream.waiting >= MAX_WAITING_CHUNKS:
                return

    def _packet(self, line: _Line, data: bytes, arrived_at: float) -> None:
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

    def _stranger(self, source: Address, data: bytes, now: float) -> None:
        kept, ask = self._unknown.keep(source, data, now)
        if not kept:
            self.counts.drop("unknown_source")
        if ask:
            self._on_unknown(source)

    def _step(self) -> None:
        """One VAD call for the streams that wait longest; those with more to say wait again."""
        lines = [self._ready.popleft() for _ in range(min(MAX_BATCH, len(self._ready)))]
        lines = [line for line in lines if line.vad_stream >= 0]
        if not lines:
            return
        chunks = self._chunks[: len(lines)]
        for row, line in zip(chunks, lines, strict=True):
            row[:] = line.stream.next_chunk()
        probabilities = self._vad.step([line.vad_stream for line in lines], chunks)
        now = time.time()
        for line, probability in zip(lines, probabilities.tolist(), strict=True):
            self._count_lag(now - line.stream.oldest_arrival)
            try:
                for heard in line.stream.heard(probability):
                    self._reports.append((line.stream.call_id, heard))
            except Exception:
                self._abandon(line)
                continue
            line.ready = False
            self._make_ready(line)
        self.counts.batches += 1

    def _count_lag(self, lag_s: float) -> None:
        counts = self.counts
        counts.chunks += 1
        counts.lag_sum_s += lag_s
        counts.late_chunks += lag_s > LATE_S
        for index, bound in enumerate(LAG_BUCKETS_S):
            if lag_s <= bound:
                counts.lag_buckets[index] += 1
                return
        counts.lag_buckets[-1] += 1

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
        line = self._lines.get(call_id)
        if line is None:
            stream = CallStream(call_id, self._limits, self.counts.streams, first_utterance)
            line = self._lines[call_id] = _Line(stream, self._vad.open(), time.time())
            stream.bot_speaks(speaking)
            if listen is not None:
                stream.listen(listen)
        before = self._by_source.get(source)
        if before is not None and before is not line:
            before.sources.discard(source)
        line.sources.add(source)
        self._by_source[source] = line
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


def kernel_drops(sock: socket.socket) -> int | None:
    """Datagrams that the kernel threw away because the receive buffer was full; None where it does not tell."""
    try:
        inode = str(os.fstat(sock.fileno()).st_ino)
        for table in ("/proc/net/udp", "/proc/net/udp6"):
            with open(table, encoding="ascii") as lines:
                for line in lines:
                    fields = line.split()
                    if len(fields) > 12 and fields[9] == inode:
                        return int(fields[12])
    except OSError:
        return None
    return None
