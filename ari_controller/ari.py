"""A thin client of the Asterisk REST Interface: a request value in, JSON out; one websocket's events to one listener.

See https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/Asterisk_REST_Interface/
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import deque
from typing import Any, Protocol

import aiohttp

from ari_controller import metrics
from ari_controller.ari_errors import AriError, Conflict, NotFound, ServerFault, Unreachable, error_of
from ari_controller.ari_requests import Request

log = logging.getLogger("pronto.ari")

CONNECTIONS = 64  # far below http.conf's sessionlimit: one more is closed without an answer
KEEP_ALIVE_S = 10.0  # less than http.conf's session_keep_alive (15 s), so that no request meets a closing connection
REQUEST_TIMEOUT_S = 3.0
HEARTBEAT_S = 10.0
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
RECENT_S = 2.0
STABLE_S = 5.0  # a connection that held this long starts the back-off anew


class Listener(Protocol):
    """Who hears of the websocket. None of these may block: they only pass on."""

    def connected(self) -> None:
        """Events flow from now on; those of before are lost."""

    def received(self, text: str) -> None:
        """One event as it came."""

    def disconnected(self, reason: str) -> None:
        """No events until `connected` is called again."""


class AriClient:
    """One Asterisk, one application. Use as an async context manager."""

    def __init__(self, url: str, user: str, password: str, app: str) -> None:
        self._url = url.rstrip("/") + "/ari"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._app = app
        self._session: aiohttp.ClientSession | None = None
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._answers: deque[tuple[float, float]] = deque(maxlen=1_000)

    async def __aenter__(self) -> AriClient:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
            trace_configs=[_no_redirects()],
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Any:
        """The JSON answer, None for an empty one. Raises AriError; a DELETE of what is gone is done."""
        began = time.perf_counter()
        try:
            return await self._send(request)
        except AriError as error:
            if request.method == "DELETE" and _is_gone(error, request):
                return None
            metrics.ARI_ERRORS.labels(request.name, str(error.status)).inc()
            raise
        finally:
            took_s = time.perf_counter() - began
            metrics.ARI_SECONDS.labels(request.name).observe(took_s)
            if request.name != "list":  # what it has to tell takes its time
                self._answers.append((began, took_s))

    @property
    def recent_s(self) -> float:
        """How long nine in ten of the requests of the last two seconds took at most; 0 where there were few."""
        since = time.perf_counter() - RECENT_S
        while self._answers and self._answers[0][0] < since:
            self._answers.popleft()
        times = sorted(seconds for _, seconds in self._answers)
        return times[len(times) * 9 // 10] if len(times) >= 3 else 0.0

    async def _send(self, request: Request) -> Any:
        assert self._session is not None, "use the client as an async context manager"
        try:
            async with self._session.request(request.method, self._url + request.path, params=request.params) as answer:
                body = (await answer.read()).decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(0, f"{type(error).__name__}: {error}") from error
        if answer.status >= 400:
            raise error_of(answer.status, body)
        try:
            return json.loads(body) if body else None
        except ValueError as error:
            raise ServerFault(answer.status, f"the answer is no JSON: {error}") from error

    async def listen(self, listener: Listener) -> None:
        """Keeps one websocket open and passes on what comes, for ever; reconnects with back-off and jitter."""
        failures = 0
        while True:
            began = time.monotonic()
            reason = await self._listen_once(listener)
            failures = 0 if time.monotonic() - began > STABLE_S else failures + 1
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)] * random.uniform(0.5, 1.0)
            log.warning("ARI connection lost", extra={"reason": reason, "retry_in_s": round(pause_s, 2)})
            await asyncio.sleep(pause_s)

    async def _listen_once(self, listener: Listener) -> str:
        assert self._session is not None, "use the client as an async context manager"
        try:
            socket = await self._session.ws_connect(
                self._url + "/events",
                params={"app": self._app},
                heartbeat=HEARTBEAT_S,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        self._websocket = socket
        listener.connected()
        reason = "closed"
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    listener.received(message.data)
                elif message.type is aiohttp.WSMsgType.ERROR:
                    reason = repr(socket.exception())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            self._websocket = None
            listener.disconnected(reason)
            await socket.close()
        return reason

    async def drop(self) -> None:
        """Closes the websocket; `listen` opens a new one after its back-off."""
        if self._websocket is not None:
            await self._websocket.close()


def _no_redirects() -> aiohttp.TraceConfig:
    """For every request of a session, the websocket's too, which has no option for it."""

    async def refuse(_: object, __: object, found: aiohttp.TraceRequestRedirectParams) -> None:
        found.response.close()
        raise aiohttp.ClientError("Asterisk redirects: it is another server, or there is a proxy before it")

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config


def _is_gone(error: AriError, request: Request) -> bool:
    """A bridge that Asterisk is taking down is for a moment in no application any more; all of ours are in one."""
    return isinstance(error, NotFound) or (isinstance(error, Conflict) and request.path.startswith("/bridges/"))
