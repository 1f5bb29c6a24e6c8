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

from bot_manager import metrics
from bot_manager.call import Call, Surroundings
from bot_manager.call_log import Chronicle, new_call
from dialogue.events import BackboneAway
from dialogue.flow import Flow
from dialogue.flow_store import FlowStore
from dialogue.state import BadSnapshot, from_json
from observability.lifecycle import cancel_all
from protocol.messages import (
    BadMessage,
    CallConcluded,
    CallStarted,
    Command,
    Event,
    MediaStarted,
    TurnTaken,
    UtteranceTranscribed,
    decode,
)

log = logging.getLogger("pronto.calls")

MOST_ENDED = 20_000
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
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._calls)

    async def resume(self) -> None:
        """Takes up the calls that Redis knows. Waits for Redis; call it before the first `deal_with`."""
        going_on, over = await self._around.snapshots.load()
        for call_id, body in over.items():
            self._recall(call_id, body)
        for call_id, body in going_on.items():
            try:
                call, pending = self._restored(call_id, body)
            except (BadSnapshot, BadMessage, KeyError, TypeError, ValueError) as error:
                log.error("call not resumed", extra={"call_id": call_id, "error": repr(error)})
                metrics.SNAPSHOT_FAILURES.inc()
                continue
            self._start(call)
            call.resume(pending)
            metrics.CALLS_RESUMED.inc()
            log.info("call resumed", extra={"call_id": call_id, "version": call.flow_version})

    async def deal_with(self, message: Event | Command) -> None:
        """Hands an event to its call; returns when the call has dealt with it."""
        if isinstance(message, NOT_OURS | Command):
            return
        call = self._calls.get(message.call_id)
        ended_at = self._ended.get(message.call_id)
        # a caller whom the dialplan sends back to us comes with the channel, and so the id, of the call before
        if call is None and isinstance(message, CallStarted) and (ended_at is None or message.at > ended_at):
            call = self._begin(message, returned=ended_at is not None)
        if call is None and ended_at is not None:
            return  # seen again after a crash, or late
        if call is None:
            metrics.STRAY_EVENTS.labels(type(message).__name__).inc()
            return
        await call.take(message)

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
            self._remember(call_id, float(body["at"]))
            self._around.records.put(Chronicle.from_dict(body["chronicle"]).call)
        except (KeyError, TypeError, ValueError) as error:
            log.error("ended call not recalled", extra={"call_id": call_id, "error": repr(error)})
            self._remember(call_id, float("inf"))

    # --- making calls ---

    def _begin(self, started: CallStarted, returned: bool) -> Call:
        name, flow = self._flow(started)
        record = new_call(started, self._cell, name, flow.version, flow.edited_at)
        if returned:  # a record of its own beside that of the call before
            record = replace(record, id=f"{started.call_id}~{int(started.at)}")
            self._ended.pop(started.call_id)
        call = Call(started.call_id, self._around, flow, Chronicle(record))
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
        call = Call(call_id, self._around, flow, Chronicle.from_dict(body["chronicle"]), from_json(body["dialogue"]))
        call.last_key_at = float(body.get("last_key_at", 0.0))
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
        self._remember(call_id, call.ended_at)
        metrics.CALLS_ACTIVE.set(len(self._calls))
        if not self._calls:
            self._empty.set()

    def _remember(self, call_id: str, at: float) -> None:
        self._ended[call_id] = at
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
