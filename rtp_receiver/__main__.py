"""Runs one RTP receiver: `python -m rtp_receiver`."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import sys

import uvloop

from config import BadSettings, ReceiverSettings, load
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve
from observability.lifecycle import until_stopped
from observability.logs import set_up_logs
from observability.standby import take_place
from protocol.bus import connect
from protocol.draining import tell_draining
from rtp_receiver.datagrams import open_socket
from rtp_receiver.receiver import Receiver
from rtp_receiver.silero import SileroVad
from rtp_receiver.turn_model import TurnModel, load_turn_model
from rtp_receiver.whisper import WhisperClient

SWITCH_S = 0.0001
"""A VAD step gives Python's lock away some forty times: the event loop must not keep it the usual 5 ms each time."""
WAIT_S = 0.01


async def rtp_socket(settings: ReceiverSettings) -> socket.socket:
    """The socket for RTP. Where a successor takes over from a process, it waits until that one has let go of the port:
    an utterance is heard by one of the two. Raises OSError."""
    while True:
        try:
            return open_socket(settings.rtp_ip, settings.rtp_port, shared=not settings.reuse_port)
        except OSError as error:
            if not (settings.reuse_port and error.errno == errno.EADDRINUSE):
                raise
        await asyncio.sleep(WAIT_S)


async def run(settings: ReceiverSettings, vad: SileroVad, turn_model: TurnModel | None, follows: bool) -> None:
    """Receives until a signal comes; `follows`: in the place of a process that has just ended."""
    redis = connect(settings.redis_url)
    receiver: Receiver | None = None
    drain = Drain(lambda: receiver.calls if receiver else 0)
    stopping = False
    report = ServiceReport(
        lambda: receiver.health() if receiver else {},
        lambda: receiver.ready() if receiver else (False, "another process has the RTP port"),
        drain,
    )
    server = await serve(
        report,
        settings.receiver_host,
        settings.receiver_port,
        settings.pronto_token,
        reuse_port=settings.reuse_port,
    )

    async def finish() -> None:
        nonlocal stopping
        stopping = True  # a successor is there or comes: new calls are welcome
        drain.begin()
        if receiver:
            await receiver.finish()

    async def receive() -> None:
        nonlocal receiver
        sock = await rtp_socket(settings)
        async with WhisperClient(settings.whisper_url, settings.whisper_timeout_s, settings.pronto_token) as whisper:
            receiver = Receiver(settings, redis, vad, whisper, sock, turn_model, follows)
            await receiver.run()

    def refuses_calls() -> bool:
        return drain.is_draining and not stopping

    try:
        await until_stopped(
            receive(),
            tell_draining(redis, settings.cell, "rtp_receiver", refuses_calls),
            server.alive(),
            before_end=finish,
        )
    finally:
        await server.stop()
        await redis.aclose()


def main() -> int:
    """Reads the settings and runs; 2 when a setting does not fit."""
    try:
        settings = load(ReceiverSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    vad, turn_model = SileroVad(), load_turn_model(settings.turn_model)
    follows = take_place(settings.standby_lock, wait=settings.standby)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: looking at it again and again would hold up the audio
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings, vad, turn_model, follows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
