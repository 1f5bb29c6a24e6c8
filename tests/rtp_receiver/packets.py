"""Packets as Asterisk's external media sends them: slin16, 20 ms each, from samples."""

import numpy as np

from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import PAYLOAD_TYPE, Samples, payload_of

PACKET_SAMPLES = 320


def packets_of(
    samples: Samples, sequence: int = 1, timestamp: int = 320, ssrc: int = 7, size: int = PACKET_SAMPLES
) -> list[RtpPacket]:
    """The stream of `samples`; the last packet may be shorter."""
    packets: list[RtpPacket] = []
    for start in range(0, len(samples), size):
        piece = samples[start : start + size]
        packets.append(
            RtpPacket(
                PAYLOAD_TYPE,
                (sequence + len(packets)) & 0xFFFF,
                (timestamp + start) & 0xFFFF_FFFF,
                ssrc,
                payload_of(piece),
            )
        )
    return packets


def silence(seconds: float) -> Samples:
    """Digital zero."""
    return np.zeros(round(seconds * 16_000), dtype=np.int16)
