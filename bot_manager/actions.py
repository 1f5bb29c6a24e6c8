"""Carries the actions of flows out: HTTP requests to servers on a list, with a limit of time, retries and a breaker;
messages into the outbox; questions to knowledge files.

An action belongs to no process: it begins when the call's snapshot that asks for it is stored, so that after a kill the
next bot manager asks again under the same `Idempotency-Key`. What came is one of five outcomes; a body is JSON or
nothing. Values, bodies and secrets are never logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from bot_manager import metrics
from bot_manager.credentials import NoSecret, header_of
from bot_manager.intents import IntentClient, IntentError
from bot_manager.target_breaker import TargetBreaker
from bot_manager.targets import NotReached, Targets, refusal_in, session_to
from dialogue.effects import Effect, EffectDone
from protocol.steady import steady_time

log = logging.getLogger("pronto.actions")

MOST_BODY = 256 * 1_024  # bytes
MOST_CACHED = 1_000
MOST_TARGETS = 1_000
STORED_S = 1.0  # the snapshot is stored within this time, or the action begins without
PAUSE_S = 0.1
MESSAGE_S = 2.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class ActionAnswer:
    """What came of a request: an outcome, and the JSON body. `failed`: the target's fault, which a breaker counts."""

    outcome: str
    body: Any = None
    failed: bool = False
    reason: str = ""


