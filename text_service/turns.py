"""What the bot understood in the conversations of a cell, from the bus: the last turn of each, to be shown.

Nothing here is needed to go on; a process that is killed forgets it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from protocol.bus import Inbox
from protocol.call_id import cell_of
from protocol.messages import CallConcluded, Message, TurnTaken

MOST_KNOWN: Final = 10_000


@dataclass(frozen=True)
class WatchedTurn:
    """The last turn of a conversation: its number, what was meant and how sure that is, and how the conversation came
    out, once it has."""

    turn: int = 0
    intent: str = ""
    score: float = 0.0
    outcome: str = ""


class TurnWatch:
    """The last turns of the conversations of a cell; of too many, the one that was silent longest is forgotten."""

    def __init__(self, cell: str) -> None:
        self._cell = cell
        self._known: OrderedDict[str, WatchedTurn] = OrderedDict()
        self._changed = asyncio.Condition()

    async def follow(self, events: Inbox) -> None:
        """Reads the events of the bus, for ever."""
        async for message in events.messages():
            await self.take(message)

    async def take(self, message: Message) -> None:
        """What of the bus concerns it."""
        if not isinstance(message, TurnTaken | CallConcluded) or cell_of(message.call_id) != self._cell:
            return
        known = self._known.get(message.call_id, WatchedTurn())
        if isinstance(message, CallConcluded):
            known = replace(known, outcome=message.outcome)
        else:
            known = replace(known, turn=message.turn, intent=message.intent, score=message.score)
        self._known[message.call_id] = known
        self._known.move_to_end(message.call_id)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        async with self._changed:
            self._changed.notify_all()

    async def of(self, call_id: str, turn: int, is_over: bool, within_s: float) -> WatchedTurn | None:
        """The turn with this number, or a later one; of a conversation that is over, with its outcome. None where
        `within_s` was not enough."""
        is_there: Callable[[], bool] = lambda: _has(self._known.get(call_id), turn, is_over)  # noqa: E731
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(is_there)
        except TimeoutError:
            return None
        return self._known.get(call_id)


def _has(known: WatchedTurn | None, turn: int, is_over: bool) -> bool:
    return known is not None and known.turn >= turn and (bool(known.outcome) or not is_over)
