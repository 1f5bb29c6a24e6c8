"""Call records: from events to rows, a database that is locked or away, and how `pronto calls` shows them."""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_manager.call_log import CallLog, new_call
from bot_manager.record_writer import RecordWriter
from pronto import calls_cli
from protocol.items import prompts
from protocol.messages import (
    CallConcluded,
    CallEnded,
    CallStarted,
    PlaybackStarted,
    Say,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)
from records.call import CallRecord, TurnRecord, stage_seconds
from records.call_records import latest_calls, one_call, open_database

START = CallStarted("call-1", 1_000.0, "+33600000001", "+33100000001")


def begun() -> CallLog:
    log = CallLog(new_call(START, "local", "fr/heating", "abc", "2026-11-20T10:00:00+00:00"))
    log.prompts_requested(Say("call-1", 1_000.1, 1, "p-1", "fr", prompts("welcome")))
    log.playback_started(PlaybackStarted("call-1", 1_000.2, "p-1"))
    return log


def answered(log: CallLog) -> TurnRecord:
    """A caller says yes: a guess, the transcript, the next prompt."""
    log.heard(UtteranceGuessed("call-1", 1_003.3, 1, 1, "oui", 0.9, 1_002.0, 1_003.0, 1_003.2))
    log.heard(UtteranceTranscribed("call-1", 1_003.71, 1, 1, "oui", 0.95, 1_002.0, 1_003.0, 1_003.7, 1_003.2, 1_200))
    log.understood(1_003.72)
    log.noted(1_003.72, "barge_in", "welcome")
    log.taken(TurnTaken("call-1", 1_003.72, 1, "init", "ask_zip", "oui", "yes", 0.97, "endpoint", ("a=b",)))
    log.prompts_requested(Say("call-1", 1_003.73, 2, "p-2", "fr", prompts("ask_zip")))
    turn, first = log.playback_started(PlaybackStarted("call-1", 1_003.8, "p-2"))
    assert not first
    assert turn is not None
    return turn


def test_a_turn_has_every_stage_of_the_utterance_that_was_answered() -> None:
    turn = answered(begun())
    stages = {name: round(seconds, 3) for name, seconds in stage_seconds(turn).items()}
    assert stages == {
        "speech": 1.0,
        "endpoint": 0.7,
        "post": 0.2,
        "transcript": 0.51,
        "intent": 0.01,
        "decision": 0.01,
        "playback": 0.07,
        "answer": 0.8,
    }
    assert (turn.prompts, turn.answer_prompts, turn.asked_at) == (["welcome"], ["ask_zip"], 1_000.2)
    assert [(text["text"], text["guess"]) for text in turn.heard] == [("oui", True), ("oui", False)]


def test_a_turn_without_speech_has_no_times_of_speech() -> None:
    log = begun()
    log.heard(UtteranceTranscribed("call-1", 1_003.7, 1, 1, "", 0.0, 1_002.0, 1_003.0, 1_003.6, 1_003.5, 900))
    turn = log.taken(TurnTaken("call-1", 1_009.0, 1, "init", "init", "", "", 0.0, "no_input"))
    assert turn is not None
    assert (turn.speech_started_at, turn.intent_at, stage_seconds(turn)) == (None, None, {})
    assert len(turn.heard) == 1


def test_a_log_goes_on_after_a_restart() -> None:
    log = begun()
    again = CallLog.from_dict(json.loads(json.dumps(log.to_dict())))
    assert answered(again) == answered(log)


def test_a_call_that_ends_in_the_middle_of_a_turn_keeps_what_was_heard() -> None:
    log = begun()
    log.heard(UtteranceGuessed("call-1", 1_003.3, 1, 1, "oui", 0.9, 1_002.0, 1_003.0, 1_003.2))
    turn = log.ended(CallEnded("call-1", 1_004.0, "caller_hung_up", "/r.wav"), "unknown")
    assert turn is not None
    assert (turn.committed, turn.heard[0]["text"]) == ("call_ended", "oui")
    assert (log.call.outcome, log.call.recording) == ("unknown", "/r.wav")


# --- the database ---


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'records' / 'calls.sqlite'}"


@pytest.fixture
def writer(database: str) -> Iterator[RecordWriter]:
    writer = RecordWriter(open_database(database, busy_s=0.05), bound=50)
    writer.start()
    yield writer
    writer.stop(0.5)


def one_finished_call(writer: RecordWriter) -> CallRecord:
    log = begun()
    writer.put(log.call)
    writer.put(answered(log))
    log.concluded(CallConcluded("call-1", 1_030.0, "qualified", ("zip_code=75011", "owner=yes")))
    log.ended(CallEnded("call-1", 1_031.0, "bot_hung_up", "/r.wav"), "unknown")
    writer.put(log.call)
    return log.call


def test_what_is_written_is_read_back_alike(writer: RecordWriter, database: str) -> None:
    call = one_finished_call(writer)
    assert writer.flush(10)
    assert one_call(open_database(database), "call-1") == (call, [answered(begun())])


