"""Call scripts: what a good one becomes, and every fault of a bad one with its line."""

from datetime import datetime

import pytest

from callers.script import (
    BadScript,
    CallAgain,
    Caller,
    Either,
    Ended,
    HangUpNow,
    Hear,
    HearText,
    InterruptAfter,
    Press,
    ReachState,
    Script,
    Silence,
    SlotIs,
    SpokenLine,
    read_script,
)
from callers.script_shop import Booked, ShopAfter, ShopBefore, Waitlisted

GOOD = """
about: All steps.
caller: {voice: fr+f2, speed: 160, pitch: 40, reaction_ms: 100}
extension: "600"
steps:
  - hear: welcome
  - say: oui bonjour
  - say: {wav: cough.wav}
  - state: ask_zip_code
  - interrupt_after: 0.8
  - press: "75011#"
  - silence: 2.5
  - slot: {zip_code: "75011"}
  - hangup
  - end: caller_hung_up
expect: {outcome: abandoned, lead: {zip_code: "75011"}}
"""


def test_a_script_becomes_its_steps() -> None:
    assert read_script(GOOD, "calls/all.yaml") == Script(
        name="all",
        about="All steps.",
        caller=Caller("fr+f2", 160, 40, 100),
        extension="600",
        steps=(
            Hear("welcome"),
            SpokenLine("oui bonjour"),
            SpokenLine(wav="cough.wav"),
            ReachState("ask_zip_code"),
            InterruptAfter(0.8),
            Press("75011#"),
            Silence(2.5),
            SlotIs("zip_code", "75011"),
            HangUpNow(),
            Ended("caller_hung_up"),
        ),
        outcome="abandoned",
        lead=(("zip_code", "75011"),),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "x.yaml:1: the script is empty"),
        ("steps: [", "x.yaml:1: no YAML"),
        ("about: a\nsteps: {}", "x.yaml:2: steps must be a list"),
        ("steps:\n  - sing: la", "x.yaml:2: unknown step 'sing'"),
        ("steps:\n  - say: oui\n    press: '1'", "x.yaml:2: a step has exactly one key"),
        ("steps:\n  - press: 7x", "x.yaml:2: press takes keys of a telephone"),
        ("steps:\n  - silence: -1", "x.yaml:2: silence must be a number from 0.05 to 600"),
        ("steps:\n  - silence: nan", "x.yaml:2: silence must be a number"),
        ("steps:\n  - say: ''", "x.yaml:2: say must be some text"),
        ("steps:\n  - hear: welcome", "x.yaml:2: nobody does anything"),
        ("steps:\n  - hangup\ncolour: red", "x.yaml:3: unknown key 'colour'"),
        ("caller: {speed: fast}\nsteps:\n  - hangup", "x.yaml:1: speed must be a number"),
    ],
)
def test_a_bad_script_is_refused_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(BadScript) as caught:
        read_script(text, "x.yaml")
    assert fault in str(caught.value)


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(BadScript) as caught:
        read_script("steps:\n  - sing: la\n  - press: x\n  - silence: 9999", "x.yaml")
    assert len(str(caught.value).splitlines()) == 3


SHOP = """
flow: it/booking
shop:
  booked: [{client: Paolo Verdoni, services: "taglio, colore", day: +1, time: "09:00", staff: Giulia}]
  full: [+2]
  closed: {+3: Festa del patrono}
  messages_fail: true
steps:
  - say: vorrei un taglio {+1}, no, {+2 weekday}, o oggi alle {soon}
expect:
  outcome: done
  waiting: [{client: Elena Brambini, day: +2}]
  messages: 1
"""
NEW_YEARS_EVE = datetime(2026, 12, 31, 10, 50)


