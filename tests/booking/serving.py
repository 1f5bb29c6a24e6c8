"""A booking service in this process, on a free port, with a clock that the test sets and a ledger for its messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.orm import Session

from booking_service.bodies import HolidayEntry, HoursEntry, ServiceEntry, StaffEntry
from booking_service.catalogue import put_holidays, put_hours, put_service, put_settings, put_staff
from booking_service.http_api import create_booking_app
from booking_service.messages import OutgoingMessage
from booking_service.models import ClientRow
from booking_service.sending import MessagePort, NotSent
from booking_service.service import BookingService
from config import BookingSettings, load
from observability.http import Server
from observability.listening import bound_socket
from tests.booking.samples import CUT, HOURS, NOW, SHOP, seconds

MARIA, LUCA, VERA = 1, 2, 3
"""Clients; Vera is a VIP."""


@dataclass
class Clock:
    """Seconds since the epoch; it stands still until it is moved."""

    now_s: float = seconds(NOW)

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Ledger:
    """A provider that writes down what it sends, once by id; or fails as it is told."""

    sent: dict[str, OutgoingMessage] = field(default_factory=dict)
    asked: int = 0
    fault: NotSent | None = None

    async def send(self, message: OutgoingMessage) -> str:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        self.sent.setdefault(message.id, message)
        return f"wamid.{message.id}"

    async def close(self) -> None: ...


def fill(session: Session) -> None:
    """The shop of the samples: cut 30, colour 60 and style 20 minutes; three clients."""
    put_hours(
        session,
        [
            HoursEntry(one.giorno, one.aperto, one.apertura, one.chiusura, one.pausa_inizio, one.pausa_fine)
            for one in HOURS.values()
        ],
    )
    put_holidays(session, [HolidayEntry(one.data, one.nome, one.ogni_anno) for one in SHOP.holidays])
    for name, length in (("taglio", 30), ("colore", 60), ("piega", 20)):
        put_service(session, ServiceEntry(name, length, 2_500))
    put_staff(session, StaffEntry("Giulia"))
    put_staff(session, StaffEntry("Marco", [CUT]))
    put_settings(session, {"nome_attivita": "Salone Prova"})
    for first, last, telephone, vip in (
        ("Maria", "Rossi", "3331237890", False),
        ("Luca", "Bianchi", "3331234567", False),
        ("Vera", "Neri", "3331230000", True),
    ):
        session.add(ClientRow(nome=first, cognome=last, telefono=telephone, is_vip=vip, voice_consent=True))


@dataclass
class Served:
    """The service, and somebody who asks it."""

    service: BookingService
    http: httpx.AsyncClient
    clock: Clock

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.request(method, path, json=body, headers=named)
        return answer.status_code, answer.json() if answer.content else None

    async def post(self, path: str, **body: Any) -> Any:
        """What a request that succeeds answers."""
        status, answer = await self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    async def book(self, data: str = "2026-01-15", ora: str = "10:00", **more: Any) -> tuple[int, Any]:
        """A cut, for Maria unless said otherwise."""
        body = {"cliente_id": MARIA, "servizi": [CUT], "data": data, "ora": ora, **more}
        return await self.ask("POST", "/api/appuntamenti/create", body)


@asynccontextmanager
async def serving(
    url: str, port: MessagePort | None = None, clock: Clock | None = None, **environment: str
) -> AsyncIterator[Served]:
    """Runs the service on the database of `url`, as it is."""
    settings = load(BookingSettings, {"BOOKING_DATABASE_URL": url, **environment})
    clock = clock or Clock()
    service = BookingService(settings, port, clock)
    server = Server(create_booking_app(service), bound_socket("127.0.0.1", 0, reuse_port=False), grace_s=1)
    await service.look()
    await server.start()
    headers = {"Authorization": f"Bearer {settings.pronto_token}"} if settings.pronto_token else {}
    try:
        base = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
            yield Served(service, http, clock)
    finally:
        await server.stop()
        await service.close()


def sqlite_url(folder: Path) -> str:
    """A database in a folder."""
    return f"sqlite:///{folder / 'booking.sqlite'}"
