"""Many appointment conversations at once: is one mixed up with another, does memory stay flat, how long does an answer
take?

    python -m benchmarks.booking_load text  [--at-once 100] [--sessions 10000]
    python -m benchmarks.booking_load voice [--at-once 25] [--rounds 4]

The real bot manager, intent service, booking service (SQLite) and Redis. Each conversation is of a client of its own,
who wants an hour of their own; the recap must say that hour, and the calendar hold it for that client and nothing else.

`text`: through POST /api/voice/process, all at once, a batch of so many after the other; the calendar is compared and
emptied after each. `voice`: calls through Asterisk and the receiver, spoken answers by the speech service; the
recogniser answers after a fixed time with what the caller did say. Memory: of each process after the first batch (what
was loaded when it was first needed is there then) and after the last; descriptors likewise, once all is over. Exit
status 1 where a conversation went otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from sqlalchemy.orm import Session

from benchmarks.leaks import Size, sizes
from benchmarks.stack_load import StandIn
from booking_service.database import changing, open_booking
from booking_service.models import ClientRow
from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import CallReport, ScriptPlayer
from callers.rtp_audio import Samples
from callers.script import Caller, SpokenLine, read_script
from callers.script_days import dated
from callers.script_shop import Booked, ShopBefore
from callers.sip_caller import SipCaller
from devstack.demo_salon import Salon
from devstack.processes import wait_for
from devstack.stack import Stack, StackPlan
from protocol.bus import connect

FLOW: Final = "it/booking"
KEY: Final = "a-key-of-a-benchmark"
FIRST: Final = ("Luca", "Anna", "Laura", "Franco", "Silvia", "Davide", "Marta", "Stefano", "Lucia", "Roberto")
LAST: Final = (
    "Bianchetti", "Neretti", "Gallini", "Montani", "Fontanelli", "Ferrarini", "Colombini", "Moretti", "Rinaldi",
    "Serafini",
)  # fmt: skip
STAFF: Final = ("Giulia", "Marco", "Sara")
HOURS: Final = [*range(9 * 60, 12 * 60 + 30, 30), *range(14 * 60, 19 * 60, 30)]
LONGEST_S: Final = 240.0
SETTLE_S: Final = 30.0
KEPT_S: Final = 2.0
"""A connection that nothing went over for so long is not used again: the service closes it after five seconds."""


@dataclass(frozen=True)
class Wish:
    """What one conversation is about."""

    first: str
    last: str
    number: str
    day: int
    minutes: int
    staff: str

    @property
    def booked(self) -> Booked:
        """The appointment that it must end in."""
        time_of_day = f"{self.minutes // 60:02}:{self.minutes % 60:02}"
        return Booked(f"{self.first} {self.last}", "taglio", self.day, time_of_day, self.staff)

    @property
    def hour(self) -> str:
        """As the bot says it."""
        return f"{self.minutes // 60}" + (f" e {self.minutes % 60}" if self.minutes % 60 else "")

    @property
    def sentence(self) -> str:
        """What is said first; the day by its distance."""
        return f"vorrei un taglio {{+{self.day}}} alle {self.hour} con {self.staff}"

    @property
    def recap(self) -> str:
        """What the bot must say before it asks for a yes."""
        return f"Riepilogo: taglio, {{+{self.day}}} alle {self.hour}, con {self.staff}."


def wishes() -> Iterator[Wish]:
    """One after the other, each of another client as long as there are such, and each of another hour."""
    people = list(product(FIRST, LAST))
    hours = ((day, minutes, staff) for day in range(1, 61) for minutes in HOURS for staff in STAFF)
    for index, (day, minutes, staff) in enumerate(hours):
        first, last = people[index % len(people)]
        yield Wish(first, last, f"+3930010{index % len(people):05}", day, minutes, staff)


def add_clients(session: Session) -> None:
    """Everybody who may call."""
    for index, (first, last) in enumerate(product(FIRST, LAST)):
        telephone = f"30010{index:05}"
        session.add(ClientRow(nome=first, cognome=last, telefono=telephone, voice_consent=True))


@dataclass
class Found:
    """What came of the conversations."""

    conversations: int = 0
    faults: list[str] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    before: dict[str, Size] = field(default_factory=dict)
    after: dict[str, Size] = field(default_factory=dict)


class Shop:
    """The salon's database, with more clients."""

    def __init__(self, salon: Salon, plan: StackPlan) -> None:
        self._salon = salon
        self._engine = open_booking(plan.settings["BOOKING_DATABASE_URL"])

    def open(self) -> None:
        """Empties and fills it."""
        self._salon.open(ShopBefore())
        with changing(self._engine) as session:
            add_clients(session)

    def faults(self, wanted: Sequence[Wish]) -> list[str]:
        """What is in the calendar and should not be, and the other way round."""
        must = sorted(one.booked for one in wanted)
        wait_for(lambda: list(self._salon.found().booked) == must, SETTLE_S)
        there = list(self._salon.found().booked)
        return [f"not booked: {one}" for one in must if one not in there] + [
            f"booked: {one}" for one in there if one not in must
        ]


