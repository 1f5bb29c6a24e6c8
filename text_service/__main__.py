"""Runs the text service: `python -m text_service`, settings from the environment (see config.TextSettings).

With `TEXT_BACK_URL` it is a front part of another one, else it is front and back part in one."""

from __future__ import annotations

import asyncio
import logging
import sys
from urllib.parse import urlsplit

from audio_prompts.texts import PromptTexts
from config import BadSettings, TextSettings, is_loopback, load
from observability.endpoints import ServiceReport
from observability.http import Server
from observability.lifecycle import cancel_all, until_stopped
from observability.listening import bound_socket
from observability.logs import set_up_logs
from observability.outbox import show_outbox
from observability.standby import take_place
from protocol.bus import Inbox, Outbox, connect
from text_service import metrics
from text_service.front_part import run_front
from text_service.http_api import create_app
from text_service.service import TextService
from text_service.store import TextStore

log = logging.getLogger("text_service")

GRACE_S = 5
CONSUMER = "text_service"


async def run(settings: TextSettings) -> None:
    """Serves until a signal comes, then lets queries be answered, for `text_drain_s` at most."""
    redis = connect(settings.redis_url)
    outbox = Outbox(redis, settings.cell)
    show_outbox(lambda: len(outbox), lambda: outbox.dropped)
    store = TextStore(redis, settings.cell, settings.text_history_s)
    service = TextService(settings, store, outbox, PromptTexts(settings.prompts_dir))
    inbox = Inbox(redis, settings.cell, "commands", CONSUMER)
    events = Inbox(redis, settings.cell, "events", CONSUMER)
    taken_up = False

    def ready() -> tuple[bool, str]:
        if not taken_up:
            return False, "waiting for redis"
        return (False, "redis is away") if outbox.away_since is not None else (True, "")

    report = ServiceReport(lambda: {"inside": service.inside}, ready, service.drain)
    metrics.READY.set_function(lambda: float(ready()[0] and not service.drain.is_draining))
    sock = bound_socket(settings.text_host, settings.text_port, settings.reuse_port)
    server = Server(create_app(service, report), sock, GRACE_S, web_sockets=True)
    await server.start()
    sending = asyncio.create_task(outbox.run())

    async def converse() -> None:
        nonlocal taken_up
        await inbox.opened()
        await events.opened()
        await service.take_up()
        taken_up = True
        log.info("ready")
        await asyncio.gather(service.serve(inbox), service.turns.follow(events))

    async def finish() -> None:
        service.drain.begin()
        service.watchers.end_feeds()
        await service.watchers.tell_all()
        await service.drain.finished(settings.text_drain_s)

    try:
        await until_stopped(
            server.alive(),
            converse(),
            service.watch(),
            service.watch_parts(),
            service.handover.run(),
            before_end=finish,
        )
    finally:
        await server.stop()
        await outbox.flush()
        await cancel_all(sending)
        await redis.aclose()


def main() -> int:
    """The exit status."""
    try:
        settings = load(TextSettings)
        if settings.text_handover_url and not settings.text_handover_secret:
            raise BadSettings("TEXT_HANDOVER_URL is set, so TEXT_HANDOVER_SECRET must be (openssl rand -hex 24)")
        host = urlsplit(settings.text_back_url).hostname
        if host and not is_loopback(host) and not (settings.text_back_key or settings.pronto_token):
            raise BadSettings("TEXT_BACK_URL is on another machine, so TEXT_BACK_KEY must be set")
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    take_place(settings.standby_lock, wait=settings.standby)
    asyncio.run(run_front(settings) if settings.text_back_url else run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
