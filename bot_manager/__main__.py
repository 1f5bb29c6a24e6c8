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

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot_manager import metrics
from bot_manager.call import Surroundings
from bot_manager.commits import Commits
from bot_manager.intents import IntentClient
from bot_manager.record_writer import RecordWriter
from bot_manager.redis_watch import Backbone
from bot_manager.snapshots import load_calls
from bot_manager.switchboard import Switchboard
from config import BadSettings, BotSettings, load
from dialogue.flow_loader import BadFlow
from dialogue.flow_store import FlowStore
from dialogue.slots import parse
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve
from observability.lifecycle import cancel_all
from observability.logs import set_up_logs
from protocol.bus import Inbox, connect
from protocol.draining import tell_draining
from protocol.lease import Lease, LeaseLost
from records.call_records import open_database

log = logging.getLogger("pronto.bot_manager")

CONSUMER = "bot_manager"
RELOAD_S = 1.0
TAKE_EVERY_S = 0.1
WARM_UP_LATER_S = 5.0


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


async def take_up(redis: Redis, cell: str, inbox: Inbox, switchboard: Switchboard) -> None:
    """Resumes the calls that Redis knows and finds the place in the stream. Waits for Redis."""
    await switchboard.resume(await load_calls(redis, cell))
    while True:
        try:
            await inbox.open()
        except (RedisError, OSError):
            await asyncio.sleep(0.2)
        else:
            return


async def reload_flows(flows: FlowStore) -> None:
    """Looks at the flow files every second, for ever."""
    while True:
        await asyncio.sleep(RELOAD_S)
        try:
            reload = await asyncio.to_thread(flows.refresh)
        except Exception:  # a bug in reading must not end the calls: the old versions stay
            metrics.FLOW_RELOADS.labels("refused").inc()
            log.exception("flow files could not be looked at")
            continue
        for name in reload.changed:
            metrics.FLOW_RELOADS.labels("changed").inc()
            log.info("flow in force", extra={"flow": name, "version": flows.current(name).version})
        for fault in reload.faults:
            metrics.FLOW_RELOADS.labels("refused").inc()
            log.error("flow refused, the old version stays", extra={"fault": fault})


def warm_up() -> None:
    """Loads dateparser's tables (0.2 to 0.4 s a language) before a caller waits for them."""
    for language, text in (("fr", "3 mai"), ("it", "3 maggio"), ("en", "3 may")):
        parse("date_time", text, language, now=datetime.now())


async def warm_up_after(seconds: float) -> None:
    """The same in a thread of its own, a little later."""
    await asyncio.sleep(seconds)
    await asyncio.to_thread(warm_up)


async def run(settings: BotSettings) -> None:
    """Builds everything, runs until a signal, then lets calls come to their end for `bot_drain_s`."""
    flows = FlowStore(settings.flows_dir, settings.prompts_dir)
    flows.load()
    try:
        flows.current(settings.default_flow)
    except KeyError:
        raise BadSettings(f"DEFAULT_FLOW={settings.default_flow!r}: no such flow in {settings.flows_dir}") from None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    redis = connect(settings.redis_url)
    lease = Lease(redis, settings.cell, CONSUMER, CONSUMER)
    commits = Commits(lease, settings.cell)
    backbone = Backbone(redis, commits)
    intents = IntentClient(
        settings.intent_main_url, settings.intent_faqs_url, settings.intent_timeout_s, settings.pronto_token
    )
    records = RecordWriter(open_database(settings.database_url))
    switchboard = Switchboard(Surroundings(commits, intents, records), flows, settings.cell, settings.default_flow)
    commits.driven = switchboard.driven
    inbox = Inbox(redis, settings.cell, "events", CONSUMER)
    drives = resumed = False
    drain = Drain(lambda: len(switchboard))

    def drained_for_good() -> bool:
        return drain.is_draining and not stop.is_set()  # a stopping one has a successor, which takes new calls

    def health() -> dict[str, object]:
        return {"calls": len(switchboard), "flow": flows.current(settings.default_flow).version}

    def ready() -> tuple[bool, str]:
        if stop.is_set():
            return False, "stopping"
        if not drives:
            return False, "another bot manager drives the calls, or redis is away"
        if not resumed:
            return False, "waiting for redis"
        return (False, "redis is away") if backbone.away_since is not None else (True, "")

    server = await serve(
        ServiceReport(health, ready, drain),
        settings.bot_host,
        settings.bot_port,
        settings.pronto_token,
        reuse_port=settings.reuse_port,
    )
    records.start()
    warming: list[asyncio.Task[None]] = []
    writers = [asyncio.create_task(server.alive())]
    try:
        if await _unless(stop, take_lease(lease), writers):
            drives = True
            writers.append(asyncio.create_task(commits.run()))
        if drives and await _unless(stop, take_up(redis, settings.cell, inbox, switchboard), writers):
            resumed = True
            # callers who wait for us come first
            warming.append(asyncio.create_task(warm_up_after(WARM_UP_LATER_S if len(switchboard) else 0.0)))
            log.info("ready", extra={"calls": len(switchboard)})
            jobs = [
                asyncio.create_task(read_events(inbox, switchboard)),
                asyncio.create_task(reload_flows(flows)),
                asyncio.create_task(backbone.watch(switchboard.backbone_away)),
                asyncio.create_task(tell_draining(redis, settings.cell, "bot_manager", drained_for_good)),
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
        await redis.aclose()
        await server.stop()
        await asyncio.to_thread(records.stop)


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
    """Exit status 2: bad settings or flows, each fault on a line of its own."""
    try:
        settings = load(BotSettings)
        set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
        asyncio.run(run(settings))
    except (BadSettings, BadFlow) as error:
        print(error, file=sys.stderr)
        return 2
    except LeaseLost as error:
        log.error("another bot manager has taken the calls over", extra={"reason": str(error)})
        return 1  # started again it waits for its turn
    return 0


if __name__ == "__main__":
    sys.exit(main())
