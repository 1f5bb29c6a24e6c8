"""From what Asterisk has and what we know to a plan: recorded lists and lists made for the purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_controller.ari_events import BadEvent, Channel
from ari_controller.reconcile import Bridge, Seen, TrackedCall, decide, seen_from, stray_args

RECORDED = (Path(__file__).parent / "events" / "lists.json").read_text(encoding="utf-8")
LISTS = json.loads(RECORDED.replace("pbx-", "pronto-"))  # with the systemname that is shipped
CALL = "pronto-1795221506.16"


def recorded() -> Seen:
    """One call with all its legs, as a real Asterisk showed it."""
    return seen_from(2_000_000_000.0, "pronto", *LISTS)


def channel(channel_id: str, app: str = "pronto", app_name: str = "Stasis") -> Channel:
    return Channel(channel_id, "Up", "", "100", app_name, app, 0.0)


def seen(*channels: Channel, bridges: tuple[Bridge, ...] = (), app_ids: tuple[str, ...] = ()) -> Seen:
    return Seen(50.0, "pronto", frozenset(app_ids), channels, bridges, started_at=10.0)


def test_a_known_call_is_adopted_with_its_legs() -> None:
    plan = decide(recorded(), {CALL: TrackedCall(CALL, 1_900_000_000.0)})
    presence = plan.adopt[CALL]
    assert presence.legs == {"snoop", "external_media", "recording"}
    assert presence.bridged == {"snoop", "external_media"}
    assert (plan.finish, plan.strays, plan.orphan_channels, plan.orphan_bridges) == ({}, (), (), ())


def test_an_unknown_call_is_a_stray_and_its_legs_are_removed_first() -> None:
    plan = decide(recorded(), {})
    assert [stray.channel_id for stray in plan.strays] == [CALL]
    assert stray_args(plan.strays[0]) == ("fr/heating",)
    assert plan.orphan_channels == (f"em-{CALL}", f"rc-{CALL}", f"sn-{CALL}")
    assert plan.orphan_bridges == (f"br-{CALL}",)


def test_a_call_that_is_gone_is_finished_and_lost_if_asterisk_was_restarted() -> None:
    plan = decide(seen(), {"new": TrackedCall("7.1", 11.0), "old": TrackedCall("7.2", 9.0)})
    assert plan.finish == {"new": None, "old": "lost"}


def test_a_call_that_went_on_in_the_dialplan_is_finished_and_its_legs_removed() -> None:
    plan = decide(
        seen(channel("1.1", app_name="Dial"), channel("em-1.1"), app_ids=("1.1",)), {"1.1": TrackedCall("1.1", 20.0)}
    )
    assert (plan.finish, plan.orphan_channels) == ({"1.1": None}, ("em-1.1",))


def test_a_call_is_known_by_its_own_id_and_found_by_its_channel() -> None:
    call = "local-01aryz6s410123456789abcdef"
    there = (
        channel("9.1"),
        channel(f"sn-{call}"),
        channel("sn-pbx-8.1"),
    )  # the last is a caller of a host named sn-pbx
    plan = decide(seen(*there), {call: TrackedCall("9.1", 20.0)})
    assert plan.adopt.keys() == {call}
    assert plan.adopt[call].legs == {"snoop"}
    assert plan.orphan_channels == ()


def test_what_belongs_to_another_application_is_left_alone() -> None:
    there = (channel("2.1", "other"), channel("em-3.1", "other"))
    plan = decide(seen(*there, bridges=(Bridge("br-3.1", "other", frozenset()),)), {})
    assert (plan.strays, plan.orphan_channels, plan.orphan_bridges) == ((), (), ())


def test_a_bridge_that_is_not_named_like_ours_is_left_alone() -> None:
    bridges = (Bridge("conference", "pronto", frozenset()), Bridge("br-../x", "pronto", frozenset()))
    assert decide(seen(bridges=bridges), {}).orphan_bridges == ()


def test_a_leg_that_is_not_in_stasis_yet_is_ours_when_the_application_says_so() -> None:
    half = channel("em-4.1", "(Outgoing Line)", "AppDial2")
    assert decide(seen(half), {}).orphan_channels == ()
    assert decide(seen(half, app_ids=("em-4.1",)), {}).orphan_channels == ("em-4.1",)


def test_a_call_that_came_during_the_listing_is_left_alone() -> None:
    plan = decide(seen(channel("em-5.1"), bridges=(Bridge("br-5.1", "pronto", frozenset()),)), {}, {"5.1": "5.1"})
    assert (plan.finish, plan.orphan_channels, plan.orphan_bridges) == ({}, (), ())


def test_what_has_an_unknown_shape_is_counted_and_left_alone() -> None:
    application, channels, bridges, info = LISTS
    found = seen_from(1.0, "pronto", application, [*channels, {"id": "x"}, 7], [*bridges, None], info)
    assert (found.malformed, len(found.channels), len(found.bridges)) == (3, 4, 1)


@pytest.mark.parametrize(
    "broken", [(None, [], [], {}), ({"channel_ids": []}, [], [], {}), (*LISTS[:1], 3, [], LISTS[3])]
)
def test_lists_that_are_none_are_refused(broken: tuple[Any, Any, Any, Any]) -> None:
    with pytest.raises(BadEvent):
        seen_from(1.0, "pronto", *broken)


CALLS = st.sampled_from(["1.1", "2.1", "3.1"])


@given(
    st.sets(st.tuples(st.sampled_from(["", "sn-", "em-", "rc-"]), CALLS)),
    st.sets(CALLS),
    st.dictionaries(CALLS, st.sampled_from([5.0, 20.0])),
    st.frozensets(CALLS),
)
def test_nothing_is_forgotten_and_nothing_live_is_removed(
    there: set[tuple[str, str]], bridges: set[str], known: dict[str, float], since: frozenset[str]
) -> None:
    since -= known.keys()
    found = seen(
        *(channel(prefix + call) for prefix, call in sorted(there)),
        bridges=tuple(Bridge(f"br-{call}", "pronto", frozenset()) for call in sorted(bridges)),
    )
    known_calls = {call: TrackedCall(call, at) for call, at in known.items()}
    plan = decide(found, known_calls, {call: call for call in since})
    mains = {call for prefix, call in there if not prefix}
    assert plan.adopt.keys() | plan.finish.keys() == known.keys()
    assert not plan.adopt.keys() & plan.finish.keys()
    assert {stray.channel_id for stray in plan.strays} == mains - known.keys() - since
    live = plan.adopt.keys() | since
    assert set(plan.orphan_channels) == {p + call for p, call in there if p and call not in live}
    assert set(plan.orphan_bridges) == {f"br-{call}" for call in bridges - live}