def test_a_script_says_what_is_in_a_shop_before_and_after() -> None:
    script = read_script(SHOP, "shop.yaml", NEW_YEARS_EVE)
    before = Booked("Paolo Verdoni", "colore, taglio", 1, "09:00", "Giulia")
    assert script.flow == "it/booking"
    assert script.shop == ShopBefore((before,), (2,), ((3, "Festa del patrono"),), messages_fail=True)
    # what it does not say is as it was
    assert script.shop_after == ShopAfter((before,), (Waitlisted("Elena Brambini", 2),), (), 1)


def test_days_are_written_by_their_distance() -> None:
    (said,) = read_script(SHOP, "shop.yaml", NEW_YEARS_EVE).steps
    assert said == SpokenLine("vorrei un taglio venerdì 1 gennaio, no, sabato, o oggi alle 11 e 15")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("day: +1", "day: domani", "shop.yaml:4: a day is written +1"),
        ('time: "09:00"', "time: nine", "shop.yaml:4: a time is written"),
        (", staff: Giulia", "", "shop.yaml:4: staff must be given"),
        ("full: [+2]", "full: +2", "shop.yaml:5: must be a list"),
        ("closed: {+3: Festa del patrono}", "closed: [+3]", "shop.yaml:6: closed is a mapping"),
        ("messages_fail: true", "messages_fail: perhaps", "shop.yaml:7: is true or false"),
        ("messages_fail: true", "massages_fail: true", "shop.yaml:7: unknown key 'massages_fail'"),
        ("messages: 1", "messages: one", "shop.yaml:13: messages is a number"),
        ("shop:\n", "steps:\n  - hangup\nships:\n", "unknown key 'ships'"),
    ],
)
def test_a_shop_that_is_none_is_refused(old: str, new: str, fault: str) -> None:
    assert old in SHOP
    with pytest.raises(BadScript) as caught:
        read_script(SHOP.replace(old, new), "shop.yaml", NEW_YEARS_EVE)
    assert fault in str(caught.value)


def test_a_day_ahead_needs_a_call() -> None:
    with pytest.raises(BadScript) as caught:
        read_script(SHOP, "shop.yaml")
    assert "shop.yaml:9: {+1} is a day that only a call has" in str(caught.value)


TWICE = """
steps:
  - hear: welcome
  - hangup
  - end: caller_hung_up
  - call_again
  - either:
      - [{hear_text: go on}, {say: oui}]
      - [{hear_text: begin}, hangup]
expect: {outcome: done, lead: {zip_code: "75011"}}
"""


def test_a_script_of_two_calls_is_one_of_each() -> None:
    script = read_script(TWICE, "twice.yaml")
    first, second = script.calls()
    assert (first.steps, first.outcome, first.lead) == ((Hear("welcome"), HangUpNow(), Ended("caller_hung_up")), "", ())
    branches = ((HearText("go on"), SpokenLine("oui")), (HearText("begin"), HangUpNow()))
    assert (second.steps, second.outcome) == ((Either(branches),), "done")
    assert second.lead == script.lead
    assert CallAgain() in script.steps


def test_a_script_of_one_call_is_that_call() -> None:
    script = read_script(GOOD, "calls/all.yaml")
    assert script.calls() == (script,)


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ("- hangup\n- call_again\n- hear: welcome", "x.yaml:3: call_again stands behind the end of a call"),
        ("- hangup\n- end: caller_hung_up\n- call_again", "x.yaml:4: call_again stands behind the end of a call"),
        ("- hangup\n- either: [[{hear_text: a}]]", "x.yaml:3: either takes two lists"),
        ("- hangup\n- either: [[{hear_text: a}], [hangup]]", "x.yaml:3: steps of either begin with hear_text"),
        ("- hangup\n- either: [[{hear_text: a}], [{hear_text: b}, call_again]]", "x.yaml:3: steps of either begin"),
    ],
)
def test_calls_and_branches_that_are_none(steps: str, fault: str) -> None:
    with pytest.raises(BadScript, match=fault):
        read_script(f"steps:\n{steps}", "x.yaml")
