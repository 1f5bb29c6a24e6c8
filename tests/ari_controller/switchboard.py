"""What tests of calls hold in their hands: the controller's process, the bot manager's side of the bus, the receiver's
socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from callers.sip_caller import SipCaller
from config import ROOT
from devstack.asterisk import ARI_USER, Asterisk
from devstack.processes import ChildProcess, free_tcp_port
from devstack.redis_server import as_user
from devstack.run_folder import RunFolder
from protocol.bus import Outbox
from protocol.codec import decode
from protocol.items import prompts as items
from protocol.keys import stream_key
from protocol.messages import CallEnded, CallStarted, Command, Event, Say

CELL = "test"
START_DEADLINE_S = 60.0  # cold, on a machine that has other work
E = TypeVar("E")


class ControllerProcess:
    """`python -m ari_controller`, which a test may stop, kill and start again."""

    def __init__(self, asterisk: Asterisk, redis_url: str, prompts_dir: Path, log: Path, rtp_port: int) -> None:
        self.port = free_tcp_port()
        self.parts_folder = RunFolder("parts", Path("/dev/shm"))
        self.parts_folder.create()
        self.environment = {
            "PRONTO_CELL": CELL,
            "REDIS_URL": as_user(redis_url, "controller"),
            "ARI_URL": asterisk.ari_url,
            "ARI_USER": ARI_USER,
            "ARI_PASSWORD": asterisk.settings.ari_password,
            "ARI_APP": asterisk.settings.app,
            "RTP_HOST": "127.0.0.1",
            "RTP_PORT": str(rtp_port),
            "PROMPTS_DIR": str(prompts_dir),
            "RECORDINGS_DIR": str(asterisk.recordings_dir),
            "CONTROLLER_PORT": str(self.port),
            "STRAIN_LIMIT": "0",  # on a busy machine callers would hear that all is busy
            "PYTHONPATH": str(ROOT),
            "SPEECH_URL": "",
            "SPEECH_PARTS_DIR": str(self.parts_folder.path),
        }
        self._log = log
        self.child = self._child()

    @property
    def parts(self) -> Path:
        """The folder of its part files."""
        return Path(self.environment["SPEECH_PARTS_DIR"]) / CELL

    def _child(self) -> ChildProcess:
        return ChildProcess("ari_controller", [sys.executable, "-m", "ari_controller"], self._log, self.environment)

    def launch(self, **settings: str) -> None:
        """Returns when the process exists."""
        self.environment |= settings
        self.child = self._child()
        self.child.start()

    async def start(self, **settings: str) -> None:
        """Returns when it takes calls."""
        self.launch(**settings)
        await asyncio.to_thread(self.child.wait_until, self.is_ready, START_DEADLINE_S)

    async def kill(self) -> None:
        """As a crash would."""
        await self.stop(grace_s=0.0)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Returns when it is gone."""
        await asyncio.to_thread(self.child.stop, grace_s)

    def is_ready(self) -> bool:
        try:
            return self.get("/ready")[0] == 200
        except OSError:
            return False

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and body of its HTTP server."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5.0)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def channels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.get("/channels")[1])["channels"]
        return found

    def metric(self, line: str) -> float:
        """The value of one series, 0 when there is none yet."""
        for row in self.get("/metrics")[1].splitlines():
            name, _, value = row.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""


class Media(asyncio.DatagramProtocol):
    """The receiver's socket: counts and keeps packets by source address."""

    def __init__(self) -> None:
        self.packets: dict[tuple[str, int], list[bytes]] = {}
        self._changed = asyncio.Event()
        self.port = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.packets.setdefault(addr, []).append(data)
        self._changed.set()

    async def until(self, holds: Callable[[], bool], deadline_s: float = 10.0) -> None:
        async with asyncio.timeout(deadline_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    def loudest(self, source: tuple[str, int], since: int = 0) -> int:
        """Peak level of what came from a source; payloads are int16, big-endian."""
        packets = self.packets.get(source, [])[since:]
        return max((int(np.abs(np.frombuffer(p[12:], ">i2").astype(int)).max()) for p in packets), default=0)


class Bot:
    """The bot manager's side: reads every event, sends commands."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.events: list[Event] = []
        self.outbox = Outbox(redis, CELL)
        self._changed = asyncio.Event()

    async def read(self) -> None:
        position = "0-0"
        while True:
            reply: Any = await self.redis.xread({stream_key(CELL, "events"): position}, block=1_000)
            for entry_id, fields in reply[0][1] if reply else []:
                position = entry_id
                self.events.append(decode(fields["m"]))  # type: ignore[arg-type]
            self._changed.set()

    def channel_of(self, call_id: str) -> str:
        """Asterisk's id of a caller's channel."""
        return self.of(CallStarted, call_id)[0].channel_id

    def do(self, command: Command) -> None:
        self.outbox.send(command)

    def of(self, kind: type[E], call_id: str = "") -> list[E]:
        return [event for event in self.events if isinstance(event, kind) and call_id in ("", event.call_id)]

    async def next(self, kind: type[E], call_id: str = "", deadline_s: float = 10.0, **fields: Any) -> E:
        """The first event of a kind with these fields, seen already or still to come."""

        def fits(event: Any) -> bool:
            return all(getattr(event, name) == value for name, value in fields.items())

        await self.until(lambda: any(map(fits, self.of(kind, call_id))), deadline_s, f"{kind.__name__} {fields}")
        return next(filter(fits, self.of(kind, call_id)))

    async def until(self, holds: Callable[[], bool], deadline_s: float = 10.0, what: str = "") -> None:
        try:
            async with asyncio.timeout(deadline_s):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"did not come: {what}; there were {self.events}") from None

    def play(self, call_id: str, number: int, *prompts: str, offset_ms: int = 0, language: str = "fr") -> str:
        playback_id = f"p-{call_id}-{number}"
        self.do(Say(call_id, time.time(), 1, playback_id, language, items(*prompts), offset_ms))
        return playback_id


async def dial(caller: SipCaller, bot: Bot, extension: str = "bot") -> str:
    """Calls the bot; returns the call id."""
    known = len(bot.of(CallStarted))
    assert await caller.dial(extension) == 200
    await bot.until(lambda: len(bot.of(CallStarted)) > known, what="CallStarted")
    return bot.of(CallStarted)[-1].call_id


async def ended(bot: Bot, call_id: str) -> CallEnded:
    """The end of a call."""
    return await bot.next(CallEnded, call_id)


async def eventually(condition: Callable[[], bool], deadline_s: float = 10.0, what: str = "it") -> None:
    """Asks until it holds, in a thread: what is asked may take its time to answer."""
    deadline = time.monotonic() + deadline_s
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, f"{what} did not come true in {deadline_s:g} s"
        await asyncio.sleep(0.01)


async def no_keys(redis: Redis, *patterns: str) -> None:
    """Waits until Redis holds none of these keys."""
    deadline = time.monotonic() + 5.0
    while left := [key for pattern in patterns for key in await redis.keys(pattern)]:
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.01)


async def becomes(redis: Redis, key: str, value: str | None) -> None:
    """Waits until a key has this value."""
    deadline = time.monotonic() + 5.0
    while (there := await redis.get(key)) != value:
        assert time.monotonic() < deadline, f"{key} is {there!r}"
        await asyncio.sleep(0.01)


def loudest_hz(samples: NDArray[np.int16]) -> float:
    """The strongest frequency in 8 kHz samples."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    return float(np.argmax(spectrum) * 8_000 / len(samples))
