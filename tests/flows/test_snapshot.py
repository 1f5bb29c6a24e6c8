"""A dialogue comes back from its JSON as it was; what is no snapshot is refused with the field."""

import json
from dataclasses import replace

import pytest

from dialogue.state import BadSnapshot, Dialogue, Playback, from_json, to_json

FULL = Dialogue(
    call_id="c1",
    flow="heating",
    flow_version="abc",
    phase="hearing",
    state="ask_zip_code",
    turn=4,
    playbacks=6,
    serial=9,
    timer="speech",
    timer_ms=20_000,
    asked=2,
    rungs={"no_input": 1},
    counters={"busy": 1},
    slots={"zip_code": "75011"},
    tentative="75012",
    read_backs=1,
    digits="75",
    interrupted=Playback("p-c1-5", ("a", "b"), 300, 12.5),
    last_said=("b",),
    utterance=7,
    utterance_text="soixante-quinze",
    before=Dialogue(call_id="c1", state="init", turn=3),
)


@pytest.mark.parametrize("dialogue", [Dialogue(), FULL, replace(FULL, playback=Playback("p", ("x",)), before=FULL)])
def test_a_dialogue_survives(dialogue: Dialogue) -> None:
    assert from_json(to_json(dialogue)) == dialogue


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert from_json(json.dumps(json.loads(to_json(FULL)) | {"mood": "good"})) == FULL


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[]", "not a JSON object"),
        ('{"turn": "4"}', "turn must be int"),
        ('{"turn": true}', "turn must be int"),
        ('{"state": null}', "state must be str"),
        ('{"phase": "sleeping"}', "phase 'sleeping' is unknown"),
        ('{"slots": {"a": 1}}', "slots must map names to str"),
        ('{"rungs": []}', "rungs must map names to int"),
        ('{"tentative": 5}', "tentative must be text or null"),
        ('{"last_said": "a"}', "last_said must be a list of texts"),
        ('{"playback": {}}', "playback is no playback"),
        ('{"playback": 1}', "playback must be an object"),
        ('{"before": {"turn": "x"}}', "turn must be int"),
    ],
)
def test_what_is_no_snapshot_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadSnapshot, match=reason):
        from_json(text)
