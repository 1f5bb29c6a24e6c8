"""Runs the speech service: `python -m speech_service`, settings from the environment (see config.SpeechSettings)."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvloop

from config import BadSettings, SpeechSettings, load
from observability.http import Server
from observability.lifecycle import cancel_all, until_stopped
from observability.listening import bound_socket
from observability.logs import set_up_logs
from observability.standby import take_place
from speech_service.http_api import create_app
from speech_service.service import SpeechService
from speech_service.voices import UnknownVoice, VoiceTable

log = logging.getLogger("speech_service")

GRACE_S = 5


async def run(settings: SpeechSettings, service: SpeechService) -> None:
    """Serves until a signal comes, then finishes what is being said, for `speech_drain_s` at most."""
    server = Server(
        create_app(service), bound_socket(settings.speech_host, settings.speech_port, settings.reuse_port), GRACE_S
    )
    starting = asyncio.create_task(service.start())
    if not settings.reuse_port:
        await server.start()  # asked meanwhile, it says that it is not ready
    else:
        await starting  # a successor opens the port when it can speak
        await server.start()

    async def finish() -> None:
        service.drain.begin()
        await service.drain.finished(settings.speech_drain_s)

    try:
        await until_stopped(server.alive(), service.try_again(), before_end=finish)
    finally:
        await cancel_all(starting)
        await server.stop()
        await service.close()


def main() -> int:
    """The exit status."""
    try:
        settings = load(SpeechSettings)
        service = SpeechService(settings, VoiceTable(settings.speech_voices))
    except (BadSettings, UnknownVoice) as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    take_place(settings.standby_lock, wait=settings.standby)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings, service))
    return 0


if __name__ == "__main__":
    sys.exit(main())
