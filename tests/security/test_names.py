"""No name that comes from outside becomes a path, a key or a request that it should not be."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_controller import ari_requests
from ari_controller.ari_events import BadEvent, StasisStarted, parse_event
from ari_controller.ari_requests import BadRequest
from ari_controller.numbers import LONGEST_NUMBER
from audio_prompts.build import import_recording
from audio_prompts.catalogue import BadCatalogue, read_catalogue_text
from config import ROOT
from protocol.codec import BadMessage, decode
from protocol.items import AudioItem, PromptItem
from protocol.messages import HangUp
from tests.fuzz.parsers import recorded_events

TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "..",
        "../x",
        "a/b",
        "/etc/passwd",
        "a/../../b",
        "a%2fb",
        "a\x00b",
        "a\nb",
        "a b",
        ".",
        "-x",
        "x" * 500,
        "a;b",
        "${X}",
        "a,b",
    ]
)
PATH = re.compile(r"/[A-Za-z0-9._-]+(/[A-Za-z0-9._%-]+)*")


@given(TEXTS)
def test_a_call_id_with_odd_characters_does_not_come_in_from_the_bus(text: str) -> None:
    fits = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text) is not None and ".." not in text and len(text) < 100
    with contextlib.suppress(BadMessage):
        assert decode(json.dumps({"type": "HangUp", "call_id": text, "at": 1})) == HangUp(text, 1.0, v=1)
        assert fits


@given(TEXTS)
def test_a_channel_that_others_named_is_one_quoted_part_of_a_path_or_refused(text: str) -> None:
    event = next(body for body in recorded_events() if body["type"] == "StasisStart")
    event = json.loads(json.dumps(event))
    event["channel"]["id"] = text
    with contextlib.suppress(BadEvent):
        parse_event(json.dumps(event))
        assert re.fullmatch(r"/channels/[A-Za-z0-9._~%-]+/answer", ari_requests.answer(text).path)
        assert text.isprintable()
        assert text not in (".", "..")


@given(TEXTS)
def test_a_prompt_is_a_file_of_the_prompts_folder_or_refused(text: str) -> None:
    for playback, language, prompt in ((text, "fr", "welcome"), ("p-c-1", text, "welcome"), ("p-c-1", "fr", text)):
        with contextlib.suppress(BadRequest):
            media = ari_requests.media_of(PromptItem(prompt), "/prompts", language)
            request = ari_requests.play("c", playback, (media,))
            assert PATH.fullmatch(request.path)
            assert re.fullmatch(r"sound:/prompts/[a-zA-Z-]+/[a-z0-9_]+", dict(request.params)["media"])


@given(TEXTS)
def test_audio_is_a_plain_name_of_a_known_kind_or_refused(text: str) -> None:
    for uri in (text, f"sound:{text}", f"recording:{text}"):
        with contextlib.suppress(BadRequest):
            media = ari_requests.media_of(AudioItem(uri), "/prompts", "fr")
            assert re.fullmatch(r"(sound|recording|number|digits|characters|tone):[A-Za-z0-9/._-]+", media)
            assert ".." not in media


@given(TEXTS)
def test_an_extension_is_one_of_the_context_or_refused(extension: str) -> None:
    with contextlib.suppress(BadRequest):
        request = ari_requests.extension_exists("c", "handoff", extension)
        assert re.fullmatch(r"DIALPLAN_EXISTS\(handoff,[A-Za-z0-9+*#_-]+,1\)", dict(request.params)["variable"])


@given(TEXTS)
def test_a_recording_lies_in_the_recordings_folder(call_id: str) -> None:
    if ari_requests.valid_id(call_id):
        name = dict(ari_requests.record(call_id).params)["name"]
        assert (Path("/recordings") / f"{name}.wav").resolve().parent == Path("/recordings")
    assert PATH.fullmatch(ari_requests.hang_up(call_id).path) or not call_id or not call_id.isascii() or "~" in call_id


@given(TEXTS, TEXTS)
def test_what_a_caller_calls_himself_is_shown_and_short(number: str, called: str) -> None:
    event = json.loads(json.dumps(next(body for body in recorded_events() if body["type"] == "StasisStart")))
    event["channel"]["caller"]["number"] = number
    event["channel"]["dialplan"]["exten"] = called
    parsed = parse_event(json.dumps(event))
    assert isinstance(parsed, StasisStarted)
    for shown in (parsed.channel.caller_number, parsed.channel.called_number):
        assert not shown or shown.isprintable()
        assert len(shown) <= LONGEST_NUMBER


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "x\n", "", "X", "é"])
def test_a_prompt_that_would_lie_elsewhere_is_in_no_catalogue_and_not_imported(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue):
        read_catalogue_text(f"language: fr\nprompts: {json.dumps({name: 'text'})}\n", "x")
    (tmp_path / "prompts.yaml").write_text("language: fr\nprompts: {welcome: bonjour}\n")
    with pytest.raises(KeyError):
        import_recording(tmp_path, name, tmp_path / "any.wav")


def test_yaml_makes_nothing_but_plain_values() -> None:
    safe = {"yaml.SafeLoader", "yaml.BaseLoader", "LOADER", "_Strict"}
    for path in [path for folder in ROOT.iterdir() for path in folder.glob("**/*.py") if folder.name[0] != "."]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            called = ast.unparse(node.func)
            if called in ("yaml.load", "yaml.compose", "yaml.parse", "yaml.load_all"):
                loaders = {ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "Loader"}
                assert loaders, f"{path}:{node.lineno}: no Loader"
                assert loaders <= safe, f"{path}:{node.lineno}: {loaders}"
            assert called not in ("yaml.unsafe_load", "yaml.full_load", "pickle.load", "pickle.loads", "joblib.load"), (
                path
            )
            if called == "np.load":
                assert "allow_pickle=True" not in ast.unparse(node), f"{path}:{node.lineno}"
