"""What counts as speech, and as its end: the numbers that the endpointing goes by. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """What counts as speech and as its end. Probabilities in [0, 1], durations in ms."""

    threshold: float = 0.5
    release: float = 0.35
    """Speech goes on until the probability falls below this."""
    faint: float = 0.2
    """Speech probability from which a chunk may be part of a word, while an answer is awaited."""
    min_speech_ms: int = 96
    """Voiced audio that makes an utterance; a click has less."""
    pre_roll_chunks: int = 8
    """Chunks before the first voiced one that belong to the utterance."""
    eager_silence_ms: int = 200
    commit_silence_ms: int = 0
    """Silence after which a guess may be acted on; at most `eager_silence_ms`: at once."""
    end_silence_ms: int = 700
    max_utterance_ms: int = 15_000
    barge_in: bool = False
    barge_in_ms: int = 100
    """Voiced audio that makes an utterance while the bot speaks, each chunk weighed by its probability and clear speech
    twice: a hum that is hardly speech never gets there."""
