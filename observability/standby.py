"""Two processes in one place: the one that has the place works, the other is loaded and waits for the first one's end.

The place is a lock on a file (flock(2)). The kernel gives it to who waits in the moment in which its holder ends,
however that one ends; nobody polls, and no clock decides. STANDBY_LOCK names the file, STANDBY says whether to wait.
"""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from threading import Event, Thread

from observability.heartbeat import beat_every_s, notify

log = logging.getLogger(__name__)

BEAT_S = 1.0
"""So often a process that waits gives a sign, at the least."""


def take_place(lock: str, *, wait: bool) -> bool:
    """Returns when this process has the place of `lock`, and whether another one had it until now; it has it until it
    ends. Empty: there is no such place.

    Call it when everything is loaded and before a port is opened. With `wait` false it returns at once and the place
    is taken when it is free: a successor in a rolling restart works beside its predecessor for a moment. Blocks the
    thread; signals end the process as they do by default. Raises OSError when the file cannot be opened.
    """
    if not lock:
        notify("READY=1", "STATUS=at work")
        return False
    Path(lock).parent.mkdir(parents=True, exist_ok=True)
    held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # never closed: the place ends with the process
    if not wait:
        Thread(target=fcntl.flock, args=(held, fcntl.LOCK_EX), name="place", daemon=True).start()
        return False
    follows = False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("loaded, waiting for the end of the process that works")
        notify("READY=1", "STATUS=standby")
        waits = Event()
        Thread(target=_beat_until, args=(waits,), name="beat", daemon=True).start()
        fcntl.flock(held, fcntl.LOCK_EX)
        waits.set()
        follows = True
        log.info("the process that worked has ended: taking its place")
    notify("READY=1", "STATUS=at work")
    return follows


def _beat_until(over: Event) -> None:
    """A process that waits lives, too."""
    while not over.wait(beat_every_s(BEAT_S)):
        notify("WATCHDOG=1")
