"""Keys that the caller presses, made into moves. Pure: digits are collected for a slot, single keys are intents.

Into a prompt without `barge_in` they mean nothing, as words do: it is heard out.
"""

from __future__ import annotations

from dialogue.events import DigitPressed
from dialogue.meaning import Meaning, of_intent, read_slot, value_text
from dialogue.voice.hearing import act
from dialogue.voice.moves import Moves


def digit_pressed(moves: Moves, event: DigitPressed) -> None:
    """One key."""
    d, keypad = moves.dialogue, moves.state.keypad
    collecting = bool(keypad.digits) and not d.conversation.confirming
    if d.playback is not None and not moves.state.listening.barge_in:
        moves.note("key_ignored", event.digit)  # what is being said must be heard out
    elif collecting and event.digit.isdigit():
        moves.silence()
        moves.change(digits=d.digits + event.digit, interrupted=None)
        if len(moves.dialogue.digits) >= keypad.digits:
            digits_entered(moves)
        else:
            moves.await_("keying", keypad.pause_ms)
    elif collecting and d.digits and event.digit == keypad.end:
        digits_entered(moves)
    elif collecting and d.digits and event.digit == "*":
        moves.change(digits="")
        moves.await_("keying", keypad.pause_ms)
    elif event.digit in keypad.keys:
        meaning = of_intent(moves.flow, d.conversation, keypad.keys[event.digit], 1.0)
        if meaning.kind == "no_match":
            moves.note("key_ignored", event.digit)
        else:
            moves.change(early=None, interrupted=None)
            act(moves, meaning, event.digit, "dtmf")
    else:
        moves.note("key_ignored", event.digit)


def digits_entered(moves: Moves) -> None:
    """The entry is complete."""
    d = moves.dialogue
    if not d.digits:
        moves.wait()
        return
    reading = read_slot(moves.flow, d.conversation, d.digits, moves.at)
    moves.change(digits="", early=None)
    kind = Meaning("value", "", 1.0, value_text(reading)) if reading.complete else Meaning("no_match")
    act(moves, kind, d.digits, "dtmf")
