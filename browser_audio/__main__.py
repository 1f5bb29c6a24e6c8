"""Runs the browser audio service: `python -m browser_audio`, settings as config.BrowserSettings has them.

A signal to stop drains: new pages are refused, calls go on for at most BROWSER_DRAIN_S, then they are ended and their
callers told. Calls of a process that was killed are told to be over by the next one, or by another that is there."""

from __future__ import annotations

import asyncio
import logging
import sys

from audio_prompts.catalogue import PLAYED
from audio_prompts.texts import PromptTexts
from browser_audio import metrics
from browser_audio.http_api import create_app
from browser_audio.making import SoundMaker
from browser_audio.service import BrowserCalls
from config import BadSettings, BrowserSettings, load
from observability.endpoints import ServiceReport
from observability.http import Server
from observability.lifecycle import cancel_all, until_stopped
from observability.listening import bound_socket
from observability.logs import set_up_logs
from observability.outbox import show_outbox
from observability.standby import take_place
from protocol.bus import Inbox, Outbox, connect

log = logging.getLogger("browser_audio")

GRACE_S = 2
FLUSH_S = 8.0
"""The ends of calls are told, also on a machine that is slow."""
CONSUMER = "browser_audio"


async def run(settings: BrowserSettings) -> None:
    """Serves until a signal comes."""
    redis = connect(settings.redis_url)
    outbox = Outbox(redis, settings.cell)
    show_outbox(lambda: len(outbox), lambda: outbox.dropped)
    maker = SoundMaker(
        settings.prompts_dir / PLAYED, settings.speech_url, settings.pronto_token, settings.speech_apology
    )
    calls = BrowserCalls(settings, redis, outbox, PromptTexts(settings.prompts_dir), maker)
    # of its own, as two processes that serve side by side must each see all
    commands = Inbox(redis, settings.cell, "commands", CONSUMER)
    events = Inbox(redis, settings.cell, "events", CONSUMER)
    is_open = False

    def ready() -> tuple[bool, str]:
        if not is_open:
            return False, "waiting for redis"
        return (False, "redis is away") if outbox.away_since is not None else (True, "")

    report = ServiceReport(lambda: {"calls": len(calls.calls)}, ready, calls.drain)
    metrics.READY.set_function(lambda: float(ready()[0] and not calls.drain.is_draining))
    sock = bound_socket(settings.browser_host, settings.browser_port, settings.reuse_port)
    server = Server(create_app(calls, report), sock, GRACE_S, web_sockets=True)
    await maker.open()
    await server.start()
    sending = asyncio.create_task(outbox.run())

    async def follow() -> None:
        nonlocal is_open
        await commands.opened()
        await events.opened()
        is_open = True
        log.info("ready")
        await asyncio.gather(calls.read_commands(commands), calls.read_events(events))

    async def finish() -> None:
        calls.drain.begin()
        await calls.drain.finished(settings.browser_drain_s)
        await calls.end_all()

    try:
        await until_stopped(
            server.alive(),
            follow(),
            calls.keep_time(),
            calls.share_speaking(),
            calls.watch_calls(),
            before_end=finish,
        )
    finally:
        await server.stop()
        await outbox.flush(FLUSH_S)
        await cancel_all(sending)
        await maker.close()
        await redis.aclose()


def main() -> int:
    """The exit status."""
    try:
        settings = load(BrowserSettings)
    except BadSettings as error:
        print(f"bad settings:\n{error}", file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    take_place(settings.standby_lock, wait=settings.standby)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
