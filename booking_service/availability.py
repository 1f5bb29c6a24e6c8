"""A wish and what is taken already become "free, with this member of staff" or the first reason why not. Pure.

The seven checks stand in their order: holiday, weekday, opening and closing, break, least notice, most notice,
conflict. Ends that meet are no overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum

from booking_service.shop import MONDAY_TO_SUNDAY, Notice, Shop, StaffMember, clock, instant, minutes, shown


class WhyNot(StrEnum):
    """Why not."""

    HOLIDAY = "holiday"
    WEEKDAY = "weekday"
    OPENING = "opening"
    CLOSING = "closing"
    BREAK = "break"
    NO_SUCH_TIME = "no_such_time"
    LEAST_NOTICE = "least_notice"
    MOST_NOTICE = "most_notice"
    STAFF = "staff"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Wish:
    """An appointment that somebody would like. `operatore_id` None: with anybody who does all of `servizi`."""

    data: date
    ora: time
    durata_minuti: int
    operatore_id: int | None = None
    servizi: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Taken:
    """Time that is not free on a day, in minutes from midnight. Without a member of staff it binds all of them: whom it
    keeps busy is not known."""

    data: date
    begin: int
    end: int
    operatore_id: int | None = None


@dataclass(frozen=True)
class Free:
    """With this member of staff; None in a shop without staff."""

    operatore_id: int | None


@dataclass(frozen=True)
class Unavailable:
    """Why not, and the value that belongs into the sentence: a holiday's name, a weekday, a time, two times, a number
    of minutes or days, a name."""

    reason: WhyNot
    detail: str = ""


@dataclass(frozen=True)
class FreeTime:
    """A time that is free."""

    data: date
    ora: time
    operatore_id: int | None


def look(shop: Shop, wish: Wish, taken: Iterable[Taken], notice: Notice) -> Free | Unavailable:
    """The outcome of the seven checks for one wish. `taken` may hold other days."""
    if refused := _refused_by_calendar(shop, wish) or _refused_by_notice(shop, wish, notice):
        return refused
    return _who_is_free(shop, wish, [one for one in taken if one.data == wish.data])


def offers(
    shop: Shop, wish: Wish, taken: Sequence[Taken], notice: Notice, refused: frozenset[tuple[date, time]] = frozenset()
) -> list[FreeTime]:
    """Other times for a wish, in order of time: those of its day that are nearest to it, then those of the next days.

    Each passes the seven checks with the same length and staff. What is in `refused` does not come again.
    """
    found: list[FreeTime] = []
    for ahead in range(shop.rules.days_ahead + 1):
        day = _day_after(wish.data, ahead)
        if day is None:
            break
        near = sorted(
            (
                one
                for one in _free_on(shop, replace(wish, data=day), taken, notice)
                if (one.data, one.ora) not in refused and (one.data, one.ora) != (wish.data, wish.ora)
            ),
            key=lambda one: (abs(minutes(one.ora) - minutes(wish.ora)), one.ora),
        )
        found += near[: shop.rules.alternatives - len(found)]
        if len(found) >= shop.rules.alternatives:
            break
    return sorted(found, key=lambda one: (one.data, one.ora))


def within(
    shop: Shop,
    wish: Wish,
    until: time,
    taken: Sequence[Taken],
    notice: Notice,
    refused: frozenset[tuple[date, time]] = frozenset(),
) -> list[FreeTime]:
    """The first free starts of a stretch of a day, from `wish.ora` to `until`, both included."""
    starts = (one for one in _free_on(shop, wish, taken, notice) if wish.ora <= one.ora <= until)
    return [one for one in starts if (one.data, one.ora) not in refused][: shop.rules.alternatives]


def _free_on(shop: Shop, wish: Wish, taken: Iterable[Taken], notice: Notice) -> list[FreeTime]:
    """Every start on the grid of the wish's day that is free, in order of time."""
    hours = shop.hours.get(wish.data.weekday())
    if hours is None:
        return []
    today = [one for one in taken if one.data == wish.data]
    grid = shop.rules.grid_minutes
    first = -(-minutes(hours.apertura) // grid) * grid
    found = []
    for minute in range(first, min(hours.closing_minute, 24 * 60), grid):
        result = look(shop, replace(wish, ora=clock(minute)), today, notice)
        if isinstance(result, Free):
            found.append(FreeTime(wish.data, clock(minute), result.operatore_id))
    return found


def _refused_by_calendar(shop: Shop, wish: Wish) -> Unavailable | None:
    """Checks 1 to 4."""
    for holiday in shop.holidays:
        if holiday.is_on(wish.data):
            return Unavailable(WhyNot.HOLIDAY, holiday.nome)
    hours = shop.hours.get(wish.data.weekday())
    if hours is None or not hours.aperto:
        return Unavailable(WhyNot.WEEKDAY, MONDAY_TO_SUNDAY[wish.data.weekday()])
    begin = minutes(wish.ora)
    end = begin + wish.durata_minuti
    if begin < minutes(hours.apertura):
        return Unavailable(WhyNot.OPENING, shown(hours.apertura))
    if end > hours.closing_minute:
        return Unavailable(WhyNot.CLOSING, shown(hours.chiusura))
    if (pause := hours.break_minutes) and begin < pause[1] and end > pause[0]:
        return Unavailable(WhyNot.BREAK, f"{shown(clock(pause[0]))}-{shown(clock(pause[1]))}")
    if instant(shop.zone, wish.data, wish.ora) is None:
        return Unavailable(WhyNot.NO_SUCH_TIME, shown(wish.ora))
    return None


def _refused_by_notice(shop: Shop, wish: Wish, notice: Notice) -> Unavailable | None:
    """Checks 5 and 6."""
    start = instant(shop.zone, wish.data, wish.ora)
    if start is None or start < notice.earliest:
        return Unavailable(WhyNot.LEAST_NOTICE, str(shop.rules.least_notice_minutes))
    if (wish.data - notice.today).days > shop.rules.most_notice_days:
        return Unavailable(WhyNot.MOST_NOTICE, str(shop.rules.most_notice_days))
    return None


def _who_is_free(shop: Shop, wish: Wish, today: list[Taken]) -> Free | Unavailable:
    """Check 7. Of several who are free, the one with the least to do that day."""
    begin = minutes(wish.ora)
    end = begin + wish.durata_minuti
    overlapping = [one for one in today if one.begin < end and one.end > begin]
    if not shop.staff:
        return Unavailable(WhyNot.CONFLICT) if overlapping else Free(None)
    wanted = [one for one in shop.staff if wish.operatore_id in (None, one.id)]
    able = [one for one in wanted if one.does(wish.servizi)]
    if not able:
        return Unavailable(WhyNot.STAFF, wanted[0].nome if len(wanted) == 1 else "")
    busy = {one.operatore_id for one in overlapping}
    free = [one for one in able if not busy & {None, one.id}]
    if not free:
        return Unavailable(WhyNot.CONFLICT, able[0].nome if wish.operatore_id is not None else "")

    def work(member: StaffMember) -> tuple[int, int]:
        return sum(one.end - one.begin for one in today if one.operatore_id == member.id), member.id

    return Free(min(free, key=work).id)


def _day_after(day: date, ahead: int) -> date | None:
    try:
        return date.fromordinal(day.toordinal() + ahead)
    except ValueError:  # the calendar ends
        return None
