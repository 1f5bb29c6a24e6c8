"""What the last release of version 1 sends is read, and what it can understand is said so that it does."""

import json
from pathlib import Path
from typing import get_args

import pytest

from protocol.codec import decode, encode, read
from protocol.items import AudioItem, ItemHeard, SpeechItem, prompts
from protocol.messages import (
    Append,
    CallEnded,
    CallStarted,
    Command,
    Event,
    Listen,
    Message,
    PlaybackFinished,
    Say,
)

RECORDED = (Path(__file__).parent / "recorded" / "version_1.jsonl").read_text(encoding="utf-8").splitlines()
"""One of each type, as that release wrote it."""


@pytest.mark.parametrize("text", RECORDED, ids=lambda text: json.loads(text)["type"])
def test_what_version_1_sent_is_read_and_said_again_as_it_was(text: str) -> None:
    reading = read(text)
    assert reading.oddities == 0
    assert json.loads(encode(decode(text), version=1)) == json.loads(text)
    assert decode(encode(decode(text))) == decode(text)


def test_every_type_of_version_1_was_recorded() -> None:
    recorded = {json.loads(text)["type"] for text in RECORDED}
    new = {"Say", "Append", "CallHeld", "CallTakenBack", "HandoffEnded", "CallForgotten"}
    assert recorded == {cls.__name__ for cls in (*get_args(Event), *get_args(Command))} - new | {"PlayPrompts"}


def test_names_of_prompts_become_items() -> None:
    (text,) = (text for text in RECORDED if '"PlayPrompts"' in text)
    said = decode(text)
    assert isinstance(said, Say)
    assert (said.items, said.offset_ms, said.open, said.v) == (prompts("hello", "ask_owner"), 120, False, 1)


def test_the_call_of_version_1_is_its_channel() -> None:
    (text,) = (text for text in RECORDED if '"CallStarted"' in text)
    started = decode(text)
    assert isinstance(started, CallStarted)
    assert (started.channel_id, started.direction, started.variables) == (started.call_id, "inbound", {})


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            CallStarted("local-1", 1.0, "1", "2", "heating", "17.3", "outbound", {"campaign": "x"}),
            {"type": "CallStarted", "call_id": "local-1", "at": 1.0, "caller_number": "1", "called_number": "2"}
            | {"flow": "heating"},
        ),
        (
            PlaybackFinished("c", 1.0, "p", "stopped", 90, (ItemHeard("stopped", 90),)),
            {"type": "PlaybackFinished", "call_id": "c", "at": 1.0, "playback_id": "p", "state": "stopped"}
            | {"offset_ms": 90},
        ),
        (CallEnded("c", 1.0, "other"), {"type": "CallEnded", "call_id": "c", "at": 1.0, "reason": "lost"}
            | {"recording": ""}),
        (
            Say("c", 1.0, 2, "p", "fr", prompts("hello"), 30),
            {"type": "PlayPrompts", "call_id": "c", "at": 1.0, "turn": 2, "playback_id": "p", "language": "fr"}
            | {"prompts": ["hello"], "offset_ms": 30},
        ),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_version_1_is_told_what_it_has_words_for(message: Message, fields: dict[str, object]) -> None:
    assert json.loads(encode(message, version=1)) == fields


@pytest.mark.parametrize(
    "message",
    [
        Append("c", 1.0, "p", prompts("hello")),
        Say("c", 1.0, 1, "p", "fr", prompts("hello"), open=True),
        Say("c", 1.0, 1, "p", "fr", (*prompts("hello"), SpeechItem("midi"))),
        Say("c", 1.0, 1, "p", "fr", (AudioItem("sound:x"),)),
    ],
)
def test_what_version_1_has_no_words_for_is_not_said(message: Message) -> None:
    with pytest.raises(ValueError, match="version 1"):
        encode(message, version=1)


def test_text_that_looks_like_a_version_is_none() -> None:
    listen = Listen("c", 1.0, 2, "fr", hints=('"v":2', '{"v":7}'))
    assert decode(encode(listen, version=1)) == Listen("c", 1.0, 2, "fr", hints=listen.hints, v=1)
    assert decode(encode(listen)) == listen
