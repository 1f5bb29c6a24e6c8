"""How long appointment calls take, beside the targets and the critical limits that were set for them.

What services measure of themselves (histograms of /metrics) and what callers heard becomes a table. A share of a
histogram is the upper bound of the bucket that holds it. Above the target is a warning, above the critical limit a
failure.
"""

from __future__ import annotations

import math
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from devstack.stack import Stack
from observability.gate import bearer

SHARES = (0.5, 0.95)


@dataclass(frozen=True)
class Measure:
    """One row: how it is measured, and its limits in ms."""

    name: str
    how: str
    target_ms: float
    critical_ms: float
    service: str = ""
    metric: str = ""


INTENT = Measure(
    "intent", "request of the bot manager to its answer", 500, 800, "bot_manager", "pronto_intent_request_seconds"
)
API = Measure(
    "business API call", "action of the flow, retries included", 200, 500, "bot_manager", "pronto_action_seconds"
)
TTS = Measure("speech", "text to first sound", 1_000, 2_000, "speech_service", "pronto_speech_first_audio_seconds")
WITHOUT_TTS = Measure("end to end without speech", "not measured apart: less than the next row", 3_000, 5_000)
WHOLE = Measure("end to end with speech", "the caller's last sound to the bot's first, as they hear it", 4_000, 6_000)


def bucket_bound(buckets: Sequence[tuple[float, float]], share: float) -> float:
    """Upper bound of the bucket that holds a share of what was counted; `buckets`: bound, count up to it. NaN: nothing
    was counted."""
    if not buckets or not buckets[-1][1]:
        return math.nan
    return next(bound for bound, count in buckets if count >= share * buckets[-1][1])


def histogram(text: str, metric: str) -> list[tuple[float, float]]:
    """The buckets of a metric in Prometheus' text format, its labels summed: bound and count up to it, in order."""
    counts: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{metric}_bucket":
                bound = float(sample.labels["le"])
                counts[bound] = counts.get(bound, 0.0) + sample.value
    return sorted(counts.items())


def table(stack: Stack, token: str, heard_ms: Sequence[float]) -> str:
    """The rows, in Markdown. `heard_ms`: from the end of what a caller said to the first sound of the answer."""
    lines = ["| measure | how | target, ms | critical, ms | n | p50 | p95 | |", "|---|---|---|---|---|---|---|---|"]
    for measure in (INTENT, API, TTS, WITHOUT_TTS, WHOLE):
        if measure.metric:
            request = urllib.request.Request(f"{stack.url(measure.service)}/metrics", headers=bearer(token))
            with urllib.request.urlopen(request, timeout=10) as page:
                buckets = histogram(page.read().decode(), measure.metric)
            count = int(buckets[-1][1]) if buckets else 0
            p50, p95 = (bucket_bound(buckets, share) * 1_000 for share in SHARES)
            sign = "≤ "
        else:
            count = len(heard_ms) if measure is WHOLE else 0
            p50, p95 = np.quantile(heard_ms, SHARES) if count else (math.nan, math.nan)
            sign = ""
        lines.append(
            f"| {measure.name} | {measure.how} | {measure.target_ms:.0f} | {measure.critical_ms:.0f} | {count} "
            + (f"| {sign}{p50:.0f} | {sign}{p95:.0f} " if count else "| - | - ")
            + f"| {verdict(measure, p95)} |"
        )
    return "\n".join(lines)


def verdict(measure: Measure, p95_ms: float) -> str:
    """What the 95th percentile is worth."""
    if math.isnan(p95_ms):
        return "not measured"
    return "within" if p95_ms <= measure.target_ms else "**warning**" if p95_ms <= measure.critical_ms else "**failed**"