class ActionWorker:
    """One connection pool for all actions of all calls. `stored` waits until what asked for an action is stored.
    `messages` puts a message into the outbox; without it none can be sent. `intents` knows the knowledge files."""

    def __init__(
        self,
        targets: Targets,
        credentials_dir: Path,
        stored: Callable[[float], Awaitable[bool]] | None = None,
        resolver: AbstractResolver | None = None,
        now: Callable[[], float] = time.monotonic,
        messages: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None,
        intents: IntentClient | None = None,
    ) -> None:
        self._intents = intents
        self._messages = messages
        self._targets = targets
        self._credentials_dir = credentials_dir
        self._stored = stored
        self._resolver = resolver
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._breakers: OrderedDict[str, TargetBreaker] = OrderedDict()
        self._cache: OrderedDict[str, tuple[float, ActionAnswer]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, effect: Effect, report: Callable[[EffectDone], None]) -> None:
        """Begins an action; `report` is told what came of it, whoever waits for that."""
        task = asyncio.create_task(self._run(effect, report))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends what is under way: the next bot manager asks again."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _run(self, effect: Effect, report: Callable[[EffectDone], None]) -> None:
        if self._stored is not None:
            await self._stored(STORED_S)
        report(await self.perform(effect))

    async def perform(self, effect: Effect) -> EffectDone:
        """Does an action, within its limit of time."""
        asked, started = effect.arguments, self._now()
        name = str(asked.get("action", ""))
        try:
            match effect.kind:
                case "message":
                    answer = await self._message(asked)
                case "knowledge":
                    answer = await self._look_up(asked)
                case _:
                    answer = await self._perform(asked)
        except (NotReached, NoSecret) as error:
            answer = ActionAnswer("error", reason=str(error))
        except asyncio.CancelledError:
            raise
        except Exception:  # a bug here must not leave the caller waiting
            log.exception("action failed", extra={"effect": effect.id, "action": name})
            answer = ActionAnswer("error", reason="unknown")
        metrics.ACTIONS.labels(name, answer.outcome).inc()
        metrics.ACTION_SECONDS.observe(self._now() - started)
        if answer.reason:
            extra = {"effect": effect.id, "action": name, "outcome": answer.outcome, "reason": answer.reason}
            log.warning("action did not go well", extra=extra)
        return EffectDone(steady_time(), effect.id, {"outcome": answer.outcome, "body": answer.body})

    async def _message(self, asked: Mapping[str, Any]) -> ActionAnswer:
        """A message is ok once it is in the outbox; from there it is sent once, however long that takes."""
        if self._messages is None:
            return ActionAnswer("error", reason="WEBHOOK_URL is not set: nobody sends messages")
        try:
            async with asyncio.timeout(MESSAGE_S):
                await self._messages(asked)
        except TimeoutError:
            return ActionAnswer("timeout", reason="the outbox takes too long")
        return ActionAnswer("ok")

    async def _look_up(self, asked: Mapping[str, Any]) -> ActionAnswer:
        """A question to a knowledge file: not found where nothing is near it."""
        if self._intents is None:
            return ActionAnswer("error", reason="nobody can be asked about knowledge")
        try:
            async with asyncio.timeout(asked["timeout_ms"] / 1_000):
                found = await self._intents.look_up(str(asked["question"]), str(asked["language"]), str(asked["file"]))
        except TimeoutError:
            return ActionAnswer("timeout", reason="no answer in time")
        except IntentError as error:
            return ActionAnswer("error", reason=str(error))
        return ActionAnswer("ok", found) if found is not None else ActionAnswer("not_found")

    async def _perform(self, asked: Mapping[str, Any]) -> ActionAnswer:
        target = self._targets.check(str(asked["url"]))
        headers = {name: header_of(self._credentials_dir, parts) for name, parts in asked["headers"].items()}
        headers |= {"Idempotency-Key": str(asked["key"]), "Accept-Encoding": "identity", "Accept": "application/json"}
        cached = self._cached(asked)
        if cached is not None:
            return cached
        breaker = self._breakers.setdefault(target, TargetBreaker(self._now))
        self._breakers.move_to_end(target)
        while len(self._breakers) > MOST_TARGETS:
            self._breakers.popitem(last=False)
        if not breaker.lets_through():
            return ActionAnswer("error", reason=f"{target} has failed too often: left alone for a while")
        try:
            answer = await self._with_retries(asked, headers)
        except BaseException:
            breaker.given_up()
            raise
        breaker.told(worked=not answer.failed)
        if asked["cache_s"] and answer.outcome in ("ok", "not_found"):
            self._cache[_cache_key(asked)] = (self._now() + asked["cache_s"], answer)
            while len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)
        return answer

    async def _with_retries(self, asked: Mapping[str, Any], headers: Mapping[str, str]) -> ActionAnswer:
        tries = 1 + int(asked["retries"])
        ends_at = self._now() + asked["timeout_ms"] / 1_000
        answer = ActionAnswer("timeout", failed=True, reason="no answer in time")
        for number in range(tries):
            left_s = ends_at - self._now()
            if left_s <= 0:
                break
            answer = await self._once(asked, headers, left_s / (tries - number))
            if not answer.failed or number == tries - 1:
                break
            await asyncio.sleep(min(PAUSE_S, max(0.0, ends_at - self._now())))
        return answer

    async def _once(self, asked: Mapping[str, Any], headers: Mapping[str, str], limit_s: float) -> ActionAnswer:
        body = asked["body"]
        try:
            async with (
                asyncio.timeout(limit_s),
                self._client().request(
                    str(asked["method"]),
                    str(asked["url"]),
                    params=asked["query"] or None,
                    data=body.encode() if body is not None else None,
                    headers={**headers, **({"Content-Type": "application/json"} if body is not None else {})},
                    allow_redirects=False,
                ) as response,
            ):
                return await _answer(response)
        except TimeoutError:
            return ActionAnswer("timeout", failed=True, reason="no answer in time")
        except NotReached:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            refused = refusal_in(error)
            if refused is not None:
                raise refused from error
            return ActionAnswer("error", failed=True, reason=type(error).__name__)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = session_to(self._targets, self._resolver)
        return self._session

    def _cached(self, asked: Mapping[str, Any]) -> ActionAnswer | None:
        if not asked["cache_s"]:
            return None
        until, answer = self._cache.get(_cache_key(asked), (0.0, None))
        return answer if until > self._now() else None


def _cache_key(asked: Mapping[str, Any]) -> str:
    return json.dumps([asked["method"], asked["url"], asked["query"], asked["headers"]], sort_keys=True)


async def _answer(response: aiohttp.ClientResponse) -> ActionAnswer:
    """What a response says. A redirect is followed nowhere."""
    status = response.status
    if 300 <= status < 400:
        return ActionAnswer("error", reason=f"HTTP {status}: redirects are not followed")
    if status in AGAIN or status >= 500:
        return ActionAnswer("error", failed=True, reason=f"HTTP {status}")
    content = bytearray()
    async for chunk in response.content.iter_chunked(16_384):
        content += chunk
        if len(content) > MOST_BODY:
            return ActionAnswer("error", reason="the answer is too large")
    outcome = "ok" if status < 300 else "not_found" if status in (404, 410) else "refused"
    if not content.strip():
        return ActionAnswer(outcome)
    try:
        return ActionAnswer(outcome, json.loads(content))
    except (ValueError, RecursionError):
        return (
            ActionAnswer(outcome)
            if outcome != "ok"
            else ActionAnswer("error", failed=True, reason="the answer is no JSON")
        )
