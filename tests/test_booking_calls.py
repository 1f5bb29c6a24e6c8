"""Real calls to the Italian appointment flow (flows/it/booking.yaml), with the demo shop's booking service behind it.

Nothing between the caller's voice and the database is replaced: Asterisk, receiver, Whisper base, intents, bot manager,
booking service, speech service. The calls are up at the same time, each of another client, and share one shop. All
scripts, one after the other: `python -m benchmarks.booking_calls`; more races: `python -m benchmarks.booking_races`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.booking_races import Race, race
from callers.play_script import CallReport
from callers.script import read_script
from config import ROOT, STATE
from devstack.demo_salon import Salon, morning_zone
from devstack.recogniser import is_there
from devstack.stack import Stack, StackPlan
from pronto.call_cli import play_in_salon

PATIENCE = 4
"""How often a caller says again what was misheard, as people do."""
CALLS = ROOT / "tests" / "calls"
RACES = 1
TOGETHER = ("it_booking", "booking/correction_not_x", "booking/cancel", "booking/move_day")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not is_there(), reason="Whisper base was left out (PRONTO_SMALL=1) or could not be fetched"),
    pytest.mark.skipif(not (STATE / "pico").is_dir(), reason="Pico was not fetched"),
]


@dataclass
class Played:
    """What came of the calls."""

    reports: dict[str, CallReport] = field(default_factory=dict)
    races: list[Race] = field(default_factory=list)
    restarts: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("booking")
    plan = StackPlan(run_dir=folder / "logs", state_dir=folder / "state", settings={"STRAIN_LIMIT": "0"})
    with Salon(folder / "salon", "it/booking") as salon, Stack(salon.plan(plan)) as stack:
        texts = {name: (CALLS / f"{name}.yaml").read_text(encoding="utf-8") for name in TOGETHER}
        scripts = [read_script(text, name, salon.now()) for name, text in texts.items()]
        reports = asyncio.run(play_in_salon(stack, salon, scripts, patience=PATIENCE))
        races = [race(stack, salon, PATIENCE) for _ in range(RACES)]
        return Played(dict(zip(TOGETHER, reports, strict=True)), races, dict(stack.restarts))


@pytest.mark.parametrize("name", TOGETHER)
def test_the_call_goes_as_its_script_says(played: Played, name: str) -> None:
    report = played.reports[name]
    assert report.faults == [], "\n".join(str(message) for message in (report.view.seen if report.view else []))


def test_in_the_database_is_what_was_said_and_nothing_else(played: Played) -> None:
    assert played.reports["it_booking"].shop_faults == []


@pytest.mark.parametrize("number", range(RACES))
def test_of_two_callers_at_once_one_books_and_the_other_hears_other_times(played: Played, number: int) -> None:
    assert played.races[number].faults == []


def test_no_service_had_to_be_restarted(played: Played) -> None:
    assert set(played.restarts.values()) == {0}


@pytest.mark.parametrize("hour", range(24))
def test_it_is_morning_in_the_shop_at_any_hour(hour: int) -> None:
    now = datetime(2026, 3, 1, hour, 59, tzinfo=UTC)
    assert now.astimezone(morning_zone(now)).hour == 10


@pytest.mark.parametrize("path", sorted((CALLS / "booking").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_script_can_be_read(path: Path) -> None:
    script = read_script(path.read_text(encoding="utf-8"), str(path), datetime(2026, 1, 14, 10, 30))
    assert (script.flow, script.shop is not None) == ("it/booking", True)
