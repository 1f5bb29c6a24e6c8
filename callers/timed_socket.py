"""A UDP socket that tells when each datagram came in, by the kernel's clock and not by when we got round to reading it.

A busy event loop reads late; a measurement of what a caller heard must not contain that. Linux begins to stamp a moment
after the first socket of the machine asked for it (`net_enable_timestamp`): datagrams before that carry the time of
reading, as they would without.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Iterator

# <asm-generic/socket.h>; the value comes with each datagram as a `struct timespec` of CLOCK_REALTIME
SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_LARGEST_DATAGRAM = 2_048


class TimedSocket:
    """Not blocking, bound to a free port."""

    def __init__(self, host: str):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        if sys.platform == "linux":
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.port = int(self._socket.getsockname()[1])

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def send(self, datagram: bytes, address: tuple[str, int]) -> float:
        """Sends and returns when, in seconds of `time.monotonic()`. Raises OSError."""
        # on loopback the other side may have answered before sendto returns
        now_s = time.monotonic()
        self._socket.sendto(datagram, address)
        return now_s

    def received(self) -> Iterator[tuple[bytes, tuple[str, int], float]]:
        """Every datagram that waits: its bytes, its source, and when it came in, in seconds of `time.monotonic()`."""
        while True:
            try:
                datagram, extra, _, source = self._socket.recvmsg(_LARGEST_DATAGRAM, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return
            now_s, wall_ns = time.monotonic(), time.time_ns()
            waited_ns = 0
            for level, kind, data in extra:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= _TIMESPEC.size:
                    seconds, nanoseconds = _TIMESPEC.unpack_from(data)
                    # a step of the wall clock in between must not make it negative or absurd
                    waited_ns = min(max(wall_ns - seconds * 1_000_000_000 - nanoseconds, 0), 10_000_000_000)
            yield datagram, source, now_s - waited_ns / 1e9

    def close(self) -> None:
        """Closes; may be called again."""
        self._socket.close()
