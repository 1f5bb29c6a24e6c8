"""Two callers for one slot, and bookings whose answers are lost while the service is killed: is anything booked twice?

    python -m benchmarks.bookings --races 1000 --runs 10000                        # SQLite
    python -m benchmarks.bookings --races 1000 --runs 10000 --database postgres    # a PostgreSQL of its own

The service is a process of its own and is asked over HTTP. A race is two requests at once for the same slot of the same
person. A run is one caller who says yes: plainly; twice at once; with the answer cut off after some milliseconds; or
all of that. It is asked again until it is answered, as an agent does. Every `--kill-every` runs the service is killed
(SIGKILL) and started again, with requests inside. At the end the calendar is read: a run with two appointments is a
duplicate, one that was answered and is not there is lost, two of the same person at the same time are double.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from datetime import time as clock_time
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from booking_service.bodies import HoursEntry, ServiceEntry, StaffEntry
from booking_service.catalogue import put_hours, put_service, put_staff
from booking_service.database import changing, open_booking, reading
from booking_service.models import AppointmentRow, ClientRow
from config import ROOT
from devstack.postgres_server import PostgresServer
from devstack.processes import ChildProcess, free_tcp_port
from observability.listening import is_served

STAFF, DAYS, FIRST_HOUR, LAST_HOUR = 12, 80, 8, 20
RETRY_S = 0.05
AT_ONCE = 6


@dataclass
class Bench:
    """The service and what was told by it."""

    url: str
    database: str
    child: ChildProcess
    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    counts: Counter[str] = field(default_factory=Counter)

    async def up(self) -> None:
        """Starts the service."""
        port = int(self.url.rpartition(":")[2])

        def start() -> None:
            self.child.start()
            self.child.wait_until(lambda: is_served("127.0.0.1", port), 60)

        await asyncio.to_thread(start)

    async def kill(self) -> None:
        """SIGKILL, and up again."""
        await asyncio.to_thread(self.child.stop, 0.0)
        self.counts["kills"] += 1
        await self.up()

    async def ask(self, http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """One request, timed."""
        began_s = time.perf_counter()
        async with http.post(f"{self.url}{path}", json=body) as answer:
            found = answer.status, await answer.json()
        self.took_ms[path.rpartition("/")[2]].append((time.perf_counter() - began_s) * 1_000)
        return found


def slots(seed: int) -> Iterator[tuple[str, str, int]]:
    """(day, time, person) of every half hour, in an order that spreads them, each once."""
    first = date.today() + timedelta(days=2)
    found = [
        ((first + timedelta(days=day)).isoformat(), f"{half // 2:02d}:{half % 2 * 30:02d}", person)
        for day in range(DAYS)
        for half in range(FIRST_HOUR * 2, LAST_HOUR * 2)
        for person in range(1, STAFF + 1)
    ]
    random.Random(seed).shuffle(found)
    return iter(found)


def fill(database: str) -> None:
    """A shop that is open every day, and two clients."""
    engine = open_booking(database)
    with changing(engine) as session:
        hours = [HoursEntry(day, True, clock_time(FIRST_HOUR), clock_time(LAST_HOUR)) for day in range(7)]
        put_hours(session, hours)
        put_service(session, ServiceEntry("taglio", 30))
        for number in range(STAFF):
            put_staff(session, StaffEntry(f"Persona {number}"))
        for number in (1, 2):
            session.add(ClientRow(nome="Prova", cognome="Prova", telefono=f"300000000{number}"))
    engine.dispose()


def wish(slot: tuple[str, str, int], client: int, session_id: str) -> dict[str, Any]:
    day, at, person = slot
    return {
        "cliente_id": client,
        "servizi": [1],
        "data": day,
        "ora": at,
        "operatore_id": person,
        "session_id": session_id,
    }


async def race(bench: Bench, http: aiohttp.ClientSession, slot: tuple[str, str, int], number: int) -> None:
    """Two at once; then the same again through the question, for its time."""
    bodies = [wish(slot, client, f"race-{number}-{client}") for client in (1, 2)]
    answers = await asyncio.gather(*(bench.ask(http, "/api/appuntamenti/create", body) for body in bodies))
    won = [body for status, body in answers if status == 200]
    lost = [body for status, body in answers if status == 409]
    good = len(won) == len(lost) == 1 and len(lost[0]["alternatives"]) == 3
    bench.counts["races as they must be" if good else "races that are not"] += 1
    question = {"data": slot[0], "ora": slot[1], "durata_minuti": 30, "operatore_id": slot[2]}
    await bench.ask(http, "/api/appuntamenti/disponibilita", question)


async def say_yes(bench: Bench, http: aiohttp.ClientSession, slot: tuple[str, str, int], number: int) -> None:
    """One caller, until they were answered."""
    choose = random.Random(number)
    body = wish(slot, 1, f"run-{number}")

    async def until_answered(patience_s: float | None) -> None:
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    status, answer = await bench.ask(http, "/api/appuntamenti/create", body)
            except TimeoutError:
                bench.counts["answers cut off"] += 1
                patience_s = None  # and asked again
                continue
            except (aiohttp.ClientError, OSError):
                bench.counts["requests that a kill broke or found nobody"] += 1
                await asyncio.sleep(RETRY_S)
                continue
            if status == 200:
                bench.answered[body["session_id"]].add(answer["id"])
                return
            bench.counts[f"answered {status}"] += 1
            if status == 409:
                return
            await asyncio.sleep(RETRY_S)

    cut_s = choose.uniform(0.001, 0.06)
    match number % 4:
        case 0:
            await until_answered(None)
        case 1:
            await asyncio.gather(until_answered(None), until_answered(None))
        case 2:
            await until_answered(cut_s)
        case _:
            await asyncio.gather(until_answered(cut_s), until_answered(None))


def judged(bench: Bench) -> Counter[str]:
    """What is in the calendar against what was told."""
    engine = open_booking(bench.database)
    with reading(engine) as session:
        rows = session.scalars(select(AppointmentRow).where(AppointmentRow.status == "BOOKED")).all()
    engine.dispose()
    by_session: dict[str, set[int]] = defaultdict(set)
    by_slot: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        by_session[row.session_id].add(row.id)
        by_slot[row.operatore_id, row.data, row.ora] += 1
    found: Counter[str] = Counter(appointments=len(rows))
    found["duplicates"] = sum(len(one) > 1 for one in by_session.values())
    found["told two numbers"] = sum(len(one) > 1 for one in bench.answered.values())
    found["lost"] = sum(not told <= by_session[name] for name, told in bench.answered.items())
    found["double"] = sum(count > 1 for count in by_slot.values())
    return found


async def run(bench: Bench, races: int, runs: int, kill_every: int) -> None:
    """Everything, and its figures."""
    await bench.up()
    free = slots(7)
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=50)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        for number, slot in enumerate(islice(free, races)):
            await race(bench, http, slot, number)
        for name, took in sorted(bench.took_ms.items()):
            cuts = statistics.quantiles(took, n=100)
            print(f"{name}: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, longest {max(took):.0f} ms", flush=True)
        numbers = iter(range(runs))

        async def caller() -> None:
            for number in numbers:
                slot = next(free)
                if number and number % kill_every == 0:
                    await bench.kill()
                await say_yes(bench, http, slot, number)

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    print(", ".join(f"{count} {name}" for name, count in sorted(bench.counts.items())), flush=True)
    print(", ".join(f"{name} {count}" for name, count in judged(bench).items()), flush=True)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--races", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--kill-every", type=int, default=400)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer() if args.database == "postgres" else None
        if server:
            server.start()
        database = server.new_database() if server else f"sqlite:///{folder}/booking.sqlite"
        fill(database)
        port = free_tcp_port()
        environment = {"BOOKING_DATABASE_URL": database, "BOOKING_PORT": str(port), "PYTHONPATH": str(ROOT)}
        command = [str(ROOT / ".venv" / "bin" / "python"), "-m", "booking_service"]
        child = ChildProcess("booking_service", command, Path(folder) / "log", environment, ROOT)
        try:
            asyncio.run(run(Bench(f"http://127.0.0.1:{port}", database, child), args.races, args.runs, args.kill_every))
        finally:
            child.stop()
            if server:
                server.stop()


if __name__ == "__main__":
    main()
