"""A notice that must be heard (`barge_in: false`): words, coughs and keys neither stop it nor answer it."""

from dataclasses import replace

import pytest

from dialogue.events import (
    AudioGone,
    Begun,
    DialogueEvent,
    DigitPressed,
    NothingHeard,
    PlaybackBegan,
    PlaybackEnded,
    Recognised,
    SpeechBegan,
    TimerExpired,
    Understood,
)
from dialogue.flow import Flow, Listening
from dialogue.voice import Dialogue, handle
from protocol.messages import HangUp, Say, StopPlayback, TransferCall, TurnTaken

AT = 1_000.0
MEANWHILE: tuple[tuple[DialogueEvent, ...], ...] = (
    (SpeechBegan(AT + 1, 1, 1), Recognised(AT + 2, 1, 1, "allô ? oui bonjour", 0.95)),
    (SpeechBegan(AT + 1, 1, 1), Recognised(AT + 2, 1, 1, "oui", 0.95, final=False, revision=1)),
    (Understood(AT + 2, 1, 1, "je veux parler à quelqu'un", 0.95, "human", 0.95),),
    (Recognised(AT + 2, 1, 1, "oui", 0.95, aside=True),),
    (SpeechBegan(AT + 1, 1, 1), NothingHeard(AT + 2, 1, 1, "no_speech")),
    (SpeechBegan(AT + 1, 1, 1), NothingHeard(AT + 2, 1, 1, "unsure")),
    tuple(DigitPressed(AT + 1, key) for key in "1209#"),
    (AudioGone(AT + 1, 3_000),),
)


@pytest.fixture
def notice(heating: Flow) -> Flow:
    """A flow whose first prompts must be heard."""
    first = replace(heating.states["init"], listening=Listening(barge_in=False))
    return replace(heating, states={**heating.states, "init": first})


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_what_happens_meanwhile_changes_nothing(notice: Flow, meanwhile: tuple[DialogueEvent, ...]) -> None:
    dialogue, _ = handle(notice, Dialogue(), Begun("c1", AT))
    before, _ = handle(notice, dialogue, PlaybackBegan(AT, "p-c1-1"))
    after = before
    for event in meanwhile:
        after, actions = handle(notice, after, event)
        assert not [a for a in actions if isinstance(a, StopPlayback | Say | TurnTaken | HangUp | TransferCall)]
    assert (after.phase, after.playback, after.conversation) == ("speaking", before.playback, before.conversation)
    waiting, _ = handle(notice, after, PlaybackEnded(AT + 8, "p-c1-1", "finished", 8_000))
    assert (waiting.phase, waiting.timer_ms) == ("waiting", notice.states["init"].listening.no_input_ms)
    answered, _ = handle(notice, waiting, Recognised(AT + 9, 1, 2, "oui", 0.95))
    assert answered.state == "ask_zip_code"


def test_it_is_no_silence_either(notice: Flow) -> None:
    dialogue, _ = handle(notice, Dialogue(), Begun("c1", AT))
    dialogue, _ = handle(notice, dialogue, PlaybackBegan(AT, "p-c1-1"))
    same, actions = handle(notice, dialogue, TimerExpired(AT + 5, "no_input", dialogue.serial))
    assert (same, actions) == (dialogue, [])
