"""Flow versions over restarts: a text that comes into force is kept, a call that is taken up gets its own back, and a
flow whose file is bad at the start is in force as it last was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from bot_manager import metrics
from bot_manager.snapshots import StoredCalls
from dialogue.flow_loader import BadFlow
from dialogue.flow_store import FlowStore, Reload
from records.call import FlowVersion
from records.database import BadSchema
from records.engines import attempt
from records.queries import flow_version, versions_in_use
from records.writer import RecordWriter

log = logging.getLogger("pronto.calls")

RELOAD_S: Final = 1.0
RECALL_S: Final = 1.0
"""Callers wait meanwhile: a database that takes longer is done without."""


class UnknownFlow(LookupError):
    """The default flow is none of those that there are: its name is a mistake."""


def keep(flows: FlowStore, names: Iterable[str], records: RecordWriter) -> None:
    """Hands the versions in force of these flows to the call records; one that is there already stays as it is."""
    for name in names:
        flow = flows.current(name)
        edited = datetime.fromisoformat(flow.edited_at) if flow.edited_at else datetime.now(UTC)
        records.put(FlowVersion(flow.version, name, flow.text, flows.author(name), edited.timestamp()))


async def recall(flows: FlowStore, engine: Engine, stored: StoredCalls) -> None:
    """Makes `flows` know the versions of the calls to be taken up, where their files say something else by now.

    What cannot be had (no database, a prompt of it is gone) is told and left out: such a call goes on with the version
    in force, or is handed over. Takes `RECALL_S` at most.
    """
    wanted = {(str(body.get("flow")), str(body.get("flow_version"))) for body in stored.going_on.values()}
    missing = {one for one in wanted if flows.version(*one) is None}
    if not missing:
        return
    try:
        async with asyncio.timeout(RECALL_S):
            found = await asyncio.to_thread(_texts, engine, missing)
    except (SQLAlchemyError, BadSchema, OSError, TimeoutError) as error:
        log.warning("earlier versions of flows cannot be read", extra={"error": type(error).__name__})
        return
    for name, version in sorted(missing):
        if (name, version) not in found:
            log.warning("a version of a flow is not known any more", extra={"flow": name, "version": version})
            continue
        try:
            flows.recall(name, found[name, version])
        except BadFlow as error:
            log.warning(
                "a version of a flow cannot go on", extra={"flow": name, "version": version, "error": str(error)}
            )


async def come_into_force(flows: FlowStore, default_flow: str, engine: Engine) -> None:
    """Reads the flows. One whose file is bad comes into force as its last calls had it; without a good version of the
    default flow this waits for one: there is nothing that callers could be told, and the controller tells them so.

    Raises UnknownFlow where there are flows, and none of that name.
    """
    _tell(await asyncio.to_thread(flows.load))
    while True:
        for name in flows.wanting():
            await _restore(flows, name, engine)
        if default_flow in flows.names():
            return
        if flows.names() and not flows.has_file(default_flow):
            raise UnknownFlow(default_flow)
        metrics.FLOW_FAULTS.set(max(1, len(flows.faults)))
        log.error("no good version of the default flow: waiting for one", extra={"flow": default_flow})
        while default_flow not in flows.names():
            await asyncio.sleep(RELOAD_S)
            _tell(await asyncio.to_thread(flows.refresh))


async def _restore(flows: FlowStore, name: str, engine: Engine) -> None:
    try:
        async with asyncio.timeout(RECALL_S):
            earlier = await asyncio.to_thread(_earlier, engine, name)
    except (SQLAlchemyError, BadSchema, OSError, TimeoutError) as error:
        log.warning("earlier versions of flows cannot be read", extra={"error": type(error).__name__})
        return
    for version in earlier:
        try:
            flows.restore(name, version.text)
        except BadFlow:
            continue
        log.warning("an earlier version of a flow is in force", extra={"flow": name, "version": version.hash})
        return


def _earlier(engine: Engine, name: str) -> list[FlowVersion]:
    with attempt(engine, RECALL_S):
        return versions_in_use(engine, name)


def _tell(reload: Reload) -> None:
    for name in reload.changed:
        metrics.FLOW_RELOADS.labels("changed").inc()
        log.info("flow in force", extra={"flow": name})
    for name in reload.gone:
        metrics.FLOW_RELOADS.labels("gone").inc()
        log.warning("flow in force no more: its file is gone", extra={"flow": name})
    for fault in reload.faults:
        metrics.FLOW_RELOADS.labels("refused").inc()
        log.error("flow refused", extra={"fault": fault})


async def reload_flows(flows: FlowStore, records: RecordWriter) -> None:
    """Looks at the flow files every second, for ever; what comes into force is kept as a version."""
    while True:
        metrics.FLOW_FAULTS.set(len(flows.faults))
        await asyncio.sleep(RELOAD_S)
        try:
            reload = await asyncio.to_thread(flows.refresh)
        except Exception:  # a bug in reading must not end the calls: the old versions stay
            metrics.FLOW_RELOADS.labels("refused").inc()
            log.exception("flow files could not be looked at")
            continue
        keep(flows, reload.changed, records)
        _tell(reload)


def _texts(engine: Engine, missing: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    with attempt(engine, RECALL_S):
        rows = {(name, version): flow_version(engine, version) for name, version in missing}
    return {key: row.text for key, row in rows.items() if row is not None}
