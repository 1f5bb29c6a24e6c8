"""What a watcher of the bus knows of a call after each message."""

from callers.call_view import CallView, one_line
from protocol.items import prompts
from protocol.messages import (
    CallConcluded,
    CallEnded,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    Say,
    TurnTaken,
)

PLAY = Say("c", 1.0, 1, "p-c-1", "fr", prompts("welcome", "ask"))
MOVED = TurnTaken("c", 3.0, 1, "init", "ask_zip_code", "oui", "yes", 0.98, "early", ("zip_code=75011",))


def view_of(*messages: Message) -> CallView:
    view = CallView("c")
    for message in messages:
        view.see(message)
    return view


def test_the_bot_is_silent_only_when_nothing_plays_and_nothing_is_on_its_way() -> None:
    started, finished = PlaybackStarted("c", 1.1, "p-c-1"), PlaybackFinished("c", 2.0, "p-c-1", "finished", 900)
    assert view_of().bot_silent
    assert not view_of(PLAY).bot_silent
    assert not view_of(PLAY, started).bot_silent
    assert view_of(PLAY, started, finished).bot_silent
    assert view_of(PLAY, PlaybackFinished("c", 2.0, "p-c-1", "failed", 0)).bot_silent
    assert view_of(PLAY, started, CallEnded("c", 2.0, "caller_hung_up")).bot_silent


def test_prompts_count_from_when_they_begin() -> None:
    view = view_of(PLAY)
    assert view.prompts_since(0) == []
    view.see(PlaybackStarted("c", 1.1, "p-c-1"))
    assert view.prompts_since(0) == ["welcome", "ask"]
    assert view.prompts_since(1) == []


def test_turns_move_the_state_and_the_end_brings_lead_and_recording() -> None:
    view = view_of(
        MOVED,
        CallConcluded("c", 8.0, "qualified", ("zip_code=75011", "owner=yes")),
        CallEnded("c", 9.0, "bot_hung_up", "/r/c.wav"),
    )
    assert (view.state, view.slots) == ("ask_zip_code", {"zip_code": "75011"})
    assert (view.outcome, view.lead) == ("qualified", {"zip_code": "75011", "owner": "yes"})
    assert (view.ended, view.end_reason, view.recording) == (True, "bot_hung_up", "/r/c.wav")


def test_lines_for_people() -> None:
    assert one_line(MOVED) == "  understood    yes (0.98, early)  init -> ask_zip_code  [zip_code=75011]"
    assert one_line(PlaybackStarted("c", 1.1, "p-c-1")) == ""
