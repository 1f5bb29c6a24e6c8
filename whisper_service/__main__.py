"""Runs the Whisper service: `python -m whisper_service`."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from threading import Thread

import uvloop

from config import BadSettings, WhisperSettings, load
from observability.http import Server
from observability.lifecycle import cancel_all
from observability.listening import bound_socket, is_served
from observability.logs import set_up_logs
from observability.standby import take_place
from whisper_service.http_api import create_app
from whisper_service.phrases import BadGuardPhrases
from whisper_service.service import Service, load_families

log = logging.getLogger("whisper_service")

GRACE_S = 10
"""For requests that are inside when it stops."""


async def run(settings: WhisperSettings, service: Service, loading: Thread) -> int:
    """Serves until SIGTERM or SIGINT, then drains; the process's exit status."""
    sock = bound_socket(settings.whisper_host, settings.whisper_port, settings.reuse_port)
    server = Server(create_app(service), sock, GRACE_S)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(serve(server, settings, loading))
    stopping = asyncio.create_task(stop.wait())
    watching = asyncio.create_task(watch_memory(settings.whisper_max_memory_mb))
    nursing = asyncio.create_task(watch_engine(service))
    await asyncio.wait((serving, stopping, watching, nursing), return_when=asyncio.FIRST_COMPLETED)
    failed = not stopping.done()
    service.drain.begin()
    if not serving.done():
        await asyncio.sleep(settings.whisper_drain_s)
    await cancel_all(serving, stopping, watching, nursing)
    await server.stop()
    if not await asyncio.to_thread(service.close, GRACE_S if failed else None):
        log.error("the engine does not end; leaving it behind")
        logging.shutdown()
        os._exit(1)  # its thread is inside the device's library, which must not be taken down under it
    if not serving.cancelled():
        serving.result()
    return int(failed)


async def serve(server: Server, settings: WhisperSettings, loading: Thread) -> None:
    """Serves until cancelled. Beside a process that serves the same port: once the model is there. Raises what the
    server died of."""
    if settings.reuse_port and await asyncio.to_thread(is_served, settings.whisper_host, settings.whisper_port):
        while loading.is_alive():  # noqa: ASYNC110 - no event of asyncio
            await asyncio.sleep(0.05)
    await server.start()
    await server.alive()


async def watch_memory(limit_mb: int) -> None:
    """Ends when this process holds more than `limit_mb` of memory; never when that is 0."""
    page_bytes = resource.getpagesize()
    while True:
        await asyncio.sleep(1)
        resident_mb = int(Path("/proc/self/statm").read_text().split()[1]) * page_bytes // 2**20  # noqa: ASYNC240
        if limit_mb and resident_mb > limit_mb:
            log.error("too much memory is held; stopping", extra={"resident_mb": resident_mb, "limit_mb": limit_mb})
            return


async def watch_engine(service: Service) -> None:
    """Ends when the service can answer no more: its supervisor starts it again, balancers send elsewhere meanwhile."""
    while not (sickness := service.sickness()):  # noqa: ASYNC110 - no event of asyncio
        await asyncio.sleep(0.1)
    log.error("the engine is sick; stopping", extra={"reason": sickness})


def main() -> int:
    """Reads the settings, builds the service, runs it."""
    try:
        settings = load(WhisperSettings)
        families = load_families(settings.flows_dir)
    except (BadSettings, BadGuardPhrases) as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    service = Service(settings, families)
    # a daemon: a model that is still loading must not hold up the stop
    loading = Thread(target=service.load, name="load", daemon=True)
    loading.start()
    if settings.standby_lock and settings.standby:
        loading.join()
    take_place(settings.standby_lock, wait=settings.standby)
    sys.setswitchinterval(0.001)  # the event loop refuses at once, whatever the threads that prepare are doing
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(settings, service, loading))


if __name__ == "__main__":
    sys.exit(main())
