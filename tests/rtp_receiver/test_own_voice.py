"""Whose speech it is, by its level: probabilities and levels in, decisions out."""

from collections.abc import Sequence

import numpy as np
import pytest

from rtp_receiver.decisions import Aside, Began, End, EndpointDecision, Faint, SpeechIgnored
from rtp_receiver.endpoint_rules import EndpointRules
from rtp_receiver.endpointing import Endpointer
from rtp_receiver.speech_run import BACKGROUND_DB, FORGET_OWN_DB, OwnVoice, level_dbfs

RULES = EndpointRules(eager_silence_ms=96, end_silence_ms=256, barge_in=True, barge_in_ms=100)


def play(endpointer: Endpointer, *pieces: tuple[float, float, int]) -> list[EndpointDecision]:
    """Pieces of (probability, level in dBFS, chunks), each with 12 chunks of silence behind it."""
    found: list[EndpointDecision] = []
    for probability, level, count in pieces:
        for p, db in [(probability, level)] * count + [(0.0, -90.0)] * 12:
            found += endpointer.step(p, db)
    return found


def kinds(decisions: Sequence[EndpointDecision]) -> list[str]:
    return [type(decision).__name__ for decision in decisions if isinstance(decision, Began | End | Aside | Faint)] + [
        decision.cause for decision in decisions if isinstance(decision, SpeechIgnored)
    ]


def spoken_with() -> Endpointer:
    """A caller who was heard twice, at -20 dBFS."""
    endpointer = Endpointer(RULES)
    for turn in (1, 2):
        endpointer.listen(turn, RULES)
        assert kinds(play(endpointer, (0.9, -20.0, 10))) == ["Began", "End"]
    endpointer.listen(3, RULES)
    return endpointer


@pytest.mark.parametrize("probability", [0.9, 0.3])
def test_a_television_is_not_the_caller(probability: float) -> None:
    endpointer = spoken_with()
    assert kinds(play(endpointer, (probability, -36.0, 10), (probability, -40.0, 20))) == ["background", "background"]
    assert kinds(play(endpointer, (0.9, -24.0, 10))) == ["Began", "End"]


def test_who_speaks_over_a_television_is_heard_without_it() -> None:
    endpointer = spoken_with()
    for _ in range(60):
        assert endpointer.step(0.9, -38.0) == ()
    decisions = play(endpointer, (0.9, -21.0, 10))
    end = next(decision for decision in decisions if isinstance(decision, End))
    assert end.span.first_voiced == 104, "no chunk of the television is part of the words"
    assert end.span.last_voiced - end.span.first_voiced == 9


def test_before_two_utterances_everybody_is_the_caller() -> None:
    endpointer = Endpointer(RULES)
    endpointer.listen(1, RULES)
    assert kinds(play(endpointer, (0.9, -5.0, 10), (0.9, -45.0, 10))) == ["Began", "End", "Began", "End"]


def test_one_slammed_door_does_not_make_the_caller_soft() -> None:
    voice = OwnVoice()
    for level in (-22.0, -3.0, -24.0):
        voice.heard(level)
    assert not voice.is_background(-24.0 - BACKGROUND_DB)
    assert voice.is_background(-24.1 - BACKGROUND_DB)


def test_a_caller_who_becomes_soft_is_heard_again_after_a_while() -> None:
    endpointer = spoken_with()
    level = -20.0 - BACKGROUND_DB - 2 * FORGET_OWN_DB
    for turn in (4, 5):
        assert kinds(play(endpointer, (0.9, level, 10))) == ["background"]
        endpointer.listen(turn, RULES)
    assert kinds(play(endpointer, (0.9, level, 10))) == ["Began", "End"]


def test_the_echo_of_a_prompt_stops_it_not_and_is_set_aside() -> None:
    endpointer = Endpointer(RULES)
    endpointer.listen(1, RULES)
    endpointer.bot_speaks(True)
    assert kinds(play(endpointer, (0.9, -37.0, 30))) == ["Aside"]
    for _ in range(10):
        endpointer.step(0.9, -37.0)
    endpointer.bot_speaks(False)
    assert kinds(play(endpointer, (0.9, -37.0, 5))) == ["Aside"], "its last word comes after its end"
    assert kinds(play(endpointer, (0.9, -37.0, 5))) == ["Began", "End"], "and this is somebody soft"


def test_a_loud_word_over_the_echo_begins_where_it_is_loud() -> None:
    endpointer = Endpointer(RULES)
    endpointer.listen(1, RULES)
    endpointer.bot_speaks(True)
    for _ in range(40):
        assert endpointer.step(0.9, -37.0) == ()
    decisions = play(endpointer, (0.9, -22.0, 8))
    end = next(decision for decision in decisions if isinstance(decision, End))
    assert (end.span.first_voiced, end.span.first_chunk) == (40, 32)


def test_the_level_of_samples_in_network_order_is_that_of_their_values() -> None:
    tone = np.round(16_384 * np.sqrt(2) * np.sin(np.arange(512) * 2 * np.pi / 32)).astype(">i2")
    assert level_dbfs(tone) == pytest.approx(-6.02, abs=0.02)
    assert level_dbfs(np.zeros(512, ">i2")) == -np.inf
