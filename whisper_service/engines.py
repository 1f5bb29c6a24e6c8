"""The engines of several models as one: a job goes to the model of its language.

`WHISPER_MODEL_EN` gives English calls a model of their own; every other language has the usual one. They run on one
thread, one batch at a time, so that they never compete for a device.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from whisper_service.audio import Samples
from whisper_service.batcher import Again
from whisper_service.closed_sets import ANYTHING, Awaited
from whisper_service.engine import WhisperEngine
from whisper_service.jobs import Decoded, Job


class EngineByLanguage:
    """Like a WhisperEngine: `prepare` may be called from any thread, `run` from one only."""

    def __init__(self, usual: WhisperEngine, others: Mapping[str, WhisperEngine]) -> None:
        """`others` by Whisper's code. Raises ValueError for a model that does not speak the language it is for."""
        for language, engine in others.items():
            if language not in engine.languages:
                raise ValueError(f"the model for {language} speaks {', '.join(sorted(engine.languages))} only")
        self._usual = usual
        self._others = dict(others)
        self.languages = usual.languages | others.keys()

    def of(self, language: str) -> WhisperEngine:
        """The engine for a language; the usual one where the model is to tell which it is."""
        return self._others.get(language, self._usual)

    def prepare(
        self,
        samples: Samples,
        language: str,
        hints: Sequence[str] = (),
        temperature: float = 0.0,
        awaited: Awaited = ANYTHING,
    ) -> Job:
        """See WhisperEngine."""
        return self.of(language).prepare(samples, language, hints, temperature, awaited)

    def key(self, job: Job) -> Hashable:
        """Jobs of two models never share a batch."""
        engine = self.of(job.language)
        return (id(engine), engine.key(job))

    def run(self, jobs: Sequence[Job]) -> list[Decoded | Again[Job]]:
        """See WhisperEngine."""
        return self.of(jobs[0].language).run(jobs)
