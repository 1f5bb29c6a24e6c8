"""What Prometheus sees of the controller."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

CHANNELS = Gauge("pronto_channels", "Live channels by type", ["type"])
CALLS_STARTED = Counter("pronto_calls_started_total", "Calls that were answered and given to the bot")
CALLS_ENDED = Counter("pronto_calls_ended_total", "Calls that ended, by reason", ["reason"])
CALLS_ADOPTED = Counter("pronto_calls_adopted_total", "Live calls found again after a restart or a lost connection")
CALLS_REFUSED = Counter(
    "pronto_calls_refused_total",
    "Calls that could not be served: how they were refused, and what was full",
    ["how", "reason"],
)
STRAIN = Gauge("pronto_strain", "How near the cell is to what it can carry (1: callers would notice)", ["what"])
TAKES_CALLS = Gauge("pronto_takes_calls", "1 while strain lets new callers in")
APOLOGIES = Counter("pronto_apologies_total", "Calls handed over because nobody drove them, by reason", ["reason"])
SPEECH = Counter(
    "pronto_speech_items_total", "Items that were made while a caller waited, by what became of them", ["result"]
)
SPEECH_FIRST = Histogram(
    "pronto_speech_item_first_seconds",
    "An item's turn to its first part in Asterisk's queue",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5),
)
UNSAID = Counter("pronto_speech_unsaid_total", "Items that could not be said; a recording said so")
PARTS_SWEPT = Counter("pronto_speech_parts_swept_total", "Part files of calls that were over")
PLAYBACKS = Counter("pronto_playbacks_total", "Playbacks that are over, by state", ["state"])
COMMANDS = Counter("pronto_commands_total", "Commands by what became of them", ["command", "result"])
DTMF = Counter("pronto_dtmf_total", "Keys pressed by callers")
MEDIA_FAILURES = Counter("pronto_media_failures_total", "Media legs that failed or died, by leg", ["leg"])
ORPHANS = Counter("pronto_orphans_swept_total", "Channels and bridges of no call that were removed", ["type"])
HELD = Counter("pronto_hold_prompts_total", "Callers asked to wait because the bot manager did not answer")
STATE_FAILURES = Counter("pronto_state_failures_total", "Writes of call state that Redis did not take", ["what"])
CONNECTED = Gauge("pronto_ari_connected", "1 while events flow from Asterisk")
RECONNECTS = Counter("pronto_ari_reconnects_total", "Connections after the first one")
REPLACED = Counter("pronto_ari_replaced_total", "Times another client took over our application")
EVENTS = Counter("pronto_ari_events_total", "Events by type, and `malformed`", ["type"])
ARI_SECONDS = Histogram(
    "pronto_ari_request_seconds",
    "Time of ARI requests",
    ["request"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3),
)
ARI_ERRORS = Counter(
    "pronto_ari_errors_total", "ARI requests that failed, by status (0: no answer)", ["request", "status"]
)
SETUP_SECONDS = Histogram(
    "pronto_media_setup_seconds",
    "From the caller's arrival to audio on its way to the receiver",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
