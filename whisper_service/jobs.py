"""One utterance on its way through the engine: the job, what the model said to it, and whether it is run a second time.
Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from whisper_service.batcher import Again
from whisper_service.closed_sets import ANYTHING, Awaited, ClosedVerdict
from whisper_service.model_notes import FULL_CONTEXT_S
from whisper_service.said_numbers import says_only_numbers

Mel: TypeAlias = NDArray[np.float32]

FRAMES_PER_S: Final = 100


def max_tokens(duration_s: float) -> int:
    """More tokens than anyone says in that time; what runs on is a loop."""
    return min(224, 16 + round(12 * duration_s))


@dataclass(frozen=True)
class Job:
    """One utterance to transcribe."""

    mel: Mel
    """Log-mel spectrogram without padding, shape [mels, frames], 100 frames per second."""
    language: str
    """A language of the model, or `auto`."""
    hints: tuple[int, ...] = ()
    """Tokens of the hints, cut to MAX_HINT_TOKENS."""
    context_s: float = FULL_CONTEXT_S
    temperature: float = 0.0
    awaited: Awaited = ANYTHING
    """What can be accepted."""
    first: Decoded | None = None
    """What the first run said, when this is the second."""

    @property
    def duration_s(self) -> float:
        """Length of the utterance."""
        return float(self.mel.shape[1]) / FRAMES_PER_S

    @property
    def max_tokens(self) -> int:
        """See the function."""
        return max_tokens(self.duration_s)


@dataclass(frozen=True)
class Decoded:
    """What the model said, and how sure it was."""

    text: str
    language: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    tokens: tuple[int, ...] = ()
    context_s: float = FULL_CONTEXT_S
    runs: int = 1
    hypotheses: tuple[tuple[str, float], ...] = field(default=(), compare=False)
    """Other texts that the decoder considered, this one among them, with their log probability as a whole."""
    verdict: ClosedVerdict = ""
    """What the closed set of the awaited answers said to it."""

    other_language: str = ""
    """Whisper's code of the language that was spoken, where that is clearly not the one that was asked for."""

    @property
    def confidence(self) -> float:
        """Geometric mean of the tokens' probabilities, 0 to 1."""
        return min(1.0, math.exp(self.avg_logprob)) if math.isfinite(self.avg_logprob) else 0.0


def judge(job: Job, decoded: Decoded, in_full: bool = True) -> Decoded | Again[Job]:
    """The answer, or the job for a second run when the text looks wrong and there is speech.

    `in_full`: a second run of a short context is over the full one.
    """
    if decoded.verdict or decoded.other_language:
        return replace(decoded, runs=2 if job.first else 1)
    if job.first:
        return replace(max(job.first, decoded, key=_plausibility), runs=2)
    if not decoded.text or decoded.no_speech_prob > 0.6 or (decoded.avg_logprob >= -1.0 and not _repeats(decoded)):
        return decoded
    if in_full and job.context_s < FULL_CONTEXT_S:
        return Again(replace(job, context_s=FULL_CONTEXT_S, first=decoded))
    return Again(replace(job, temperature=max(0.4, job.temperature), first=decoded))


def _repeats(decoded: Decoded) -> bool:
    """Text so regular that it is a loop; the ratio says nothing of fewer than ten words, nor of dictated numbers."""
    is_regular = decoded.compression_ratio > 2.4 and len(decoded.text.split()) >= 10
    return is_regular and not says_only_numbers(decoded.text)


def _plausibility(decoded: Decoded) -> tuple[bool, float]:
    return not _repeats(decoded), decoded.avg_logprob
