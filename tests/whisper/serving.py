"""A Whisper service in this process, on a free port, with whatever engine the test needs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config import ROOT, WhisperSettings, load
from observability.http import Server
from observability.listening import bound_socket
from whisper_service.audio import Samples
from whisper_service.batcher import Again, Batcher
from whisper_service.closed_sets import ANYTHING, Awaited
from whisper_service.engine import WhisperEngine
from whisper_service.guards import GuardLimits
from whisper_service.http_api import create_app
from whisper_service.jobs import Decoded, Job
from whisper_service.service import Service, load_families
from whisper_service.transcriber import Transcriber

FAMILIES = load_families(ROOT / "flows")
DEFAULT_LIMITS = GuardLimits()


class HeldEngine:
    """A real engine behind a gate that the test opens; it counts the jobs it was given, second runs aside."""

    def __init__(self, engine: WhisperEngine, is_open: bool = True) -> None:
        self._engine = engine
        self.languages = engine.languages
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.jobs = 0
        self.batches: list[list[Job]] = []
        self.fail = False
        if is_open:
            self.gate.set()

    def prepare(
        self,
        samples: Samples,
        language: str,
        hints: Sequence[str] = (),
        temperature: float = 0.0,
        awaited: Awaited = ANYTHING,
    ) -> Job:
        return self._engine.prepare(samples, language, hints, temperature, awaited)

    def key(self, job: Job) -> Hashable:
        return self._engine.key(job)

    def run(self, jobs: Sequence[Job]) -> list[Decoded | Again[Job]]:
        self.jobs += sum(job.first is None for job in jobs)
        self.batches.append(list(jobs))
        self.entered.release()
        self.gate.wait()
        if self.fail:
            raise RuntimeError("the engine is broken")
        return self._engine.run(jobs)


def settings_of(**environment: str) -> WhisperSettings:
    return load(WhisperSettings, environment)


def service_on(engine: WhisperEngine | HeldEngine, limits: GuardLimits = DEFAULT_LIMITS, **environment: str) -> Service:
    """A ready service around an engine that is loaded already."""
    settings = settings_of(**environment)
    batcher = Batcher[Job, Decoded](engine, settings.whisper_max_batch)
    transcriber = Transcriber(engine, batcher, FAMILIES, limits, settings.whisper_max_audio_s)  # type: ignore[arg-type]
    return Service(
        settings,
        FAMILIES,
        "ready",
        "",
        "cpu",
        "int8",
        languages=engine.languages,
        transcriber=transcriber,
        batcher=batcher,
    )


@contextmanager
def serving(service: Service) -> Iterator[str]:
    """The base URL of a served service; stopped and closed afterwards."""
    server = Server(create_app(service), bound_socket("127.0.0.1", 0, reuse_port=False), grace_s=30)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
        service.close()


SPEECH = (Path(ROOT) / "whisper_service" / "self_test_fr.wav").read_bytes()
