"""What a caller lived through: the packets of both directions with their times, to answer times, cut-offs and stops.

Nothing here knows our messages, logs or flows: a recording is what left and what came in at the caller, and what the
caller meant to say as one turn. Voice is level. Pure: time comes with every packet, in seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

RATE_HZ = 8_000
PACKET_SAMPLES = 160
VOICED_DBFS = -44.0
"""RMS level of a packet from which it is voice; 0 dB is a square wave at full scale."""
QUIET_S = 0.1
"""Voice after less than this is the same word as before."""
PAUSE_S = 0.45
"""Longer than the pauses within our prompts (up to 0.4 s): voice after it is a new prompt, or one that was resumed."""
ANSWER_PAUSE_S = 0.25
"""What parts a prompt from the answer to somebody who spoke over it."""
STOP_S = 0.6
"""A prompt that is silent for so long, where it should go on, was stopped."""
DEAD_AIR_S = 3.0
MATCH_S = 0.4

Samples: TypeAlias = NDArray[np.int16]
Kind: TypeAlias = Literal["answer", "barge_in", "noise"]


@dataclass(frozen=True)
class Track:
    """Packets of one direction: when, float64 [n] in seconds, and what, int16 [n, 160] at 8 kHz."""

    times_s: NDArray[np.float64]
    samples: Samples

    @property
    def voiced_s(self) -> NDArray[np.float64]:
        """The times of the packets that hold voice."""
        if not len(self.times_s):
            return self.times_s
        power = np.mean(np.square(self.samples.astype(np.float64) / 32_768), axis=1)
        return np.asarray(self.times_s[power >= 10 ** (VOICED_DBFS / 10)])

    def between(self, from_s: float, to_s: float) -> Samples:
        """The samples of the packets of a span of time, both ends included, gaps closed."""
        inside = (self.times_s >= from_s) & (self.times_s <= to_s)
        return np.asarray(self.samples[inside].reshape(-1))


@dataclass(frozen=True)
class Turn:
    """What the caller meant as one turn, pauses included, by its first and last packet.

    `answer` comes while the bot is silent, `barge_in` into a prompt; `noise` is none of the caller's words.
    """

    label: str
    kind: Kind
    first_packet_s: float
    last_packet_s: float


@dataclass(frozen=True)
class SeatTurn:
    """One turn as the caller lived through it. None: it did not happen."""

    turn: Turn
    first_voiced_s: float
    last_voiced_s: float
    answer_s: float | None
    """First voice of the answer."""
    cut_off_s: float | None
    """When the bot began to speak although the caller had not finished."""
    stop_ms: float | None
    """How long the prompt went on after the caller began to speak over it."""
    waited_s: float
    """Silence after the turn: until the answer, or until the caller spoke again or the call was over."""

    @property
    def answer_ms(self) -> float | None:
        """End of the caller's last voiced packet to the first voiced packet of the answer."""
        return None if self.answer_s is None else (self.answer_s - self.last_voiced_s) * 1_000

    @property
    def is_dead_air(self) -> bool:
        """Nobody said anything for so long that the caller wonders."""
        return self.waited_s > DEAD_AIR_S


@dataclass(frozen=True)
class Stop:
    """A prompt that fell silent under a noise. None: it did not come back."""

    stopped_s: float
    resumed_s: float | None
    skip_ms: float | None
    """Where it went on, measured from where it had stopped: negative when a little is said again."""


def analyse(sent: Track, heard: Track, turns: Sequence[Turn], end_s: float) -> list[SeatTurn]:
    """The turns that have voice, in order; `end_s` is when the call was over."""
    said, voiced = sent.voiced_s, heard.voiced_s
    found = []
    for number, turn in enumerate(turns):
        own = said[(said >= turn.first_packet_s) & (said <= turn.last_packet_s)]
        if not len(own):
            continue
        first_s, last_s = float(own[0]), float(own[-1])
        next_s = turns[number + 1].first_packet_s if number + 1 < len(turns) else end_s
        answer_s = _onset(voiced, last_s, next_s, QUIET_S)
        found.append(
            SeatTurn(
                turn,
                first_s,
                last_s,
                answer_s,
                None if turn.kind == "noise" else _onset(voiced, first_s, last_s, PAUSE_S),
                _stop_ms(voiced, first_s, last_s) if turn.kind == "barge_in" else None,
                (next_s if answer_s is None else answer_s) - last_s,
            )
        )
    return found


def stop_under(heard: Track, turn: Turn, reference: Samples, watch_s: float = 3.0) -> Stop | None:
    """Whether the prompt stopped during a noise or up to a second after it, and where it went on.

    `reference` is the whole of what the bot was saying, int16 at 8 kHz; it must last until after the watched time.
    """
    voiced = heard.voiced_s
    before = voiced[voiced < turn.first_packet_s]
    after = voiced[(voiced >= turn.first_packet_s) & (voiced <= turn.last_packet_s + 1.0 + watch_s)]
    times = np.concatenate([before[-1:], after, [turn.last_packet_s + 1.0 + watch_s]])
    for last_s, next_s in pairwise(times):
        if next_s - last_s < STOP_S or last_s > turn.last_packet_s + 1.0:
            continue
        if next_s == times[-1]:
            return Stop(float(last_s), None, None)
        stopped_at = position_s(reference, heard.between(last_s - MATCH_S, last_s)[-int(MATCH_S * RATE_HZ) :])
        resumed_at = position_s(reference, heard.between(next_s, next_s + MATCH_S)[: int(MATCH_S * RATE_HZ)])
        tail_s = len(heard.between(last_s - MATCH_S, last_s)[-int(MATCH_S * RATE_HZ) :]) / RATE_HZ
        return Stop(float(last_s), float(next_s), (resumed_at - stopped_at - tail_s) * 1_000)
    return None


def position_s(reference: Samples, piece: Samples) -> float:
    """Where in `reference` a piece of it begins, in seconds, by normalised cross-correlation."""
    whole, part = reference.astype(np.float64), piece.astype(np.float64)
    products = fftconvolve(whole, part[::-1], mode="valid")
    energy = np.convolve(np.square(whole), np.ones(len(part)), mode="valid")
    return float(np.argmax(products / np.sqrt(np.maximum(energy, 1.0)))) / RATE_HZ


def _onset(voiced: NDArray[np.float64], after_s: float, until_s: float, quiet_s: float) -> float | None:
    """The first voice in a span of time that comes after so much quiet."""
    before = voiced[voiced <= after_s]
    last_s = float(before[-1]) if len(before) else float("-inf")
    for time_s in voiced[(voiced > after_s) & (voiced <= until_s)]:
        if time_s - last_s >= quiet_s:
            return float(time_s)
        last_s = float(time_s)
    return None


def _stop_ms(voiced: NDArray[np.float64], from_s: float, to_s: float) -> float | None:
    """How long the voice that was there at `from_s` went on; None when there was none.

    After the caller's last word, `to_s`, the answer comes soon: a shorter silence than usual parts it from the prompt.
    """
    times = voiced[voiced >= from_s - PAUSE_S]
    if not len(times) or times[0] >= from_s + PAUSE_S:
        return None
    last_s = float(times[0])
    for time_s in times[1:]:
        if time_s - last_s >= (PAUSE_S if time_s <= to_s else ANSWER_PAUSE_S):
            break
        last_s = float(time_s)
    return max(0.0, (last_s - from_s) * 1_000)
