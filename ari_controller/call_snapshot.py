"""What a restarted controller must know of a call, as JSON text and back. Pure: text in, call out, or BadSnapshot.

Kept as `pronto:<cell>:legs:<call_id>`. No numbers, no digits, no names: nothing personal is stored.
"""

from __future__ import annotations

import json
import math
from typing import Any, get_args

from ari_controller.call_legs import CallLegs
from ari_controller.call_states import CALL_TRANSITIONS, EndReason, Farewell, Rules
from ari_controller.media_legs import LEG_TRANSITIONS
from ari_controller.playbacks import Playback

VERSION = 1
EXPIRY_S = 3_600
FLAGS = ("admitted", "announced", "commanded", "continuing")


class BadSnapshot(ValueError):
    """Text that is no snapshot of this version."""


def legs_key(cell: str, call_id: str) -> str:
    """`pronto:<cell>:legs:<call_id>`."""
    return f"pronto:{cell}:legs:{call_id}"


def snapshot_of(call: CallLegs) -> str:
    """The call as JSON text; the same text for the same state."""
    stream, recorder, playbacks = call.stream, call.recorder, call.playbacks
    return json.dumps(
        {
            "version": VERSION,
            "state": call.state,
            "since": call.since,
            "arrived_at": call.arrived_at,
            "flow": call.flow,
            **{flag: getattr(call, flag) for flag in FLAGS},
            "farewell": [call.farewell.prompt, call.farewell.then] if call.farewell else None,
            "extension": call.extension,
            "reason": call.reason,
            "left_at": call.left_at,
            "handled_until": call.handled_until,
            "stream": {"state": stream.state, "since": stream.since, "source": stream.source},
            "recorder": {"state": recorder.state, "since": recorder.since, "recorded": recorder.recorded},
            "speaking": playbacks.speaking,
            "seen": list(playbacks.seen),
            "queue": [[p.playback_id, p.offset_ms, p.own, p.began_ms, p.stopping] for p in playbacks.queue],
        }
    )


def restore(call_id: str, text: str, rules: Rules) -> CallLegs:
    """The call of a snapshot. Raises BadSnapshot: the call is then taken as one that nobody knows."""
    try:
        return _restore(call_id, json.loads(text), rules)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise BadSnapshot(f"{type(error).__name__}: {error}") from error


def _restore(call_id: str, body: dict[str, Any], rules: Rules) -> CallLegs:
    if body["version"] != VERSION:
        raise BadSnapshot(f"version {body['version']!r}, not {VERSION}")
    stream, recorder = body["stream"], body["recorder"]
    if body["state"] not in CALL_TRANSITIONS or not {stream["state"], recorder["state"]} <= LEG_TRANSITIONS.keys():
        raise BadSnapshot("unknown state")
    if body["reason"] not in get_args(EndReason):
        raise BadSnapshot("unknown reason")
    call = CallLegs(call_id, rules, _time(body["arrived_at"]), str(body["flow"]))
    call.state, call.since, call.left_at = body["state"], _time(body["since"]), _time(body["left_at"])
    for flag in FLAGS:
        setattr(call, flag, body[flag] is True)
    # the step that announced it, or told its end, may be done and not stored: a message that comes twice does no harm
    call.announced = call.announced or (call.admitted and call.state == "answering")
    call.farewell = Farewell(*body["farewell"]) if body["farewell"] else None
    call.extension, call.reason = str(body["extension"]), body["reason"]
    last_at, count = body["handled_until"]
    call.handled_until = call.replayed_until = (_time(last_at), int(count))
    call.stream.state, call.stream.since = stream["state"], _time(stream["since"])
    if stream["source"] is not None:
        host, port = stream["source"]
        call.stream.source = (str(host), int(port))
    call.recorder.state, call.recorder.since = recorder["state"], _time(recorder["since"])
    call.recorder.recorded, call.recorder.closed = recorder["recorded"] is True, recorder["state"] != "running"
    call.playbacks.speaking = body["speaking"] is True
    call.playbacks.seen.extend(str(item) for item in body["seen"])
    for playback_id, offset_ms, own, began_ms, stopping in body["queue"]:
        playback = Playback(str(playback_id), int(offset_ms), own is True)
        playback.began_ms, playback.stopping = None if began_ms is None else int(began_ms), stopping is True
        call.playbacks.queue.append(playback)
    return call


def _time(value: Any) -> float:
    """Seconds; nothing that never comes, or a call would wait for it for ever."""
    seconds = float(value)
    if not math.isfinite(seconds):
        raise BadSnapshot("a time is no number")
    return seconds