async def write(http: httpx.AsyncClient, wish: Wish, now: Any, found: Found) -> None:
    """One conversation in writing."""
    steps = (
        (wish.sentence, "Mi dice il suo nome e cognome, per favore?"),
        (f"{wish.first} {wish.last}", wish.recap),
        ("sì", "È prenotato. Il codice è"),
        ("no", "Grazie e arrivederci."),
    )
    session_id: str | None = None
    for said, wanted in steps:
        body = {"text": dated(said, "it", now), "session_id": session_id}
        began_s = time.perf_counter()
        try:
            answer = await http.post("/api/voice/process", json=body)
        except httpx.HTTPError as error:
            found.faults.append(f"{wish}: {error!r}")
            return
        found.took_ms.append((time.perf_counter() - began_s) * 1_000)
        told = answer.json()
        if answer.status_code != 200 or dated(wanted, "it", now) not in told.get("response", ""):
            found.faults.append(f"{wish}: to {said!r} {told.get('response', told)!r}")
            return
        if session_id not in (None, told["session_id"]):
            found.faults.append(f"{wish}: another session answers")
        session_id = told["session_id"]


async def in_writing(stack: Stack, salon: Salon, shop: Shop, at_once: int, sessions: int) -> Found:
    """Batches of so many at once."""
    found = Found()
    headers = {"Authorization": f"Bearer {KEY}"}
    limits = httpx.Limits(max_connections=at_once, keepalive_expiry=KEPT_S)
    async with httpx.AsyncClient(
        base_url=stack.url("text_service"), headers=headers, timeout=LONGEST_S, limits=limits
    ) as http:
        while found.conversations < sessions:
            await asyncio.to_thread(shop.open)
            batch = list(islice(wishes(), at_once))
            await asyncio.gather(*(write(http, wish, salon.now(), found) for wish in batch))
            found.faults += await asyncio.to_thread(shop.faults, batch)
            found.conversations += len(batch)
            _look(stack, found)
            print(f"{found.conversations} conversations, {len(found.faults)} faults", flush=True)
    return found


def _look(stack: Stack, found: Found) -> None:
    found.after = sizes(stack)
    found.before = found.before or found.after


SCRIPT: Final = """
flow: it/booking
caller: {{voice: it, number: "{number}"}}
steps:
  - hear_text: come posso aiutarla
  - say: {sentence}
  - hear_text: parlo con {first}
  - say: sì, certo
  - hear_text: "{recap}"
  - say: sì, confermo
  - hear_text: è prenotato. Il codice è
  - say: no, grazie
  - end: bot_hung_up
expect: {{outcome: done}}
"""


async def by_voice(stack: Stack, salon: Salon, shop: Shop, stand_in: StandIn, at_once: int, rounds: int) -> Found:
    """So many callers at once, who call again when all are done."""
    found = Found()
    runner = await stand_in.start()
    redis = connect(stack.redis_url)
    try:
        for _ in range(rounds):
            await asyncio.to_thread(shop.open)
            batch = list(islice(wishes(), at_once))
            monitor = Monitor(redis, stack.cell)  # one for each round: a number is that of one call
            await monitor.start()
            stand_in.number_of = partial(_number, monitor, {})
            try:
                reports = await asyncio.gather(*(call(stack, salon, monitor, stand_in, wish) for wish in batch))
            finally:
                await monitor.stop()
            for wish, report in zip(batch, reports, strict=True):
                found.faults += [f"{wish}: {fault}" for fault in report.faults]
                found.took_ms += [answer.delay_ms for answer in report.answers]
            found.faults += await asyncio.to_thread(shop.faults, batch)
            found.conversations += len(batch)
            _look(stack, found)
            print(f"{found.conversations} calls, {len(found.faults)} faults", flush=True)
    finally:
        await redis.aclose()
        await runner.cleanup()
    return found


