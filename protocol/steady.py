"""A clock that tells epoch time and never steps: what the wall said when the process began, and the seconds since then.

Deadlines and ages inside a process are measured with it, so that a wall clock that is set (NTP, an operator, a
suspended virtual machine) ends no call and keeps nobody waiting.
"""

from __future__ import annotations

import time

_BEGAN = time.time() - time.monotonic()


def steady_time() -> float:
    """Seconds since the epoch, as the wall clock ran when this process began."""
    return _BEGAN + time.monotonic()
