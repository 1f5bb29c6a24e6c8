"""What the booking service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

REQUESTS = Counter("pronto_booking_requests_total", "Requests by what became of them", ["endpoint", "outcome"])
DURATION = Histogram("pronto_booking_seconds", "Arrival of a request to its answer", ["endpoint"], buckets=_SECONDS)
MESSAGES = Counter("pronto_booking_messages_total", "Messages to clients by what became of a try", ["outcome"])
ANONYMISED = Counter("pronto_booking_anonymised_total", "Rows whose personal parts were taken out")
COMPONENT = Gauge("pronto_booking_component", "1 while it works", ["component"])
