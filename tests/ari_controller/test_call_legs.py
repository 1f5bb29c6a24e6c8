"""One call as values: what goes in, what is asked for and told, without Asterisk, clock or Redis."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_controller.actions import Announce, AtOnce, CallAction, Forget, HandOver, Note, RanDry, Send, Speak
from ari_controller.ari_errors import AriError, Conflict, NotFound, ServerFault, Unprocessable, Unreachable
from ari_controller.ari_events import (
    AriEvent,
    Channel,
    DtmfPressed,
    FileBegan,
    HangupRequested,
    PlaybackOver,
    RecordingOver,
    StasisEnded,
    StasisStarted,
)
from ari_controller.ari_requests import Request
from ari_controller.call_legs import CallLegs
from ari_controller.call_snapshot import BadLegs, restore, snapshot_of
from ari_controller.call_states import APOLOGY, BUSY, Farewell, Rules
from ari_controller.media_legs import Presence, Target
from protocol.items import AudioItem, ItemHeard, ItemState, SpeechItem, UnknownItem
from protocol.items import prompts as items
from protocol.messages import (
    Append,
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
    PlaybackState,
    RequestRefused,
    Say,
    StopPlayback,
    TransferCall,
)

CALL = "local-01aryz6s410123456789abcdef"
HANDED_OVER = ["set_variable", "set_variable", "subscribe", "continue"]
CHANNEL = "pbx-1.0"
ARGS = ("fr/heating", "campaign=winter")
RULES = Rules(Target("pronto", "127.0.0.1", 8766), "/prompts", "/recordings", True, True, "handoff", "900", "fr")
SOURCE = {"channelvars": {"UNICASTRTP_LOCAL_ADDRESS": "10.0.0.1", "UNICASTRTP_LOCAL_PORT": "21000"}}


def channel(channel_id: str) -> Channel:
    return Channel(channel_id, "Ring", "+33100000001", "100", "Stasis", "pronto,fr/heating", 0.0)


class Scene:
    """A call and its Asterisk: requests wait in `asked` until the test answers them."""

    def __init__(self, farewell: Farewell | None = None, rules: Rules = RULES) -> None:
        self.at = 100.0
        self.asked: list[Request] = []
        self.done: list[CallAction] = []
        self.entries = 0
        self.call, actions = CallLegs.arrive(CALL, channel(CHANNEL), ARGS, rules, self.at, farewell)
        self.take(actions)

    def take(self, actions: list[CallAction]) -> list[CallAction]:
        for action in actions:
            self.asked += (
                [action] if isinstance(action, Request) else action.requests if isinstance(action, AtOnce) else ()
            )
        self.done += actions
        return actions

    def told(self) -> list[Event]:
        """Everything sent to the other services."""
        return [action.event for action in self.done if isinstance(action, Send)]

    def names(self) -> list[str]:
        return [request.name for request in self.asked]

    def event(self, event: AriEvent) -> list[CallAction]:
        return self.take(self.call.event(event, self.at))

    def command(self, command: Command, entry_id: str = "") -> list[CallAction]:
        """A command in the next entry of the stream, or in one that was read before."""
        self.entries += 1
        return self.take(self.call.command(command, entry_id or f"5-{self.entries}", self.at))

    def answer(self, name: str, body: Any = None, error: AriError | None = None) -> list[CallAction]:
        request = next(item for item in self.asked if item.name == name)
        self.asked.remove(request)
        return self.take(self.call.replied(request, body, error, self.at))

    def answer_all(self, *names: str) -> None:
        for name in names:
            self.answer(name, SOURCE if name == "external_media" else None)

    def enter(self, *prefixes: str) -> None:
        for prefix in prefixes:
            self.event(StasisStarted(channel(prefix + CALL), ()))

    def wait(self, seconds: float) -> list[CallAction]:
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
        self.command(Say(CALL, at, 1, playback_id, "fr", items(*(prompts or ("hello",)))))
        return playback_id

    def hang_up(self) -> None:
        self.event(HangupRequested(CHANNEL, soft=False))
        self.event(StasisEnded(CHANNEL))
        self.event(RecordingOver(f"rc-{CALL}", False, ""))


def began(playback_id: str, at_ms: int = 5_000) -> FileBegan:
    return FileBegan(CHANNEL, playback_id, at_ms)


def over(playback_id: str, state: str = "done", at_ms: int = 6_500) -> PlaybackOver:
    return PlaybackOver(CHANNEL, playback_id, state, at_ms)


def test_the_caller_is_answered_before_anything_else() -> None:
    scene = Scene()
    assert scene.asked == [Request("answer", "POST", f"/channels/{CHANNEL}/answer")]
    scene.answer("answer")
    assert scene.told() == [
        CallStarted(CALL, 100.0, "+33100000001", "100", "fr/heating", CHANNEL, variables={"campaign": "winter"})
    ]
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


def finished(
    playback_id: str, *heard: tuple[ItemState, int], state: PlaybackState | None = None, at: float = 100.0
) -> Send:
    """A PlaybackFinished with what became of each item; its state is that of the last."""
    told = tuple(ItemHeard(*item) for item in heard)
    last = state or heard[-1][0]
    assert last != "skipped"
    return Send(PlaybackFinished(CALL, at, playback_id, last, sum(ms for _, ms in heard), told))


def test_prompts_of_one_command_are_one_playback() -> None:
    scene = Scene().up()
    playback_id = scene.play(1, "hello", "question")
    media = "sound:/prompts/fr/hello,sound:/prompts/fr/question"
    assert scene.asked == [Request("play", "POST", f"/channels/{CHANNEL}/play/{playback_id}", (("media", media),))]
    assert scene.event(began(playback_id)) == [Speak(True), Send(PlaybackStarted(CALL, 100.0, playback_id))]
    assert scene.event(began(playback_id, 5_400)) == []  # its second file
    actions = scene.event(over(playback_id))
    assert actions[:2] == [Speak(False), finished(playback_id, ("finished", 400), ("finished", 1_100))]
    assert [action.name for action in actions if isinstance(action, Request)] == ["silence"]


def test_a_stop_deletes_what_is_queued_at_once_and_then_what_plays() -> None:
    scene = Scene().up()
    ids = [scene.play(number) for number in range(3)]
    scene.event(began(ids[0]))
    actions = scene.command(StopPlayback(CALL, 100.0))
    together, last = [action for action in actions if isinstance(action, AtOnce | Request)]
    assert isinstance(together, AtOnce)
    assert [request.path for request in together.requests] == [f"/playbacks/{i}" for i in reversed(ids[1:])]
    assert isinstance(last, Request)
    assert last.path == f"/playbacks/{ids[0]}"
    assert scene.command(StopPlayback(CALL, 100.0)) == []
    told = [scene.event(over(playback_id)) for playback_id in ids]
    assert told[0] == [finished(ids[0], ("stopped", 1_500))]
    assert told[1] == [finished(ids[1], ("skipped", 0), state="stopped")]
    assert told[2][0] == Speak(False)


def test_where_a_stopped_prompt_began_counts() -> None:
    scene = Scene().up()
    scene.command(Say(CALL, 100.0, 1, "p-1", "fr", items("hello"), offset_ms=2_000))
    assert scene.asked[-1].params[-1] == ("offsetms", "2000")
    scene.event(began("p-1", 5_000))
    scene.event(over("p-1", at_ms=5_250))
    assert scene.told()[-1] == finished("p-1", ("finished", 2_250)).event


def test_a_missing_prompt_is_an_error_and_a_hang_up_is_none() -> None:
    scene = Scene().up()
    first = scene.play(1)
    actions = scene.event(over(first, "failed"))
    assert isinstance(actions[0], Note)
    assert finished(first, ("failed", 0)).event in scene.told()
    second = scene.play(2)
    scene.event(began(second))
    scene.event(HangupRequested(CHANNEL, soft=False))
    scene.event(over(second, "failed"))
    assert scene.told()[-1] == finished(second, ("stopped", 1_500)).event


def test_a_refused_playback_is_told_twice_over() -> None:
    scene = Scene().up()
    playback_id = scene.play(1)
    scene.answer("play", error=ServerFault(500, "no"))
    assert [type(event) for event in scene.told()[-2:]] == [RequestRefused, PlaybackFinished]
    again = scene.play(2)
    scene.answer("play", error=Conflict(409, "there"))  # it plays already
    scene.event(over(again))
    assert scene.told()[-1] == finished(again, ("finished", 0)).event
    assert playback_id != again


@pytest.mark.parametrize("was_executed", [True, False])
def test_a_play_without_an_answer_is_asked_about_and_not_forgotten(was_executed: bool) -> None:
    """Asterisk may have done it: then it plays, stops when it must, and is told of; or it never will."""
    scene = Scene().up()
    playback_id = scene.play(1)
    told = len(scene.told())
    scene.answer("play", error=Unreachable(0, "no answer in 3 s"))
    scene.answer("get_playback", error=Unreachable(0, "no answer in 3 s"))
    assert (len(scene.told()), scene.asked) == (told, [])
    scene.wait(1.0)
    assert scene.asked == []
    scene.wait(1.5)
    if not was_executed:
        scene.answer("get_playback", error=NotFound(404, "no"))
        assert [type(event) for event in scene.told()[told:]] == [RequestRefused, PlaybackFinished]
        return
    scene.answer("get_playback", {"state": "playing"})
    assert scene.told()[-1] == PlaybackStarted(CALL, scene.at, playback_id)
    scene.command(StopPlayback(CALL, scene.at))
    scene.answer("stop_playback")
    scene.event(over(playback_id))
    assert isinstance(scene.told()[-1], PlaybackFinished)
    scene.wait(10.0)
    assert "get_playback" not in scene.names()


def test_a_play_without_an_answer_that_was_to_stop_meanwhile_is_stopped_when_it_is_there() -> None:
    scene = Scene().up()
    playback_id = scene.play(1)
    scene.command(StopPlayback(CALL, scene.at))
    scene.answer("play", error=Unreachable(0, "no answer in 3 s"))
    scene.answer("stop_playback", error=NotFound(404, "not yet"))
    scene.answer("get_playback", {"state": "queued"})
    assert scene.names() == ["stop_playback"]
    scene.event(over(playback_id))
    assert scene.told()[-1] == finished(playback_id, ("skipped", 0), state="stopped").event


def test_a_call_that_never_ends_is_handed_over() -> None:
    scene = Scene(rules=replace(RULES, max_call_s=600.0)).up()
    scene.wait(599.0)
    assert scene.call.state == "up"
    scene.wait(2.0)
    assert (scene.call.state, scene.call.farewell) == ("leaving", APOLOGY)
    assert scene.asked[-1].params[0][1].endswith("/apology")


def test_what_cannot_be_played_is_told_and_the_rest_is_said() -> None:
    scene = Scene().up()
    said = (
        SpeechItem("Bonjour"),
        *items("hello"),
        UnknownItem(),
        AudioItem("digits:75"),
        AudioItem("file:/etc/passwd"),
    )
    scene.command(Say(CALL, 100.0, 1, "p-1", "fr", said))
    assert dict(scene.asked[-1].params)["media"] == "sound:/prompts/fr/hello,digits:75"
    scene.event(began("p-1", 5_000))
    scene.event(began("p-1", 5_300))
    scene.event(over("p-1", at_ms=6_000))
    told = (("failed", 0), ("finished", 300), ("failed", 0), ("finished", 700), ("failed", 0))
    assert scene.told()[-1] == PlaybackFinished(
        CALL,
        100.0,
        "p-1",
        "finished",
        1_000,
        tuple(ItemHeard(*item) for item in told),  # type: ignore[arg-type]
    )


def test_more_files_than_one_request_takes_are_two_parts_of_one_playback() -> None:
    scene = Scene().up()
    scene.command(Say(CALL, 100.0, 1, "p-1", "fr", items(*["hello"] * 23)))
    assert [len(dict(request.params)["media"].split(",")) for request in scene.asked] == [20, 3]
    scene.event(over("p-1"))
    assert not [event for event in scene.told() if isinstance(event, PlaybackFinished)]
    scene.event(over("p-1.1"))
    assert len(finish(scene).heard) == 23


def test_a_voice_is_waited_for_from_when_asterisk_has_nothing_to_play_any_more() -> None:
    scene = Scene(rules=replace(RULES, parts_dir="/parts", speaks=True))
    scene.answer_all("answer")
    for number, said in enumerate([(*items("long"), SpeechItem("M. Martin")), (SpeechItem("merci"),)], 1):
        scene.command(Say(CALL, 1.0, number, f"p{number}", "fr", said))
    assert [action for action in scene.done if isinstance(action, HandOver)] == [HandOver("p1~1", dry=False)]
    ran_dry = [action for action in scene.event(over("p1")) if isinstance(action, RanDry)]
    assert ran_dry == [RanDry("p1~1")]
    scene.take(scene.call.fed("p1~1", "file", 500, "pico-fr", scene.at))
    assert not any(isinstance(action, RanDry) for action in scene.take(scene.call.feed_over("p1~1", "", scene.at)))
    assert [action for action in scene.done if isinstance(action, HandOver)][1:] == [HandOver("p2~0", dry=False)]
    assert RanDry("p2~0") in scene.event(over("p1.1"))


def finish(scene: Scene) -> PlaybackFinished:
    (event,) = [event for event in scene.told() if isinstance(event, PlaybackFinished)]
    return event


def test_an_open_playback_goes_on_with_what_is_appended() -> None:
    scene = Scene().up()
    scene.command(Say(CALL, 100.0, 1, "p-1", "fr", items("hello"), open=True))
    scene.event(began("p-1", 5_000))
    assert Speak(False) not in scene.event(over("p-1", at_ms=5_500))  # the bot is not silent, it is thinking
    assert scene.names()[-1] == "silence"  # packets flow meanwhile
    scene.command(Append(CALL, 100.1, "p-1", items("question")))
    assert scene.asked[-1].path == f"/channels/{CHANNEL}/play/p-1.1"
    scene.event(began("p-1.1", 6_000))
    scene.command(Append(CALL, 100.2, "p-1", items("hello"), last=True))
    scene.event(over("p-1.1", at_ms=6_200))
    scene.event(began("p-1.2", 6_200))
    actions = scene.event(over("p-1.2", at_ms=6_500))
    assert actions[:2] == [Speak(False), finished("p-1", ("finished", 500), ("finished", 200), ("finished", 300))]
    assert [event for event in scene.told() if isinstance(event, PlaybackStarted)] == [
        PlaybackStarted(CALL, 100.0, "p-1")
    ]


def test_an_open_playback_is_over_when_nothing_more_is_said_or_it_is_stopped() -> None:
    for ends_by in (Append(CALL, 101.0, "p-1", (), last=True), StopPlayback(CALL, 101.0)):
        scene = Scene().up()
        scene.command(Say(CALL, 100.0, 1, "p-1", "fr", items("hello"), open=True))
        scene.event(began("p-1", 5_000))
        scene.event(over("p-1", at_ms=5_500))
        scene.command(ends_by)
        state: PlaybackState = "finished" if isinstance(ends_by, Append) else "stopped"
        assert finish(scene) == finished("p-1", ("finished", 500), state=state).event


def test_nothing_can_be_appended_to_what_is_not_open() -> None:
    scene = Scene().up()
    scene.command(Say(CALL, 100.0, 1, "p-1", "fr", items("hello")))
    scene.command(Append(CALL, 101.0, "p-1", items("hello")))
    scene.command(Append(CALL, 102.0, "p-2", items("hello")))
    assert [type(event) for event in scene.told()[-2:]] == [RequestRefused, RequestRefused]
    assert scene.names().count("play") == 1


@pytest.mark.parametrize(
    ("prompts", "language", "offset_ms"),
    [((), "fr", 0), (("../x",), "fr", 0), (("a/b",), "fr", 0), (("hello",), "..", 0), (("hello",), "fr", -1)],
)
def test_names_that_are_none_of_ours_are_refused(prompts: tuple[str, ...], language: str, offset_ms: int) -> None:
    scene = Scene().up()
    scene.command(Say(CALL, 100.0, 1, "p-1", language, items(*prompts), offset_ms))
    assert scene.asked == []
    assert [type(event) for event in scene.told()[-2:]] == [RequestRefused, PlaybackFinished]


def test_a_command_that_comes_twice_is_done_once() -> None:
    scene = Scene().up()
    scene.play(1)
    scene.play(1)
    assert scene.names() == ["play"]


def test_keys() -> None:
    scene = Scene().up()
    assert scene.event(DtmfPressed(CHANNEL, "#")) == [Send(DtmfReceived(CALL, 100.0, "#"))]
    assert [type(action) for action in scene.event(DtmfPressed(CHANNEL, "A"))] == [Note]


def test_the_end_is_told_when_the_file_is_closed_and_forgotten_when_all_is_deleted() -> None:
    scene = Scene().up()
    scene.event(HangupRequested(CHANNEL, soft=False))
    actions = scene.event(StasisEnded(CHANNEL))
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
    scene.event(StasisEnded(CHANNEL))
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
    scene.event(HangupRequested(CHANNEL, soft))
    scene.event(StasisEnded(CHANNEL))
    scene.wait(2.0)
    assert scene.told()[-1] == CallEnded(CALL, 100.0, reason, f"/recordings/{CALL}.wav")  # type: ignore[arg-type]


def test_the_bot_hangs_up() -> None:
    scene = Scene().up()
    scene.command(HangUp(CALL, 100.0))
    assert scene.names() == ["hang_up"]
    scene.event(HangupRequested(CHANNEL, soft=True))
    scene.event(StasisEnded(CHANNEL))
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
    assert scene.names() == ["stop_playback", "stop_silence", *HANDED_OVER]
    variables = [dict(request.params) for request in scene.asked if request.name == "set_variable"]
    assert [(each["variable"], each["value"]) for each in variables] == [
        ("PRONTO_CALL", CALL),
        ("PRONTO_FLOW", ARGS[0]),
    ]
    scene.event(over(playback_id))
    assert "silence" not in scene.names()
    scene.event(StasisEnded(CHANNEL))
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
    assert scene.names() == ["stop_silence", *HANDED_OVER]
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
    assert scene.told()[-1] == RequestRefused(CALL, 100.0, "Say", "the call is transferring")
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
    scene.event(StasisEnded(CHANNEL))
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
    scene.event(StasisEnded(CHANNEL))
    assert (scene.told(), scene.call.state) == ([], "ended")


def test_the_one_too_many_is_sent_to_the_busy_extension_where_there_is_one() -> None:
    scene = Scene(BUSY, replace(RULES, busy_extension="902"))
    scene.answer("answer")
    scene.event(over(f"p-{CALL}-busy"))
    scene.answer("extension_exists", {"value": "1"})
    assert [request.name for request in scene.asked][-1] == "continue"
    scene.event(StasisEnded(CHANNEL))
    assert (scene.told(), scene.call.state) == ([], "ended")


def test_a_caller_who_gives_up_before_the_answer() -> None:
    scene = Scene()
    scene.event(HangupRequested(CHANNEL, soft=False))
    scene.event(StasisEnded(CHANNEL))
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
    call = restore(CALL, snapshot_of(scene.call), RULES, 200.0)
    scene.call, scene.at, scene.asked = call, 200.0, []
    scene.take(call.recheck(seen("snoop", "external_media"), restarted=True))
    assert scene.names() == ["get_playback", "get_playback"]
    scene.answer("get_playback", error=NotFound(404, "gone"))
    scene.answer("get_playback", {"state": "playing"})
    assert isinstance(scene.told()[-2], PlaybackFinished)
    assert scene.told()[-1] == PlaybackStarted(CALL, 200.0, ids[1])
    scene.event(over(ids[1], at_ms=201_000))
    assert scene.told()[-1] == finished(ids[1], ("finished", 1_000), at=200.0).event


def test_commands_that_were_handled_before_the_restart_are_not_done_again() -> None:
    scene = Scene().up()
    commands: list[Command] = [
        Say(CALL, 110.0, 1, "p-1", "fr", items("hello")),
        StopPlayback(CALL, 111.0),
        Say(CALL, 111.0, 1, "p-2", "fr", items("hello")),
    ]
    for number, command in enumerate(commands):
        scene.command(command, f"7-{number}")
    scene.call = restore(CALL, snapshot_of(scene.call), RULES, 200.0)
    scene.asked = []
    for number, command in enumerate([*commands, StopPlayback(CALL, 3.0)]):  # by a clock that was set back
        scene.command(command, f"7-{number}")
    assert [request.path for request in scene.asked] == ["/playbacks/p-2"]  # p-1 is being stopped already


def held(actions: list[CallAction]) -> list[str]:
    """What a caller whom nobody drives is told, and why."""
    return [str(a.fields.get("reason", "wait")) for a in actions if isinstance(a, Note) and (a.held or a.abandoned)]


def test_a_caller_whom_nobody_drives_any_more_is_asked_to_wait_and_then_handed_over() -> None:
    scene = Scene().up()
    scene.call.drive(True, scene.at)
    assert held(scene.wait(60.0)) == []
    scene.call.drive(False, scene.at)
    assert held(scene.wait(3.9)) == []  # a bot manager that is restarted is back by now
    assert held(scene.wait(0.2)) == ["wait"]
    scene.event(over(scene.call.playbacks.queue[0].playback_id))
    assert held(scene.wait(13.0)) == ["nobody_drives"]
    assert (scene.call.state, scene.call.farewell) == ("leaving", APOLOGY)


def test_a_caller_who_is_driven_again_in_time_is_told_nothing() -> None:
    scene = Scene().up()
    scene.call.drive(True, scene.at)
    scene.call.drive(False, scene.at)
    scene.wait(3.9)
    scene.call.drive(True, scene.at)
    scene.call.drive(False, scene.at)
    assert held(scene.wait(3.9)) == []


def test_a_bot_manager_of_the_release_before_takes_no_lease_and_keeps_its_calls() -> None:
    scene = Scene().up()
    scene.call.drive(False, scene.at)
    assert held(scene.wait(60.0)) == []
    assert held(scene.take(scene.call.hold(scene.at - 2.0, scene.at))) == ["wait"]  # but events tell


def test_that_a_call_was_driven_survives_a_restart_of_the_controller() -> None:
    scene = Scene().up()
    scene.call.drive(True, scene.at)
    scene.call = restore(CALL, snapshot_of(scene.call), RULES, scene.at)
    scene.call.drive(False, scene.at)
    assert held(scene.wait(17.1)) == ["nobody_drives"]


def test_a_call_of_the_release_before_is_read() -> None:
    """Its id was that of its channel; playbacks were kept in another form, commands known by their times."""
    old = {
        "version": 1, "state": "up", "since": 99.0, "arrived_at": 90.0, "flow": "fr/heating", "admitted": True,
        "announced": True, "commanded": True, "continuing": False, "farewell": None, "extension": "",
        "reason": "caller_hung_up", "left_at": 0.0, "handled_until": [98.5, 2],
        "stream": {"state": "running", "since": 91.0, "source": ["10.0.0.1", 21000]},
        "recorder": {"state": "running", "since": 91.0, "recorded": True}, "speaking": True, "seen": ["p-1"],
        "queue": [["p-1", 300, False, 5_000, False]],
    }  # fmt: skip
    call = restore("pronto-1.0", json.dumps(old), RULES, 100.0)
    assert (call.channel_id, call.handled) == ("pronto-1.0", "98500-2")
    actions = call.event(PlaybackOver("pronto-1.0", "p-1", "done", 5_900), 100.0)
    told = [action.event for action in actions if isinstance(action, Send)]
    assert told == [PlaybackFinished("pronto-1.0", 100.0, "p-1", "finished", 1_200, (ItemHeard("finished", 1_200),))]


def test_a_leg_that_went_while_nobody_looked_is_made_anew() -> None:
    scene = Scene().up()
    actions = scene.call.recheck(seen("external_media", legs=("external_media",)), restarted=False)
    notes = [action.failed_leg for action in actions if isinstance(action, Note)]
    assert notes == ["bridge", "recording"]


@pytest.mark.parametrize("state", ["hanging_up", "transferring"])
def test_what_was_asked_before_the_restart_is_asked_again(state: str) -> None:
    scene = Scene().up()
    scene.command(HangUp(CALL, 100.0) if state == "hanging_up" else TransferCall(CALL, 100.0, "900"))
    call = restore(CALL, snapshot_of(scene.call), RULES, 200.0)
    names = [item.name for item in call.recheck(seen(), restarted=True) if isinstance(item, Request)]
    assert names[0] == ("hang_up" if state == "hanging_up" else "extension_exists")


def test_a_clean_up_that_was_cut_short_is_done_again() -> None:
    scene = Scene().up()
    scene.event(StasisEnded(CHANNEL))
    call = restore(CALL, snapshot_of(scene.call), RULES, 200.0)
    actions = call.finish(None, 200.0)
    assert actions[0] == Forget("10.0.0.1", 21_000)
    assert [type(action.event) for action in actions if isinstance(action, Send)] == [CallEnded]
    assert call.state == "ended"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"version": 2}', '{"version": 1, "state": "dancing"}', "[" * 99_999]
)
def test_a_snapshot_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadLegs):
        restore(CALL, text, RULES, 200.0)


IDS = [CHANNEL, f"sn-{CALL}", f"em-{CALL}", f"rc-{CALL}"]
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
        st.builds(FileBegan, st.just(CHANNEL), playbacks, st.integers(0, 10_000)),
        st.builds(
            PlaybackOver, st.just(CHANNEL), playbacks, st.sampled_from(["done", "failed"]), st.integers(0, 10_000)
        ),
        st.builds(RecordingOver, st.just(f"rc-{CALL}"), st.booleans(), st.just("")),
        st.builds(Say, st.just(CALL), st.just(1.0), st.just(1), playbacks, st.just("fr"), st.just(items("hello"))),
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
                scene.call = restore(CALL, snapshot_of(scene.call), RULES, scene.at)
                assert snapshot_of(scene.call) == snapshot_of(restore(CALL, snapshot_of(scene.call), RULES, scene.at))
                scene.take(scene.call.recheck(seen(at=scene.at), restarted=True))
            case "recheck":
                legs = data.draw(st.sets(st.sampled_from(["snoop", "external_media", "recording"])))
                scene.take(scene.call.recheck(seen(*legs, legs=tuple(legs), at=scene.at), restarted=False))
            case Say() | TransferCall() | StopPlayback() | HangUp():
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
