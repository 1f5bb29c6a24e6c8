"""Messages: once each, in the background, again after 1, 5 and 30 minutes, by WhatsApp's API or by mail."""

from __future__ import annotations

import asyncio
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from booking_service import messages
from booking_service.messages import OutgoingMessage
from booking_service.models import AppointmentRow, MessageRow
from booking_service.sending import NotSent, SmtpPort, WhatsAppPort, port_of
from config import BookingSettings, load
from tests.booking.samples import COLOUR, CUT, GIULIA
from tests.booking.serving import Ledger, Served, fill, serving, sqlite_url

AWAY, NEVER = NotSent("away", False), NotSent("no such template", True)
MESSAGE = OutgoingMessage(
    "m1", "3001234567", "booking_confirmation", {"nome": "Anna", "codice": "ABC234", "operatore": ""}
)


async def confirmed(shop: Served) -> list[bool]:
    rows = await shop.service.read(lambda session: list(session.scalars(select(AppointmentRow))))
    assert all((row.whatsapp_confirmed_at is not None) == row.whatsapp_confirmed for row in rows)
    return [row.whatsapp_confirmed for row in rows]


async def test_a_confirmation_has_six_parameters_and_goes_out_once(tmp_path: Path) -> None:
    ledger = Ledger()
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.service.change(fill)
        _, made = await shop.book(servizi=[CUT, COLOUR], operatore_id=GIULIA, session_id="c1")
        await shop.book(servizi=[CUT, COLOUR], operatore_id=GIULIA, session_id="c1")
        assert await confirmed(shop) == [False]
        assert [await shop.service.send_due(ledger) for _ in range(3)] == [1, 0, 0]
        assert await confirmed(shop) == [True]
        [sent] = ledger.sent.values()
        assert (sent.telefono, sent.template) == ("3331237890", "booking_confirmation")
        assert dict(sent.params) == {
            "nome": "Maria Rossi",
            "data": "giovedì 15 gennaio 2026",
            "ora": "10:00",
            "servizio": "taglio, colore",
            "operatore": "Giulia",
            "codice": made["confirmation_code"],
        }
        # asked for by the contract's endpoint too, it is the same message
        params = dict(sent.params)
        body = {"to": "+39 333 1237890", "template": "booking_confirmation", "params": params}
        answer = await shop.post("/api/whatsapp/send-template", **body)
        assert answer == {"accepted": True, "message_id": sent.id}
        assert await shop.service.send_due(ledger) == 0
        await shop.ask("PUT", f"/api/appuntamenti/{made['id']}", {"ora": "15:00"})
        assert await shop.service.send_due(ledger) == 1  # moved: confirmed anew
        assert [one.params["ora"] for one in ledger.sent.values()] == ["10:00", "15:00"]


async def test_a_provider_that_is_away_is_asked_again_and_the_booking_stands(tmp_path: Path) -> None:
    ledger = Ledger(fault=AWAY)
    async with serving(sqlite_url(tmp_path), ledger) as shop:
        await shop.service.change(fill)
        assert (await shop.book())[0] == 200
        tried = []
        for wait_s in (0, 59, 1, 299, 1, 1_799, 1, 100_000):
            shop.clock.now_s += wait_s
            tried.append(await shop.service.send_due(ledger))
        assert tried == [1, 0, 1, 0, 1, 0, 1, 0]
        assert (await shop.ask("GET", "/health"))[1]["components"]["messages"] == "warning"
        rows = await shop.service.read(lambda session: list(session.scalars(select(MessageRow))))
        assert [(row.status, row.tries) for row in rows] == [("FAILED", 4)]
        shop.clock.now_s -= 100_000
        ledger.fault = None
        await shop.book(ora="15:00")
        await shop.service.send_due(ledger)
        assert await confirmed(shop) == [False, True]


async def test_what_will_never_be_taken_is_not_tried_again(tmp_path: Path) -> None:
    ledger = Ledger(fault=NEVER)
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.service.change(fill)
        await shop.book()
        await shop.service.send_due(ledger)
        shop.clock.now_s += 100_000
        assert await shop.service.send_due(ledger) == 0
        assert ledger.asked == 1


