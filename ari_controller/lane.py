"""Does things one after the other, in the order they came, without making the one who asks wait."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

log = logging.getLogger("pronto.controller")

T = TypeVar("T")


class Lane(Generic[T]):
    """Runs `do(item)` for each item; a task exists only while there is something to do. What fails is logged."""

    def __init__(self, do: Callable[[T], Awaitable[None]]) -> None:
        self._do = do
        self._waiting: deque[T] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, item: T) -> None:
        """Adds an item; returns at once."""
        self._waiting.append(item)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                item = self._waiting.popleft()
                try:
                    await self._do(item)
                except Exception:  # a bug with one item: the others still have their turn
                    log.exception("an item of a lane failed", extra={"item": type(item).__name__})
        finally:
            self._task = None

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be done."""
        return self._task is not None

    async def settle(self) -> None:
        """Returns when nothing is left to do."""
        while self._task is not None:
            await asyncio.wait({self._task})
