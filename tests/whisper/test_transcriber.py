"""One request's way through gate, engine and guards: what each of them has to say for a text to be believed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Sequence

import numpy as np
import pytest

from tests.whisper.serving import FAMILIES, SPEECH
from whisper_service.audio import Samples, decode
from whisper_service.batcher import Again, Batcher
from whisper_service.closed_sets import ANYTHING, Awaited
from whisper_service.guards import GuardLimits
from whisper_service.jobs import Decoded, Job
from whisper_service.transcriber import TooLate, Transcriber, Transcript, TranscriptionRequest


class Parrot:
    """An engine that says the same to everything."""

    languages = frozenset({"fr"})

    def __init__(self, text: str, avg_logprob: float = -0.1, takes_hints: bool = True) -> None:
        self.answer = Decoded(text, "fr", avg_logprob, 0.05, 1.0)
        self.takes_hints = takes_hints

    def prepare(
        self,
        samples: Samples,
        language: str,
        hints: Sequence[str] = (),
        temperature: float = 0.0,
        awaited: Awaited = ANYTHING,
    ) -> Job:
        mel = np.zeros((80, samples.size // 160), np.float32)
        tokens = tuple(range(len(hints))) if self.takes_hints else ()
        return Job(mel, language, tokens, temperature=temperature, awaited=awaited)

    def key(self, job: Job) -> Hashable:
        return len(job.hints)

    def run(self, jobs: Sequence[Job]) -> Sequence[Decoded | Again[Job]]:
        return [self.answer] * len(jobs)


class Gate:
    """A voice gate that hears what it is told to; it counts how often it heard all or almost all of a clip."""

    def __init__(self, in_excerpt: float = 1.0, in_whole: float = 1.0, half_a_step_on: float = 0.0) -> None:
        self.in_excerpt, self.in_whole, self.half_a_step_on = in_excerpt, in_whole, half_a_step_on
        self.whole_clips = 0

    def excerpt(self, samples: Samples, at: int) -> Samples:
        return np.full(8, self.in_excerpt, np.float32)

    def probabilities(self, samples: Samples) -> Samples:
        self.whole_clips += 1
        from_its_beginning = samples.size == decode(SPEECH).size
        return np.full(samples.size // 512, self.in_whole if from_its_beginning else self.half_a_step_on, np.float32)


def ask(engine: Parrot, gate: Gate, hints: tuple[str, ...] = (), expires_at: float = float("inf")) -> Transcript:
    """What the shipped utterance becomes with this engine and gate."""
    batcher = Batcher[Job, Decoded](engine)
    transcriber = Transcriber(engine, batcher, FAMILIES, GuardLimits(), 30.0, gate)  # type: ignore[arg-type]
    try:
        return asyncio.run(transcriber.transcribe(TranscriptionRequest(SPEECH, hints=hints, expires_at=expires_at)))
    finally:
        transcriber.close()


def test_a_sure_text_needs_an_excerpt_only() -> None:
    gate = Gate()
    assert ask(Parrot("oui je suis propriétaire"), gate).text == "oui je suis propriétaire"
    assert gate.whole_clips == 0


@pytest.mark.parametrize("parrot", [Parrot("oui", -0.6), Parrot("merci d'avoir appelé " * 3)])
def test_a_doubtful_text_needs_a_voice_in_the_whole_clip(parrot: Parrot) -> None:
    believed = ask(parrot, Gate())
    assert (believed.text, believed.reason) == (parrot.answer.text.strip(), "")
    gate = Gate(in_whole=0.1)
    refused = ask(parrot, gate)
    assert (refused.text, refused.reason, refused.confidence) == ("", "no_speech", 0.0)
    assert gate.whole_clips == 1


def test_a_voice_outside_the_excerpt_is_found() -> None:
    assert ask(Parrot("oui"), Gate(in_excerpt=0.0)).text == "oui"
    assert ask(Parrot("oui"), Gate(0.0, 0.0)).reason == "no_speech"


def test_a_voice_that_falls_badly_into_the_windows_is_found_in_others() -> None:
    gate = Gate(0.4, 0.4, half_a_step_on=0.7)
    assert ask(Parrot("oui"), gate).text == "oui"
    assert gate.whole_clips == 2


def test_an_echo_of_the_hints_is_refused_and_the_same_words_without_hints_are_not() -> None:
    hints = ("gaz", "pompe à chaleur", "fioul")
    echo = "Gaz, pompe à chaleur, fioul."
    assert ask(Parrot(echo), Gate(), hints).reason == "hint_echo"
    assert ask(Parrot(echo), Gate()).text == echo
    assert ask(Parrot(echo, takes_hints=False), Gate(), hints).text == echo, "it was not given the hints"
    assert ask(Parrot("pompe à chaleur"), Gate(), hints).text == "pompe à chaleur"


def test_a_deadline_that_is_over_is_told_as_such() -> None:
    with pytest.raises(TooLate):
        ask(Parrot("oui"), Gate(), expires_at=time.monotonic() - 1)
