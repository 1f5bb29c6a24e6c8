"""Shares the processor among many texts: so many at work at once. Whose listener would soon hear a hole comes first,
then texts of which nothing was heard yet, then those whose listeners have enough for now; among equals the earliest.

First pieces before all else would be quicker where many texts come at once, and cost who listens already: of 25 texts
at once, listeners then waited up to half a second in mid-sentence.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

HASTE_S: Final = 0.3
"""With less sound left than that a listener would soon hear a hole."""


@dataclass
class TextListener:
    """Who hears one text. `ends_s`: when they will have heard all that was given, before that when they asked."""

    ends_s: float
    begun: bool = False

    def given(self, seconds: float, now_s: float) -> None:
        """So much sound went to them."""
        if seconds > 0:
            self.ends_s = max(self.ends_s, now_s) + seconds
            self.begun = True


@dataclass
class _Waiting:
    listener: TextListener
    number: int
    place: asyncio.Future[None]

    def rank(self, now_s: float) -> tuple[int, float, int]:
        """The least comes first."""
        is_urgent = self.listener.begun and self.listener.ends_s - now_s < HASTE_S
        return 0 if is_urgent else 2 if self.listener.begun else 1, self.listener.ends_s, self.number


class Turns:
    """`at_once` places. `clock` is that of the listeners' times."""

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = at_once
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(not one.place.done() for one in self._waiting)

    @asynccontextmanager
    async def turn(self, listener: TextListener) -> AsyncIterator[None]:
        """A place, when it is this listener's turn."""
        if self._free:
            self._free -= 1
        else:
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(listener, next(self._numbers), place))
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        self._waiting = [one for one in self._waiting if not one.place.done()]
        if not self._waiting:
            self._free += 1
            return
        now_s = self._clock()
        first = min(self._waiting, key=lambda one: one.rank(now_s))
        self._waiting.remove(first)
        first.place.set_result(None)
