"""What may happen when: the one table of phases and events, and the engine that looks there. Pure.

    new -> speaking <-> waiting -> hearing -> thinking (-> filling) -> speaking ... -> parting -> ending -> over

From wherever the bot speaks or listens a hold leads to `held`, and its end back.

Every event of a call is in every row. One that means nothing in a phase is there too, as passed over; one that the
table does not know, or a phase that only a newer release knows, ends in a hand-over, never in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from dialogue.changing import changed
from dialogue.effects import EffectDone
from dialogue.events import (
    AudioGone,
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
    NothingHeard,
    PlaybackBegan,
    PlaybackEnded,
    Recognised,
    RecognitionTrouble,
    Resumed,
    SpeechBegan,
    TimerExpired,
    Understood,
)
from dialogue.flow import Flow
from dialogue.variables import facts
from dialogue.voice.acting import act_on, takes_long
from dialogue.voice.hearing import (
    effect_done,
    fell_silent,
    in_trouble,
    intent_trouble,
    is_new,
    nothing_heard,
    recognised,
    recognition_trouble,
    speech_in_silence,
    speech_over_prompt,
    understood,
)
from dialogue.voice.holding import heard_on_hold, hold_began, hold_ended
from dialogue.voice.keypad import digit_pressed, digits_entered
from dialogue.voice.moves import Moves
from dialogue.voice.state import Dialogue
from protocol.items import label

Handler: TypeAlias = Callable[[Moves, Any], None]
ENDING_RETRIES = 3
AT_ONCE_MS = 50


def handle(flow: Flow, dialogue: Dialogue, event: DialogueEvent) -> tuple[Dialogue, list[DialogueAction]]:
    """What the event makes of the dialogue, and what is to be done now. Seeing an event twice does no harm.

    A new call is `handle(flow, Dialogue(), Begun(...))`.
    """
    moves = Moves(flow, dialogue, event.at)
    if dialogue.phase not in ("new", "over") and dialogue.state not in flow.states and not isinstance(event, CallOver):
        moves.hand_over()  # another version of the flow, after a restart
        return moves.dialogue, moves.actions
    handler = TABLE.get(dialogue.phase, {}).get(type(event))
    if handler is None:
        moves.note("handed_over", f"{type(event).__name__} in {dialogue.phase}"[:80])
        if not dialogue.conversation.ending:
            moves.hand_over()
        else:
            moves.finish()
    else:
        handler(moves, event)
    return moves.dialogue, moves.actions


# --- what a call goes through in any phase ----------------------------------------------------------------------------


def _passed_over(moves: Moves, event: DialogueEvent) -> None:
    """Means nothing now."""


def _stale(moves: Moves, event: DialogueEvent) -> None:
    """Comes too late to matter."""
    moves.note("stale", type(event).__name__)


def _late_effect(moves: Moves, event: EffectDone) -> None:
    """What was asked of the world came when nobody waits for it any more."""
    talk = moves.talk()
    talk.settle(event.id)
    moves.carry_out(talk)
    moves.note("stale", "EffectDone")


def _begun(moves: Moves, event: Begun) -> None:
    moves.change(patient=event.direction == "text")
    talk = moves.talk()
    flow = moves.flow
    known, refused = facts(flow, event.caller_number, event.direction, event.variables)
    talk.change(call_id=event.call_id, flow=flow.name, flow_version=flow.version, variables=known)
    for name in refused:
        talk.note("fact_refused", name)
    if "adviser" in event.variables:
        talk.adviser_is_away(event.slots)
    else:
        talk.enter(flow.start)
    moves.carry_out(talk)


def _call_over(moves: Moves, event: CallOver) -> None:
    talk = moves.talk()
    talk.conclude(otherwise=event.reason)
    talk.clear_up()
    moves.carry_out(talk)
    moves.over()


def _resumed(moves: Moves, event: Resumed) -> None:
    """After a restart: the timer runs anew, and what the world was asked for is asked for again. Who waits for an
    action waited in silence meanwhile: they hear the filler at once, also who heard it before."""
    d = moves.dialogue
    is_acting = d.phase == "acting"
    if is_acting:
        moves.change(filled=False)
    moves.await_(d.phase, min(d.timer_ms, AT_ONCE_MS) if is_acting else d.timer_ms)  # type: ignore[arg-type]
    done = d.acted.id if d.acted is not None else ""
    moves.actions += [effect for effect in d.conversation.effects.values() if effect.id != done]


def _playback_began(moves: Moves, event: PlaybackBegan) -> None:
    playback = moves.dialogue.playback
    if playback is not None and playback.playback_id == event.playback_id and not playback.began_at:
        begun = changed(playback, began_at=event.at)
        moves.change(playback=begun, spoken=begun)


def _playback_ended(then: Handler) -> Handler:
    """Something that was said is over; `then` when it is what is being said now."""

    def ended(moves: Moves, event: PlaybackEnded) -> None:
        d = moves.dialogue
        cut = d.interrupted
        if cut is not None and cut.playback_id == event.playback_id:
            # it was over before the stop came: nothing to resume; else the report knows better how much was heard
            is_over = event.state == "finished"
            moves.change(interrupted=None if is_over else replace(cut, heard_ms=event.offset_ms, heard=event.heard))
        if d.playback is None or d.playback.playback_id != event.playback_id:
            return
        if event.state == "failed":
            moves.note("playback_failed", ",".join(label(item) for item in d.playback.items))
        then(moves, event)

    return ended


def _audio_gone(moves: Moves, event: AudioGone) -> None:
    moves.note("audio_lost", f"{event.silent_ms} ms")


def _audio_gone_in_silence(moves: Moves, event: AudioGone) -> None:
    """ "Hello, are you there?", and in the end good-bye."""
    _audio_gone(moves, event)
    fell_silent(moves)


def _backbone_away(moves: Moves, event: BackboneAway) -> None:
    moves.hand_over()


def _refused(moves: Moves, event: CommandRefused) -> None:
    moves.note("refused", f"{event.command}: {event.reason}")


# --- saying -----------------------------------------------------------------------------------------------------------


def _said(moves: Moves, event: object) -> None:
    moves.wait()


def _filled(moves: Moves, event: object) -> None:
    moves.change(playback=None)
    moves.await_("thinking", moves.flow.dead_air_ms)


def _parted(moves: Moves, event: object) -> None:
    moves.finish()


def _lost(then: Handler) -> Handler:
    """Nothing was reported of a playback in time: it counts as said."""

    def lost(moves: Moves, event: TimerExpired) -> None:
        playback = moves.dialogue.playback
        moves.note("playback_lost", ",".join(label(item) for item in playback.items) if playback else "")
        moves.silence()
        then(moves, event)

    return lost


def _say_refused(then: Handler) -> Handler:
    def refused(moves: Moves, event: CommandRefused) -> None:
        _refused(moves, event)
        if event.command in ("Say", "PlayPrompts") and moves.dialogue.playback is not None:
            moves.silence()
            then(moves, event)

    return refused


# --- understanding ----------------------------------------------------------------------------------------------------


def _no_transcript(moves: Moves, event: TimerExpired) -> None:
    moves.note("recognition_trouble", "no transcript came")
    in_trouble(moves, moves.dialogue.utterance)


def _dead_air(moves: Moves, event: TimerExpired) -> None:
    """Understanding takes long: once the caller is asked to wait, then it counts as trouble."""
    if moves.dialogue.filled or not moves.flow.dead_air:
        in_trouble(moves, moves.dialogue.utterance)
        return
    moves.note("dead_air")
    moves.change(filled=True)
    talk = moves.talk()
    moves.play(talk.items(moves.flow.dead_air), phase="filling")


def _in_trouble_if_new(moves: Moves, event: IntentTrouble) -> None:
    if is_new(moves.dialogue, event):
        intent_trouble(moves, event)


# --- ending -----------------------------------------------------------------------------------------------------------


def _ending_refused(moves: Moves, event: CommandRefused) -> None:
    _refused(moves, event)
    if event.command == "TransferCall" and moves.dialogue.conversation.ending.startswith("transfer"):
        _transfer_failed(moves, event.reason)
    elif event.command == "HangUp":
        moves.over()


def _not_ended(moves: Moves, event: TimerExpired) -> None:
    """The end was asked for and is not reported."""
    d = moves.dialogue
    moves.change(ending_tries=d.ending_tries + 1)
    if d.ending_tries + 1 > ENDING_RETRIES:
        moves.over()
    elif d.conversation.ending.startswith("transfer"):
        _transfer_failed(moves, "no answer")
    else:
        moves.finish()


def _transfer_failed(moves: Moves, reason: str) -> None:
    """Nobody to hand over to: says so, and what the flow then offers, or hangs up."""
    moves.note("refused", f"transfer: {reason}")
    talk = moves.talk()
    talk.adviser_is_away()
    moves.carry_out(talk)


# --- the table --------------------------------------------------------------------------------------------------------


def _in_time(handler: Handler) -> Handler:
    """Timers that were replaced meanwhile are void."""

    def expired(moves: Moves, event: TimerExpired) -> None:
        if event.serial == moves.dialogue.serial and event.name == moves.dialogue.timer:
            handler(moves, event)

    return expired


EVERY: dict[type, Handler] = {
    Begun: _passed_over,
    CallOver: _call_over,
    Resumed: _resumed,
    PlaybackBegan: _playback_began,
    PlaybackEnded: _playback_ended(_passed_over),
    AudioGone: _audio_gone,
    CommandRefused: _refused,
    EffectDone: effect_done,
    HoldBegan: hold_began,
    HoldEnded: _passed_over,
}
LISTENING: dict[type, Handler] = {
    **EVERY,
    BackboneAway: _backbone_away,
    DigitPressed: digit_pressed,
    SpeechBegan: _passed_over,
    Recognised: recognised,
    Understood: understood,
    NothingHeard: nothing_heard,
    RecognitionTrouble: recognition_trouble,
    IntentTrouble: _in_trouble_if_new,
}
LEAVING: dict[type, Handler] = {
    **EVERY,
    **dict.fromkeys(
        (
            BackboneAway,
            DigitPressed,
            SpeechBegan,
            Recognised,
            Understood,
            NothingHeard,
            RecognitionTrouble,
            IntentTrouble,
        ),
        _stale,
    ),
    EffectDone: _late_effect,
}
HELD: dict[type, Handler] = {
    **LEAVING,
    EffectDone: effect_done,
    **dict.fromkeys(
        (SpeechBegan, Recognised, Understood, NothingHeard, RecognitionTrouble, IntentTrouble), heard_on_hold
    ),
    HoldBegan: _passed_over,
    HoldEnded: hold_ended,
}
ACTING: dict[type, Handler] = {
    **HELD,
    HoldBegan: hold_began,
    HoldEnded: _passed_over,
    BackboneAway: _backbone_away,
}
"""The caller waits for an action: what they say meanwhile answers nothing."""
NOT_THERE: dict[type, Handler] = dict.fromkeys((*LISTENING, TimerExpired), _passed_over)


def _saying(row: Mapping[type, Handler], then: Handler) -> dict[type, Handler]:
    return {
        **row,
        PlaybackEnded: _playback_ended(then),
        CommandRefused: _say_refused(then),
        TimerExpired: _in_time(_lost(then)),
    }


TABLE: dict[str, Mapping[type, Handler]] = {
    "new": {**NOT_THERE, Begun: _begun, CallOver: _call_over},
    "speaking": {**_saying(LISTENING, _said), SpeechBegan: speech_over_prompt},
    "waiting": {
        **LISTENING,
        SpeechBegan: speech_in_silence,
        AudioGone: _audio_gone_in_silence,
        TimerExpired: _in_time(lambda moves, event: fell_silent(moves)),
    },
    "hearing": {**LISTENING, TimerExpired: _in_time(_no_transcript)},
    "thinking": {**LISTENING, TimerExpired: _in_time(_dead_air)},
    "filling": {**_saying(LISTENING, _filled), SpeechBegan: speech_over_prompt},
    "keying": {**LISTENING, TimerExpired: _in_time(lambda moves, event: digits_entered(moves))},
    "announcing": _saying(ACTING, act_on),
    "acting": {**ACTING, TimerExpired: _in_time(takes_long)},
    "held": {**HELD, TimerExpired: _in_time(hold_ended)},
    "parting": _saying(LEAVING, _parted),
    "ending": {**LEAVING, HoldBegan: _passed_over, CommandRefused: _ending_refused, TimerExpired: _in_time(_not_ended)},
    "over": NOT_THERE,
}
