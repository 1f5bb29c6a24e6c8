"""The interpreter of a flow: (flow, dialogue, event) -> (dialogue, actions). Pure: times come with the events.

The one table of what may happen when is `handle`; what is then done is in `dialogue_moves`, what an utterance means in
`dialogue_understanding`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from bot_manager.dialogue_events import (
    Action,
    BackboneAway,
    Begun,
    CallOver,
    CommandRefused,
    Committed,
    DialogueEvent,
    DigitPressed,
    Heard,
    IntentTrouble,
    NothingHeard,
    PlaybackBegan,
    PlaybackEnded,
    RecognitionTrouble,
    Resumed,
    SpeechBegan,
    TimerExpired,
    Understood,
)
from bot_manager.dialogue_moves import ENDING_RETRIES, Moves
from bot_manager.dialogue_state import Dialogue
from bot_manager.dialogue_understanding import (
    Meaning,
    allowed_intents,
    certain,
    needs_intent,
    of_intent,
    read_slot,
    understand,
    value_text,
)
from bot_manager.flow import Flow

__all__ = ["allowed_intents", "certain", "handle", "needs_intent"]

MOST_RESUMPTIONS = 3  # after so many coughs a prompt is no longer stopped
MOST_UNHEARD = 3  # so many noises without words are a silence
OfUtterance: TypeAlias = SpeechBegan | Heard | Understood | NothingHeard | RecognitionTrouble | IntentTrouble
SPEECH_GRACE_MS = 5_000  # after the longest utterance, for the transcript


def handle(flow: Flow, dialogue: Dialogue, event: DialogueEvent) -> tuple[Dialogue, list[Action]]:
    """What the event makes of the dialogue, and what is to be done now. Seeing an event twice does no harm.

    A new call is `handle(flow, Dialogue(), Begun(...))`.
    """
    moves = Moves(flow, dialogue, event.at)
    if isinstance(event, Begun):
        if dialogue.phase == "new":
            moves.change(call_id=event.call_id, flow=flow.name, flow_version=flow.version)
            moves.enter(flow.start)
    elif isinstance(event, CallOver):
        if not dialogue.over:
            moves.conclude(otherwise=event.reason)
            moves.over()
    elif dialogue.phase not in ("new", "over"):
        if dialogue.state not in flow.states:  # another version of the flow, after a restart
            moves.change(state=flow.start)
            moves.take(flow.trouble.then)
        else:
            _during(moves, event)
    return moves.dialogue, moves.actions


def _during(moves: Moves, event: DialogueEvent) -> None:
    """An event of a call that is going on."""
    match event:
        case PlaybackBegan():
            playback = moves.dialogue.playback
            if playback is not None and playback.playback_id == event.playback_id and not playback.began_at:
                moves.change(playback=replace(playback, began_at=event.at))
        case PlaybackEnded():
            _playback_ended(moves, event)
        case TimerExpired():
            if event.serial == moves.dialogue.serial and event.name == moves.dialogue.timer:
                _timer_expired(moves, event)
        case CommandRefused():
            _refused(moves, event)
        case Resumed():
            moves.await_(moves.dialogue.phase, moves.dialogue.timer, moves.dialogue.timer_ms)
        case _ if moves.dialogue.ending:
            moves.note("stale", type(event).__name__)
        case BackboneAway():
            moves.take(moves.flow.trouble.then)
        case DigitPressed():
            _digit(moves, event)
        case SpeechBegan():
            _speech(moves, event)
        case Heard():
            if _is_new(moves.dialogue, event):
                _cut_prompt(moves)
                moves.await_("thinking", "dead_air", moves.flow.dead_air_ms)
        case Understood():
            _understood(moves, event)
        case NothingHeard():
            _nothing_heard(moves, event)
        case RecognitionTrouble():
            if _is_new(moves.dialogue, event):
                moves.note("recognition_trouble", event.reason)
                _trouble(moves, event.utterance)
        case IntentTrouble():
            _intent_trouble(moves, event)


# --- what the caller says ---


def _understood(moves: Moves, event: Understood) -> None:
    d = moves.dialogue
    if d.before is not None and event.utterance == d.utterance:
        if event.final:
            _confirm_early(moves, event, d.before)
    elif not _is_new(d, event):
        moves.note("stale", "Understood")
    else:
        meaning = understand(moves.flow, d, event)
        if event.final:
            _answer(moves, event, meaning, "endpoint")
        elif certain(moves.flow, d, event, meaning):
            _answer(moves, event, meaning, "early")
            moves.change(before=replace(d, before=None))


def _answer(moves: Moves, event: Understood, meaning: Meaning, committed: Committed) -> None:
    """The utterance is the answer of this turn."""
    if meaning.kind == "nothing":
        _nothing_heard(moves, NothingHeard(event.at, event.turn, event.utterance, "no words"))
        return
    moves.change(utterance=event.utterance, utterance_text=event.text, interrupted=None, before=None)
    _act(moves, meaning, event.text, committed)


def _act(moves: Moves, meaning: Meaning, text: str, committed: Committed) -> None:
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
    _answer(again, event, understand(moves.flow, undone, event), "continued")
    if _standing(again.dialogue) == _standing(after) or again.dialogue.utterance != event.utterance:
        _go_on(moves)
        return
    moves.dialogue = again.dialogue
    moves.actions.extend(again.actions)


def _standing(d: Dialogue) -> tuple[object, ...]:
    """What an answer changes."""
    return (d.state, d.slots, d.counters, d.tentative, d.rungs, d.asked, d.ending, d.outcome)


def _speech(moves: Moves, event: SpeechBegan) -> None:
    d = moves.dialogue
    goes_on = d.before is not None and event.utterance == d.utterance
    if not goes_on and not _is_new(d, event):
        return
    longest = moves.state.listening.max_utterance_ms + SPEECH_GRACE_MS
    if d.phase == "waiting":
        moves.await_("hearing", "speech", longest)
    elif d.phase == "speaking" and d.playback is not None and (goes_on or moves.state.listening.barge_in):
        if d.resumptions >= MOST_RESUMPTIONS:
            return
        moves.note("barge_in", d.playback.prompts[0])
        _cut_prompt(moves)
        moves.await_("hearing", "speech", longest)


def _cut_prompt(moves: Moves) -> None:
    """Stops a prompt because the caller speaks, and remembers how far it came."""
    playback = moves.dialogue.playback
    if playback is not None:
        heard_ms = round((moves.at - playback.began_at) * 1_000) if playback.began_at else 0
        moves.silence()
        moves.change(interrupted=replace(playback, offset_ms=playback.offset_ms + max(0, heard_ms)))


def _nothing_heard(moves: Moves, event: NothingHeard) -> None:
    d = moves.dialogue
    if d.before is not None and event.utterance == d.utterance:
        _go_on(moves)
    elif not _is_new(d, event) or d.phase in ("speaking", "keying"):
        moves.note("nothing_heard", event.reason)
    elif d.interrupted is not None:
        moves.resume()
    else:
        moves.note("nothing_heard", event.reason)
        unheard = d.rungs.get("unheard", 0) + 1
        moves.change(rungs={**d.rungs, "unheard": unheard % MOST_UNHEARD})
        if unheard >= MOST_UNHEARD:
            _silence(moves)
        else:
            moves.wait()


def _go_on(moves: Moves) -> None:
    """What followed an early commit changes nothing: a prompt that was stopped for it goes on."""
    moves.change(before=None)
    if moves.dialogue.phase == "hearing":
        if moves.dialogue.interrupted is not None:
            moves.resume()
        else:
            moves.wait()


def _trouble(moves: Moves, utterance: int, text: str = "") -> None:
    """Somebody who should have understood the caller did not answer."""
    before = moves.dialogue
    moves.change(utterance=utterance, utterance_text=text, before=None, interrupted=None)
    moves.climb("trouble", moves.flow.trouble)
    moves.record(before, text, "", 0.0, "trouble")


def _intent_trouble(moves: Moves, event: IntentTrouble) -> None:
    """Without the intent service a slot, a yes and a no are still understood."""
    if not _is_new(moves.dialogue, event):
        return
    moves.note("intent_trouble", event.code)
    alone = Understood(event.at, event.turn, event.utterance, event.text, 1.0, fallback=True)
    meaning = understand(moves.flow, moves.dialogue, alone)
    if meaning.kind == "no_match":
        _trouble(moves, event.utterance, event.text)
    else:
        _answer(moves, alone, meaning, "endpoint")


def _is_new(d: Dialogue, event: OfUtterance) -> bool:
    """Whether an utterance is not answered yet. A receiver that was restarted may count from 1 again."""
    return event.utterance > d.utterance or (event.turn == d.turn and event.utterance < d.utterance)


# --- keys ---


def _digit(moves: Moves, event: DigitPressed) -> None:
    d, keypad = moves.dialogue, moves.state.keypad
    collecting = bool(keypad.digits) and not d.confirming
    if collecting and event.digit.isdigit():
        moves.silence()
        moves.change(digits=d.digits + event.digit, interrupted=None)
        if len(moves.dialogue.digits) >= keypad.digits:
            _digits_entered(moves)
        else:
            moves.await_("keying", "digits", keypad.pause_ms)
    elif collecting and d.digits and event.digit == keypad.end:
        _digits_entered(moves)
    elif collecting and d.digits and event.digit == "*":
        moves.change(digits="")
        moves.await_("keying", "digits", keypad.pause_ms)
    elif event.digit in keypad.keys:
        meaning = of_intent(moves.flow, d, keypad.keys[event.digit], 1.0)
        if meaning.kind == "no_match":
            moves.note("key_ignored", event.digit)
        else:
            moves.change(before=None, interrupted=None)
            _act(moves, meaning, event.digit, "dtmf")
    else:
        moves.note("key_ignored", event.digit)


def _digits_entered(moves: Moves) -> None:
    d = moves.dialogue
    if not d.digits:
        moves.wait()
        return
    reading = read_slot(moves.flow, d, d.digits, moves.at)
    moves.change(digits="", before=None)
    kind = Meaning("value", "", 1.0, value_text(reading)) if reading.complete else Meaning("no_match")
    _act(moves, kind, d.digits, "dtmf")


# --- playbacks, timers, refusals ---


def _playback_ended(moves: Moves, event: PlaybackEnded) -> None:
    d = moves.dialogue
    if d.interrupted is not None and d.interrupted.playback_id == event.playback_id and event.state == "finished":
        moves.change(interrupted=None)  # it was over before the stop came: nothing to resume
    if d.playback is None or d.playback.playback_id != event.playback_id:
        return
    if event.state == "failed":
        moves.note("playback_failed", ",".join(d.playback.prompts))
    _said(moves)


def _said(moves: Moves) -> None:
    """The prompts are over, one way or the other."""
    if moves.dialogue.ending:
        moves.finish()
    elif moves.dialogue.rungs.get("dead_air"):
        moves.change(playback=None)
        moves.await_("thinking", "dead_air", moves.flow.dead_air_ms)
    else:
        moves.wait()


def _timer_expired(moves: Moves, event: TimerExpired) -> None:
    d = moves.dialogue
    match event.name:
        case "no_input":
            _silence(moves)
        case "playback":
            moves.note("playback_lost", ",".join(d.playback.prompts) if d.playback else "")
            moves.silence()
            _said(moves)
        case "speech":
            moves.note("recognition_trouble", "no transcript came")
            _trouble(moves, d.utterance)
        case "dead_air":
            _dead_air(moves)
        case "digits":
            _digits_entered(moves)
        case "ending":
            tries = d.rungs.get("ending", 0) + 1
            moves.change(rungs={**d.rungs, "ending": tries})
            if tries > ENDING_RETRIES:
                moves.over()
            elif d.ending.startswith("transfer"):
                _transfer_failed(moves, "no answer")
            else:
                moves.finish()


def _silence(moves: Moves) -> None:
    """A silence of the caller: the no-input ladder, recorded as a turn."""
    before = moves.dialogue
    moves.climb("no_input", moves.state.no_input)
    moves.record(before, "", "", 0.0, "no_input")


def _dead_air(moves: Moves) -> None:
    """Understanding takes long: once the caller is asked to wait, then it counts as trouble."""
    d = moves.dialogue
    if d.rungs.get("dead_air") or not moves.flow.dead_air:
        _trouble(moves, d.utterance)
        return
    moves.note("dead_air")
    moves.change(rungs={**d.rungs, "dead_air": 1})
    moves.play(moves.spoken(moves.flow.dead_air))


def _refused(moves: Moves, event: CommandRefused) -> None:
    moves.note("refused", f"{event.command}: {event.reason}")
    d = moves.dialogue
    if event.command == "TransferCall" and d.ending.startswith("transfer") and d.phase == "ending":
        _transfer_failed(moves, event.reason)
    elif event.command == "PlayPrompts" and d.playback is not None:
        moves.silence()
        _said(moves)
    elif event.command == "HangUp" and d.phase == "ending":
        moves.over()


def _transfer_failed(moves: Moves, reason: str) -> None:
    """Nobody to hand over to: says so and hangs up."""
    moves.note("refused", f"transfer: {reason}")
    moves.end(moves.flow.transfer_failed, "")
