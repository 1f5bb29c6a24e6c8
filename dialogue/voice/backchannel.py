"""A "yes, yes" while the bot speaks shows that the caller listens; it answers no question that was not asked yet. Pure.

What counts is how much of the question, the last thing that is said in a turn, they had heard when they said it.
"""

from __future__ import annotations

from typing import Final

from dialogue.events import Understood
from dialogue.meaning import BARE_YES_NO, Meaning
from dialogue.slots.words import words_of
from dialogue.voice.moves import Moves
from dialogue.voice.state import PlaybackUnderWay

QUESTION_MS: Final = 500
"""With so much of a question heard, an answer to it is possible: it was just asked in other words, or they know it."""
MOST_WORDS: Final = 3
"""More words than these say what they are about."""


def is_backchannel(moves: Moves, event: Understood, meaning: Meaning) -> bool:
    """Whether a text is a bare yes or no that was said before the question of this turn."""
    if not meaning.yes_no.complete or meaning.yes_no.confidence < BARE_YES_NO:
        return False
    if len(words_of(event.text)) > MOST_WORDS:
        return False
    heard_ms = _question_heard_ms(moves, event)
    return heard_ms is not None and heard_ms < QUESTION_MS


def _question_heard_ms(moves: Moves, event: Understood) -> float | None:
    """How much of the question was heard when they began to speak; None where they did not speak over it."""
    cut, spoken = moves.dialogue.interrupted, moves.dialogue.spoken
    if cut is not None:
        if len(cut.heard) == len(cut.items):
            return cut.heard[-1].heard_ms if cut.heard[-1].state != "skipped" else 0
        return _of_last(moves, cut, cut.heard_ms)
    if event.aside and spoken is not None and spoken.began_at and event.speech_started_at:
        return _of_last(moves, spoken, spoken.offset_ms + (event.speech_started_at - spoken.began_at) * 1_000)
    return None


def _of_last(moves: Moves, playback: PlaybackUnderWay, played_ms: float) -> float:
    return played_ms - moves.length_ms(playback.items[:-1])
