"""How the parts that answers need are, for `GET /api/text/status`: state, since when, the kind of the last error."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

PartState: TypeAlias = Literal["ok", "degraded", "down"]


@dataclass
class _Part:
    state: PartState
    since: float
    last_error: str = ""


class TextParts:
    """Parts by name; each is ok until something else is noted."""

    def __init__(self, *names: str) -> None:
        self._began_s = time.monotonic()
        self._parts = {name: _Part("ok", time.time()) for name in names}

    def note(self, name: str, state: PartState, error: str = "") -> None:
        """How a part is now, and the kind of error that shows it."""
        part = self._parts[name]
        if part.state != state:
            part.state, part.since = state, time.time()
        part.last_error = error or part.last_error

    def state(self, name: str) -> PartState:
        """How a part is."""
        return self._parts[name].state

    @property
    def status(self) -> PartState:
        """How all of it is: down without what is written down, degraded where anything else is not well."""
        if "store" in self._parts and self._parts["store"].state == "down":
            return "down"
        return "ok" if all(part.state == "ok" for part in self._parts.values()) else "degraded"

    def shown(self) -> dict[str, Any]:
        """For JSON; `since` in seconds since the epoch, `last_error` null where there was none."""
        return {
            "status": self.status,
            **{
                name: {"state": part.state, "since": round(part.since, 3), "last_error": part.last_error or None}
                for name, part in self._parts.items()
            },
            "uptime_s": round(time.monotonic() - self._began_s),
        }
