"""Whole calls: every script of tests/calls on a real Asterisk, Redis, voice detection, recogniser and intents.

All scripts are played on one stack, many at a time, so that calls meet each other as they do in a hall. Nothing between
the caller's RTP and the bot's RTP is replaced. Then the YAML files of the stack, which are a copy, get a new intent and
a new state, and the next call on the running stack goes through them.
"""

import asyncio
import json
import os
import shutil
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ari_controller.ari import AriClient
from ari_controller.ari_requests import Request
from callers.call_view import CallView
from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import CallReport, ScriptPlayer
from callers.script import Caller, Script, SpokenLine, read_script
from callers.sip_caller import SipCaller
from config import ROOT
from devstack.asterisk import ARI_USER
from devstack.processes import wait_for
from devstack.remains import remains
from devstack.stack import Stack, StackPlan
from pronto.call_cli import DEFAULT_EXTENSION, FIRST_NUMBER, place
from protocol.bus import connect
from protocol.messages import CallStarted, HandoffEnded

SCRIPTS = sorted(set((Path(__file__).parent / "calls").glob("*.yaml")) - {ROOT / "tests" / "calls" / "it_booking.yaml"})
"""Those that talk to the default flow; tests/test_booking_calls.py plays the other one."""
AT_ONCE = 10

# What an admin adds: an intent whose phrases stood in another one (so that the demo speech model knows them), and a
# state of the flow that listens for it.
MOVED = ("je suis au bureau", "je travaille", "je suis au travail")
NEW_INTENT = """
intents:
  at_work:
    description: The caller is at work now.
    phrases: [je suis au bureau, je travaille, je suis au travail]
"""
NEW_STATE = """
states:
  ask_where:
    say: hello
    answers:
      at_work: {say: very_well, goto: ask_zip_code}

"""
EDITED_CALL = """
about: The state and the intent that were added while the stack was running.
steps:
  - hear: ask_eligibility
  - say: oui bonjour
  - state: ask_where
  - hear: hello
  - say: je suis au travail
  - state: ask_zip_code
  - hear: ask_zip_code
  - say: soixante-quinze mille onze
  - hear: zip_code_noted
  - say: oui c'est ça
  - state: ask_owner_house
  - slot: {zip_code: "75011"}
  - hangup
"""

pytestmark = pytest.mark.timeout(1_500)


@dataclass
class Played:
    """What came of all scripts, and what was left in Asterisk and Redis when the last call was over."""

    reports: dict[str, CallReport]
    channels: list[str]
    bridges: list[str]
    keys_without_expiry: list[str]
    most_at_once: int
    children: set[int]
    run_dir: Path
    restarts: dict[str, int]
    edited: CallReport
    away: tuple[CallView, CallView]


