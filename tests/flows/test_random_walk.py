"""Any event in any order: the dialogue never fails, never falls silent for good, always ends; snapshots survive."""

import json
import random
from dataclasses import replace
from typing import get_args

import pytest

from dialogue.effects import EffectDone
from dialogue.events import (
    NOTED,
    BackboneAway,
    Begun,
    CallOver,
    CommandRefused,
    DialogueAction,
    DialogueEvent,
    DigitPressed,
    HoldBegan,
    HoldEnded,
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
from dialogue.flow import Flow
from dialogue.meaning import allowed_intents, certain, needs_intent
from dialogue.snapshot import from_json, to_json
from dialogue.voice import Dialogue, handle
from dialogue.voice.holding import MOST_HELD_MS
from dialogue.voice.state import Phase
from dialogue.voice.table import TABLE
from protocol.messages import CallConcluded, HangUp, Say, TransferCall

EVENTS = 100_000
ENDING = ("human", "bye", "not_in_france", "not_proprio")  # rarer, so that walks go far
SAYINGS = (
    "oui", "non", "euh", "", "soixante-quinze mille onze", "75011", "sept cinq", "au gaz", "demain à dix heures",
    "pourquoi", "non douze", "je ne sais pas", "x" * 90, "je suis propriétaire et je me chauffe au fioul, mardi",
    "non c'est le gaz", "le code postal", "je corrige : 75012", "75011, mardi à dix heures",
)  # fmt: skip


@pytest.mark.parametrize("name", ["fr/heating", "fr/heating_form"])
def test_random_walks(name: str, shipped: dict[str, Flow]) -> None:
    heating = shipped[name]
    chance = random.Random(20260601)
    intents = (*heating.everywhere, *heating.faqs, "ok_eligibility", "ok_proprio", "ok_callback", "no_callback")
    intents += ("zipcode_why", "slot_call_back", "yes", "no", "unheard_of", "not_proprio")
    intents = tuple(intent for intent in intents if intent not in ENDING) * 4 + ENDING
    events = calls = 0
    outcomes: set[str] = set()
    most_turns = 0
    while events < (EVENTS if name == "fr/heating" else EVENTS // 2):
        calls += 1
        dialogue, seen, at, timer = Dialogue(), 0, 1_780_300_800.0, None
        dialogue, actions = handle(heating, dialogue, Begun(f"c{calls}", at))
        timer = latest(actions) or timer
        ending = 0
        while not dialogue.over and ending < 12:
            seen += 1
            ending += bool(dialogue.conversation.ending)
            at += chance.random() * 3
            event = any_event(chance, dialogue, at, intents, timer)
            if isinstance(event, Understood) and chance.random() < 0.1:
                certain(heating, dialogue.conversation, event)
                needs_intent(heating, dialogue.asked_by(event.utterance), event.text, at)
                assert set(allowed_intents(heating, dialogue.conversation)) & {"repeat"} or dialogue.conversation.ending
            if chance.random() < 0.02:
                dialogue = of_a_release_that_had_less(dialogue)
            before = dialogue
            dialogue, actions = handle(heating, dialogue, event)
            timer = latest(actions) or timer
            check_step(before, dialogue, actions, timer)
        most_turns = max(most_turns, dialogue.turn)
        events += seen
        dialogue = end_by_timers(heating, dialogue, at, timer)
        assert dialogue.over
        assert dialogue.conversation.concluded
        outcomes.add(dialogue.conversation.outcome)
        assert from_json(to_json(dialogue)) == dialogue
    assert calls > 500
    assert len(outcomes) >= 10
    assert most_turns <= heating.max_turns + 3  # the question, its good-bye, a transfer that fails


def of_a_release_that_had_less(dialogue: Dialogue) -> Dialogue:
    """The dialogue from a snapshot that lacks every field which still has the default of its class."""
    body = json.loads(to_json(dialogue))
    stored = body["dialogue"]
    for value, values in ((dialogue.conversation, stored["conversation"]), (dialogue, stored)):
        fresh = type(value)()
        for name in [name for name in values if getattr(value, name) == getattr(fresh, name)]:
            del values[name]
    return from_json(json.dumps(body))


def check_step(before: Dialogue, after: Dialogue, actions: list[DialogueAction], timer: StartTimer | None) -> None:
    """After every event something is under way, and whatever went on said so."""
    assert all(action.what in NOTED for action in actions if isinstance(action, Noted))
    if after.over:
        return
    assert timer is not None
    assert (timer.serial, timer.name) == (after.serial, after.timer)
    assert 0 < timer.after_ms <= (MOST_HELD_MS if after.phase == "held" else 120_000)
    if after.phase in ("speaking", "filling", "parting"):
        assert after.playback is not None
    if after.turn > before.turn:
        said = any(isinstance(action, Say) and action.items for action in actions)
        assert said or any(isinstance(action, HangUp | TransferCall) for action in actions)
    plays = [action for action in actions if isinstance(action, Say)]
    assert all(play.items and play.offset_ms >= 0 for play in plays)
    assert len({play.playback_id for play in plays}) == len(plays)
    concluded = [action for action in actions if isinstance(action, CallConcluded)]
    assert not (before.conversation.concluded and concluded)


def end_by_timers(flow: Flow, dialogue: Dialogue, at: float, timer: StartTimer | None) -> Dialogue:
    """With nobody there any more, the timers alone bring the call to its end."""
    for _ in range(60):
        if dialogue.over:
            break
        assert timer is not None
        at += timer.after_ms / 1_000
        dialogue, actions = handle(flow, dialogue, TimerExpired(at, timer.name, timer.serial))
        timer = latest(actions) or timer
    return dialogue


def latest(actions: list[DialogueAction]) -> StartTimer | None:
    timers = [action for action in actions if isinstance(action, StartTimer)]
    return timers[-1] if timers else None


def any_event(
    chance: random.Random, d: Dialogue, at: float, intents: tuple[str, ...], timer: StartTimer | None
) -> DialogueEvent:
    """Mostly what could happen now, often what could not."""
    turn = d.turn - chance.choice((0, 0, 0, 1))
    utterance = d.utterance + chance.choice((0, 1, 1, 1, 2, -1))
    playback_id = (
        d.playback.playback_id
        if d.playback and chance.random() < 0.9
        else f"p-{d.conversation.call_id}-{chance.randint(0, 9)}"
    )
    text, intent, score = chance.choice(SAYINGS), chance.choice(intents), chance.random()
    faq, fallback, final = intent.startswith("faq"), chance.random() < 0.3, chance.random() < 0.6
    match chance.choices(range(18), weights=(40, 6, 9, 16, 16, 12, 3, 3, 4, 0.6, 0.6, 1, 0.2, 0.05, 9, 0.1, 0.5, 1))[0]:
        case 0:
            sure = chance.random()
            aside = final and chance.random() < 0.1
            return Understood(at, turn, utterance, text, sure, intent, score, faq, fallback, final, aside=aside)
        case 1:
            return DigitPressed(at, chance.choice("0123456789*#"))
        case 2:
            return SpeechBegan(at, turn, utterance)
        case 3:
            return PlaybackBegan(at, playback_id)
        case 4:
            ended = chance.choice(("finished", "finished", "stopped", "failed"))
            return PlaybackEnded(at, playback_id, ended, chance.randint(0, 5_000))  # type: ignore[arg-type]
        case 5:
            return Recognised(at, turn, utterance, text, chance.random(), final, aside=final and chance.random() < 0.1)
        case 6:
            return NothingHeard(at, turn, utterance, "no speech")
        case 7:
            return TimerExpired(at, chance.choice(("no_input", "speech", "nothing")), d.serial - 1)
        case 8 if timer is not None:
            return TimerExpired(at, timer.name, timer.serial)
        case 9:
            return RecognitionTrouble(at, turn, utterance, "timeout")
        case 10:
            return IntentTrouble(at, turn, utterance, text, "api_request_error")
        case 11:
            return Resumed(at)
        case 12:
            return CommandRefused(at, chance.choice(("TransferCall", "Say", "HangUp", "Listen")), "no")
        case 13:
            return BackboneAway(at)
        case 14 if d.asking:
            result = {"intent": intent, "score": score, "faq_set": faq, "fallback": fallback}
            return EffectDone(at, d.asking, result) if chance.random() < 0.8 else EffectDone(at, d.asking, error="x")
        case 15:
            return CallOver(at, chance.choice(("caller_hung_up", "lost")))
        case 16:
            return HoldBegan(at)
        case 17:
            return HoldEnded(at)
    return Begun("again", at)


def test_the_table_knows_every_event_in_every_phase() -> None:
    events = set(get_args(DialogueEvent))
    assert not {(phase, event) for phase, row in TABLE.items() for event in events - set(row)}
    assert set(TABLE) == set(get_args(Phase))


def test_what_the_table_does_not_know_ends_in_a_hand_over(heating: Flow) -> None:
    """A phase of a newer release: whatever happens, the caller hears the way out and is handed over."""
    dialogue, _ = handle(heating, Dialogue(), Begun("c1", 1_780_300_800.0))
    strange = replace(dialogue, phase="dreaming")
    after, actions = handle(heating, from_json(to_json(strange)), Resumed(1_780_300_801.0))
    assert after.phase == "parting"
    assert after.conversation.ending.startswith("transfer")
    assert any(isinstance(action, Say) for action in actions)
    assert [action.what for action in actions if isinstance(action, Noted)] == ["handed_over"]


@pytest.mark.parametrize("phase", ["new", "over"])
def test_events_of_a_call_that_is_not_are_ignored(heating: Flow, phase: str) -> None:
    dialogue = Dialogue(phase=phase)
    assert handle(heating, dialogue, DigitPressed(1.0, "1")) == (dialogue, [])
