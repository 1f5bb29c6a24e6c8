"""Settings become a running service: it starts, proves itself on a shipped utterance, takes work, drains.

A wrong engine or driver build returns empty texts and no error. So nothing is ready before the self-test was heard.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from threadpoolctl import threadpool_limits

from config import WhisperSettings
from observability.drain import Drain
from whisper_service import metrics
from whisper_service.audio import decode
from whisper_service.batcher import Again, Batcher
from whisper_service.engine import WhisperEngine, load_engine
from whisper_service.engines import EngineByLanguage
from whisper_service.jobs import Decoded, Job
from whisper_service.languages import language_code
from whisper_service.phrases import BadGuardPhrases, Families, normalise, read_families
from whisper_service.transcriber import Transcriber

log = logging.getLogger("whisper_service")

ServiceState: TypeAlias = Literal["starting", "ready", "failed"]
SELF_TEST: Final = Path(__file__).with_name("self_test_fr.wav")
DEMO_WARNING: Final = (
    "demo model: it knows a closed list of phrases said by synthetic voices; for real callers set WHISPER_MODEL"
)


FAILURES: Final = 3
"""Jobs in a row that fail, each alone, before an engine counts as sick: a bad job fails, and the next one does not."""


class SelfTestFailed(RuntimeError):
    """The engine did not hear the shipped utterance."""


@dataclass
class Service:
    """State and parts of the service; the HTTP side reads it, `__main__` drives it."""

    settings: WhisperSettings
    families: dict[str, Families]
    state: ServiceState = "starting"
    reason: str = "the model is being loaded"
    device: str = ""
    compute_type: str = ""
    demo: bool = False
    languages: frozenset[str] = frozenset()
    models: dict[str, str] = field(default_factory=dict)
    """Names of the models of languages that have one of their own."""
    transcriber: Transcriber | None = None
    batcher: Batcher[Job, Decoded] | None = None
    drain: Drain = field(init=False)
    """While it drains, balancers stay away; what comes nevertheless is still answered."""

    def __post_init__(self) -> None:
        self.drain = Drain(lambda: self.inside)

    def load(self) -> None:
        """Loads the model and tests it; takes long and blocks. Ends in `ready` or `failed`, never raises."""
        try:
            self._load()
        except Exception as error:
            self._become("failed", f"{type(error).__name__}: {error}")
            log.exception("the service cannot start", extra={"model": self.settings.whisper_model})
        else:
            self._become("ready", "")
            log.info(
                "ready",
                extra={"model": self.model_name, "device": self.device, "compute_type": self.compute_type},
            )
            if self.demo:
                log.warning(DEMO_WARNING)

    @property
    def model_name(self) -> str:
        """The usual model as an operator knows it."""
        return model_name(self.settings.whisper_model)

    def ready(self) -> tuple[bool, str]:
        """Whether it can answer, and why not."""
        sickness = self.sickness()
        return self.state == "ready" and not sickness, sickness or self.reason

    def sickness(self) -> str:
        """Why this process must be started again, or the empty string: a model that could not be loaded, an engine that
        has ended, fails at every job or hangs."""
        if self.state != "ready":
            return self.reason if self.state == "failed" else ""
        if not (self.batcher and self.batcher.is_alive):
            return "the engine has ended"
        if self.batcher.failures >= FAILURES:
            return f"the engine failed {self.batcher.failures} times in a row"
        hangs = self.batcher.running_s > self.settings.whisper_stuck_s
        return f"the engine has not answered for {self.settings.whisper_stuck_s:g} s" if hangs else ""

    @property
    def is_ready(self) -> bool:
        """Whether a balancer should send work here."""
        return self.ready()[0] and not self.drain.is_draining

    def health(self) -> dict[str, object]:
        """The fields of `/health`."""
        sickness = self.sickness()
        fields: dict[str, object] = {
            "status": "failed" if sickness else "ok",
            "state": "draining" if self.drain.is_draining else "failed" if sickness else self.state,
            "model": self.model_name,
            "device": self.device,
            "compute_type": self.compute_type,
            "languages": sorted(self.languages),
        }
        if self.models:
            fields["models"] = self.models
        if reason := sickness or self.reason:
            fields["reason"] = reason
        if self.demo:
            fields |= {"demo": True, "warning": DEMO_WARNING}
        return fields

    @property
    def inside(self) -> int:
        """Requests that are not answered yet."""
        return self.transcriber.inside if self.transcriber else 0

    def close(self, within_s: float | None = None) -> bool:
        """Answers what is inside, then ends the threads; whether they ended in time."""
        return self.transcriber.close(within_s) if self.transcriber else True

    def _load(self) -> None:
        settings = self.settings
        # mels are small: with more threads BLAS spends nine times the processor time, waiting for itself
        threadpool_limits(limits=1, user_api="blas")
        usual = self._engine(settings.whisper_model)
        of_models: dict[str, WhisperEngine] = {settings.whisper_model: usual}
        for _, model in settings.whisper_models:
            of_models[model] = of_models.get(model) or self._engine(model)
        others = {language_code(language): of_models[model] for language, model in settings.whisper_models}
        engine = EngineByLanguage(usual, others)
        self.device, self.compute_type = usual.device, usual.compute_type
        self.demo, self.languages = usual.notes.demo, engine.languages
        self.models = {language_code(language): model_name(model) for language, model in settings.whisper_models}
        self.batcher = Batcher(
            engine, settings.whisper_max_batch, settings.whisper_batch_window_ms / 1000, metrics.observe
        )
        metrics.MAX_BATCH.set(settings.whisper_max_batch)
        limits = {"": usual.notes.limits} | {language: other.notes.limits for language, other in others.items()}
        self.transcriber = Transcriber(engine, self.batcher, self.families, limits, settings.whisper_max_audio_s)

    def _engine(self, model: str) -> WhisperEngine:
        """A model that was loaded and has passed its self-test."""
        settings = self.settings
        engine = load_engine(
            model,
            settings.whisper_device,
            settings.whisper_device_index,
            settings.whisper_compute_type,
            settings.whisper_espeak,
            cpu_threads=settings.whisper_cpu_threads,
            beam_size=settings.whisper_beam_size,
            context_s=settings.whisper_context_s,
        )
        run_self_test(engine, settings.whisper_max_batch if engine.device == "cuda" else 1)
        return engine

    def _become(self, state: ServiceState, reason: str) -> None:
        self.state, self.reason = state, reason


def model_name(model: str) -> str:
    """A model as an operator knows it: its hub name, or its folder's name."""
    path = Path(model)
    return path.name if path.is_dir() else model


