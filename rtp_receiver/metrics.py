"""What the receiver shows to Prometheus.

What the media thread (`media_counts`) and the readers of the bus count is read when somebody asks. Everything else is
counted here directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from protocol.bus import Inbox
from protocol.keys import Stream
from rtp_receiver.media_counts import LAG_BUCKETS_S, MediaCounts

_LATENCY_S = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)

UTTERANCES = Counter("pronto_utterances", "utterances by what ended them and where their text came from", ["end", "by"])
SPEECH_STARTED = Counter("pronto_speech_started", "utterances that began")
IGNORED = Counter("pronto_speech_ignored", "speech that became no utterance", ["cause"])
ASIDES = Counter(
    "pronto_asides", "speech that was not sure enough to stop a prompt, by what its transcript came to", ["outcome"]
)
FAINT = Counter("pronto_faint_words", "what may have been a word, by what its transcript came to", ["outcome"])
GUESSES = Counter("pronto_guesses", "guesses by what became of them", ["outcome"])
POSTS = Counter("pronto_whisper_posts", "segments posted to the recogniser, by outcome", ["outcome"])
POST_SECONDS = Histogram("pronto_whisper_post_seconds", "from post to transcript", buckets=_LATENCY_S)
OWN_DELAY = Histogram(
    "pronto_receiver_post_delay_seconds",
    "from the arrival of the last sample that decided to the post",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5),
)
TURN_VERDICTS = Counter("pronto_turn_verdicts", "guesses that the turn model was asked about", ["verdict"])
TURN_MODEL_SECONDS = Histogram("pronto_turn_model_seconds", "the turn model's time for one guess", buckets=_LATENCY_S)
AUDIO_LOST = Counter("pronto_audio_lost", "calls whose packets stopped while they were up")
CUT_OFF = Counter("pronto_utterances_cut_off", "utterances whose receiver was killed in them: asked for again")
TAKEN_OVER = Counter("pronto_calls_taken_over", "calls whose audio another receiver process heard before")
LOOKUPS = Counter("pronto_source_lookups", "look-ups of unknown sources", ["outcome"])


class MediaCollector(Collector):
    """The figures of the media thread and of the bus at the time of asking."""

    def __init__(
        self,
        counts: MediaCounts,
        calls: Callable[[], int],
        held: Callable[[], int],
        drops: Callable[[], int | None],
        inboxes: Mapping[Stream, Inbox],
    ) -> None:
        self._counts = counts
        self._held = held
        self._calls = calls
        self._drops = drops
        self._inboxes = inboxes

    def collect(self) -> Iterator[Metric]:
        """All series of theirs."""
        counts, streams = self._counts, self._counts.streams
        yield GaugeMetricFamily("pronto_active_streams", "calls whose audio is received", self._calls())
        yield CounterMetricFamily("pronto_rtp_packets", "datagrams received", counts.packets)
        dropped = CounterMetricFamily("pronto_rtp_dropped", "datagrams thrown away, by reason", labels=["reason"])
        for reason, count in list(counts.dropped.items()):
            dropped.add_metric([reason], count)
        for reason in ("duplicate", "late", "stray", "overrun"):
            dropped.add_metric([reason], getattr(streams, reason))
        kernel = self._drops()
        if kernel is not None:
            dropped.add_metric(["kernel_buffer_full"], kernel)
        yield dropped
        used = streams.released - streams.overrun
        yield CounterMetricFamily("pronto_rtp_used", "datagrams whose audio was used", used)
        yield GaugeMetricFamily("pronto_rtp_held", "datagrams that wait for others, or for their call", self._held())
        yield CounterMetricFamily("pronto_rtp_lost", "packets that never came", streams.lost)
        yield CounterMetricFamily("pronto_rtp_reordered", "packets that came after a later one", streams.reordered)
        yield CounterMetricFamily("pronto_rtp_silence_samples", "samples put into gaps", streams.silence_samples)
        jumps = CounterMetricFamily("pronto_rtp_jumps", "breaks in a stream, by kind", labels=["kind"])
        for kind in ("ssrc_changes", "sequence_jumps", "timestamp_jumps"):
            jumps.add_metric([kind.removesuffix("s")], getattr(streams, kind))
        yield jumps
        yield CounterMetricFamily("pronto_rtp_stalls", "utterances ended because packets stopped", counts.stalls)
        yield CounterMetricFamily("pronto_rtp_failed_calls", "calls given up because of an error", counts.failed_calls)
        yield CounterMetricFamily("pronto_vad_batches", "calls of the VAD model", counts.batches)
        yield CounterMetricFamily("pronto_vad_late_chunks", "chunks judged more than 40 ms late", counts.late_chunks)
        for name, meaning in (
            ("unknown", "types, values and items on the bus that only a newer release knows"),
            ("malformed", "messages on the bus that could not be read"),
        ):
            messages = CounterMetricFamily(f"pronto_receiver_{name}_messages", meaning, labels=["stream"])
            for stream, inbox in list(self._inboxes.items()):
                messages.add_metric([stream], getattr(inbox, name))
            yield messages
        total, buckets = 0, []
        for bound, count in zip((*map(str, LAG_BUCKETS_S), "+Inf"), counts.lag_buckets.tolist(), strict=True):
            total += count
            buckets.append((bound, float(total)))
        yield HistogramMetricFamily(
            "pronto_vad_lag_seconds", "from a chunk's last sample to its probability", buckets, counts.lag_sum_s
        )
