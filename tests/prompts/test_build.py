"""Building prompts: only what changed, recordings before the synthesiser, and no recording is ever lost."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

from audio_prompts.build import Built, build, import_recording, read_audio
from audio_prompts.catalogue import (
    BadCatalogue,
    BadPromptAudio,
    PromptCatalogue,
    PromptVoice,
    audio_ms,
    lengths_ms,
    read_catalogue,
)
from audio_prompts.loudness import Samples, SilentAudio, level_dbfs

TEXT = "language: fr\nsettings: {voice: fr, speed: 150, pitch: 40}\nprompts:\n  hello: Bonjour.\n  bye: Au revoir.\n"


class ToneSynthesiser:
    """Speaks a tone whose length is that of the text; remembers what it said."""

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def __call__(self, text: str, voice: PromptVoice) -> Samples:
        self.spoken.append(text)
        count = 800 * len(text)
        return (0.2 * np.sin(np.arange(count) * 2 * np.pi * (300 + voice.pitch) / 8_000)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "prompts.yaml").write_text(TEXT)
    return tmp_path / "fr"


def write_wav(path: Path, rate_hz: int = 8_000, channels: int = 1, width: int = 2, hz: float = 440.0) -> None:
    """One second of a tone, in any format."""
    samples = 0.5 * np.sin(np.arange(rate_hz) * 2 * np.pi * hz / rate_hz)
    frames = np.repeat(np.round(samples * (2 ** (8 * width - 1) - 1)).astype("<i4")[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(frames.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())


def test_everything_is_synthesised_once(folder: Path) -> None:
    speak = ToneSynthesiser()
    assert build(folder, speak) == Built(synthesised=["hello", "bye"])
    assert build(folder, speak) == Built(unchanged=["hello", "bye"])
    assert speak.spoken == ["Bonjour.", "Au revoir."]
    assert audio_ms(folder / "hello.wav") == pytest.approx(800 + 110, abs=15)


def test_only_a_changed_text_is_made_anew(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    (folder / "prompts.yaml").write_text(TEXT.replace("Bonjour.", "Bonjour !"))
    speak = ToneSynthesiser()
    assert build(folder, speak) == Built(synthesised=["hello"], unchanged=["bye"])
    assert speak.spoken == ["Bonjour !"]


def test_another_voice_makes_all_anew(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    (folder / "prompts.yaml").write_text(TEXT.replace("pitch: 40", "pitch: 60"))
    assert build(folder, ToneSynthesiser()).synthesised == ["hello", "bye"]


def test_a_missing_file_is_made_again(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    (folder / "bye.wav").unlink()
    assert build(folder, ToneSynthesiser()) == Built(synthesised=["bye"], unchanged=["hello"])


def test_a_prompt_that_is_no_longer_listed_is_removed_with_its_audio(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    (folder / "prompts.yaml").write_text(TEXT.replace("  bye: Au revoir.\n", ""))
    assert build(folder, ToneSynthesiser()).removed == ["bye"]
    assert not (folder / "bye.wav").exists()


def test_a_lost_index_is_no_recording(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    (folder / ".built.json").unlink()
    assert build(folder, ToneSynthesiser()).adopted == []
    assert not (folder / "recordings").exists()
    (folder / ".built.json").write_text("[")
    assert build(folder, ToneSynthesiser()).adopted == []


def test_a_recording_is_fixed_on_import_and_used_from_then_on(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    write_wav(folder.parent / "take1.wav", rate_hz=44_100, channels=2, width=3)
    assert import_recording(folder, "hello", folder.parent / "take1.wav") == pytest.approx(1_110, abs=25)
    assert (folder / "recordings" / "hello.wav").read_bytes() == (folder / "hello.wav").read_bytes()
    assert level_dbfs(read_audio(folder / "hello.wav"), 8_000) == pytest.approx(-20.0, abs=0.3)
    speak = ToneSynthesiser()
    assert build(folder, speak) == Built(unchanged=["hello", "bye"])
    (folder / "prompts.yaml").write_text(TEXT.replace("Bonjour.", "Bonjour, ici Camille."))
    assert build(folder, speak) == Built(unchanged=["hello", "bye"])
    (folder / "hello.wav").unlink()
    assert build(folder, speak) == Built(recorded=["hello"], unchanged=["bye"])
    assert speak.spoken == []


def test_a_file_put_over_a_prompt_by_hand_is_kept_as_its_recording(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    write_wav(folder / "hello.wav", rate_hz=16_000, hz=700)
    assert build(folder, ToneSynthesiser()) == Built(adopted=["hello"], unchanged=["bye"])
    assert audio_ms(folder / "hello.wav") == pytest.approx(1_110, abs=25)
    assert (folder / "recordings" / "hello.wav").exists()
    assert build(folder, ToneSynthesiser()) == Built(unchanged=["hello", "bye"])


def test_a_recording_that_leaves_gives_the_voice_back(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    write_wav(folder.parent / "take1.wav")
    import_recording(folder, "hello", folder.parent / "take1.wav")
    (folder / "recordings" / "hello.wav").unlink()
    assert build(folder, ToneSynthesiser()).synthesised == ["hello"]


@pytest.mark.parametrize(
    ("rate_hz", "channels", "width"), [(8_000, 1, 2), (16_000, 1, 2), (48_000, 2, 2), (22_050, 1, 4)]
)
def test_audio_of_any_format_is_read(rate_hz: int, channels: int, width: int, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", rate_hz, channels, width)
    samples = read_audio(tmp_path / "a.wav")
    assert len(samples) == pytest.approx(8_000, abs=40)
    reference = soxr.resample(0.5 * np.sin(np.arange(rate_hz) * 2 * np.pi * 440 / rate_hz), rate_hz, 8_000)
    size = min(len(samples), len(reference))
    assert np.corrcoef(samples[:size], reference[:size])[0, 1] > 0.99


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no audio at all", b"\x00" * 5_000])
def test_what_is_no_audio_is_refused(content: bytes, folder: Path) -> None:
    path = folder.parent / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(BadPromptAudio, match=r"bad\.wav"):
        import_recording(folder, "hello", path)
    assert not (folder / "recordings").exists()


def test_a_silent_recording_is_refused(folder: Path) -> None:
    with wave.open(str(folder.parent / "silent.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(16_000))
    with pytest.raises(SilentAudio):
        import_recording(folder, "hello", folder.parent / "silent.wav")


def test_a_prompt_that_is_not_listed_cannot_be_imported(folder: Path) -> None:
    write_wav(folder.parent / "a.wav")
    with pytest.raises(KeyError):
        import_recording(folder, "nobody", folder.parent / "a.wav")


def test_one_prompt_that_fails_does_not_stop_the_others(folder: Path) -> None:
    def mute(text: str, voice: PromptVoice) -> Samples:
        return ToneSynthesiser()(text, voice) * np.float32(text != "Bonjour.")

    done = build(folder, mute)
    assert done.synthesised == ["bye"]
    assert len(done.faults) == 1
    assert "hello.wav: nothing can be heard" in done.faults[0]
    assert lengths_ms(folder)["hello"] is None


def test_the_index_says_of_what_each_file_was_made(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    index = json.loads((folder / ".built.json").read_text())
    assert set(index) == {"hello", "bye"}
    assert all(entry["source"].startswith("text ") for entry in index.values())


def test_a_catalogue_is_read(folder: Path) -> None:
    assert read_catalogue(folder / "prompts.yaml") == PromptCatalogue(
        "fr", PromptVoice("fr", 150, 40), {"hello": "Bonjour.", "bye": "Au revoir."}
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "no YAML"),
        ("- a", "must be a mapping"),
        ("language: fr\n", "needs prompts"),
        ("prompts: {a: b}\n", "needs a language"),
        ("language: fr\nprompts: {Hello: b}\n", "'Hello' is no name"),
        ("language: fr\nprompts: {hello: ''}\n", "hello has no text"),
        ("language: fr\nprompts: {hello: 5}\n", "hello has no text"),
        ("language: fr\nprompts:\n  a: x\n  a: y\n", "a is there twice"),
        ("language: fr\nvoices: 1\nprompts: {a: b}\n", "unknown key voices"),
        ("language: fr\nsettings: {speed: fast}\nprompts: {a: b}\n", "speed must be a whole number from 80 to 300"),
        ("language: fr\nsettings: {tempo: 1}\nprompts: {a: b}\n", "unknown setting tempo"),
        ("language: fr\nsettings: x\nprompts: {a: b}\n", "settings must be a mapping"),
    ],
)
def test_a_bad_catalogue_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "prompts.yaml").write_text(text)
    with pytest.raises(BadCatalogue, match=reason):
        read_catalogue(tmp_path / "prompts.yaml")


@pytest.mark.parametrize(("rate_hz", "channels", "width"), [(16_000, 1, 2), (8_000, 2, 2), (8_000, 1, 4)])
def test_what_asterisk_would_not_play_is_no_audio(rate_hz: int, channels: int, width: int, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", rate_hz, channels, width)
    with pytest.raises(BadPromptAudio, match="must be 8000 Hz, 16 bit, mono"):
        audio_ms(tmp_path / "a.wav")