def health(stack: Stack, service: str) -> dict[str, object]:
    with urllib.request.urlopen(stack.url(service) + "/health", timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def add_intent(path: Path) -> None:
    """Moves phrases of `busy` into an intent of their own."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not ("- " in line and any(phrase in line for phrase in MOVED))]
    assert len(lines) > len(kept)
    path.write_text("\n".join(kept).replace("\nintents:\n", NEW_INTENT, 1) + "\n", encoding="utf-8")


def add_state(path: Path) -> None:
    """Puts a state between the first question and the one for the zip code."""
    text = path.read_text(encoding="utf-8")
    old = "ok_eligibility: {say: very_well, goto: ask_zip_code}"
    assert old in text
    text = text.replace(old, "ok_eligibility: {say: very_well, goto: ask_where}", 1)
    path.write_text(text.replace("\nstates:\n", NEW_STATE, 1), encoding="utf-8")


async def play_edited(stack: Stack, flows: Path) -> CallReport:
    """Edits the files of the running stack, waits until they are in force, and calls."""
    before = [health(stack, "intent_service")["languages"], health(stack, "bot_manager")["flow"]]
    add_intent(flows / "fr" / "intents.yaml")
    edited = await asyncio.to_thread(wait_for, lambda: health(stack, "intent_service")["languages"] != before[0], 800.0)
    assert edited, "intents not taken"
    add_state(flows / "fr" / "heating.yaml")
    edited = await asyncio.to_thread(wait_for, lambda: health(stack, "bot_manager")["flow"] != before[1], 30.0)
    assert edited, "flow not taken"
    return (await play(stack, [read_script(EDITED_CALL, "edited")]))["edited"]


async def play_all(stack: Stack) -> dict[str, CallReport]:
    return await play(stack, [read_script(path.read_text(encoding="utf-8"), str(path)) for path in SCRIPTS])


async def play(stack: Stack, scores: list[Script]) -> dict[str, CallReport]:
    connection = connect(stack.redis_url)
    monitor = Monitor(connection, stack.cell)
    await monitor.start()
    player = ScriptPlayer(monitor, speak)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(index: int, score: Script) -> CallReport:
        async with places:
            return await place(player, score, f"+{FIRST_NUMBER + index}", stack.sip_port)

    try:
        reports = await asyncio.gather(*(one(index, score) for index, score in enumerate(scores)))
    finally:
        await monitor.stop()
        await connection.aclose()
    return {report.score.name: report for report in reports}


async def nobody_answers(stack: Stack) -> tuple[CallView, CallView]:
    """A caller asks for an adviser whose telephone is not registered; their call before the hand-off, and after it."""
    asterisk, number = stack.asterisk, f"+{FIRST_NUMBER + 900}"
    connection = connect(stack.redis_url)
    monitor = Monitor(connection, stack.cell)
    await monitor.start()

    async def reaches(holds: Callable[[], bool]) -> None:
        assert await monitor.wait_for(holds, 60.0), [view.seen for view in monitor.calls.values()]

    def returned() -> CallView | None:
        """The call that came back."""
        for view in monitor.calls.values():
            if any(isinstance(message, CallStarted) and message.variables for message in view.seen):
                return view
        return None

    try:
        async with AriClient(asterisk.ari_url, ARI_USER, asterisk.settings.ari_password, "tests") as ari:
            there = (("variable", "PRONTO_ADVISER"), ("value", "PJSIP/softphone"))
            await ari.send(Request("set_global", "POST", "/asterisk/variable", there))
        async with SipCaller(("127.0.0.1", stack.sip_port), number) as caller:
            assert await caller.dial(DEFAULT_EXTENSION) == 200
            await reaches(lambda: monitor.call_of(number) is not None)
            before = monitor.call_of(number)
            assert before is not None
            await reaches(lambda: bool(before.begun) and before.bot_silent)
            await caller.phone.say(speak(SpokenLine("je veux parler à un conseiller"), Caller()))
            await reaches(lambda: before.ended)
            await reaches(lambda: returned() is not None)
            after = returned()
            assert after is not None
            await reaches(lambda: "ask_be_called_back_again" in after.prompts_since(0) and after.bot_silent)
            await caller.phone.say(speak(SpokenLine("oui"), Caller()))
            await reaches(lambda: "ask_slot_call_back" in after.prompts_since(0) and after.bot_silent)
            await caller.hang_up()
            await reaches(lambda: after.ended and bool(after.outcome))
            return before, after
    finally:
        await monitor.stop()
        await connection.aclose()


def child_pids() -> set[int]:
    return {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("stack")
    others = child_pids()  # the Asterisk and the Redis that all tests share live on
    flows = folder / "flows"
    shutil.copytree(ROOT / "flows", flows)
    settings = {"FLOWS_DIR": str(flows), "STRAIN_LIMIT": "0"}  # on a busy machine callers would hear that all is busy
    plan = StackPlan(run_dir=folder / "logs", state_dir=folder / "state", settings=settings)
    stack = Stack(plan)
    with stack:
        children = child_pids() - others
        reports = asyncio.run(play_all(stack))
        away = asyncio.run(nobody_answers(stack))
        edited = asyncio.run(play_edited(stack, flows))

        left = remains(stack, 5.0)
        spans = [(r.began_at, r.began_at + 5) for r in reports.values()]
        most = max(sum(a <= start < b for a, b in spans) for start, _ in spans)
        restarts = dict(stack.restarts)
    return Played(
        reports,
        left.channels,
        left.bridges,
        left.endless_keys,
        most,
        children,
        stack.asterisk.run_dir,
        restarts,
        edited,
        away,
    )


def test_there_are_at_least_fifteen_scripts() -> None:
    assert len(SCRIPTS) >= 15


@pytest.mark.parametrize("name", [path.stem for path in SCRIPTS])
def test_the_call_goes_as_its_script_says(played: Played, name: str) -> None:
    report = played.reports[name]
    assert report.faults == [], "\n".join(str(message) for message in (report.view.seen if report.view else []))


def test_an_intent_and_a_state_added_by_yaml_alone_are_in_force_for_the_next_call(played: Played) -> None:
    view = played.edited.view
    assert played.edited.faults == [], "\n".join(str(message) for message in (view.seen if view else []))


def test_a_caller_whom_no_adviser_takes_is_told_and_offered_a_call_back(played: Played) -> None:
    before, after = played.away
    assert (before.outcome, before.end_reason) == ("handed_off", "transferred")
    assert [event.result for event in before.seen if isinstance(event, HandoffEnded)] == ["unreachable"]
    assert after.prompts_since(0)[:2] == ["adviser_away", "ask_be_called_back_again"]
    assert (after.outcome, after.slots.get("callback")) == ("adviser_away", "yes")


def test_ten_calls_were_up_at_once(played: Played) -> None:
    assert played.most_at_once >= min(10, AT_ONCE)


def test_nothing_is_left_in_asterisk(played: Played) -> None:
    assert played.channels == []
    assert played.bridges == []


def test_every_key_in_redis_expires(played: Played) -> None:
    assert played.keys_without_expiry == []


def test_no_service_had_to_be_restarted(played: Played) -> None:
    assert set(played.restarts.values()) == {0}


def test_no_process_and_no_folder_is_left(played: Played) -> None:
    assert len(played.children) >= 7  # redis, asterisk and five services
    assert [pid for pid in played.children if psutil.pid_exists(pid)] == []
    assert not played.run_dir.exists()
