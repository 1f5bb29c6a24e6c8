"""Keys that the caller presses, made into moves. Pure: digits are collected for a slot, single keys are intents."""

from __future__ import annotations

from dialogue.answers import act
from dialogue.events import DigitPressed
from dialogue.meaning import Meaning, of_intent, read_slot, value_text
from dialogue.moves import Moves


def digit_pressed(moves: Moves, event: DigitPressed) -> None:
    d, keypad = moves.dialogue, moves.state.keypad
    collecting = bool(keypad.digits) and not d.confirming
    if collecting and event.digit.isdigit():
        moves.silence()
        moves.change(digits=d.digits + event.digit, interrupted=None)
        if len(moves.dialogue.digits) >= keypad.digits:
            digits_entered(moves)
        else:
            moves.await_("keying", "digits", keypad.pause_ms)
    elif collecting and d.digits and event.digit == keypad.end:
        digits_entered(moves)
    elif collecting and d.digits and event.digit == "*":
        moves.change(digits="")
        moves.await_("keying", "digits", keypad.pause_ms)
    elif event.digit in keypad.keys:
        meaning = of_intent(moves.flow, d, keypad.keys[event.digit], 1.0)
        if meaning.kind == "no_match":
            moves.note("key_ignored", event.digit)
        else:
            moves.change(before=None, interrupted=None)
            act(moves, meaning, event.digit, "dtmf")
    else:
        moves.note("key_ignored", event.digit)


def digits_entered(moves: Moves) -> None:
    d = moves.dialogue
    if not d.digits:
        moves.wait()
        return
    reading = read_slot(moves.flow, d, d.digits, moves.at)
    moves.change(digits="", before=None)
    kind = Meaning("value", "", 1.0, value_text(reading)) if reading.complete else Meaning("no_match")
    act(moves, kind, d.digits, "dtmf")
