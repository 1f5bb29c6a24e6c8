"""What can go wrong with an ARI request, by whose fault it is. Pure: turns an HTTP status and body into an error.

AriError                  Asterisk did not do it; `status` is the HTTP status, 0 without an answer
|-- Unreachable           no answer in time: Asterisk is away, or the line to it
|-- Rejected              400 to 499: we asked for something that is not possible
|   |-- NotFound          404: the channel, bridge or playback is not there (any more)
|   |-- Conflict          409: the id is taken, or the channel is in the wrong state
|   `-- Unprocessable     422: the channel is not in our application (yet)
`-- ServerFault           500 and up: Asterisk could not (bad format, no such folder, id of a snoop that is taken)
"""

from __future__ import annotations

import json


class AriError(Exception):
    """Asterisk did not do what a request asked for."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class Unreachable(AriError):
    """No answer in time."""


class Rejected(AriError):
    """The request is not possible."""


class NotFound(Rejected):
    """What the request names is not there."""


class Conflict(Rejected):
    """The id is taken or the channel is in the wrong state."""


class Unprocessable(Rejected):
    """The channel is not in our application."""


class ServerFault(AriError):
    """Asterisk failed to do it."""


_BY_STATUS: dict[int, type[AriError]] = {404: NotFound, 409: Conflict, 422: Unprocessable}


def error_of(status: int, body: str) -> AriError:
    """The error of an HTTP status of 400 or more; the reason is ARI's `message` where the body has one."""
    reason = body
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        reason = str(parsed.get("message") or parsed.get("error") or body)
    kind = _BY_STATUS.get(status, Rejected if status < 500 else ServerFault)
    return kind(status, reason[:300])
