"""The second process of each service of a stack: started when there is time, promoted when the first one has ended."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping

from devstack.processes import ChildProcess, ProcessFailed
from devstack.watchdog import end

log = logging.getLogger("devstack.standbys")

STANDBY = "standby"
"""What a process that waits says of itself (STATUS= of sd_notify)."""
CALM_S = 3.0
"""So long after a process has taken a place the next one is loaded: callers who wait come first."""
LOADING_S = 60.0
"""The next service's standby is started at the latest so long after the one before."""


class Standbys:
    """At most one waiting process for each service. Not for two threads at once."""

    def __init__(self, child: Callable[[str, bool], ChildProcess]) -> None:
        """`child(service, waits)` makes a process that was not started yet."""
        self._child = child
        self._waiting: dict[str, ChildProcess] = {}
        self._unwanted: set[str] = set()
        self._not_before = 0.0

    def look(self, at_work: Mapping[str, ChildProcess]) -> None:
        """Ends what hangs of those at work; starts one standby that is missing, when the one before it is loaded."""
        for service, child in at_work.items():
            if child.heart and child.exit_status is None:
                child.heart.look()
                if child.heart.is_hung(child.pid):
                    log.error("process gives no sign of life: ending it", extra={"service": service})
                    with contextlib.suppress(ProcessLookupError):
                        end(child.pid)
        for service, child in list(self._waiting.items()):
            if child.exit_status is not None:
                self._waiting.pop(service).stop()
        now = time.monotonic()
        if now < self._not_before or any(map(self._is_loading, self._waiting.values())):
            return
        for service, child in at_work.items():
            if service not in self._waiting and service not in self._unwanted and child.heart:
                standby = self._child(service, True)
                with contextlib.suppress(ProcessFailed):
                    standby.start()
                    self._waiting[service] = standby
                return

    def is_waiting(self, service: str) -> bool:
        """Whether a loaded process waits for the end of the one at work; any thread may ask."""
        child = self._waiting.get(service)
        return bool(child and child.heart and child.heart.status == STANDBY)

    def _is_loading(self, child: ChildProcess) -> bool:
        """Whether a standby was started and is not loaded yet, for a reasonable time."""
        if child.heart is None or time.monotonic() - child.started_s > LOADING_S:
            return False
        child.heart.look()
        return child.heart.status != STANDBY

    def promoted(self, service: str) -> ChildProcess | None:
        """The process that takes the place now, if one waits or loads; another will wait behind it later."""
        child = self._waiting.pop(service, None)
        if child is None:
            return None
        self._not_before = time.monotonic() + CALM_S
        if child.exit_status is not None:
            child.stop()
            return None
        return child

    def give_up(self, service: str) -> None:
        """Ends the standby of a service; until `want` there is none."""
        self._unwanted.add(service)
        if child := self._waiting.pop(service, None):
            child.stop()

    def want(self, service: str) -> None:
        """There may be one again."""
        self._unwanted.discard(service)

    def stop(self) -> None:
        """Ends all that wait."""
        for service in list(self._waiting):
            self.give_up(service)