def run_self_test(engine: WhisperEngine, batch: int) -> None:
    """Hears the shipped utterance, alone and in a batch of the largest size, which also warms the device up.

    Raises SelfTestFailed: a model that says nothing, or not what its notes promise, must not answer callers.
    """
    language = "fr" if "fr" in engine.languages else sorted(engine.languages)[0]
    job = engine.job(engine.features(decode(SELF_TEST.read_bytes())), language)
    for size in sorted({1, batch}):
        for answer in engine.run([job] * size):
            heard = answer.job.first if isinstance(answer, Again) else answer
            if heard is None or not heard.text or not math.isfinite(heard.avg_logprob):
                raise SelfTestFailed("the engine says nothing to the self-test's utterance: wrong build or driver?")
            if engine.notes.self_test and normalise(heard.text) != normalise(engine.notes.self_test):
                raise SelfTestFailed(f"the engine heard {heard.text!r} instead of {engine.notes.self_test!r}")


def load_families(flows_dir: Path) -> dict[str, Families]:
    """Phrase families of every language. Raises BadGuardPhrases."""
    texts: dict[str, str] = {}
    for file in sorted(flows_dir.glob("*/hallucinations.yaml")):
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise BadGuardPhrases(f"{file}: line {line} is no UTF-8: save the file as UTF-8") from None
    return read_families(texts)
