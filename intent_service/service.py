"""The HTTP side: `/embedding_main/`, `/embedding_faqs/`, `/knowledge/`, `/health`, `/ready`, `/drain`, `/metrics`.

The answer is an intent of the asked set, or `{"intent": "no_match", ..., "fallback": true}` with status 200: that the
caller said something else is no error. Errors are 422 (a field is missing, too long, or names an unknown intent or
language) and 503 with Retry-After (still training, or too many sentences wait).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pydantic import BaseModel, Field

from intent_service.catalogue import Recognisers
from intent_service.knowledge import Found, KnowledgeFiles
from intent_service.normalise import LANGUAGES
from intent_service.recogniser import IntentDecision, UnknownIntent
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.gate import Gate

log = logging.getLogger(__name__)

MAX_CHARACTERS = 1_000
MAX_BODY_BYTES = 65_536
MAX_WAITING = 128
"""Sentences in hand at once: half a second of work. One more would be answered too late to be of use."""
_CACHE_ENTRIES = 4_096
_Key = tuple[str, str, bool, frozenset[str] | None]
KNOWLEDGE = r"^[a-z0-9_-]{1,60}$"
Done = TypeVar("Done")


class IntentRequest(BaseModel):
    """A request."""

    sentence: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    allowed: Annotated[list[str], Field(max_length=500)] | None = None
    language: str = "fr"


class IntentScore(BaseModel):
    """One candidate."""

    intent: str
    score: float


class Answer(BaseModel):
    """A decision."""

    intent: str
    score: float
    top3: list[IntentScore]
    fallback: bool
    model_version: str
    reason: str


class KnowledgeRequest(BaseModel):
    """A question to a knowledge file: `file` is its name without `.md`."""

    question: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    file: Annotated[str, Field(pattern=KNOWLEDGE)]
    language: Annotated[str, Field(pattern=rf"^({'|'.join(LANGUAGES)})$")] = "fr"


class KnowledgeAnswer(BaseModel):
    """The nearest entry: its first question and its answer, null where none is near. `sure`: certainly what was
    asked."""

    question: str | None
    answer: str | None
    score: float
    sure: bool


class DecisionCache:
    """The latest decisions; a sentence said before costs nothing. Cost: one ordered-dictionary look-up."""

    def __init__(self, entries: int = _CACHE_ENTRIES) -> None:
        self._entries = entries
        self._kept: OrderedDict[_Key, IntentDecision] = OrderedDict()

    def get(self, key: _Key, decide: Callable[[], IntentDecision]) -> tuple[IntentDecision, bool]:
        """The kept decision, or what `decide` gives, kept; and whether it was kept already."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found, True
        found = self._kept[key] = decide()
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)
        return found, False


