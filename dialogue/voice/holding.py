"""The caller puts the call on hold and takes it back. Pure.

While it is on hold nobody hears what is said, and what comes from there is music, or an announcement that may well say
"yes": the bot is silent, asks nothing, counts no silence, and an utterance that began meanwhile answers nothing,
however late its transcript comes. Afterwards what was cut is said again from its beginning, or the question is asked
again.
"""

from __future__ import annotations

from typing import TypeAlias

from dialogue.events import (
    HoldBegan,
    HoldEnded,
    IntentTrouble,
    NothingHeard,
    Recognised,
    RecognitionTrouble,
    SpeechBegan,
    TimerExpired,
    Understood,
)
from dialogue.voice.acting import act_on
from dialogue.voice.hearing import drop_question, is_new
from dialogue.voice.moves import Moves

MOST_HELD_MS = 540_000
"""Then the caller counts as there again, as their coming back may have been missed. Asterisk hangs up on a line that is
dead for as long as its `rtp_timeout_hold` says."""
OfHold: TypeAlias = SpeechBegan | Recognised | Understood | NothingHeard | RecognitionTrouble | IntentTrouble


def hold_began(moves: Moves, event: HoldBegan) -> None:
    """Falls silent and waits; also in a good-bye, which nobody would hear."""
    drop_question(moves)
    moves.cut_prompt()
    moves.note("held")
    moves.change(early=None, digits="")
    moves.await_("held", MOST_HELD_MS)


def hold_ended(moves: Moves, event: HoldEnded | TimerExpired) -> None:
    """Says again what the hold cut, or asks the question again: nobody's step of an escalation."""
    moves.note("taken_back")
    conversation, cut = moves.dialogue.conversation, moves.dialogue.interrupted
    moves.change(unheard=0, resumptions=0, filled=False)
    if conversation.awaited:
        act_on(moves)
    elif cut is not None and not cut.fills:
        moves.play(cut.items, phase="parting" if conversation.ending else "speaking")
    elif conversation.ending:
        moves.finish()
    else:
        talk = moves.talk()
        talk.ask_again()
        moves.carry_out(talk)


def heard_on_hold(moves: Moves, event: OfHold) -> None:
    """Not the caller: the utterance counts as answered."""
    if is_new(moves.dialogue, event):
        moves.change(utterance=event.utterance, utterance_text="")
    moves.note("stale", type(event).__name__)
