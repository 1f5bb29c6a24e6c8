"""Building prompts: only what changed, recordings before the synthesiser, and no recording is ever lost."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest
import soxr

from audio_prompts.audio_files import mono, read_audio
from audio_prompts.build import Built, build, import_recording
from audio_prompts.catalogue import (
    BadCatalogue,
    BadPromptAudio,
    Manner,
    PromptCatalogue,
    PromptVoice,
    audio_ms,
    lengths_ms,
    read_catalogue,
    read_catalogue_text,
)
from audio_prompts.loudness import Samples, SilentAudio, level_dbfs
from config import STATE
from tests.whisper.test_audio import coded, wav49

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


def played(folder: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in (folder.parent / ".played" / folder.name).iterdir()}


def test_asterisk_plays_what_was_built_last_whatever_lies_over_it(folder: Path) -> None:
    """A foreign, cut, or missing file beside the texts changes nothing until a build makes a prompt of it."""
    build(folder, ToneSynthesiser())
    built = {name: (folder / f"{name}.wav").read_bytes() for name in ("hello", "bye")}
    assert played(folder) == built
    (folder / "hello.wav").write_bytes(b"ID3\x04 no RIFF at all")
    (folder / "bye.wav").unlink()
    assert played(folder) == built
    assert len(build(folder, ToneSynthesiser()).faults) == 1
    assert played(folder) == built
    write_wav(folder / "hello.wav", rate_hz=48_000, channels=2)
    assert played(folder) == built
    build(folder, ToneSynthesiser())
    assert played(folder)["hello"] == (folder / "recordings" / "hello.wav").read_bytes() != built["hello"]


def test_an_import_is_played_at_once_and_what_is_no_prompt_any_more_is_not_kept(folder: Path) -> None:
    build(folder, ToneSynthesiser())
    write_wav(folder.parent / "take1.wav", hz=600)
    import_recording(folder, "hello", folder.parent / "take1.wav")
    assert played(folder)["hello"] == (folder / "hello.wav").read_bytes()
    (folder / "prompts.yaml").write_text(TEXT.replace("  bye: Au revoir.\n", ""))
    build(folder, ToneSynthesiser())
    assert set(played(folder)) == {"hello"}
    (folder.parent / ".played" / "fr" / "hello.wav").unlink()
    build(folder, ToneSynthesiser())
    assert set(played(folder)) == {"hello"}


def test_a_stereo_file_with_crossed_wires_is_imported_by_one_channel(folder: Path) -> None:
    tone = 0.5 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)
    with wave.open(str(folder.parent / "crossed.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.round(np.stack([tone, -0.97 * tone], axis=1) * 32_767).astype("<i2").tobytes())
    assert import_recording(folder, "hello", folder.parent / "crossed.wav") == pytest.approx(1_110, abs=25)
    samples = read_audio(folder.parent / "crossed.wav")
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms", "gsm"])
def test_recordings_of_telephone_systems_are_imported(codec: str, folder: Path) -> None:
    """ADPCM, and the .WAV of Asterisk's Record(): GSM."""
    if codec == "gsm":
        data = wav49((STATE / "asterisk" / "data" / "sounds" / "en" / "vm-goodbye.gsm").read_bytes())
    else:
        data = coded("wav", codec, 8_000)
    (folder.parent / "take.WAV").write_bytes(data)
    assert import_recording(folder, "hello", folder.parent / "take.WAV") > 300
    assert level_dbfs(read_audio(folder / "hello.wav"), 8_000) == pytest.approx(-20.0, abs=0.5)


def test_two_speakers_on_two_channels_are_both_heard(folder: Path) -> None:
    one = np.sin(np.arange(8_000) * 2 * np.pi * 440 / 8_000).astype(np.float32)
    other = np.sin(np.arange(8_000) * 2 * np.pi * 700 / 8_000).astype(np.float32)
    assert np.allclose(mono(np.stack([one, other])), (one + other) / 2, atol=1e-6)
    assert np.allclose(mono(np.stack([one, np.zeros_like(one)])), one / 2, atol=1e-6)


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


