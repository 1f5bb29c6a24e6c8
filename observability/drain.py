"""Taking a process out of service: no new work, what was begun is finished, and everybody sees how much is left.

`POST /drain` begins it, `DELETE /drain` takes it back, `GET /drain` shows it; a signal to stop begins it too. `/ready`
is false meanwhile. Prometheus sees `pronto_draining` and `pronto_drain_left`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

log = logging.getLogger("pronto.drain")

LOOK_S = 0.05


class Drain:
    """One service's. `left` tells how much of what was begun is not finished: calls or requests."""

    def __init__(self, left: Callable[[], int]) -> None:
        self._left = left
        self._since: float | None = None
        self.registry = CollectorRegistry()
        """What Prometheus sees of it."""
        draining = Gauge("pronto_draining", "1 while no new work is taken", registry=self.registry)
        draining.set_function(lambda: float(self.is_draining))
        remaining = Gauge(
            "pronto_drain_left", "Calls or requests still to be finished while draining", registry=self.registry
        )
        remaining.set_function(lambda: float(self.left))

    @property
    def is_draining(self) -> bool:
        """No new work is taken."""
        return self._since is not None

    @property
    def left(self) -> int:
        """What is still to be finished; 0 while not draining."""
        return self._left() if self.is_draining else 0

    def begin(self) -> None:
        """Takes no new work from now on."""
        if self._since is None:
            self._since = time.monotonic()
            log.info("draining", extra={"left": self.left})

    def end(self) -> None:
        """Takes work again."""
        if self._since is not None:
            log.info("draining no more", extra={"left": self.left})
        self._since = None

    def status(self) -> dict[str, object]:
        """The JSON object of `/drain`."""
        since_s = 0.0 if self._since is None else time.monotonic() - self._since
        return {"draining": self.is_draining, "left": self.left, "since_s": round(since_s, 1)}

    async def finished(self, bound_s: float) -> bool:
        """Waits until nothing is left; False when `bound_s` was not enough."""
        try:
            async with asyncio.timeout(bound_s):
                while self._left():  # noqa: ASYNC110 - whose end nobody tells us of
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            log.warning("not everything was finished", extra={"left": self._left(), "bound_s": bound_s})
            return False
        return True