def test_writing_twice_does_no_harm(writer: RecordWriter, database: str) -> None:
    one_finished_call(writer)
    one_finished_call(writer)
    assert writer.flush(10)
    found = one_call(open_database(database), "call-1")
    assert found is not None
    assert len(found[1]) == 1
    assert len(latest_calls(open_database(database), 10)) == 1


def test_a_locked_database_delays_records_and_holds_nobody_up(writer: RecordWriter, database: str) -> None:
    one_finished_call(writer)
    assert writer.flush(10)
    with sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        later = CallRecord("call-2", "local", "", "", "fr/heating", "abc", "", 2_000.0)
        writer.put(later)
        assert not writer.flush(0.3)
        other.execute("ROLLBACK")
    assert writer.flush(10)
    assert [row["id"] for row in latest_calls(open_database(database), 10)] == ["call-2", "call-1"]
    assert writer.dropped == 0


def test_a_full_queue_loses_its_oldest_records_and_counts_them(writer: RecordWriter, database: str) -> None:
    one_finished_call(writer)
    assert writer.flush(10)
    with sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        for number in range(80):
            writer.put(CallRecord(f"call-x{number}", "local", "", "", "fr/heating", "abc", "", 3_000.0 + number))
        other.execute("ROLLBACK")
    assert writer.flush(10)
    rows = latest_calls(open_database(database), 100)
    assert rows[0]["id"] == "call-x79"
    assert writer.dropped == 81 - len(rows)
    assert writer.dropped > 0


def test_a_database_that_is_not_there_yet_gets_its_records_later(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    engine = open_database(f"sqlite:///{folder}/calls.sqlite")
    folder.rmdir()
    writer = RecordWriter(engine)
    writer.start()
    writer.put(CallRecord("call-1", "local", "", "", "fr/heating", "abc", "", 1.0))
    assert not writer.flush(0.3)
    folder.mkdir()
    assert writer.flush(10)
    assert len(latest_calls(engine, 10)) == 1
    writer.stop()


def test_a_record_that_no_database_takes_is_dropped_alone(writer: RecordWriter, database: str) -> None:
    bad = CallRecord(None, "local", "", "", "fr/heating", "abc", "", 1.0)  # type: ignore[arg-type]
    writer.put(bad)
    one_finished_call(writer)
    assert writer.flush(10)
    assert writer.dropped == 1
    assert [row["id"] for row in latest_calls(open_database(database), 10)] == ["call-1"]


def test_stopping_does_not_wait_for_a_database_that_stays_away(tmp_path: Path) -> None:
    folder = tmp_path / "never"
    engine = open_database(f"sqlite:///{folder}/calls.sqlite")
    folder.rmdir()
    writer = RecordWriter(engine)
    writer.start()
    writer.put(CallRecord("call-1", "local", "", "", "fr/heating", "abc", "", 1.0))
    writer.stop(0.2)
    assert writer.dropped == 1


# --- pronto calls ---


def calls(database: str, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    calls_cli.add_parser(parser.add_subparsers())
    return calls_cli.run(parser.parse_args(["calls", "--database", database, *arguments]))


def test_a_call_is_shown_as_a_timeline(writer: RecordWriter, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    one_finished_call(writer)
    assert writer.flush(10)
    assert calls(database, "show", "call-1") == 0
    shown = capsys.readouterr().out
    assert "outcome   qualified (bot_hung_up)" in shown
    assert "lead      zip_code=75011, owner=yes" in shown
    assert "    0.20s  BOT     welcome" in shown
    assert '    3.71s  CALLER   "oui"  (0.95)' in shown
    assert "note    barge_in welcome" in shown
    assert "yes (0.97), endpoint, to ask_zip  [a=b]" in shown
    assert "speech 1000  endpoint 700" in shown
    assert "answer 800" in shown


def test_a_call_as_json_has_its_stages_in_milliseconds(
    writer: RecordWriter, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one_finished_call(writer)
    assert writer.flush(10)
    assert calls(database, "show", "call", "--json") == 0  # the beginning of an id will do
    body = json.loads(capsys.readouterr().out)
    assert body["turns"][0]["stages_ms"]["answer"] == 800
    assert body["lead"] == {"zip_code": "75011", "owner": "yes"}


def test_the_list_is_newest_first(writer: RecordWriter, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    one_finished_call(writer)
    writer.put(CallRecord("call-2", "local", "+336", "", "fr/heating", "abc", "", 2_000.0))
    assert writer.flush(10)
    assert calls(database, "list") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("call-2")
    assert "in progress" in first
    assert "qualified" in second


def test_what_is_not_there_is_said(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert calls(database, "show", "call-9") == 1
    assert "call-9" in capsys.readouterr().err
    assert calls(database, "list") == 0
    assert "no calls yet" in capsys.readouterr().out
    assert calls("sqlite:////proc/nowhere/calls.sqlite", "list") == 2
    assert "cannot read" in capsys.readouterr().err