async def test_two_processes_do_not_send_the_same(tmp_path: Path) -> None:
    ledger = Ledger()
    async with serving(sqlite_url(tmp_path)) as first, serving(sqlite_url(tmp_path)) as second:
        await first.service.change(fill)
        for hour in range(14, 18):
            await first.book(ora=f"{hour}:00")
        await asyncio.gather(*(one.service.send_due(ledger) for one in (first, second) for _ in range(3)))
        assert (ledger.asked, len(ledger.sent)) == (4, 4)


async def test_one_who_was_killed_while_sending_sends_the_same_id_again(tmp_path: Path) -> None:
    ledger = Ledger()
    async with serving(sqlite_url(tmp_path)) as shop:
        await shop.service.change(fill)
        await shop.book()
        claimed = await shop.service.change(lambda session: messages.claim(session, shop.clock.now_s, 60.0))
        await ledger.send(claimed[0])  # and dies before it notes that
        assert await shop.service.send_due(ledger) == 0
        shop.clock.now_s += 60
        assert await shop.service.send_due(ledger) == 1
        assert (ledger.asked, len(ledger.sent)) == (2, 1)


async def test_whatsapp_is_asked_as_its_api_wants_it() -> None:
    came: list[Any] = []
    status = [200]

    async def take(request: web.Request) -> web.Response:
        came.append((dict(request.headers), await request.json()))
        return web.json_response({"messages": [{"id": "wamid.1"}]}, status=status[0])

    application = web.Application()
    application.router.add_post("/messages", take)
    server = TestServer(application)
    await server.start_server()
    port = WhatsAppPort(str(server.make_url("/messages")), "a-token", "it")
    try:
        assert await port.send(MESSAGE) == "wamid.1"
        headers, body = came[0]
        assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer a-token", "m1")
        assert (body["to"], body["messaging_product"], body["template"]["name"]) == (
            "393001234567",
            "whatsapp",
            "booking_confirmation",
        )
        assert body["template"]["language"] == {"code": "it"}
        texts = [one["text"] for one in body["template"]["components"][0]["parameters"]]
        assert texts == ["Anna", "-", "ABC234"]
        for status[0], final in ((400, True), (404, True), (401, False), (429, False), (500, False)):
            with pytest.raises(NotSent) as caught:
                await port.send(MESSAGE)
            assert caught.value.is_final is final
        await server.close()
        with pytest.raises(NotSent) as caught:
            await port.send(MESSAGE)
        assert not caught.value.is_final
    finally:
        await port.close()
        await server.close()


class MailServer(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs to hand over one mail."""

    mails: list[bytes]
    refuses = False

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            match line[:4].upper():
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mail = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        mail += part
                    self.mails.append(mail)
                    self.wfile.write(b"250 taken\r\n")
                case b"RCPT" if type(self).refuses:
                    self.wfile.write(b"550 nobody\r\n")
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 ok\r\n")


@contextmanager
def mail_server(refuses: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    mails: list[bytes] = []
    kind = type("One", (MailServer,), {"mails": mails, "refuses": refuses})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
            thread.join()


def mailing(port: int) -> BookingSettings:
    return load(
        BookingSettings,
        {"BOOKING_MESSAGES": "smtp", "BOOKING_SMTP_PORT": str(port), "BOOKING_SMTP_TO": "{to}@sms.example"},
    )


async def test_a_mail_to_a_gateway() -> None:
    message = OutgoingMessage(
        "m1", "3001234567", "booking_confirmation",
        {"nome": "Anna", "data": "giovedì", "ora": "10:00", "servizio": "taglio", "codice": "ABC234"},
    )  # fmt: skip
    with mail_server() as (number, mails):
        port = port_of(mailing(number))
        assert isinstance(port, SmtpPort)
        await port.send(message)
    [mail] = mails
    assert b"To: 393001234567@sms.example" in mail
    assert b"Message-ID: <m1@localhost>" in mail
    with mail_server(refuses=True) as (number, _):
        with pytest.raises(NotSent) as caught:
            await SmtpPort(mailing(number)).send(message)
        assert caught.value.is_final
    with pytest.raises(NotSent) as caught:  # nobody listens there any more
        await SmtpPort(mailing(number)).send(message)
    assert not caught.value.is_final
    assert port_of(load(BookingSettings, {})) is None
