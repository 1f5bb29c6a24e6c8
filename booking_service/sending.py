"""The port "send this template to this number", and what may stand behind it: WhatsApp's HTTP API, or mail.

A provider that takes a message says how it calls it. What it will never take is `is_final`; the rest is tried again.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from typing import Any, Final, Protocol

import aiohttp

from booking_service.messages import CONFIRMATION, WAITLIST_OFFER, OutgoingMessage
from booking_service.written import international
from config import BookingSettings

TIMEOUT_S: Final = 10.0
ORDER: Final = ("nome", "data", "ora", "servizio", "operatore", "codice")
"""Of the parameters of the templates; others follow by name."""
MAILS: Final = {
    CONFIRMATION: (
        "Conferma dell'appuntamento {codice}",
        "Gentile {nome}, Le confermiamo l'appuntamento di {data} alle {ora}: {servizio}. Codice: {codice}.",
    ),
    WAITLIST_OFFER: (
        "Si è liberato un posto",
        "Gentile {nome}, {data} alle {ora} si è liberato un posto: {servizio}. Ci chiami entro mezz'ora.",
    ),
}


class NotSent(Exception):
    """`is_final`: it will not be taken later either."""

    def __init__(self, why: str, is_final: bool) -> None:
        super().__init__(why)
        self.is_final = is_final


class MessagePort(Protocol):
    """Who sends. The same `id` may come again after a crash: a provider that knows it sends it once."""

    async def send(self, message: OutgoingMessage) -> str:
        """What the provider calls it. Raises NotSent."""

    async def close(self) -> None:
        """Closes its connections."""


class WhatsAppPort:
    """Templates by the WhatsApp Business Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api."""

    def __init__(self, url: str, token: str, language: str) -> None:
        self._url, self._token, self._language = url, token, language
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: OutgoingMessage) -> str:
        """See the port. The id goes along as `Idempotency-Key`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        names = [*(one for one in ORDER if one in message.params), *sorted(set(message.params) - set(ORDER))]
        # an empty parameter is refused by the API
        texts = [{"type": "text", "text": message.params[name] or "-"} for name in names]
        body = {
            "messaging_product": "whatsapp",
            "to": international(message.telefono).lstrip("+"),
            "type": "template",
            "template": {
                "name": message.template,
                "language": {"code": self._language},
                "components": [{"type": "body", "parameters": texts}],
            },
        }
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": message.id}
        try:
            async with self._session.post(self._url, json=body, headers=headers, allow_redirects=False) as answer:
                if not 200 <= answer.status < 300:
                    final = 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429)
                    raise NotSent(f"the provider answered {answer.status}", final)
                sent: Any = await answer.json(content_type=None)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise NotSent(f"the provider: {type(error).__name__}", False) from error
        try:
            return str(sent["messages"][0]["id"])
        except (KeyError, IndexError, TypeError):
            return ""

    async def close(self) -> None:
        """See the port."""
        if self._session is not None:
            await self._session.close()


class SmtpPort:
    """Mails, to a gateway to SMS or to a mailbox of the shop."""

    def __init__(self, settings: BookingSettings) -> None:
        self._settings = settings

    async def send(self, message: OutgoingMessage) -> str:
        """See the port. The id is the mail's Message-ID."""
        return await asyncio.to_thread(self._send, message)

    async def close(self) -> None:
        """See the port."""

    def _send(self, message: OutgoingMessage) -> str:
        at = self._settings
        subject, text = MAILS.get(message.template, (message.template, ", ".join(message.params.values())))
        mail = EmailMessage()
        mail["From"] = at.booking_smtp_from
        mail["To"] = at.booking_smtp_to.replace("{to}", international(message.telefono).lstrip("+"))
        mail["Subject"] = subject.format_map(message.params)
        mail["Message-ID"] = f"<{message.id}@{at.booking_smtp_from.rpartition('@')[2]}>"
        mail.set_content(text.format_map(message.params))
        try:
            with self._server() as server:
                if at.booking_smtp_user:
                    server.login(at.booking_smtp_user, at.booking_smtp_password)
                server.send_message(mail)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            raise NotSent(f"the mail server refused it: {type(error).__name__}", True) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"the mail server: {type(error).__name__}", False) from error
        return str(mail["Message-ID"])

    def _server(self) -> smtplib.SMTP:
        at = self._settings
        if at.booking_smtp_port == 465:
            safe = ssl.create_default_context()
            return smtplib.SMTP_SSL(at.booking_smtp_host, at.booking_smtp_port, timeout=TIMEOUT_S, context=safe)
        server = smtplib.SMTP(at.booking_smtp_host, at.booking_smtp_port, timeout=TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        return server


def port_of(settings: BookingSettings) -> MessagePort | None:
    """What is set; None: nobody is written to, and messages wait."""
    match settings.booking_messages:
        case "whatsapp":
            return WhatsAppPort(
                settings.booking_whatsapp_url, settings.booking_whatsapp_token, settings.booking_whatsapp_language
            )
        case "smtp":
            return SmtpPort(settings)
        case _:
            return None
