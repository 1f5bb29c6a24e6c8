"""Does things one after the other, in the order they came, without making the one who asks wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """Runs `do(item)` for each item; a task exists only while there is something to do. `do` must not raise."""

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
        while self._waiting:
            await self._do(self._waiting.popleft())
        self._task = None

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be done."""
        return self._task is not None

    async def settle(self) -> None:
        """Returns when nothing is left to do."""
        while self._task is not None:
            await asyncio.wait({self._task})
