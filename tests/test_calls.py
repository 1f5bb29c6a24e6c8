"""Whole calls: every script of tests/calls on a real Asterisk, Redis, voice detection, recogniser and intents.

All scripts are played on one stack, many at a time, so that calls meet each other as they do in a hall. Nothing between
the caller's RTP and the bot's RTP is replaced.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import redis

from pronto.call_cli import FIRST_NUMBER, place
from pronto.caller_voice import speak
from pronto.monitor import Monitor
from pronto.play_score import CallReport, ScorePlayer
from pronto.processes import wait_for
from pronto.score import Score, read_score
from pronto.stack import Stack, StackPlan
from protocol.bus import connect

SCRIPTS = sorted((Path(__file__).parent / "calls").glob("*.yaml"))
AT_ONCE = 10

pytestmark = pytest.mark.timeout(600)


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


async def play_all(stack: Stack) -> dict[str, CallReport]:
    connection = connect(stack.redis_url)
    monitor = Monitor(connection, stack.cell)
    await monitor.start()
    player = ScorePlayer(monitor, speak)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(index: int, score: Score) -> CallReport:
        async with places:
            return await place(player, score, f"+{FIRST_NUMBER + index}", stack.sip_port)

    try:
        scores = [read_score(path.read_text(encoding="utf-8"), str(path)) for path in SCRIPTS]
        reports = await asyncio.gather(*(one(index, score) for index, score in enumerate(scores)))
    finally:
        await monitor.stop()
        await connection.aclose()
    return {report.score.name: report for report in reports}


def child_pids() -> set[int]:
    return {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("stack")
    others = child_pids()  # the Asterisk and the Redis that all tests share live on
    stack = Stack(StackPlan(run_dir=folder / "logs", state_dir=folder / "state"))
    with stack:
        children = child_pids() - others
        reports = asyncio.run(play_all(stack))

        def is_empty() -> bool:
            return not stack.asterisk.get("channels") and not stack.asterisk.get("bridges")

        wait_for(is_empty, 5.0)
        channels = [item["id"] for item in stack.asterisk.get("channels")]
        bridges = [item["id"] for item in stack.asterisk.get("bridges")]
        with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
            streams = {f"pronto:{stack.cell}:events", f"pronto:{stack.cell}:commands"}
            endless = [key for key in client.scan_iter() if client.ttl(key) == -1 and key not in streams]
        spans = [(r.began_at, r.began_at + 5) for r in reports.values()]
        most = max(sum(a <= start < b for a, b in spans) for start, _ in spans)
        restarts = dict(stack.restarts)
    return Played(reports, channels, bridges, endless, most, children, stack.asterisk.run_dir, restarts)


def test_there_are_at_least_fifteen_scripts() -> None:
    assert len(SCRIPTS) >= 15


@pytest.mark.parametrize("name", [path.stem for path in SCRIPTS])
def test_the_call_goes_as_its_script_says(played: Played, name: str) -> None:
    report = played.reports[name]
    assert report.faults == [], "\n".join(str(message) for message in (report.view.seen if report.view else []))


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
