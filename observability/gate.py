"""Who may ask a service over HTTP, and how much may be sent: the one gate of every server.

With a token set, who sends `Authorization: Bearer <token>` (RFC 6750) is trusted, nobody else. Without one a server is
bound to loopback, and programs of this machine are trusted; but a browser on it also sends what a page of any other
site wants. Such requests give themselves away: by `Sec-Fetch-Site` or `Origin`, or, where that site's name was made to
lead here (DNS rebinding), by a `Host` that is no name of this machine.

Who is not trusted gets the paths in OPEN and nothing else. `/health` and `/ready` are open: balancers and supervisors
that ask them often cannot send a header. They learn whether the service lives and takes work, nothing more: how many
calls there are, from where, and on which files is nobody else's business. Prometheus can send the header.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from math import inf
from typing import Any, Final, TypeAlias

from prometheus_client import Counter

from config import is_loopback

OPEN: Final = frozenset({"/health", "/ready"})
TRUSTED: Final = "pronto.trusted"
"""Key of the scope: whether who asks is trusted. Without a gate it is not there, and nobody is."""
NO_TOKEN: Final = (401, "unauthorised", "a bearer token is needed")
"""Status, code and detail of a refusal; likewise below."""
OTHER_SITE: Final = (403, "other_site", "without PRONTO_TOKEN only programs of this machine are served")
REFUSED = Counter("pronto_http_unauthorised", "requests without the bearer token, or of another site's page")

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
AsgiSend: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, AsgiSend], Awaitable[None]]


def is_trusted(headers: Mapping[bytes, bytes], token: str) -> bool:
    """Whether a request with these headers (names in small letters) may have everything."""
    if token:
        return _has_token(headers.get(b"authorization", b""), token)
    return _is_of_this_machine(headers)


def _has_token(authorization: bytes, token: str) -> bool:
    scheme, _, given = authorization.partition(b" ")
    # as long for a wrong token as for a right one, so that it cannot be guessed letter by letter
    return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), token.encode())


def _is_of_this_machine(headers: Mapping[bytes, bytes]) -> bool:
    if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return False
    host = headers.get(b"host", b"")
    if headers.get(b"origin", b"http://" + host) != b"http://" + host:
        return False
    name = host.decode("latin-1").lower()
    if not name.endswith("]"):  # an IPv6 address without a port
        name = name.rpartition(":")[0] or name
    return not name or is_loopback(name)  # HTTP/1.0 has no Host, and no browser speaks it


def bearer(token: str) -> dict[str, str]:
    """The header of a client; none without a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def is_of_these(headers: Mapping[bytes, bytes], origins: Collection[str]) -> bool:
    """Whether a page of one of these web sites (`https://shop.example`), or of this server itself, opens a socket."""
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    host = headers.get(b"host", b"").decode("latin-1").lower()
    return origin in origins or (bool(host) and origin in (f"https://{host}", f"http://{host}"))


class Gate:
    """An ASGI layer: refuses who is not trusted with 401 or 403, and with 413 a body of more than `max_body_bytes`.

    `public` are further paths that are open to everybody; a socket there is only for pages of `origins` and our own.
    """

    def __init__(
        self,
        app: App,
        token: str,
        max_body_bytes: float = inf,
        public: Collection[str] = (),
        origins: Collection[str] = (),
    ) -> None:
        self._app = app
        self._token = token
        self._max_body_bytes = max_body_bytes
        self._open = OPEN | frozenset(public)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
        """Handles one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = dict(scope.get("headers", ()))
        scope[TRUSTED] = is_trusted(headers, self._token)
        if not (scope[TRUSTED] or self._is_open(scope, headers)):
            REFUSED.inc()
            await _refuse(scope, send, *(NO_TOKEN if self._token else OTHER_SITE))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or float(length) > self._max_body_bytes:
            await self._refuse_body(scope, send)
            return
        await self._limited(scope, receive, send)

    def _is_open(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        if scope["path"] not in self._open:
            return False
        return scope["type"] == "http" or (scope["path"] not in OPEN and is_of_these(headers, self._origins))

    async def _limited(self, scope: Scope, receive: Receive, send: AsgiSend) -> None:
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

    async def _refuse_body(self, scope: Scope, send: AsgiSend) -> None:
        text = f"the body is larger than {self._max_body_bytes} bytes"
        with contextlib.suppress(OSError):  # who sends too much may hang up on the answer
            await _refuse(scope, send, 413, "too_large", text)


async def _refuse(scope: Scope, send: AsgiSend, status: int, code: str, detail: str) -> None:
    start = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        start = "websocket.http.response"
    # the shape that OpenAI's clients know under /v1/, ours elsewhere
    error = {"message": detail, "type": "invalid_request_error", "param": None, "code": code}
    shown = {"error": error} if scope["path"].startswith("/v1/") else {"error": code, "detail": detail}
    body = json.dumps(shown).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": f"{start}.start", "status": status, "headers": headers})
    await send({"type": f"{start}.body", "body": body})
