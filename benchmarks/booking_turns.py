"""The latency table of the appointments: target and critical limit beside what was measured, each measure on its own.

    python -m benchmarks.booking_turns [--rounds 40]

A whole stack with the demo shop, one conversation at a time, in writing (POST /api/voice/process): so no recogniser and
no endpointing is in it. What is said is then spoken by the speech service (POST /speech), to its first sound: with a
number before it, so that it is new, and once more. Slot extraction is timed inside this process, on the whole sentences
of tests/booking/said_bookings.yaml; intents and the shop's API are timed by the bot manager. "Hears the other times" is
the turn in which the wanted hour turns out to be taken, and the first sound of its answer. Exit status 1 where a 95th
percentile is above a critical limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import yaml

from benchmarks.booking_latency import (
    API,
    INTENT,
    SHARES,
    TTS,
    WHOLE,
    WITHOUT_TTS,
    Measure,
    bucket_bound,
    histogram,
    verdict,
)
from callers.script_days import dated
from callers.script_shop import Booked, ShopBefore
from config import ROOT
from devstack.demo_salon import Salon
from devstack.stack import Stack, StackPlan
from dialogue.slots import parse
from observability.gate import bearer

FLOW: Final = "it/booking"
KEY: Final = "a-key-of-a-benchmark"
SLOTS = Measure("slot extraction", "a moment read in a whole sentence, in this process", 300, 500)
FAQ = Measure("FAQ answer", "question to its whole answer, in writing", 1_500, 2_500)
CACHED = Measure("speech, said before", "text to first sound", 1_000, 2_000)
OTHERS = Measure("hears the other times", "the turn, and the first sound of its answer; recogniser apart", 700, 1_200)
TURN = replace(WITHOUT_TTS, how="what is written to its whole answer, in writing")
SPOKEN = replace(WHOLE, how="the turn, and the first sound of its answer")
ORDER: Final = (INTENT, SLOTS, FAQ, API, TTS, CACHED, TURN, SPOKEN, OTHERS)
QUESTIONS: Final = ("quanto costa la piega?", "c'è il parcheggio?")
TAKEN: Final = Booked("Paolo Verdoni", "taglio", 1, "11:00", "Giulia")


@dataclass
class Times:
    """Milliseconds of each measure."""

    of: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)


class Writer:
    """Who writes, and has what is answered spoken."""

    def __init__(self, stack: Stack, now: datetime, token: str, times: Times) -> None:
        self._door = httpx.AsyncClient(
            base_url=stack.url("text_service"), headers={"Authorization": f"Bearer {KEY}"}, timeout=60
        )
        self._speech = httpx.AsyncClient(base_url=stack.url("speech_service"), headers=bearer(token), timeout=60)
        self._now, self._times = now, times
        self._numbers = count(1)
        self._session: str | None = None

    def begin(self) -> None:
        """A new conversation."""
        self._session = None

    async def says(self, text: str, wanted: str, *measures: Measure) -> None:
        """One turn, and the first sound of its answer; `measures` beside those of every turn."""
        began_s = time.perf_counter()
        body = {"text": dated(text, "it", self._now), "session_id": self._session}
        told: dict[str, Any] = (await self._door.post("/api/voice/process", json=body)).json()
        turn_ms = (time.perf_counter() - began_s) * 1_000
        self._session = told.get("session_id")
        answer = str(told.get("response", told))
        if dated(wanted, "it", self._now).lower() not in answer.lower():
            self._times.faults.append(f"to {text!r} {answer!r}")
            return
        spoken = f"{next(self._numbers)} {answer}"
        sound_ms = await self.first_sound_ms(spoken)
        of = self._times.of
        of[TURN.name].append(turn_ms)
        of[SPOKEN.name].append(turn_ms + sound_ms)
        of[TTS.name].append(sound_ms)
        of[CACHED.name].append(await self.first_sound_ms(spoken))
        for measure in measures:
            of[measure.name].append(turn_ms + (sound_ms if measure is OTHERS else 0.0))

    async def first_sound_ms(self, text: str) -> float:
        """Until the first piece of it is there."""
        began_s = time.perf_counter()
        body = {"text": text, "language": "it"}
        async with self._speech.stream("POST", "/speech", json=body) as answer:
            got = b""
            async for part in answer.aiter_bytes():
                got += part
                head, _, samples = got.partition(b"\n")
                if samples and json.loads(head).get("bytes"):
                    break
        return (time.perf_counter() - began_s) * 1_000

    async def close(self) -> None:
        """Closes the connections."""
        await self._door.aclose()
        await self._speech.aclose()


async def converse(stack: Stack, salon: Salon, token: str, rounds: int, times: Times) -> None:
    """Every round: a question, an hour that is taken, another one, a yes."""
    writer = Writer(stack, salon.now(), token, times)
    try:
        for number in range(rounds):
            await asyncio.to_thread(salon.open, ShopBefore(booked=(TAKEN,)))
            writer.begin()
            await writer.says("vorrei un taglio {+1} alle 11 con Giulia", "il suo nome e cognome")
            await writer.says("Elena Brambini", "{+1} alle 11 è occupato. Posso offrirle", OTHERS)
            if number == 0:  # what is loaded when it is first needed
                times.of.clear()
            await writer.says("la seconda", "Confermo la prenotazione?")
            await writer.says(QUESTIONS[number % len(QUESTIONS)], "Confermo la prenotazione?", FAQ)
            await writer.says("sì", "È prenotato. Il codice è")
            await writer.says("no", "Grazie e arrivederci")
    finally:
        await writer.close()


def extracted_ms() -> list[float]:
    """How long the day and time of each whole sentence take."""
    parts = yaml.safe_load((ROOT / "tests" / "booking" / "said_bookings.yaml").read_text(encoding="utf-8"))
    now = datetime(2026, 1, 14, 10)
    took: list[float] = []
    for _ in range(2):  # the first time patterns are compiled
        took = []
        for text, *_ in (row for rows in parts.values() for row in rows):
            began_s = time.perf_counter()
            parse("date_time", text, "it", now=now, previous=None)
            took.append((time.perf_counter() - began_s) * 1_000)
    return took


def row(measure: Measure, took: Sequence[float], page: str) -> tuple[str, float]:
    """A line of the table, and the 95th percentile."""
    if measure.metric and measure is not TTS:
        buckets = histogram(page, measure.metric)
        counted, sign = int(buckets[-1][1]) if buckets else 0, "≤ "
        p50, p95 = (bucket_bound(buckets, share) * 1_000 for share in SHARES)
    else:
        counted, sign = len(took), ""
        p50, p95 = np.quantile(took, SHARES) if took else (float("nan"), float("nan"))
    line = (
        f"| {measure.name} | {measure.how} | {measure.target_ms:.0f} | {measure.critical_ms:.0f} | {counted} "
        f"| {sign}{p50:.1f} | {sign}{p95:.1f} | {verdict(measure, p95)} |"
    )
    return line, float(p95)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    times = Times()
    settings = {
        "BOOKING_MESSAGES": "none",
        "LOG_LEVEL": "WARNING",
        "TEXT_API_KEY": KEY,
        "TEXT_PROCESS_RATE": "10000",
        "TEXT_PROCESS_SESSIONS": "1000",
    }
    with tempfile.TemporaryDirectory(prefix="pronto-booking-turns-") as name:
        plan = StackPlan(run_dir=Path(name) / "logs", state_dir=Path(name) / "state", settings=settings)
        with Salon(Path(name) / "salon", FLOW) as salon:
            whole = salon.plan(plan)
            token = whole.settings["PRONTO_TOKEN"]
            with Stack(whole) as stack:
                print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
                asyncio.run(converse(stack, salon, token, arguments.rounds, times))
                request = urllib.request.Request(f"{stack.url('bot_manager')}/metrics", headers=bearer(token))
                with urllib.request.urlopen(request, timeout=10) as answer:
                    page = answer.read().decode()
    times.of[SLOTS.name] = extracted_ms()
    print("| measure | how | target, ms | critical, ms | n | p50 | p95 | |\n|---|---|---|---|---|---|---|---|")
    failed = False
    for measure in ORDER:
        line, p95 = row(measure, times.of[measure.name], page)
        failed = failed or not p95 <= measure.critical_ms
        print(line)
    for fault in times.faults[:10]:
        print(f"  {fault}")
    return 1 if failed or times.faults else 0


if __name__ == "__main__":
    sys.exit(main())
