"""What the speech service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0)

REQUESTS = Counter("pronto_speech_requests_total", "Requests by what became of them", ["endpoint", "outcome"])
FIRST_AUDIO = Histogram(
    "pronto_speech_first_audio_seconds", "Arrival of a text to its first sound", ["cached"], buckets=_SECONDS
)
FIRST = Histogram(
    "pronto_speech_engine_first_seconds", "A text to an engine's first sound", ["engine"], buckets=_SECONDS
)
AUDIO = Counter("pronto_speech_audio_seconds_total", "Seconds of sound that were given out")
FAILURES = Counter("pronto_speech_voice_failures_total", "Texts that a voice did not say", ["voice"])
CACHE = Counter("pronto_speech_cache_total", "Sentences asked of the cache", ["result"])
CACHE_BYTES = Gauge("pronto_speech_cache_bytes", "Sound that is kept")
INSIDE = Gauge("pronto_speech_inside", "Requests that are not answered yet")
WAITING = Gauge("pronto_speech_waiting", "Texts that wait for a turn at an engine")
RESTING = Gauge("pronto_speech_voices_resting", "Voices that are left alone because they failed")
READY = Gauge("pronto_speech_ready", "1 when the service takes work")
