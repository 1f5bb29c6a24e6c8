"""The sound half of a caller: an RTP socket with a microphone and a keypad that never stop sending, and an ear.

Everything that left and everything that arrived is kept with its time, in seconds of `time.monotonic()`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

import numpy as np

from callers.heard_audio import VOICED_RMS, HeardFrame, HeardPrompt, PromptListener, Spoken, level_rms
from callers.packet_lengths import Repacketiser
from callers.rtp_audio import PACKET_MS, PACKET_SAMPLES, MalformedRtp, Packetiser, Samples, from_ulaw, parse
from callers.sdp import PCMU, AudioTarget
from callers.timed_socket import TimedSocket

PACKET_S = PACKET_MS / 1_000
# A phone that was held up for longer than this lets the time go by instead of sending it all at once.
LARGEST_BURST_S = 0.1


class LineClosed(RuntimeError):
    """The call ended before what was waited for."""


class RtpPhone:
    """One caller's RTP stream in both directions. `open`, `talk_to`, then `say`, `press` and the waits; `close`."""

    def __init__(self, listener: PromptListener | None = None) -> None:
        self.frames: list[HeardFrame] = []
        """Every audio packet received."""
        self.sent: list[tuple[float, bytes]] = []
        """Every audio packet that left while something was said: when, and its PCMU payload."""
        self.said: list[Spoken] = []
        """Everything spoken, in order."""
        self.pressed: list[tuple[float, str]] = []
        """When keys were pressed, and which."""
        self.dropped: dict[str, int] = {}
        """Packets that were lost, by reason: received and not used, or not sent."""
        self.stalls = 0
        """How often this process was too busy to send in time: figures taken in such a call are not to be trusted."""
        self.port = 0
        self.muted = False
        """Sends nothing at all, as telephones do that save packets when muted or on hold."""
        self._listener = listener or PromptListener()
        self._packetiser = Packetiser(secrets.randbits(32), secrets.randbits(16), secrets.randbits(32))
        self._repacketiser = Repacketiser(PACKET_MS)
        self._departures: dict[int, list[float]] = {}
        self._changed = asyncio.Event()
        self._is_over = False
        self._socket: TimedSocket | None = None
        self._target: tuple[str, int] | None = None
        self._sender: asyncio.Task[None] | None = None

    @property
    def prompts(self) -> list[HeardPrompt]:
        """What was heard, in order; the last one may still go on."""
        return self._listener.prompts

    def fall_silent(self) -> None:
        """Sends a comfort noise packet and then nothing, until `muted` is taken back."""
        for packet in self._repacketiser.take(self._packetiser.comfort_noise()):
            self._send(packet.encode())
        self.muted = True

    def pack(self, packet_ms: int) -> None:
        """Sends packets of that length from now on; what waits for one that is not full is lost."""
        before, self._repacketiser = self._repacketiser, Repacketiser(packet_ms)
        self._repacketiser.go_on_from(before)

    def open(self, host: str) -> None:
        """Binds to a free port of `host`; call it in the event loop."""
        self._socket = TimedSocket(host)
        self.port = self._socket.port
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)

    def talk_to(self, target: AudioTarget) -> None:
        """Begins to send, or sends to another address from now on."""
        self._target = (target.host, target.port)
        if target.telephone_event is not None:
            self._packetiser.event_type = target.telephone_event
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_packets())

    def close(self) -> None:
        """Ends the stream; whoever waits for something gets LineClosed."""
        self._is_over = True
        self._listener.finish()
        if self._sender is not None:
            self._sender.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self._changed.set()

    async def say(self, samples: Samples, label: str = "") -> Spoken:
        """Speaks int16 samples at 8 kHz after what is still to be said; returns when the last packet has left.
        Raises LineClosed when the call ended before the first one."""
        number = self._packetiser.speak(samples)
        departures = self._departures.setdefault(number, [])
        packets = -(-len(samples) // PACKET_SAMPLES)
        await self._until(lambda: self._is_over or len(departures) == packets or self._packetiser.is_idle, None)
        if not departures:
            raise LineClosed("nothing was said: the call was over, or speech was stopped")
        voiced = [
            time_s
            for index, time_s in enumerate(departures)
            if level_rms(samples[index * PACKET_SAMPLES : (index + 1) * PACKET_SAMPLES]) >= VOICED_RMS
        ]
        last_voiced_s = voiced[-1] if voiced else departures[-1]
        spoken = Spoken(label, departures[0], last_voiced_s, departures[-1], len(departures) == packets)
        self.said.append(spoken)
        return spoken

    async def press(self, keys: str) -> None:
        """Presses keys, 0 to 9, *, #, A to D; returns when the last one is up. Raises ValueError and LineClosed."""
        self._packetiser.press(keys)
        self.pressed.append((time.monotonic(), keys))
        await self._until(lambda: self._packetiser.is_idle, None)

    def stop_speaking(self) -> None:
        """Falls silent in mid-word."""
        self._packetiser.stop_speaking()

    async def prompt_started(self, after_s: float = 0.0, deadline_s: float = 10.0) -> HeardPrompt:
        """The first prompt that began after `after_s`. Raises TimeoutError, and LineClosed when none will come."""
        return await self._prompt(lambda prompt: prompt.first_voiced_s > after_s, deadline_s)

    async def prompt_ended(self, after_s: float = 0.0, deadline_s: float = 60.0) -> HeardPrompt:
        """The first prompt that ended after `after_s`. Raises TimeoutError, and LineClosed when none will come."""
        return await self._prompt(lambda prompt: prompt.is_over and prompt.last_voiced_s > after_s, deadline_s)

    def heard(self, from_s: float = 0.0, to_s: float = float("inf")) -> Samples:
        """The samples of all frames that arrived in a span of time, one after the other, gaps closed."""
        parts = [frame.samples for frame in self.frames if from_s <= frame.arrival_s <= to_s]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int16)

    async def _prompt(self, fits: Callable[[HeardPrompt], bool], deadline_s: float) -> HeardPrompt:
        await self._until(lambda: any(map(fits, self.prompts)), deadline_s)
        return next(filter(fits, self.prompts))

    async def _until(self, holds: Callable[[], bool], deadline_s: float | None) -> None:
        async with asyncio.timeout(deadline_s):
            while not holds():
                if self._is_over:
                    raise LineClosed("the call is over")
                self._changed.clear()
                await self._changed.wait()

    async def _send_packets(self) -> None:
        due_s = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            packet, utterance = self._packetiser.next_packet()
            now_s = time.monotonic()
            for sent in self._repacketiser.take(packet):
                now_s = self._send(sent.encode())
            if utterance is not None:
                self.sent.append((now_s, packet.payload))
                self._departures.setdefault(utterance, []).append(now_s)
            self._listener.tick(now_s)
            self._changed.set()
            due_s += PACKET_S
            if now_s - due_s > LARGEST_BURST_S:
                self.stalls += 1
                due_s = now_s + PACKET_S

    def _send(self, datagram: bytes) -> float:
        try:
            if self._socket is not None and self._target is not None and not self.muted:
                return self._socket.send(datagram, self._target)
        except OSError:
            # the buffer is full or the other side has closed its port: a packet is lost, as on any network
            self._drop("not sent")
        return time.monotonic()

    def _receive(self) -> None:
        if self._socket is not None:
            for datagram, source, arrival_s in self._socket.received():
                self._take(datagram, source, arrival_s)

    def _take(self, datagram: bytes, source: tuple[str, int], arrival_s: float) -> None:
        if self._target is not None and source != self._target:
            self._drop("foreign source")
            return
        try:
            packet = parse(datagram)
        except MalformedRtp:
            self._drop("malformed")
            return
        if packet.payload_type != PCMU:
            self._drop(f"payload type {packet.payload_type}")
            return
        samples = from_ulaw(packet.payload)
        is_voiced = level_rms(samples) >= VOICED_RMS
        frame = HeardFrame(arrival_s, packet.sequence, packet.timestamp, packet.ssrc, samples, is_voiced)
        self.frames.append(frame)
        self._listener.feed(frame)
        self._changed.set()

    def _drop(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
