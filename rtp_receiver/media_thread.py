"""The media thread: one UDP socket in, speech out, for all calls of this process.

It alone touches the socket, the lines of calls and the VAD, so nothing here is locked. Others give it orders (`assign`,
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
import threading
import time
from collections import deque
from collections.abc import Callable

from protocol.messages import EndUtterance, Listen
from rtp_receiver.call_lines import CallLines, Report
from rtp_receiver.call_stream import CallStream, StreamSettings
from rtp_receiver.clocks import Clocks
from rtp_receiver.compiled_packets import compiled_packets
from rtp_receiver.datagrams import BATCH, Datagrams
from rtp_receiver.packets import PlainPackets
from rtp_receiver.sources import Address
from rtp_receiver.vad import Vad

log = logging.getLogger("pronto.receiver")

MAX_DRAIN = 1_024  # packets read before the VAD has its turn
PACE_PER_CALL_S = 0.0002
LONGEST_PACE_S = 0.020  # a chunk waits at most about this long for others to share its VAD step
WATCH_EVERY_S = 0.1
IDLE_WAIT_MS = 20  # orders are noticed at least this often


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
        compiled: bool = True,
    ) -> None:
        """`compiled` False: all in Python, as happens anyhow where nothing was compiled."""
        clocks = clocks or Clocks()
        self.error: BaseException | None = None
        self._sock = sock
        self._now = clocks.monotonic
        self._datagrams = Datagrams(sock, clocks)
        packets = (compiled_packets(self._datagrams.batch) if compiled else None) or PlainPackets()
        lines = CallLines(self._datagrams, vad, limits, packets, on_unknown, audio_lost_s, clocks.monotonic)
        self._lines, self.counts = lines, lines.counts
        self._on_reports = on_reports
        self._orders: deque[Callable[[], None]] = deque()
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
        return self._lines.held

    def assign(
        self, source: Address, call_id: str, listen: Listen | None, speaking: bool, first_utterance: int = 1
    ) -> None:
        """Packets from `source` are the audio of `call_id`. A call that has a stream keeps it."""
        self._orders.append(lambda: self._lines.assign(source, call_id, listen, speaking, first_utterance))

    def listen(self, listen: Listen) -> None:
        """How to listen to a call from now on; a call without a stream is left out."""
        self._orders.append(lambda: self._with_stream(listen.call_id, lambda stream: stream.listen(listen)))

    def end_utterance(self, command: EndUtterance) -> None:
        """How much silence ends an utterance if a guess is all of it; too late does no harm."""
        utterance, revision, silence_ms = command.utterance, command.revision, command.silence_ms
        self._orders.append(
            lambda: self._with_stream(command.call_id, lambda stream: stream.end_after(utterance, revision, silence_ms))
        )

    def bot_speaks(self, call_id: str, speaking: bool) -> None:
        """A prompt begins or ends; a call without a stream is left out."""
        self._orders.append(lambda: self._with_stream(call_id, lambda stream: stream.bot_speaks(speaking)))

    def continue_after(self, call_id: str, utterance: int) -> None:
        """Another receiver heard the call up to that utterance."""
        self._orders.append(lambda: self._with_stream(call_id, lambda stream: stream.continue_after(utterance)))

    def drop(self, call_id: str) -> None:
        """The call is over."""
        self._orders.append(lambda: self._lines.drop(call_id))

    def nobody_knows(self, source: Address) -> None:
        """Answer to `on_unknown`: no call has this source now."""
        self._orders.append(lambda: self._lines.nobody_knows(source))

    # --- on the thread ---

    def _run(self) -> None:
        try:
            poller = select.poll()
            poller.register(self._sock, select.POLLIN)
            watch_at = drained_at = self._now()
            while not self._stopping.is_set():
                if not self._lines.waits:
                    poller.poll(IDLE_WAIT_MS)
                    pace_s = min(LONGEST_PACE_S, len(self._lines) * PACE_PER_CALL_S)
                    time.sleep(max(0.0, min(pace_s, drained_at + pace_s - self._now())))
                drained_at = self._now()
                while self._orders:
                    self._orders.popleft()()
                self._drain()
                if self._lines.waits:
                    self._lines.step()
                if drained_at >= watch_at:
                    self._lines.watch(self._now())
                    watch_at = drained_at + WATCH_EVERY_S
                if self._lines.reports:
                    reports, self._lines.reports = self._lines.reports, []
                    self._on_reports(reports)
        except BaseException as error:
            self.error = error
            log.exception("media thread died")

    def _drain(self) -> None:
        for _ in range(MAX_DRAIN // BATCH):
            try:
                count = self._datagrams.receive()
            except OSError as error:  # an ICMP answer to somebody's packet is no reason to stop
                self.counts.drop("socket_error")
                log.warning("socket gave an error", extra={"error": repr(error)})
                return
            if count:
                self._lines.take(count)
            if count < BATCH or self._lines.has_much:
                return

    def _with_stream(self, call_id: str, act: Callable[[CallStream], None]) -> None:
        stream = self._lines.stream(call_id)
        if stream is not None:
            act(stream)
