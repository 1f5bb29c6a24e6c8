"""What a restarted controller must know of a call, as JSON text and back. Pure: text in, call out, or BadLegs.

Kept as `pronto:<cell>:legs:<call_id>`. Nothing personal is stored, but for texts: what is still to be
said of speech stays here until it was handed over.
"""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import msgspec

from ari_controller.call_legs import CallLegs
from ari_controller.call_states import CALL_TRANSITIONS, Farewell, Rules
from ari_controller.media_legs import LEG_TRANSITIONS
from ari_controller.playback import Part, Playback
from protocol.messages import EndReason

VERSION = 2
FLAGS = ("admitted", "announced", "commanded", "continuing", "was_driven", "on_hold")


class BadLegs(ValueError):
    """Text that is no snapshot of this version."""


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
            "channel_id": call.channel_id,
            "handled": call.handled,
            "stream": {"state": stream.state, "since": stream.since, "source": stream.source},
            "recorder": {"state": recorder.state, "since": recorder.since, "recorded": recorder.recorded},
            "speaking": playbacks.speaking,
            "seen": list(playbacks.seen),
            "language": call.language,
            "queue": msgspec.to_builtins(playbacks.queue),
        }
    )


def restore(call_id: str, text: str, rules: Rules, at: float) -> CallLegs:
    """The call of a snapshot, read at `at`. Raises BadLegs: the call is then taken as one that nobody knows.

    What waited for something waits anew: the clock of the process before may have been another.
    """
    try:
        return _restore(call_id, json.loads(text), rules, at)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise BadLegs(f"{type(error).__name__}: {error}") from error


def _restore(call_id: str, body: dict[str, Any], rules: Rules, at: float) -> CallLegs:
    if body["version"] not in (1, VERSION):
        raise BadLegs(f"version {body['version']!r}, not 1 or {VERSION}")
    stream, recorder = body["stream"], body["recorder"]
    if body["state"] not in CALL_TRANSITIONS or not {stream["state"], recorder["state"]} <= LEG_TRANSITIONS.keys():
        raise BadLegs("unknown state")
    if body["reason"] not in get_args(EndReason):
        raise BadLegs("unknown reason")
    channel_id = str(body.get("channel_id", call_id))
    call = CallLegs(call_id, rules, min(at, _time(body["arrived_at"])), str(body["flow"]), channel_id=channel_id)
    call.state, call.since, call.left_at = body["state"], at, min(at, _time(body["left_at"]))
    for since in (body["since"], stream["since"], recorder["since"]):
        _time(since)
    for flag in FLAGS:
        setattr(call, flag, body.get(flag) is True)
    # the step that announced it, or told its end, may be done and not stored: a message that comes twice does no harm
    call.announced = call.announced or (call.admitted and call.state == "answering")
    call.farewell = Farewell(*body["farewell"]) if body["farewell"] else None
    call.extension, call.reason = str(body["extension"]), body["reason"]
    call.handled = str(body["handled"]) if "handled" in body else _entry_of_1(*body["handled_until"])
    call.stream.state, call.stream.since = stream["state"], at
    if stream["source"] is not None:
        host, port = stream["source"]
        call.stream.source = (str(host), int(port))
    call.recorder.state, call.recorder.since = recorder["state"], at
    call.recorder.recorded, call.recorder.closed = recorder["recorded"] is True, recorder["state"] != "running"
    call.playbacks.speaking = body["speaking"] is True
    call.playbacks.seen.extend(str(item) for item in body["seen"])
    call.language = str(body.get("language", ""))
    if body["version"] == 1:
        call.playbacks.queue += [_playback_of_1(*entry) for entry in body["queue"]]
    else:
        call.playbacks.queue += msgspec.convert(body["queue"], list[Playback])
    return call


def _time(value: Any) -> float:
    """Seconds; nothing that never comes, or a call would wait for it for ever."""
    seconds = float(value)
    if not math.isfinite(seconds):
        raise BadLegs("a time is no number")
    return seconds


def _playback_of_1(playback_id: str, offset_ms: int, own: bool, began_ms: int | None, stopping: bool) -> Playback:
    """A playback as version 1 kept it: one ARI playback, items unknown."""
    began = [] if began_ms is None else [int(began_ms)]
    part = Part(str(playback_id), [0], int(offset_ms), began, stopping is True)
    return Playback(str(playback_id), own is True, began=bool(began), parts=[part], heard=[None], parts_made=1)


def _entry_of_1(last_at: float, count: int) -> str:
    """The last command of a call as version 1 kept it, by the time that its sender wrote on it: about its entry."""
    return f"{round(_time(last_at) * 1_000)}-{int(count)}"
