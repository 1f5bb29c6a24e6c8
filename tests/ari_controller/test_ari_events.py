"""Recorded events of a real Asterisk 22 become values; anything else is refused with a reason or ignored."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_controller.ari_events import (
    BadEvent,
    ChannelGone,
    DtmfPressed,
    FileBegan,
    HangupRequested,
    Ignored,
    PlaybackOver,
    RecordingOver,
    Replaced,
    StasisEnded,
    StasisStarted,
    moment,
    parse_channel,
    parse_event,
    source_of,
)

EVENTS = Path(__file__).parent / "events"
CALL = "pbx-1795221506.16"


def recorded(name: str) -> list[dict[str, Any]]:
    """The events of one recorded scenario."""
    events: list[dict[str, Any]] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return events


def parsed(name: str) -> list[Any]:
    """What a call needs of them."""
    events = [parse_event(json.dumps(body)) for body in recorded(name)]
    return [event for event in events if not isinstance(event, Ignored)]


def test_a_recorded_call_event_by_event() -> None:
    events = parsed("call")
    main, *legs = [event for event in events if isinstance(event, StasisStarted)]
    assert (main.channel_id, main.args) == (CALL, ("fr/heating",))
    assert (main.channel.caller_number, main.channel.called_number) == ("+33100000001", "bot")
    assert (main.channel.state, main.channel.app_data, main.channel.source) == ("Ring", "pronto,fr/heating", None)
    assert [leg.channel_id[:3] for leg in legs] == ["sn-", "em-", "rc-"]
    source = legs[1].channel.source
    assert source is not None
    assert (source[0], 21_000 <= source[1] < 22_000) == ("127.0.0.1", True)
    rest = [event for event in events if not isinstance(event, StasisStarted | ChannelGone)]
    assert [event for event in events if isinstance(event, ChannelGone)] != []
    assert [type(event) for event in rest] == [
        *[FileBegan, FileBegan, PlaybackOver],  # two files, one playback
        *[FileBegan, PlaybackOver],  # a missing file begins, too
        *[FileBegan, PlaybackOver],  # a deleted one
        *[DtmfPressed, DtmfPressed],
        *[HangupRequested, StasisEnded, RecordingOver, StasisEnded],
        *[HangupRequested, StasisEnded, StasisEnded],
    ]
    overs = [event for event in rest if isinstance(event, PlaybackOver)]
    assert [(event.playback_id[-2:], event.state) for event in overs] == [
        ("-1", "done"),
        ("-2", "failed"),
        ("-3", "done"),
    ]
    assert {event.channel_id for event in overs} == {CALL}
    assert [event.digit for event in rest if isinstance(event, DtmfPressed)] == ["5", "#"]
    recording = next(event for event in rest if isinstance(event, RecordingOver))
    assert recording == RecordingOver(f"rc-{CALL}", failed=False, cause="")


@pytest.mark.parametrize(
    ("name", "soft"), [("call", False), ("cancel", False), ("bot_hang_up", True), ("rtp_timeout", True)]
)
def test_who_hung_up_can_be_told(name: str, soft: bool) -> None:
    first = next(event for event in parsed(name) if isinstance(event, HangupRequested))
    assert first.soft is soft


def test_a_transfer_ends_stasis_without_a_hang_up() -> None:
    events = parsed("transfer")
    main = next(event.channel_id for event in events if isinstance(event, StasisStarted))
    assert StasisEnded(main) in events
    assert not [event for event in events if isinstance(event, HangupRequested) and event.channel_id == main]


def test_a_takeover_is_told() -> None:
    assert parsed("replaced") == [Replaced()]


def test_lists_have_channels_of_the_same_shape() -> None:
    _, channels, _, info = recorded("lists")
    by_id = {channel.channel_id: channel for channel in map(parse_channel, channels)}
    assert set(by_id) == {CALL, f"sn-{CALL}", f"em-{CALL}", f"rc-{CALL}"}
    assert by_id[f"em-{CALL}"].source is not None
    assert by_id[CALL].created_at > moment(info["status"]["startup_time"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no type"),
        ('{"type": 3}', "no type"),
        ('{"type": "StasisStart", "args": []}', "channel is missing"),
        ('{"type": "StasisStart", "args": "fr"}', "args is no list"),
        ('{"type": "StasisEnd", "channel": {"id": 7}}', "id is missing or no text"),
        ('{"type": "StasisEnd", "channel": {"id": ".."}}', "has characters"),
        ('{"type": "StasisEnd", "channel": {"id": "a\\n"}}', "has characters"),
        ('{"type": "StasisEnd", "channel": {"id": " a"}}', "has characters"),
        ('{"type": "StasisEnd", "channel": {"id": "é"}}', "has characters"),
        (
            '{"type": "PlaybackStarted", "timestamp": "soon", "playback": {"id": "p", "target_uri": "channel:1"}}',
            "no time",
        ),
        ('{"type": "PlaybackFinished", "playback": {}}', "timestamp is missing"),
    ],
)
def test_a_malformed_event_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadEvent, match=reason):
        parse_event(text)


def test_an_event_of_a_newer_asterisk_is_ignored() -> None:
    assert parse_event('{"type": "ChannelSang", "song": "x"}') == Ignored("ChannelSang")


@pytest.mark.parametrize(
    ("variables", "source"),
    [
        ({"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": "21154"}, ("127.0.0.1", 21_154)),
        ({"UNICASTRTP_LOCAL_ADDRESS": "", "UNICASTRTP_LOCAL_PORT": ""}, None),
        ({"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": "0"}, None),
        ({"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": "70000"}, None),
        ({"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": "²"}, None),
        ({"UNICASTRTP_LOCAL_ADDRESS": 1}, None),
        (None, None),
    ],
)
def test_the_source_of_external_media(variables: Any, source: tuple[str, int] | None) -> None:
    assert source_of(variables) == source


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([body for path in sorted(EVENTS.glob("*.json")) for body in recorded(path.stem)]), st.data())
def test_any_damage_to_an_event_is_refused_or_harmless(body: Any, data: st.DataObject) -> None:
    damaged: Any = json.loads(json.dumps(body))
    part = damaged
    while isinstance(part, dict) and part:
        key = data.draw(st.sampled_from(sorted(part)))
        if not isinstance(part[key], dict) or data.draw(st.booleans()):
            part[key] = data.draw(SCRAPS)
            break
        part = part[key]
    text = json.dumps(damaged)
    for candidate in (text, text[: data.draw(st.integers(0, len(text)))]):
        with contextlib.suppress(BadEvent):  # and nothing else
            assert parse_event(candidate) is not None
