"""The Prometheus series of the bot manager."""

from prometheus_client import Counter, Gauge, Histogram

from records.writer import Meters

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2, 1.6, 2.0, 3.0, 5.0, 10.0)

CALLS = Counter("pronto_calls_total", "Calls that are over, by outcome", ["outcome"])
CALLS_ACTIVE = Gauge("pronto_calls_active", "Calls in progress")
CALLS_RESUMED = Counter("pronto_calls_resumed_total", "Calls taken up again after a restart")
CALL_SECONDS = Histogram(
    "pronto_call_seconds", "Length of a call", buckets=(5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900)
)
CALL_CRASHES = Counter(
    "pronto_call_crashes_total", "Calls whose task failed; the caller was handed off with an apology"
)
TURNS = Counter("pronto_turns_total", "Turns by what ended them", ["committed"])
STAGE_SECONDS = Histogram(
    "pronto_turn_stage_seconds", "Stages of a turn; answer: end of speech to first audio", ["stage"], buckets=_SECONDS
)
NOTES = Counter(
    "pronto_dialogue_notes_total", "Barge-ins, false cut-offs, dead air and what else the dialogue notes", ["what"]
)
INTENTS = Counter("pronto_intents_total", "Turns by the intent that was understood", ["intent"])
INTENT_SCORE = Histogram(
    "pronto_intent_score", "Scores of intents", buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
)
INTENT_REQUESTS = Counter("pronto_intent_requests_total", "Intent requests by set and result", ["set", "result"])
INTENT_SECONDS = Histogram("pronto_intent_request_seconds", "Main and FAQ set together", buckets=_SECONDS)
FALLBACKS = Counter("pronto_intent_fallbacks_total", "Sentences that matched neither set")
ACTIONS = Counter("pronto_actions_total", "Actions of flows by what came of them", ["action", "outcome"])
ACTION_SECONDS = Histogram("pronto_action_seconds", "How long actions of flows took", buckets=_SECONDS)
WEBHOOKS = Counter("pronto_webhooks_total", "Tries of webhooks by what came of them", ["event", "result"])
WEBHOOKS_WAITING = Gauge("pronto_webhooks_waiting", "Webhooks that are not yet taken")
WEBHOOKS_OLDEST = Gauge("pronto_webhooks_oldest_seconds", "For how long the oldest webhook waits")
WEBHOOKS_DEAD = Gauge("pronto_webhooks_dead", "Webhooks that were given up: `pronto webhooks` lists them")
LOOKUPS = Counter("pronto_intent_lookups_total", "Texts by how their intent was found", ["how"])
HANDOFFS = Counter("pronto_handoffs_total", "Hand-offs of which it is known what became of them", ["result"])
STRAY_EVENTS = Counter("pronto_stray_events_total", "Events of calls that this bot manager does not know", ["type"])
UNKNOWN = Gauge("pronto_bot_unknown", "Types, values and items on the bus that only a newer release knows")
MALFORMED = Gauge("pronto_malformed_messages", "Messages on the bus that could not be read")
SNAPSHOT_FAILURES = Counter(
    "pronto_snapshot_failures_total", "Commits that Redis did not take, snapshots that it did not give"
)
CALLS_RESCUED = Counter(
    "pronto_calls_not_resumed_total", "Calls that could not be taken up after a restart: handed over with the apology"
)
FLOW_FAULTS = Gauge("pronto_flow_faults", "What is wrong with the files of flows, intents and prompts now")
FLOW_RELOADS = Counter("pronto_flow_reloads_total", "Looks at flow files that changed something", ["result"])
RECORDS_WRITTEN = Counter("pronto_call_records_written_total", "Rows written to the database")
RECORDS_RETRIED = Counter("pronto_call_records_retried_total", "Writes that failed and were tried again")
RECORDS_DROPPED = Counter("pronto_call_records_dropped_total", "Rows lost: no disk to wait on, or refused")
RECORDS_WAITING = Gauge("pronto_call_records_waiting", "Rows not yet written, in memory and on disk")
RECORD_METERS = Meters(RECORDS_WRITTEN.inc, RECORDS_RETRIED.inc, RECORDS_DROPPED.inc, RECORDS_WAITING.set)
