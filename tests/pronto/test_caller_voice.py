"""Lines of a script to what the caller says, with its pauses."""

import numpy as np

from callers.caller_voice import speak
from callers.heard_audio import VOICED_RMS, level_rms
from callers.rtp_audio import PACKET_SAMPLES
from callers.script import Caller, SpokenLine


def silences_ms(text: str) -> list[int]:
    """The stretches of silence within what is said, in packets of 20 ms, longer than 100 ms."""
    samples = speak(SpokenLine(text), Caller())
    packets = [samples[n : n + PACKET_SAMPLES] for n in range(0, len(samples), PACKET_SAMPLES)]
    voiced = np.flatnonzero([level_rms(packet) >= VOICED_RMS for packet in packets])
    return [int(gap - 1) * 20 for gap in np.diff(voiced) if gap > 6]


def test_a_pause_is_as_long_as_it_says() -> None:
    assert silences_ms("je suis <600> propriétaire") == [600]
    assert silences_ms("euh <300> je suis <800> propriétaire") == [300, 800]


def test_without_a_pause_there_is_none() -> None:
    assert silences_ms("je suis propriétaire") == []
