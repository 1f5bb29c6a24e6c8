"""Asks the intent service what a sentence means: the main set first, the FAQ set when the main set has no match.

Both requests share one deadline. An answer that does not come raises IntentError with one of four codes:
    request_timeout_error   no answer within the deadline
    api_request_error       no connection, or an HTTP status other than 2xx
    json_decode_error       an answer that is no JSON object with an intent
    unknown_error           anything else
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import aiohttp

from bot_manager import metrics
from config import BotSettings
from observability.gate import bearer

log = logging.getLogger("pronto.intents")

ErrorCode: TypeAlias = Literal["request_timeout_error", "api_request_error", "json_decode_error", "unknown_error"]
NO_MATCH = frozenset({"", "none", "fallback", "no_match", "unknown"})  # how services of this contract say "nothing"
ASK_AGAIN_S, ASK_AGAIN_AT_MOST_S = 0.05, 0.4
RESTART_SHARE = 0.6  # of the deadline: so long a service that nobody reaches may take to come back
LONGEST_SENTENCE = 500  # characters; no caller says more in one breath


class IntentError(Exception):
    """The intent service gave no usable answer; `code` is one of the four."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code: ErrorCode = code
        self.reason = reason


@dataclass(frozen=True)
class IntentAnswer:
    """What a sentence means. With `fallback` neither set had a match and `intent` is empty."""

    intent: str
    score: float
    faq_set: bool = False
    fallback: bool = False


NO_ANSWER = IntentAnswer("", 0.0, fallback=True)
"""Only the words themselves can tell what is meant."""


class IntentClient:
    """One connection pool to the intent service. `timeout_s` bounds main and FAQ set together, `token` is sent."""

    def __init__(
        self, main_url: str, faqs_url: str, timeout_s: float, token: str = "", knowledge_url: str = ""
    ) -> None:
        self._main_url = main_url
        self._faqs_url = faqs_url
        self._knowledge_url = knowledge_url
        self._timeout_s = timeout_s
        self._headers = bearer(token)
        self._session: aiohttp.ClientSession | None = None
        self.failing_since: float | None = None

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, sentence: str, language: str, allowed: Sequence[str]) -> IntentAnswer:
        """The intent of a sentence; `allowed` restricts the main set. Raises IntentError."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._both(sentence[:LONGEST_SENTENCE], language, allowed)
        except TimeoutError as error:
            self._failed("main", "request_timeout_error")
            raise IntentError("request_timeout_error", f"no answer within {self._timeout_s:g} s") from error
        self.failing_since = None
        metrics.INTENT_SECONDS.observe(time.monotonic() - started)
        if answer.fallback:
            metrics.FALLBACKS.inc()
        return answer

    async def look_up(self, question: str, language: str, file: str) -> dict[str, Any] | None:
        """The entry of a knowledge file that a question is nearest to (question, answer, score, sure); None where none
        is near. Raises IntentError; the caller sets the deadline."""
        asked = {"question": question[:LONGEST_SENTENCE], "language": language, "file": file}
        try:
            found = json.loads(await self._post(self._knowledge_url, asked))
            return found if found["answer"] is not None else None
        except (aiohttp.ClientError, OSError) as error:
            raise IntentError("api_request_error", repr(error)) from error
        except (ValueError, RecursionError, KeyError, TypeError) as error:
            raise IntentError("json_decode_error", f"no answer of a knowledge file: {error!r}") from error

    async def _both(self, sentence: str, language: str, allowed: Sequence[str]) -> IntentAnswer:
        main = await self._one("main", self._main_url, sentence, language, allowed)
        if not main.fallback:
            return main
        faq = await self._one("faqs", self._faqs_url, sentence, language, ())
        return faq if not faq.fallback else IntentAnswer("", max(main.score, faq.score), fallback=True)

    async def _one(self, name: str, url: str, sentence: str, language: str, allowed: Sequence[str]) -> IntentAnswer:
        body: dict[str, Any] = {"sentence": sentence, "language": language}
        if allowed:
            body["allowed"] = list(allowed)
        try:
            answer = _answer(await self._post(url, body), faq_set=name == "faqs")
        except IntentError as error:
            self._failed(name, error.code)
            raise
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            self._failed(name, "api_request_error")
            raise IntentError("api_request_error", repr(error)) from error
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._failed(name, "unknown_error")
            raise IntentError("unknown_error", repr(error)) from error
        metrics.INTENT_REQUESTS.labels(name, "ok").inc()
        return answer

    async def _post(self, url: str, body: dict[str, Any]) -> bytes:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        gives_up_at, pause_s = time.monotonic() + RESTART_SHARE * self._timeout_s, ASK_AGAIN_S
        while True:
            try:
                async with self._session.post(url, json=body, allow_redirects=False) as response:
                    content = await response.read()
                    starting = response.status == 503 and time.monotonic() < gives_up_at
                    if not starting and not 200 <= response.status < 300:
                        raise IntentError("api_request_error", f"HTTP {response.status}: {content[:200]!r}")
                    if not starting:
                        return content
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if time.monotonic() >= gives_up_at:
                    raise
            await asyncio.sleep(pause_s)  # closed under our hands, or restarting: asking again does no harm
            pause_s = min(2 * pause_s, ASK_AGAIN_AT_MOST_S)

    def _failed(self, name: str, code: ErrorCode) -> None:
        metrics.INTENT_REQUESTS.labels(name, code).inc()
        self.failing_since = self.failing_since or time.time()


def intents_of(settings: BotSettings) -> IntentClient:
    """The client that the settings describe."""
    return IntentClient(
        settings.intent_main_url,
        settings.intent_faqs_url,
        settings.intent_timeout_s,
        settings.pronto_token,
        settings.intent_knowledge_url,
    )


def _answer(content: bytes, faq_set: bool) -> IntentAnswer:
    """The answer of one set. Raises IntentError(json_decode_error)."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IntentError("json_decode_error", f"no JSON: {content[:100]!r}") from error
    if not isinstance(body, dict) or not isinstance(body.get("intent", 0), str | None):
        raise IntentError("json_decode_error", f"no object with an intent: {content[:100]!r}")
    intent = body["intent"] or ""
    score = body.get("score", 1.0)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise IntentError("json_decode_error", f"score must be a number, not {score!r}")
    fallback = bool(body.get("fallback", False)) or intent.lower() in NO_MATCH
    return IntentAnswer("" if fallback else intent, float(score), faq_set, fallback)
