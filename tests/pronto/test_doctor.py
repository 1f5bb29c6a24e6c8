"""`pronto doctor` looks at what would be used, and says what is wrong with it."""

from __future__ import annotations

import argparse
import socket
import wave
from pathlib import Path

import pytest

from config import ROOT
from pronto import doctor_cli


def findings(capsys: pytest.CaptureFixture[str], sip_port: int = 0) -> dict[str, tuple[bool, str]]:
    """What it says, by the name of the check."""
    doctor_cli.run(argparse.Namespace(sip_port=sip_port, capacity=False))
    lines = capsys.readouterr().out.splitlines()
    return {line[5:21].strip(): (line.startswith("ok"), line[22:]) for line in lines}


def test_each_check_fails_when_what_it_looks_at_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flows" / "fr").mkdir(parents=True)
    (tmp_path / "flows" / "fr" / "summer.yaml").write_text("flow: summer\nstates: [")
    (tmp_path / "flows" / "fr" / "intents.yaml").write_text("intents: {}\n")
    (tmp_path / "prompts" / "fr").mkdir(parents=True)
    (tmp_path / "prompts" / "fr" / "prompts.yaml").write_text("language: fr\nprompts:\n  hello: Bonjour.\n")
    (tmp_path / "model").mkdir()
    monkeypatch.setenv("FLOWS_DIR", str(tmp_path / "flows"))
    monkeypatch.setenv("PROMPTS_DIR", str(tmp_path / "prompts"))
    monkeypatch.setenv("WHISPER_MODEL", str(tmp_path / "model"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        found = findings(capsys, taken.getsockname()[1])
    assert found["flows"][0] is False
    assert "summer.yaml" in found["flows"][1]
    assert found["prompts"] == (False, "no audio of fr/hello (run: pronto prompts build)")
    assert found["speech model"][0] is False
    assert "lacks model.bin" in found["speech model"][1]
    assert found["SIP port"][0] is False
    with wave.open(str(tmp_path / "prompts" / "fr" / "hello.wav"), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(1_600))
    monkeypatch.setenv("WHISPER_MODEL", "large-v3")
    found = findings(capsys)
    assert found["prompts"] == (True, f"1 with audio in {tmp_path / 'prompts'}")
    assert found["speech model"] == (True, "large-v3: of the hub, downloaded at the first start")
    monkeypatch.setenv("DEFAULT_FLOW", "no flow")
    assert findings(capsys)["flows"] == (False, "DEFAULT_FLOW='no flow': must be <language>/<name>, such as fr/heating")


def test_what_is_here_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(capsys)
    assert found["flows"] == (True, "fr/heating, fr/heating_form, fr/order_status, it/booking")
    assert found["speech model"] == (True, str(ROOT / "models" / "demo-fr"))
    assert found["prompts"][0]


def test_voices_that_do_not_speak_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPEECH_VOICES", "espeak-fr,it_IT-nobody-medium")
    (tmp_path / "no folder").write_text("")
    monkeypatch.setenv("SPEECH_PARTS_DIR", str(tmp_path / "no folder" / "parts"))
    found = findings(capsys)
    assert found["voices"] == (False, "speaking: espeak-fr; silent: it_IT-nobody-medium (run: make setup)")
    assert found["speech parts"] == (False, f"{tmp_path / 'no folder'} cannot be written to")
