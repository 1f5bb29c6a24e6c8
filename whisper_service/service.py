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
from whisper_service.engine import Decoded, Job, WhisperEngine, load_engine
from whisper_service.phrases import Families, normalise, read_families
from whisper_service.transcriber import Transcriber

log = logging.getLogger("whisper_service")

ServiceState: TypeAlias = Literal["starting", "ready", "failed"]
SELF_TEST: Final = Path(__file__).with_name("self_test_fr.wav")
DEMO_WARNING: Final = (
    "demo model: it knows a closed list of phrases said by synthetic voices; for real callers set WHISPER_MODEL"
)


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
        """The model as an operator knows it: its hub name, or its folder's name."""
        path = Path(self.settings.whisper_model)
        return path.name if path.is_dir() else self.settings.whisper_model

    def ready(self) -> tuple[bool, str]:
        """Whether it can answer, and why not."""
        if self.state == "ready" and not (self.batcher and self.batcher.is_alive):
            return False, "the engine has ended"
        return self.state == "ready", self.reason

    @property
    def is_ready(self) -> bool:
        """Whether a balancer should send work here."""
        return self.ready()[0] and not self.drain.is_draining

    def health(self) -> dict[str, object]:
        """The fields of `/health`."""
        fields: dict[str, object] = {
            "status": "failed" if self.state == "failed" else "ok",
            "state": "draining" if self.drain.is_draining else self.state,
            "model": self.model_name,
            "device": self.device,
            "compute_type": self.compute_type,
            "languages": sorted(self.languages),
        }
        if self.reason:
            fields["reason"] = self.reason
        if self.demo:
            fields |= {"demo": True, "warning": DEMO_WARNING}
        return fields

    @property
    def inside(self) -> int:
        """Requests that are not answered yet."""
        return self.transcriber.inside if self.transcriber else 0

    def close(self) -> None:
        """Answers what is inside, then ends the threads."""
        if self.transcriber:
            self.transcriber.close()

    def _load(self) -> None:
        settings = self.settings
        # mels are small: with more threads BLAS spends nine times the processor time, waiting for itself
        threadpool_limits(limits=1, user_api="blas")
        engine = load_engine(
            settings.whisper_model,
            settings.whisper_device,
            settings.whisper_device_index,
            settings.whisper_compute_type,
            cpu_threads=settings.whisper_cpu_threads,
            beam_size=settings.whisper_beam_size,
            context_s=settings.whisper_context_s,
        )
        self.device, self.compute_type = engine.device, engine.compute_type
        self.demo, self.languages = engine.notes.demo, engine.languages
        run_self_test(engine, settings.whisper_max_batch if engine.device == "cuda" else 1)
        self.batcher = Batcher(
            engine, settings.whisper_max_batch, settings.whisper_batch_window_ms / 1000, metrics.observe
        )
        metrics.MAX_BATCH.set(settings.whisper_max_batch)
        self.transcriber = Transcriber(
            engine, self.batcher, self.families, engine.notes.limits, settings.whisper_max_audio_s
        )

    def _become(self, state: ServiceState, reason: str) -> None:
        self.state, self.reason = state, reason


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
    """Phrase families of every language. Raises BadPhrases."""
    files = sorted(flows_dir.glob("*/hallucinations.yaml"))
    return read_families({str(file): file.read_text(encoding="utf-8") for file in files})
