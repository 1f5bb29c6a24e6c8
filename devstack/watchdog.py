"""Ends a child that is there and does nothing: what systemd's `WatchdogSec=` does, for the one-machine stack.

A child's signs of life arrive at a datagram socket as sd_notify(3) describes them. Busy machines starve processes: one
that waits for a processor or for the disk is left alone for longer than one that is stopped or waits for nothing.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from pathlib import Path

SILENT_S = 1.5
"""A child that has given no sign for so long and asks for no processor is taken for hung."""
STARVED_S = 15.0
"""So is one that asks for a processor, after so long."""
_BUSY = "RD"
"""States of proc(5): running or runnable, waiting for the disk."""


class Heart:
    """The socket that one child tells of itself at; give it `environment`, call `look` now and then."""

    def __init__(self) -> None:
        name = f"pronto-heart-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.bind("\0" + name)
        self.environment = {"NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": str(round(SILENT_S * 1e6))}
        self.status = ""
        """What the child said last in STATUS=."""
        self._beat_at: float | None = None

    def look(self) -> None:
        """Reads what has arrived."""
        while True:
            try:
                text = self._socket.recv(4_096).decode("utf-8", "replace")
            except OSError:  # nothing more, or closed
                return
            for line in text.splitlines():
                key, _, value = line.partition("=")
                if key == "STATUS":
                    self.status = value
                    self._beat_at = None  # what it begins now has its own time to begin
                if key == "WATCHDOG":
                    self._beat_at = time.monotonic()

    def is_hung(self, pid: int) -> bool:
        """Whether process `pid`, which has given signs of life before, gives none any more."""
        if self._beat_at is None:
            return False
        silent_s = time.monotonic() - self._beat_at
        return silent_s > STARVED_S or (silent_s > SILENT_S and state_of(pid) not in _BUSY)

    def forget(self) -> None:
        """A new process tells of itself from now on."""
        self.look()
        self.status, self._beat_at = "", None

    def close(self) -> None:
        """Nobody tells anything here any more."""
        self._socket.close()


def state_of(pid: int) -> str:
    """One letter of proc(5); X for a process that is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "X"


def end(pid: int) -> None:
    """SIGKILL: a stopped process takes no other."""
    os.kill(pid, signal.SIGKILL)
