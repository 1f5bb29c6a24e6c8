"""A piece of speech as it is heard: how long it is, how sure, how loud. Pure.

A prompt comes back from a loudspeaker telephone as speech, which it is. What tells it from the caller is its level,
`ECHO_BELOW_DBFS`: while a prompt is being said, and for `ECHO_TAIL_MS` after it, what is softer may not be theirs. Nor
may, at any time, what is much softer than they were before (`OwnVoice`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from rtp_receiver.slin16 import Samples

CLEAR_FROM: Final = 0.65
"""Speech probability that a mains hum does not reach; words do, within a few chunks."""

ECHO_BELOW_DBFS: Final = -32.0
"""A chunk of a prompt's echo is softer, if the echo is 24 dB below the prompt: the loudest chunk of the shipped prompts
has -7.9 dBFS. A caller who speaks at -32 dBFS has louder chunks; one who is softer than that stops no prompt, and is
heard aside."""

ECHO_TAIL_MS: Final = 500
"""So late the last of a prompt comes back: the network there and back, a room, and the news that it is over."""

BACKGROUND_DB: Final = 12.0
"""Speech whose loudest chunk is so much below that of the caller's utterances is somebody else, or a television."""

FORGET_OWN_DB: Final = 3.0
"""In each turn without an utterance the caller may be that much softer than before."""

_FULL_SCALE: Final = 32_768.0


@dataclass(slots=True)
class Run:
    """Speech whose gaps are short. Positions are chunk numbers."""

    first: int
    last: int
    evidence: float = 0.0
    """Sum of the probabilities of sure chunks, those of clear speech twice."""
    voiced: int = 0
    sure: int = 0
    """Voiced chunks that are no echo of a prompt."""
    loudest_dbfs: float = -math.inf

    @classmethod
    def of(cls, chunk: int, probability: float, level_dbfs: float, sure: bool) -> Run:
        """One that begins."""
        run = cls(chunk, chunk)
        run.hear(chunk, probability, level_dbfs, sure)
        return run

    def hear(self, chunk: int, probability: float, level_dbfs: float, sure: bool) -> None:
        """One more voiced chunk."""
        self.last = chunk
        self.voiced += 1
        self.loudest_dbfs = max(self.loudest_dbfs, level_dbfs)
        if sure:
            self.sure += 1
            self.evidence += evidence_of(probability)


class OwnVoice:
    """How loud the caller is: the softest of their last three utterances, so that one slammed door says nothing."""

    def __init__(self) -> None:
        self._levels: tuple[float, ...] = ()
        self._forgiven_db = 0.0

    def heard(self, loudest_dbfs: float) -> None:
        """An utterance is over."""
        self._levels = (*self._levels, loudest_dbfs)[-3:]
        self._forgiven_db = 0.0

    def was_not_heard(self) -> None:
        """A turn is over in which the caller said nothing."""
        self._forgiven_db += FORGET_OWN_DB

    def is_background(self, loudest_dbfs: float) -> bool:
        """Whether speech is too soft to be theirs; never before two utterances were heard."""
        if len(self._levels) < 2:
            return False
        return loudest_dbfs < min(self._levels) - BACKGROUND_DB - self._forgiven_db


def evidence_of(probability: float) -> float:
    """How much a voiced chunk says for speech."""
    return 2 * probability if probability > CLEAR_FROM else probability


def level_dbfs(samples: Samples) -> float:
    """The RMS of samples of any byte order; full scale is 0."""
    values = samples.astype(np.float32)
    return level_of(float(values @ values), len(values))


def level_of(energy: float, samples: int) -> float:
    """The RMS of so many samples whose squares have that sum; full scale is 0."""
    power = energy / max(1, samples)
    return 10 * math.log10(power / _FULL_SCALE**2) if power > 0 else -math.inf
