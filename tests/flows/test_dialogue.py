"""The dialogue, event by event: what it says, listens for, waits for, and what it makes of late and double events."""

from dataclasses import replace

import pytest
from msgspec import structs

from dialogue.events import (
    AudioGone,
    BackboneAway,
    Begun,
    CallOver,
    CommandRefused,
    IntentTrouble,
    Noted,
    NothingHeard,
    PlaybackBegan,
    PlaybackEnded,
    Recognised,
    RecognitionTrouble,
    Resumed,
    SpeechBegan,
    StartTimer,
    TimerExpired,
    Understood,
)
from dialogue.flow import Escalation, Flow, Listening, Step
from dialogue.meaning import allowed_intents, awaited, awaited_choices, certain, needs_intent, patience_ms
from dialogue.rehearsal import Decision, Rehearsal, Resolver
from dialogue.voice import Dialogue, handle
from protocol.items import ItemHeard, PromptItem, label, prompts
from protocol.messages import CallConcluded, EndUtterance, HangUp, Listen, Say, StopPlayback, TransferCall

AT = 1_780_300_800.0


def call_in(heating: Flow, resolve: Resolver, state: str) -> Rehearsal:
    """A call whose caller has just heard the question of a state."""
    conversation = Rehearsal(heating, resolve)
    for line in ("oui", "soixante-quinze mille onze", "oui", "oui", "au gaz", "oui"):
        if conversation.dialogue.state == state:
            break
        conversation.says(line)
    assert conversation.dialogue.state == state
    conversation.listen()
    return conversation


def said(text: str, dialogue: Dialogue, intent: str = "", score: float = 0.0, recognised: float = 0.9) -> Understood:
    """A guess of the next utterance."""
    return Understood(AT, dialogue.turn, dialogue.utterance + 1, text, recognised, intent, score, final=False)


def heard(conversation: Rehearsal, text: str, intent: str, recognised: float) -> list[str]:
    """Takes a whole utterance; the prompts that answer it."""
    event = replace(said(text, conversation.dialogue, intent, 0.99, recognised), final=True)
    conversation.dialogue, actions = handle(conversation.flow, conversation.dialogue, event)
    return [name for action in actions if isinstance(action, Say) for item in action.items for name in [label(item)]]


# --- the beginning ---


def test_a_call_begins_with_listening_and_the_first_prompts(heating: Flow) -> None:
    dialogue, actions = handle(heating, Dialogue(), Begun("c1", AT, "+331"))
    assert actions == [
        Listen(
            "c1",
            AT,
            1,
            "fr",
            100,
            700,
            15_000,
            barge_in=True,
            barge_in_ms=100,
            commit_silence_ms=160,
            awaited=("yes_no",),
            state="init",
        ),
        Say("c1", AT, 1, "p-c1-1", "fr", prompts("welcome", "ask_eligibility")),
        StartTimer("playback", 1, sum(heating.prompt_ms[name] for name in ("welcome", "ask_eligibility")) + 4_000),
    ]
    assert (dialogue.phase, dialogue.state, dialogue.turn) == ("speaking", "init", 1)
    assert dialogue.conversation.flow_version == heating.version


def test_the_recogniser_is_told_what_can_be_accepted(heating: Flow, resolve: Resolver) -> None:
    call = call_in(heating, resolve, "ask_zip_code")
    told = []
    for line in ("soixante-quinze mille onze", "oui", "oui", "au gaz", "oui", "demain à dix heures", "oui"):
        told.append((call.dialogue.state, awaited(heating, call.dialogue.conversation)))
        call.says(line)
    assert told == [
        ("ask_zip_code", ("zip_code",)),
        ("ask_zip_code", ("yes_no", "zip_code")),  # it was read back: yes, no, or another one
        ("ask_owner_house", ("yes_no",)),
        ("ask_which_heating", ("choice",)),
        ("ask_be_called_back", ("yes_no",)),
        ("ask_slot_call_back", ("yes_no", "date_time")),
        ("ask_slot_call_back", ("yes_no", "date_time")),
    ]
    assert awaited(heating, call.dialogue.conversation) == ()  # the bot says goodbye


