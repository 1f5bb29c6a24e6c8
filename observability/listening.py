"""A TCP port that two processes may share while one takes over from the other (a rolling restart without a gap)."""

from __future__ import annotations

import contextlib
import socket


def bound_socket(host: str, port: int, reuse_port: bool) -> socket.socket:
    """A socket that has the port and does not listen yet: the kernel gives it no connection before it does.

    With `reuse_port` another process of this user may have the port too, if it said so as well. Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def is_served(host: str, port: int) -> bool:
    """Whether somebody listens there now."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1.0):
        return True
    return False