def test_manners_of_the_whole_of_pieces_and_of_one_prompt() -> None:
    text = (
        "language: fr\nsettings: {voice: ff_siwis, fallback: fr+f4, trail_ms: 80}\n"
        "pieces: {names: [digit_*], speed: 186, trail_ms: 30}\n"
        "prompts:\n  hello: Bonjour.\n  digit_1: un\n  digit_2: {text: deux, speed: 170}\n"
        "  bye: {text: 'Au revoir.', lead_ms: 150, voice: im_nicola}\n"
    )
    catalogue = read_catalogue_text(text, "prompts.yaml")
    usual = PromptVoice("ff_siwis", fallback="fr+f4")
    assert catalogue.texts["digit_2"] == "deux"
    assert catalogue.manner("hello") == Manner(usual, 10, 80)
    assert catalogue.manner("digit_1") == Manner(PromptVoice("ff_siwis", 186, fallback="fr+f4"), 10, 30)
    assert catalogue.manner("digit_2") == Manner(PromptVoice("ff_siwis", 170, fallback="fr+f4"), 10, 30)
    assert catalogue.manner("bye") == Manner(PromptVoice("im_nicola", fallback="fr+f4"), 150, 80)


def test_texts_are_read_as_they_are_written() -> None:
    """What YAML would take for a boolean, a time or a number are words that somebody says."""
    text = "language: no\nprompts:\n  c: yes\n  a: 14:30\n  b: 2026\n  no: 01000\n  d: 2026-11-20\n  e: ~\n"
    catalogue = read_catalogue_text(text, "prompts.yaml")
    assert catalogue.language == "no"
    assert catalogue.texts == {"c": "yes", "a": "14:30", "b": "2026", "no": "01000", "d": "2026-11-20", "e": "~"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("language: fr\nprompts:\n\u00a0 a: b\n", "indented with U\\+00A0.*\n.*line 3"),
        ("language: fr\nprompts:\n \u2009a: b\n", "indented with U\\+2009"),
        ("[", "no YAML"),
        ("- a", "must be a mapping"),
        ("language: fr\n", "needs prompts"),
        ("prompts: {a: b}\n", "needs a language"),
        ("language: fr\nprompts: {Hello: b}\n", "'Hello' is no name"),
        ("language: fr\nprompts: {hello: ''}\n", "hello has no text"),
        ("language: fr\nprompts: {hello: [5]}\n", "hello has no text"),
        ("language: French\nprompts: {a: b}\n", "needs a language, such as fr"),
        (f"language: fr\nprompts: {{{'a' * 81}: b}}\n", "is no name"),
        ("language: fr\nprompts:\n  a: x\n  a: y\n", "a is there twice"),
        ("language: fr\nvoices: 1\nprompts: {a: b}\n", "unknown key voices"),
        ("language: fr\nsettings: {speed: fast}\nprompts: {a: b}\n", "speed must be a whole number from 80 to 300"),
        ("language: fr\nsettings: {tempo: 1}\nprompts: {a: b}\n", "unknown setting tempo"),
        ("language: fr\nsettings: x\nprompts: {a: b}\n", "settings must be a mapping"),
        ("language: fr\npieces: {names: [digit_*]}\nprompts: {a: b}\n", "no prompt is named digit_\\*"),
        ("language: fr\npieces: [a]\nprompts: {a: b}\n", "pieces needs names"),
        ("language: fr\npieces: {names: [a], lead_ms: 9000}\nprompts: {a: b}\n", "lead_ms must be .* from 0 to 2000"),
        ("language: fr\nprompts: {a: {speed: 170}}\n", "a has no text"),
        ("language: fr\nprompts: {a: {text: b, spede: 170}}\n", "a: unknown setting spede"),
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
