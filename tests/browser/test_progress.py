"""What a page is told of its call: values in, frames out."""

from __future__ import annotations

from browser_audio.progress import CallProgress
from protocol.messages import (
    Listen,
    PlaybackFinished,
    PlaybackStarted,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)

CALL = "c1"


def guessed(turn: int, text: str) -> UtteranceGuessed:
    return UtteranceGuessed(CALL, 1.0, turn, 1, text, 0.9, 0.1, 9.5, 0.6)


def transcribed(turn: int, text: str, aside: bool = False) -> UtteranceTranscribed:
    return UtteranceTranscribed(CALL, 1.0, turn, 1, text, 0.9, 0.1, 9.5, 0.6, 0.6, 500, aside=aside)


def taken(turn: int, text: str) -> TurnTaken:
    return TurnTaken(CALL, 1.0, turn, "a", "b", text, "yes", 1.0, "early")


def test_the_states_of_a_call_follow_each_other_and_an_answer_has_its_time() -> None:
    progress = CallProgress()
    assert progress.shown() == [("call_state", {"state": "connecting"})]
    assert progress.event(PlaybackStarted(CALL, 1.0, "p1"), True) == [("call_state", {"state": "greeting"})]
    assert progress.listens(Listen(CALL, 1.0, 1, "fr"), True) == []
    assert progress.event(PlaybackFinished(CALL, 1.0, "p1", "finished", 20), False) == [
        ("call_state", {"state": "listening"})
    ]
    assert progress.event(transcribed(1, "oui"), False) == [
        ("heard", {"text": "oui"}),
        ("call_state", {"state": "thinking"}),
    ]
    assert progress.event(PlaybackStarted(CALL, 10.0, "p2"), True) == [
        ("turn", {"answer_ms": 500}),
        ("call_state", {"state": "speaking"}),
    ]


def test_a_guess_that_the_bot_takes_for_the_whole_is_what_was_heard_and_told_once() -> None:
    progress = CallProgress(turn=1)
    assert ("guess", {"text": "oui"}) in progress.event(guessed(1, "oui"), False)
    assert progress.event(taken(1, "oui"), False) == [("heard", {"text": "oui"})]
    assert progress.event(transcribed(1, "oui"), True) == []
    assert ("heard", {"text": "non"}) in progress.event(transcribed(2, "non"), False)


def test_an_aside_is_shown_and_answers_nothing() -> None:
    progress = CallProgress("speaking", turn=1)
    progress.shown()
    assert progress.event(transcribed(1, "mmh", aside=True), True) == [("heard", {"text": "mmh"})]


def test_a_question_that_follows_no_words_is_listened_for() -> None:
    progress = CallProgress(turn=1)
    progress.event(transcribed(1, "oui"), False)
    assert progress.listens(Listen(CALL, 1.0, 2, "fr"), False) == [("call_state", {"state": "listening"})]
