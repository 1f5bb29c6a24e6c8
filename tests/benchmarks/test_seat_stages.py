"""Our own messages of one turn to the stages of its answer, which add up to what the caller heard."""

import pytest

from benchmarks.seat_stages import STAGES, logged_turn
from protocol.items import prompts
from protocol.messages import Message, PlaybackStarted, Say, TurnTaken, UtteranceGuessed, UtteranceTranscribed

AT = 1_000.0
GUESS = UtteranceGuessed(
    *("c", AT + 0.32, 1, 1, "oui", 0.9, AT - 0.4, AT + 0.1, AT + 0.22),
    paused_at=AT + 0.21,
    transcribed_at=AT + 0.25,
    endpoint_at=AT + 0.31,
)
END = UtteranceTranscribed(
    *("c", AT + 0.62, 1, 1, "oui", 0.9, AT - 0.4, AT + 0.1, AT + 0.60, AT + 0.22, 900),
    paused_at=AT + 0.21,
    transcribed_at=AT + 0.25,
)


def answered(heard: list[Message], at: float, committed: str = "early") -> list[Message]:
    """A turn that is answered at `at`, playback 10 ms later."""
    return [
        *heard,
        TurnTaken("c", at, 1, "init", "ask_zip_code", "oui", "yes", 0.9, committed),
        Say("c", at, 2, "p-2", "fr", prompts("very_well")),
        PlaybackStarted("c", at + 0.01, "p-2"),
    ]


def test_the_stages_of_an_early_answer_add_up_to_what_was_heard() -> None:
    turn = logged_turn(answered([GUESS], AT + 0.33), AT, AT + 0.40, {"very_well": 40.0})
    assert turn is not None
    assert turn.stages_ms == pytest.approx((100, 120, 30, 70, 10, 10, 60))
    assert sum(turn.stages_ms) == pytest.approx(400)
    assert len(turn.stages_ms) == len(STAGES)
    assert turn.own_ms == pytest.approx(10 + (400 - 310) - 40)  # to the post, and from the end of the silence on
    assert turn.logged_ms == pytest.approx(240)
    assert (turn.state, turn.committed) == ("init", "early")


def test_an_answer_after_the_endpoint_waits_for_the_silence_and_not_for_the_recogniser() -> None:
    turn = logged_turn(answered([GUESS, END], AT + 0.63, "endpoint"), AT, AT + 0.70, {})
    assert turn is not None
    assert turn.stages_ms[2:4] == pytest.approx((30, 370))
    assert turn.own_ms == pytest.approx(10 + 100)


def test_what_was_not_said_by_voice_or_not_answered_has_no_stages() -> None:
    assert logged_turn(answered([GUESS], AT + 0.33, "dtmf"), AT, AT + 0.40, {}) is None
    assert logged_turn([GUESS], AT, AT + 0.40, {}) is None
    assert logged_turn(answered([GUESS], AT + 0.33), AT + 50, AT + 51, {}) is None
