"""What the browser audio service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CALLS = Gauge("pronto_browser_calls", "Calls from web pages that go on")
STARTED = Counter("pronto_browser_calls_started_total", "Calls from web pages that began")
ENDED = Counter("pronto_browser_calls_ended_total", "Calls from web pages by the reason of their end", ["reason"])
REFUSED = Counter("pronto_browser_refused_total", "Pages that were turned away", ["reason"])
UNSAID = Counter("pronto_browser_unsaid_total", "Items whose sound could not be made")
BARGE_IN_SECONDS = Histogram(
    "pronto_browser_barge_in_seconds",
    "A stop of the playback to the page's word that it is silent",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
)
LATE_TICKS = Counter("pronto_browser_late_ticks_total", "Times of 20 ms that the service was late for")
READY = Gauge("pronto_browser_ready", "1 when the service takes calls")
