"""Opening hours against the plainest way to tell them: minute by minute; public holidays against those published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.flow_store import FlowStore
from dialogue.hours.hours_file import BadHours, read_hours
from dialogue.hours.opening_hours import ALWAYS, Hours, Openings
from dialogue.hours.public_holidays import easter_sunday, public_holidays
from dialogue.rehearsal import Decision, Rehearsal
from dialogue.scores import BadScore, play, read_scores

PARIS = ZoneInfo("Europe/Paris")
SHOP = """\
hours:
  monday-friday: 9:00-12:00, 14:00-18:30
  saturday: [9:00-12:00]
  sunday: closed
holidays: FR
exceptions:
  2026-12-24: 9:00-12:00
  2026-12-28..2027-01-02: closed
  2026-07-14: 10:00-12:00
messages:
  - {from: 2026-12-20T18:00, until: 2027-01-02, say: "Nous sommes fermés du 28 décembre au 2 janvier."}
  - {from: 2026-12-01, until: 2026-12-31, say: "Pensez à vos cadeaux."}
"""
FLOW = """\
flow: shop
language: fr
timezone: Europe/Paris
start: greet
hours: shop
too_long: bye
trouble: {say: "Pardon ?", then: bye}
states:
  greet:
    choose:
      - {when: hours.message is known and hours.open, say: "{hours.message}", goto: opened}
      - {when: hours.open, goto: opened}
    otherwise: {say: "Nous ouvrons {hours.opens_at}.", goto: bye}
  opened:
    choose:
      - when: hours.closes_at is known and hours.closes_at - now.moment <= 30 min
        say: "Nous fermons {hours.closes_at}."
        goto: bye
    otherwise: {say: "Bonjour à vous.", goto: bye}
  bye: {say: "Au revoir.", hangup: true, outcome: done}
