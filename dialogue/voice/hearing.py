"""What the caller says, or does not say, made into moves. Pure.

An utterance is known by its number: one that was answered early and went on is measured against the conversation
before it. Words become a meaning at once where they answer by themselves; else the intent service is asked, which is an
effect: at most one is under way, and a transcript that repeats its guess uses the answer to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from dialogue.bands import judged
from dialogue.conversation import Conversation, Volunteered
from dialogue.effects import EffectDone
from dialogue.events import (
    Committed,
    IntentTrouble,
    NothingHeard,
    Recognised,
    RecognitionTrouble,
    SpeechBegan,
    Understood,
)
from dialogue.form_answers import unread
from dialogue.meaning import (
    Meaning,
    allowed_intents,
    certain,
    is_doubtful_end,
    needs_intent,
    patience_ms,
    read_slot,
    understand,
)
from dialogue.over_answering import beyond
from dialogue.voice.acting import action_done
from dialogue.voice.backchannel import is_backchannel
from dialogue.voice.echo import is_echo, said_texts
from dialogue.voice.moves import Moves
from dialogue.voice.state import Dialogue, Early, KnownMeaning
from protocol.items import label
from protocol.messages import NOT_UNDERSTOOD, EndUtterance

MOST_RESUMPTIONS = 3  # after so many coughs a prompt is no longer stopped
MOST_UNHEARD = 3  # so many noises without words are a silence
OfUtterance: TypeAlias = SpeechBegan | Recognised | Understood | NothingHeard | RecognitionTrouble | IntentTrouble
SPEECH_GRACE_MS = 5_000  # after the longest utterance, for the transcript
LONGEST_TALK = 2  # times `max_utterance_ms`: so long the receiver lets the caller talk, and takes the end of it
FAILS_AT_ONCE = "request_timeout_error"


# --- words ------------------------------------------------------------------------------------------------------------


def recognised(moves: Moves, event: Recognised) -> None:
    """Words of an utterance, so far or in all."""
    d = moves.dialogue
    if event.aside and not takes_aside(d, event.turn, event.utterance):
        moves.note("stale", "aside")
        return
    if _must_be_heard_out(moves, event):
        moves.note("stale", "Recognised")
        return
    if not event.text.strip():
        drop_question(moves)
        heard_nothing = NothingHeard(event.at, event.turn, event.utterance, event.reason, event.final, event.revision)
        nothing_heard(moves, heard_nothing)
        return
    if _is_own_echo(moves, event):
        drop_question(moves)
        moves.note("aside_ignored" if event.aside else "nothing_heard", "echo")
        if not event.aside:
            nothing_heard(moves, NothingHeard(event.at, event.turn, event.utterance, "", event.final, event.revision))
        return
    asked_by = d.asked_by(event.utterance)
    if not needs_intent(moves.flow, asked_by, event.text, event.at):
        drop_question(moves)
        if event.final and not event.aside and _asks_beyond(moves, event, asked_by):
            return
        understood(moves, _understood(event, event.at, {"fallback": False}))
    elif d.known is not None and _same(d.known.asked, event):
        in_form = bool(moves.flow.states[asked_by.state].form) and event.final and not event.aside
        if in_form and _asks_beyond(moves, event, asked_by):
            return
        understood(moves, _understood(event, event.at, d.known.result))
    else:
        _ask(moves, event, asked_by)
        if event.final and not event.aside and is_new(moves.dialogue, event):
            moves.cut_prompt()
            moves.await_("thinking", moves.flow.dead_air_ms)


def _must_be_heard_out(moves: Moves, event: Recognised | Understood) -> bool:
    """Whether something was said into a prompt that nothing may interrupt."""
    d = moves.dialogue
    return d.phase == "speaking" and not moves.state.listening.barge_in and event.turn == d.turn


def _is_own_echo(moves: Moves, event: Recognised) -> bool:
    """Whether what was recognised is what the bot says, come back."""
    d = moves.dialogue
    if d.spoken is None or not (event.aside or d.interrupted is not None):
        return False
    said = said_texts(moves.flow, d.spoken.items)
    return is_echo(event.text, said, d.phase == "speaking", stopped=not event.aside)


def _ask(moves: Moves, event: Recognised, asked_by: Conversation) -> None:
    """Begins to look up what a text means, or goes on looking."""
    if moves.dialogue.asked is not None and _same(moves.dialogue.asked, event):
        moves.change(asked=event)  # the guess was right: its answer counts for the whole
        return
    drop_question(moves)
    talk = moves.talk()
    allowed = list(allowed_intents(moves.flow, asked_by))
    effect_id = talk.effect("intent", sentence=event.text, language=moves.flow.language, allowed=allowed)
    moves.carry_out(talk)
    moves.change(asked=event, asking=effect_id)


def _asks_beyond(moves: Moves, event: Recognised, asked_by: Conversation) -> bool:
    """Begins to look up what an utterance says beyond the number that was asked for; False where it says no more."""
    state = moves.flow.states[asked_by.state]
    if state.form:
        return _look_up(moves, event, unread(moves.flow, asked_by, event.text, event.at))
    if asked_by.confirming or not state.slot or not read_slot(moves.flow, asked_by, event.text, event.at).complete:
        return False
    return _look_up(moves, event, beyond(moves.flow, moves.flow.slots[state.slot].type, event.text))


def _look_up(moves: Moves, event: Recognised, clauses: tuple[str, ...]) -> bool:
    """Begins to look up clauses one by one; False where there are none."""
    if not clauses:
        return False
    moves.change(asked=event, beyond=clauses, looked_up=())
    _look_up_next(moves)
    if is_new(moves.dialogue, event):
        moves.cut_prompt()
        moves.await_("thinking", moves.flow.dead_air_ms)
    return True


def _look_up_next(moves: Moves) -> None:
    """Asks for the intent of the next clause, among all that the flow answers anywhere."""
    talk = moves.talk()
    allowed = sorted({intent for state in moves.flow.states.values() for intent in state.answers})
    clause = moves.dialogue.beyond[0]
    effect_id = talk.effect("intent", sentence=clause, language=moves.flow.language, allowed=allowed)
    moves.carry_out(talk)
    moves.change(asking=effect_id)


def _looked_up(moves: Moves, event: EffectDone, asked: Recognised) -> None:
    """One clause more is known; after the last the utterance is answered."""
    d = moves.dialogue
    result = event.result or {}
    is_known = bool(result) and not result.get("fallback") and not result.get("faq_set")
    intent, score = (str(result.get("intent", "")), float(result.get("score", 0.0))) if is_known else ("", 0.0)
    moves.change(looked_up=(*d.looked_up, Volunteered(d.beyond[0], intent, score)), beyond=d.beyond[1:])
    if moves.dialogue.beyond:
        moves.change(asked=asked)
        _look_up_next(moves)
        return
    moves.change(asked=None)
    whole = moves.dialogue.known
    is_known = whole is not None and _same(whole.asked, asked)
    understood(moves, _understood(asked, event.at, whole.result if whole and is_known else {"fallback": False}))
    moves.change(looked_up=())


def drop_question(moves: Moves) -> None:
    """What is being looked up matters no more."""
    if moves.dialogue.asking:
        talk = moves.talk()
        talk.settle(moves.dialogue.asking, dropped=True)
        moves.carry_out(talk)
        moves.change(asked=None, asking="", beyond=())


def effect_done(moves: Moves, event: EffectDone) -> None:
    """What came of an effect; one that nobody waits for is passed over."""
    if event.id == moves.dialogue.conversation.awaited:
        action_done(moves, event)
        return
    talk = moves.talk()
    effect = talk.settle(event.id)
    moves.carry_out(talk)
    asked = moves.dialogue.asked
    if effect is None or event.id != moves.dialogue.asking or asked is None:
        moves.note("stale", "EffectDone")
        return
    moves.change(asked=None, asking="")
    if moves.dialogue.beyond:
        _looked_up(moves, event, asked)
    elif event.result is not None:
        moves.change(known=KnownMeaning(asked, event.result))
        asked_by = moves.dialogue.asked_by(asked.utterance)
        in_form = bool(moves.flow.states[asked_by.state].form) and asked.final and not asked.aside
        if in_form and _asks_beyond(moves, asked, asked_by):
            return
        understood(moves, _understood(asked, event.at, event.result))
    elif asked.aside:
        understood(moves, _understood(asked, event.at, {"fallback": True}))
    elif asked.final:
        trouble = IntentTrouble(
            event.at, asked.turn, asked.utterance, asked.text, event.error or FAILS_AT_ONCE, asked.confidence
        )
        intent_trouble(moves, trouble)


def _understood(event: Recognised, at: float, result: Mapping[str, Any]) -> Understood:
    return Understood(
        at,
        event.turn,
        event.utterance,
        event.text,
        event.confidence,
        str(result.get("intent", "")),
        float(result.get("score", 0.0)),
        bool(result.get("faq_set", False)),
        bool(result.get("fallback", False)),
        event.final,
        event.revision,
        event.aside,
        event.speech_started_at,
    )


def _same(one: Recognised, other: Recognised) -> bool:
    return (one.turn, one.utterance, one.text) == (other.turn, other.utterance, other.text)


# --- meaning ----------------------------------------------------------------------------------------------------------


def understood(moves: Moves, event: Understood) -> None:
    """Text and intent of an utterance."""
    d = moves.dialogue
    if event.aside:
        _overheard(moves, event)
    elif d.early is not None and event.utterance == d.utterance:
        if event.final:
            _confirm_early(moves, event, d.early)
    elif not is_new(d, event) or _must_be_heard_out(moves, event):
        moves.note("stale", "Understood")
    else:
        meaning = understand(moves.flow, d.conversation, event)
        if is_backchannel(moves, event, meaning):
            _acknowledged(moves, event)
        elif event.final:
            answer(moves, event, meaning, "endpoint")
        elif certain(moves.flow, d.conversation, event, meaning):
            answer(moves, event, meaning, "early")
            moves.change(early=Early(d.conversation, d.utterance))
        elif meaning.kind == "nothing" and d.interrupted is not None:
            _end_after(moves, event, moves.state.listening.whole_silence_ms)
        elif (silence_ms := patience_ms(moves.flow, d.conversation, event, meaning)) is not None:
            _end_after(moves, event, silence_ms)


def _acknowledged(moves: Moves, event: Understood) -> None:
    """They show that they listen: the prompt that stopped for it goes on."""
    if event.final:
        moves.note("backchannel")
        moves.change(utterance=event.utterance, utterance_text=event.text)
        moves.resume()
    else:
        _end_after(moves, event, moves.state.listening.whole_silence_ms)


def _overheard(moves: Moves, event: Understood) -> None:
    """Doubtful speech over a prompt, as words: an answer if it means something here; else nothing has happened."""
    d = moves.dialogue
    if not takes_aside(d, event.turn, event.utterance):
        moves.note("stale", "aside")
        return
    meaning = understand(moves.flow, d.conversation, event)
    is_unsure = event.recognition_confidence < moves.state.listening.commit_recognition
    if is_unsure or is_doubtful_end(moves.flow, d.conversation, event, meaning):
        moves.note("aside_ignored", "unsure")
    elif meaning.kind in ("nothing", "no_match"):
        moves.note("aside_ignored", meaning.kind)
    elif is_backchannel(moves, event, meaning):
        moves.note("aside_ignored", "backchannel")
    else:
        moves.note("aside")
        answer(moves, event, meaning, "endpoint")
        moves.change(early=Early(d.conversation, d.utterance))  # they may go on speaking, and louder


def takes_aside(d: Dialogue, turn: int, utterance: int) -> bool:
    """Whether doubtful speech may answer: in the turn that it was said in, and while nothing surer is being heard."""
    return d.phase in ("speaking", "waiting") and turn == d.turn and utterance != d.utterance


def _end_after(moves: Moves, event: Understood | NothingHeard, silence_ms: int) -> None:
    """So much silence ends the utterance if this guess is all of it."""
    c = moves.dialogue.conversation
    moves.actions.append(EndUtterance(c.call_id, moves.at, c.turn, event.utterance, event.revision, silence_ms))


def answer(moves: Moves, event: Understood, meaning: Meaning, committed: Committed) -> None:
    """The utterance is the answer of this turn."""
    if meaning.kind == "nothing":
        nothing_heard(moves, NothingHeard(event.at, event.turn, event.utterance, "no words"))
        return
    if is_doubtful_end(moves.flow, moves.dialogue.conversation, event, meaning):
        moves.note("ending_doubted", meaning.intent)
        meaning = Meaning("no_match", meaning.intent, meaning.score)
    meaning = judged(moves.flow, moves.dialogue.conversation, event, meaning)
    moves.change(utterance=event.utterance, utterance_text=event.text, interrupted=None, early=None)
    act(moves, meaning, event.text, committed)


def act(moves: Moves, meaning: Meaning, text: str, committed: Committed) -> None:
    """Does what was meant."""
    moves.change(unheard=0)
    talk = moves.talk()
    if meaning.kind == "value" and not moves.state.form:
        talk.volunteer(moves.dialogue.looked_up)
    talk.answered(meaning, text, committed, moves.dialogue.looked_up)
    moves.carry_out(talk)


def _confirm_early(moves: Moves, event: Understood, early: Early) -> None:
    """The whole of an utterance whose beginning was answered: when it means something else, the turn is taken back."""
    after = moves.dialogue
    if event.text == after.utterance_text:
        _go_on(moves)
        return
    now = after.conversation
    then = replace(early.conversation, turn=now.turn, effects=now.effects, effects_made=now.effects_made)
    undone = replace(after, conversation=then, utterance=early.utterance, early=None, unheard=0, digits="")
    again = Moves(moves.flow, undone, event.at)
    again.note("false_cut_off")
    answer(again, event, understand(moves.flow, then, event), "continued")
    if _only_adds(now, again.dialogue.conversation):  # a question that is open anyway: what was said beside it is kept
        moves.change(conversation=replace(now, slots=again.dialogue.conversation.slots))
        _go_on(moves)
        return
    if _standing(again.dialogue.conversation) == _standing(now) or again.dialogue.utterance != event.utterance:
        kept = replace(after.conversation, volunteered=again.dialogue.conversation.volunteered)
        moves.change(conversation=kept)
        _go_on(moves)
        return
    moves.dialogue = again.dialogue
    moves.actions.extend(again.actions)


def _only_adds(now: Conversation, then: Conversation) -> bool:
    """Whether the whole of an utterance leads to the question that is open, and merely fills more slots."""
    same = replace(then, slots=now.slots)
    return bool(then.slots != now.slots) and then.state == now.state and _standing(same) == _standing(now)


def _standing(c: Conversation) -> tuple[object, ...]:
    """What an answer changes."""
    return (c.state, c.slots, c.counters, c.tentative, c.doubted, c.steps, c.asked, c.ending, c.outcome)


def _go_on(moves: Moves) -> None:
    """What followed an early commit changes nothing: a prompt that was stopped for it goes on."""
    moves.change(early=None)
    if moves.dialogue.phase == "hearing":
        if moves.dialogue.interrupted is not None:
            moves.resume()
        else:
            moves.wait()


# --- sounds and silences ----------------------------------------------------------------------------------------------


def speech_in_silence(moves: Moves, event: SpeechBegan) -> None:
    """The caller begins to speak when it is their turn."""
    if _goes_on(moves.dialogue, event) or is_new(moves.dialogue, event):
        moves.await_("hearing", LONGEST_TALK * moves.state.listening.max_utterance_ms + SPEECH_GRACE_MS)


def speech_over_prompt(moves: Moves, event: SpeechBegan) -> None:
    """The caller speaks while the bot does: what it says is stopped, where the state lets itself be interrupted."""
    d = moves.dialogue
    goes_on = _goes_on(d, event)
    if not (goes_on or is_new(d, event)) or d.playback is None or d.resumptions >= MOST_RESUMPTIONS:
        return
    if goes_on or moves.state.listening.barge_in:
        moves.note("barge_in", label(d.playback.items[0]))
        moves.cut_prompt()
        moves.await_("hearing", LONGEST_TALK * moves.state.listening.max_utterance_ms + SPEECH_GRACE_MS)


def _goes_on(d: Dialogue, event: SpeechBegan) -> bool:
    return d.early is not None and event.utterance == d.utterance


def nothing_heard(moves: Moves, event: NothingHeard) -> None:
    """An utterance gave no words: a noise, or somebody who was not understood, and is told so."""
    d = moves.dialogue
    if not event.final:  # a cough, so far: a prompt that was stopped for it need not wait for long
        if d.interrupted is not None and is_new(d, event):
            _end_after(moves, event, moves.state.listening.commit_silence_ms)
        return
    if d.early is not None and event.utterance == d.utterance:
        _go_on(moves)
    elif not is_new(d, event) or d.phase in ("speaking", "filling", "keying"):
        moves.note("nothing_heard", event.reason)
    elif d.interrupted is not None:
        moves.resume()
    elif event.reason in NOT_UNDERSTOOD or d.patient:  # whoever writes sees no question coming, and is answered
        moves.note("not_understood", event.reason)
        moves.change(unheard=0, utterance=event.utterance, utterance_text="", early=None)
        talk = moves.talk()
        talk.unanswered("unsure")
        moves.carry_out(talk)
    else:
        moves.note("nothing_heard", event.reason)
        moves.change(unheard=d.unheard + 1)
        if d.unheard + 1 >= MOST_UNHEARD:
            fell_silent(moves)
        else:
            moves.wait(after_noise=True)


def fell_silent(moves: Moves) -> None:
    """A silence of the caller, or nothing but noises."""
    talk = moves.talk()
    talk.unanswered("no_speech" if moves.dialogue.unheard else "no_input")
    moves.change(unheard=0)
    moves.carry_out(talk)


# --- trouble ----------------------------------------------------------------------------------------------------------


def in_trouble(moves: Moves, utterance: int, text: str = "") -> None:
    """Somebody who should have understood the caller did not answer."""
    drop_question(moves)
    moves.change(utterance=utterance, utterance_text=text, early=None, interrupted=None)
    talk = moves.talk()
    talk.unanswered("trouble", text)
    moves.carry_out(talk)


def recognition_trouble(moves: Moves, event: RecognitionTrouble) -> None:
    """The recogniser gave no answer, or what was said was lost with a receiver that died in it."""
    drop_question(moves)
    if not is_new(moves.dialogue, event):
        return
    moves.note("recognition_trouble", event.reason)
    if event.reason != "restart":
        in_trouble(moves, event.utterance)
        return
    moves.change(utterance=event.utterance, utterance_text="", early=None, interrupted=None)
    talk, escalation = moves.talk(), moves.flow.trouble
    before = talk.conversation
    talk.ask_again(escalation.say[0] if escalation.say else ())  # nobody's step of an escalation
    talk.record(before, "", "", 0.0, "trouble")
    moves.carry_out(talk)


def intent_trouble(moves: Moves, event: IntentTrouble) -> None:
    """Without the intent service a slot, a yes and a no are still understood."""
    if not is_new(moves.dialogue, event):
        return
    moves.note("intent_trouble", event.code)
    recognised_with = event.recognition_confidence
    alone = Understood(event.at, event.turn, event.utterance, event.text, recognised_with, fallback=True)
    meaning = understand(moves.flow, moves.dialogue.conversation, alone)
    if meaning.kind == "no_match":
        in_trouble(moves, event.utterance, event.text)
    else:
        answer(moves, alone, meaning, "endpoint")


def is_new(d: Dialogue, event: OfUtterance) -> bool:
    """Whether an utterance is not answered yet. A receiver that was restarted may count from 1 again."""
    return event.utterance > d.utterance or (event.turn == d.turn and event.utterance < d.utterance)
