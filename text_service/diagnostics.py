"""What `GET /api/text/diagnostics` tells: how fast answers were of late, what was refused, what the process uses."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from prometheus_client import REGISTRY

from text_service import metrics

WINDOW_S: Final = 900.0
MOST: Final = 10_000
_PROCESS: Final = {
    "memory_bytes": "process_resident_memory_bytes",
    "cpu_s": "process_cpu_seconds_total",
    "open_files": "process_open_fds",
}


class Timings:
    """Answers of the last quarter of an hour, 10,000 at most: (when, to the first words, to the whole answer)."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, float, float]] = deque(maxlen=MOST)

    def answered(self, at_s: float, first_s: float, whole_s: float) -> None:
        """A query has its answer."""
        self._answers.append((at_s, first_s, whole_s))

    def summary(self, at_s: float) -> dict[str, Any]:
        """Queries of the last minute, and percentiles in ms."""
        while self._answers and at_s - self._answers[0][0] > WINDOW_S:
            self._answers.popleft()
        return {
            "answers_last_minute": sum(at_s - at < 60 for at, _, _ in self._answers),
            "first_words_ms": _percentiles([first for _, first, _ in self._answers]),
            "whole_answer_ms": _percentiles([whole for _, _, whole in self._answers]),
        }


def _percentiles(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p95": None}
    ordered = sorted(seconds)
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1_000, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95))
    }


def counted() -> dict[str, Any]:
    """What the process has counted since its start, and what it uses."""
    errors: dict[str, int] = {}
    for family in metrics.REQUESTS.collect():
        for sample in family.samples:
            code = sample.labels.get("outcome", "ok")
            if sample.name.endswith("_total") and code != "ok":
                errors[code] = errors.get(code, 0) + round(sample.value)
    hits, misses = (
        round(REGISTRY.get_sample_value("pronto_text_cache_total", {"outcome": outcome}) or 0)
        for outcome in ("hit", "miss")
    )
    return {
        "errors": errors,
        "cache": {"hits": hits, "misses": misses, "hit_rate": round(hits / (hits + misses), 3) if hits else 0.0},
        "process": {name: REGISTRY.get_sample_value(sample) for name, sample in _PROCESS.items()},
    }
