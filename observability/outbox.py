"""The two series of what a service wants to send and Redis has not taken, for every service that sends."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Gauge

_WAITING = Gauge("pronto_outbox_waiting", "Messages that Redis has not taken yet")
_DROPPED = Gauge("pronto_outbox_dropped", "Messages lost because Redis was away for too long")


def show_outbox(waiting: Callable[[], int], dropped: Callable[[], int]) -> None:
    """From now on `/metrics` tells what these say at the time of asking."""
    _WAITING.set_function(waiting)
    _DROPPED.set_function(dropped)
