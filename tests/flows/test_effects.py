"""What the dialogue asks of the world: one question at a time, once for the same words, again after a restart."""

from dialogue.effects import DropEffect, Effect, EffectDone
from dialogue.events import CallOver, DialogueAction, DialogueEvent, Noted, Recognised, Resumed
from dialogue.flow import Flow
from dialogue.rehearsal import Rehearsal, Resolver
from dialogue.snapshot import from_json, to_json
from dialogue.voice import handle

AT = 1_780_300_900.0
WORDS = "je ne sais pas trop ce que vous voulez"
RESULT = {"intent": "ok_eligibility", "score": 0.95, "faq_set": False, "fallback": False}


class Call:
    """A caller who has heard the first question; every step goes through a snapshot."""

    def __init__(self, flow: Flow, resolve: Resolver) -> None:
        rehearsal = Rehearsal(flow, resolve)
        rehearsal.listen()
        self.flow, self.dialogue = flow, rehearsal.dialogue

    def feed(self, event: DialogueEvent) -> list[DialogueAction]:
        self.dialogue, actions = handle(self.flow, from_json(to_json(self.dialogue)), event)
        return actions

    def hears(
        self, text: str = WORDS, utterance: int = 1, final: bool = True, aside: bool = False
    ) -> list[DialogueAction]:
        return self.feed(Recognised(AT, 1, utterance, text, 0.9, final, aside=aside))


def effects(actions: list[DialogueAction]) -> list[Effect]:
    return [action for action in actions if isinstance(action, Effect)]


def test_words_that_do_not_answer_by_themselves_are_asked_about(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (asked,) = effects(call.hears())
    assert (asked.kind, asked.arguments["sentence"], asked.arguments["language"]) == ("intent", WORDS, "fr")
    assert {"ok_eligibility", "repeat"} <= set(asked.arguments["allowed"])
    assert call.dialogue.phase == "thinking"
    call.feed(EffectDone(AT + 1, asked.id, RESULT))
    assert call.dialogue.state == "ask_zip_code"
    assert not call.dialogue.conversation.effects


def test_the_transcript_takes_the_answer_to_its_guess(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (asked,) = effects(call.hears(final=False))
    call.feed(EffectDone(AT + 1, asked.id, {**RESULT, "score": 0.5}))
    assert call.dialogue.state == "init"  # not sure enough for a guess
    assert not effects(call.hears())
    assert call.dialogue.state == "ask_zip_code"


def test_a_transcript_like_the_guess_under_way_waits_for_its_answer(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (asked,) = effects(call.hears(final=False))
    assert not effects(call.hears())
    call.feed(EffectDone(AT + 1, asked.id, {**RESULT, "score": 0.5}))
    assert call.dialogue.state == "ask_zip_code"


def test_newer_words_end_the_question_about_the_older(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (first,) = effects(call.hears(final=False))
    actions = call.hears("mais non ce n'est pas du tout ce que je voulais dire")
    (second,) = effects(actions)
    assert DropEffect(first.id) in actions
    assert second.id != first.id
    late = call.feed(EffectDone(AT + 1, first.id, RESULT))
    assert [note.what for note in late if isinstance(note, Noted)] == ["stale"]
    assert call.dialogue.state == "init"


def test_after_a_restart_it_is_asked_for_again_with_the_same_id(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (asked,) = effects(call.hears())
    assert effects(call.feed(Resumed(AT + 2))) == [asked]
    call.feed(EffectDone(AT + 3, asked.id, RESULT))
    assert call.dialogue.state == "ask_zip_code"


def test_an_error_is_trouble_only_when_the_whole_utterance_is_there(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (guess,) = effects(call.hears(final=False))
    assert not call.feed(EffectDone(AT + 1, guess.id, error="api_request_error"))
    (whole,) = effects(call.hears())
    noted = call.feed(EffectDone(AT + 2, whole.id, error="api_request_error"))
    assert Noted(AT + 2, 1, "intent_trouble", "api_request_error") in noted


def test_without_an_answer_doubtful_words_over_a_prompt_mean_nothing(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (asked,) = effects(call.hears("le temps est gris aujourd'hui sur la ville", aside=True))
    assert call.dialogue.phase == "waiting"  # nobody waits for it
    assert call.feed(EffectDone(AT + 1, asked.id, error="x")) == [Noted(AT + 1, 1, "aside_ignored", "no_match")]


def test_the_end_of_the_call_ends_what_is_under_way(heating: Flow, resolve: Resolver) -> None:
    call = Call(heating, resolve)
    (asked,) = effects(call.hears())
    assert DropEffect(asked.id) in call.feed(CallOver(AT + 1, "caller_hung_up"))
    assert (call.dialogue.over, call.dialogue.conversation.effects) == (True, {})

    assert call.feed(EffectDone(AT + 2, asked.id, RESULT)) == []
