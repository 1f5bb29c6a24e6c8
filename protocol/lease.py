"""One process does a job of a cell alone: a lease in Redis, with a fencing number that only grows.

Whoever holds the lease commits what a step came to in one script: messages, snapshots and the reader's position are
stored together or not at all, and only while nobody with a higher number has taken the job over. A process that was
stopped and wakes up late can therefore do no harm, however sure it is of itself (Kleppmann, "How to do distributed
locking", 2016). A commit whose answer was lost is sent again with its serial and is done once.

With each commit the holder says which calls it drives (`driven`); the controller reads that, and sees by it that
nobody drives a call, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from protocol.keys import (
    DRIVEN_EXPIRY_S,
    POSITION_EXPIRY_S,
    STREAM_LENGTH,
    committed_key,
    driven_key,
    fence_key,
    lease_key,
    position_key,
    stream_key,
)

LEASE_MS = 1_500
"""So long after its last sign a process that holds the lease is taken for dead."""
DRIVEN_MS = 2_000
"""So long after a bot manager last said so a call counts as driven."""

_TAKE = """
if redis.call('GET', KEYS[1]) then return 0 end
local fence = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], fence, 'PX', ARGV[1])
return fence
"""

# 1 done, 2 was done before, 0 somebody else has the job
_COMMIT = """
local fence, holder = tonumber(ARGV[1]), redis.call('GET', KEYS[1])
if holder and tonumber(holder) ~= fence then return 0 end
if not holder then
  if tonumber(redis.call('GET', KEYS[2]) or '0') > fence then return 0 end
  redis.call('SET', KEYS[2], fence)
end
redis.call('EXPIRE', KEYS[2], ARGV[7])
redis.call('SET', KEYS[1], fence, 'PX', ARGV[2])
local now = redis.call('TIME')
local driven_until = now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[5]
local at = 8
local function take()
  at = at + 1
  return ARGV[at]
end
local calls = tonumber(take())
for _ = 1, calls do redis.call('ZADD', KEYS[7], driven_until, take()) end
local gone = tonumber(take())
for _ = 1, gone do redis.call('ZREM', KEYS[7], take()) end
if calls > 0 then redis.call('EXPIRE', KEYS[7], ARGV[8]) end
local mark = ARGV[1] .. ':' .. ARGV[3]
if ARGV[3] == '' then return 1 end
if redis.call('GET', KEYS[3]) == mark then return 2 end
local messages = tonumber(take())
for _ = 1, messages do
  local stream = KEYS[4]
  if take() == 'commands' then stream = KEYS[5] end
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[6], '*', 'm', take())
end
local snapshots = tonumber(take())
for _ = 1, snapshots do
  local key, text = take(), take()
  redis.call('SET', key, text, 'EX', take())
end
if ARGV[4] ~= '' then redis.call('SET', KEYS[6], ARGV[4], 'EX', ARGV[7]) end
redis.call('SET', KEYS[3], mark, 'EX', ARGV[7])
return 1
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class LeaseLost(Exception):
    """Another process does the job now: nothing that this one still wants to say may be said."""


@dataclass(frozen=True)
class Commit:
    """What is stored in one go. `messages`: (stream, JSON); `snapshots`: (key, text, expiry in seconds).

    `serial` counts the commits of a holder; `position` is the entry of the events up to which all was dealt with.
    """

    serial: int
    messages: Sequence[tuple[str, str]] = ()
    snapshots: Sequence[tuple[str, str, int]] = ()
    position: str = ""


class Lease:
    """The lease of one role in one cell; `consumer` is the holder's name as a reader of events."""

    def __init__(self, redis: Redis, cell: str, role: str, consumer: str) -> None:
        self._redis = redis
        self._role_keys = [lease_key(cell, role), fence_key(cell, role)]
        self._commit_keys = [
            *self._role_keys,
            committed_key(cell, role),
            stream_key(cell, "events"),
            stream_key(cell, "commands"),
            position_key(cell, "events", consumer),
            driven_key(cell),
        ]
        self._take = redis.register_script(_TAKE)
        self._commit = redis.register_script(_COMMIT)
        self._release = redis.register_script(_RELEASE)
        self.fence = 0
        """Our fencing number; 0 while we have none."""

    async def take(self) -> bool:
        """Takes the lease if nobody holds it. Raises RedisError or OSError."""
        fence: Any = await self._take(self._role_keys, [LEASE_MS, POSITION_EXPIRY_S])
        self.fence = int(fence) or self.fence
        return bool(fence)

    async def commit(self, commit: Commit, driven: Iterable[str], gone: Iterable[str]) -> None:
        """Stores a step, renews the lease, says which calls are driven and which no more. Raises LeaseLost,
        RedisError or OSError; after the last two the same commit may be sent again."""
        rows = [cell for row in commit.messages for cell in row]
        stored = [cell for row in commit.snapshots for cell in row]
        body: list[Any] = [len(commit.messages), *rows, len(commit.snapshots), *stored]
        await self._run(str(commit.serial), commit.position, driven, gone, body)

    async def renew(self, driven: Iterable[str], gone: Iterable[str] = ()) -> None:
        """Renews the lease and says which calls are driven, nothing else. Raises LeaseLost, RedisError or OSError."""
        await self._run("", "", driven, gone, [])

    async def release(self) -> None:
        """Gives the lease back, so that the next need not wait. Raises RedisError or OSError."""
        await self._release(self._role_keys[:1], [self.fence])

    async def _run(
        self, serial: str, position: str, driven: Iterable[str], gone: Iterable[str], body: list[Any]
    ) -> None:
        if not self.fence:
            raise LeaseLost("no lease was ever taken")
        calls, ended = list(driven), list(gone)
        fixed: list[Any] = [
            self.fence,
            LEASE_MS,
            serial,
            position,
            DRIVEN_MS,
            STREAM_LENGTH,
            POSITION_EXPIRY_S,
            DRIVEN_EXPIRY_S,
        ]
        done: Any = await self._commit(self._commit_keys, [*fixed, len(calls), *calls, len(ended), *ended, *body])
        if not done:
            raise LeaseLost(f"fencing number {self.fence} is not the highest any more")


async def driven_calls(redis: Redis, cell: str) -> frozenset[str]:
    """The calls that a bot manager drives now. Raises RedisError or OSError."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.time()
        pipe.zrange(driven_key(cell), 0, -1, withscores=True)
        (seconds, microseconds), entries = await pipe.execute()
    now_ms = seconds * 1_000 + microseconds // 1_000
    return frozenset(str(call_id) for call_id, until_ms in entries if until_ms >= now_ms)
