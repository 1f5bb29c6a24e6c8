"""How `pronto calls` shows what is in the records."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from datetime import datetime

import pytest

from pronto import calls_cli
from pronto.__main__ import main
from records.call import CallRecord
from records.database import open_database
from records.engines import writing
from records.store import store
from tests.records.samples import AT, call, turn


def filled(database: str) -> None:
    begun = CallRecord("call-2", "local", "+336", "", "fr/heating", "abc", "", AT + 60)
    with writing(open_database(database)).begin() as connection:
        store(connection, [call(), turn(), begun])


def calls(database: str, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    calls_cli.add_parser(parser.add_subparsers())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database)
        return calls_cli.run(parser.parse_args(["calls", *arguments]))


def test_a_password_on_the_command_line_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Every user of the machine could read it in the list of processes."""
    url = f"postgresql://pronto:{'o' * 12}@127.0.0.1/pronto"
    for command in (["calls", "--database", url, "list"], ["records", "--database", url, "status"]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "set DATABASE_URL instead" in error
        assert "oooo" not in error


def test_a_call_is_shown_as_a_timeline(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(database)
    assert calls(database, "show", "call-1") == 0
    shown = capsys.readouterr().out
    assert "outcome   qualified (bot_hung_up)" in shown
    assert "lead      zip_code=75011, owner=yes" in shown
    assert '    0.20s  BOT     welcome "Bonjour !" (heard 900 of 2000 ms) + "Quel est votre code postal ?"\n' in shown
    assert '    3.71s  CALLER   "soixante-quinze zéro onze"  (0.95)' in shown
    assert "note    barge_in welcome" in shown
    assert "zip_code (0.97), endpoint, to confirm_zip  [zip_code=75011]" in shown
    assert "speech 1000  endpoint 700" in shown
    assert "answer 800" in shown


def test_a_turn_of_an_older_version_has_the_names_of_its_prompts(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(open_database(database)).begin() as connection:
        store(connection, [call(), replace(turn(), said=[])])
    assert calls(database, "show", "call-1") == 0
    assert "    0.20s  BOT     welcome + ask_zip\n" in capsys.readouterr().out


def test_a_call_as_json_has_its_stages_in_milliseconds(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(database)
    assert calls(database, "show", "call-1", "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert body["turns"][0]["stages_ms"]["answer"] == 800
    assert (body["lead"], body["timezone"]) == ({"zip_code": "75011", "owner": "yes"}, "Europe/Paris")


def test_the_list_is_newest_first(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    filled(database)
    assert calls(database, "list") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("call-2")
    assert "in progress" in first
    assert "qualified" in second


@pytest.mark.parametrize("host", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_times_are_those_of_the_flow_wherever_they_are_looked_at(
    database: str, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    """Also over the night in which the clocks go back: 02:50 is before 02:10."""
    summer = datetime.fromisoformat("2026-10-25T02:50:00+02:00").timestamp()
    winter = datetime.fromisoformat("2026-10-25T02:10:00+01:00").timestamp()
    night = replace(call(), started_at=summer, ended_at=winter, lead={"callback_slot": "2026-12-01T14:30"})
    with writing(open_database(database)).begin() as connection:
        store(connection, [night])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", host)
        time.tzset()
        assert calls(database, "list") == 0
        assert calls(database, "show", "call-1") == 0
    time.tzset()
    listed, *shown = capsys.readouterr().out.splitlines()
    assert "2026-10-25 02:50:00+02:00" in listed
    assert "1200.0 s" in listed
    assert "callback_slot=2026-12-01T14:30  (times of Europe/Paris)" in listed
    assert "started   2026-10-25 02:50:00+02:00, 1200.0 s" in shown
    assert "lead      callback_slot=2026-12-01T14:30  (times of Europe/Paris)" in shown


def test_what_became_of_a_hand_off_is_listed(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(open_database(database)).begin() as connection:
        store(connection, [replace(call(), outcome="handed_off", end_reason="adviser_busy")])
    assert calls(database, "list") == 0
    assert "handed_off, adviser_busy" in capsys.readouterr().out


def test_what_is_not_there_is_said(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert calls(database, "show", "call-9") == 1
    assert "call-9" in capsys.readouterr().err
    assert calls(database, "list") == 0
    assert "no calls yet" in capsys.readouterr().out
    assert calls("sqlite:////proc/nowhere/calls.sqlite", "list") == 2
    assert "cannot read" in capsys.readouterr().err
