"""How long the bot manager itself takes: from a transcript on the bus to the next prompt on the bus.

Runs the real bot manager process on a real Redis with the shipped flow; the intent service is a local HTTP server that
answers at once, so that only our own share is measured. Prints milliseconds per turn and CPU time per turn.

    python -m benchmarks.bot_latency --calls 1 10 50 100 --turns 8
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time

import aiohttp
from aiohttp import web

from benchmarks.receiver_load import cpu_s
from config import ROOT
from devstack.processes import free_tcp_port
from devstack.redis_server import RedisServer
from observability.lifecycle import cancel_all
from protocol.bus import Inbox, Outbox, connect
from protocol.messages import (
    CallEnded,
    CallStarted,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    UtteranceTranscribed,
)

CELL = "benchmark"
PAUSE_S = 3.0  # between two turns of one call: a prompt, a thought, an answer


class Caller:
    """One call: says something, measures until the next prompt is asked for."""

    def __init__(self, call_id: str, outbox: Outbox) -> None:
        self.call_id = call_id
        self.prompts: asyncio.Queue[Say] = asyncio.Queue()
        self.seconds: list[float] = []
        self._outbox = outbox

    def _send(self, message: Message) -> None:
        self._outbox.send(message)

    async def _listen(self) -> int:
        async with asyncio.timeout(30):
            play = await self.prompts.get()
        self._send(PlaybackStarted(self.call_id, time.time(), play.playback_id))
        self._send(PlaybackFinished(self.call_id, time.time(), play.playback_id, "finished", 500))
        return play.turn

    async def run(self, turns: int, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._send(CallStarted(self.call_id, time.time(), "", ""))
        turn = await self._listen()
        for number in range(1, turns + 1):
            await asyncio.sleep(PAUSE_S)
            now = time.time()
            # a bare yes needs no intent; the rest is asked over HTTP
            text = "oui" if number == 1 else "vous pouvez répéter la question"
            started = time.perf_counter()
            self._send(
                UtteranceTranscribed(
                    self.call_id, now, turn, number, text, 0.95, now - 2, now - 0.9, now - 0.2, now - 0.7, 1_500
                )
            )
            turn = await self._listen()
            self.seconds.append(time.perf_counter() - started)
        self._send(CallEnded(self.call_id, time.time(), "caller_hung_up"))


async def intent_server() -> tuple[web.AppRunner, str]:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"intent": "repeat", "score": 0.9, "fallback": False})

    app = web.Application()
    app.router.add_post("/embedding_main/", answer)
    app.router.add_post("/embedding_faqs/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, f"http://127.0.0.1:{port}"


async def ready(port: int) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def measure(counts: list[int], turns: int) -> None:
    server = RedisServer()
    await asyncio.to_thread(server.start)
    runner, url = await intent_server()
    port = free_tcp_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PRONTO_CELL": CELL,
            "REDIS_URL": server.url,
            "BOT_PORT": str(port),
            "DATABASE_URL": f"sqlite:///{folder}/calls.sqlite",
            "INTENT_MAIN_URL": f"{url}/embedding_main/",
            "INTENT_FAQS_URL": f"{url}/embedding_faqs/",
            "LOG_LEVEL": "WARNING",
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot_manager", cwd=ROOT, env=environment)
        redis = connect(server.url)
        outbox, inbox = Outbox(redis, CELL), Inbox(redis, CELL, "commands", "benchmark")
        callers: dict[str, Caller] = {}

        async def read() -> None:
            async for message in inbox.messages():
                if isinstance(message, Say):
                    callers[message.call_id].prompts.put_nowait(message)

        jobs = [asyncio.create_task(outbox.run()), asyncio.create_task(read())]
        try:
            await ready(port)
            callers["warm"] = Caller("warm", outbox)
            await callers["warm"].run(2, 0.0)
            print("calls at once | turns | p50 ms | p95 ms | max ms | bot CPU ms per turn")
            for count in counts:
                batch = [Caller(f"{count}-{number}", outbox) for number in range(count)]
                callers.update({caller.call_id: caller for caller in batch})
                before = cpu_s(process.pid)
                await asyncio.gather(
                    *(caller.run(turns, PAUSE_S * number / count) for number, caller in enumerate(batch))
                )
                cpu_ms = 1_000 * (cpu_s(process.pid) - before) / (count * (turns + 1))
                times = sorted(1_000 * seconds for caller in batch for seconds in caller.seconds)
                p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
                print(
                    f"{count:13} | {len(times):5} | {statistics.median(times):6.1f} | {p95:6.1f} | {times[-1]:6.1f}"
                    f" | {cpu_ms:.2f}"
                )
        finally:
            process.terminate()
            await process.wait()
            await cancel_all(*jobs)
            await redis.aclose()
            await runner.cleanup()
            await asyncio.to_thread(server.stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10, 50, 100], help="calls at once, one row each")
    parser.add_argument("--turns", type=int, default=8, help="turns of each call")
    args = parser.parse_args()
    asyncio.run(measure(args.calls, args.turns))


if __name__ == "__main__":
    main()
