"""The real bot manager as a process of its own, to be killed, stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from config import ROOT
from devstack.processes import free_tcp_port
from tests.bot_manager.conftest import PATIENCE_S, until

START_PATIENCE_S = 60.0  # cold, on a machine that has other work


class Bot:
    """One bot manager process after the other, with the same settings."""

    def __init__(self, environment: dict[str, str], port: int, log: Path) -> None:
        self.environment = environment
        self.log = log
        self._port = port
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        await self.launch()
        await self.ready()

    async def ready(self) -> None:
        """Returns when it drives the calls."""
        await until(self.is_ready, START_PATIENCE_S)

    async def waits(self) -> None:
        """Starts it; returns when it is there and says that another one drives."""

        async def says_so() -> bool:
            try:
                status, reason = await self.get("/ready")
            except OSError:
                return False
            return status == 503 and "another bot manager" in reason

        await self.launch()
        await until(says_so, START_PATIENCE_S)

    async def launch(self) -> asyncio.subprocess.Process:
        with self.log.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot_manager", cwd=ROOT, env=self.environment, stderr=log
            )
        return self.process

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self._port}{path}") as response,
        ):
            return response.status, await response.text()

    async def post(self, path: str) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self._port}{path}") as response,
        ):
            body: dict[str, Any] = await response.json()
            return body

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log.read_text()
        try:
            status, _ = await self.get("/ready")
        except aiohttp.ClientError:
            return False
        return status == 200

    async def is_away(self) -> bool:
        status, reason = await self.get("/ready")
        return status == 503 and "redis is away" in reason

    async def end(self, how: int) -> int:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def bot_of(settings: dict[str, str], log: Path) -> AsyncIterator[Bot]:
    """A bot manager with these settings on a port of its own; not started yet, and gone afterwards."""
    port = free_tcp_port()
    bot = Bot(settings | {"BOT_PORT": str(port)}, port, log)
    yield bot
    if bot.process is not None and bot.process.returncode is None:
        await bot.end(signal.SIGKILL)
