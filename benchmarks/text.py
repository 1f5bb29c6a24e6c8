"""Conversations in writing over WebSockets: what is lost when sockets and processes die, and how fast answers are.

    python -m benchmarks.text cuts     [--count 1000] [--clients 10]
    python -m benchmarks.text kills    [--count 50] [--what text_service|bot_manager]
    python -m benchmarks.text sessions [--clients 500] [--every 15] [--seconds 60] [--core 0]
    python -m benchmarks.text sockets  [--clients 200] [--every 20] [--seconds 300]

The services that conversations in writing need, and clients as browsers are (`callers/writer.py`) that go through the
heating line again and again. `cuts` breaks sockets off at random moments of answers, `kills` the process, 0 to 60 ms
after a query was sent; at the end each client's messages are compared with the history: all there, none twice, in
order, each answered. `sessions` lets each client write every so many seconds, with all services and Redis on one core,
and tells from query to answer; `sockets` is the same on all cores, for longer, and tells whether memory stays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import psutil

from callers.writer import Writer
from devstack.processes import wait_for
from devstack.stack import IN_WRITING, Stack, StackPlan

KEY = "a-key-of-a-benchmark"
AUTHORISED = {"Authorization": f"Bearer {KEY}"}
LEAD = ("oui bonjour", "75011", "oui", "je suis propriétaire", "au gaz", "oui", "demain à 14 heures", "oui")
SETTINGS = {
    "TEXT_API_KEY": KEY,
    "TEXT_CLIENT_RATE": "10000",
    "TEXT_ADDRESS_RATE": "100000",
    "TEXT_ADDRESS_SOCKETS": "2000",
    "TEXT_SOCKETS": "2000",
    "MAX_CALLS": "1000",
    "STRAIN_LIMIT": "0",
}
LATEST_S = 0.06
"""After a query: when it is answered already, at the latest."""


def url_of(stack: Stack) -> str:
    """Of the WebSocket."""
    return stack.url("text_service").replace("http://", "ws://") + "/ws/text"


async def faults_of(stack: Stack, writer: Writer, written: Sequence[str]) -> list[str]:
    """What is wrong with what a client was shown, against the history."""
    async with httpx.AsyncClient(base_url=stack.url("text_service"), headers=AUTHORISED) as client:
        stored = (await client.get(f"/api/text/history/{writer.client_id}")).json()["messages"]
    shown = [one.id for one in writer.shown][-len(stored) :]
    faults = []
    if shown != [one["id"] for one in stored]:
        faults.append("shown otherwise than stored")
    if len({one.id for one in writer.shown}) != len(writer.shown) or writer.twice:
        faults.append("shown twice")
    if [one.text for one in writer.shown if one.role == "user"] != list(written):
        faults.append("queries lost, twice or out of order")
    return faults + [f"error {error['code']}" for error in writer.errors]


async def cuts(stack: Stack, count: int, clients: int) -> Counter[str]:
    """Cuts sockets; what went wrong."""
    chance, left = random.Random(1), count
    faults: Counter[str] = Counter()

    async def talk(number: int) -> None:
        nonlocal left
        async with Writer(url_of(stack), AUTHORISED, f"benchmark-client-{number}").writing() as writer:
            written: list[str] = []
            while left > 0:
                text = LEAD[len(written) % len(LEAD)]
                written.append(text)
                asked = asyncio.create_task(writer.ask(text))
                for _ in range(min(left, chance.randrange(1, 4))):
                    left -= 1
                    await asyncio.sleep(chance.random() * LATEST_S)
                    writer.cut()
                if not (await asyncio.wait_for(asked, 60))["response"]:
                    faults["no answer"] += 1
            faults.update(await faults_of(stack, writer, written))

    await asyncio.gather(*(talk(number) for number in range(clients)))
    return faults


async def kills(stack: Stack, count: int, what: str) -> Counter[str]:
    """Kills a service in the middle of answers; what went wrong."""
    chance = random.Random(2)
    faults: Counter[str] = Counter()
    async with Writer(url_of(stack), AUTHORISED, "benchmark-survivor").writing() as writer:
        written: list[str] = []
        for number in range(count):
            text = LEAD[len(written) % len(LEAD)]
            written.append(text)
            asked = asyncio.create_task(writer.ask(text))
            await asyncio.sleep(chance.random() * LATEST_S)
            pid = stack.services[what].pid
            os.kill(pid, signal.SIGKILL)
            is_back = await asyncio.to_thread(wait_for, _is_another(stack, what, pid), 60.0)
            faults["did not come back"] += not is_back
            if not (await asyncio.wait_for(asked, 60))["response"]:
                faults["no answer"] += 1
            print(f"{number + 1} kills", end="\r", flush=True)
        faults.update(await faults_of(stack, writer, written))
    return +faults


def _is_another(stack: Stack, what: str, pid: int) -> Callable[[], bool]:
    return lambda: stack.services[what].pid != pid and stack.is_ready(what)


async def sessions(stack: Stack, clients: int, every_s: float, seconds: float, core: int | None) -> dict[str, object]:
    """Clients at once, the services on one core or on all; times from query to answer, in ms, and memory."""
    pids = [one.pid for one in stack.services.values()]
    pids += [one.pid for one in psutil.process_iter(["name"]) if "redis" in (one.info["name"] or "") and _is_ours(one)]
    for pid in pids:
        for thread in psutil.Process(pid).threads():
            if core is not None:
                os.sched_setaffinity(thread.id, {core})
    chance = random.Random(3)
    took_ms: list[float] = []
    took_cached_ms: list[float] = []
    memory: dict[str, list[float]] = {name: [] for name in stack.services}
    until_s = time.monotonic() + seconds
    async with AsyncExitStack() as stays:

        async def come(number: int) -> Writer:
            return await stays.enter_async_context(
                Writer(url_of(stack), AUTHORISED, f"benchmark-session-{number}").writing()
            )

        writers = [await come(number) for number in range(clients)]
        until_s = time.monotonic() + seconds
        used_s = _used_s(pids)
        began_s = time.monotonic()

        async def talk(writer: Writer) -> None:
            await asyncio.sleep(chance.random() * every_s)
            number = 0
            while time.monotonic() < until_s:
                asked_s = time.monotonic()
                answer = await writer.ask(LEAD[number % len(LEAD)])
                took_ms.append((time.monotonic() - asked_s) * 1_000)
                if answer["cached"]:
                    took_cached_ms.append(took_ms[-1])
                number += 1
                await asyncio.sleep(max(0.0, every_s * (0.5 + chance.random()) - (time.monotonic() - asked_s)))

        async def look() -> None:
            while time.monotonic() < until_s:
                await asyncio.sleep(min(5.0, seconds / 12))
                for name, service in stack.services.items():
                    memory[name].append(psutil.Process(service.pid).memory_info().rss / 2**20)

        await asyncio.gather(look(), *(talk(writer) for writer in writers))
        wall_s = time.monotonic() - began_s
        share = (_used_s(pids) - used_s) / wall_s
    ordered = sorted(took_ms)
    percentiles = {f"p{share}": round(ordered[len(ordered) * share // 100], 1) for share in (50, 95, 99)}
    return {
        "answers": len(ordered),
        "a_second": round(len(ordered) / wall_s, 1),
        **percentiles,
        "longest": round(ordered[-1], 1),
        "cached": len(took_cached_ms),
        "cached_p50": round(sorted(took_cached_ms)[len(took_cached_ms) // 2], 1) if took_cached_ms else None,
        "core_used": round(share, 2),
        "mb": {name: _first_last_most(samples) for name, samples in memory.items()},
        "errors": sum(len(writer.errors) for writer in writers),
    }


def _first_last_most(samples: Sequence[float]) -> list[float]:
    """The middle of the first fifth of the samples and of the last one, and the largest."""
    fifth = max(1, len(samples) // 5)
    middle = [sorted(part)[len(part) // 2] for part in (samples[:fifth], samples[-fifth:])]
    return [round(one, 1) for one in (*middle, max(samples))]


def _is_ours(process: psutil.Process) -> bool:
    return any(parent.pid == os.getpid() for parent in process.parents())


def _used_s(pids: Sequence[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def _plan(folder: Path) -> StackPlan:
    return StackPlan(folder / "logs", folder / "state", settings=SETTINGS, services=IN_WRITING)


def main() -> int:
    """The exit status: 1 when something was lost, shown twice or out of order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what_is_done", choices=("cuts", "kills", "sessions", "sockets"))
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--clients", type=int, default=0)
    parser.add_argument("--what", choices=("text_service", "bot_manager"), default="text_service")
    parser.add_argument("--every", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--core", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pronto-text-") as folder, Stack(_plan(Path(folder))) as stack:
        match args.what_is_done:
            case "cuts":
                found = asyncio.run(cuts(stack, args.count or 1_000, args.clients or 10))
            case "kills":
                found = asyncio.run(kills(stack, args.count or 50, args.what))
            case _:
                is_long = args.what_is_done == "sockets"
                clients, every_s, seconds, core = (200, 20.0, 300.0, None) if is_long else (500, 15.0, 60.0, args.core)
                of = (args.clients or clients, args.every or every_s, args.seconds or seconds, core)
                figures = asyncio.run(sessions(stack, *of))
                print(json.dumps(figures))
                return 1 if figures["errors"] else 0
    print(json.dumps({"faults": dict(found)}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
