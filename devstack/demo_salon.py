"""The demo shop behind a stack's booking service, for call scripts that say what is in it before and after a call.

    with Salon(folder, "it/booking") as salon:
        with Stack(salon.plan()) as stack:
            salon.open(script.shop)
            ... the call ...
            salon.faults(script.shop_after)

Everything is in a folder that goes away: the database, a copy of the flows that asks this booking service, the token.
The shop is open every day from nine to seven, but for lunch, and lies in a time zone where it is between ten and eleven
in the morning now: a script goes the same way at any hour, and no midnight comes between.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as Clock
from pathlib import Path
from types import TracebackType
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from booking_service.bodies import HolidayEntry, HoursEntry
from booking_service.catalogue import put_holidays, put_hours
from booking_service.database import changing, open_booking, reading
from booking_service.demo import CLIENTS, fill_demo
from booking_service.models import (
    AppointmentRow,
    BookingBase,
    ClientRow,
    HoldRow,
    MessageRow,
    ServiceRow,
    StaffRow,
    WaitlistRow,
)
from callers.script_shop import Booked, ShopAfter, ShopBefore, Waitlisted
from config import ROOT
from devstack.message_provider import MessageProvider
from devstack.processes import ProcessFailed, free_tcp_port, wait_for
from devstack.recogniser import settings_for_language
from devstack.stack import Stack, StackPlan

MORNING: Final = 10
FARTHEST_WEST: Final = -12
SHIPPED_AT: Final = "127.0.0.1:3001"
PATIENT: Final = {
    "WHISPER_TIMEOUT": "30",
    "WHISPER_DEADLINE_MS": "30000",
    "SPEECH_DEADLINE_MS": "30000",
    "STRAIN_LIMIT": "0",
}
"""Whisper base takes half a second for an utterance on two cores that are free; where they are not, a script waits."""
FILLER: Final = "full"
"""The note of appointments that only fill a day."""
SETTLE_S: Final = 20.0
"""A message leaves within a second, and what was held is free at once, on a machine that has nothing else to do."""
SENT_AGAIN_S: Final = 100.0
"""A message that was not taken is tried again after a minute."""


def morning_zone(now: datetime) -> ZoneInfo:
    """A time zone without summer time where it is between ten and eleven in the morning."""
    ahead = MORNING - now.astimezone(UTC).hour
    if ahead < FARTHEST_WEST:
        ahead += 24
    return ZoneInfo(f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT")  # its signs are those of POSIX


class Salon:
    """The shop for the length of a block."""

    def __init__(self, folder: Path, flow: str) -> None:
        """`folder` is made, and removed; `flow` is the one that the stack's calls talk to."""
        self.flow = flow
        self.zone = morning_zone(datetime.now(UTC))
        self.provider = MessageProvider()
        self._folder = folder
        self._port = free_tcp_port()
        self._token = os.environ.get("PRONTO_TOKEN") or secrets.token_hex(20)
        self._url = f"sqlite:///{folder / 'booking.sqlite'}"
        self._engine: Engine | None = None
        self._today = self.now().date()

    def now(self) -> datetime:
        """The clock on the shop's wall."""
        return datetime.now(self.zone)

    def plan(self, plan: StackPlan | None = None) -> StackPlan:
        """A plan with the shop behind it. Raises ProcessFailed where nothing recognises the flow's language."""
        plan = plan or StackPlan()
        ears = settings_for_language(self.flow.partition("/")[0], os.environ)
        if not ears and "WHISPER_MODEL" not in os.environ:
            raise ProcessFailed(
                f"{self.flow}: Whisper base was left out (PRONTO_SMALL=1) or could not be fetched, and the demo model "
                "knows French only: run `make setup`, or set WHISPER_MODEL"
            )
        settings = {
            "FLOWS_DIR": str(self._folder / "flows"),
            "DEFAULT_FLOW": self.flow,
            "ACTION_PRIVATE_HOSTS": f"127.0.0.1:{self._port}",
            "ACTION_CREDENTIALS_DIR": str(self._folder / "credentials"),
            "PRONTO_TOKEN": self._token,
            "BOOKING_DATABASE_URL": self._url,
            "BOOKING_TIMEZONE": self.zone.key,
            "BOOKING_MESSAGES": "whatsapp",
            "BOOKING_WHATSAPP_URL": self.provider.url,
            **PATIENT,
            **ears,
            **plan.settings,
        }
        return replace(plan, ports={**plan.ports, "booking_service": self._port}, settings=settings)

    def open(self, *shops: ShopBefore) -> None:
        """Empties the database, and puts the demo shop into it, with what the scripts of the next calls say."""
        self._today = self.now().date()
        with changing(self._database()) as session:
            for table in reversed(BookingBase.metadata.sorted_tables):
                session.execute(delete(table))
            fill_demo(session, self._today)
            put_hours(
                session, [HoursEntry(day, True, Clock(9), Clock(19), Clock(12, 30), Clock(14)) for day in range(7)]
            )
            closed = [HolidayEntry(self._day(day), name) for shop in shops for day, name in shop.closed]
            put_holidays(session, closed)
            for shop in shops:
                for number, one in enumerate(shop.booked):
                    self._book(session, one, f"BEFORE{number}{one.client}{one.day}")
                for day in shop.full:
                    self._fill(session, self._day(day))
        self.provider.fails = any(shop.messages_fail for shop in shops)
        self.provider.asked = 0

    def stand_still(self, stack: Stack, still: bool) -> None:
        """Stops the booking service where it is, or lets it go on: it takes connections and answers none."""
        os.kill(stack.services["booking_service"].pid, signal.SIGSTOP if still else signal.SIGCONT)

    def faults(self, *afters: ShopAfter) -> list[str]:
        """What is not as the scripts of all calls since `open` say, a line for each; waits for what takes a moment. A
        provider of messages that failed takes them again."""
        wanted, patience_s = _sum(afters), SETTLE_S
        if self.provider.fails:
            wait_for(lambda: self.provider.asked > 0, SETTLE_S)
            self.provider.fails, patience_s = False, SENT_AGAIN_S
        wait_for(lambda: self.found() == wanted and not self._held(), patience_s)
        found = self.found()
        lines = [
            f"{name}: expected {getattr(wanted, name)}, found {getattr(found, name)}"
            for name in ShopAfter.__dataclass_fields__
            if getattr(wanted, name) != getattr(found, name)
        ]
        return lines + ([f"{self._held()} places are still held"] if self._held() else [])

    def __enter__(self) -> Salon:
        (self._folder / "credentials").mkdir(parents=True)
        (self._folder / "credentials" / "booking").write_text(self._token, encoding="utf-8")
        shutil.copytree(ROOT / "flows", self._folder / "flows")
        path = self._folder / "flows" / f"{self.flow}.yaml"
        text = path.read_text(encoding="utf-8")
        name = self.flow.rpartition("/")[2]
        if SHIPPED_AT not in text or f"\nflow: {name}\n" not in f"\n{text}" or "\ntimezone:" in text:
            raise ProcessFailed(f"{self.flow} does not ask a booking service at {SHIPPED_AT}, or has a timezone")
        text = text.replace(SHIPPED_AT, f"127.0.0.1:{self._port}")
        head = f"flow: {name}\n"
        path.write_text(text.replace(head, f"{head}timezone: {self.zone.key}\n", 1), encoding="utf-8")
        self.provider.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.provider.__exit__(kind, error, trace)
        if self._engine is not None:
            self._engine.dispose()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _database(self) -> Engine:
        if self._engine is None:
            self._engine = open_booking(self._url, busy_s=SETTLE_S)
        return self._engine

    def _day(self, ahead: int) -> date:
        return self._today + timedelta(days=ahead)

    def _book(self, session: Session, one: Booked, code: str) -> None:
        names = one.services.split(", ")
        services = list(session.scalars(select(ServiceRow).where(ServiceRow.nome.in_(names))))
        staff = session.scalars(select(StaffRow.id).where(StaffRow.nome == one.staff)).one()
        client = next(row.id for row in session.scalars(select(ClientRow)) if one.client in _called(row))
        session.add(
            AppointmentRow(
                cliente_id=client,
                servizi=[
                    {"servizio_id": row.id, "nome": row.nome, "durata_minuti": row.durata_minuti} for row in services
                ],
                data=self._day(one.day),
                ora=Clock.fromisoformat(one.time),
                durata_minuti=sum(row.durata_minuti for row in services),
                operatore_id=staff,
                confirmation_code=code,
                created_at=time.time(),
            )
        )

    def _fill(self, session: Session, day: date) -> None:
        for staff in session.scalars(select(StaffRow.id)):
            session.add(
                AppointmentRow(
                    cliente_id=len(CLIENTS),
                    servizi=[],
                    data=day,
                    ora=Clock(9),
                    durata_minuti=600,
                    operatore_id=staff,
                    note=FILLER,
                    confirmation_code=f"FULL{staff}{day}",
                    created_at=time.time(),
                )
            )

    def _held(self) -> int:
        with reading(self._database()) as session:
            return len(session.scalars(select(HoldRow)).all())

    def found(self) -> ShopAfter:
        """What is in the database now."""
        with reading(self._database()) as session:
            clients = {row.id: row for row in session.scalars(select(ClientRow).order_by(ClientRow.id))}
            staff = {row.id: row.nome for row in session.scalars(select(StaffRow))}
            names = [_full_name(row) for row in clients.values()]

            def client(number: int) -> str:
                row = clients[number]
                return _full_name(row) if names.count(_full_name(row)) == 1 else row.telefono

            def away(day: date) -> int:
                return (day - self._today).days

            appointments = select(AppointmentRow).where(
                AppointmentRow.status == "BOOKED", AppointmentRow.note != FILLER
            )
            booked = [
                Booked(
                    client(row.cliente_id),
                    ", ".join(sorted(one["nome"] for one in row.servizi)),
                    away(row.data),
                    row.ora.isoformat("minutes"),
                    staff.get(row.operatore_id or 0, ""),
                )
                for row in session.scalars(appointments)
            ]
            waiting = [
                Waitlisted(client(row.cliente_id), away(row.data_preferita))
                for row in session.scalars(select(WaitlistRow))
            ]
            sent = session.scalars(select(MessageRow).where(MessageRow.status == "SENT")).all()
            new = [_full_name(row) for row in list(clients.values())[len(CLIENTS) :]]
            return ShopAfter(tuple(sorted(booked)), tuple(sorted(waiting)), tuple(sorted(new)), len(sent))


def _sum(afters: Sequence[ShopAfter]) -> ShopAfter:
    return ShopAfter(
        tuple(sorted(one for after in afters for one in after.booked)),
        tuple(sorted(one for after in afters for one in after.waiting)),
        tuple(sorted(one for after in afters for one in after.clients)),
        sum(after.messages for after in afters),
    )


def _full_name(row: ClientRow) -> str:
    return f"{row.nome} {row.cognome}"


def _called(row: ClientRow) -> tuple[str, str]:
    """What a script may call a client."""
    return _full_name(row), row.telefono
