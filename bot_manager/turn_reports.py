"""Makes of a turn what others are told of it: who said what, what was done, where the conversation stands. Pure.

A flow names the address (`turns`) and what goes there besides, in the names of whoever is told. A report is told once:
its id is made of the call and the number of the turn.
"""

from __future__ import annotations

import json
from typing import Final

from bot_manager.call_log import ToldTurn
from dialogue.acting import Unsendable, request_of
from dialogue.conversation import Conversation
from dialogue.flow import Action, Flow
from dialogue.meaning import local_time
from dialogue.memory import memory_of
from records.call import CallRecord, Webhook
from records.outbox import webhook_id

TURN: Final = "turn"
MOST_TEXT = 4_000  # characters of what either side said


def turn_report(
    call: CallRecord, told: ToldTurn, conversation: Conversation, flow: Flow, address: Action, now: float
) -> Webhook:
    """The webhook of a turn that was answered; `now` is seconds since the epoch."""
    turn, c = told.turn, conversation
    key = webhook_id(TURN, call.id, str(turn.number))
    try:
        asked = request_of(flow, c, local_time(flow, told.at), address, 0)
        values = json.loads(asked["body"]) if asked["body"] is not None else {}
    except Unsendable:  # what a flow says of every turn is known in every turn: the loader has looked
        asked, values = {"headers": {}}, {}
    is_open = c.state in flow.states and flow.states[c.state].listens and not c.ending
    said = {
        "id": key,
        "type": TURN,
        "call": {
            "id": call.id,
            "cell": call.cell,
            "direction": call.direction,
            "caller_number": call.caller_number,
            "called_number": call.called_number,
            "flow": call.flow,
            "flow_version": call.flow_version,
            "channel": str(call.variables.get("channel", "")),
            "client_address": str(call.variables.get("client_address", "")),
        },
        "turn": {
            "number": turn.number,
            "at": told.at,
            "state": turn.state,
            "next_state": c.state,
            "text": turn.text[:MOST_TEXT],
            "intent": turn.intent,
            "score": round(turn.score, 3),
            "committed": turn.committed,
            "slots": told.slots,
            "said": told.said[:MOST_TEXT],
            "actions": told.actions,
            "latency_ms": told.latency_ms,
        },
        "session": {
            "id": c.session or c.call_id,
            "state": c.state,
            "not_understood": c.steps.get("no_match", 0),
            "ending": c.ending,
            "outcome": c.outcome,
            "values": values,
            "memory": memory_of(c, flow) if is_open else None,
        },
    }
    body = json.dumps(said, ensure_ascii=False)
    return Webhook(key, call.cell, TURN, call.id, body, now, now, url=address.url, headers=dict(asked["headers"]))
