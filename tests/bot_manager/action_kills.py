"""Bot managers that are killed while actions are under way, and a server that keeps a ledger of what it did."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from protocol.messages import HangUp, Say
from tests.bot_manager.bot_process import bot_of
from tests.bot_manager.conftest import Exchange, Line

FLOW = """\
flow: booking
language: fr
start: ask
too_long: bye
trouble: {say: trouble_again, then: bye}
slots: {number: {type: digits, length: 4}}
defaults:
  no_input: {say: hello, then: bye}
  no_match: {say: hello, retries: 2, then: bye}
actions:
  book:
    post: "http://127.0.0.1:PORT/bookings"
    body: {number: "{number}"}
    gives: {code: text}
    timeout_ms: 5000
states:
  ask:
    say: "Quel numéro ?"
    slot: number
    filled: book
  book:
    action: book
    filler: "Un instant."
    outcomes: {ok: booked}
    otherwise: bye
  booked: {say: "Le code est {code}.", hangup: true, outcome: booked}
  bye: {say: "Au revoir.", hangup: true, outcome: failed}
"""


@dataclass
class Ledger:
    """A server that books once for each key. `effects`: number -> bookings, `asked` counts requests of each number."""

    chance: random.Random
    port: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, str] = field(default_factory=dict)

    async def book(self, request: web.Request) -> web.Response:
        key, number = request.headers["Idempotency-Key"], (await request.json())["number"]
        self.asked[number] += 1
        await asyncio.sleep(self.chance.random() * 0.5)
        if key not in self.codes:
            self.codes[key] = f"{len(self.codes):04d}"
            self.effects[number] += 1
        await asyncio.sleep(self.chance.random() * 1.0)
        return web.json_response({"code": self.codes[key]})


@asynccontextmanager
async def ledger_of(seed: int) -> AsyncIterator[Ledger]:
    """The server, as long as it is needed."""
    found = Ledger(random.Random(seed))
    app = web.Application()
    app.router.add_post("/bookings", found.book)
    server = TestServer(app)
    await server.start_server()
    found.port = int(server.port or 0)
    yield found
    await server.close()


def write_flow(flows_dir: Path, port: int) -> None:
    """The flow of these tests, beside the others."""
    (flows_dir / "fr" / "booking.yaml").write_text(FLOW.replace("PORT", str(port)), encoding="utf-8")


@dataclass
class Round:
    """What came of one kill: how many calls booked, and after how many seconds each caller heard something."""

    booked: int
    heard_after_s: list[float]


class Kills:
    """One bot manager that drives and one that waits, over and over."""

    def __init__(self, settings: dict[str, str], exchange: Exchange, ledger: Ledger, folder: Path) -> None:
        self.settings = settings | {"ACTION_PRIVATE_HOSTS": f"127.0.0.1:{ledger.port}", "BOT_DRAIN_S": "0.1"}
        self.exchange = exchange
        self.ledger = ledger
        self.folder = folder
        self.calls = 0

    async def run(self, rounds: int, calls: int, seed: int) -> list[Round]:
        """`rounds` kills with `calls` calls in an action each."""
        chance = random.Random(seed)
        found = []
        async with (
            bot_of(self.settings, self.folder / "a.log") as one,
            bot_of(self.settings, self.folder / "b.log") as two,
        ):
            await one.launch()
            await one.ready()
            await two.waits()
            driver, other = one, two
            for _ in range(rounds):
                lines = await asyncio.gather(*(self._begin() for _ in range(calls)))
                for line in lines:
                    line.transcript(line.call_id[-4:])
                await asyncio.sleep(chance.random() * 1.2)
                assert driver.process is not None
                os.kill(driver.process.pid, signal.SIGKILL)
                killed_at, before = time.monotonic(), {id(command) for command in self.exchange.commands}
                await driver.process.wait()
                ends = await asyncio.gather(*(self._finish(line, killed_at, before) for line in lines))
                heard = [after for _, after in ends if after is not None]
                found.append(Round(sum(is_booked for is_booked, _ in ends), heard))
                await other.ready()
                await driver.waits()
                driver, other = other, driver
        return found

    async def _begin(self) -> Line:
        self.calls += 1
        line = self.exchange.line(f"kill-{self.calls:04d}")
        line.ring("fr/booking")
        await line.prompts()
        return line

    async def _finish(self, line: Line, killed_at: float, before: set[int]) -> tuple[bool, float | None]:
        """Hears the call out: whether it booked, and seconds from the kill to what is said next, if anything is."""
        first: float | None = None
        while True:
            command = await line.next(Say, HangUp)
            if isinstance(command, HangUp):
                line.over(command)
                return command.reason == "booked", first
            if first is None and id(command) not in before:
                first = time.monotonic() - killed_at
            line.played(command)
