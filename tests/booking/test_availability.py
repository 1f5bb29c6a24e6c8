"""The seven checks at each of their boundaries, and against a calendar that counts minute by minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from booking_service.availability import Free, FreeTime, Taken, Unavailable, WhyNot, Wish, look, offers, within
from booking_service.shop import Holiday, Notice, OpeningHours, Shop, StaffMember, clock, minutes, notice_at
from tests.booking.samples import CUT, GIULIA, HOURS, MARCO, NOW, ROME, SHOP, STYLE, seconds

THURSDAY = date(2026, 1, 15)
NOTICE = notice_at(SHOP, seconds(NOW))
ANYBODY = Wish(THURSDAY, time(9), 30, None, frozenset({CUT}))


def at(text: str, day: date = THURSDAY, length: int = 30, who: int | None = None) -> Wish:
    return Wish(day, time.fromisoformat(text), length, who, frozenset({CUT}))


def taken(begin: str, end: str, who: int | None, day: date = THURSDAY) -> Taken:
    return Taken(day, minutes(time.fromisoformat(begin)), minutes(time.fromisoformat(end)), who)


def no(reason: WhyNot, detail: str) -> Unavailable:
    return Unavailable(reason, detail)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        # 1: holidays, one of every year among them
        (at("10:00", date(2026, 1, 22)), no(WhyNot.HOLIDAY, "Festa del patrono")),
        (at("10:00", date(2026, 12, 25)), no(WhyNot.HOLIDAY, "Natale")),
        # 2: closed, with a row and without
        (at("10:00", date(2026, 1, 19)), no(WhyNot.WEEKDAY, "lunedì")),
        (at("10:00", date(2026, 1, 18)), no(WhyNot.WEEKDAY, "domenica")),
        # 3: opening and closing
        (at("08:59"), no(WhyNot.OPENING, "09:00")),
        (at("09:00"), Free(GIULIA)),
        (at("18:30"), Free(GIULIA)),
        (at("18:31"), no(WhyNot.CLOSING, "19:00")),
        (at("18:00", length=7 * 60), no(WhyNot.CLOSING, "19:00")),  # past midnight, where a clock would wrap
        # 4: the break
        (at("12:00"), Free(GIULIA)),
        (at("12:01"), no(WhyNot.BREAK, "12:30-14:00")),
        (at("13:59"), no(WhyNot.BREAK, "12:30-14:00")),
        (at("14:00"), Free(GIULIA)),
        (at("12:00", length=180), no(WhyNot.BREAK, "12:30-14:00")),
        # 5: 60 minutes
        (at("10:59", NOW.date()), no(WhyNot.LEAST_NOTICE, "60")),
        (at("11:00", NOW.date()), Free(GIULIA)),
        (at("10:00", NOW.date() - timedelta(days=1)), no(WhyNot.LEAST_NOTICE, "60")),
        # 6: 90 days
        (at("10:00", NOW.date() + timedelta(days=90)), Free(GIULIA)),
        (at("10:00", NOW.date() + timedelta(days=91)), no(WhyNot.MOST_NOTICE, "90")),
        # the first reason is the one that is said
        (at("08:00", date(2026, 12, 25)), no(WhyNot.HOLIDAY, "Natale")),
        (at("08:00", date(2026, 1, 18)), no(WhyNot.WEEKDAY, "domenica")),
    ],
)
def test_each_boundary(wish: Wish, expected: Free | Unavailable) -> None:
    assert look(SHOP, wish, [], NOTICE) == expected


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (at("10:00", who=GIULIA), no(WhyNot.CONFLICT, "Giulia")),
        (at("10:00"), Free(MARCO)),
        (at("10:29", who=GIULIA), no(WhyNot.CONFLICT, "Giulia")),
        (at("10:30", who=GIULIA), Free(GIULIA)),
        (at("09:30", who=GIULIA), Free(GIULIA)),
        (at("09:31", who=GIULIA), no(WhyNot.CONFLICT, "Giulia")),
        (at("11:00"), no(WhyNot.CONFLICT, "")),
        (at("15:00", who=MARCO), no(WhyNot.CONFLICT, "Marco")),  # whom that one keeps busy is not known
        (replace(at("10:00"), servizi=frozenset({STYLE})), no(WhyNot.CONFLICT, "")),  # Marco cannot
        (replace(at("16:00", who=MARCO), servizi=frozenset({STYLE})), no(WhyNot.STAFF, "Marco")),
        (at("16:00", who=7), no(WhyNot.STAFF, "")),
    ],
)
def test_what_is_taken(wish: Wish, expected: Free | Unavailable) -> None:
    there = [
        taken("10:00", "10:30", GIULIA),
        taken("11:00", "11:30", GIULIA),
        taken("11:15", "12:00", MARCO),
        taken("15:00", "15:30", None),
        taken("10:00", "19:00", MARCO, date(2026, 1, 16)),
    ]
    assert look(SHOP, wish, there, NOTICE) == expected


def test_no_break_where_an_end_of_it_is_missing() -> None:
    for pause in ((None, time(14)), (time(12), None), (None, None), (time(13), time(13))):
        hours = {3: replace(HOURS[3], pausa_inizio=pause[0], pausa_fine=pause[1])}
        assert look(replace(SHOP, hours=hours), at("12:45"), [], NOTICE) == Free(GIULIA)


def test_a_shop_without_staff_has_one_chair() -> None:
    alone = replace(SHOP, staff=())
    assert look(alone, at("10:00"), [], NOTICE) == Free(None)
    assert look(alone, at("10:00"), [taken("10:15", "10:45", None)], NOTICE) == no(WhyNot.CONFLICT, "")


def test_who_has_least_to_do_is_chosen() -> None:
    assert look(SHOP, at("16:00"), [taken("10:00", "11:00", GIULIA)], NOTICE) == Free(MARCO)


def test_the_nearest_times_of_the_day_come_in_order_of_time() -> None:
    there = [taken("10:00", "10:30", GIULIA), taken("10:00", "10:30", MARCO)]
    found = offers(SHOP, at("10:00"), there, NOTICE)
    assert {one.data for one in found} == {THURSDAY}
    assert [one.ora for one in found] == [time(9, 15), time(9, 30), time(10, 30)]


def test_days_that_are_not_worked_are_passed_over_and_what_was_refused_does_not_come_again() -> None:
    saturday = date(2026, 1, 17)
    full = [taken("09:00", "19:00", who, saturday) for who in (GIULIA, MARCO)]
    first = offers(SHOP, at("09:00", saturday), full, NOTICE)
    assert [(one.data.day, one.ora) for one in first] == [(20, time(9)), (20, time(9, 15)), (20, time(9, 30))]
    again = offers(SHOP, at("09:00", saturday), full, NOTICE, frozenset((one.data, one.ora) for one in first))
    assert [(one.data.day, one.ora) for one in again] == [(20, time(9, 45)), (20, time(10)), (20, time(10, 15))]


def test_seven_days_are_looked_ahead() -> None:
    full = [
        taken("09:00", "19:00", who, THURSDAY + timedelta(days=ahead)) for who in (GIULIA, MARCO) for ahead in range(7)
    ]
    assert offers(SHOP, at("09:00"), full, NOTICE) == []  # the seventh day is the patron's
    found = offers(replace(SHOP, holidays=()), at("09:00"), full, NOTICE)
    assert {one.data for one in found} == {THURSDAY + timedelta(days=7)}


def test_a_stretch_gives_its_first_free_times() -> None:
    there = [taken("17:00", "17:30", GIULIA), taken("17:00", "17:30", MARCO)]
    found = within(SHOP, at("17:00"), time(23, 59), there, NOTICE)
    assert [one.ora for one in found] == [time(17, 30), time(17, 45), time(18)]
    assert within(SHOP, at("18:45"), time(23, 59), there, NOTICE) == []


# --- a calendar that counts minute by minute ----------------------------------------------------------------


@cache
def wall_minutes(day: date) -> dict[int, datetime]:
    """The minutes that the shop's clock shows on a day, with the first instant of each."""
    found: dict[int, datetime] = {}
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=3)
    for _ in range(30 * 60):
        local = instant.astimezone(ROME)
        if local.date() == day:
            found.setdefault(local.hour * 60 + local.minute, instant)
        instant += timedelta(minutes=1)
    return found


