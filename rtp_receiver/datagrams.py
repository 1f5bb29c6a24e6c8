"""Reads many datagrams from one UDP socket in one go, into memory that is used again: a socket in, a batch out.

Linux takes up to `BATCH` datagrams per system call (recvmmsg(2)) and says when each came in (SO_TIMESTAMPNS), so that
what waited in the socket counts as waiting. Elsewhere, and for IPv6, they are read one by one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rtp_receiver.clocks import ArrivalTimes, Clocks
from rtp_receiver.sources import Address

RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
SMALL_BUFFER_BYTES = 1024 * 1024
"""Less than this holds the packets of 500 calls for less than 30 ms."""
BATCH = 256
LONGEST_DATAGRAM = 2_048
"""Bytes kept of a datagram; one as long as this was longer."""

Source: TypeAlias = int | Address
"""Whom a datagram is from: the eight bytes of their IPv4 address structure as a number, or the address."""

_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>
_MESSAGE = np.dtype(  # struct mmsghdr of 64-bit Linux
    [
        ("name", "u8"),
        ("name_length", "u4"),
        ("_pad1", "u4"),
        ("parts", "u8"),
        ("part_count", "u8"),
        ("control", "u8"),
        ("control_length", "u8"),
        ("flags", "i4"),
        ("_pad2", "u4"),
        ("length", "u4"),
        ("_pad3", "u4"),
    ]
)
_PART = np.dtype([("base", "u8"), ("length", "u8")])  # struct iovec
_CONTROL = np.dtype([("length", "u8"), ("level", "i4"), ("kind", "i4"), ("s", "i8"), ("ns", "i8")])  # a time stamp
_NAME = np.dtype([("source", "u8"), ("_zero", "u8")])  # struct sockaddr_in: family, port, host; zeros
_IPV4 = struct.Struct("=H2s4s")


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What was read at once, in arrays [BATCH] that stay where they are. Lengths and sources lie apart."""

    memory: NDArray[np.uint8]
    """Datagram n begins at `n * LONGEST_DATAGRAM`."""
    lengths: NDArray[np.uint32]
    sources: NDArray[np.uint64]
    arrivals: NDArray[np.float64]
    """Monotonic seconds."""


