"""The numbers of one call's audio that change with every packet, where C and Python both find them.

Whoever takes the packet changes them: compiled/packets.c, or the classes here that hold the rest of a call's state.
"""

from __future__ import annotations

from ctypes import Structure, c_bool, c_double, c_int32, c_int64, c_uint32, c_void_p


class StreamState(Structure):
    """Laid out as `Stream` in compiled/packets.c. Positions and chunks count from the start of the stream, in samples
    and in chunks; times are monotonic seconds."""

    audio: int | None
    """Where the samples lie."""
    arrived: int | None
    """Where the times of arrival lie, by chunk number."""
    base: int
    """Position of the first sample of the memory."""
    limit: int
    """Position behind its last."""
    end: int
    """Position behind the newest sample."""
    received: int
    """Complete chunks."""
    stepped: int
    """Chunks whose probability was given."""
    next_at: int
    """Position where the next chunk is complete."""
    full_at: int
    """Position from which on audio is dropped."""
    last_packet_at: float
    quiet_below: float
    """A probability below this says nothing new to the endpointer; 0: every one does."""
    energy: float
    """Of the oldest waiting chunk, the sum of its squares; below 0: nobody has looked."""
    expected: int
    """Sequence number of the next packet."""
    timestamp: int
    """That of the next packet, if nothing is left out."""
    ssrc: int
    in_a_row: int
    """Packets that followed each other since the reordering looked last; a thousand stands for more."""
    chunk: int
    """Samples of a chunk."""
    arrived_size: int
    waiting: int
    """Complete chunks that the detector has not seen."""
    skipped: int
    """Quiet chunks of which the endpointer was not told."""
    number: int
    """Which line of the process this is."""
    follows: bool
    """The expected packet can be played at once: nothing waits, nothing is in doubt."""
    audible: bool
    ready: bool
    """It is queued for the detector."""

    _fields_ = [
        ("audio", c_void_p),
        ("arrived", c_void_p),
        ("base", c_int64),
        ("limit", c_int64),
        ("end", c_int64),
        ("received", c_int64),
        ("stepped", c_int64),
        ("next_at", c_int64),
        ("full_at", c_int64),
        ("last_packet_at", c_double),
        ("quiet_below", c_double),
        ("energy", c_double),
        ("expected", c_uint32),
        ("timestamp", c_uint32),
        ("ssrc", c_uint32),
        ("in_a_row", c_uint32),
        ("chunk", c_int32),
        ("arrived_size", c_int32),
        ("waiting", c_int32),
        ("skipped", c_int32),
        ("number", c_int32),
        ("follows", c_bool),
        ("audible", c_bool),
        ("ready", c_bool),
    ]