def counted(shop: Shop, wish: Wish, there: list[Taken], now: datetime) -> set[int | None]:
    """Who is free for the wish; nobody when it cannot be."""
    hours = shop.hours.get(wish.data.weekday())
    shown = wall_minutes(wish.data)
    begin = wish.ora.hour * 60 + wish.ora.minute
    needed = set(range(begin, begin + wish.durata_minuti))
    closed = {(one.data.month, one.data.day, None if one.ogni_anno else one.data.year) for one in shop.holidays}
    if {(wish.data.month, wish.data.day, year) for year in (None, wish.data.year)} & closed:
        return set()
    if hours is None or not hours.aperto or begin not in shown:
        return set()
    worked = set(range(minutes(hours.apertura), minutes(hours.chiusura) or 1440))
    if hours.pausa_inizio and hours.pausa_fine:
        worked -= set(range(minutes(hours.pausa_inizio), minutes(hours.pausa_fine)))
    if not needed <= worked:
        return set()
    if (shown[begin] - now).total_seconds() < shop.rules.least_notice_minutes * 60:
        return set()
    days = [now.astimezone(ROME).date() + timedelta(days=ahead) for ahead in range(shop.rules.most_notice_days + 1)]
    if wish.data not in days:
        return set()
    whom: list[int | None] = [one.id for one in shop.staff if wish.servizi <= (one.servizi or {CUT, STYLE})] or [None]
    if shop.staff and whom == [None]:
        return set()
    blocked = [(one.operatore_id, set(range(one.begin, one.end))) for one in there if one.data == wish.data]
    return {
        who
        for who in whom
        if wish.operatore_id in (None, who)
        and not any(busy & needed for other, busy in blocked if other in (None, who) or who is None)
    }