class Datagrams:
    """What one `receive` got lies in `memory` until the next: datagram n begins at `n * LONGEST_DATAGRAM` and is
    `lengths[n]` long, came from `sources[n]` at `arrivals[n]` (monotonic seconds)."""

    def __init__(self, sock: socket.socket, clocks: Clocks | None = None) -> None:
        """`sock` is bound and does not block."""
        self._lengths: list[int] = []
        self._sources: list[Source] = []
        self._arrivals: list[float] = []
        self._count = 0
        self.batch: ReadBatch | None = None
        """The same in arrays, where datagrams are read many at a time."""
        self._sock = sock
        self._times = ArrivalTimes(clocks or Clocks())
        self._bytes = np.zeros(BATCH * LONGEST_DATAGRAM, dtype=np.uint8)
        self.memory = self._bytes.data
        self._receive_many: Callable[..., int] | None = _recvmmsg() if sock.family == socket.AF_INET else None
        if self._receive_many is not None:
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._lay_out()

    @property
    def lengths(self) -> list[int]:
        """In bytes; made anew at each call."""
        return self._lengths if self.batch is None else self.batch.lengths[: self._count].tolist()

    @property
    def sources(self) -> list[Source]:
        """Whom they are from; made anew at each call."""
        return self._sources if self.batch is None else self.batch.sources[: self._count].tolist()

    @property
    def arrivals(self) -> list[float]:
        """When they came, monotonic; made anew at each call."""
        return self._arrivals if self.batch is None else self.batch.arrivals[: self._count].tolist()

    @property
    def epoch(self) -> float:
        """What makes seconds since the epoch of `arrivals`."""
        return self._times.epoch

    def source_of(self, address: Address) -> Source:
        """How `sources` names this address. Raises OSError when it is no IP address."""
        if self._receive_many is None:
            return address
        host, port = address
        packed = _IPV4.pack(socket.AF_INET, port.to_bytes(2), socket.inet_pton(socket.AF_INET, host))
        return int.from_bytes(packed, sys.byteorder)

    def address_of(self, source: Source) -> Address:
        """The address of one of `sources`."""
        if not isinstance(source, int):
            return source
        _, port, host = _IPV4.unpack(source.to_bytes(8, sys.byteorder))
        return socket.inet_ntop(socket.AF_INET, host), int.from_bytes(port)

    def receive(self) -> int:
        """Takes what waits, at most `BATCH` datagrams; how many. Raises OSError, but not when none waits."""
        return self._receive_one_by_one() if self._receive_many is None else self._receive_at_once()

    def _lay_out(self) -> None:
        """The structures of the kernel, made once: each message points to its own piece of every array."""
        self._names = np.zeros(BATCH, dtype=_NAME)
        self._controls = np.zeros(BATCH, dtype=_CONTROL)
        self._parts = np.zeros(BATCH, dtype=_PART)
        self._messages = np.zeros(BATCH, dtype=_MESSAGE)
        number = np.arange(BATCH, dtype=np.uint64)
        self._parts["base"] = self._bytes.ctypes.data + number * LONGEST_DATAGRAM
        self._parts["length"] = LONGEST_DATAGRAM
        self._messages["name"] = self._names.ctypes.data + number * _NAME.itemsize
        self._messages["parts"] = self._parts.ctypes.data + number * _PART.itemsize
        self._messages["part_count"] = 1
        self._messages["control"] = self._controls.ctypes.data + number * _CONTROL.itemsize
        self.batch = ReadBatch(self._bytes, self._messages["length"], self._names["source"], np.zeros(BATCH))

    def _receive_at_once(self) -> int:
        assert self._receive_many is not None
        assert self.batch is not None
        messages, controls = self._messages, self._controls
        messages["name_length"] = _NAME.itemsize
        messages["control_length"] = _CONTROL.itemsize
        count = self._receive_many(self._sock.fileno(), messages.ctypes.data, BATCH, 0, None)
        self._count = max(0, count)
        if count < 0:
            number = ctypes.get_errno()
            if number == errno.EAGAIN:
                self._times.nothing_waits()
            if number in (errno.EAGAIN, errno.EINTR):
                return 0
            raise OSError(number, os.strerror(number))
        now = self._times.read()
        got = controls[:count]
        stamped = (messages["control_length"][:count] >= 32) & (got["kind"] == _SO_TIMESTAMPNS)
        stamps = np.where(stamped, got["s"] + got["ns"] * 1e-9, now + self._times.epoch)
        self.batch.arrivals[:count] = self._times.of(stamps, emptied=count < BATCH)
        return count

    def _receive_one_by_one(self) -> int:
        self._lengths, self._sources, self._arrivals = [], [], []
        for start in range(0, BATCH * LONGEST_DATAGRAM, LONGEST_DATAGRAM):
            try:
                length, source = self._sock.recvfrom_into(self.memory[start : start + LONGEST_DATAGRAM])
            except BlockingIOError:
                break
            self._lengths.append(length)
            self._sources.append(source[:2])
            self._arrivals.append(self._times.read())
        return len(self._lengths)


def open_socket(host: str, port: int, shared: bool = True) -> socket.socket:
    """A bound UDP socket; when `shared`, other receivers may have the port too. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.bind(address)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def receive_buffer_bytes(sock: socket.socket) -> int:
    """What the kernel granted, its own bookkeeping included: net.core.rmem_max bounds it."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def kernel_drops(sock: socket.socket) -> int | None:
    """Datagrams that the kernel threw away because the receive buffer was full; None where it does not tell."""
    try:
        inode = str(os.fstat(sock.fileno()).st_ino)
        for table in ("/proc/net/udp", "/proc/net/udp6"):
            with open(table, encoding="ascii") as lines:
                for line in lines:
                    fields = line.split()
                    if len(fields) > 12 and fields[9] == inode:
                        return int(fields[12])
    except OSError:
        return None
    return None


def _recvmmsg() -> Callable[..., int] | None:
    """The system call, which keeps the interpreter's lock: it never waits, and giving the lock back costs more."""
    if not sys.platform.startswith("linux") or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    call: Any = getattr(ctypes.PyDLL(None, use_errno=True), "recvmmsg", None)
    if call is None:
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
    call.restype = ctypes.c_int
    found: Callable[..., int] = call
    return found
