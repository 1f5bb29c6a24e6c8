"""Sends RTP as Asterisk's external media does: one UDP socket per call, so one source address."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable

from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import Samples
from rtp_receiver.sources import Address
from tests.background import running
from tests.rtp_receiver.packets import packets_of, silence


class MediaLeg:
    """The source of one call's audio."""

    def __init__(self, receiver: Address, ssrc: int = 7) -> None:
        self.receiver = receiver
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._ssrc = ssrc
        self._sent = 0

    @property
    def source(self) -> Address:
        """What MediaStarted would say."""
        host, port = self._socket.getsockname()
        return host, port

    def send_packets(self, packets: Iterable[RtpPacket]) -> None:
        """As they are."""
        for packet in packets:
            self._socket.sendto(packet.to_bytes(), self.receiver)

    def send_bytes(self, data: bytes) -> None:
        """Any datagram."""
        self._socket.sendto(data, self.receiver)

    def send(self, samples: Samples) -> None:
        """Continues the stream; as fast as it goes, because the receiver counts samples, not seconds."""
        packets = packets_of(samples, 1 + self._sent, 320 * (1 + self._sent), self._ssrc)
        self._sent += len(packets)
        self.send_packets(packets)

    @contextlib.asynccontextmanager
    async def in_real_time(self) -> AsyncIterator[None]:
        """Meanwhile, silence at the pace of Asterisk: a packet every 20 ms."""

        async def pump() -> None:
            while True:
                self.send(silence(0.02))
                await asyncio.sleep(0.02)

        async with running(pump()):
            yield

    def close(self) -> None:
        """Ends the source."""
        self._socket.close()