async def call(stack: Stack, salon: Salon, monitor: Monitor, stand_in: StandIn, wish: Wish) -> CallReport:
    """One call."""
    text = SCRIPT.format(number=wish.number, sentence=wish.sentence, first=wish.first, recap=wish.recap)
    script = read_script(text, f"{wish.first}-{wish.last}", salon.now())

    def voice(line: SpokenLine, caller: Caller) -> Samples:
        stand_in.said[wish.number] = line.text
        return speak(line, caller)

    async with SipCaller(("127.0.0.1", stack.sip_port), name=wish.number) as caller:
        status = await caller.dial("pronto")
        if status != 200:
            return CallReport(script, wish.number, faults=[f"SIP status {status}"])
        return await ScriptPlayer(monitor, voice, deadline_s=LONGEST_S / 4).play(script, wish.number, caller)


def _number(monitor: Monitor, known: dict[str, str], call_id: str) -> str:
    if call_id not in known:
        view = monitor.calls.get(call_id)
        known[call_id] = next((m.caller_number for m in view.seen if hasattr(m, "caller_number")), "") if view else ""
    return known[call_id]


def show(found: Found, what: str) -> None:
    """The tables."""
    p50, p95 = np.quantile(found.took_ms, [0.5, 0.95]) if found.took_ms else (float("nan"), float("nan"))
    longest = max(found.took_ms, default=float("nan"))
    print(f"\n{what}: {found.conversations} conversations, {len(found.faults)} faults")
    print(f"{len(found.took_ms)} answers: p50 {p50:.0f}, p95 {p95:.0f}, longest {longest:.0f} ms")
    print("\n| process | MB after the first batch | after the last | growth | descriptors | threads |")
    print("|---|---|---|---|---|---|")
    for name, size in found.after.items():
        early = found.before[name]
        growth = (size.resident_mb - early.resident_mb) / max(1, early.resident_mb)
        print(
            f"| {name} | {early.resident_mb} | {size.resident_mb} | {growth:+.1%} "
            f"| {early.descriptors}, {size.descriptors} | {early.threads}, {size.threads} |"
        )
    for fault in found.faults[:10]:
        print(f"  {fault}")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("text", "voice"))
    parser.add_argument("--at-once", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=10_000, help="of text")
    parser.add_argument("--rounds", type=int, default=4, help="of voice")
    arguments = parser.parse_args()
    stand_in = StandIn()
    settings = {
        "BOOKING_MESSAGES": "none",
        "LOG_LEVEL": "WARNING",
        "MAX_CALLS": "1000",
        "STRAIN_LIMIT": "0",
        "TEXT_API_KEY": KEY,
        "TEXT_PROCESS_RATE": "10000",
        "TEXT_PROCESS_SESSIONS": "1000",
        "WHISPER_URL": f"http://127.0.0.1:{stand_in.port}/whisper",
    }
    with tempfile.TemporaryDirectory(prefix="pronto-booking-load-") as name:
        folder = Path(name)
        plan = StackPlan(run_dir=folder / "logs", state_dir=folder / "state", settings=settings)
        with Salon(folder / "salon", FLOW) as salon:
            whole = salon.plan(plan)
            with Stack(whole) as stack:
                print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
                shop = Shop(salon, whole)
                if arguments.what == "text":
                    at_once = arguments.at_once or 100
                    found = asyncio.run(in_writing(stack, salon, shop, at_once, arguments.sessions))
                else:
                    at_once = arguments.at_once or 25
                    found = asyncio.run(by_voice(stack, salon, shop, stand_in, at_once, arguments.rounds))
                show(found, f"{arguments.what}, {at_once} at once")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
