"""A dialogue of flows/it/booking.yaml in text, with the demo shop's booking service on loopback behind it.

The caller's words go through the dialogue as they do on a call; each action is an HTTP request of the bot manager's own
worker. The wall clock of both stands at the moment that a test sets.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.demo import fill_demo
from booking_service.models import AppointmentRow, ConsentRow
from bot_manager.actions import ActionWorker
from bot_manager.targets import targets_of
from dialogue.effects import Effect, EffectDone
from dialogue.flow import Flow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known
from dialogue.flow_store import intent_names
from dialogue.rehearsal import Decision, Rehearsal, Resolver
from dialogue.scores import phrases_resolver
from tests.booking.serving import Clock, Served, serving, sqlite_url

ROOT = Path(__file__).resolve().parents[2]
ITALY = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 1, 14, 10, 0, tzinfo=ITALY)  # a Wednesday
ELENA, PAOLO = "+393000001111", "+393000002222"
"""Numbers of two clients of the demo shop."""
PATIENCE_S = 120.0
T = TypeVar("T")
RESOLVE = phrases_resolver(ROOT / "flows", "it", {})
WORDS = {
    "prenotazione": ("vorrei", "prenot", "appuntamento", "fissare"),
    "cancella": ("annullare", "annulla la", "cancell", "disd"),
    "modifica": ("spost", "cambiare l'app", "rinvi", "anticip"),
}


def booking_flow(port: int, old: str = "", new: str = "") -> Flow:
    """The shipped flow, with the booking service at a port, and `new` in the place of `old`."""
    folder = ROOT / "flows" / "it"
    text = (folder / "booking.yaml").read_text(encoding="utf-8").replace("127.0.0.1:3001", f"127.0.0.1:{port}")
    assert old in text
    text = text.replace(old, new) if old else text
    known = Known(intent_names(folder / "intents.yaml"), frozenset(), {}, language="it", knowledge={"faq": ()})
    return read_flow(text, "flows/it/booking.yaml", known)


def meant(sentence: str, allowed: tuple[str, ...]) -> Decision:
    """What an intent service says: known phrases as they are, else by a word of the three tasks."""
    exact = RESOLVE(sentence.lower(), allowed)
    if not exact.fallback:
        return exact
    for intent in ("modifica", "cancella", "prenotazione"):
        if intent in allowed and any(word in sentence.lower() for word in WORDS[intent]):
            return Decision(intent, 0.95, fallback=False)
    return Decision()


@dataclass
class DemoShop:
    """The demo shop as a service, with what a test wants to know of it."""

    served: Served
    loop: asyncio.AbstractEventLoop
    worker: ActionWorker
    port: int
    clock: Clock
    flow: Flow
    calls: int = 0
    asked: list[str] = field(default_factory=list)
    resolve: Resolver = meant

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Does it beside the dialogue."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(PATIENCE_S)

    def world(self, effect: Effect) -> tuple[EffectDone | None, float]:
        self.asked.append(str(effect.arguments["action"]))
        return self.run(self.worker.perform(effect)), 0.05

    def call(self, number: str = ELENA, at: datetime = NOW, call_id: str = "") -> Rehearsal:
        """Somebody calls."""
        self.calls += 1
        self.clock.now_s = at.timestamp()
        identity = call_id or f"call-{self.calls}"
        return Rehearsal(self.flow, self.resolve, at.timestamp(), world=self.world, number=number, call_id=identity)

    def post(self, path: str, **body: Any) -> Any:
        return self.run(self.served.post(path, **body))

    def get(self, path: str) -> Any:
        return self.run(self.served.ask("GET", path))[1]

    def close_days(self, *days: str) -> None:
        """Fills a day: one appointment of all its hours for each member of staff."""
        for day in days:
            for operatore in (1, 2, 3):
                for ora, minutes in (("09:00", 14), ("14:00", 20)):
                    for number in range(minutes // 2):
                        hour = int(ora[:2]) + number // 2
                        self.book(data=day, ora=f"{hour:02}:{30 * (number % 2):02}", operatore_id=operatore)

    def change(self, do: Callable[[Session], T]) -> T:
        return self.run(self.served.service.change(do))

    def appointments(self) -> list[tuple[int, str, str, str, int | None, str]]:
        """Client, services, date, time, staff and status of every appointment there is."""

        def rows(session: Session) -> list[tuple[int, str, str, str, int | None, str]]:
            return [
                (
                    row.cliente_id,
                    ", ".join(one["nome"] for one in row.servizi),
                    row.data.isoformat(),
                    row.ora.isoformat("minutes"),
                    row.operatore_id,
                    row.status,
                )
                for row in session.scalars(select(AppointmentRow).order_by(AppointmentRow.id))
            ]

        return self.run(self.served.service.read(rows))

    def edit(self, old: str, new: str) -> None:
        """Changes the flow as its owner might."""
        self.flow = booking_flow(self.port, old, new)

    def consents(self) -> list[tuple[int | None, bool, str, str]]:
        """Client, answer, call and wording of every proof of consent."""

        def rows(session: Session) -> list[tuple[int | None, bool, str, str]]:
            found = session.scalars(select(ConsentRow).order_by(ConsentRow.id))
            return [(row.cliente_id, row.given, row.call_id, row.wording) for row in found]

        return self.run(self.served.service.read(rows))

    def book(self, client: int = 2, ora: str = "09:00", data: str = "2026-01-15", **more: Any) -> Any:
        """An appointment that is there before the call."""
        body = {"cliente_id": client, "servizi": [1], "data": data, "ora": ora, "operatore_id": 1, **more}
        return self.post("/api/appuntamenti/create", **body)


@contextmanager
def demo_shop(folder: Path) -> Iterator[DemoShop]:
    """The demo shop, served from an event loop of its own."""
    credentials = folder / "credentials"
    credentials.mkdir()
    (credentials / "booking").write_text("ab" * 20)
    loop = asyncio.new_event_loop()
    ready: list[DemoShop] = []
    is_up, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        clock = Clock(NOW.timestamp())
        async with serving(sqlite_url(folder), clock=clock, PRONTO_TOKEN="ab" * 20) as served:
            await served.service.change(lambda session: fill_demo(session, NOW.date()))
            port = int(served.http.base_url.port or 0)
            worker = ActionWorker(targets_of("", f"127.0.0.1:{port}"), credentials)
            ready.append(DemoShop(served, loop, worker, port, clock, booking_flow(port)))
            is_up.set()
            await over.wait()
            await worker.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="demo-shop")
    thread.start()
    try:
        assert is_up.wait(PATIENCE_S)
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(PATIENCE_S)
        loop.close()
