"""What a caller hears: received frames to prompts with a beginning and an end, and to the time an answer took.

Pure: time arrives with every frame, in seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

VOICED_RMS = 200.0
"""Level of a 20 ms frame, in steps of int16, from which it is voice: 44 dB below full scale. A quiet voice on the phone
is above it, the noise of a recording below."""


def level_rms(samples: NDArray[np.int16]) -> float:
    """Root mean square of int16 samples; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


@dataclass(frozen=True)
class HeardFrame:
    """One received RTP packet with audio."""

    arrival_s: float
    sequence: int
    timestamp: int
    ssrc: int
    samples: NDArray[np.int16]
    """int16 at 8 kHz, 160 of them as a rule."""
    is_voiced: bool


@dataclass(frozen=True)
class HeardPrompt:
    """One stretch of voice from the other side."""

    first_voiced_s: float
    last_voiced_s: float
    is_over: bool = False
    """True once its end was noticed: `last_voiced_s` stays as it is."""


@dataclass(frozen=True)
class Spoken:
    """What the caller said, as it left: a packet leaves when its 20 ms are over, as from a real microphone."""

    label: str
    first_packet_s: float
    last_voiced_s: float
    """When the last frame with voice left: the end of the caller's speech."""
    last_packet_s: float
    is_complete: bool = True
    """False when it was cut off, by `stop_speaking` or by the end of the call."""


@dataclass(frozen=True)
class AnswerTime:
    """How long the caller waited between the end of what they said and the first voice of the answer."""

    spoken: Spoken
    answer_s: float

    @property
    def delay_ms(self) -> float:
        return (self.answer_s - self.spoken.last_voiced_s) * 1_000


class PromptListener:
    """Finds prompts in a stream of frames.

    A prompt is over when no packet came for `gap_ms`: Asterisk sends nothing when it plays nothing, while pauses within
    a prompt are packets of silence. Where something keeps sending silence, it is over after `silence_ms` without voice.
    """

    def __init__(self, gap_ms: float = 400, silence_ms: float = 700):
        """`gap_ms` must be longer than a busy machine holds packets back: gaps of 260 ms were seen on two busy cores,
        none above 30 on idle ones."""
        self.prompts: list[HeardPrompt] = []
        """In the order heard; the last one may still go on."""
        self._gap_s = gap_ms / 1_000
        self._silence_s = silence_ms / 1_000
        self._last_packet_s = 0.0

    @property
    def is_hearing(self) -> bool:
        """True while a prompt goes on."""
        return bool(self.prompts) and not self.prompts[-1].is_over

    def feed(self, frame: HeardFrame) -> None:
        """Takes the next frame."""
        self.tick(frame.arrival_s)
        self._last_packet_s = frame.arrival_s
        if not frame.is_voiced:
            return
        if self.is_hearing:
            self.prompts[-1] = replace(self.prompts[-1], last_voiced_s=frame.arrival_s)
        else:
            self.prompts.append(HeardPrompt(frame.arrival_s, frame.arrival_s))

    def tick(self, now_s: float) -> None:
        """Takes the passing of time; call it every few packets' length, with or without packets."""
        if not self.is_hearing:
            return
        is_still = now_s - self._last_packet_s >= self._gap_s
        is_silent = now_s - self.prompts[-1].last_voiced_s >= self._silence_s
        if is_still or is_silent:
            self.finish()

    def finish(self) -> None:
        """The call is over: so is a prompt that went on."""
        if self.is_hearing:
            self.prompts[-1] = replace(self.prompts[-1], is_over=True)


def answer_times(said: Sequence[Spoken], frames: Sequence[HeardFrame], quiet_ms: float = 100) -> list[AnswerTime]:
    """For each thing said, the first voice heard after its end and before the next thing said.

    Voice that was going on when the caller stopped (they spoke over it and it went on) is no answer: the answer then
    begins when voice returns after `quiet_ms` without. What was not answered has no entry.
    """
    voiced = [frame.arrival_s for frame in frames if frame.is_voiced]
    result = []
    ends = [spoken.first_packet_s for spoken in said[1:]] + [float("inf")] * bool(said)
    for spoken, end_s in zip(said, ends, strict=True):
        before = [time_s for time_s in voiced if time_s <= spoken.last_voiced_s]
        last_s = before[-1] if before else float("-inf")
        for time_s in (time_s for time_s in voiced if spoken.last_voiced_s < time_s <= end_s):
            if time_s - last_s >= quiet_ms / 1_000:
                result.append(AnswerTime(spoken, time_s))
                break
            last_s = time_s
    return result
