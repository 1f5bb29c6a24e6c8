"""What the calls of a cell come to, stored in Redis in one go: messages, snapshots and the place in the events.

A step of a call queues all that it came to at once, and the cut that is committed lies between steps: after a kill the
next bot manager finds for each event either all of its consequences or none. Nobody waits for Redis; while it is away
the newest snapshot of each call and the messages in their order wait here. Committing renews the lease of the cell and
says which calls are driven; a bot manager that lost the lease says nothing more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from redis.exceptions import RedisError

from bot_manager import metrics
from protocol.bus import BACK_OFF_S, happens, raise_if_cancelled
from protocol.codec import encode
from protocol.keys import CALL_EXPIRY_S, OVER_EXPIRY_S, call_key
from protocol.lease import Commit, Lease
from protocol.messages import VERSION, Command, Message
from protocol.steady import steady_time

log = logging.getLogger("pronto.commits")

RENEW_S = 0.4
MOST_AT_ONCE = 200
MOST_SNAPSHOTS = 20_000


class Commits:
    """What is to be stored, and the task that stores it.

    `driven` gives the calls that this process drives now. `bound` is the number of messages kept while Redis is away;
    beyond it the oldest is dropped, counted in `dropped` and logged. `away_since` is epoch time, None while it answers.
    """

    def __init__(self, lease: Lease, cell: str, bound: int = 50_000) -> None:
        self._lease = lease
        self._cell = cell
        self._bound = bound
        self._messages: deque[tuple[str, str]] = deque()
        self._snapshots: dict[str, tuple[str, int]] = {}
        self._gone: list[str] = []
        self._position = ""
        self._sending: Commit | None = None
        self._serial = 0
        self._wake = asyncio.Event()
        self._stored = asyncio.Event()
        self._stored.set()
        self.driven: Callable[[], Iterable[str]] = tuple
        self.dropped = 0
        self.away_since: float | None = None

    def __len__(self) -> int:
        """Messages that Redis has not taken yet."""
        return len(self._messages) + (len(self._sending.messages) if self._sending else 0)

    # --- what a step came to: all of these return at once -------------------------------------------------------------

    def send(self, message: Message, version: int = VERSION) -> None:
        """A message, in the words of the version that its reader speaks. Raises ValueError when that has none."""
        text = encode(message, version)
        if len(self) >= self._bound and self._messages:
            self._messages.popleft()
            self.dropped += 1
            log.error("too much waits for redis, the oldest message is dropped", extra={"waiting": len(self)})
        self._messages.append(("commands" if isinstance(message, Command) else "events", text))
        self._changed()

    def keep(self, call_id: str, body: dict[str, Any]) -> None:
        """The state of a call."""
        self._keep(call_id, body, CALL_EXPIRY_S)

    def keep_over(self, call_id: str, at: float, entry: str, call_log: dict[str, Any]) -> None:
        """A call is over since `at` (seconds since the epoch) and its stream entry `entry`, and how it went: a bot
        manager that is killed now has perhaps not written that down."""
        self._keep(call_id, {"over": True, "at": at, "entry": entry, "chronicle": call_log}, OVER_EXPIRY_S)
        self._gone.append(call_id)

    def dealt_with(self, entry_id: str) -> None:
        """The events up to this stream entry are dealt with, and what they came to is queued here."""
        self._position = entry_id
        self._changed()

    def _keep(self, call_id: str, body: dict[str, Any], expiry_s: int) -> None:
        if call_id not in self._snapshots and len(self._snapshots) >= MOST_SNAPSHOTS:
            del self._snapshots[next(iter(self._snapshots))]
            metrics.SNAPSHOT_FAILURES.inc()
        self._snapshots[call_id] = (json.dumps({"cell": self._cell, **body}, ensure_ascii=False), expiry_s)
        self._changed()

    def _changed(self) -> None:
        self._stored.clear()
        self._wake.set()

    # --- storing ------------------------------------------------------------------------------------------------------

    async def stored(self, timeout_s: float = 2.0) -> bool:
        """Waits until everything is in Redis; False when that took longer."""
        return self._stored.is_set() or await happens(self._stored, timeout_s)

    async def run(self) -> None:
        """Stores until cancelled. Raises LeaseLost when another bot manager drives the calls."""
        failures = 0
        while True:
            if self._sending is None and not await happens(self._wake, RENEW_S):
                self._stored.set()
            commit = self._next()
            try:
                if commit is None:
                    await self._lease.renew(self.driven())
                else:
                    await self._lease.commit(commit, self.driven(), tuple(self._gone))
                raise_if_cancelled()
            except (RedisError, OSError) as error:
                self.away_since = self.away_since or steady_time()
                if failures == 0:
                    log.warning("redis does not take what was done", extra={"error": repr(error), "waiting": len(self)})
                metrics.SNAPSHOT_FAILURES.inc()
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
                continue
            if self.away_since is not None:
                log.info("redis is back", extra={"away_s": round(steady_time() - self.away_since, 1)})
            self.away_since, failures = None, 0
            if commit is not None:
                self._sending = None
                self._gone.clear()
            if not self._has_more():
                self._wake.clear()
                self._stored.set()

    def _has_more(self) -> bool:
        return bool(self._messages or self._snapshots or self._position)

    def _next(self) -> Commit | None:
        """What is being sent, or else all that waits; None when there is nothing."""
        if self._sending is None and self._has_more():
            is_all = len(self._messages) <= MOST_AT_ONCE
            messages = [self._messages.popleft() for _ in range(min(len(self._messages), MOST_AT_ONCE))]
            snapshots: list[tuple[str, str, int]] = []
            position = ""
            if is_all:  # else the messages of some step still wait here, and what goes with them waits too
                snapshots = [(call_key(call_id), text, expiry) for call_id, (text, expiry) in self._snapshots.items()]
                position, self._position = self._position, ""
                self._snapshots.clear()
            self._serial += 1
            self._sending = Commit(self._serial, messages, snapshots, position)
        return self._sending
