"""Live conversations while every service is replaced, then killed, and at last Redis and Asterisk: nobody is stranded.

A few calls on the whole stack, nothing between the callers' RTP and the bot's RTP replaced; `benchmarks/faults.py` does
the same with fifty. The callers say again what they are asked again, as people do.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from callers.many_calls import Hall, InjectedFault, in_turn
from callers.play_script import CallReport
from callers.script import Script, read_script
from callers.sip_caller import SipCaller
from devstack.processes import wait_for
from devstack.remains import remains
from devstack.stack import ASTERISK, REDIS, SERVICES, Stack, StackPlan
from pronto.call_cli import DEFAULT_EXTENSION

pytestmark = pytest.mark.timeout(400)

SEED = 20_261_121
CALLS = 4
LOST_CALLS = 2


def script(name: str) -> Script:
    path = Path(__file__).parent / "calls" / f"{name}.yaml"
    return read_script(path.read_text(encoding="utf-8"), str(path))


WHISPER_AWAY = """
about: Nobody understands the caller; they are asked again, then handed over.
steps:
  - interrupt_after: 0.5
  - say: oui bonjour
  - hear: trouble_again
  - interrupt_after: 0.5
  - say: oui bonjour
  - hear: apology
  - end: transferred
expect: {outcome: trouble}
"""
INTENTS_AWAY = """
about: What needs no intent is still understood, what needs one is asked again.
steps:
  - interrupt_after: 0.5
  - say: combien ça coûte
  - hear: one_moment
  - hear: trouble_again
  - hear: ask_eligibility_again
  - say: oui bonjour
  - hear: ask_zip_code
  - hangup
  - end: caller_hung_up
"""


@dataclass
class Suffered:
    """What came of the calls that lived through everything, and of those that Asterisk took with it."""

    reports: list[CallReport]
    degraded: list[CallReport]
    """Calls during which the recogniser, then the intent service did not answer."""
    lost: list[str]
    next_call_is_driven: bool
    restarts: dict[str, int]
    records: dict[str, tuple[str, str]]
    left: dict[str, list[str]]


@contextlib.contextmanager
def frozen(stack: Stack, service: str) -> Iterator[None]:
    """The service is there and does not answer."""
    pid = stack.processes[service].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def degraded(stack: Stack) -> list[CallReport]:
    reports = []
    async with Hall(stack) as hall:
        for service, score in (("whisper_service", WHISPER_AWAY), ("intent_service", INTENTS_AWAY)):
            with frozen(stack, service):
                reports += await hall.place([read_script(score, f"{service} away")], 1)
    return reports


async def suffer(stack: Stack) -> tuple[list[CallReport], list[str], bool]:
    dice = random.Random(SEED)
    async with Hall(stack, patience=6) as hall:
        calls = hall.place([script("zip_code_by_keypad"), script("happy_path")], CALLS)
        assert await hall.all_up(CALLS)
        faults = [InjectedFault("restart", service) for service in SERVICES]
        faults += [InjectedFault("kill", service) for service in dice.sample(SERVICES, len(SERVICES))]
        await in_turn(hall, [*faults, InjectedFault("kill", REDIS)], dice, (0.0, 0.5))
        reports = await calls
        doomed = hall.place([script("happy_path")], LOST_CALLS)
        assert await hall.all_up(CALLS + LOST_CALLS)
        await hall.suffer(InjectedFault("kill", ASTERISK))
        driven = await is_driven(hall)
        return reports, [report.view.end_reason for report in await doomed if report.view], driven


async def is_driven(hall: Hall) -> bool:
    """Whether a new caller hears the bot."""
    known = set(hall.monitor.calls)
    async with SipCaller(("127.0.0.1", hall.stack.sip_port)) as caller:
        assert await caller.dial(DEFAULT_EXTENSION) == 200
        return await hall.monitor.wait_for(
            lambda: any(view.begun for name, view in hall.monitor.calls.items() if name not in known), 20.0
        )


def records_of(stack: Stack) -> dict[str, tuple[str, str]]:
    with closing(sqlite3.connect(stack.database_url.removeprefix("sqlite:///"))) as database:
        rows = database.execute("select id, outcome, end_reason from calls where ended_at > 0")
        return {call_id: (outcome, reason) for call_id, outcome, reason in rows}


@pytest.fixture(scope="module")
def suffered(tmp_path_factory: pytest.TempPathFactory) -> Suffered:
    folder = tmp_path_factory.mktemp("faults")
    plan = StackPlan(folder / "logs", folder / "state", settings={"STRAIN_LIMIT": "0"}, redis_dir=folder / "redis")
    with Stack(plan) as stack:
        without = asyncio.run(degraded(stack))
        reports, lost, driven = asyncio.run(suffer(stack))

        wait_for(lambda: len(records_of(stack)) > CALLS + LOST_CALLS + len(without), 10.0)
        found = remains(stack, 10.0)
        left = {"channels": found.channels, "bridges": found.bridges, "keys without expiry": found.endless_keys}
        return Suffered(reports, without, lost, driven, dict(stack.restarts), records_of(stack), left)


def faults_of(reports: Sequence[CallReport]) -> list[str]:
    return [f"{report.score.name}: {fault}" for report in reports for fault in report.faults]


def test_every_conversation_came_to_the_end_of_its_script_with_the_right_lead(suffered: Suffered) -> None:
    assert faults_of(suffered.reports) == []
    assert [report.view.end_reason for report in suffered.reports if report.view] == ["bot_hung_up"] * CALLS


def test_callers_hear_what_is_wrong_while_nobody_understands_them(suffered: Suffered) -> None:
    assert faults_of(suffered.degraded) == []


def test_every_process_was_killed_once_and_started_again(suffered: Suffered) -> None:
    assert suffered.restarts == dict.fromkeys((*SERVICES, ASTERISK, REDIS), 1)


def test_every_call_has_a_record_that_says_how_it_ended(suffered: Suffered) -> None:
    reasons = sorted(suffered.records.values())
    assert reasons.count(("qualified", "bot_hung_up")) == CALLS
    assert sum(reason == "lost" for _, reason in reasons) == LOST_CALLS


def test_calls_that_asterisk_took_with_it_are_told_as_lost_and_the_next_one_is_served(suffered: Suffered) -> None:
    assert suffered.lost == ["lost"] * LOST_CALLS
    assert suffered.next_call_is_driven


def test_nothing_is_left_behind(suffered: Suffered) -> None:
    assert suffered.left == {"channels": [], "bridges": [], "keys without expiry": []}
