"""Rendered prompts: used while text, voice and speed are those of prompts.yaml, never when the file is another one."""

import json
from pathlib import Path

import numpy as np
import pytest

from audio_prompts.audio_files import read_audio
from audio_prompts.build import Built, build, import_recording
from audio_prompts.catalogue import PromptVoice, audio_ms, read_catalogue
from audio_prompts.loudness import Samples, level_dbfs
from audio_prompts.rendered import RATE_HZ, RenderedPrompts, Rendering, render

TEXT = "language: fr\nsettings: {voice: ff_siwis}\nprompts:\n  hello: Bonjour.\n  bye: Au revoir.\n  digit_7: sept\n"
ROOT = Path(__file__).resolve().parents[2]


class Voice:
    """Speaks a tone of half a second; remembers what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, text: str, voice: PromptVoice) -> Samples:
        self.said.append(text)
        tone = 0.3 * np.sin(2 * np.pi * 1_000 * np.arange(RATE_HZ // 2) / RATE_HZ)
        return np.concatenate([np.zeros(9_000), tone, np.zeros(5_000)]).astype(np.float32)


def stand_in(text: str, voice: PromptVoice) -> Samples:
    return (0.3 * np.sin(2 * np.pi * 500 * np.arange(8_000) / 8_000)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "prompts.yaml").write_text(TEXT)
    return tmp_path / "fr"


def test_what_is_new_or_changed_is_rendered(folder: Path) -> None:
    voice = Voice()
    assert render(folder, voice) == Rendering(spoken=["hello", "bye", "digit_7"])
    assert render(folder, voice) == Rendering(unchanged=["hello", "bye", "digit_7"])
    (folder / "prompts.yaml").write_text(TEXT.replace("Bonjour.", "Bonjour !").replace("  bye: Au revoir.\n", ""))
    assert render(folder, voice) == Rendering(spoken=["hello"], unchanged=["digit_7"], removed=["bye"])
    assert voice.said == ["Bonjour.", "Au revoir.", "sept", "Bonjour !"]
    assert sorted(path.name for path in (folder / "rendered").iterdir()) == [
        "digit_7.opus", "hello.opus", "index.json",
    ]  # fmt: skip


def test_a_text_that_stands_twice_is_spoken_once(folder: Path) -> None:
    (folder / "prompts.yaml").write_text(TEXT + "  day_7: sept\n")
    voice = Voice()
    assert render(folder, voice).spoken == ["hello", "bye", "digit_7", "day_7"]
    assert voice.said.count("sept") == 1


def test_the_same_speech_is_the_same_file(folder: Path, tmp_path: Path) -> None:
    render(folder, Voice())
    before = {path.name: path.read_bytes() for path in (folder / "rendered").iterdir()}
    for path in (folder / "rendered").iterdir():
        path.unlink()
    render(folder, Voice())
    assert {path.name: path.read_bytes() for path in (folder / "rendered").iterdir()} == before


def test_a_build_takes_rendered_files_and_says_which_are_not(folder: Path) -> None:
    render(folder, Voice())
    assert build(folder, stand_in) == Built(rendered=["hello", "bye", "digit_7"])
    assert audio_ms(folder / "hello.wav") == pytest.approx(500 + 110, abs=25)
    assert level_dbfs(read_audio(folder / "hello.wav"), 8_000) == pytest.approx(-20.0, abs=0.3)
    (folder / "prompts.yaml").write_text(TEXT.replace("Bonjour.", "Bonjour, ici Camille."))
    assert build(folder, stand_in) == Built(synthesised=["hello"], stand_ins=["hello"], unchanged=["bye", "digit_7"])
    assert build(folder, stand_in) == Built(stand_ins=["hello"], unchanged=["hello", "bye", "digit_7"])
    render(folder, Voice())
    assert build(folder, stand_in) == Built(rendered=["hello"], unchanged=["bye", "digit_7"])


@pytest.mark.parametrize("settings", ["{voice: ff_other}", "{voice: ff_siwis, speed: 170}", "{voice: fr}"])
def test_another_voice_or_speed_is_not_what_was_rendered(settings: str, folder: Path) -> None:
    render(folder, Voice())
    (folder / "prompts.yaml").write_text(TEXT.replace("{voice: ff_siwis}", settings))
    assert build(folder, stand_in).synthesised == ["hello", "bye", "digit_7"]


def test_silence_around_a_prompt_needs_no_new_rendering(folder: Path) -> None:
    render(folder, Voice())
    build(folder, stand_in)
    plain_ms = audio_ms(folder / "digit_7.wav")
    pieces = "pieces: {names: [digit_*], trail_ms: 30}\nprompts:"
    (folder / "prompts.yaml").write_text(TEXT.replace("prompts:", pieces))
    assert build(folder, stand_in) == Built(rendered=["digit_7"], unchanged=["hello", "bye"])
    assert audio_ms(folder / "digit_7.wav") == plain_ms - 70
    assert render(folder, Voice()).spoken == []


def test_a_file_that_is_not_the_one_in_the_index_is_not_used(folder: Path) -> None:
    render(folder, Voice())
    spoiled = folder / "rendered" / "hello.opus"
    spoiled.write_bytes(spoiled.read_bytes()[:-40])
    assert build(folder, stand_in).stand_ins == ["hello"]
    spoiled.unlink()
    (folder / "rendered" / "index.json").write_text("[1")
    assert build(folder, stand_in).stand_ins == ["hello", "bye", "digit_7"]


def test_a_recording_comes_before_a_rendered_file(folder: Path) -> None:
    render(folder, Voice())
    build(folder, stand_in)
    import_recording(folder, "hello", folder / "rendered" / "bye.opus")
    assert build(folder, stand_in) == Built(unchanged=["hello", "bye", "digit_7"])
    (folder / "recordings" / "hello.wav").unlink()
    assert build(folder, stand_in) == Built(rendered=["hello"], unchanged=["bye", "digit_7"])


def test_every_shipped_prompt_is_rendered_with_its_text_and_voice() -> None:
    """An edited text is spoken by the synthesiser: nothing that is shipped may be."""
    for path in sorted((ROOT / "audio_prompts").glob("*/prompts.yaml")):
        missing = list(RenderedPrompts(path.parent).missing(read_catalogue(path)))
        assert missing == [], "scripts/fetch_voice.sh && bin/pronto prompts render"
        index = json.loads((path.parent / "rendered" / "index.json").read_text(encoding="utf-8"))
        assert set(index) == {file.stem for file in (path.parent / "rendered").glob("*.opus")}
