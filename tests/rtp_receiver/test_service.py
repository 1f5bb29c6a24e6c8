"""`python -m rtp_receiver` as a process: health, readiness, metrics, a call, a clean stop; and bad settings."""

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from config import ROOT
from devstack.processes import ChildProcess, free_tcp_port, free_udp_port
from devstack.redis_server import as_user
from protocol.bus import connect
from protocol.codec import BadMessage, decode, encode
from protocol.keys import stream_key
from protocol.media import write_source
from protocol.messages import Listen, MediaStarted, UtteranceTranscribed
from tests.rtp_receiver.fake_asterisk import MediaLeg
from tests.rtp_receiver.packets import silence
from tests.rtp_receiver.speech import say
from tests.rtp_receiver.whisper_server import WhisperServer

OWNER = "je suis propriétaire"


def get(url: str) -> tuple[int, str]:
    """Status and body; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


async def transcribed(redis: Any) -> UtteranceTranscribed:
    """The first UtteranceTranscribed of the stream of events."""
    position = "0-0"
    async with asyncio.timeout(20):
        while True:
            reply = await redis.xread({stream_key("local", "events"): position}, block=1_000)
            for entry_id, fields in reply[0][1] if reply else []:
                position = entry_id
                try:
                    message = decode(fields["m"])
                except BadMessage:
                    continue
                if isinstance(message, UtteranceTranscribed):
                    return message


async def test_the_service_takes_a_call_and_stops_cleanly(redis_url: str, tmp_path: Path) -> None:
    rtp_port, http_port = free_udp_port(), free_tcp_port()
    redis = connect(redis_url)
    async with WhisperServer([OWNER]) as whisper:
        process = ChildProcess(
            "rtp_receiver",
            [sys.executable, "-m", "rtp_receiver"],
            tmp_path / "log",
            {
                "PYTHONPATH": str(ROOT),
                "REDIS_URL": as_user(redis_url, "receiver"),
                "WHISPER_URL": whisper.url,
                "RTP_PORT": str(rtp_port),
                "RECEIVER_PORT": str(http_port),
            },
        )
        leg = MediaLeg(("127.0.0.1", rtp_port))
        base = f"http://127.0.0.1:{http_port}"
        try:
            process.start()
            await asyncio.to_thread(process.wait_until, lambda: get(f"{base}/ready")[0] == 200, 30.0)
            listen = Listen("c1", 0.0, 1, "fr")
            await redis.set("pronto:local:listen:c1", encode(listen))
            await redis.xadd(stream_key("local", "commands"), {"m": encode(listen)})
            await write_source(redis, "local", *leg.source, "c1")  # should it not read messages yet
            await redis.xadd(stream_key("local", "events"), {"m": encode(MediaStarted("c1", 0.0, *leg.source))})
            leg.send(silence(0.3))
            is_known = lambda: '"active_streams": 1' in get(f"{base}/health")[1]  # noqa: E731
            await asyncio.to_thread(process.wait_until, is_known, 20.0)
            leg.send(np.concatenate([say(OWNER), silence(1.5)]))
            assert (await transcribed(redis)).text == OWNER
            _, health = await asyncio.to_thread(get, f"{base}/health")
            assert '"status": "ok"' in health
            assert '"redis": "ok"' in health
            assert '"active_streams": 1' in health
            _, metrics = await asyncio.to_thread(get, f"{base}/metrics")
            assert "pronto_active_streams 1.0" in metrics
            assert 'pronto_whisper_posts_total{outcome="text"} 1.0' in metrics
        finally:
            leg.close()
            status = await asyncio.to_thread(process.stop)
            await redis.aclose()
    assert status == 0, process.log_tail()
    assert "Traceback" not in process.log_tail(200)


def test_a_successor_waits_for_the_port_of_the_process_that_it_replaces(redis_url: str, tmp_path: Path) -> None:
    environment = {
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": as_user(redis_url, "receiver"),
        "RTP_PORT": str(free_udp_port()),
        "RECEIVER_PORT": "",
        "REUSE_PORT": "true",
    }
    ports = [free_tcp_port(), free_tcp_port()]
    command = [sys.executable, "-m", "rtp_receiver"]
    old, new = (
        ChildProcess(f"receiver-{port}", command, tmp_path / str(port), {**environment, "RECEIVER_PORT": str(port)})
        for port in ports
    )
    try:
        old.start()
        old.wait_until(lambda: get(f"http://127.0.0.1:{ports[0]}/ready")[0] == 200, 30.0)
        new.start()
        new.wait_until(lambda: "another process has the RTP port" in get(f"http://127.0.0.1:{ports[1]}/ready")[1], 30.0)
        assert old.stop() == 0
        new.wait_until(lambda: get(f"http://127.0.0.1:{ports[1]}/ready")[0] == 200, 30.0)
    finally:
        old.stop()
        assert new.stop() == 0, new.log_tail()


def test_settings_that_do_not_fit_refuse_to_start() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RTP_PORT": "70000", "VAD_THRESHOLD": "often"}
    done = subprocess.run(
        [sys.executable, "-m", "rtp_receiver"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "RTP_PORT='70000': must be from 0 to 65535" in done.stderr
    assert "VAD_THRESHOLD='often': must be a number" in done.stderr