CHANGES = (date(2026, 3, 29), date(2026, 10, 25))
DAYS = st.one_of(
    st.sampled_from(CHANGES), st.dates(date(2026, 1, 1), date(2027, 3, 1)), st.just(date(2028, 2, 29)),
)  # fmt: skip
QUARTERS = st.integers(0, 95).map(lambda number: clock(number * 15))
TIMES = st.one_of(QUARTERS, st.times().map(lambda one: one.replace(second=0, microsecond=0, tzinfo=None)))


@st.composite
def openings(draw: st.DrawFn, giorno: int) -> OpeningHours:
    """Some open at night, so that the changes of the clock fall into their hours."""
    first, pause, again, last = sorted(draw(st.lists(QUARTERS, min_size=4, max_size=4, unique=True)))
    last = draw(st.sampled_from([last, time(0)]))
    has_pause = draw(st.booleans())
    return OpeningHours(giorno, draw(st.integers(0, 9)) > 0, first, last, pause if has_pause else None, again)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Shop, Wish, list[Taken], datetime]:
    day = draw(DAYS)
    hours = {giorno: draw(openings(giorno)) for giorno in draw(st.sets(st.integers(0, 6), min_size=5))}
    holidays = tuple(draw(st.lists(st.builds(Holiday, DAYS, st.just("festa"), st.booleans()), max_size=1)))
    staff = (StaffMember(1, "Giulia"), StaffMember(2, "Marco", frozenset({CUT})))[: draw(st.integers(0, 2))]
    who = draw(st.sampled_from([None, *(one.id for one in staff)]))
    length = draw(st.one_of(st.sampled_from([15, 30, 45, 60, 90]), st.integers(1, 1_500)))
    wish = Wish(day, draw(TIMES), length, who, draw(st.sampled_from([frozenset({CUT}), frozenset({STYLE})])))
    there = [
        Taken(day, minutes(begin), minutes(begin) + draw(st.integers(1, 120)), draw(st.sampled_from([None, 1, 2])))
        for begin in draw(st.lists(TIMES, max_size=3))
    ]
    back = draw(st.one_of(st.integers(0, 180), st.integers(0, 100 * 24 * 60)))
    now = datetime.combine(day, wish.ora, ROME).astimezone(UTC) - timedelta(minutes=back)
    return Shop(hours, holidays, staff, zone=ROME), wish, there, now


NIGHT = Shop({6: OpeningHours(6, True, time(0), time(0))}, zone=ROME)


@settings(max_examples=500, deadline=None)
@given(cases())
@example((NIGHT, Wish(CHANGES[0], time(2, 30), 30), [], datetime(2026, 3, 28, 12, tzinfo=UTC)))  # no such time
@example((NIGHT, Wish(CHANGES[0], time(3), 30), [], datetime(2026, 3, 29, 0, tzinfo=UTC)))  # an hour from 01:00
@example((NIGHT, Wish(CHANGES[0], time(3), 30), [], datetime(2026, 3, 29, 0, 1, tzinfo=UTC)))
@example((NIGHT, Wish(CHANGES[1], time(2, 30), 30), [], datetime(2026, 10, 24, 23, 30, tzinfo=UTC)))  # twice that day
@example((NIGHT, Wish(CHANGES[1], time(23), 60), [], datetime(2026, 7, 27, 21, 59, tzinfo=UTC)))  # 90 days
def test_it_is_what_a_calendar_says_that_counts_every_minute(
    case: tuple[Shop, Wish, list[Taken], datetime],
) -> None:
    shop, wish, there, now = case
    notice = notice_at(shop, now.timestamp())
    result = look(shop, wish, there, notice)
    free = counted(shop, wish, there, now)
    assert (isinstance(result, Free) and result.operatore_id in free) or (isinstance(result, Unavailable) and not free)


@settings(max_examples=30, deadline=None)
@given(cases(), st.data())
def test_offers_are_the_nearest_free_times_of_the_first_days_that_have_some(
    case: tuple[Shop, Wish, list[Taken], datetime], data: st.DataObject
) -> None:
    shop, wish, there, now = case
    notice: Notice = notice_at(shop, now.timestamp())
    refused = frozenset({(wish.data, data.draw(QUARTERS))})
    expected: list[FreeTime] = []
    for ahead in range(8):
        day = wish.data + timedelta(days=ahead)
        one_day = [
            FreeTime(day, start, None)
            for start in map(clock, range(0, 1440, 15))
            if counted(shop, replace(wish, data=day, ora=start), there, now)
            and (day, start) not in refused | {(wish.data, wish.ora)}
        ]
        one_day.sort(key=lambda one: (abs(minutes(one.ora) - minutes(wish.ora)), one.ora))
        expected += one_day[: 3 - len(expected)]
    found = [(one.data, one.ora) for one in offers(shop, wish, there, notice, refused)]
    assert found == sorted((one.data, one.ora) for one in expected)
