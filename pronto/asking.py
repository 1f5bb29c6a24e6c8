"""One HTTP request of the command line: method and URL become a JSON answer, of the server that was named and no other.

Redirects are refused and proxies are not asked: both would be given the token (docs/security.md).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from observability.gate import bearer


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is an error like any other."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight)


def ask(
    method: str, url: str, token: str = "", body: Mapping[str, Any] | None = None, *, timeout_s: float = 10.0
) -> Any:
    """The JSON answer; `body` is sent as JSON. Raises OSError (also for a status that is no success) or ValueError."""
    data = None if body is None else json.dumps(body).encode()
    headers = bearer(token) | ({} if data is None else {"Content-Type": "application/json"})
    request = urllib.request.Request(url, data, headers, method=method)
    with _OPENER.open(request, timeout=timeout_s) as answer:
        return json.loads(answer.read())
