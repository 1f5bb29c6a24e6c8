"""Tells the supervisor that a service lives, as sd_notify(3) has it: datagrams to the socket of $NOTIFY_SOCKET.

A process that is there and does nothing (stopped, in a deadlock, in a library that never returns) is worse than one
that has died: nobody takes its place. With `WatchdogSec=` systemd ends what does not beat, the stack on one machine
likewise.
"""

from __future__ import annotations

import contextlib
import os
import socket


def notify(*lines: str) -> None:
    """Sends lines such as READY=1 to the supervisor. Nothing happens without one, or where it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # Linux: a name that is no file
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.setblocking(False)
        sock.connect(address)
        sock.send("\n".join(lines).encode())


def beat_every_s(longest_s: float) -> float:
    """A third of what the supervisor waits for a sign ($WATCHDOG_USEC), `longest_s` at most."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return longest_s  # it waits for another process
    try:
        waits_s = int(os.environ["WATCHDOG_USEC"]) / 1e6
    except (KeyError, ValueError):
        return longest_s
    return min(waits_s / 3, longest_s) if waits_s > 0 else longest_s
