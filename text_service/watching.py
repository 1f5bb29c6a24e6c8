"""Who waits for the next change of a client's conversation: the sockets and requests of this process, and front parts.

Nothing of a conversation is here, only that it has changed; who is told reads the rest where it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

MOST_NOTED: Final = 20_000
"""Clients of whom a front part was not told yet: one that reads so slowly is to connect again."""


@dataclass
class Watched:
    """A client with somebody who works on their conversation: one at a time, and told of each change."""

    noted: Callable[[], None] = lambda: None
    """Called with each change."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    changes: int = 0
    users: int = 0

    async def tell(self) -> None:
        """Wakes who waits for a change."""
        self.noted()
        async with self.changed:
            self.changes += 1
            self.changed.notify_all()

    async def changed_since(self, seen: int, within_s: float | None = None) -> bool:
        """Waits until something has changed since `changes` was `seen`; False when `within_s` was not enough."""
        try:
            async with asyncio.timeout(within_s), self.changed:
                await self.changed.wait_for(lambda: self.changes != seen)
        except TimeoutError:
            return False
        return True


class ChangeFeed:
    """The clients whose conversations have changed, for one front part: each once, however often it was."""

    def __init__(self) -> None:
        self._noted: dict[str, None] = {}
        self._comes = asyncio.Event()
        self._is_over = False

    def note(self, client_id: str) -> None:
        """Something has changed."""
        self._noted[client_id] = None
        if len(self._noted) > MOST_NOTED:
            self.end()
        self._comes.set()

    def end(self) -> None:
        """Nothing more is told."""
        self._is_over = True
        self._noted.clear()
        self._comes.set()

    async def next(self, within_s: float) -> tuple[str, ...] | None:
        """Who has changed since the last time; nobody when `within_s` was not enough, None at the end."""
        try:
            async with asyncio.timeout(within_s):
                await self._comes.wait()
        except TimeoutError:
            return ()
        self._comes.clear()
        noted, self._noted = tuple(self._noted), {}
        return None if self._is_over else noted


class Watchers:
    """All who wait in this process, by client."""

    def __init__(self) -> None:
        self._open: dict[str, Watched] = {}
        self._feeds: set[ChangeFeed] = set()

    @asynccontextmanager
    async def watched(self, client_id: str) -> AsyncGenerator[Watched]:
        """A client's conversation, for the length of a block."""
        client = self._open.setdefault(client_id, Watched(lambda: self._note(client_id)))
        client.users += 1
        try:
            yield client
        finally:
            client.users -= 1
            if not client.users:
                self._open.pop(client_id, None)

    async def tell(self, client_id: str) -> None:
        """Wakes who waits for this client, if anybody does, and tells the front parts."""
        if client_id in self._open:
            await self._open[client_id].tell()
        else:
            self._note(client_id)

    async def tell_all(self) -> None:
        """Wakes everybody who waits in this process."""
        for client in list(self._open.values()):
            await client.tell()

    @contextmanager
    def feed(self) -> Iterator[ChangeFeed]:
        """What changes during a block, for a front part."""
        feed = ChangeFeed()
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def end_feeds(self) -> None:
        """The service stops: front parts are to ask the next process."""
        for feed in self._feeds:
            feed.end()

    def _note(self, client_id: str) -> None:
        for feed in self._feeds:
            feed.note(client_id)
