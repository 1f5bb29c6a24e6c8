"""Two receiver processes on one UDP port: the kernel shares the calls out; what one heard the other takes over."""

import asyncio
import os
import signal
import sys
from collections import Counter
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
from tests.rtp_receiver.test_service import get
from tests.rtp_receiver.whisper_server import WhisperServer

CELL = "shared-port"
YES = "oui bonjour"
CALLS = 12  # that one process gets them all happens once in two thousand times, and is no fault


class Ear:
    """One receiver process."""

    def __init__(self, name: str, rtp_port: int, redis_url: str, whisper_url: str, folder: Path) -> None:
        self.http_port = free_tcp_port()
        self.process = ChildProcess(
            f"receiver {name}",
            [sys.executable, "-m", "rtp_receiver"],
            folder / f"{name}.log",
            {
                "PYTHONPATH": str(ROOT),
                "PRONTO_CELL": CELL,
                "REDIS_URL": as_user(redis_url, "receiver"),
                "WHISPER_URL": whisper_url,
                "RTP_PORT": str(rtp_port),
                "RECEIVER_PORT": str(self.http_port),
                "RECEIVER_ID": name,
            },
        )

    async def until(self, page: str, text: str) -> None:
        url = f"http://127.0.0.1:{self.http_port}{page}"
        await asyncio.to_thread(self.process.wait_until, lambda: text in get(url)[1], 30.0)

    def metric(self, name: str) -> float:
        _, page = get(f"http://127.0.0.1:{self.http_port}/metrics")
        found = [line.rsplit(" ", 1)[1] for line in page.splitlines() if line.startswith(f"{name} ")]
        return float(found[0]) if found else 0.0


class Said:
    """Every utterance that the receivers told, by call."""

    def __init__(self, redis: Any) -> None:
        self._redis, self._position = redis, "0-0"
        self.utterances: list[tuple[str, int, str]] = []

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.utterances) < count:
                reply = await self._redis.xread({stream_key(CELL, "events"): self._position}, block=1_000)
                for entry_id, fields in reply[0][1] if reply else []:
                    self._position = entry_id
                    try:
                        message = decode(fields["m"])
                    except BadMessage:
                        continue
                    if isinstance(message, UtteranceTranscribed):
                        self.utterances.append((message.call_id, message.utterance, message.text))


async def test_calls_are_shared_out_and_taken_over_when_a_process_dies(redis_url: str, tmp_path: Path) -> None:
    redis, rtp_port = connect(redis_url), free_udp_port()
    speech = np.concatenate([silence(0.3), say(YES), silence(1.2)])
    async with WhisperServer([YES]) as whisper:
        first, second = (Ear(name, rtp_port, redis_url, whisper.url, tmp_path) for name in ("1", "2"))
        legs = {f"c{n}": MediaLeg(("127.0.0.1", rtp_port), ssrc=n + 1) for n in range(CALLS)}
        said = Said(redis)
        try:
            for ear in (first, second):
                ear.process.start()
            for ear in (first, second):
                await ear.until("/ready", '"ready": true')
            for call_id, leg in legs.items():
                listen = encode(Listen(call_id, 0.0, 1, "fr"))
                await redis.set(f"pronto:{CELL}:listen:{call_id}", listen)
                await redis.xadd(stream_key(CELL, "commands"), {"m": listen})
                await write_source(redis, CELL, *leg.source, call_id)
                await redis.xadd(stream_key(CELL, "events"), {"m": encode(MediaStarted(call_id, 0.0, *leg.source))})
            for ear in (first, second):
                await ear.until("/health", f'"active_streams": {CALLS}')
            for leg in legs.values():
                leg.send(speech)
            await said.until(CALLS)
            assert sorted(said.utterances) == sorted((call_id, 1, YES) for call_id in legs)
            packets = [ear.metric("pronto_rtp_packets_total") for ear in (first, second)]
            assert sum(packets) == CALLS * -(-len(speech) // 320)
            assert all(packets), "the kernel gave every call to one process"

            async def all_kept() -> bool:
                """Who hears each call, and that what they heard was told: else the survivor asks for it again."""
                told = await redis.mget([f"pronto:{CELL}:utterance:{call_id}" for call_id in legs])
                hears = await redis.mget([f"pronto:{CELL}:hears:{call_id}" for call_id in legs])
                return set(told) == {"1"} and None not in hears

            async with asyncio.timeout(20):
                while not await all_kept():
                    pass
            heard_by = Counter(await redis.mget([f"pronto:{CELL}:hears:{call_id}" for call_id in legs]))
            os.kill(second.process.pid, signal.SIGKILL)
            await asyncio.to_thread(second.process.stop)
            for leg in legs.values():
                leg.send(speech[:3_200])  # the first packets tell the survivor that it hears these calls now
            taken_over = f"pronto_calls_taken_over_total {float(heard_by['2'])}"
            await first.until("/metrics", taken_over)
            for leg in legs.values():
                leg.send(speech[3_200:])
            await said.until(2 * CALLS)
            assert sorted(said.utterances[CALLS:]) == sorted((call_id, 2, YES) for call_id in legs)
        finally:
            for leg in legs.values():
                leg.close()
            for ear in (first, second):
                await asyncio.to_thread(ear.process.stop)
            await redis.aclose()
