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
from sqlalchemy import text

from devstack.postgres_server import PostgresServer
from devstack.redis_server import RedisServer
from pronto import retention_cli
from protocol.keys import stream_key
from records.call import CallRecord, TurnRecord, said_item
from records.database import open_database
from records.engines import connect, writing
from records.queries import one_call
from records.store import store

DAY_S = 86_400
SAID = "rappelez moi au zero six"
NUMBER = "+33612345678"
READ_BACK = ["digit_7", "digit_5", "digit_0", "digit_1", "digit_1"]
CHANNEL = "PJSIP-0612345678"
PERSONAL = (SAID, NUMBER, CHANNEL, "75011", "digit_", "soixante-quinze", "Zoé")
"""What may be left of an old call nowhere: texts of either side, numbers, also those that were read back."""


@dataclass
class World:
    """A day's work of a cell, on disk."""

    folder: Path
    database: str
    bus: redis.Redis
    environment: pytest.MonkeyPatch
    server: PostgresServer | None = None

    def call(self, call_id: str, age_days: float, ended: bool = True, words: int = 1) -> None:
        """A call with a recording, a transcript and a lead."""
        at = time.time() - age_days * DAY_S
        path = self.folder / "recordings" / f"{call_id}.wav"
        path.write_bytes(b"RIFF")
        os.utime(path, (at, at))
        call = CallRecord(
            call_id,
            "cell",
            NUMBER,
            "+33100000001",
            "fr/heating",
            "v",
            "",
            at,
            at + 1,
            outcome="qualified",
            lead={"phone": NUMBER, "zip": "75011"},
            recording=f"/elsewhere/recordings/{path.name}",
            channel_id=CHANNEL,
            variables={"name": "Zoé"},
        )
        heard = [{"at": at, "text": SAID}] * words
        spelled = [said_item("prompt", name, "soixante-quinze" if name == "digit_7" else name) for name in READ_BACK]
        turn = TurnRecord(
            call_id,
            1,
            1,
            "ask",
            "bye",
            READ_BACK,
            heard,
            SAID,
            "yes",
            0.9,
            slots={"phone": NUMBER},
            notes=[{"at": at, "what": "slot", "detail": "75011"}],
            answer_prompts=READ_BACK,
            said=spelled,
        )
        with writing(open_database(self.database)).begin() as connection:
            store(connection, [replace(call, ended_at=at + 60) if ended else call, turn])

    def run(self, *arguments: str) -> int:
        parser = argparse.ArgumentParser()
        retention_cli.add_parser(parser.add_subparsers())
        return retention_cli.run(parser.parse_args(["retention", *arguments]))

    def is_whole(self, call_id: str) -> bool:
        """Whether nothing was taken from a call; the other way round, whether everything was."""
        found = one_call(connect(self.database), call_id)
        assert found is not None
        call, turns = found
        whole = json.dumps([asdict(call), *map(asdict, turns)], ensure_ascii=False)
        there = [*(part in whole for part in PERSONAL), (self.folder / "recordings" / f"{call_id}.wav").exists()]
        assert all(there) or not any(there), (call_id, there)
        assert (call.outcome, turns[0].intent, list(call.lead), list(turns[0].slots), list(call.variables)) == (
            "qualified", "yes", ["phone", "zip"], ["phone"], ["name"],
        )  # fmt: skip
        return all(there)

    def files_hold(self, text: str) -> bool:
        """Whether a file of the database has a text in it; of PostgreSQL those of its tables."""
        files = list(self.folder.glob("calls.sqlite*"))
        if self.server is not None:
            with connect(self.database).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("CHECKPOINT")
                oid = connection.exec_driver_sql(
                    "SELECT oid FROM pg_database WHERE datname = current_database()"
                ).scalar_one()
            files = list((self.server.data_dir / "base" / str(oid)).iterdir())
        return any(text.encode() in path.read_bytes() for path in files)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    (tmp_path / "recordings").mkdir()
    server: PostgresServer | None = None
    database = f"sqlite:///{tmp_path / 'calls.sqlite'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("running_postgres")
        assert server is not None
        database = server.new_database()
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("RECORDINGS_DIR", str(tmp_path / "recordings"))
    monkeypatch.setenv("REDIS_URL", redis_url)
    with redis.Redis.from_url(redis_url, decode_responses=True) as bus:
        yield World(tmp_path, database, bus, monkeypatch, server)
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
    assert world.files_hold("75011")  # a long text may be there in compressed form
    assert world.run("--days", "30") == 0
    assert [part for part in PERSONAL if world.files_hold(part)] == []


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
    engine = connect(world.database)
    for name in ("../outside.wav", str(outside), "link.wav", ".", "/"):
        with engine.begin() as connection:
            changed = text("UPDATE calls SET recording = :name, caller_number = 'x'")
            connection.execute(changed, {"name": name})
        assert world.run("--days", "30") == 0
        assert outside.exists()
        assert link.is_symlink()


def test_only_files_that_a_record_names_are_deleted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    folder = world.folder / "recordings"
    for name in ("holiday.wav", "README"):
        (folder / name).write_bytes(b"RIFF")
        os.utime(folder / name, (1, 1))
    world.call("old", 40)
    assert world.run("--days", "30") == 0
    assert sorted(path.name for path in folder.iterdir()) == ["README", "holiday.wav"]
    out, log = capsys.readouterr()
    assert "1 old recordings are named by no record" in out
    assert "left alone path='holiday.wav'" in log


@pytest.mark.parametrize("name", ["lost", CHANNEL])
def test_the_recording_of_a_call_whose_end_nobody_told_goes_too(world: World, name: str) -> None:
    """Of such a call no file was told; it bears the name of the call or of its channel."""
    world.call("lost", 40, ended=False)
    folder = world.folder / "recordings"
    (folder / "lost.wav").rename(folder / f"{name}.wav")
    with connect(world.database).begin() as connection:
        connection.exec_driver_sql("UPDATE calls SET recording = ''")
    assert world.run("--days", "30") == 0
    assert list(folder.iterdir()) == []


def test_old_messages_go_and_are_not_left_in_the_log_of_redis(world: World, tmp_path: Path) -> None:
    server = RedisServer(data_dir=tmp_path / "redis")
    server.start()
    try:
        world.environment.setenv("REDIS_URL", server.url)
        events = stream_key("cell", "events")
        with redis.Redis.from_url(server.url) as bus:
            bus.xadd(events, {"m": SAID}, id="1000-0")
            bus.xadd(events, {"m": "new"})
            assert any(SAID.encode() in path.read_bytes() for path in (tmp_path / "redis").rglob("*") if path.is_file())
            assert world.run("--days", "30") == 0
            ((_, fields),) = bus.xrange(events)
            assert fields == {b"m": b"new"}
            assert bus.xadd(events, {"m": "newer"})
        for path in (tmp_path / "redis").rglob("*"):
            assert not path.is_file() or SAID.encode() not in path.read_bytes()
    finally:
        server.stop()
