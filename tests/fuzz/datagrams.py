"""Fuzzed RTP over real UDP into the real media thread: whatever comes is used, or thrown away and counted by reason."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from devstack.processes import wait_for
from protocol.messages import Listen
from rtp_receiver.call_stream import StreamSettings
from rtp_receiver.datagrams import kernel_drops, open_socket
from rtp_receiver.media_thread import MediaThread
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import PAYLOAD_TYPE
from rtp_receiver.vad import Vad
from tests.fuzz.mutations import mutated_bytes

AT_ONCE = 500  # datagrams between two looks at the receiver: fewer than its socket's buffer takes
PATIENCE_S = 30.0


class ConstantVad:
    """A voice activity model that costs nothing: nobody speaks."""

    chunk_samples = 512

    def open(self) -> int:
        """A stream."""
        return 0

    def close(self, stream: int) -> None:
        """Its end."""

    def step(self, streams: Sequence[int], chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        """No speech."""
        return np.zeros(len(streams), np.float32)


@dataclass
class Sender:
    """One source of packets, that mostly follow each other and are mostly whole."""

    random: Random
    sock: socket.socket
    sequence: int = 1
    timestamp: int = 0
    ssrc: int = 7
    _last: bytes = b""

    def next(self) -> bytes:
        """The next datagram."""
        random = self.random
        match random.randrange(24):
            case 0:
                return random.randbytes(random.choice([0, 1, 11, 12, 13, 332, 1_400]))
            case 1:
                return self._last
            case 2:
                self.sequence += random.choice([1, 2, 5, 90, 101, 2_999, 3_000, 32_768, -1, -2, -120])
            case 3:
                self.timestamp += random.choice([-320, 320, 32_001, 2**31, 2**32 - 1])
            case 4:
                self.ssrc = random.choice([7, 7, 8, 9, random.getrandbits(32)])
        payload = bytes(random.choice([640, 640, 640, 640, 0, 1, 2, 639, 1_280, 2_030, 2_036, 2_037, 9_000]))
        kind = PAYLOAD_TYPE if random.random() < 0.98 else random.randrange(128)
        packet = RtpPacket(kind, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc, payload)
        self.sequence += 1
        self.timestamp += len(payload) // 2
        self._last = packet.to_bytes()
        if random.random() < 0.25:
            return mutated_bytes(random, self._last[:700], random.randint(1, 3))
        return self._last


@dataclass
class Storm:
    """A media thread with some calls, some strangers, and what they send."""

    random: Random
    calls: int = 8
    strangers: int = 3
    vad: Vad = field(default_factory=ConstantVad)
    asked: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sock = open_socket("127.0.0.1", 0)
        self.media = MediaThread(self._sock, self.vad, StreamSettings(), lambda _: None, self.asked.add, 3_600)
        self.senders = [Sender(self.random, self._source()) for _ in range(self.calls + self.strangers)]

    def _source(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.connect(self._sock.getsockname())
        return sock

    def __enter__(self) -> Storm:
        self.media.start()
        for number in range(self.calls):
            self._assign(number)
        assert wait_for(lambda: self.media.calls == self.calls, PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.media.stop()
        for sender in self.senders:
            sender.sock.close()

    def _assign(self, number: int) -> None:
        call_id = f"c{number}"
        source = self.senders[number].sock.getsockname()
        self.media.assign(source, call_id, Listen(call_id, 0.0, 1, "fr"), False)

    def send(self, count: int) -> None:
        """Sends `count` datagrams of all sources in turn, never more than the receiver can take; a call ends and comes
        again now and then."""
        sent = 0
        while sent < count:
            burst = min(AT_ONCE, count - sent)
            before = self.media.counts.packets
            for _ in range(burst):
                sender = self.random.choice(self.senders)
                sender.sock.send(sender.next())
            self._until(lambda: self.media.counts.packets == before + burst)  # noqa: B023
            sent += burst
            if self.random.random() < 0.02:
                number = self.random.randrange(self.calls)
                self.media.drop(f"c{number}")
                self._assign(number)

    def _until(self, holds: Callable[[], bool]) -> None:
        assert wait_for(lambda: holds() or not self.media.alive, PATIENCE_S), self.account()
        assert self.media.error is None

    def account(self) -> Counter[str]:
        """Where every datagram went. The sum is `packets` once all calls are over and no stranger is waited for."""
        counts, streams = self.media.counts, self.media.counts.streams
        done = Counter(counts.dropped)
        done += Counter(
            used=streams.released - streams.overrun,
            overrun=streams.overrun,
            duplicate=streams.duplicate,
            late=streams.late,
            stray=streams.stray,
            held=self.media.held,
        )
        return done

    def end(self) -> Counter[str]:
        """Ends all calls and forgets all strangers; where every datagram went, checked against how many came."""
        for number in range(self.calls):
            self.media.drop(f"c{number}")
        for sender in self.senders:
            self.media.nobody_knows(sender.sock.getsockname())
        self._until(lambda: self.media.calls == 0 and self.media.held == 0)
        done = self.account()
        assert sum(done.values()) == self.media.counts.packets, (done, self.media.counts)
        assert self.media.counts.failed_calls == 0
        assert kernel_drops(self._sock) in (0, None)
        return done
