"""A dialogue comes back from its JSON as it was, one of an earlier release too; what is none is refused by field."""

import json
from dataclasses import Field, fields, replace
from typing import Any

import pytest

from dialogue.changing import changed
from dialogue.conversation import Conversation
from dialogue.effects import Effect
from dialogue.events import Recognised
from dialogue.snapshot import SCHEMA, BadSnapshot, from_json, to_json
from dialogue.voice import Dialogue, PlaybackUnderWay
from dialogue.voice.state import Early, KnownMeaning
from protocol.items import AudioItem, ItemHeard, PromptItem, SpeechItem, prompts

ASKED = Recognised(12.5, 4, 8, "je ne sais pas", 0.8, final=False, revision=2)
FULL = Dialogue(
    Conversation(
        call_id="c1",
        flow="heating",
        flow_version="abc",
        state="ask_zip_code",
        turn=4,
        asked=2,
        steps={"no_input": 1},
        counters={"busy": 1},
        slots={"zip_code": "75011"},
        variables={"campaign": "winter"},
        tentative="75012",
        read_backs=1,
        last_said=prompts("b"),
        effects={"c1:1:intent": Effect("c1:1:intent", "intent", {"sentence": "x", "allowed": ["yes"]})},
        effects_made=1,
    ),
    phase="hearing",
    playbacks=6,
    serial=9,
    timer_ms=20_000,
    digits="75",
    interrupted=PlaybackUnderWay(
        "p-c1-5",
        (PromptItem("a"), SpeechItem("Bonjour", language="fr"), AudioItem("sound:x", 5)),
        300,
        12.5,
        heard_ms=900,
        heard=(ItemHeard("finished", 10),),
    ),
    utterance=7,
    utterance_text="soixante-quinze",
    early=Early(Conversation(call_id="c1", state="init", turn=3), 6),
    asked=ASKED,
    asking="c1:1:intent",
    known=KnownMeaning(ASKED, {"intent": "yes", "score": 0.9}),
)


@pytest.mark.parametrize("dialogue", [Dialogue(), FULL, replace(FULL, playback=PlaybackUnderWay("p", prompts("x")))])
def test_a_dialogue_survives(dialogue: Dialogue) -> None:
    assert from_json(to_json(dialogue)) == dialogue


def test_a_newer_release_may_have_written_more() -> None:
    body = json.loads(to_json(FULL))
    body["dialogue"] |= {"mood": "good", "phase": "acting"}
    assert from_json(json.dumps(body | {"schema": SCHEMA + 1})) == replace(FULL, phase="acting")


@pytest.mark.parametrize("field", fields(Conversation), ids=lambda field: field.name)
def test_what_an_earlier_release_did_not_store_can_change(field: Field[Any]) -> None:
    body = json.loads(to_json(FULL))
    body["dialogue"]["conversation"].pop(field.name, None)
    found = from_json(json.dumps(body)).conversation
    wanted = getattr(FULL.conversation, field.name)
    assert changed(found, **{field.name: wanted}) == FULL.conversation
    assert getattr(found, field.name) == getattr(Conversation(), field.name)


OLD: dict[str, Any] = {
    "call_id": "c1", "flow": "heating", "flow_version": "abc", "phase": "speaking", "state": "ask_zip_code", "turn": 4,
    "playbacks": 6, "serial": 9, "timer": "playback", "timer_ms": 20_000, "asked": 2, "wait_ms": 0,
    "rungs": {"no_input": 1, "unheard": 2}, "counters": {"busy": 1}, "slots": {"zip_code": "75011"},
    "tentative": "75012", "read_backs": 1, "digits": "7", "last_said": ["b"], "utterance": 7,
    "playback": {"playback_id": "p-c1-6", "prompts": ["a", "b"], "offset_ms": 300, "began_at": 12.5},
    "interrupted": None, "resumptions": 0, "utterance_text": "soixante",
    "before": {"call_id": "c1", "state": "init", "turn": 3, "utterance": 6, "rungs": {}}, "ending": "", "outcome": "",
    "concluded": False,
}  # fmt: skip


def test_a_snapshot_of_the_release_before_is_read() -> None:
    found = from_json(json.dumps(OLD))
    assert found.conversation == Conversation(
        call_id="c1", flow="heating", flow_version="abc", state="ask_zip_code", turn=4, asked=2, steps={"no_input": 1},
        counters={"busy": 1}, slots={"zip_code": "75011"}, tentative="75012", read_backs=1, last_said=prompts("b"),
    )  # fmt: skip
    assert (found.phase, found.timer, found.unheard, found.utterance) == ("speaking", "playback", 2, 7)
    assert found.playback == PlaybackUnderWay("p-c1-6", prompts("a", "b"), 300, 12.5)
    assert found.early == Early(Conversation(call_id="c1", state="init", turn=3), 6)


@pytest.mark.parametrize(
    ("change", "phase"),
    [({"ending": "hangup"}, "parting"), ({"rungs": {"dead_air": 1}}, "filling"), ({"phase": "waiting"}, "waiting")],
)
def test_what_the_release_before_had_no_phase_for_gets_one(change: dict[str, Any], phase: str) -> None:
    assert from_json(json.dumps(OLD | change)).phase == phase


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[]", "not a JSON object"),
        ('{"schema": "2"}', "schema must be a number"),
        ('{"schema": 2}', "Expected `object`, got `null`"),
        ('{"schema": 2, "dialogue": {"serial": "4"}}', r"Expected `int`, got `str` - at `\$.serial`"),
        ('{"schema": 2, "dialogue": {"conversation": {"turn": true}}}', r"at `\$.conversation.turn`"),
        ('{"schema": 2, "dialogue": {"playback": {}}}', "missing required field"),
        ('{"turn": "4"}', r"at `\$.conversation.turn`"),
        ('{"rungs": []}', "schema 1"),
        ('{"playback": {"prompts": 1}}', "schema 1"),
    ],
)
def test_what_is_no_snapshot_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadSnapshot, match=reason):
        from_json(text)
