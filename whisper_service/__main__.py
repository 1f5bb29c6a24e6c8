"""Runs the Whisper service: `python -m whisper_service`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import uvicorn

from config import BadSettings, WhisperSettings, load
from observability.logs import set_up_logs
from whisper_service.http_api import create_app
from whisper_service.phrases import BadPhrases
from whisper_service.service import Service, load_families
from whisper_service.whole_answers import WholeAnswers

log = logging.getLogger("whisper_service")


class Server(uvicorn.Server):
    """uvicorn that leaves signals to us: it would stop at once, and balancers could not be told before."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def run(settings: WhisperSettings, service: Service) -> int:
    """Serves until SIGTERM or SIGINT, then drains; the process's exit status."""
    server = Server(
        uvicorn.Config(
            create_app(service),
            settings.whisper_host,
            settings.whisper_port,
            http=WholeAnswers,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=10,
            backlog=2048,
        )
    )
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # a daemon: a model that is still loading must not hold up the stop
    Thread(target=service.load, name="load", daemon=True).start()
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    watching = asyncio.create_task(watch_memory(settings.whisper_max_memory_mb))
    await asyncio.wait((serving, stopping, watching), return_when=asyncio.FIRST_COMPLETED)
    failed = not stopping.done()
    service.drain()
    if not serving.done():
        await asyncio.sleep(settings.whisper_drain_s)
        server.should_exit = True
    with contextlib.suppress(SystemExit):
        await serving
    await asyncio.to_thread(service.close)
    return int(failed)


async def watch_memory(limit_mb: int) -> None:
    """Ends when this process holds more than `limit_mb` of memory; never when that is 0."""
    page_bytes = resource.getpagesize()
    while True:
        await asyncio.sleep(1)
        resident_mb = int(Path("/proc/self/statm").read_text().split()[1]) * page_bytes // 2**20  # noqa: ASYNC240
        if limit_mb and resident_mb > limit_mb:
            log.error("too much memory is held; stopping", extra={"resident_mb": resident_mb, "limit_mb": limit_mb})
            return


def main() -> int:
    """Reads the settings, builds the service, runs it."""
    try:
        settings = load(WhisperSettings)
        families = load_families(settings.flows_dir)
    except (BadSettings, BadPhrases) as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    return asyncio.run(run(settings, Service(settings, families)))


if __name__ == "__main__":
    sys.exit(main())