def test_the_recogniser_is_told_the_phrases_of_every_choice_where_one_is_asked_for(
    heating: Flow, resolve: Resolver
) -> None:
    call = call_in(heating, resolve, "ask_which_heating")
    choices = awaited_choices(heating, call.dialogue.conversation)
    assert [choice.split("|")[0] for choice in choices][:4] == ["gaz", "fioul", "électricité", "bois"]
    assert "au gaz" in choices[0].split("|")
    before = call_in(heating, resolve, "ask_owner_house").dialogue
    assert awaited_choices(heating, before.conversation) == ()
    _, actions = handle(heating, before, replace(said("oui", before), final=True))
    assert [action.choices for action in actions if isinstance(action, Listen)] == [choices]


def test_a_recording_that_says_the_same_again_and_again_is_nobody(heating: Flow, resolve: Resolver) -> None:
    call = call_in(heating, resolve, "ask_owner_house")
    steps = []
    for number in range(5):
        call.says("veuillez patienter un conseiller va vous répondre" + (" bientôt" if number == 3 else ""))
        call.listen()
        steps.append(dict(call.dialogue.conversation.steps))
    assert steps[:4] == [
        {"no_match": 1},
        {"no_match": 2},
        {"no_match": 2, "no_input": 1},
        {"no_match": 2, "no_input": 2},
    ]
    assert (call.dialogue.conversation.outcome, call.dialogue.conversation.ending) == ("no_input", "hangup")


def test_who_is_not_understood_in_other_words_each_time_has_a_human(heating: Flow, resolve: Resolver) -> None:
    call = call_in(heating, resolve, "ask_owner_house")
    for text in ("bla bli blo blu", "le chat de ma tante tousse", "zim zam zoum zut"):
        call.says(text)
        call.listen()
    assert call.dialogue.conversation.outcome == "not_understood"


