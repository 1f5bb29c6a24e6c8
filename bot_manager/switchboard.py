"""Connects the stream of events with the calls: makes a call on its first event, resumes calls after a restart.

Bounded: one task per live call, a limited memory of ended ones. Events of unknown calls are counted and passed over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec.structs import replace as replace_message

from bot_manager import metrics
from bot_manager.call import Call, Surroundings
from bot_manager.call_log import CallLog, new_call
from bot_manager.snapshots import StoredCalls
from bot_manager.webhooks import call_ended
from dialogue.events import BackboneAway
from dialogue.flow import Flow
from dialogue.flow_store import FlowStore
from dialogue.snapshot import BadSnapshot, from_json
from observability.lifecycle import cancel_all
from protocol.bus import Entry, is_after
from protocol.codec import BadMessage, decode
from protocol.messages import (
    VERSION,
    CallConcluded,
    CallForgotten,
    CallStarted,
    Command,
    HandoffEnded,
    MediaStarted,
    TurnTaken,
    UtteranceTranscribed,
)
from records.call import Forgotten

log = logging.getLogger("pronto.calls")

MOST_ENDED = 20_000
MOST_HANDED_OVER = 2_000
FOR_EVER = f"{2**62}-0"  # an entry that everything is older than
NOT_OURS = MediaStarted | TurnTaken | CallConcluded  # for others on the same stream


class Switchboard:
    """All calls of one cell."""

    def __init__(self, around: Surroundings, flows: FlowStore, cell: str, default_flow: str) -> None:
        self._around = around
        self._flows = flows
        self._cell = cell
        self._default_flow = default_flow
        self._calls: dict[str, Call] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: OrderedDict[str, str] = OrderedDict()
        self._handed_over: OrderedDict[str, CallLog] = OrderedDict()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._calls)

    def driven(self) -> tuple[str, ...]:
        """The calls that are driven here now."""
        return tuple(self._calls)

    async def resume(self, stored: StoredCalls) -> None:
        """Takes up the calls that Redis knows. A call that cannot go on is handed over, not left alone."""
        for call_id, body in stored.over.items():
            self._recall(call_id, body)
        for call_id, body in stored.going_on.items():
            try:
                call, pending = self._restored(call_id, body)
            except (BadSnapshot, BadMessage, KeyError, TypeError, ValueError) as error:
                self._rescue(call_id, body, repr(error))
                continue
            self._start(call)
            self._put_reports(call.log)
            call.resume(pending)
            metrics.CALLS_RESUMED.inc()
            log.info("call resumed", extra={"call_id": call_id, "version": call.flow_version})
        for call_id in stored.unreadable:
            self._rescue(call_id, {}, "no JSON")

    def _rescue(self, call_id: str, body: Mapping[str, Any], reason: str) -> None:
        """A call of which too little is known: its caller hears the default flow's apology and is handed over."""
        log.error("call not resumed", extra={"call_id": call_id, "error": reason})
        metrics.CALLS_RESCUED.inc()
        flow, now = self._flows.current(self._default_flow), self._around.now()
        try:
            call_log = CallLog.from_dict(body["chronicle"])
        except (KeyError, TypeError, ValueError, AttributeError):
            unknown = CallStarted(call_id, now, "", "")
            call_log = CallLog(new_call(unknown, self._cell, self._default_flow, flow))
        call = Call(call_id, self._around, flow, call_log)
        call.version = _version(body)
        self._put_reports(call_log)
        self._start(call)
        call.rescue(reason)

    async def deal_with(self, entry: Entry) -> None:
        """Hands an event to its call; returns when the call has dealt with it."""
        message = entry.message
        if not isinstance(message, NOT_OURS | Command):
            await self._hand_over(entry)
        self._around.commits.dealt_with(entry.id)

    async def _hand_over(self, entry: Entry) -> None:
        message = entry.message
        if isinstance(message, HandoffEnded):
            self._handoff_ended(message, entry.id)
            return
        if isinstance(message, CallForgotten):
            self._forget(message, entry.id)
            return
        call = self._calls.get(message.call_id)
        ended = self._ended.get(message.call_id)
        # a controller of protocol 1 names calls by their channels: one that the dialplan sends back comes with the id
        # of the call before
        if call is None and isinstance(message, CallStarted) and (ended is None or is_after(entry.id, ended)):
            call = self._begin(message, returned=ended is not None)
        if call is None and ended is not None:
            return  # seen again after a crash, or late
        if call is None:
            metrics.STRAY_EVENTS.labels(type(message).__name__).inc()
            return
        await call.take(entry)

    def _forget(self, message: CallForgotten, entry_id: str) -> None:
        """Takes a call that is over out of the records, and what the next bot manager would write once more."""
        self._around.records.put(Forgotten(message.call_id))
        self._around.commits.keep_over(message.call_id, message.at, entry_id, {})
        self._handed_over.pop(message.call_id, None)

    def backbone_away(self) -> None:
        """Redis takes no messages: tells every call."""
        for call in self._calls.values():
            call.post(BackboneAway(self._around.now()))

    async def drained(self, timeout_s: float) -> bool:
        """Waits until no call is left; False when that took longer."""
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Ends every task. The calls stay up and are resumed by the next bot manager."""
        await cancel_all(*self._tasks.values())

    def _recall(self, call_id: str, body: Mapping[str, Any]) -> None:
        """A call that is over: its record is written once more, as the one before us may have been killed in it."""
        try:
            self._remember(call_id, str(body.get("entry") or f"{round(float(body['at']) * 1_000)}-0"))
            if not body["chronicle"]:
                return  # forgotten
            log_of_it = CallLog.from_dict(body["chronicle"])
            self._around.records.put(log_of_it.call)
            self._put_reports(log_of_it)
            if self._around.tells_ends and log_of_it.call.ended_at is not None:
                self._around.records.put(call_ended(log_of_it.call))
            self._keep_handed_over(log_of_it)
        except (KeyError, TypeError, ValueError) as error:
            log.error("ended call not recalled", extra={"call_id": call_id, "error": repr(error)})
            self._remember(call_id, FOR_EVER)

    def _put_reports(self, call_log: CallLog) -> None:
        """Writes once more what was told of the last turns: the one before us may have been killed before that."""
        for report in call_log.reports:
            self._around.records.put(report)

    # --- calls that were handed over ---

    def _keep_handed_over(self, call_log: CallLog) -> None:
        """Keeps the record of a call that may come back, or of which it is open whether somebody took it."""
        if call_log.call.end_reason == "transferred":
            self._handed_over[call_log.call.id] = call_log
            while len(self._handed_over) > MOST_HANDED_OVER:
                self._handed_over.popitem(last=False)

    def _before(self, call_id: str) -> CallLog | None:
        """The record of a call that was handed over."""
        return self._calls[call_id].log if call_id in self._calls else self._handed_over.get(call_id)

    def _handoff_ended(self, message: HandoffEnded, entry_id: str) -> None:
        call_log = self._before(message.call_id)
        if call_log is None:
            metrics.STRAY_EVENTS.labels(type(message).__name__).inc()
            return
        call_log.handed_over(message.result)
        metrics.HANDOFFS.labels(message.result).inc()
        if (ended_at := call_log.call.ended_at) is not None:
            self._around.records.put(call_log.call)
            self._around.commits.keep_over(message.call_id, ended_at, entry_id, call_log.to_dict())

    # --- making calls ---

    def _begin(self, started: CallStarted, returned: bool) -> Call:
        before = self._before(started.variables.get("call_before", ""))
        if before is not None:
            started = replace_message(started, called_number=before.call.called_number)
        name, flow = self._flow(started)
        record = new_call(started, self._cell, name, flow)
        if returned:  # a record of its own beside that of the call before
            record = replace(record, id=f"{started.call_id}~{int(started.at)}")
            self._ended.pop(started.call_id)
        call = Call(started.call_id, self._around, flow, CallLog(record))
        call.version = min(started.v, VERSION)
        call.slots = before.call.lead if before is not None else {}
        self._around.records.put(record)
        self._start(call)
        log.info(
            "call started",
            extra={
                "call_id": started.call_id,
                "flow": name,
                "version": flow.version,
                "caller_number": started.caller_number,
            },
        )
        return call

    def _flow(self, started: CallStarted) -> tuple[str, Flow]:
        """The flow of a new call, with the name that it has in the store."""
        name = started.flow or self._default_flow
        try:
            return name, self._flows.current(name)
        except KeyError:
            log.error("no such flow, default taken", extra={"call_id": started.call_id, "flow": name})
            return self._default_flow, self._flows.current(self._default_flow)

    def _restored(self, call_id: str, body: Mapping[str, Any]) -> tuple[Call, UtteranceTranscribed | None]:
        name = str(body["flow"])
        flow = self._flows.version(name, str(body["flow_version"])) or self._flows.current(name)
        if flow.version != body["flow_version"]:
            log.warning("flow changed while away", extra={"call_id": call_id, "flow": name, "version": flow.version})
        pending = decode(body["pending"]) if body.get("pending") else None
        call = Call(call_id, self._around, flow, CallLog.from_dict(body["chronicle"]), from_json(body["dialogue"]))
        call.entry, call.version = str(body.get("entry", "")), _version(body)
        return call, pending if isinstance(pending, UtteranceTranscribed) else None

    def _start(self, call: Call) -> None:
        self._calls[call.call_id] = call
        self._empty.clear()
        task = asyncio.create_task(call.run(), name=f"call-{call.call_id}")
        self._tasks[call.call_id] = task
        task.add_done_callback(lambda done: self._gone(call, done))
        metrics.CALLS_ACTIVE.set(len(self._calls))

    def _gone(self, call: Call, task: asyncio.Task[None]) -> None:
        call_id = call.call_id
        if not task.cancelled() and task.exception() is not None:
            log.error("call's task died", extra={"call_id": call_id}, exc_info=task.exception())
            metrics.CALL_CRASHES.inc()
        self._calls.pop(call_id, None)
        self._tasks.pop(call_id, None)
        self._remember(call_id, call.entry)
        self._keep_handed_over(call.log)
        metrics.CALLS_ACTIVE.set(len(self._calls))
        if not self._calls:
            self._empty.set()

    def _remember(self, call_id: str, entry: str) -> None:
        self._ended[call_id] = entry
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)


def _version(body: Mapping[str, Any]) -> int:
    """The version that the controller of a stored call speaks; before snapshots told it there was only the first."""
    version = body.get("version", 1)
    return version if type(version) is int and 1 <= version <= VERSION else VERSION
