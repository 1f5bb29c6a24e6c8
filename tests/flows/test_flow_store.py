"""Flow files on disk: a good edit is in force at once, a bad one changes nothing and is told once."""

import os
import re
import shutil
import wave
from pathlib import Path

import pytest

from dialogue.events import Begun
from dialogue.flow_store import FlowStore, Reload
from dialogue.rehearsal import Rehearsal
from dialogue.scores import phrases_resolver
from dialogue.voice import Dialogue, handle
from tests.flows.conftest import write_wav


def store_of(folder: Path) -> FlowStore:
    return FlowStore(folder / "flows", folder / "prompts")


def assert_faults(store: FlowStore, reason: str) -> None:
    assert re.search(reason, "\n".join(store.load().faults))


def edit(path: Path, old: str, new: str) -> None:
    """Replaces text; the file's time moves on even within one tick of the clock."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    later = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(later, later))


def test_flows_are_loaded_by_language_and_name(folder: Path) -> None:
    store = store_of(folder)
    store.load()
    assert store.names() == ("fr/heating",)
    flow = store.current("fr/heating")
    assert flow.prompt_ms["welcome"] == 500
    assert flow.edited_at.startswith("20")
    assert store.version("fr/heating", flow.version) is flow
    with pytest.raises(KeyError):
        store.current("fr/cooling")


def test_nothing_changed_is_nothing_to_tell(folder: Path) -> None:
    store = store_of(folder)
    store.load()
    assert store.refresh() == Reload()


def test_a_good_edit_is_in_force_for_the_next_call_and_a_call_keeps_its_own(folder: Path) -> None:
    store = store_of(folder)
    store.load()
    old = store.current("fr/heating")
    dialogue, _ = handle(old, Dialogue(), Begun("c1", 1.0))
    edit(folder / "flows/fr/heating.yaml", "start: init", "start: ask_owner_house")
    assert store.refresh().faults  # init cannot be reached any more
    edit(folder / "flows/fr/heating.yaml", "start: ask_owner_house", "start: init")
    edit(folder / "flows/fr/heating.yaml", "max_turns: 40", "max_turns: 20")
    assert store.refresh() == Reload(changed=("fr/heating",))
    new = store.current("fr/heating")
    assert (old.max_turns, new.max_turns) == (40, 20)
    assert new.version != dialogue.conversation.flow_version == old.version
    assert store.version("fr/heating", old.version) is old


def test_a_bad_edit_keeps_the_old_version_and_is_told_once(folder: Path) -> None:
    store = store_of(folder)
    store.load()
    old = store.current("fr/heating")
    edit(folder / "flows/fr/heating.yaml", "goto: ask_zip_code", "goto: ask_zap_code")
    reload = store.refresh()
    assert reload.changed == ()
    assert "state init: unknown state ask_zap_code in goto, did you mean ask_zip_code?" in reload.faults[0]
    assert store.current("fr/heating") is old
    assert store.refresh() == Reload()


def test_a_prompt_that_loses_its_audio_is_told(folder: Path) -> None:
    (folder / "prompts/fr/welcome.wav").unlink()
    assert_faults(store_of(folder), "prompt welcome has no audio: run `pronto prompts build`")


def test_a_wav_of_the_wrong_rate_is_no_audio(folder: Path) -> None:
    with wave.open(str(folder / "prompts/fr/welcome.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(8_000))
    assert_faults(store_of(folder), "prompt welcome has no audio")


def test_files_that_cannot_be_read_are_named(folder: Path) -> None:
    (folder / "flows/fr/intents.yaml").unlink()
    store = store_of(folder)
    assert_faults(store, r"intents\.yaml")
    assert store.names() == ("fr/heating",)  # better than no flow at all


@pytest.mark.parametrize(("file", "line"), [("flows/fr/heating.yaml", 2), ("flows/fr/intents.yaml", 2)])
def test_a_file_of_another_encoding_is_named_with_its_line_and_what_to_do(folder: Path, file: str, line: int) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    (folder / file).write_bytes(f"# one\n# deux : é\n{text}".encode("cp1252", "replace"))
    assert_faults(
        store_of(folder), rf"{file}:{line}: .*cannot be read: line {line} is no UTF-8 .*save the file as UTF-8"
    )


def test_what_is_wrong_with_an_intents_file_is_told_with_its_line(folder: Path) -> None:
    path = folder / "flows/fr/intents.yaml"
    path.write_text("language: fr\nintents:\n\u00a0 a: b\n", encoding="utf-8")
    assert_faults(store_of(folder), r"intents\.yaml:3: intents cannot be read: no YAML: indented with U\+00A0")


def test_a_folder_without_flows_is_refused(tmp_path: Path) -> None:
    assert_faults(store_of(tmp_path), "holds no flow")


def test_a_bad_file_costs_no_other_flow(folder: Path) -> None:
    (folder / "flows/fr/second.yaml").write_text("flow: [")
    store = store_of(folder)
    reload = store.load()
    assert reload.changed == ("fr/heating",)
    assert re.search(r"second\.yaml:[12]: no YAML", reload.faults[0])
    assert store.wanting() == ("fr/second",)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("flows/fr/summer.yml", "summer.yml:0: is not read: call it summer.yaml"),
        ("flows/fr/summer.YAML", "summer.YAML:0: is not read: call it summer.yaml"),
        ("flows/fr/faqs2.yml", "faqs2.yml:0: is not read: call it faqs2.yaml"),
        ("flows/summer.yaml", "summer.yaml:0: is not read: flows are flows/<language>/<name>.yaml"),
        ("flows/fr/old/summer.yaml", "summer.yaml:0: is not read"),
    ],
)
def test_a_flow_that_nobody_would_read_is_named(name: str, reason: str, folder: Path) -> None:
    store = store_of(folder)
    store.load()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text((folder / "flows/fr/heating.yaml").read_text())
    [fault] = store.refresh().faults
    assert reason in fault


def test_a_flow_whose_file_is_gone_is_in_force_no_more_unless_it_must_stay(folder: Path) -> None:
    second = folder / "flows/fr/second.yaml"
    shutil.copy(folder / "flows/fr/heating.yaml", second)
    store = FlowStore(folder / "flows", folder / "prompts", "fr/heating")
    store.load()
    text = second.read_text()
    for path in (second, folder / "flows/fr/heating.yaml"):
        path.unlink()
    assert store.refresh().gone == ()  # an editor may be about to put it back
    second.write_text(text)
    assert store.refresh().gone == ()
    second.unlink()
    store.refresh()
    assert store.refresh().gone == ("fr/second",)
    assert store.names() == ("fr/heating",)
    assert "it is the default flow, and stays in force" in str(store.faults)
    assert store.refresh() == Reload()


def test_audio_that_became_something_else_is_told(folder: Path) -> None:
    store = store_of(folder)
    store.load()
    (folder / "prompts/fr/welcome.wav").write_bytes(b"ID3\x04 this is an MP3")
    assert "prompt welcome has no audio" in str(store.refresh().faults)
    assert store.current("fr/heating")


def test_a_new_intent_and_a_new_state_need_only_yaml(folder: Path) -> None:
    """An admin adds a question about the roof, with its own answers, without any code."""
    edit(
        folder / "flows/fr/intents.yaml",
        "intents:\n",
        "intents:\n"
        "  roof_flat:\n    description: The roof is flat.\n    phrases: [mon toit est plat, toit plat]\n"
        "  roof_pitched:\n    description: The roof is pitched.\n    phrases: [le toit est en pente, toit en pente]\n",
    )
    edit(
        folder / "prompts/fr/prompts.yaml",
        "prompts:\n",
        "prompts:\n  ask_roof: Votre toit est-il plat ou en pente ?\n",
    )
    write_wav(folder / "prompts/fr/ask_roof.wav")
    flow_file = folder / "flows/fr/heating.yaml"
    edit(
        flow_file,
        "  callback: yes_no\n",
        "  callback: yes_no\n  roof: {type: choice, choices: {flat: [plat], pitched: [pente]}}\n",
    )
    edit(flow_file, "filled: {say: noted, goto: ask_be_called_back}", "filled: {say: noted, goto: ask_roof}")
    edit(
        flow_file,
        "  ask_be_called_back:\n",
        "  ask_roof:\n    say: ask_roof\n    answers:\n"
        "      roof_flat: {set: {roof: flat}, goto: ask_be_called_back}\n"
        "      roof_pitched: {set: {roof: pitched}, goto: ask_be_called_back}\n\n"
        "  ask_be_called_back:\n",
    )
    store = store_of(folder)
    store.load()
    flow = store.current("fr/heating")
    conversation = Rehearsal(flow, phrases_resolver(folder / "flows", "fr", flow.faqs))
    for line in ("oui", "soixante-quinze mille onze", "oui", "oui", "au gaz"):
        conversation.says(line)
    assert conversation.dialogue.state == "ask_roof"
    assert conversation.spoken == ["noted", "ask_roof"]
    conversation.says("mon toit est plat")
    assert conversation.dialogue.conversation.slots["roof"] == "flat"
    assert conversation.dialogue.state == "ask_be_called_back"
