"""What the text service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)

REQUESTS = Counter("pronto_text_requests_total", "Requests by what became of them", ["endpoint", "outcome"])
CONVERSATIONS = Counter("pronto_text_conversations_total", "Conversations in writing that began")
GOING_ON = Gauge("pronto_text_going_on", "Conversations in writing that go on")
ANSWER_SECONDS = Histogram("pronto_text_answer_seconds", "A query to its whole answer", buckets=_SECONDS)
FEEDBACK = Counter("pronto_text_feedback_total", "Ratings of answers", ["rating"])
CACHE = Counter("pronto_text_cache_total", "First looks into the answer cache", ["outcome"])
FIRST_WORDS_SECONDS = Histogram("pronto_text_first_words_seconds", "A query to the first words", buckets=_SECONDS)
HANDOVERS = Counter("pronto_text_handover_posts_total", "What a person's system was told, by outcome", ["outcome"])
SOCKETS = Gauge("pronto_text_sockets", "Browsers that are connected by WebSocket")
READY = Gauge("pronto_text_ready", "1 when the service takes work")
