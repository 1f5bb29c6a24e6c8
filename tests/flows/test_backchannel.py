"""A yes that was said before the question answers nothing: by when it was said, and what of the question was heard."""

import pytest

from dialogue.events import Begun, Noted, PlaybackBegan, PlaybackEnded, Recognised, SpeechBegan
from dialogue.flow import Flow
from dialogue.voice import Dialogue, handle
from protocol.items import ItemHeard
from protocol.messages import Say, TurnTaken

AT = 1_000.0


def asked(heating: Flow) -> Dialogue:
    """The welcome and the question are being said."""
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    return handle(heating, dialogue, PlaybackBegan(AT, "p-c1-1"))[0]


@pytest.mark.parametrize(("question_ms", "answers"), [(-1_000, False), (300, False), (700, True)])
def test_a_soft_yes_counts_by_when_it_was_said(heating: Flow, question_ms: int, answers: bool) -> None:
    began_at = AT + (heating.prompt_ms["welcome"] + question_ms) / 1_000
    said = Recognised(began_at + 1.5, 1, 1, "oui", 0.95, aside=True, speech_started_at=began_at)
    _, actions = handle(heating, asked(heating), said)
    assert bool([action for action in actions if isinstance(action, TurnTaken)]) == answers
    noted = [action for action in actions if isinstance(action, Noted) and action.what == "aside_ignored"]
    assert [note.detail for note in noted] == ([] if answers else ["backchannel"])


HEARD = [
    ((ItemHeard("stopped", 900), ItemHeard("skipped")), False),
    ((ItemHeard("finished", 3_000), ItemHeard("stopped", 200)), False),
    ((ItemHeard("finished", 3_000), ItemHeard("stopped", 900)), True),
]


@pytest.mark.parametrize(("heard", "answers"), HEARD)
def test_a_yes_that_stops_the_prompt_counts_by_what_was_heard(
    heating: Flow, heard: tuple[ItemHeard, ...], answers: bool
) -> None:
    dialogue, _ = handle(heating, asked(heating), SpeechBegan(AT + 9, 1, 1))
    played_ms = sum(item.heard_ms for item in heard)
    dialogue, _ = handle(heating, dialogue, PlaybackEnded(AT + 9, "p-c1-1", "stopped", played_ms, heard))
    after, actions = handle(heating, dialogue, Recognised(AT + 10, 1, 1, "oui", 0.95))
    assert bool([action for action in actions if isinstance(action, TurnTaken)]) == answers
    assert len([action for action in actions if isinstance(action, Say)]) == 1, "the next question, or the rest of this"
    assert (after.state == "ask_zip_code") == answers


def test_a_guess_of_such_a_yes_is_not_taken_early(heating: Flow) -> None:
    dialogue, _ = handle(heating, asked(heating), SpeechBegan(AT + 1, 1, 1))
    after, actions = handle(heating, dialogue, Recognised(AT + 2, 1, 1, "oui", 0.95, final=False, revision=1))
    assert after.state == "init"
    assert not [action for action in actions if isinstance(action, TurnTaken | Say)]


@pytest.mark.parametrize("text", ["oui ça m'intéresse beaucoup", "je veux parler à quelqu'un"])
def test_who_says_more_than_yes_may_interrupt(heating: Flow, text: str) -> None:
    dialogue, _ = handle(heating, asked(heating), SpeechBegan(AT + 1, 1, 1))
    _, actions = handle(heating, dialogue, Recognised(AT + 2, 1, 1, text, 0.95))
    assert not [action for action in actions if isinstance(action, Noted) and action.what == "backchannel"]