"""


def flow_of(text: str = FLOW, hours: str = SHOP) -> Flow:
    return read_flow(text, "fr/shop.yaml", Known(frozenset(), frozenset(), {}, hours={"shop": read_hours(hours, "h")}))


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def said_at(text: str) -> str:
    call = Rehearsal(flow_of(), lambda sentence, allowed: Decision(), at=paris(text).timestamp())
    return " ".join(call.spoken)


# --- what a flow makes of them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-06-02T08:59", "Nous ouvrons mardi 2 juin à 9 heures."),
        ("2026-06-02T09:00", "Bonjour à vous."),
        ("2026-06-02T11:45", "Nous fermons mardi 2 juin à 12 heures."),
        ("2026-06-02T12:00", "Nous ouvrons mardi 2 juin à 14 heures."),
        ("2026-06-06T13:00", "Nous ouvrons lundi 8 juin à 9 heures."),
        ("2026-05-25T10:00", "Nous ouvrons mardi 26 mai à 9 heures."),  # Whit Monday
        ("2026-07-14T10:30", "Bonjour à vous."),  # an exception comes before the holiday
        ("2026-12-24T15:00", "Nous ouvrons samedi 26 décembre à 9 heures."),
        ("2026-12-28T10:00", "Nous ouvrons lundi 4 janvier 2027 à 9 heures."),
        ("2026-12-21T10:00", "Nous sommes fermés du 28 décembre au 2 janvier. Bonjour à vous."),
        ("2026-12-19T10:00", "Pensez à vos cadeaux. Bonjour à vous."),
        ("2027-01-04T10:00", "Bonjour à vous."),
    ],
)
def test_what_callers_hear(at: str, said: str) -> None:
    heard = said_at(at).removesuffix(" Au revoir.")
    assert heard.replace(" 2027", "") == said.replace(" 2027", "")


def test_a_message_ends_with_its_last_day() -> None:
    hours = read_hours(SHOP, "h")
    assert hours.message(paris("2027-01-02T23:59")).startswith("Nous sommes fermés")
    assert hours.message(paris("2027-01-03T00:00")) == ""
    assert hours.message(paris("2026-12-20T17:59")) == "Pensez à vos cadeaux."
    assert hours.message(paris("2026-11-30T23:59")) == ""


def test_what_may_be_unset_must_be_asked_about() -> None:
    unasked = FLOW.replace("hours.closes_at is known and ", "")
    with pytest.raises(BadFlow, match=r"fr/shop.yaml:16: state opened: hours.closes_at may be unset here"):
        flow_of(unasked)


def test_without_hours_there_are_no_such_variables() -> None:
    with pytest.raises(BadFlow, match=r"unknown variable hours.open"):
        flow_of(FLOW.replace("hours: shop\n", ""))
    with pytest.raises(BadFlow, match=r"fr/shop.yaml:5: unknown hours shp, did you mean shop\?: there is no shp.yaml"):
        flow_of(FLOW.replace("hours: shop", "hours: shp"))


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("sunday: closed", "sundy: closed", "h:4: there is no day sundy, did you mean sunday?"),
        ("sunday: closed", "saturday-sunday: closed", "h:4: saturday is there twice"),
        ("9:00-12:00, 14:00", "9:00-15:00, 14:00", "h:2: monday-friday: openings stand one after the other"),
        ("14:00-18:30", "14:00-18:60", "h:2: '14:00-18:60' is no opening: hours are 0:00 to 24:00"),
        ("14:00-18:30", "2 pm", "h:2: '2 pm' is no opening such as 9:00-12:30, and not closed"),
        ("holidays: FR", "holidays: CH", "h:5: public holidays are known of FR, IT, GB"),
        ("2026-12-28..2027-01-02", "2026-12-24..2027-01-02", "h:8: 2026-12-24 has two exceptions"),
        ("2026-12-28..2027-01-02", "2027-01-02..2026-12-28", "the last day is the first or later"),
        ("2026-12-28..2027-01-02", "2026-02-30", "2026-02-30 must be a date such as"),
        ("2026-12-28..2027-01-02", "9999-12-31", "9999-12-31 must be a date such as"),
        ("until: 2027-01-02", "until: 2026-01-02", "h:11: a message ends after it begins"),
        ("until: 2027-01-02", "until: 2027-01-02T10:00Z", "h:11: times are those of the flow's zone"),
        ("messages:", "notices:", "h:10: the hours has no key notices"),
    ],
)
def test_what_is_refused_with_its_line(before: str, after: str, fault: str) -> None:
    assert before in SHOP
    with pytest.raises(BadHours) as refused:
        read_hours(SHOP.replace(before, after), "h")
    assert fault in str(refused.value)


def test_a_place_that_is_never_open_is_refused() -> None:
    with pytest.raises(BadHours, match="it is never open"):
        read_hours("hours: {monday: closed}", "h")
    with pytest.raises(BadHours, match="exceptions close at most 366 days"):
        read_hours(
            "hours: {monday: 9-12}\nexceptions: {2026-01-01..2026-12-31: closed, 2027-01-01..2027-01-09: closed}", "h"
        )


def test_a_bad_file_costs_the_flows_that_name_it_and_no_other(folder: Path) -> None:
    flows = folder / "flows" / "fr"
    (flows / "shop.yaml").write_text(SHOP)
    (flows / "line.yaml").write_text(FLOW)
    store = FlowStore(folder / "flows", folder / "prompts")
    assert store.load().faults == ()
    assert store.current("fr/line").hours == read_hours(SHOP, "h")

    (flows / "shop.yaml").write_text(SHOP.replace("sunday: closed", "sunday: 10:00-13:00"))
    assert store.refresh().changed == ("fr/line",)  # an edit of the hours is in force without one of the flow
    (flows / "shop.yaml").write_text(SHOP.replace("sunday: closed", "sundy: closed"))
    look = store.refresh()
    assert look.changed == ()
    assert ["shop.yaml:4: there is no day sundy" in fault for fault in look.faults] == [True]
    assert store.current("fr/line").hours == read_hours(SHOP.replace("sunday: closed", "sunday: 10:00-13:00"), "h")

    begun_anew = FlowStore(folder / "flows", folder / "prompts")
    assert len(begun_anew.load().faults) == 1
    assert begun_anew.current("fr/line").hours == ALWAYS  # better than no flow at all


def test_a_score_says_when_its_call_is(tmp_path: Path) -> None:
    path = tmp_path / "scores.yaml"
    path.write_text(
        "flow: fr/shop\nscores:\n  - {name: Closed, at: 2026-06-02T08:00, steps: [{hears: ['Nous ouvrons mardi 2 juin"
        " à 9 heures.', 'Au revoir.']}]}\n"
    )
    (score,) = read_scores(path)
    assert play(score, flow_of(), lambda sentence, allowed: Decision()).faults == ()
    path.write_text("flow: fr/shop\nscores:\n  - {name: Closed, at: today, steps: [{hears: []}]}\n")
    with pytest.raises(BadScore, match="at must be a date and time"):
        read_scores(path)


# --- against brute force ----------------------------------------------------------------------------------------------

ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "Europe/London", "America/New_York", "Asia/Kolkata")]


@st.composite
def openings(draw: st.DrawFn) -> Openings:
    """Up to three openings of a day, in quarters of an hour; the last may end on the next day."""
    marks = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
    found: list[tuple[int, int]] = [(begin * 15, end * 15) for begin, end in zip(marks[::2], marks[1::2], strict=False)]
    beyond = draw(st.integers(-20, 20))
    if found and beyond >= 0:
        found[-1] = (found[-1][0], 1440 + 15 * beyond)
    return tuple(found)


@st.composite
def places(draw: st.DrawFn) -> Hours:
    week = tuple(draw(openings()) for _ in range(7))
    days = draw(st.sets(st.integers(0, 40), max_size=8))
    exceptions = {date(2026, 3, 10) + timedelta(day): draw(openings()) for day in days}
    return Hours(week, draw(st.sampled_from(["", "FR", "IT", "GB"])), draw(openings()), exceptions)


def plainly_open(hours: Hours, at: datetime) -> bool:
    """Whether the clock on the wall is within an opening that began that day or the day before."""
    minute = at.hour * 60 + at.minute
    today, yesterday = hours.of_day(at.date()), hours.of_day(at.date() - timedelta(1))
    return any(b <= minute < e for b, e in today) or any(b <= minute + 1440 < e for b, e in yesterday)


def is_near_a_change(at: datetime) -> bool:
    """Whether clocks are put forward or back within two days: what is open then has tests of its own."""
    return (at + timedelta(2)).utcoffset() != (at - timedelta(2)).utcoffset()


@given(places(), st.integers(0, 40 * 96), st.sampled_from(ZONES))
def test_open_as_the_clock_on_the_wall_says(hours: Hours, quarter: int, zone: ZoneInfo) -> None:
    at = (datetime(2026, 3, 9, tzinfo=UTC) + timedelta(minutes=15 * quarter)).astimezone(zone)
    if not is_near_a_change(at):
        assert hours.is_open(at) == plainly_open(hours, at)


@given(places(), st.integers(0, 40 * 96), st.sampled_from(ZONES))
def test_opens_and_closes_as_a_walk_through_the_minutes_says(hours: Hours, quarter: int, zone: ZoneInfo) -> None:
    at = (datetime(2026, 3, 9, tzinfo=UTC) + timedelta(minutes=15 * quarter)).astimezone(zone)
    opens, closes = hours.opens_at(at), hours.closes_at(at)
    step, end = timedelta(minutes=15), at.astimezone(UTC) + timedelta(5)
    assert (opens == at) == hours.is_open(at)
    assert (closes is not None) <= hours.is_open(at)
    walked = at.astimezone(UTC)
    wanted_open = wanted_close = None
    while walked < end and (wanted_open is None or (hours.is_open(at) and wanted_close is None)):
        is_open = hours.is_open(walked.astimezone(zone))
        wanted_open = walked if is_open and wanted_open is None else wanted_open
        wanted_close = walked if not is_open and wanted_open is not None and wanted_close is None else wanted_close
        walked += step
    assert wanted_open is None or opens == wanted_open
    assert wanted_open is not None or opens is None or opens >= end
    if hours.is_open(at):
        assert wanted_close is None or closes == wanted_close
        assert wanted_close is not None or closes is None or closes >= end


@given(places(), st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_there_is_an_opening_where_the_file_has_one(hours: Hours, at: datetime) -> None:
    """What `hours.opens_at` is never unset for: some day of the week is open."""
    week = (((9 * 60, 12 * 60),), *hours.week[1:])
    assert Hours(week, hours.holidays, (), dict.fromkeys(hours.exceptions, ())).opens_at(at.replace(tzinfo=PARIS))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_clocks_that_are_put_forward_and_back() -> None:
    night = Hours((((120, 165),),) * 7)  # 2:00 to 2:45
    spring, autumn = paris("2026-03-28T12:00"), paris("2026-10-24T12:00")
    found = [
        night.opens_at(spring),  # what would have been 2:00 is 3:00
        night.closes_at(utc("2026-03-29T01:10").astimezone(PARIS)),
        night.opens_at(autumn),  # the first 2:00
        night.closes_at(utc("2026-10-25T00:30").astimezone(PARIS)),  # the second 2:45
    ]
    wanted = ["2026-03-29T01:00", "2026-03-29T01:45", "2026-10-25T00:00", "2026-10-25T01:45"]
    assert [at and at.astimezone(UTC) for at in found] == list(map(utc, wanted))


def test_day_and_night_never_closes() -> None:
    assert ALWAYS.is_open(paris("2026-03-29T02:30"))
    assert ALWAYS.closes_at(paris("2026-06-01T10:00")) is None
    bar = read_hours("hours: {friday-saturday: 20:00-2:00, sunday: 0:00-4:00}", "h")
    assert bar.closes_at(paris("2026-06-05T23:00")) == paris("2026-06-06T02:00")
    assert bar.closes_at(paris("2026-06-06T23:00")) == paris("2026-06-07T04:00")  # openings that overlap are one
    assert bar.is_open(paris("2026-06-06T01:59"))
    assert not bar.is_open(paris("2026-06-06T02:00"))


# --- public holidays --------------------------------------------------------------------------------------------------


def test_easter() -> None:
    known = ["2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25"]
    assert [easter_sunday(int(day[:4])).isoformat() for day in known] == known


@pytest.mark.parametrize(
    ("country", "year", "days"),
    [
        ("FR", 2026, "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25"),
        ("IT", 2025, "01-01 01-06 04-20 04-21 04-25 05-01 06-02 08-15 11-01 12-08 12-25 12-26"),
        ("IT", 2026, "01-01 01-06 04-05 04-06 04-25 05-01 06-02 08-15 10-04 11-01 12-08 12-25 12-26"),
        ("GB", 2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-26 12-28"),
        ("GB", 2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-25 12-26 12-27 12-28"),
        ("GB", 2028, "01-01 01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26"),
    ],
)
def test_public_holidays_as_they_are_published(country: str, year: int, days: str) -> None:
    found = sorted(day.isoformat()[5:] for day in public_holidays(country, year))
    assert " ".join(found) == days
