"""Runs one RTP receiver: `python -m rtp_receiver`."""

from __future__ import annotations

import asyncio
import gc
import sys

from config import BadSettings, ReceiverSettings, load
from observability.http import serve
from observability.lifecycle import until_stopped
from observability.logs import set_up_logs
from protocol.bus import connect
from rtp_receiver.receiver import Receiver
from rtp_receiver.silero import SileroVad
from rtp_receiver.turn_model import load_turn_model
from rtp_receiver.whisper import WhisperClient

SWITCH_S = 0.0005
"""The event loop must not keep the media thread waiting for Python's usual 5 ms, ten times within one VAD step."""


async def run(settings: ReceiverSettings) -> None:
    """Receives until a signal comes."""
    redis = connect(settings.redis_url)
    async with WhisperClient.session(settings.pronto_token) as session:
        whisper = WhisperClient(session, settings.whisper_url, settings.whisper_timeout_s)
        receiver = Receiver(settings, redis, SileroVad(), whisper, load_turn_model(settings.turn_model))
        server = await serve(
            settings.receiver_host,
            settings.receiver_port,
            receiver.health,
            receiver.ready,
            token=settings.pronto_token,
        )
        try:
            await until_stopped(receiver.run())
        finally:
            await server.cleanup()
            await redis.aclose()


def main() -> int:
    """Reads the settings and runs; 2 when a setting does not fit."""
    try:
        settings = load(ReceiverSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    gc.collect()
    gc.freeze()  # what is loaded by now stays: looking at it again and again would hold up the audio
    sys.setswitchinterval(SWITCH_S)
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
