"""Runs the bot manager: reads the settings, builds the objects, connects them, stops them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine

from bot_manager import metrics
from bot_manager.actions import ActionWorker
from bot_manager.call import Surroundings
from bot_manager.commits import Commits
from bot_manager.flow_versions import UnknownFlow, come_into_force, keep, recall, reload_flows
from bot_manager.intents import intents_of
from bot_manager.redis_watch import Backbone
from bot_manager.snapshots import load_calls
from bot_manager.speech_ahead import SpeechAhead
from bot_manager.switchboard import Switchboard
from bot_manager.targets import Targets, targets_of
from bot_manager.webhooks import WebhookSender, WebhookTarget
from config import BadSettings, BotSettings, load
from dialogue.fixed_texts import fixed_texts
from dialogue.flow_store import FlowStore
from dialogue.slots import parse
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve
from observability.lag import LoopLag
from observability.lifecycle import cancel_all
from observability.logs import set_up_logs
from observability.outbox import show_outbox
from observability.standby import take_place
from protocol.bus import Inbox, connect
from protocol.draining import tell_draining
from protocol.lease import Lease, LeaseLost
from protocol.strain import tell_strain
from records.engines import connect as connect_records
from records.spool import Spool
from records.writer import RecordWriter

log = logging.getLogger("pronto.bot_manager")

CONSUMER = "bot_manager"
TAKE_EVERY_S = 0.1
WARM_UP_LATER_S = 5.0
LOOP_S = 0.1
"""Later than this, callers notice."""


async def read_events(inbox: Inbox, switchboard: Switchboard) -> None:
    """Deals with the events of the bus one after the other, for ever; their place is stored with what they came to."""
    async for entry in inbox.entries(stores_position=False):
        await switchboard.deal_with(entry)
        metrics.MALFORMED.set(inbox.malformed)
        metrics.UNKNOWN.set(inbox.unknown)


async def take_lease(lease: Lease) -> None:
    """Waits until no other bot manager drives the calls of the cell. Waits for Redis."""
    waits = False
    while True:
        try:
            if await lease.take():
                return
            if not waits:
                log.info("another bot manager drives the calls: waiting")
            waits = True
        except (RedisError, OSError):
            pass
        await asyncio.sleep(TAKE_EVERY_S)


async def take_up(
    redis: Redis, cell: str, inbox: Inbox, switchboard: Switchboard, flows: FlowStore, versions: Engine
) -> None:
    """Resumes the calls that Redis knows and finds the place in the stream. Waits for Redis."""
    stored = await load_calls(redis, cell)
    await recall(flows, versions, stored)
    await switchboard.resume(stored)
    await inbox.opened()


def warm_up() -> None:
    """Loads what the slots are read with (number words, telephone numbers) before a caller waits for it."""
    for language, text in (("fr", "3 mai"), ("it", "3 maggio"), ("en", "3 may")):
        parse("date_time", text, language, now=datetime.now())


def said_in(flows: FlowStore) -> list[tuple[str, str]]:
    """Language and text of what the flows in force say as it stands in them."""
    return [(flow.language, text) for flow in map(flows.current, flows.names()) for text in fixed_texts(flow)]


async def warm_up_after(seconds: float) -> None:
    """The same in a thread of its own, a little later."""
    await asyncio.sleep(seconds)
    await asyncio.to_thread(warm_up)


async def run(settings: BotSettings) -> None:
    """Builds everything, runs until a signal, then lets calls come to their end for `bot_drain_s`."""
    flows = FlowStore(settings.flows_dir, settings.prompts_dir, settings.default_flow)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    redis = connect(settings.redis_url)
    lease = Lease(redis, settings.cell, CONSUMER, CONSUMER)
    commits = Commits(lease, settings.cell)
    backbone = Backbone(redis, settings.cell)
    show_outbox(lambda: len(commits), lambda: commits.dropped)
    intents = intents_of(settings)
    spool = Spool(settings.records_spool_dir / quote(settings.cell, safe=""))
    versions = connect_records(settings.database_url)
    records = RecordWriter(connect_records(settings.database_url), spool=spool, meters=metrics.RECORD_METERS)
    targets = targets_of(settings.action_hosts, settings.action_private_hosts)
    webhooks = webhooks_of(settings, targets)
    messages = webhooks.take_message if settings.webhook_url else None
    actions = ActionWorker(targets, settings.action_credentials_dir, commits.stored, messages=messages, intents=intents)
    around = Surroundings(commits, intents, records, actions=actions, tells_ends=bool(settings.webhook_url))
    switchboard = Switchboard(around, flows, settings.cell, settings.default_flow)
    commits.driven = switchboard.driven
    inbox = Inbox(redis, settings.cell, "events", CONSUMER)
    started = drives = resumed = False
    drain = Drain(lambda: len(switchboard))
    lag = LoopLag()

    def drained_for_good() -> bool:
        return drain.is_draining and not stop.is_set()  # a stopping one has a successor, which takes new calls

    def health() -> dict[str, object]:
        return {
            "calls": len(switchboard),
            "flow": flows.current(settings.default_flow).version if started else "",
            "flow_faults": len(flows.faults),
            "records": records.trouble or "ok",
        }

    def ready() -> tuple[bool, str]:
        if stop.is_set():
            return False, "stopping"
        if not started:
            wanting = f"no good version of the flow {settings.default_flow}"
            return False, wanting if flows.faults else "reading the flows"
        if not drives:
            return False, "another bot manager drives the calls, or redis is away"
        if not resumed:
            return False, "waiting for redis"
        if not records.alive:
            return False, "call records are not written any more"
        return (False, "redis is away") if backbone.away_since is not None else (True, "")

    server = await serve(
        ServiceReport(health, ready, drain),
        settings.bot_host,
        settings.bot_port,
        settings.pronto_token,
        reuse_port=settings.reuse_port,
    )
    warming: list[asyncio.Task[None]] = []
    writers = [asyncio.create_task(server.alive())]
    try:
        started = await _unless(stop, come_into_force(flows, settings.default_flow, versions), writers)
        if started and await _unless(stop, take_lease(lease), writers):
            drives = True
            records.start()  # not before: a predecessor of an older version still writes to the tables as they are
            keep(flows, flows.names(), records)
            writers.append(asyncio.create_task(commits.run()))
        if drives and await _unless(stop, take_up(redis, settings.cell, inbox, switchboard, flows, versions), writers):
            resumed = True
            # callers who wait for us come first
            warming.append(asyncio.create_task(warm_up_after(WARM_UP_LATER_S if len(switchboard) else 0.0)))
            log.info("ready", extra={"calls": len(switchboard)})
            ahead = SpeechAhead(settings.speech_url, settings.pronto_token, lambda: said_in(flows))
            jobs = [
                *([asyncio.create_task(ahead.run())] if settings.speech_url else []),
                asyncio.create_task(webhooks.run()),
                asyncio.create_task(read_events(inbox, switchboard)),
                asyncio.create_task(reload_flows(flows, records)),
                asyncio.create_task(backbone.watch(switchboard.backbone_away)),
                asyncio.create_task(tell_draining(redis, settings.cell, "bot_manager", drained_for_good)),
                asyncio.create_task(lag.watch()),
                asyncio.create_task(
                    tell_strain(redis, settings.cell, "bot_manager", lambda: {"bot_loop": lag.recent_s / LOOP_S})
                ),
            ]
            try:
                await _unless(stop, _forever(), [*writers, *jobs])
                drain.begin()
                if not await switchboard.drained(settings.bot_drain_s):
                    log.info("calls left to the next bot manager", extra={"calls": len(switchboard)})
            finally:
                await cancel_all(*jobs)
                await switchboard.close()
        if drives:
            await commits.stored()
            await cancel_all(*writers)
            with contextlib.suppress(RedisError, OSError):
                await lease.release()
    finally:
        await cancel_all(*writers, *warming)
        await intents.close()
        await actions.close()
        await webhooks.close()
        await redis.aclose()
        await server.stop()
        await asyncio.to_thread(records.stop)
        versions.dispose()


def webhooks_of(settings: BotSettings, targets: Targets) -> WebhookSender:
    """Who tells others of calls and turns."""
    receiver = WebhookTarget(settings.webhook_url, targets, settings.action_credentials_dir, settings.webhook_key)
    return WebhookSender(connect_records(settings.database_url), settings.cell, receiver)


async def _forever() -> None:
    await asyncio.Event().wait()


async def _unless(stop: asyncio.Event, job: Coroutine[Any, Any, None], watched: list[asyncio.Task[None]]) -> bool:
    """Runs `job` until it is done (True) or `stop` is set (False). Raises what a watched task died of."""
    main = asyncio.create_task(job)
    waiter = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([main, waiter, *watched], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task in watched:
                task.result()
                raise RuntimeError("a background task ended although nobody asked it to")
        if main in done:
            main.result()
        return main in done
    finally:
        await cancel_all(main, waiter)


def main() -> int:
    """Exit status 2: bad settings, each fault on a line of its own."""
    try:
        settings = load(BotSettings)
        set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
        if settings.standby_lock:
            warm_up()  # whoever takes a place takes it warm
        take_place(settings.standby_lock, wait=settings.standby)
        asyncio.run(run(settings))
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    except UnknownFlow as error:
        print(f"DEFAULT_FLOW={error.args[0]!r}: no such flow in {settings.flows_dir}", file=sys.stderr)
        return 2
    except LeaseLost as error:
        log.error("another bot manager has taken the calls over", extra={"reason": str(error)})
        return 1  # started again it waits for its turn
    return 0


if __name__ == "__main__":
    sys.exit(main())
