"""A shop to try things on: half past twelve to two is lunch, Sunday and Monday are closed, two people work there."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from booking_service.shop import Holiday, OpeningHours, Shop, StaffMember

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 1, 14, 10, 0, tzinfo=ROME)
"""Wednesday."""
GIULIA, MARCO = 1, 2
CUT, COLOUR, STYLE = 1, 2, 3
HOURS = {
    day: OpeningHours(day, day not in (0, 6), time(9), time(19), time(12, 30), time(14))
    for day in range(6)  # no row for Sunday, a closed one for Monday
}
SHOP = Shop(
    HOURS,
    (Holiday(date(2020, 12, 25), "Natale", True), Holiday(date(2026, 1, 22), "Festa del patrono")),
    (StaffMember(GIULIA, "Giulia"), StaffMember(MARCO, "Marco", frozenset({CUT}))),
    zone=ROME,
)


def seconds(at: datetime) -> float:
    """Since the epoch."""
    return at.astimezone(UTC).timestamp()
