"""Tones on the line: a fax that calls, the network's own signals. None of them is speech.

One that was taken for speech would be sent to the recogniser, and might keep the no-input ladder from ending the call.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from protocol.messages import Listen
from rtp_receiver.call_stream import CallStream, StreamEvent, StreamSettings
from rtp_receiver.silero import SileroVad
from tests.rtp_receiver.packets import packets_of

RATE_HZ = 16_000
LISTEN = Listen("c1", 0.0, 1, "fr", 100, 700, commit_silence_ms=160)


def tone(hz: Sequence[float], on_s: float, off_s: float = 0.0, times: int = 1) -> NDArray[np.float64]:
    at = np.arange(round(on_s * RATE_HZ)) / RATE_HZ
    sound = sum((np.sin(2 * np.pi * one * at) for one in hz), np.zeros(len(at))) * 0.25 / max(1, len(hz))
    return np.tile(np.concatenate([sound, np.zeros(round(off_s * RATE_HZ))]), times)


SIGNALS = {
    "fax that calls (T.30)": tone([1_100], 0.5, 3.0, times=8),
    "fax that answers": tone([2_100], 3.0, 1.0, times=3),
    "ringing": tone([440], 1.5, 3.5, times=3),
    "busy": tone([440], 0.5, 0.5, times=15),
    "no such number": np.tile(
        np.concatenate([tone([hz], 0.33) for hz in (950, 1_400, 1_800)] + [np.zeros(RATE_HZ)]), 4
    ),
    "call waiting": tone([440], 0.3, 10.0, times=2),
}


def heard(sound: NDArray[np.float64]) -> list[StreamEvent]:
    """What the receiver makes of a sound over faint line noise, with a second before and after it."""
    audio = np.concatenate([np.zeros(RATE_HZ), sound, np.zeros(RATE_HZ)])
    audio += np.random.default_rng(1).normal(0, 3e-4, len(audio))
    vad, stream = SileroVad(), CallStream("c1", StreamSettings(threshold=0.4))
    detector = vad.open()
    stream.listen(LISTEN)
    events: list[StreamEvent] = []
    for number, packet in enumerate(packets_of(np.round(audio * 32_767).astype(np.int16))):
        stream.push(packet, number * 0.02)
        while stream.waiting:
            chunk = stream.next_chunk().astype(np.int16)[None]
            events += stream.heard(float(vad.step([detector], chunk)[0]))
    return events


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_of_the_line_is_no_speech(name: str) -> None:
    assert heard(SIGNALS[name]) == []
