"""Runs the controller: `python -m ari_controller`, settings from the environment (see config.ControllerSettings).

Exit status: 0 after SIGTERM or SIGINT, 2 for bad settings, 3 when another controller of this cell took over (a
supervisor should not start this one again), 1 for anything else (it should). Calls are left as they are in every case:
the next controller adopts them. `POST /drain` (or SIGUSR1) drains: `/ready` turns false, new callers are refused as
DRAIN_NEW_CALLS says, calls go on. A signal to stop drains too, for at most CONTROLLER_DRAIN_S.
"""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import sys
import uuid
from pathlib import Path
from typing import cast

from ari_controller import metrics
from ari_controller.admission import CallAdmission
from ari_controller.ari import AriClient
from ari_controller.call_states import Rules
from ari_controller.call_store import CallStore
from ari_controller.controller import Controller, ReplacedByAnother
from ari_controller.live_calls import LiveCalls, NewCalls
from ari_controller.media_legs import Target
from ari_controller.speech_feeds import SpeechFeeds
from config import BadSettings, ControllerSettings, load
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve
from observability.lifecycle import cancel_all, until_stopped
from observability.logs import set_up_logs
from observability.outbox import show_outbox
from observability.standby import take_place
from protocol.bus import Inbox, Outbox, connect

log = logging.getLogger("pronto.controller")

EXIT_BAD_SETTINGS, EXIT_REPLACED = 2, 3


def rules_of(settings: ControllerSettings) -> Rules:
    """What of the settings a call needs."""
    return Rules(
        target=Target(settings.ari_app, settings.rtp_host, settings.rtp_port),
        prompts_dir=str(settings.prompts_dir),
        recordings_dir=str(settings.recordings_dir),
        record_calls=settings.record_calls,
        keep_alive_silence=settings.keep_alive_silence,
        handoff_context=settings.handoff_context,
        handoff_extension=settings.handoff_extension,
        language=settings.farewell_language,
        busy_extension=settings.busy_extension,
        hold_prompt=settings.hold_prompt,
        region=settings.trunk_region,
        parts_dir=str(parts_dir(settings)),
        speaks=bool(settings.speech_url),
        speech_apology=settings.speech_apology,
        answer_silence_ms=settings.answer_silence_ms,
        goodbye_silence_ms=settings.goodbye_silence_ms,
        max_call_s=settings.max_call_s,
    )


def parts_dir(settings: ControllerSettings) -> Path:
    """Where this cell's part files lie."""
    return settings.speech_parts_dir / settings.cell


async def run(settings: ControllerSettings) -> None:
    """Runs until a signal comes. Raises ReplacedByAnother."""
    redis = connect(settings.redis_url)
    outbox = Outbox(redis, settings.cell)
    inbox = Inbox(redis, settings.cell, "commands", "controller")
    store = CallStore(redis, settings.cell, uuid.uuid4().hex)
    speech = SpeechFeeds(settings.speech_url, settings.pronto_token, parts_dir(settings))
    async with AriClient(settings.ari_url, settings.ari_user, settings.ari_password, settings.ari_app) as ari:
        live = LiveCalls(
            rules_of(settings),
            settings.cell,
            CallAdmission(settings.max_calls, settings.strain_limit or math.inf),
            ari,
            store,
            outbox,
            cast(NewCalls, settings.drain_new_calls),
            cast(NewCalls, settings.full_new_calls),
            speech,
        )
        speech.listener = live
        await speech.open()
        controller = Controller(live, ari, store, inbox, settings.sweep_interval_s)
        drain = Drain(lambda: len(live.calls))
        live.is_draining = lambda: drain.is_draining or bool(controller.drained_by)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, drain.begin)
        for kind in ("main", "snoop", "external_media", "recording"):
            metrics.CHANNELS.labels(kind).set_function(lambda kind=kind: live.count(kind))  # type: ignore[misc]

        show_outbox(lambda: len(outbox), lambda: outbox.dropped)
        report = ServiceReport(
            lambda: {"calls": len(live.calls), "connected": controller.is_connected},
            controller.ready,
            drain,
            {"/channels": lambda: {"channels": live.channels()}},
        )
        server = await serve(
            report,
            settings.controller_host,
            settings.controller_port,
            settings.pronto_token,
            reuse_port=settings.reuse_port,
        )

        async def finish() -> None:
            if settings.controller_drain_s:
                drain.begin()
                await drain.finished(settings.controller_drain_s)

        sender = asyncio.create_task(outbox.run())
        try:
            await store.take_over()
            await until_stopped(
                ari.listen(controller),
                controller.keep_reconciled(),
                controller.read_commands(),
                controller.watch_time(),
                controller.watch_replacement(),
                controller.watch_bot(),
                controller.watch_strain(),
                controller.lag.watch(),
                _ended(sender),
                server.alive(),
                before_end=finish,
            )
        finally:
            await live.settle()
            await speech.close()
            await outbox.flush()
            await cancel_all(sender)
            await server.stop()
            await redis.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    """Waits for a task without cancelling it: the outbox still has to be emptied when everything else has stopped."""
    await asyncio.shield(task)


def main() -> int:
    """The exit status."""
    try:
        settings = load(ControllerSettings)
    except BadSettings as error:
        print(f"bad settings:\n{error}", file=sys.stderr)
        return EXIT_BAD_SETTINGS
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    take_place(settings.standby_lock, wait=settings.standby)
    try:
        asyncio.run(run(settings))
    except ReplacedByAnother as error:
        log.error("stopping", extra={"reason": str(error)})
        return EXIT_REPLACED
    return 0


if __name__ == "__main__":
    sys.exit(main())
