"""One call as values: what goes in, what is asked for and told, without Asterisk, clock or Redis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_controller.actions import Action, Announce, Forget, Note, Send, Speak
from ari_controller.ari_errors import AriError, Conflict, NotFound, ServerFault, Unprocessable, Unreachable
from ari_controller.ari_events import (
    AriEvent,
    Channel,
    DtmfPressed,
    HangupRequested,
    PlaybackBegan,
    PlaybackOver,
    RecordingOver,
    StasisEnded,
    StasisStarted,
)
from ari_controller.ari_requests import Request
from ari_controller.call_legs import CallLegs
from ari_controller.call_snapshot import BadSnapshot, restore, snapshot_of
from ari_controller.call_states import APOLOGY, BUSY, Farewell, Rules
from ari_controller.media_legs import Presence, Target
from protocol.messages import (
    CallEnded,
    CallStarted,
    Command,
    DtmfReceived,
    Event,
    HangUp,
    Listen,
    MediaStarted,
    PlaybackFinished,
    PlaybackStarted,
    PlayPrompts,
    RequestRefused,
    StopPlayback,
    TransferCall,
)

CALL = "pbx-1.0"
RULES = Rules(Target("pronto", "127.0.0.1", 8766), "/prompts", "/recordings", True, True, "handoff", "900", "fr")
SOURCE = {"channelvars": {"UNICASTRTP_LOCAL_ADDRESS": "10.0.0.1", "UNICASTRTP_LOCAL_PORT": "21000"}}


def channel(channel_id: str) -> Channel:
    return Channel(channel_id, "Ring", "+33100000001", "100", "Stasis", "pronto,fr/heating", 0.0)


class Scene:
    """A call and its Asterisk: requests wait in `asked` until the test answers them."""

    def __init__(self, farewell: Farewell | None = None, rules: Rules = RULES) -> None:
        self.at = 100.0
        self.asked: list[Request] = []
        self.done: list[Action] = []
        self.call, actions = CallLegs.arrive(channel(CALL), "fr/heating", rules, self.at, farewell)
        self.take(actions)

    def take(self, actions: list[Action]) -> list[Action]:
        self.asked += [action for action in actions if isinstance(action, Request)]
        self.done += actions
        return actions

    def told(self) -> list[Event]:
        """Everything sent to the other services."""
        return [action.event for action in self.done if isinstance(action, Send)]

    def names(self) -> list[str]:
        return [request.name for request in self.asked]

    def event(self, event: AriEvent) -> list[Action]:
        return self.take(self.call.event(event, self.at))

    def command(self, command: Command) -> list[Action]:
        return self.take(self.call.command(command, self.at))

    def answer(self, name: str, body: Any = None, error: AriError | None = None) -> list[Action]:
        request = next(item for item in self.asked if item.name == name)
        self.asked.remove(request)
        return self.take(self.call.replied(request, body, error, self.at))

    def answer_all(self, *names: str) -> None:
        for name in names:
            self.answer(name, SOURCE if name == "external_media" else None)

    def enter(self, *prefixes: str) -> None:
        for prefix in prefixes:
            self.event(StasisStarted(channel(prefix + CALL), ()))

    def wait(self, seconds: float) -> list[Action]:
        self.at += seconds
        return self.take(self.call.tick(self.at))

    def up(self) -> Scene:
        """Answered, media running, silence on."""
        self.answer_all("answer", "snoop", "external_media", "snoop_both")
        self.enter("sn-", "em-", "rc-")
        self.answer_all("bridge", "add_channel", "record", "silence")
        self.command(Listen(CALL, self.at, 1, "fr"))
        assert (self.call.stream.state, self.call.recorder.state, self.asked) == ("running", "running", [])
        return self

    def play(self, number: int, *prompts: str, at: float = 100.0) -> str:
        playback_id = f"p-{CALL}-{number}"
        self.command(PlayPrompts(CALL, at, 1, playback_id, "fr", prompts or ("hello",)))
        return playback_id

    def hang_up(self) -> None:
        self.event(HangupRequested(CALL, soft=False))
        self.event(StasisEnded(CALL))
        self.event(RecordingOver(f"rc-{CALL}", False, ""))


def began(playback_id: str, at_ms: int = 5_000) -> PlaybackBegan:
    return PlaybackBegan(CALL, playback_id, at_ms)


def over(playback_id: str, state: str = "done", at_ms: int = 6_500) -> PlaybackOver:
    return PlaybackOver(CALL, playback_id, state, at_ms)


def test_the_caller_is_answered_before_anything_else() -> None:
    scene = Scene()
    assert scene.asked == [Request("answer", "POST", f"/channels/{CALL}/answer")]
    scene.answer("answer")
    assert scene.told() == [CallStarted(CALL, 100.0, "+33100000001", "100", "fr/heating")]
    assert scene.names() == ["snoop", "external_media", "snoop_both", "silence"]
    assert [request.lane for request in scene.asked] == ["media", "media", "media", "control"]


@pytest.mark.parametrize("order", [("answers", "sn-", "em-"), ("sn-", "em-", "answers"), ("em-", "answers", "sn-")])
def test_the_source_is_announced_before_the_legs_are_bridged_in_whatever_order_they_come(
    order: tuple[str, ...],
) -> None:
    scene = Scene()
    scene.answer("answer")
    for step in order:
        assert "bridge" not in scene.names()
        scene.answer_all("snoop", "external_media") if step == "answers" else scene.enter(step)
    tail = scene.done[-4:]
    assert tail[:2] == [Announce("10.0.0.1", 21_000), Send(MediaStarted(CALL, 100.0, "10.0.0.1", 21_000))]
    assert [action.name for action in tail[2:] if isinstance(action, Request)] == ["bridge", "add_channel"]


def test_a_source_that_the_answer_does_not_tell_is_asked_for() -> None:
    scene = Scene()
    scene.answer("answer")
    scene.enter("sn-", "em-")
    scene.answer("external_media", {"channelvars": {}})
    scene.answer("source_address", {"value": "10.0.0.2"})
    scene.answer("source_port", {"value": "21002"})
    assert MediaStarted(CALL, 100.0, "10.0.0.2", 21_002) in scene.told()


def test_prompts_of_one_command_are_one_playback() -> None:
    scene = Scene().up()
    playback_id = scene.play(1, "hello", "question")
    media = "sound:/prompts/fr/hello,sound:/prompts/fr/question"
    assert scene.asked == [Request("play", "POST", f"/channels/{CALL}/play/{playback_id}", (("media", media),))]
    assert scene.event(began(playback_id)) == [Speak(True), Send(PlaybackStarted(CALL, 100.0, playback_id))]
    assert scene.event(began(playback_id, 5_400)) == []  # its second file
    actions = scene.event(over(playback_id))
    assert actions[:2] == [Speak(False), Send(PlaybackFinished(CALL, 100.0, playback_id, "finished", 1_500))]
    assert [action.name for action in actions if isinstance(action, Request)] == ["silence"]


def test_a_stop_deletes_the_last_queued_playback_first() -> None:
    scene = Scene().up()
    ids = [scene.play(number) for number in range(3)]
    scene.event(began(ids[0]))
    actions = scene.command(StopPlayback(CALL, 100.0))
    assert [action.path for action in actions if isinstance(action, Request)] == [
        f"/playbacks/{i}" for i in reversed(ids)
    ]
    assert scene.command(StopPlayback(CALL, 100.0)) == []
    told = [scene.event(over(playback_id)) for playback_id in ids]
    assert told[0] == [Send(PlaybackFinished(CALL, 100.0, ids[0], "stopped", 1_500))]
    assert told[1] == [Send(PlaybackFinished(CALL, 100.0, ids[1], "stopped", 0))]
    assert told[2][0] == Speak(False)


def test_where_a_stopped_prompt_began_counts() -> None:
    scene = Scene().up()
    scene.command(PlayPrompts(CALL, 100.0, 1, "p-1", "fr", ("hello",), offset_ms=2_000))
    assert scene.asked[-1].params[-1] == ("offsetms", "2000")
    scene.event(began("p-1", 5_000))
    scene.event(over("p-1", at_ms=5_250))
    assert scene.told()[-1] == PlaybackFinished(CALL, 100.0, "p-1", "finished", 2_250)


def test_a_missing_prompt_is_an_error_and_a_hang_up_is_none() -> None:
    scene = Scene().up()
    first = scene.play(1)
    actions = scene.event(over(first, "failed"))
    assert isinstance(actions[0], Note)
    assert PlaybackFinished(CALL, 100.0, first, "failed", 0) in scene.told()
    second = scene.play(2)
    scene.event(began(second))
    scene.event(HangupRequested(CALL, soft=False))
    scene.event(over(second, "failed"))
    assert scene.told()[-1] == PlaybackFinished(CALL, 100.0, second, "stopped", 1_500)


def test_a_refused_playback_is_told_twice_over() -> None:
    scene = Scene().up()
    playback_id = scene.play(1)
    scene.answer("play", error=Unreachable(0, "gone"))
    assert [type(event) for event in scene.told()[-2:]] == [RequestRefused, PlaybackFinished]
    again = scene.play(2)
    scene.answer("play", error=Conflict(409, "there"))  # it plays already
    scene.event(over(again))
    assert scene.told()[-1] == PlaybackFinished(CALL, 100.0, again, "finished", 0)
    assert playback_id != again


@pytest.mark.parametrize(
    ("prompts", "language", "offset_ms"),
    [((), "fr", 0), (("../x",), "fr", 0), (("a/b",), "fr", 0), (("hello",), "..", 0), (("hello",), "fr", -1)],
)
def test_names_that_are_none_of_ours_are_refused(prompts: tuple[str, ...], language: str, offset_ms: int) -> None:
    scene = Scene().up()
    scene.command(PlayPrompts(CALL, 100.0, 1, "p-1", language, prompts, offset_ms))
    assert scene.asked == []
    assert [type(event) for event in scene.told()[-2:]] == [RequestRefused, PlaybackFinished]


def test_a_command_that_comes_twice_is_done_once() -> None:
    scene = Scene().up()
    scene.play(1)
    scene.play(1)
    assert scene.names() == ["play"]


def test_keys() -> None:
    scene = Scene().up()
    assert scene.event(DtmfPressed(CALL, "#")) == [Send(DtmfReceived(CALL, 100.0, "#"))]
    assert [type(action) for action in scene.event(DtmfPressed(CALL, "A"))] == [Note]


def test_the_end_is_told_when_the_file_is_closed_and_forgotten_when_all_is_deleted() -> None:
    scene = Scene().up()
    scene.event(HangupRequested(CALL, soft=False))
    actions = scene.event(StasisEnded(CALL))
    assert actions[0] == Forget("10.0.0.1", 21_000)
    assert [action.path for action in actions[1:] if isinstance(action, Request)] == [
        f"/channels/em-{CALL}",
        f"/channels/sn-{CALL}",
        f"/bridges/br-{CALL}",
        f"/channels/rc-{CALL}",
    ]
    assert not [event for event in scene.told() if isinstance(event, CallEnded)]
    scene.event(RecordingOver(f"rc-{CALL}", False, ""))
    assert scene.told()[-1] == CallEnded(CALL, 100.0, "caller_hung_up", f"/recordings/{CALL}.wav")
    while scene.asked:
        assert scene.call.state == "ending"
        scene.answer(scene.asked[0].name)
    assert scene.call.state == "ended"


def test_the_end_is_told_at_last_when_the_file_does_not_close() -> None:
    scene = Scene().up()
    scene.event(StasisEnded(CALL))
    scene.wait(0.5)
    assert not [event for event in scene.told() if isinstance(event, CallEnded)]
    scene.wait(0.6)
    assert isinstance(scene.told()[-1], CallEnded)
    scene.wait(20.0)
    assert scene.call.state == "ended"


@pytest.mark.parametrize(
    ("soft", "reason"), [(False, "caller_hung_up"), (True, "lost")]
)  # soft: Asterisk gave up a line without RTP
def test_who_ended_the_call(soft: bool, reason: str) -> None:
    scene = Scene().up()
    scene.event(HangupRequested(CALL, soft))
    scene.event(StasisEnded(CALL))
    scene.wait(2.0)
    assert scene.told()[-1] == CallEnded(CALL, 100.0, reason, f"/recordings/{CALL}.wav")  # type: ignore[arg-type]


def test_the_bot_hangs_up() -> None:
    scene = Scene().up()
    scene.command(HangUp(CALL, 100.0))
    assert scene.names() == ["hang_up"]
    scene.event(HangupRequested(CALL, soft=True))
    scene.event(StasisEnded(CALL))
    scene.event(RecordingOver(f"rc-{CALL}", False, ""))
    assert scene.told()[-1] == CallEnded(CALL, 100.0, "bot_hung_up", f"/recordings/{CALL}.wav")


def test_a_hang_up_that_asterisk_did_not_hear_is_asked_for_again() -> None:
    scene = Scene().up()
    scene.command(HangUp(CALL, 100.0))
    scene.answer("hang_up", error=Unreachable(0, "away"))
    scene.wait(1.0)
    assert scene.names() == []
    scene.wait(3.0)
    assert scene.names() == ["hang_up"]


def test_a_transfer_stops_what_plays_and_leaves() -> None:
    scene = Scene().up()
    playback_id = scene.play(1)
    scene.answer("play")
    scene.event(began(playback_id))
    scene.command(TransferCall(CALL, 100.0, "900"))
    assert scene.asked[-1].params == (("variable", "DIALPLAN_EXISTS(handoff,900,1)"),)
    scene.answer("extension_exists", {"value": "1"})
    assert scene.names() == ["stop_playback", "stop_silence", "continue"]
    scene.event(over(playback_id))
    assert "silence" not in scene.names()
    scene.event(StasisEnded(CALL))
    scene.wait(2.0)
    assert scene.told()[-1] == CallEnded(CALL, 100.0, "transferred", f"/recordings/{CALL}.wav")


@pytest.mark.parametrize(
    ("body", "error"),
    [({"value": "0"}, None), ({}, None), (None, Unreachable(0, "away")), (None, Unprocessable(422, "x"))],
)
def test_a_transfer_to_nowhere_is_refused_and_the_call_goes_on(body: Any, error: AriError | None) -> None:
    scene = Scene().up()
    scene.command(TransferCall(CALL, 100.0, "999"))
    scene.answer("extension_exists", body, error)
    refused = scene.told()[-1]
    assert isinstance(refused, RequestRefused)
    assert (refused.command, scene.call.state) == ("TransferCall", "up")
    scene.play(1)
    assert "play" in scene.names()


def test_an_asterisk_that_cannot_tell_whether_an_extension_exists_is_trusted() -> None:
    scene = Scene().up()
    scene.command(TransferCall(CALL, 100.0, "900"))
    scene.answer("extension_exists", error=ServerFault(500, "Unable to read provided function"))
    assert scene.names() == ["stop_silence", "continue"]
    scene.answer("continue", error=Conflict(409, "not in Stasis"))
    assert isinstance(scene.told()[-1], RequestRefused)


@pytest.mark.parametrize("extension", ["", "900,1)", "a b", "../x", "9" * 41])
def test_an_extension_that_is_none_is_refused_at_once(extension: str) -> None:
    scene = Scene().up()
    scene.command(TransferCall(CALL, 100.0, extension))
    assert "extension_exists" not in scene.names()
    assert isinstance(scene.told()[-1], RequestRefused)


def test_commands_for_a_call_that_leaves_are_refused() -> None:
    scene = Scene().up()
    scene.command(TransferCall(CALL, 100.0, "900"))
    scene.play(1)
    assert scene.told()[-1] == RequestRefused(CALL, 100.0, "PlayPrompts", "the call is transferring")
    scene.command(HangUp(CALL, 100.0))
    assert scene.call.state == "hanging_up"


def test_a_call_that_nobody_drives_is_handed_over_with_an_apology() -> None:
    scene = Scene()
    scene.answer("answer")
    scene.wait(1.4)
    assert "play" not in scene.names()
    scene.wait(0.2)
    assert scene.asked[-1].params == (("media", "sound:/prompts/fr/one_moment"),)
    scene.event(over(scene.call.playbacks.queue[0].playback_id))
    scene.wait(4.3)
    scene.wait(0.2)
    apology = f"p-{CALL}-apology"
    assert scene.asked[-1].path.endswith(apology)
    scene.event(began(apology))
    scene.event(over(apology))
    scene.answer("extension_exists", {"value": "1"})
    scene.event(StasisEnded(CALL))
    scene.wait(2.0)
    assert not [event for event in scene.told() if isinstance(event, PlaybackStarted | PlaybackFinished)]
    ends = [event.reason for event in scene.told() if isinstance(event, CallEnded)]
    assert ends == ["transferred"]


def test_a_caller_to_whom_the_bot_does_not_answer_is_asked_to_wait_now_and_then_and_given_up_in_the_end() -> None:
    scene = Scene().up()

    def unanswered(seconds: float) -> int:
        """How many prompts are asked for after so many more seconds in which nobody saw what the caller did."""
        scene.at += seconds
        scene.asked.clear()
        scene.take(scene.call.hold(100.0, scene.at))
        return scene.names().count("play")

    assert unanswered(1.4) == 0
    assert unanswered(0.2) == 1
    prompt = scene.call.playbacks.queue[0].playback_id
    scene.event(began(prompt))
    scene.event(over(prompt))
    assert not [event for event in scene.told() if isinstance(event, PlaybackStarted | PlaybackFinished)]
    assert [unanswered(1.0), unanswered(4.8)] == [0, 0]
    assert unanswered(0.3) == 1
    assert unanswered(10.5) == 0  # it plays still
    scene.event(over(scene.call.playbacks.queue[0].playback_id))
    assert unanswered(2.0) == 1
    assert scene.call.playbacks.queue[-1].playback_id.endswith("-apology")


def test_what_plays_is_not_talked_over_and_without_a_prompt_nothing_is_said() -> None:
    scene = Scene().up()
    scene.play(1)
    assert scene.call.hold(100.0, 103.0) == []
    silent = Scene(rules=replace(RULES, hold_prompt="")).up()
    assert silent.call.hold(100.0, 103.0) == []


def test_without_an_extension_the_apology_is_followed_by_the_end() -> None:
    rules = Rules(RULES.target, "/prompts", "/recordings", False, False, "handoff", "", "fr")
    scene = Scene(APOLOGY, rules)
    scene.answer("answer")
    scene.event(over(f"p-{CALL}-apology", "failed"))  # not even the prompt is there
    assert scene.names()[-1] == "hang_up"


def test_the_one_too_many_hears_busy_and_the_bot_hears_nothing() -> None:
    scene = Scene(BUSY)
    scene.answer("answer")
    assert scene.names() == ["play"]
    scene.event(over(f"p-{CALL}-busy"))
    assert "hang_up" in scene.names()
    scene.event(StasisEnded(CALL))
    assert (scene.told(), scene.call.state) == ([], "ended")


def test_the_one_too_many_is_sent_to_the_busy_extension_where_there_is_one() -> None:
    scene = Scene(BUSY, replace(RULES, busy_extension="902"))
    scene.answer("answer")
    scene.event(over(f"p-{CALL}-busy"))
    scene.answer("extension_exists", {"value": "1"})
    assert [request.name for request in scene.asked][-1] == "continue"
    scene.event(StasisEnded(CALL))
    assert (scene.told(), scene.call.state) == ([], "ended")


def test_a_caller_who_gives_up_before_the_answer() -> None:
    scene = Scene()
    scene.event(HangupRequested(CALL, soft=False))
    scene.event(StasisEnded(CALL))
    assert (scene.told(), scene.call.state, scene.names()) == ([], "ended", ["answer"])
    assert scene.answer("answer", error=NotFound(404, "gone")) == []


def test_a_leg_that_fails_is_made_anew_and_given_up_in_the_end() -> None:
    scene = Scene()
    scene.answer("answer")
    scene.command(Listen(CALL, 100.0, 1, "fr"))
    for attempt in range(3):
        assert scene.names().count("snoop") == 1, attempt
        scene.answer("snoop", error=ServerFault(500, "no"))
        scene.wait(1.1)
    assert scene.names().count("snoop") == 0
    assert [event.command for event in scene.told() if isinstance(event, RequestRefused)] == ["Media"]
    assert scene.call.live
    scene.play(1)
    assert "play" in scene.names()


def test_legs_that_never_enter_stasis_are_deleted() -> None:
    scene = Scene()
    scene.answer_all("answer", "snoop", "external_media")
    scene.command(Listen(CALL, 100.0, 1, "fr"))
    scene.wait(5.1)
    assert [request.path for request in scene.asked if request.name == "delete_channel"][:2] == [
        f"/channels/em-{CALL}",
        f"/channels/sn-{CALL}",
    ]


def test_a_recording_that_fails_does_not_touch_the_call() -> None:
    scene = Scene().up()
    actions = scene.event(RecordingOver(f"rc-{CALL}", True, "No space left on device"))
    assert [action.failed_leg for action in actions if isinstance(action, Note)] == ["recording"]
    assert (scene.call.state, scene.call.stream.state) == ("up", "running")


def seen(
    *bridged: str, legs: tuple[str, ...] = ("snoop", "external_media", "recording"), at: float = 200.0
) -> Presence:
    return Presence(at, frozenset(legs), frozenset(bridged))  # type: ignore[arg-type]


def test_a_restarted_controller_goes_on_where_the_other_one_stopped() -> None:
    scene = Scene().up()
    ids = [scene.play(number) for number in (1, 2)]
    scene.event(began(ids[0]))
    call = restore(CALL, snapshot_of(scene.call), RULES)
    scene.call, scene.at, scene.asked = call, 200.0, []
    scene.take(call.recheck(seen("snoop", "external_media"), restarted=True))
    assert scene.names() == ["get_playback", "get_playback"]
    scene.answer("get_playback", error=NotFound(404, "gone"))
    scene.answer("get_playback", {"state": "playing"})
    assert isinstance(scene.told()[-2], PlaybackFinished)
    assert scene.told()[-1] == PlaybackStarted(CALL, 200.0, ids[1])
    scene.event(over(ids[1], at_ms=201_000))
    assert scene.told()[-1] == PlaybackFinished(CALL, 200.0, ids[1], "finished", 1_000)


def test_commands_that_were_handled_before_the_restart_are_not_done_again() -> None:
    scene = Scene().up()
    commands: list[Command] = [
        PlayPrompts(CALL, 110.0, 1, "p-1", "fr", ("hello",)),
        StopPlayback(CALL, 111.0),
        PlayPrompts(CALL, 111.0, 1, "p-2", "fr", ("hello",)),
    ]
    for command in commands:
        scene.command(command)
    scene.call = restore(CALL, snapshot_of(scene.call), RULES)
    scene.asked = []
    for command in [*commands, StopPlayback(CALL, 111.0)]:
        scene.command(command)
    assert [request.path for request in scene.asked] == ["/playbacks/p-2"]  # p-1 is being stopped already


def test_a_leg_that_went_while_nobody_looked_is_made_anew() -> None:
    scene = Scene().up()
    actions = scene.call.recheck(seen("external_media", legs=("external_media",)), restarted=False)
    notes = [action.failed_leg for action in actions if isinstance(action, Note)]
    assert notes == ["bridge", "recording"]


@pytest.mark.parametrize("state", ["hanging_up", "transferring"])
def test_what_was_asked_before_the_restart_is_asked_again(state: str) -> None:
    scene = Scene().up()
    scene.command(HangUp(CALL, 100.0) if state == "hanging_up" else TransferCall(CALL, 100.0, "900"))
    call = restore(CALL, snapshot_of(scene.call), RULES)
    names = [item.name for item in call.recheck(seen(), restarted=True) if isinstance(item, Request)]
    assert names[0] == ("hang_up" if state == "hanging_up" else "extension_exists")


def test_a_clean_up_that_was_cut_short_is_done_again() -> None:
    scene = Scene().up()
    scene.event(StasisEnded(CALL))
    call = restore(CALL, snapshot_of(scene.call), RULES)
    actions = call.finish(None, 200.0)
    assert actions[0] == Forget("10.0.0.1", 21_000)
    assert [type(action.event) for action in actions if isinstance(action, Send)] == [CallEnded]
    assert call.state == "ended"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"version": 2}', '{"version": 1, "state": "dancing"}', "[" * 99_999]
)
def test_a_snapshot_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadSnapshot):
        restore(CALL, text, RULES)


IDS = [CALL, f"sn-{CALL}", f"em-{CALL}", f"rc-{CALL}"]
PLAYBACKS = [f"p-{CALL}-{number}" for number in range(3)] + [f"p-{CALL}-apology", f"p-{CALL}-busy"]
ERRORS = [None, None, None, NotFound(404, "x"), Conflict(409, "x"), ServerFault(500, "x"), Unreachable(0, "x")]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_happens_a_call_ends_clean(data: st.DataObject) -> None:
    """Events and replies in any order: nothing raises, every leg is deleted, the end is told exactly once."""
    scene = Scene(data.draw(st.sampled_from([None, None, None, BUSY, APOLOGY])))
    ids = st.sampled_from(IDS)
    playbacks = st.sampled_from(PLAYBACKS)
    inputs = st.one_of(
        ids.map(lambda item: StasisStarted(channel(item), ())),
        st.sampled_from(IDS[1:]).map(StasisEnded),
        st.builds(HangupRequested, ids, st.booleans()),
        st.builds(DtmfPressed, ids, st.sampled_from("5#AZ")),
        st.builds(PlaybackBegan, st.just(CALL), playbacks, st.integers(0, 10_000)),
        st.builds(PlaybackOver, st.just(CALL), playbacks, st.sampled_from(["done", "failed"]), st.integers(0, 10_000)),
        st.builds(RecordingOver, st.just(f"rc-{CALL}"), st.booleans(), st.just("")),
        st.builds(PlayPrompts, st.just(CALL), st.just(1.0), st.just(1), playbacks, st.just("fr"), st.just(("hello",))),
        st.builds(TransferCall, st.just(CALL), st.just(1.0), st.sampled_from(["900", "?"])),
        st.just(StopPlayback(CALL, 1.0)),
        st.just(HangUp(CALL, 1.0)),
        st.sampled_from([0.1, 1.1, 3.1, 6.0]),
        st.just("reply"),
        st.just("reply"),
        st.just("restart"),
        st.just("recheck"),
    )
    for item in data.draw(st.lists(inputs, max_size=40)):
        match item:
            case float():
                scene.wait(item)
            case "reply" if scene.asked:
                request = scene.asked.pop(0)
                body = data.draw(
                    st.sampled_from([None, {}, SOURCE, {"value": "1"}, {"value": "0"}, {"state": "playing"}])
                )
                error = data.draw(st.sampled_from(ERRORS))
                scene.take(scene.call.replied(request, None if error else body, error, scene.at))
            case "restart" if scene.call.state not in ("answering", "ended"):
                scene.call = restore(CALL, snapshot_of(scene.call), RULES)
                assert snapshot_of(scene.call) == snapshot_of(restore(CALL, snapshot_of(scene.call), RULES))
                scene.take(scene.call.recheck(seen(at=scene.at), restarted=True))
            case "recheck":
                legs = data.draw(st.sets(st.sampled_from(["snoop", "external_media", "recording"])))
                scene.take(scene.call.recheck(seen(*legs, legs=tuple(legs), at=scene.at), restarted=False))
            case PlayPrompts() | TransferCall() | StopPlayback() | HangUp():
                scene.command(item)
            case _ if not isinstance(item, str):
                scene.event(item)
    scene.take(scene.call.finish(None, scene.at))
    while scene.asked:
        scene.take(scene.call.replied(scene.asked.pop(0), None, None, scene.at))
    scene.wait(2.0)
    scene.wait(20.0)
    assert scene.call.state == "ended"
    requests = [action for action in scene.done if isinstance(action, Request)]
    for made, path in [
        ("snoop", f"/channels/sn-{CALL}"),
        ("external_media", f"/channels/em-{CALL}"),
        ("snoop_both", f"/channels/rc-{CALL}"),
        ("bridge", f"/bridges/br-{CALL}"),
    ]:
        last_made = max((i for i, request in enumerate(requests) if request.name == made), default=-1)
        last_deleted = max(
            (i for i, request in enumerate(requests) if request.method == "DELETE" and request.path == path), default=-1
        )
        assert last_made == -1 or last_deleted > last_made, made
    kinds = [type(event) for event in scene.told()]
    assert kinds.count(CallStarted) == kinds.count(CallEnded) <= 1
    spoken = [action.speaking for action in scene.done if isinstance(action, Speak)]
    assert not spoken or not spoken[-1]