def test_beginning_twice_does_no_harm(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    assert handle(heating, dialogue, Begun("c1", AT + 1)) == (dialogue, [])


def test_each_state_listens_in_its_own_way(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    dialogue = conversation.dialogue
    _, actions = handle(heating, dialogue, replace(said("oui", dialogue), final=True))
    listen = next(action for action in actions if isinstance(action, Listen))
    assert (listen.end_silence_ms, listen.hints, listen.turn) == (900, ("code postal",), 2)


def test_nobody_is_listened_to_during_a_good_bye(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    dialogue = conversation.dialogue
    _, actions = handle(heating, dialogue, replace(said("non", dialogue), final=True))
    assert [action.barge_in for action in actions if isinstance(action, Listen)] == [False]


# --- understanding ---


def test_allowed_intents_are_those_of_the_question_and_of_everywhere(heating: Flow, resolve: Resolver) -> None:
    dialogue = call_in(heating, resolve, "ask_owner_house").dialogue
    assert allowed_intents(heating, dialogue.conversation) == tuple(
        sorted({"yes", "no", "ok_proprio", "not_proprio", *heating.everywhere})
    )


def test_after_a_read_back_yes_and_no_are_allowed(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_zip_code")
    assert not {"yes", "no"} & set(allowed_intents(heating, conversation.dialogue.conversation))
    conversation.says("soixante-quinze mille onze")
    assert {"yes", "no", "zipcode_why", "ok_zipcode"} <= set(
        allowed_intents(heating, conversation.dialogue.conversation)
    )


def test_what_hangs_up_is_asked_about_once_when_it_was_not_recognised_well(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    assert heard(conversation, "je suis locataire", "not_proprio", 0.84) == ["not_understood", "ask_owner_house_again"]
    assert conversation.dialogue.conversation.slots.get("owner") is None
    assert heard(conversation, "je suis locataire", "not_proprio", 0.84) == ["goodbye_not_owner"]


@pytest.mark.parametrize(
    ("text", "intent", "recognised", "prompts"),
    [
        ("je suis locataire", "not_proprio", 0.85, ["goodbye_not_owner"]),  # recognised well
        ("non", "no", 0.5, ["not_understood", "ask_owner_house_again"]),  # means not_proprio here
        ("je suis propriétaire", "ok_proprio", 0.5, ["noted", "ask_which_heating"]),  # goes on
        ("un conseiller", "human", 0.5, ["transfer"]),  # ends the call, but with somebody
        ("je suis occupé", "busy", 0.5, ["busy_answer", "ask_owner_house_again"]),  # ends it the second time only
    ],
)
def test_only_what_hangs_up_now_is_doubted(
    heating: Flow, resolve: Resolver, text: str, intent: str, recognised: float, prompts: list[str]
) -> None:
    assert heard(call_in(heating, resolve, "ask_owner_house"), text, intent, recognised) == prompts


def test_the_second_objection_hangs_up_and_is_doubted(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    heard(conversation, "je suis occupé", "busy", 0.5)
    assert heard(conversation, "je suis occupé", "busy", 0.5)[0] == "not_understood"
    assert heard(conversation, "je suis occupé", "busy", 0.5) == ["goodbye_busy"]


def test_a_no_is_doubted_without_the_intent_service_too(heating: Flow, resolve: Resolver) -> None:
    dialogue = call_in(heating, resolve, "ask_owner_house").dialogue
    trouble = IntentTrouble(AT, dialogue.turn, dialogue.utterance + 1, "non", "request_timeout_error", 0.5)
    assert handle(heating, dialogue, trouble)[0].state == "ask_owner_house"
    believed = replace(trouble, recognition_confidence=0.9)
    assert handle(heating, dialogue, believed)[0].conversation.outcome == "not_owner"


def test_without_a_step_to_ask_on_what_hangs_up_is_believed(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    state = heating.states["ask_owner_house"]
    assert state.no_match is not None
    brief = replace(state, no_match=replace(state.no_match, retries=0))
    conversation.flow = replace(heating, states={**heating.states, "ask_owner_house": brief})
    assert heard(conversation, "je suis locataire", "not_proprio", 0.5) == ["goodbye_not_owner"]


def test_an_utterance_that_goes_on_is_about_the_question_before(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    conversation.guessed("oui")
    dialogue = conversation.dialogue
    assert dialogue.state == "ask_zip_code"
    assert "zipcode_why" in allowed_intents(heating, dialogue.conversation)
    assert "ok_eligibility" in allowed_intents(heating, dialogue.asked_by(dialogue.utterance))
    assert needs_intent(heating, dialogue.conversation, "oui", AT)
    assert not needs_intent(heating, dialogue.asked_by(dialogue.utterance), "oui", AT)


@pytest.mark.parametrize(
    ("state", "text", "needed"),
    [
        ("init", "oui bien sûr", False),
        ("init", "oui mais c'est pour quoi exactement votre appel", True),
        ("ask_zip_code", "alors mon code postal c'est le soixante-quinze mille onze", False),
        ("ask_zip_code", "oui", True),
        ("ask_which_heating", "du fioul", False),
        ("ask_which_heating", "est-ce que je peux garder ma chaudière au gaz avec", True),
        ("ask_slot_call_back", "mardi à dix heures", False),
        ("ask_slot_call_back", "je ne sais pas trop", True),
        ("ask_slot_call_back", "euh", False),
    ],
)
def test_what_answers_by_itself_asks_no_service(
    state: str, text: str, needed: bool, heating: Flow, resolve: Resolver
) -> None:
    assert needs_intent(heating, call_in(heating, resolve, state).dialogue.conversation, text, AT) is needed


@pytest.mark.parametrize(
    ("state", "text", "intent", "score", "sure"),
    [
        ("init", "oui", "", 0.0, True),
        ("init", "oui d'accord", "", 0.0, True),
        ("init", "oui mais", "", 0.0, False),
        ("init", "non", "", 0.0, False),  # not_interested may end the call
        ("init", "oui ça m'intéresse", "ok_eligibility", 0.85, True),
        ("init", "oui ça m'intéresse beaucoup vous savez", "ok_eligibility", 0.7, False),
        ("init", "vous pouvez répéter", "repeat", 0.9, True),
        ("init", "passez-moi un conseiller", "human", 0.99, False),
        ("init", "au revoir", "bye", 0.99, False),
        ("ask_zip_code", "soixante-quinze mille onze", "", 0.0, True),
        ("ask_zip_code", "soixante-quinze mille", "", 0.0, False),
        ("ask_zip_code", "soixante-quinze mille cent", "", 0.0, False),
        ("ask_zip_code", "sept cinq zéro", "", 0.0, False),
        ("ask_zip_code", "sept cinq zéro un un", "", 0.0, True),
        ("ask_zip_code", "75011", "", 0.0, True),
        ("ask_owner_house", "oui", "", 0.0, True),
        ("ask_owner_house", "euh je suis", "ok_proprio", 0.99, False),  # breaks off
        ("ask_owner_house", "oui euh", "", 0.0, False),
        ("ask_owner_house", "non", "", 0.0, False),  # ends the call
        ("ask_owner_house", "je suis locataire", "not_proprio", 0.99, False),  # ends the call
        ("ask_which_heating", "au gaz", "", 0.0, True),
        ("ask_which_heating", "au gaz et", "", 0.0, False),
        ("ask_be_called_back", "oui", "", 0.0, True),
        ("ask_slot_call_back", "mardi à dix heures", "", 0.0, True),
        ("ask_slot_call_back", "mardi à", "", 0.0, False),
    ],
)
def test_certain(
    state: str, text: str, intent: str, score: float, sure: bool, heating: Flow, resolve: Resolver
) -> None:
    dialogue = call_in(heating, resolve, state).dialogue
    assert certain(heating, dialogue.conversation, said(text, dialogue, intent, score)) is sure


@pytest.mark.parametrize(
    ("state", "text", "intent", "score", "silence_ms"),
    [
        ("ask_owner_house", "je suis locataire", "not_proprio", 0.99, 350),  # ends the call: not at once, but soon
        ("init", "passez-moi un conseiller", "human", 0.95, 350),
        ("init", "combien ça coûte", "faq1", 0.9, 350),
        ("init", "combien ça coûte", "faq1", 0.6, None),
        ("init", "non", "", 0.0, 350),
        ("init", "oui mais", "", 0.0, None),
        ("ask_zip_code", "soixante-quinze mille", "", 0.0, 600),  # 75 000, or something follows
        ("ask_zip_code", "soixante-quinze", "", 0.0, None),
        ("ask_zip_code", "sept cinq", "", 0.0, None),
        ("ask_which_heating", "chez moi on a une vieille chaudière au gaz", "heating_given", 0.7, 350),
        ("ask_slot_call_back", "mardi à", "", 0.0, None),
        ("ask_slot_call_back", "euh", "", 0.0, None),
        ("ask_owner_house", "c'est", "not_proprio", 0.99, None),
    ],
)
def test_a_whole_sentence_needs_less_silence(
    state: str, text: str, intent: str, score: float, silence_ms: int | None, heating: Flow, resolve: Resolver
) -> None:
    dialogue = call_in(heating, resolve, state).dialogue
    event = said(text, dialogue, intent, score)
    assert not certain(heating, dialogue.conversation, event)
    assert patience_ms(heating, dialogue.conversation, event) == silence_ms
    _, actions = handle(heating, dialogue, replace(event, revision=2))
    short = [EndUtterance("c1", event.at, dialogue.turn, event.utterance, 2, silence_ms)] if silence_ms else []
    assert [structs.replace(action, call_id="c1") for action in actions if isinstance(action, EndUtterance)] == short


def test_a_no_to_what_was_read_back_is_given_time_for_the_correction(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_zip_code")
    conversation.says("soixante-quinze mille onze")
    dialogue = conversation.dialogue
    assert dialogue.conversation.confirming
    assert patience_ms(heating, dialogue.conversation, said("non", dialogue, "no", 0.99)) is None
    assert not certain(heating, dialogue.conversation, said("non", dialogue, "no", 0.99))


def test_a_poor_recognition_is_never_certain(heating: Flow, resolve: Resolver) -> None:
    dialogue = call_in(heating, resolve, "init").dialogue
    assert not certain(heating, dialogue.conversation, said("oui", dialogue, recognised=0.39))
    poor = said("je suis locataire", dialogue, "not_proprio", 0.99, recognised=0.39)
    assert patience_ms(heating, dialogue.conversation, poor) is None


def test_the_state_sets_what_is_sure_enough(heating: Flow, resolve: Resolver) -> None:
    strict = replace(heating.states["ask_owner_house"], listening=Listening(commit_confidence=1.01))
    flow = replace(heating, states={**heating.states, "ask_owner_house": strict})
    dialogue = call_in(heating, resolve, "ask_owner_house").dialogue
    event = said("je suis propriétaire de ma maison", dialogue, "ok_proprio", 1.0)
    assert certain(heating, dialogue.conversation, event)
    assert not certain(flow, dialogue.conversation, event)


# --- turns, double and late events ---


def test_an_utterance_that_was_answered_is_not_answered_again(heating: Flow, resolve: Resolver) -> None:
    dialogue = call_in(heating, resolve, "init").dialogue
    event = replace(said("oui", dialogue), final=True)
    after, _ = handle(heating, dialogue, event)
    again, actions = handle(heating, after, event)
    assert again == after
    assert [action.what for action in actions if isinstance(action, Noted)] == ["stale"]


def test_a_receiver_that_counts_from_one_again_is_heard(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    dialogue = conversation.dialogue
    assert dialogue.utterance > 1
    after, _ = handle(heating, dialogue, Understood(AT, dialogue.turn, 1, "oui", 0.9))
    assert after.state == "ask_which_heating"


def test_a_void_timer_does_nothing(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    assert handle(heating, dialogue, TimerExpired(AT, "playback", 0)) == (dialogue, [])
    assert handle(heating, dialogue, TimerExpired(AT, "no_input", 1)) == (dialogue, [])


def test_the_end_of_another_playback_does_nothing(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    assert handle(heating, dialogue, PlaybackEnded(AT, "p-c1-9", "finished", 10)) == (dialogue, [])


def test_after_the_prompt_the_wait_for_an_answer_begins(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    dialogue, actions = handle(heating, dialogue, PlaybackEnded(AT, "p-c1-1", "finished", 9_000))
    assert (dialogue.phase, actions) == ("waiting", [StartTimer("no_input", 2, 5_000)])


def test_a_playback_that_is_never_reported_is_given_up(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    dialogue, actions = handle(heating, dialogue, TimerExpired(AT + 20, "playback", 1))
    assert dialogue.phase == "waiting"
    assert [action.what for action in actions if isinstance(action, Noted)] == ["playback_lost"]
    assert any(isinstance(action, StopPlayback) for action in actions)


def test_hold_waits_longer(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    conversation.says("attendez")
    conversation.listen()
    assert (conversation.dialogue.timer, conversation.dialogue.timer_ms) == ("no_input", 15_000)


def test_a_escalation_that_leads_to_a_question_begins_anew_there(heating: Flow, resolve: Resolver) -> None:
    escalation = Escalation((("hello",),), 1, Step(goto="ask_zip_code"))
    flow = replace(heating, states={**heating.states, "init": replace(heating.states["init"], no_input=escalation)})
    conversation = Rehearsal(flow, resolve)
    conversation.is_silent()
    assert conversation.spoken == ["hello", "ask_eligibility_again"]
    conversation.is_silent()
    assert conversation.spoken == ["ask_zip_code"]
    conversation.is_silent()
    assert conversation.spoken == ["hello", "ask_zip_code_again"]


# --- barge-in ---


def test_speech_stops_a_prompt_and_a_cough_lets_it_go_on(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    dialogue, _ = handle(heating, dialogue, PlaybackBegan(AT, "p-c1-1"))
    dialogue, actions = handle(heating, dialogue, SpeechBegan(AT + 2.0, 1, 1))
    assert StopPlayback("c1", AT + 2.0) in actions
    assert dialogue.phase == "hearing"
    dialogue, _ = handle(heating, dialogue, PlaybackEnded(AT + 2.0, "p-c1-1", "stopped", 2_000))
    dialogue, actions = handle(heating, dialogue, NothingHeard(AT + 3.0, 1, 1, "no speech"))
    assert Say("c1", AT + 3.0, 1, "p-c1-2", "fr", prompts("welcome", "ask_eligibility"), 1_800) in actions


def test_a_cough_that_stopped_a_prompt_is_not_waited_out(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    dialogue, _ = handle(heating, dialogue, PlaybackBegan(AT, "p-c1-1"))
    interrupted, _ = handle(heating, dialogue, SpeechBegan(AT + 2.0, 1, 1))
    empty = NothingHeard(AT + 3.0, 1, 1, "no speech", final=False, revision=1)
    assert handle(heating, interrupted, empty) == (interrupted, [EndUtterance("c1", AT + 3.0, 1, 1, 1, 160)])
    hum = Understood(AT + 3.0, 1, 1, "hum", 0.9, final=False, revision=1)
    assert handle(heating, interrupted, hum) == (interrupted, [EndUtterance("c1", AT + 3.0, 1, 1, 1, 350)])
    silent, _ = handle(heating, dialogue, PlaybackEnded(AT + 2.0, "p-c1-1", "finished", 2_000))
    hearing, _ = handle(heating, silent, SpeechBegan(AT + 2.5, 1, 1))
    assert handle(heating, hearing, empty) == (hearing, [])  # nothing waits for it: the caller may go on
    assert handle(heating, hearing, hum) == (hearing, [])


def test_after_a_noise_the_caller_is_asked_before_the_silence_feels_odd(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    before = conversation.dialogue
    assert (before.timer, before.timer_ms) == ("no_input", 5_000)
    conversation.coughs()
    after = conversation.dialogue
    assert (after.timer, after.timer_ms) == ("no_input", 1_800)


def test_a_caller_whose_audio_stops_is_asked_whether_he_is_there(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    waiting = conversation.dialogue
    asked, actions = handle(heating, waiting, AudioGone(AT + 3, 3_000))
    assert Noted(AT + 3, waiting.turn, "audio_lost", "3000 ms") in actions
    assert [label(a.items[0]) for a in actions if isinstance(a, Say)] == ["hello"]
    again, actions = handle(heating, asked, AudioGone(AT + 4, 3_000))
    assert again == asked  # they are being spoken to
    assert actions == [Noted(AT + 4, asked.turn, "audio_lost", "3000 ms")]


def test_who_asked_for_time_is_not_hurried_by_a_noise(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    conversation.says("attendez", Decision("hold", 0.95, fallback=False))
    conversation.coughs()
    assert conversation.dialogue.timer_ms == 15_000


def test_a_prompt_that_was_stopped_twice_goes_on_where_it_stopped_last(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    for number, utterance in ((1, 1), (2, 2)):
        dialogue, _ = handle(heating, dialogue, PlaybackBegan(AT, f"p-c1-{number}"))
        dialogue, _ = handle(heating, dialogue, SpeechBegan(AT + 1.5, 1, utterance))
        dialogue, actions = handle(heating, dialogue, NothingHeard(AT + 3.0, 1, utterance, ""))
    play = next(action for action in actions if isinstance(action, Say))
    assert play.offset_ms == 1_500 - 200 + 1_500 - 200


def test_a_prompt_that_was_heard_is_not_said_again(heating: Flow) -> None:
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    dialogue, _ = handle(heating, dialogue, PlaybackBegan(AT, "p-c1-1"))
    welcome_ms = heating.prompt_ms["welcome"]
    dialogue, _ = handle(heating, dialogue, SpeechBegan(AT + (welcome_ms + 1_000) / 1_000, 1, 1))
    dialogue, actions = handle(heating, dialogue, NothingHeard(AT + 9, 1, 1, ""))
    play = next(action for action in actions if isinstance(action, Say))
    assert (play.items, play.offset_ms) == (prompts("ask_eligibility"), 800)


def test_what_was_heard_is_believed_as_reported(heating: Flow) -> None:
    """The clocks of two machines say that the first prompt was over; Asterisk says that it was not."""
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", AT))
    dialogue, _ = handle(heating, dialogue, PlaybackBegan(AT, "p-c1-1"))
    dialogue, _ = handle(heating, dialogue, SpeechBegan(AT + 60, 1, 1))
    heard = (ItemHeard("stopped", 700), ItemHeard("skipped"))
    dialogue, _ = handle(heating, dialogue, PlaybackEnded(AT + 60, "p-c1-1", "stopped", 700, heard))
    dialogue, actions = handle(heating, dialogue, NothingHeard(AT + 62, 1, 1, ""))
    play = next(action for action in actions if isinstance(action, Say))
    assert (play.items, play.offset_ms) == (prompts("welcome", "ask_eligibility"), 500)


def test_where_barge_in_is_off_speech_stops_nothing(heating: Flow) -> None:
    deaf = replace(heating.states["init"], listening=Listening(barge_in=False))
    flow = replace(heating, states={**heating.states, "init": deaf})
    dialogue, actions = handle(flow, Dialogue(), Begun("c1", AT))
    assert [action.barge_in for action in actions if isinstance(action, Listen)] == [False]
    assert handle(flow, dialogue, SpeechBegan(AT, 1, 1)) == (dialogue, [])


def test_speech_that_goes_on_after_an_early_answer_stops_the_next_prompt(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    conversation.guessed("oui")
    actions = conversation.feed(
        SpeechBegan(conversation.at, conversation.dialogue.turn, conversation.dialogue.utterance)
    )
    assert any(isinstance(action, StopPlayback) for action in actions)
    conversation.continues("oui oui allez-y", Decision(fallback=True))
    assert conversation.dialogue.state == "ask_zip_code"
    assert conversation.spoken[-1] == "ask_zip_code"


# --- doubtful speech over a prompt ---


def aside(conversation: Rehearsal, text: str, intent: str = "", **more: float | bool) -> Understood:
    """Words of the next utterance, that stopped nothing."""
    d = conversation.dialogue
    sure = float(more.pop("recognised", 0.9))
    return replace(said(text, d, intent, 0.9, sure), at=conversation.at, final=True, aside=True, **more)  # type: ignore[arg-type]


def test_doubtful_speech_that_is_an_answer_is_taken_and_stops_the_prompt(heating: Flow, resolve: Resolver) -> None:
    conversation = Rehearsal(heating, resolve)
    assert conversation.dialogue.phase == "speaking"
    actions = conversation.feed(aside(conversation, "oui"))
    assert conversation.dialogue.state == "ask_zip_code"
    stops = [type(action) for action in actions if isinstance(action, StopPlayback | Say)]
    assert stops == [StopPlayback, Say]
    assert conversation.turns[-1].committed == "endpoint"
    assert [note.what for note in conversation.noted] == ["aside"]


def test_doubtful_speech_answers_too_when_the_prompt_is_over_meanwhile(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    assert conversation.dialogue.phase == "waiting"
    conversation.feed(aside(conversation, "oui"))
    assert conversation.dialogue.state == "ask_zip_code"


@pytest.mark.parametrize(
    ("text", "recognised", "why"),
    [("le temps est gris", 0.9, "no_match"), ("euh", 0.9, "nothing"), ("oui", 0.2, "unsure")],
)
@pytest.mark.parametrize("hears_out", [False, True])
def test_doubtful_speech_that_means_nothing_has_not_happened(
    text: str, recognised: float, why: str, hears_out: bool, heating: Flow, resolve: Resolver
) -> None:
    conversation = Rehearsal(heating, resolve)
    if hears_out:
        conversation.listen()
    before = conversation.dialogue
    event = aside(conversation, text, fallback=why == "no_match", recognised=recognised)
    assert conversation.feed(event) == [Noted(conversation.at, 1, "aside_ignored", why)]
    assert conversation.dialogue == before


def test_doubtful_speech_that_would_hang_up_has_not_happened(heating: Flow, resolve: Resolver) -> None:
    conversation = Rehearsal(heating, resolve)
    before = conversation.dialogue
    event = aside(conversation, "au revoir", "bye", recognised=0.5)
    assert conversation.feed(event) == [Noted(conversation.at, 1, "aside_ignored", "unsure")]
    assert conversation.dialogue == before
    conversation.feed(replace(event, recognition_confidence=0.9))
    assert conversation.dialogue.conversation.ending


@pytest.mark.parametrize("surer", ["hearing", "thinking", "dead_air", "older turn", "seen twice"])
def test_doubtful_speech_gives_way_to_what_is_surer(surer: str, heating: Flow, resolve: Resolver) -> None:
    conversation = Rehearsal(heating, resolve)
    event = aside(conversation, "oui")
    match surer:
        case "hearing":
            conversation.feed(SpeechBegan(conversation.at, 1, 2))
        case "thinking" | "dead_air":
            conversation.feed(Recognised(conversation.at, 1, 2, "je vous écoute"))
            if surer == "dead_air":
                conversation.expire()
        case "older turn":
            conversation.says("oui")
            event = replace(event, utterance=2)
        case "seen twice":
            conversation.feed(event)
    before = conversation.dialogue
    assert conversation.feed(event) == [Noted(event.at, before.turn, "stale", "aside")]
    assert conversation.dialogue == before


def test_doubtful_speech_that_goes_on_louder_is_measured_as_a_whole(heating: Flow, resolve: Resolver) -> None:
    conversation = Rehearsal(heating, resolve)
    conversation.feed(aside(conversation, "oui"))
    assert (conversation.dialogue.state, conversation.dialogue.turn) == ("ask_zip_code", 2)
    actions = conversation.feed(SpeechBegan(conversation.at, 1, 1))
    assert any(isinstance(action, StopPlayback) for action in actions)
    whole = Understood(conversation.at, 1, 1, "oui mais qui êtes-vous", 0.9, "who_are_you", 0.95)
    conversation.feed(whole)
    assert conversation.dialogue.state == "init"
    assert "false_cut_off" in [note.what for note in conversation.noted]


# --- the dialogue is never silent and always ends ---


def test_slow_understanding_speaks_within_three_seconds(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    dialogue = conversation.dialogue
    dialogue, _ = handle(heating, dialogue, SpeechBegan(AT, dialogue.turn, 1))
    dialogue, actions = handle(heating, dialogue, Recognised(AT, dialogue.turn, 1, "je vous écoute"))
    timer = next(action for action in actions if isinstance(action, StartTimer))
    assert timer.after_ms <= 3_000
    dialogue, actions = handle(heating, dialogue, TimerExpired(AT + 2.5, "dead_air", timer.serial))
    assert [action.items for action in actions if isinstance(action, Say)] == [prompts("one_moment")]
    dialogue, _ = handle(heating, dialogue, Understood(AT + 4, dialogue.turn, 1, "oui", 0.9))
    assert dialogue.state == "ask_zip_code"


def test_a_transcript_that_never_comes_is_trouble(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "init")
    conversation.feed(SpeechBegan(conversation.at, 1, 1))
    conversation.expire()
    assert "trouble_again" in conversation.spoken


def test_the_backbone_away_is_an_apology_and_a_transfer(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    conversation.feed(BackboneAway(conversation.at))
    assert "apology" in conversation.spoken
    conversation.listen(to_the_end=False)
    assert isinstance(conversation.ended_by, TransferCall)


def test_a_hang_up_that_is_not_reported_is_asked_for_again_and_given_up(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    conversation.says("non")
    conversation.listen(to_the_end=False)
    hang_ups = 0
    for _ in range(10):
        if conversation.over:
            break
        conversation.ended_by = None
        conversation.expire()
        hang_ups += isinstance(conversation.ended_by, HangUp)
    assert conversation.over
    assert hang_ups == 3


def test_a_prompt_that_asterisk_refuses_is_skipped(heating: Flow, resolve: Resolver) -> None:
    conversation = Rehearsal(heating, resolve)
    conversation.feed(CommandRefused(conversation.at, "Say", "no such file"))
    assert conversation.dialogue.phase == "waiting"


def test_the_outcome_is_told_once(heating: Flow, resolve: Resolver) -> None:
    conversation = call_in(heating, resolve, "ask_owner_house")
    conversation.says("non")
    conversation.listen(to_the_end=False)
    assert conversation.concluded == CallConcluded(
        "score", conversation.at, "not_owner", ("zip_code=75011", "owner=no")
    )
    actions = conversation.feed(CallOver(conversation.at, "bot_hung_up"))
    assert actions == []
    assert conversation.feed(CallOver(conversation.at, "bot_hung_up")) == []


# --- restarts ---


def test_a_restarted_bot_starts_the_pending_timer_anew(heating: Flow, resolve: Resolver) -> None:
    dialogue = call_in(heating, resolve, "init").dialogue
    after, actions = handle(heating, dialogue, Resumed(AT))
    assert actions == [StartTimer("no_input", dialogue.serial + 1, 5_000)]
    assert after.phase == "waiting"


def test_a_call_in_a_state_that_the_flow_no_longer_has_is_handed_off(heating: Flow, resolve: Resolver) -> None:
    dialogue = call_in(heating, resolve, "init").dialogue
    dialogue = replace(dialogue, conversation=replace(dialogue.conversation, state="removed"))
    after, actions = handle(heating, dialogue, Resumed(AT))
    assert after.conversation.ending == "transfer 900"
    assert [action.items for action in actions if isinstance(action, Say)] == [prompts("apology")]


def test_an_answer_lost_with_a_killed_receiver_is_asked_for_again_and_is_no_trouble(
    heating: Flow, resolve: Resolver
) -> None:
    call = call_in(heating, resolve, "ask_owner_house")
    for utterance in range(3):  # more often than the escalation of troubles has steps
        d = call.dialogue
        call.feed(RecognitionTrouble(call.at, d.turn, d.utterance + 1, "restart"))
        assert (call.dialogue.state, call.dialogue.turn) == ("ask_owner_house", d.turn + 1), utterance
        assert call.dialogue.playback is not None
        assert call.dialogue.playback.items[0] == PromptItem("trouble_again")
        call.listen()
    call.says("oui")
    assert call.dialogue.state == "ask_which_heating"
