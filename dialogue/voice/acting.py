"""The caller waits for what an action comes to: a sentence meanwhile, a filler when it takes long, never silence. Pure.

An answer that comes while something is being said waits for the end of that. Whoever runs the actions tells what came
of them within their limit; should nobody tell, the dialogue goes on by itself.
"""

from __future__ import annotations

from dialogue.effects import EffectDone
from dialogue.events import TimerExpired
from dialogue.voice.moves import Moves

GRACE_MS = 1_000  # beyond the limit of an action, for its answer to come


def action_done(moves: Moves, event: EffectDone) -> None:
    """What came of the action that is awaited."""
    moves.change(acted=event)
    if moves.dialogue.phase == "acting":
        act_on(moves)


def act_on(moves: Moves, event: object = None) -> None:
    """Goes on with what came, or waits for it."""
    d = moves.dialogue
    moves.change(playback=None)
    if d.acted is None or d.acted.id != d.conversation.awaited:
        moves.await_("acting", _limit_ms(moves) if d.filled else moves.state.filler_ms)
        return
    moves.change(acted=None)
    talk = moves.talk()
    talk.acted(d.acted)
    moves.carry_out(talk)


def takes_long(moves: Moves, event: TimerExpired) -> None:
    """No answer yet: once the caller is told so, then it is a timeout."""
    d = moves.dialogue
    if not d.filled:
        moves.change(filled=True)
        items = moves.talk().items(moves.state.filler)
        if items:
            moves.play(items, phase="announcing")
        else:
            moves.await_("acting", _limit_ms(moves))
        return
    moves.change(acted=EffectDone(moves.at, d.conversation.awaited, {"outcome": "timeout"}))
    act_on(moves)


def _limit_ms(moves: Moves) -> int:
    action = moves.flow.actions.get(moves.state.action)
    return (action.timeout_ms if action is not None else 0) + GRACE_MS
