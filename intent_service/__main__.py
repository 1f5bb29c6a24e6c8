"""`python -m intent_service`: reads the settings, opens the encoder and the trained intents, and serves."""

from __future__ import annotations

import asyncio
import os
import sys

from config import BadSettings, IntentSettings, load
from intent_service.catalogue import Recognisers, Training
from intent_service.encoder import open_encoder
from intent_service.normalise import LANGUAGES
from observability.http import Server
from observability.lifecycle import until_stopped
from observability.listening import bound_socket, is_served
from observability.logs import set_up_logs
from observability.standby import take_place


def main() -> int:
    """Serves until a signal comes; 2 when the settings are bad."""
    try:
        settings = load(IntentSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    languages = tuple(one.strip() for one in settings.intent_languages.split(",") if one.strip())
    unknown = [one for one in languages if one not in LANGUAGES]
    if unknown:
        print(f"INTENT_LANGUAGES={settings.intent_languages!r}: must be of {', '.join(LANGUAGES)}", file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    from intent_service.service import create_app

    encoder = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    training = Training()
    catalogue = Recognisers(settings.flows_dir, settings.intent_cache_dir, languages, encoder, training)
    if settings.standby_lock:
        catalogue.refresh()
    take_place(settings.standby_lock, wait=settings.standby)
    sock = bound_socket(settings.intent_host, settings.intent_port, settings.reuse_port)
    if settings.reuse_port and is_served(settings.intent_host, settings.intent_port):
        catalogue.refresh()  # the process that serves the same port does so until this one can answer
    app = create_app(catalogue, settings.intent_reload_s, training.stop, settings.pronto_token)
    asyncio.run(serve(Server(app, sock)))
    return 0


async def serve(server: Server) -> None:
    """Serves until a signal comes."""
    await server.start()
    try:
        await until_stopped(server.alive())
    finally:
        await server.stop()


if __name__ == "__main__":
    raise SystemExit(main())
