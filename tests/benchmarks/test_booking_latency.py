"""Histograms of services as shares, and what these are worth beside the limits."""

import math

import pytest

from benchmarks.booking_latency import INTENT, bucket_bound, histogram, verdict

TEXT = """\
# TYPE pronto_speech_first_audio_seconds histogram
pronto_speech_first_audio_seconds_bucket{cached="true",le="0.05"} 9.0
pronto_speech_first_audio_seconds_bucket{cached="true",le="0.5"} 10.0
pronto_speech_first_audio_seconds_bucket{cached="true",le="+Inf"} 10.0
pronto_speech_first_audio_seconds_bucket{cached="false",le="0.05"} 0.0
pronto_speech_first_audio_seconds_bucket{cached="false",le="0.5"} 9.0
pronto_speech_first_audio_seconds_bucket{cached="false",le="+Inf"} 10.0
pronto_speech_first_audio_seconds_count{cached="true"} 10.0
"""


def test_the_buckets_of_all_labels_are_one_histogram() -> None:
    buckets = histogram(TEXT, "pronto_speech_first_audio_seconds")
    assert buckets == [(0.05, 9.0), (0.5, 19.0), (math.inf, 20.0)]
    assert [bucket_bound(buckets, share) for share in (0.45, 0.5, 0.95, 1.0)] == [0.05, 0.5, 0.5, math.inf]


def test_what_never_happened_has_no_share() -> None:
    assert math.isnan(bucket_bound(histogram(TEXT, "another"), 0.5))


@pytest.mark.parametrize(
    ("p95_ms", "said"),
    [(500, "within"), (501, "**warning**"), (800, "**warning**"), (801, "**failed**"), (math.nan, "not measured")],
)
def test_above_the_target_is_a_warning_and_above_the_critical_limit_a_failure(p95_ms: float, said: str) -> None:
    assert verdict(INTENT, p95_ms) == said
