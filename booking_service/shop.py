"""What a shop is for its calendar: opening hours, holidays, staff, the rules of booking. Pure.

Times are the clock on the shop's wall. A day is counted in minutes from its midnight; the end of an appointment may
lie past 24:00, it never wraps. So a day on which the clocks change is a day like any other, but for the times that it
does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONDAY_TO_SUNDAY = ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica")


def minutes(at: time) -> int:
    """From midnight."""
    return at.hour * 60 + at.minute


def clock(minute: int) -> time:
    """The time so many minutes after midnight, 0 to 1439. Raises ValueError."""
    if not 0 <= minute < 24 * 60:
        raise ValueError(f"{minute} is no minute of a day")
    return time(minute // 60, minute % 60)


def shown(at: time) -> str:
    """HH:MM."""
    return at.strftime("%H:%M")


@dataclass(frozen=True)
class OpeningHours:
    """One weekday, 0 is Monday. No break where either end of it is None."""

    giorno: int
    aperto: bool
    apertura: time
    chiusura: time
    pausa_inizio: time | None = None
    pausa_fine: time | None = None

    @property
    def break_minutes(self) -> tuple[int, int] | None:
        """The lunch break, from and to."""
        if self.pausa_inizio is None or self.pausa_fine is None or self.pausa_inizio == self.pausa_fine:
            return None
        return minutes(self.pausa_inizio), minutes(self.pausa_fine)

    @property
    def closing_minute(self) -> int:
        """00:00 as a closing time is the end of the day."""
        return minutes(self.chiusura) or 24 * 60


@dataclass(frozen=True)
class Holiday:
    """A day on which the shop is closed; `ogni_anno`: that day of every year."""

    data: date
    nome: str
    ogni_anno: bool = False

    def is_on(self, day: date) -> bool:
        """Whether it is that day. One of 29 February is only in years that have it."""
        return day == self.data or (self.ogni_anno and (day.month, day.day) == (self.data.month, self.data.day))


@dataclass(frozen=True)
class StaffMember:
    """One who performs services; `servizi` None: all of them."""

    id: int
    nome: str
    servizi: frozenset[int] | None = None

    def does(self, servizi: frozenset[int]) -> bool:
        """Whether they do all of these."""
        return self.servizi is None or servizi <= self.servizi


@dataclass(frozen=True)
class BookingRules:
    """How early, how late and how much is offered."""

    least_notice_minutes: int = 60
    most_notice_days: int = 90
    alternatives: int = 3
    days_ahead: int = 7
    grid_minutes: int = 15


@dataclass(frozen=True)
class Shop:
    """Everything that availability depends on but what is taken. A shop without staff has one chair."""

    hours: Mapping[int, OpeningHours]
    holidays: tuple[Holiday, ...] = ()
    staff: tuple[StaffMember, ...] = ()
    rules: BookingRules = field(default_factory=BookingRules)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Rome"))

    def name_of(self, operatore_id: int | None) -> str | None:
        """The name of a member of staff; None of nobody."""
        return next((one.nome for one in self.staff if one.id == operatore_id), None)


@dataclass(frozen=True)
class Notice:
    """What time it is for bookings: the shop's date, and the first instant that is not too soon (UTC)."""

    today: date
    earliest: datetime


def notice_at(shop: Shop, now_s: float) -> Notice:
    """At `now_s`, seconds since the epoch. An hour's notice is an hour that passes, also where the clocks change."""
    now = datetime.fromtimestamp(now_s, UTC)
    return Notice(now.astimezone(shop.zone).date(), now + timedelta(minutes=shop.rules.least_notice_minutes))


def instant(zone: ZoneInfo, day: date, at: time) -> datetime | None:
    """When the shop's clock shows that (UTC): the first of two times in autumn, None in the hour that spring lacks."""
    wall = datetime.combine(day, at)
    there = wall.replace(tzinfo=zone).astimezone(UTC)
    return there if there.astimezone(zone).replace(tzinfo=None) == wall else None
