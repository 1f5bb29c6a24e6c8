"""Messages travel as JSON and come back equal; what only a newer release knows is passed over and counted; what is no
message of ours is refused by the name of its field, and never with what was in it."""

import contextlib
import json
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import BadMessage, Unknown, decode, encode, read
from protocol.items import AudioItem, Item, ItemHeard, PromptItem, SpeechItem, UnknownItem, label, prompts
from protocol.messages import (
    VERSION,
    Append,
    CallEnded,
    CallStarted,
    Command,
    Event,
    HangUp,
    Listen,
    MediaStarted,
    Message,
    PlaybackFinished,
    Say,
)

CLASSES = (*get_args(Event), *get_args(Command))
OURS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}", fullmatch=True)
HOSTS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
GIVEN = {"call_id": OURS, "source_host": HOSTS, "v": st.just(VERSION)}
"""Fields whose type alone does not say what fits."""


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type may hold."""
    kinds = get_args(hint)
    match get_origin(hint):
        case origin if origin is Annotated:
            bounds: msgspec.Meta = kinds[1]
            if kinds[0] is float:
                return st.floats(-1e6, 1e11, exclude_max=True)
            most = bounds.le if bounds.le is not None else (bounds.lt or 2**62) - 1
            least = bounds.ge if bounds.ge is not None else (-1 if bounds.gt is None else bounds.gt) + 1
            return st.integers(int(least), int(most))
        case origin if origin is Literal:
            return st.sampled_from(kinds)
        case origin if origin is UnionType:
            return st.one_of(*map(built, kinds))
        case origin if origin is tuple:
            return st.lists(values_of(kinds[0]), max_size=3).map(tuple)
        case origin if origin is Mapping:
            return st.dictionaries(st.text(), st.text(), max_size=3)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return built(hint)
    return {str: st.text(), bool: st.booleans()}[hint]


def built(cls: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls, include_extras=True)
    names = [name for name in cls.__struct_fields__ if cls.__name__ != "UnknownItem"]
    return st.builds(cls, **{name: GIVEN[name] if name in GIVEN else values_of(hints[name]) for name in names})


@pytest.mark.parametrize("cls", CLASSES)
def test_every_message_survives_the_wire(cls: type[Message]) -> None:
    @given(built(cls))
    def survives(message: Message) -> None:
        text = encode(message)
        assert json.loads(text)["v"] == VERSION
        assert (read(text).message, read(text.encode()).oddities) == (message, 0)
        # as another writer of JSON would have it: other spaces, escapes and order of fields
        assert decode(json.dumps(json.loads(text), sort_keys=True)) == message

    survives()


def body(message: Message, **changes: Any) -> str:
    return json.dumps(json.loads(encode(message)) | changes)


def test_a_message_of_an_unknown_type_is_told_apart_from_no_message() -> None:
    reading = read('{"type":"CallParked","v":3,"call_id":"c1","at":1.0,"lot":7}')
    assert (reading.message, reading.oddities) == (Unknown("CallParked"), 1)
    with pytest.raises(BadMessage, match="CallParked"):
        decode('{"type":"CallParked","v":3}')


@pytest.mark.parametrize(
    "message", [Listen("c1", 1.0, 2, "fr"), Say("c1", 1.0, 1, "p", "fr", prompts("hello")), HangUp("c1", 1.0)]
)
def test_fields_of_a_newer_release_are_passed_over(message: Message) -> None:
    reading = read(body(message, v=3, urgency="high"))
    assert isinstance(reading.message, msgspec.Struct)
    assert msgspec.structs.replace(reading.message, v=VERSION) == message


@pytest.mark.parametrize(
    ("message", "change", "taken_for"),
    [
        (PlaybackFinished("c", 1.0, "p", "finished", 5), {"state": "paused"}, {"state": "stopped"}),
        (CallEnded("c", 1.0, "lost"), {"reason": "no_answer"}, {"reason": "other"}),
        (CallStarted("c", 1.0, "1", "2", direction="text"), {"direction": "video"}, {"direction": "inbound"}),
    ],
)
def test_an_unknown_value_is_taken_for_the_harmless_one(
    message: Message, change: dict[str, str], taken_for: dict[str, str]
) -> None:
    reading = read(body(message, **change))
    assert (reading.message, reading.oddities) == (msgspec.structs.replace(message, **taken_for), 1)


@pytest.mark.parametrize("make", [Say("c", 1.0, 1, "p", "fr", ()), Append("c", 1.0, "p", ())])
def test_an_item_of_an_unknown_kind_keeps_its_place(make: Message) -> None:
    items = [
        {"kind": "prompt", "name": "hello", "volume": 3},
        {"kind": "music", "genre": "jazz"},
        {"kind": "speech", "text": "Il est midi"},
        {"kind": "music"},
        {"kind": "audio", "uri": "sound:x", "ms": 900},
    ]
    reading = read(body(make, items=items))
    said: tuple[Item, ...] = (
        PromptItem("hello"),
        UnknownItem(),
        SpeechItem("Il est midi"),
        UnknownItem(),
        AudioItem("sound:x", 900),
    )
    assert (reading.message, reading.oddities) == (msgspec.structs.replace(make, items=said), 2)
    assert [label(item) for item in said] == ["hello", "(unknown)", "(speech)", "(unknown)", "sound:x"]


def test_an_unknown_end_of_an_item_is_a_stop() -> None:
    finished = PlaybackFinished("c", 1.0, "p", "finished", 5, (ItemHeard("finished", 5), ItemHeard("skipped")))
    heard = [{"state": "muted", "heard_ms": 5}, {"state": "skipped"}]
    reading = read(body(finished, heard=heard, state="odd"))
    expected = msgspec.structs.replace(finished, state="stopped", heard=(ItemHeard("stopped", 5), ItemHeard("skipped")))
    assert (reading.message, reading.oddities) == (expected, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "no message type"),
        ('{"type": 7, "v": 2}', "no message type"),
        ('{"type": "Nothing"}', "unknown message type 'Nothing'"),
        ('{"type": "HangUp", "at": 1}', "HangUp: .*`call_id`"),
        ('{"type": "HangUp", "call_id": 7, "at": 1}', r"HangUp: .*\$.call_id"),
        ('{"type": "HangUp", "call_id": "c", "at": NaN}', r"HangUp: .*"),
        ('{"type": "HangUp", "v": 2, "call_id": "c", "at": 1e12}', r"HangUp: .*\$.at"),
        ('{"type": "HangUp", "call_id": "../c", "at": 1}', "HangUp.call_id has characters"),
        ('{"type": "HangUp", "v": 2, "call_id": "a b", "at": 1}', "HangUp.call_id has characters"),
        ('{"type": "Listen", "call_id": "c", "at": 1, "turn": true, "language": "fr"}', r"Listen: .*\$.turn"),
        ('{"type": "Listen", "call_id": "c", "at": 1, "turn": 1, "language": "fr", "hints": "a"}', r"Listen: .*hints"),
        ('{"type": "Say", "v": 2, "call_id": "c", "at": 1, "turn": 1, "playback_id": "p", "language": "fr"}', "items"),
        (body(Say("c", 1.0, 1, "p", "fr", ()), items=[{"name": "hello"}]), r"Say: .*items"),
        (body(Say("c", 1.0, 1, "p", "fr", ()), items=[7]), r"Say: .*items"),
        (body(MediaStarted("c", 1.0, "::1", 5), source_port=65_536), r"MediaStarted: .*source_port"),
    ],
)
def test_what_is_no_message_is_refused_with_its_field(text: str, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason):
        decode(text)


@pytest.mark.parametrize("host", ["1\0", "localhost", "", "10.0.0", "256.0.0.1", "10.0.0.1:5060", "::1\0"])
def test_media_comes_from_an_address(host: str) -> None:
    with pytest.raises(BadMessage, match="MediaStarted"):
        decode(body(MediaStarted("c", 1.0, "10.0.0.1", 5_060), source_host=host))


def test_a_refusal_never_quotes_what_was_in_the_message() -> None:
    for text in (
        body(HangUp("c", 1.0), reason={"secret": "secret"}),
        body(MediaStarted("c", 1.0, "::1", 5), source_host="secret"),
        body(CallStarted("c", 1.0, "1", "2"), variables={"name": ["secret"]}),
        body(HangUp("c", 1.0), call_id="secret secret"),
        '{"type": "HangUp", "v": 2, secret',
    ):
        with pytest.raises(BadMessage) as refusal:
            decode(text)
        assert "secret" not in str(refusal.value)


def test_half_a_character_becomes_a_whole_one() -> None:
    assert decode(encode(HangUp("c", 1.0, "\ud800!"))) == HangUp("c", 1.0, "?!")
    assert decode('{"type":"HangUp","v":2,"call_id":"c","at":1.0,"reason":"\\ud800!"}') == HangUp("c", 1.0, "?!")


def test_a_text_of_any_length_is_bounded() -> None:
    with pytest.raises(BadMessage, match="characters"):
        decode(body(HangUp("c", 1.0, "x" * 70_000)))
    with pytest.raises(BadMessage):
        decode("[" * 60_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadMessage):
        assert encode(decode(data))


@given(
    st.sampled_from([cls.__name__ for cls in CLASSES]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
    st.data(),
)
def test_any_value_in_any_field_is_read_or_refused(kind: str, value: Any, data: st.DataObject) -> None:
    cls = next(cls for cls in CLASSES if cls.__name__ == kind)
    message = data.draw(built(cls))
    name = data.draw(st.sampled_from([*cls.__struct_fields__, "type"]))
    with contextlib.suppress(BadMessage):
        read(body(message, **{name: value}))
