"""The interpreter of a flow: (flow, dialogue, event) -> (dialogue, actions). Pure: times come with the events.

The one table of what may happen when is `handle`; what is then done is in `dialogue_moves`, what an utterance means in
`dialogue_understanding`.
"""

from __future__ import annotations

from dataclasses import replace

from dialogue.answers import (
    cut_off,
    cut_prompt,
    fell_silent,
    in_trouble,
    intent_trouble,
    is_new,
    nothing_heard,
    speech_began,
    takes_aside,
    understood,
)
from dialogue.events import (
    Action,
    AudioGone,
    BackboneAway,
    Begun,
    CallOver,
    CommandRefused,
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
from dialogue.flow import Flow
from dialogue.keys import digit_pressed, digits_entered
from dialogue.meaning import (
    allowed_intents,
    certain,
    needs_intent,
)
from dialogue.moves import ENDING_RETRIES, Moves
from dialogue.state import Dialogue

__all__ = ["allowed_intents", "certain", "handle", "needs_intent", "takes_aside"]


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
        case AudioGone():
            moves.note("audio_lost", f"{event.silent_ms} ms")
            if moves.dialogue.phase == "waiting":
                fell_silent(moves)  # "hello, are you there?", and in the end good-bye: a prompt that plays comes first
        case _ if moves.dialogue.ending:
            moves.note("stale", type(event).__name__)
        case BackboneAway():
            moves.take(moves.flow.trouble.then)
        case DigitPressed():
            digit_pressed(moves, event)
        case SpeechBegan():
            speech_began(moves, event)
        case Heard():
            if is_new(moves.dialogue, event):
                cut_prompt(moves)
                moves.await_("thinking", "dead_air", moves.flow.dead_air_ms)
        case Understood():
            understood(moves, event)
        case NothingHeard():
            nothing_heard(moves, event)
        case RecognitionTrouble():
            if is_new(moves.dialogue, event):
                moves.note("recognition_trouble", event.reason)
                if event.reason == "restart":
                    cut_off(moves, event)
                else:
                    in_trouble(moves, event.utterance)
        case IntentTrouble():
            intent_trouble(moves, event)


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
            fell_silent(moves)
        case "playback":
            moves.note("playback_lost", ",".join(d.playback.prompts) if d.playback else "")
            moves.silence()
            _said(moves)
        case "speech":
            moves.note("recognition_trouble", "no transcript came")
            in_trouble(moves, d.utterance)
        case "dead_air":
            _dead_air(moves)
        case "digits":
            digits_entered(moves)
        case "ending":
            tries = d.rungs.get("ending", 0) + 1
            moves.change(rungs={**d.rungs, "ending": tries})
            if tries > ENDING_RETRIES:
                moves.over()
            elif d.ending.startswith("transfer"):
                _transfer_failed(moves, "no answer")
            else:
                moves.finish()


def _dead_air(moves: Moves) -> None:
    """Understanding takes long: once the caller is asked to wait, then it counts as trouble."""
    d = moves.dialogue
    if d.rungs.get("dead_air") or not moves.flow.dead_air:
        in_trouble(moves, d.utterance)
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
