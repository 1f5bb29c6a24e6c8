"""Many lines at once through the receiver's own pieces: reordering, buffer, detector, endpointing, packet by packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Listen
from rtp_receiver.call_stream import CallStream, StreamEvent, StreamSettings
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.silero import SileroVad
from rtp_receiver.slin16 import PAYLOAD_TYPE

RATE_HZ = 16_000
PACKET = 320
LISTEN = Listen("c", 0.0, 1, "fr", 100, 700, 15_000, barge_in=True, barge_in_ms=100, commit_silence_ms=160)
"""As the shipped flows listen."""


def heard_on(
    vad: SileroVad,
    lines: Sequence[NDArray[np.int16]],
    before: Callable[[int, int, CallStream], None] = lambda number, at, stream: None,
) -> Iterator[tuple[int, StreamEvent]]:
    """What the receiver makes of each of `lines` (16 kHz): the line's number, what was heard. `before` is told of every
    packet: number of the line, its first sample, the stream that it goes to."""
    streams = [CallStream(f"c{number}", StreamSettings(threshold=0.4)) for number in range(len(lines))]
    detectors = [vad.open() for _ in lines]
    for stream in streams:
        stream.listen(LISTEN)
    for at in range(0, max(map(len, lines)) - PACKET, PACKET):
        ready = []
        for number, (stream, line) in enumerate(zip(streams, lines, strict=True)):
            if at + PACKET > len(line):
                continue
            before(number, at, stream)
            payload = line[at : at + PACKET].astype(">i2").tobytes()
            stream.push(RtpPacket(PAYLOAD_TYPE, at // PACKET & 0xFFFF, at, 1, payload), at / RATE_HZ)
            if stream.waiting:
                ready.append(number)
        if not ready:
            continue
        chunks = np.stack([streams[number].next_chunk() for number in ready]).astype(np.int16)
        for number, probability in zip(ready, vad.step([detectors[n] for n in ready], chunks), strict=True):
            for event in streams[number].heard(float(probability)):
                yield number, event
    for detector in detectors:
        vad.close(detector)
