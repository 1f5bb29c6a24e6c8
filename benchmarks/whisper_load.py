"""Callers of a Whisper service: closed loop (each asks again when answered) or open loop (a fixed rate)."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
import numpy as np


@dataclass
class Answers:
    """What came back: (start, seconds, status) of every request, and the texts."""

    times: list[tuple[float, float, int]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    """(number of the body, text or reason)"""
    seconds: float = 0.0

    def of(self, status: int) -> list[float]:
        """Seconds of the requests that ended in `status`."""
        return [seconds for _, seconds, got in self.times if got == status]

    def statuses(self) -> dict[int, int]:
        """How many requests ended in which status; 0 is a broken connection."""
        return dict(Counter(status for _, _, status in self.times))

    def line(self) -> str:
        """Requests per second and latencies of the answered ones."""
        good = self.of(200)
        if not good:
            return f"none answered, {self.statuses()}"
        return f"{len(good) / self.seconds:6.1f} req/s  {milliseconds(good)}  {self.statuses()}"


def milliseconds(seconds: Sequence[float]) -> str:
    """Median, p95 and the longest."""
    p50, p95, longest = (1000 * float(np.percentile(seconds, q)) for q in (50, 95, 100))
    return f"p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  max {longest:6.1f} ms"


def body(wav: bytes, **fields: object) -> bytes:
    """The JSON of one /whisper request."""
    return json.dumps({"audio": base64.b64encode(wav).decode(), "filename": "a.wav", **fields}).encode()


async def _ask(session: aiohttp.ClientSession, url: str, number: int, bodies: Sequence[bytes], into: Answers) -> int:
    began = time.perf_counter()
    status = 0
    try:
        async with session.post(
            url, data=bodies[number % len(bodies)], headers={"Content-Type": "application/json"}
        ) as answer:
            status = answer.status
            fields = await answer.json()
            if status == 200:
                into.texts.append((number % len(bodies), fields["transcription"] or fields["reason"]))
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError):
        status = 0
    into.times.append((began, time.perf_counter() - began, status))
    return status


def _session(connections: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30))


async def closed_loop(
    url: str,
    bodies: Sequence[bytes],
    callers: int,
    requests: int,
    answers: Answers | None = None,
    ask_again: bool = True,
) -> Answers:
    """`callers` callers ask `requests` times in all; who gets 503 asks again after 100 ms, if `ask_again`."""
    answers = answers or Answers()
    numbers = iter(range(requests))

    async def caller(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            while await _ask(session, url, number, bodies, answers) == 503 and ask_again:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    began = time.perf_counter()
    async with _session(callers) as session:
        await asyncio.gather(*(caller(session) for _ in range(callers)))
    answers.seconds = time.perf_counter() - began
    return answers


async def open_loop(url: str, bodies: Sequence[bytes], per_second: float, seconds: float) -> Answers:
    """Asks at a fixed rate for some time; nobody waits for anybody."""
    answers = Answers()
    began = time.perf_counter()
    async with _session(2_000) as session:
        tasks = []
        for number in range(int(per_second * seconds)):
            due = began + number / per_second
            if due > time.perf_counter():
                await asyncio.sleep(due - time.perf_counter())
            tasks.append(asyncio.create_task(_ask(session, url, number, bodies, answers)))
        await asyncio.gather(*tasks)
    answers.seconds = time.perf_counter() - began
    return answers
