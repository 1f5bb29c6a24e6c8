"""What the caller says, or does not say, made into moves. Pure.

An utterance is known by its number: one that was answered early and went on is measured against the dialogue before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from dialogue.events import (
    Committed,
    Heard,
    IntentTrouble,
    NothingHeard,
    RecognitionTrouble,
    SpeechBegan,
    Understood,
)
from dialogue.meaning import Meaning, certain, is_doubtful_end, patience_ms, understand
from dialogue.moves import Moves
from dialogue.state import Dialogue
from protocol.messages import EndUtterance

MOST_RESUMPTIONS = 3  # after so many coughs a prompt is no longer stopped
MOST_UNHEARD = 3  # so many noises without words are a silence
OfUtterance: TypeAlias = SpeechBegan | Heard | Understood | NothingHeard | RecognitionTrouble | IntentTrouble
SPEECH_GRACE_MS = 5_000  # after the longest utterance, for the transcript


def understood(moves: Moves, event: Understood) -> None:
    d = moves.dialogue
    if event.aside:
        _overheard(moves, event)
    elif d.before is not None and event.utterance == d.utterance:
        if event.final:
            _confirm_early(moves, event, d.before)
    elif not is_new(d, event):
        moves.note("stale", "Understood")
    else:
        meaning = understand(moves.flow, d, event)
        if event.final:
            answer(moves, event, meaning, "endpoint")
        elif certain(moves.flow, d, event, meaning):
            answer(moves, event, meaning, "early")
            moves.change(before=replace(d, before=None))
        elif meaning.kind == "nothing" and d.interrupted is not None:
            _end_after(moves, event, moves.state.listening.whole_silence_ms)
        elif (silence_ms := patience_ms(moves.flow, d, event, meaning)) is not None:
            _end_after(moves, event, silence_ms)


def _overheard(moves: Moves, event: Understood) -> None:
    """Doubtful speech over a prompt, as words: an answer if it means something here; else nothing has happened."""
    d = moves.dialogue
    if not takes_aside(d, event.turn, event.utterance):
        moves.note("stale", "aside")
        return
    meaning = understand(moves.flow, d, event)
    is_unsure = event.recognition_confidence < moves.state.listening.commit_recognition
    if is_unsure or is_doubtful_end(moves.flow, d, event, meaning):
        moves.note("aside_ignored", "unsure")
    elif meaning.kind in ("nothing", "no_match"):
        moves.note("aside_ignored", meaning.kind)
    else:
        moves.note("aside")
        answer(moves, event, meaning, "endpoint")
        moves.change(before=replace(d, before=None))  # he may go on speaking, and louder


def takes_aside(d: Dialogue, turn: int, utterance: int) -> bool:
    """Whether doubtful speech may answer: in the turn that it was said in, and while nothing surer is being heard."""
    awaited = d.phase in ("speaking", "waiting") and not d.ending and not d.rungs.get("dead_air")
    return awaited and turn == d.turn and utterance != d.utterance


def _end_after(moves: Moves, event: Understood | NothingHeard, silence_ms: int) -> None:
    """So much silence ends the utterance if this guess is all of it."""
    d = moves.dialogue
    moves.actions.append(EndUtterance(d.call_id, moves.at, d.turn, event.utterance, event.revision, silence_ms))


def answer(moves: Moves, event: Understood, meaning: Meaning, committed: Committed) -> None:
    """The utterance is the answer of this turn."""
    if meaning.kind == "nothing":
        nothing_heard(moves, NothingHeard(event.at, event.turn, event.utterance, "no words"))
        return
    if is_doubtful_end(moves.flow, moves.dialogue, event, meaning):
        moves.note("ending_doubted", meaning.intent)
        meaning = Meaning("no_match", meaning.intent, meaning.score)
    moves.change(utterance=event.utterance, utterance_text=event.text, interrupted=None, before=None)
    act(moves, meaning, event.text, committed)


def act(moves: Moves, meaning: Meaning, text: str, committed: Committed) -> None:
    """Does what was meant and records the turn."""
    before = moves.dialogue
    if meaning.kind != "no_match":
        moves.change(rungs={})
    else:
        moves.change(rungs={name: rung for name, rung in before.rungs.items() if name == "no_match"})
    intent = meaning.intent
    match meaning.kind:
        case "value":
            intent = intent or "slot_value"
            moves.fill(meaning.value, confirm=committed != "dtmf")
        case "confirmed":
            moves.fill(before.tentative or "", confirm=False)
        case "denied":
            moves.change(tentative=None)
            moves.ask_again()
        case "intent" if meaning.step is not None:
            moves.take(meaning.step)
        case _:
            moves.climb("no_match", moves.state.no_match)
    moves.record(before, text, intent, meaning.score, committed)


def _confirm_early(moves: Moves, event: Understood, before: Dialogue) -> None:
    """The whole of an utterance whose beginning was answered: when it means something else, the turn is taken back."""
    after = moves.dialogue
    if event.text == after.utterance_text:
        _go_on(moves)
        return
    undone = replace(
        before,
        turn=after.turn,
        playbacks=after.playbacks,
        serial=after.serial,
        timer=after.timer,
        timer_ms=after.timer_ms,
        phase=after.phase,
        playback=after.playback,
        interrupted=after.interrupted,
    )
    again = Moves(moves.flow, undone, event.at)
    again.note("false_cut_off")
    answer(again, event, understand(moves.flow, undone, event), "continued")
    if _standing(again.dialogue) == _standing(after) or again.dialogue.utterance != event.utterance:
        _go_on(moves)
        return
    moves.dialogue = again.dialogue
    moves.actions.extend(again.actions)


def _standing(d: Dialogue) -> tuple[object, ...]:
    """What an answer changes."""
    return (d.state, d.slots, d.counters, d.tentative, d.rungs, d.asked, d.ending, d.outcome)


def speech_began(moves: Moves, event: SpeechBegan) -> None:
    d = moves.dialogue
    goes_on = d.before is not None and event.utterance == d.utterance
    if not goes_on and not is_new(d, event):
        return
    longest = moves.state.listening.max_utterance_ms + SPEECH_GRACE_MS
    if d.phase == "waiting":
        moves.await_("hearing", "speech", longest)
    elif d.phase == "speaking" and d.playback is not None and (goes_on or moves.state.listening.barge_in):
        if d.resumptions >= MOST_RESUMPTIONS:
            return
        moves.note("barge_in", d.playback.prompts[0])
        cut_prompt(moves)
        moves.await_("hearing", "speech", longest)


def cut_prompt(moves: Moves) -> None:
    """Stops a prompt because the caller speaks, and remembers how far it came."""
    playback = moves.dialogue.playback
    if playback is not None:
        heard_ms = round((moves.at - playback.began_at) * 1_000) if playback.began_at else 0
        moves.silence()
        moves.change(interrupted=replace(playback, offset_ms=playback.offset_ms + max(0, heard_ms)))


def nothing_heard(moves: Moves, event: NothingHeard) -> None:
    d = moves.dialogue
    if not event.final:  # a cough, so far: a prompt that was stopped for it need not wait for long
        if d.interrupted is not None and is_new(d, event):
            _end_after(moves, event, moves.state.listening.commit_silence_ms)
        return
    if d.before is not None and event.utterance == d.utterance:
        _go_on(moves)
    elif not is_new(d, event) or d.phase in ("speaking", "keying"):
        moves.note("nothing_heard", event.reason)
    elif d.interrupted is not None:
        moves.resume()
    else:
        moves.note("nothing_heard", event.reason)
        unheard = d.rungs.get("unheard", 0) + 1
        moves.change(rungs={**d.rungs, "unheard": unheard % MOST_UNHEARD})
        if unheard >= MOST_UNHEARD:
            fell_silent(moves)
        else:
            moves.wait(after_noise=True)


def _go_on(moves: Moves) -> None:
    """What followed an early commit changes nothing: a prompt that was stopped for it goes on."""
    moves.change(before=None)
    if moves.dialogue.phase == "hearing":
        if moves.dialogue.interrupted is not None:
            moves.resume()
        else:
            moves.wait()


def in_trouble(moves: Moves, utterance: int, text: str = "") -> None:
    """Somebody who should have understood the caller did not answer."""
    before = moves.dialogue
    moves.change(utterance=utterance, utterance_text=text, before=None, interrupted=None)
    moves.climb("trouble", moves.flow.trouble)
    moves.record(before, text, "", 0.0, "trouble")


def cut_off(moves: Moves, event: RecognitionTrouble) -> None:
    """What the caller said was lost with a receiver that died in it: asked again, and nobody's rung of a ladder."""
    before, ladder = moves.dialogue, moves.flow.trouble
    moves.change(utterance=event.utterance, utterance_text="", before=None, interrupted=None)
    moves.ask_again(ladder.say[0] if ladder.say else ())
    moves.record(before, "", "", 0.0, "trouble")


def intent_trouble(moves: Moves, event: IntentTrouble) -> None:
    """Without the intent service a slot, a yes and a no are still understood."""
    if not is_new(moves.dialogue, event):
        return
    moves.note("intent_trouble", event.code)
    recognised = event.recognition_confidence
    alone = Understood(event.at, event.turn, event.utterance, event.text, recognised, fallback=True)
    meaning = understand(moves.flow, moves.dialogue, alone)
    if meaning.kind == "no_match":
        in_trouble(moves, event.utterance, event.text)
    else:
        answer(moves, alone, meaning, "endpoint")


def is_new(d: Dialogue, event: OfUtterance) -> bool:
    """Whether an utterance is not answered yet. A receiver that was restarted may count from 1 again."""
    return event.utterance > d.utterance or (event.turn == d.turn and event.utterance < d.utterance)


def fell_silent(moves: Moves) -> None:
    """A silence of the caller: the no-input ladder, recorded as a turn."""
    before = moves.dialogue
    moves.climb("no_input", moves.state.no_input)
    moves.record(before, "", "", 0.0, "no_input")