class Metrics:
    """What Prometheus reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "pronto_intent_decisions", "Sentences asked", ["set", "outcome"], registry=self.registry
        )
        self.intents = Counter(
            "pronto_intent_recognised", "Intents answered", ["set", "intent"], registry=self.registry
        )
        self.seconds = Histogram(
            "pronto_intent_decision_seconds",
            "Time to decide, without HTTP",
            ["set"],
            buckets=(0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=self.registry,
        )
        self.cache_hits = Counter(
            "pronto_intent_cache_hits", "Sentences answered from the cache", registry=self.registry
        )
        self.reloads = Gauge(
            "pronto_intent_reloads", "Phrase files taken or refused", ["result"], registry=self.registry
        )
        self.encoder = Gauge("pronto_intent_encoder", "1 for the encoder in use", ["backend"], registry=self.registry)


def create_app(catalogue: Recognisers, reload_s: float, stop_training: Callable[[], None], token: str = "") -> FastAPI:
    """The service on a catalogue whose files are looked at every `reload_s` seconds; `stop_training` is called at the
    end, so that no training outlives the service. `token` is the bearer token that requests need, empty for none."""
    metrics, cache = Metrics(), DecisionCache()
    metrics.encoder.labels(catalogue.encoder.backend).set(1)
    knowledge = KnowledgeFiles(catalogue.flows, catalogue.encoder.encoder)
    worker = ThreadPoolExecutor(1, "recogniser")  # the one thread that runs the models

    async def watch() -> None:
        while True:
            try:
                await asyncio.to_thread(catalogue.refresh)
            except Exception:  # a bug in loading must not end the watching: the old version stays
                log.exception("phrase files could not be looked at")
            for result, count in catalogue.reloads.items():
                metrics.reloads.labels(result).set(count)
            await asyncio.sleep(reload_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watcher = asyncio.create_task(watch())
        yield
        watcher.cancel()
        stop_training()
        await asyncio.gather(watcher, return_exceptions=True)
        worker.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(title="Pronto intent service", lifespan=lifespan)
    app.add_middleware(Gate, token=token, max_body_bytes=MAX_BODY_BYTES)
    inside = 0

    def decide(question: IntentRequest, faqs: bool) -> IntentDecision:
        recogniser = catalogue.recognisers[question.language]
        allowed = None if question.allowed is None else frozenset(question.allowed)
        started = time.perf_counter()
        decision, kept = cache.get(
            (recogniser.version, question.sentence, faqs, allowed),
            lambda: recogniser.decide(question.sentence, faqs, question.allowed),
        )
        name = "faqs" if faqs else "main"
        metrics.seconds.labels(name).observe(time.perf_counter() - started)
        metrics.cache_hits.inc(kept)
        metrics.requests.labels(name, "no_match" if decision.fallback else "match").inc()
        metrics.intents.labels(name, decision.intent).inc()
        digest = hashlib.sha256(decision.normalised.encode()).hexdigest()[:12]
        log.info(
            "decided",
            extra={
                "set": name,
                "sentence_hash": digest,
                "sentence": question.sentence,
                "intent": decision.intent,
                "score": round(decision.score, 3),
                "reason": decision.reason,
            },
        )
        return decision

    def look_up(asked: KnowledgeRequest) -> Found | None:
        known = knowledge.of(asked.language, asked.file)
        return known.look_up(asked.question) if known is not None else None

    async def in_worker(work: Callable[[], Done]) -> Done | JSONResponse:
        """What `work` gives, in the thread that runs the models; 503 where too many wait for it."""
        nonlocal inside
        if inside >= MAX_WAITING:
            return _refusal(503, f"{inside} sentences wait already", {"Retry-After": "1"})
        inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(worker, work)
        finally:
            inside -= 1

    async def answer(question: IntentRequest, faqs: bool) -> Answer | JSONResponse:
        if question.language not in catalogue.languages:
            known = ", ".join(catalogue.languages)
            return _refusal(422, f"language: {question.language[:20]!a} is not loaded; loaded: {known}")
        if question.language not in catalogue.recognisers:
            reason = catalogue.refused.get(question.language, "still training")
            return _refusal(503, reason, {"Retry-After": "1"})
        try:
            decision = await in_worker(lambda: decide(question, faqs))
        except UnknownIntent as error:
            metrics.requests.labels("faqs" if faqs else "main", "refused").inc()
            return _refusal(422, f"allowed: {error}")
        if isinstance(decision, JSONResponse):
            return decision
        return Answer(
            intent=decision.intent,
            score=round(decision.score, 4),
            top3=[IntentScore(intent=one.intent, score=round(one.score, 4)) for one in decision.top3],
            fallback=decision.fallback,
            model_version=decision.model_version,
            reason=decision.reason,
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        """What is wrong where, without what was sent: it may be what a caller said, or no text at all."""
        faults = [
            {"type": one["type"], "loc": [str(part) for part in one["loc"]], "msg": one["msg"]}
            for one in error.errors()
        ]
        return JSONResponse({"detail": faults}, 422)

    @app.post("/embedding_main/", response_model=Answer)
    async def embedding_main(question: IntentRequest) -> Answer | JSONResponse:
        """The intent of a sentence in the main set."""
        return await answer(question, faqs=False)

    @app.post("/embedding_faqs/", response_model=Answer)
    async def embedding_faqs(question: IntentRequest) -> Answer | JSONResponse:
        """The intent of a sentence among the questions."""
        return await answer(question, faqs=True)

    @app.post("/knowledge/", response_model=KnowledgeAnswer)
    async def knowledge_of(asked: KnowledgeRequest) -> KnowledgeAnswer | JSONResponse:
        """The answer of a knowledge file that is nearest to a question."""
        found = await in_worker(lambda: look_up(asked))
        if isinstance(found, JSONResponse):
            return found
        if found is None:
            metrics.requests.labels("knowledge", "refused").inc()
            reason = knowledge.refused.get(f"{asked.language}/{asked.file}", "there is no such file")
            return _refusal(404, f"file: {asked.language}/{asked.file}.md: {reason}")
        outcome = "match" if found.is_sure else "doubted" if found.is_answer else "no_match"
        metrics.requests.labels("knowledge", outcome).inc()
        return KnowledgeAnswer(
            question=found.entry.questions[0] if found.is_answer else None,
            answer=found.entry.answer if found.is_answer else None,
            score=round(found.score, 4),
            sure=found.is_sure,
        )

    def health() -> dict[str, object]:
        """The encoder (or why there is none), versions, refused files."""
        return {
            "encoder": catalogue.encoder.backend,
            "encoder_note": catalogue.encoder.reason,
            "languages": {name: one.version for name, one in list(catalogue.recognisers.items())},
            "refused": {**catalogue.refused, **knowledge.refused},
        }

    def ready() -> tuple[bool, str]:
        """Whether every language can be asked now."""
        missing = [name for name in catalogue.languages if name not in catalogue.recognisers]
        return not missing, "; ".join(f"{name}: {catalogue.refused.get(name, 'still training')}" for name in missing)

    report = ServiceReport(health, ready, Drain(lambda: inside), registry=metrics.registry)
    app.router.routes += report.routes()
    return app


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": reason}, status, headers)
