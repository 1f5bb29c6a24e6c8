"""Messages travel as JSON and come back equal; whatever is no message of ours is refused by name."""

import contextlib
import dataclasses
import json
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BadMessage, Command, Event, Listen, Message, PlaybackFinished, decode, encode

CLASSES = (*get_args(Event), *get_args(Command))
FINITE = st.floats(-1e5, 1e10)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    if get_args(hint) and get_origin(hint) is not tuple:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        return st.lists(st.text(), max_size=3).map(tuple)
    return {str: st.text(), float: FINITE, int: st.integers(-(2**53), 2**53), bool: st.booleans()}[hint]


def messages() -> st.SearchStrategy[Message]:
    def build(cls: type[Any]) -> st.SearchStrategy[Any]:
        hints = get_type_hints(cls)
        fields = {field.name: values_of(hints[field.name]) for field in dataclasses.fields(cls)}
        return st.builds(cls, **{**fields, "call_id": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}", fullmatch=True)})

    return st.sampled_from(CLASSES).flatmap(build)


@given(messages())
def test_every_message_survives_the_wire(message: Message) -> None:
    assert decode(encode(message)) == message


def test_an_unknown_field_of_a_newer_sender_is_ignored() -> None:
    body = json.loads(encode(Listen("c1", 1.0, 2, "fr"))) | {"new": 1}
    assert decode(json.dumps(body)) == Listen("c1", 1.0, 2, "fr")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "unknown message type None"),
        ('{"type": "Nothing"}', "unknown message type 'Nothing'"),
        ('{"type": "HangUp", "at": 1}', "HangUp.call_id is missing"),
        ('{"type": "HangUp", "call_id": 7, "at": 1}', "HangUp.call_id must be str"),
        ('{"type": "HangUp", "call_id": "c", "at": NaN}', "HangUp.at must be float"),
        ('{"type": "Listen", "call_id": "c", "at": 1, "turn": true, "language": "fr"}', "Listen.turn must be int"),
        ('{"type": "Listen", "call_id": "c", "at": 1, "turn": 1, "language": "fr", "hints": "a"}', "Listen.hints must"),
    ],
)
def test_what_is_no_message_is_refused_with_its_field(text: str, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason.replace("(", r"\(")):
        decode(text)


def test_a_state_that_playbacks_do_not_have_is_refused() -> None:
    body = json.loads(encode(PlaybackFinished("c", 1.0, "p", "finished", 5))) | {"state": "paused"}
    with pytest.raises(BadMessage, match="state"):
        decode(json.dumps(body))


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadMessage):
        assert encode(decode(data))
