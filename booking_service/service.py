"""The service: the database, its threads, the clock, and what it does without being asked.

Every second it sends what is due, every ten it looks at the database, every minute it ends what is over; once an hour,
and when it starts, it takes out what is older than the days that are set, and counts the days that ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking_service import conversations, messages, metrics, privacy, waiting
from booking_service.database import changing, open_booking, reading
from booking_service.messages import OutgoingMessage
from booking_service.sending import MessagePort, NotSent
from booking_service.shop import BookingRules
from booking_service.stored_shop import BookingTerms
from config import BookingSettings
from observability.drain import Drain
from records.database import BadSchema

log = logging.getLogger("booking_service")

T = TypeVar("T")
THREADS: Final = 8
SEND_EVERY_S, PROBE_EVERY_S, EXPIRE_EVERY_S, RETAIN_EVERY_S = 1.0, 10.0, 60.0, 3_600.0
CLAIM_S: Final = 60.0
"""How long a message belongs to the process that is sending it."""
FLOW: Final = "it/booking"


class BookingService:
    """One process. `now` gives seconds since the epoch."""

    def __init__(
        self, settings: BookingSettings, port: MessagePort | None, now: Callable[[], float] = time.time
    ) -> None:
        self.settings, self.now = settings, now
        self.terms = terms_of(settings)
        self.inside = 0
        self.drain = Drain(lambda: self.inside)
        self.audit_key = (settings.booking_audit_key or secrets.token_hex(32)).encode()
        self.components = {"database": "error", "messages": "ok"}
        self._port = port
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        # in turn: SQLite lets its writers sleep and try again, and who is unlucky waits for seconds
        self._writing = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="booking")

    async def change(self, do: Callable[[Session], T]) -> T:
        """Runs `do` in a transaction that alone changes what is booked. Raises what it raises and SQLAlchemyError."""

        def in_turn() -> T:
            with self._writing:
                return self._in(changing, do)

        return await self._run(in_turn)

    async def read(self, do: Callable[[Session], T]) -> T:
        """Runs `do` in a transaction that changes nothing. Raises what it raises and SQLAlchemyError."""
        return await self._run(lambda: self._in(reading, do))

    def health(self) -> dict[str, object]:
        """The fields of `/health`."""
        good = all(state in ("ok", "off") for state in self.components.values())
        return {
            "status": "ok" if good else "degraded",
            "components": dict(self.components),
            "timestamp": datetime.fromtimestamp(self.now(), UTC).isoformat(),
        }

    def ready(self) -> tuple[bool, str]:
        """Whether it can answer from its database."""
        is_there = self.components["database"] == "ok"
        return is_there, "" if is_there else "the database is away"

    async def look(self) -> None:
        """Asks the database once."""
        try:
            await self.read(lambda session: session.execute(text("SELECT 1")))
            state = "ok"
        except (SQLAlchemyError, BadSchema, OSError) as error:
            if self.components["database"] == "ok":
                log.error("the database is away", extra={"error": type(error).__name__})
            state = "error"
        self.components["database"] = state
        for name, value in self.components.items():
            metrics.COMPONENT.labels(name).set(value in ("ok", "off"))

    async def watch(self) -> None:
        """Never returns: looks at the database."""
        while True:
            await self.look()
            await asyncio.sleep(PROBE_EVERY_S)

    async def send_messages(self) -> None:
        """Never returns: sends what is due. Without a port messages wait."""
        if self._port is None:
            self.components["messages"] = "off"
        while True:
            with contextlib.suppress(SQLAlchemyError, BadSchema, OSError):
                while self._port is not None and await self.send_due(self._port):
                    pass
            await asyncio.sleep(SEND_EVERY_S)

    async def send_due(self, port: MessagePort) -> int:
        """Sends those whose turn it is, each once; how many there were."""
        claimed = await self.change(lambda session: messages.claim(session, self.now(), CLAIM_S))
        for message in claimed:
            await self._send(port, message)
        return len(claimed)

    async def end_what_is_over(self) -> None:
        """Never returns: entries of the waitlist, holds, conversations."""
        while True:
            with contextlib.suppress(SQLAlchemyError, BadSchema, OSError):
                await self.change(lambda session: waiting.expire(session, self.terms, self.now()))
                await self.change(lambda session: conversations.forget(session, self.now()))
            await asyncio.sleep(EXPIRE_EVERY_S)

    async def retain(self) -> None:
        """Never returns: statistics, then retention."""
        while True:
            with contextlib.suppress(SQLAlchemyError, BadSchema, OSError):
                await self.retain_once()
            await asyncio.sleep(RETAIN_EVERY_S)

    async def retain_once(self) -> int:
        """Counts today and yesterday, takes out what is old; how many rows that changed."""
        today = datetime.fromtimestamp(self.now(), self.terms.zone).date()
        for day in (today - timedelta(days=1), today):
            count = functools.partial(conversations.count_day, day=day, flow=FLOW, zone=self.terms.zone)
            await self.change(lambda session, count=count: count(session) and None)  # type: ignore[misc]
        days = self.settings.booking_retention_days
        if not days:
            return 0
        changed = await self.change(lambda session: privacy.anonymise(session, days, self.now()))
        if changed:
            log.info("personal parts were taken out", extra={"count": changed})
            metrics.ANONYMISED.inc(changed)
            await self._run(lambda: privacy.wipe(self._opened()))
        return changed

    async def close(self) -> None:
        """Closes connections and threads."""
        if self._port is not None:
            await self._port.close()
        self._threads.shutdown()
        if self._engine is not None:
            self._engine.dispose()

    async def _run(self, do: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, do)

    def _in(self, transaction: Callable[[Engine], Any], do: Callable[[Session], T]) -> T:
        with transaction(self._opened()) as session:
            return do(session)

    def _opened(self) -> Engine:
        """The database, opened and brought up to date by who needs it first: it may be away when the service starts."""
        with self._opening:
            if self._engine is None:
                self._engine = open_booking(self.settings.booking_database_url)
            return self._engine

    async def _send(self, port: MessagePort, message: OutgoingMessage) -> None:
        try:
            provider_id = await port.send(message)
        except NotSent as error:
            final, why = error.is_final, str(error)

            def note(session: Session) -> tuple[str, int | None]:
                return messages.was_not_sent(session, message.id, self.now(), final)

            status, appointment = await self.change(note)
            self.components["messages"] = "warning"
            metrics.MESSAGES.labels(status.lower()).inc()
            log.warning("a message was not sent", extra={"appointment": appointment, "status": status, "reason": why})
            return
        await self.change(lambda session: messages.was_sent(session, message.id, provider_id, self.now()))
        self.components["messages"] = "ok"
        metrics.MESSAGES.labels("sent").inc()


def terms_of(settings: BookingSettings) -> BookingTerms:
    """What is set, as the values that the core takes."""
    return BookingTerms(
        BookingRules(
            settings.booking_least_notice_minutes,
            settings.booking_most_notice_days,
            settings.booking_alternatives,
            settings.booking_days_ahead,
            settings.booking_grid_minutes,
        ),
        ZoneInfo(settings.booking_timezone),
        settings.booking_hold_s,
        settings.booking_waitlist_hold_s,
    )
