"""The prompts command with the real synthesiser, on a small folder; and the shipped texts."""

import re
from pathlib import Path

import pytest

from audio_prompts.audio_files import read_audio
from audio_prompts.catalogue import audio_ms, read_catalogue
from audio_prompts.loudness import level_dbfs
from pronto.__main__ import main

SHIPPED = Path(__file__).resolve().parents[2] / "audio_prompts" / "fr" / "prompts.yaml"
TEXT = "language: fr\nprompts:\n  hello: Bonjour, ici Camille.\n  digit_7: sept\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "prompts.yaml").write_text(TEXT)
    return tmp_path


def prompts(folder: Path, *arguments: str) -> int:
    return main(["prompts", "--prompts-dir", str(folder), *arguments])


def test_build_and_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompts(folder, "check") == 1
    assert "no audio that can be played for hello, digit_7: run `pronto prompts build`" in capsys.readouterr().out
    assert prompts(folder, "build") == 0
    assert capsys.readouterr().out == "fr: 2 prompts synthesised, 0 from recordings, 0 unchanged, 0 removed\n"
    assert prompts(folder, "check") == 0
    assert re.fullmatch(r"fr: 2 prompts, \d+ s, 0 recorded, 0 missing\n", capsys.readouterr().out)
    assert 700 < audio_ms(folder / "fr" / "hello.wav") < 3_000
    assert 200 < audio_ms(folder / "fr" / "digit_7.wav") < 900
    for name in ("hello", "digit_7"):
        assert level_dbfs(read_audio(folder / "fr" / f"{name}.wav"), 8_000) == pytest.approx(-20.0, abs=0.5)


def test_audio_without_a_prompt_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts(folder, "build")
    (folder / "fr" / "helo.wav").write_bytes((folder / "fr" / "hello.wav").read_bytes())
    assert prompts(folder, "check") == 1
    assert "helo.wav: no prompt of this name in prompts.yaml" in capsys.readouterr().out


def test_import_takes_a_recording(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts(folder, "build")
    (folder / "take.wav").write_bytes((folder / "fr" / "digit_7.wav").read_bytes())
    assert prompts(folder, "import", "hello", str(folder / "take.wav")) == 0
    assert "fr/hello: 0." in capsys.readouterr().out
    assert audio_ms(folder / "fr" / "hello.wav") < 900


def test_import_refuses_with_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "take.wav").write_text("la la la")
    assert prompts(folder, "import", "hello", str(folder / "take.wav")) == 1
    assert prompts(folder, "import", "nobody", str(folder / "take.wav")) == 1
    assert prompts(folder, "import", "hello", str(folder / "missing.wav")) == 1
    errors = capsys.readouterr().err
    assert "take.wav" in errors
    assert "has no prompt nobody: add its text first" in errors
    assert "missing.wav" in errors


def test_a_folder_without_prompts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompts(tmp_path, "build") == 1
    assert "no prompts.yaml below" in capsys.readouterr().err


def test_answers_to_questions_are_short() -> None:
    texts = read_catalogue(SHIPPED).texts
    answers = {name: text for name, text in texts.items() if re.fullmatch(r"faq\d+_answer", name)}
    assert len(answers) == 24
    for text in answers.values():
        assert len(re.findall(r"[.!?](?:\s|$)", text)) <= 2
        assert len(text) <= 150


def test_prompts_that_other_parts_play_are_there() -> None:
    assert {"busy", "unavailable", "apology", "one_moment", "transfer"} <= set(read_catalogue(SHIPPED).texts)
