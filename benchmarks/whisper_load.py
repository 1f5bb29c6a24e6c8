"""Callers of a Whisper service: closed loop (each asks again when answered) or open loop (a fixed rate).

They share the processor with what they measure, so they speak HTTP in a few lines over plain connections: a fifth of
what an HTTP client would cost.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

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


class Connections:
    """Kept-alive connections to one URL, as many as are needed at once."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Connections:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, writer in self._idle:
            writer.close()

    async def post(self, content: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError or EOFError on a broken connection."""
        reader, writer = await self._connection()
        try:
            writer.write(f"{self._head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split()[0])
            answer = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if "connection: close" in head:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(head.split()[1]), answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)


async def _ask(connections: Connections, number: int, bodies: Sequence[bytes], into: Answers) -> int:
    began = time.perf_counter()
    status = 0
    try:
        async with asyncio.timeout(120):
            status, answer = await connections.post(bodies[number % len(bodies)])
        if status == 200:
            fields = json.loads(answer)
            into.texts.append((number % len(bodies), fields["transcription"] or fields["reason"]))
    except (OSError, EOFError, ValueError, TimeoutError):
        status = 0
    into.times.append((began, time.perf_counter() - began, status))
    return status


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

    async def caller(connections: Connections) -> None:
        for number in numbers:
            while await _ask(connections, number, bodies, answers) == 503 and ask_again:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    began = time.perf_counter()
    async with Connections(url) as connections:
        await asyncio.gather(*(caller(connections) for _ in range(callers)))
    answers.seconds = time.perf_counter() - began
    return answers


async def open_loop(url: str, bodies: Sequence[bytes], per_second: float, seconds: float) -> Answers:
    """Asks at a fixed rate for some time; nobody waits for anybody."""
    answers = Answers()
    began = time.perf_counter()
    async with Connections(url) as connections:
        tasks = []
        for number in range(int(per_second * seconds)):
            due = began + number / per_second
            if due > time.perf_counter():
                await asyncio.sleep(due - time.perf_counter())
            tasks.append(asyncio.create_task(_ask(connections, number, bodies, answers)))
        await asyncio.gather(*tasks)
    answers.seconds = time.perf_counter() - began
    return answers
