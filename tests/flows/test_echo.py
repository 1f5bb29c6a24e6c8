"""The bot's own words come back from a loudspeaker telephone: they answer nothing, and what callers say does."""

from dataclasses import replace

import pytest

from dialogue.events import Begun, PlaybackBegan, PlaybackEnded, Recognised, SpeechBegan
from dialogue.flow import Flow
from dialogue.voice import Dialogue, handle
from dialogue.voice.echo import is_echo
from protocol.messages import Say, StopPlayback, TurnTaken

AT = 1_000.0
SAID = ("Très bien.", "Vous chauffez-vous au gaz, au fioul, à l'électricité ou avec une pompe à chaleur ?")


@pytest.mark.parametrize("text", ["Très bien.", "vous chauffez-vous au gaz", "à l'électricité ou avec une", "au fioul"])
def test_what_is_being_said_is_an_echo(text: str) -> None:
    assert is_echo(text, SAID, speaking=True)


def test_a_long_piece_is_one_although_the_recogniser_misheard_a_word() -> None:
    assert is_echo("vous chauffez-vous au gaz au foule à l'électricité", SAID, speaking=True, stopped=True)


@pytest.mark.parametrize("text", ["oui", "non", "je me chauffe au gaz", "propriétaire", "", "je ne sais pas du tout"])
def test_other_words_are_the_callers(text: str) -> None:
    assert not is_echo(text, (*SAID, "Répondez par oui ou par non."), speaking=True)


def test_a_choice_is_an_answer_once_it_was_offered() -> None:
    assert not is_echo("au gaz", SAID, speaking=False), "the echo of a prompt that is over is its end"
    assert is_echo("pompe à chaleur", SAID, speaking=False)
    assert not is_echo("au gaz", SAID, speaking=True, stopped=True), "loud enough to stop the prompt: the caller's"
    assert is_echo("très bien", SAID, speaking=True, stopped=True), "a whole prompt of the bot's"


def asked(heating: Flow) -> Dialogue:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    return handle(heating, dialogue, PlaybackBegan(AT, "p-c1-1"))[0]


def test_an_aside_of_the_bots_own_words_answers_nothing(heating: Flow) -> None:
    flow = replace(heating, prompt_texts={**heating.prompt_texts, "welcome": "Oui, d'accord, c'est exact."})
    dialogue = asked(flow)
    echo = Recognised(AT + 2, 1, 1, "oui d'accord", 0.95, aside=True)
    after, actions = handle(flow, dialogue, echo)
    assert not [action for action in actions if isinstance(action, TurnTaken | Say | StopPlayback)]
    assert after.conversation == dialogue.conversation
    _, actions = handle(flow, after, Recognised(AT + 3, 1, 2, "oui", 0.95, aside=True))
    assert [action.text for action in actions if isinstance(action, TurnTaken)] == ["oui"]


def test_a_prompt_that_its_own_echo_stopped_goes_on(heating: Flow) -> None:
    flow = replace(heating, prompt_texts={"welcome": "Bonjour, je suis l'assistant de la rénovation énergétique."})
    dialogue, _ = handle(flow, asked(flow), SpeechBegan(AT + 2, 1, 1))
    dialogue, _ = handle(flow, dialogue, PlaybackEnded(AT + 2, "p-c1-1", "stopped", 2_000))
    after, actions = handle(flow, dialogue, Recognised(AT + 3, 1, 1, "je suis l'assistant de la", 0.9))
    assert [action.offset_ms for action in actions if isinstance(action, Say)] == [1_800]
    assert after.conversation.turn == dialogue.conversation.turn
