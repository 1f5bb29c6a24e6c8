"""`pronto retention` on a real database, files and Redis: old calls lose what is personal, others nothing."""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import redis

from pronto import retention_cli
from protocol.keys import stream_key
from records.call import CallRecord, TurnRecord
from records.call_records import create_tables, one_call, open_database, store

DAY_S = 86_400
SAID = "rappelez moi au zero six"
NUMBER = "+33612345678"


@dataclass
class World:
    """A day's work of a cell, on disk."""

    folder: Path
    database: str
    bus: redis.Redis
    environment: pytest.MonkeyPatch

    def call(self, call_id: str, age_days: float, ended: bool = True, words: int = 1) -> None:
        """A call with a recording, a transcript and a lead."""
        at = time.time() - age_days * DAY_S
        path = self.folder / "recordings" / f"{call_id}.wav"
        path.write_bytes(b"RIFF")
        os.utime(path, (at, at))
        call = CallRecord(call_id, "cell", NUMBER, "+33100000001", "fr/heating", "v", "", at, at + 1)
        call = replace(
            call, outcome="qualified", lead={"phone": NUMBER}, recording=f"/elsewhere/recordings/{path.name}"
        )
        heard = [{"at": at, "text": SAID}] * words
        turn = TurnRecord(call_id, 1, 1, "ask", "bye", [], heard, SAID, "yes", 0.9, slots={"phone": NUMBER})
        engine = open_database(self.database)
        create_tables(engine)
        with engine.begin() as connection:
            store(connection, [replace(call, ended_at=at + 60) if ended else call, turn])

    def run(self, *arguments: str) -> int:
        parser = argparse.ArgumentParser()
        retention_cli.add_parser(parser.add_subparsers())
        return retention_cli.run(parser.parse_args(["retention", *arguments]))

    def is_whole(self, call_id: str) -> bool:
        """Whether nothing was taken from a call; the other way round, whether everything was."""
        found = one_call(open_database(self.database), call_id)
        assert found is not None
        call, turns = found
        text = json.dumps([asdict(call), *map(asdict, turns)], ensure_ascii=False)
        there = [SAID in text, NUMBER in text, (self.folder / "recordings" / f"{call_id}.wav").exists()]
        assert all(there) or not any(there), (call_id, there)
        assert (call.outcome, turns[0].intent, list(call.lead), list(turns[0].slots)) == (
            "qualified", "yes", ["phone"], ["phone"],
        )  # fmt: skip
        return all(there)

    def file_holds(self, text: str) -> bool:
        return any(text.encode() in path.read_bytes() for path in self.folder.glob("calls.sqlite*"))


@pytest.fixture
def world(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "recordings").mkdir()
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("RECORDINGS_DIR", str(tmp_path / "recordings"))
    monkeypatch.setenv("REDIS_URL", redis_url)
    with redis.Redis.from_url(redis_url, decode_responses=True) as bus:
        yield World(tmp_path, database, bus, monkeypatch)
    logging.basicConfig(handlers=[], force=True)


def test_it_is_off_by_default(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.call("old", 1_000)
    assert world.run() == 0
    assert world.is_whole("old")
    assert "retention is off" in capsys.readouterr().out


def test_old_calls_lose_what_is_personal_and_keep_the_rest(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        world.call(f"old-{number}", 31 + number)
        world.call(f"new-{number}", 29 - number)
    world.environment.setenv("RETENTION_DAYS", "30")
    assert world.run() == 0
    assert [world.is_whole(f"old-{number}") for number in range(3)] == [False] * 3
    assert [world.is_whole(f"new-{number}") for number in range(3)] == [True] * 3
    out, log = capsys.readouterr()
    assert "3 calls, 3 turns, 3 recordings" in out
    assert [log.count(f"call_id='old-{number}'") for number in range(3)] == [1, 1, 1]
    assert log.count("deleted path=") == 3
    assert NUMBER not in log
    # a second run finds nothing
    assert world.run() == 0
    assert "0 calls, 0 turns, 0 recordings, 0 messages" in capsys.readouterr().out


def test_nothing_of_an_old_call_is_left_in_the_file(world: World) -> None:
    for number in range(40):  # pages that become free keep what was in them
        world.call(f"old-{number}", 40, words=60)
    assert world.file_holds(SAID)
    assert world.run("--days", "30") == 0
    assert not world.file_holds(SAID)
    assert not world.file_holds(NUMBER)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.call("old", 40)
    world.bus.xadd(stream_key("cell", "events"), {"m": SAID}, id="1000-0")
    assert world.run("--days", "30", "--dry-run") == 0
    assert world.is_whole("old")
    assert world.bus.xlen(stream_key("cell", "events")) == 1
    out, log = capsys.readouterr()
    assert "would be done: 1 calls" in out
    assert "would delete" in log


def test_a_live_call_is_never_touched(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("by-snapshot", "by-legs", "forgotten", "over"):
        world.call(name, 40, ended=False)
        os.utime(world.folder / "recordings" / f"{name}.wav")  # it is being written
    world.bus.set("pronto:call:by-snapshot", json.dumps({"cell": "cell", "dialogue": "{}"}))
    world.bus.set("pronto:cell:legs:by-legs", "{}")
    world.bus.set("pronto:call:over", json.dumps({"cell": "cell", "over": True}))
    assert world.run("--days", "30") == 0
    assert world.is_whole("by-snapshot")
    assert world.is_whole("by-legs")
    assert not world.is_whole("forgotten")
    assert not world.is_whole("over")
    assert "2 left alone" in capsys.readouterr().out


def test_without_redis_nobody_knows_what_is_live(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.call("unended", 40, ended=False)
    world.environment.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert world.run("--days", "30") == 2
    assert world.is_whole("unended")
    assert "broken off" in capsys.readouterr().err


def test_a_record_cannot_name_a_file_elsewhere(world: World) -> None:
    world.call("old", 40)
    outside = world.folder / "outside.wav"
    outside.write_bytes(b"RIFF")
    link = world.folder / "recordings" / "link.wav"
    link.symlink_to(outside)
    os.utime(link, (1, 1), follow_symlinks=False)
    engine = open_database(world.database)
    for name in ("../outside.wav", str(outside), "link.wav", ".", "/"):
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE calls SET recording = ?, caller_number = 'x'", (name,))
        assert world.run("--days", "30") == 0
        assert outside.exists()
        assert link.is_symlink()


def test_recordings_without_a_record_and_old_messages_go_too(world: World) -> None:
    orphan = world.folder / "recordings" / "pbx-1.0.wav"
    orphan.write_bytes(b"RIFF")
    os.utime(orphan, (1, 1))
    other = world.folder / "recordings" / "README"
    other.write_text("keep")
    os.utime(other, (1, 1))
    events = stream_key("cell", "events")
    world.bus.xadd(events, {"m": SAID}, id="1000-0")
    world.bus.xadd(events, {"m": "new"})
    assert world.run("--days", "30") == 0
    assert not orphan.exists()
    assert other.exists()
    assert world.bus.xlen(events) == 1
