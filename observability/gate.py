"""Who may ask a service over HTTP, and how much may be sent: a bearer token (RFC 6750) and a limit for bodies.

With a token set, every path but OPEN needs `Authorization: Bearer <token>`. `/health` and `/ready` stay open: balancers
and supervisors that ask them often cannot send a header, and they tell nothing about callers. `/metrics` is not open:
how many calls there are and how they come out is nobody else's business, and Prometheus can send the header.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from math import inf
from typing import Any, Final, TypeAlias

from prometheus_client import Counter

OPEN: Final = frozenset({"/health", "/ready"})
UNAUTHORISED: Final = ("unauthorised", "a bearer token is needed")
"""Code and detail of the refusal."""
REFUSED = Counter("pronto_http_unauthorised", "requests without the bearer token")

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def may_enter(path: str, authorization: bytes, token: str) -> bool:
    """Whether a request with this `Authorization` header may have this path; always without a token."""
    if not token or path in OPEN:
        return True
    scheme, _, given = authorization.partition(b" ")
    # as long for a wrong token as for a right one, so that it cannot be guessed letter by letter
    if scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), token.encode()):
        return True
    REFUSED.inc()
    return False


def bearer(token: str) -> dict[str, str]:
    """The header of a client; none without a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


class Gate:
    """An ASGI layer: refuses with 401 who has no token, and with 413 a body of more than `max_body_bytes`, if given."""

    def __init__(self, app: App, token: str, max_body_bytes: float = inf) -> None:
        self._app = app
        self._token = token
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or not may_enter(scope["path"], headers.get(b"authorization", b""), self._token):
            await _refuse(scope, send, 401, *UNAUTHORISED)
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or float(length) > self._max_body_bytes:
            await self._refuse_body(scope, send)
            return
        await self._limited(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts what comes, for those who do not say beforehand how much it is. Too much looks like a hang-up to the
        application, and what it says then is replaced."""
        came = 0
        answered = False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return message if came <= self._max_body_bytes else {"type": "http.disconnect"}

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal answered
            if came <= self._max_body_bytes or answered:
                answered = True
                await send(message)

        try:
            await self._app(scope, counted, noted)
        except Exception:
            if came <= self._max_body_bytes:
                raise
        if came > self._max_body_bytes and not answered:
            await self._refuse_body(scope, send)

    async def _refuse_body(self, scope: Scope, send: Send) -> None:
        text = f"the body is larger than {self._max_body_bytes} bytes"
        with contextlib.suppress(OSError):  # who sends too much may hang up on the answer
            await _refuse(scope, send, 413, "too_large", text)


async def _refuse(scope: Scope, send: Send, status: int, code: str, detail: str) -> None:
    if scope["type"] == "websocket":  # there are none here
        await send({"type": "websocket.close", "code": 1008})
        return
    # the shape that OpenAI's clients know under /v1/, ours elsewhere
    error = {"message": detail, "type": "invalid_request_error", "param": None, "code": code}
    shown = {"error": error} if scope["path"].startswith("/v1/") else {"error": code, "detail": detail}
    body = json.dumps(shown).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
