"""Bot managers killed at random moments while calls end: is each end told, and under one key?

    python -m benchmarks.webhook_kills [--rounds 100] [--calls 5] [--seed 1]

A real Redis, two bot managers as processes (one drives, one waits), a receiver that answers every other time with 503
or not at all and keeps what it took. In each round callers hang up within half a second, and the driver is killed
(SIGKILL) within the same half second; every call counts as one kill.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.bot_kills import main_of
from protocol.bus import connect
from protocol.signatures import HEADER, is_ours
from tests.background import running
from tests.bot_manager.bot_process import bot_of
from tests.bot_manager.conftest import CELL, Exchange, until
from tests.bot_manager.shipped import environment_in

KEY = "a-key-of-our-webhooks"
PATIENCE_S = 600.0


class Crm:
    """Takes webhooks when it is in the mood. `taken`: call -> keys; `asked` counts requests."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: dict[str, set[str]] = {}
        self.asked: Counter[str] = Counter()
        self.bad = 0
        self.moody = True

    async def take(self, request: web.Request) -> web.Response:
        body: Any = await request.read()
        at = int(request.headers[HEADER].partition(",")[0].removeprefix("t="))
        self.bad += not is_ours(KEY, request.headers[HEADER], body, at)
        key = request.headers["Idempotency-Key"]
        self.asked[key] += 1
        if self.moody and self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.random())
            return web.Response(status=503)
        told = (await request.json())["call"]["id"]
        self.taken.setdefault(told, set()).add(key)
        return web.Response(status=204)


async def measure(redis_url: str, folder: Path, rounds: int, calls: int, seed: int) -> bool:
    """Runs and prints; whether each call was told, under one key."""
    (folder / "webhook").write_text(KEY)
    crm, chance = Crm(seed), random.Random(seed)
    app = web.Application()
    app.router.add_post("/pronto", crm.take)
    server = TestServer(app)
    await server.start_server()
    settings = {
        **environment_in(folder, CELL, redis_url),
        "ACTION_PRIVATE_HOSTS": f"127.0.0.1:{server.port}",
        "ACTION_CREDENTIALS_DIR": str(folder),
        "WEBHOOK_URL": f"http://127.0.0.1:{server.port}/pronto",
        "BOT_DRAIN_S": "0.1",
    }
    redis = connect(redis_url)
    exchange = Exchange(redis)
    count = 0
    async with (
        running(exchange.read(), exchange.write()),
        bot_of(settings, folder / "a.log") as driver,
        bot_of(settings, folder / "b.log") as other,
    ):
        await driver.launch()
        await driver.ready()
        await other.waits()
        for _ in range(rounds):
            lines = [exchange.line(f"kill-{count + number:05d}") for number in range(calls)]
            count += calls
            for line in lines:
                line.ring()
            await asyncio.gather(*(line.prompts() for line in lines))

            async def ends(line: Any, after_s: float) -> None:
                await asyncio.sleep(after_s)
                line.hang_up()

            ending = asyncio.gather(*(ends(line, chance.random() * 0.5) for line in lines))
            await asyncio.sleep(chance.random() * 0.5)
            assert driver.process is not None
            os.kill(driver.process.pid, signal.SIGKILL)
            await driver.process.wait()
            await ending
            await other.ready()
            await driver.waits()
            driver, other = other, driver
        crm.moody = False
        await until(lambda: len(crm.taken) == count, PATIENCE_S)
    await redis.aclose()
    await server.close()
    more = sum(len(keys) > 1 for keys in crm.taken.values())
    again = sum(times > 1 for times in crm.asked.values())
    print(f"{rounds} kills, {count} calls that ended meanwhile: {len(crm.taken)} told, {more} under more than one key, "
          f"{again} tried more than once; {crm.bad} bad signatures")  # fmt: skip
    return len(crm.taken) == count and not more and not crm.bad


if __name__ == "__main__":
    sys.exit(main_of(measure, __doc__, rounds=100))
