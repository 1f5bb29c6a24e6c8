"""What the Whisper service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from whisper_service.batcher import BatchHalved, BatchRun, JobDropped

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)

REQUESTS = Counter("pronto_whisper_requests_total", "Requests by what became of them", ["endpoint", "outcome"])
REFUSALS = Counter("pronto_whisper_refusals_total", "Utterances answered without text, by reason", ["reason"])
PROCESSING = Histogram("pronto_whisper_seconds", "Arrival of a request to its answer", buckets=_SECONDS)
AUDIO = Counter("pronto_whisper_audio_seconds_total", "Seconds of audio transcribed")
WAIT = Histogram("pronto_whisper_wait_seconds", "Time in the queue before the engine", buckets=_SECONDS)
ENGINE = Histogram("pronto_whisper_engine_seconds", "Time of one batch in the engine", buckets=_SECONDS)
BATCH = Histogram("pronto_whisper_batch_size", "Utterances per batch", buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64))
SECOND_RUNS = Counter("pronto_whisper_second_runs_total", "Utterances that were run twice")
DROPPED = Counter("pronto_whisper_dropped_total", "Requests dropped before the engine", ["reason"])
QUEUE = Gauge("pronto_whisper_queue_depth", "Utterances that wait for the engine")
INSIDE = Gauge("pronto_whisper_inside", "Requests that are not answered yet")
MAX_BATCH = Gauge("pronto_whisper_max_batch", "Largest batch; falls when the device runs out of memory")
READY = Gauge("pronto_whisper_ready", "1 when the service takes work")


def observe(event: BatchRun | JobDropped | BatchHalved) -> None:
    """Counts what the batcher tells."""
    match event:
        case BatchRun(size, waited_s, engine_s):
            BATCH.observe(size)
            ENGINE.observe(engine_s)
            for seconds in waited_s:
                WAIT.observe(seconds)
        case JobDropped(reason):
            DROPPED.labels(reason).inc()
        case BatchHalved(max_batch):
            MAX_BATCH.set(max_batch)
