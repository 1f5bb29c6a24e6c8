"""What is done for every packet and every chunk of many calls: an interface, and all of it in Python.

`compiled_packets` does what is plain in C and leaves the rest to Python, as it is left here. Pure: no socket, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rtp_receiver.call_stream import CallStream
from rtp_receiver.datagrams import Source
from rtp_receiver.slin16 import NETWORK_INT16


class Packets(Protocol):
    """Used by one thread, between two reads of the socket."""

    def know(self, sources: Mapping[Source, CallStream]) -> None:
        """Whose packets those of each source are, from now on; of other sources nothing is known."""
        ...

    def take(self, count: int) -> tuple[int, Sequence[int], Sequence[int]]:
        """Takes what it can of the first `count` datagrams that were read: how many; the numbers of the streams that
        have a chunk for the detector and had none; the places of the datagrams that are left to Python, in order."""
        ...

    def chunks(self, streams: Sequence[CallStream], chunks: NDArray[np.int16]) -> NDArray[np.float64]:
        """Fills `chunks` [n, samples] with the oldest waiting chunk of each stream; when each was complete."""
        ...

    def heard(self, streams: Sequence[CallStream], probabilities: NDArray[np.float32]) -> Sequence[int]:
        """Counts the chunks that say nothing new; the places of those whose stream has to be told by Python."""
        ...


class PlainPackets:
    """Takes nothing: everything is left to Python."""

    def know(self, sources: Mapping[Source, CallStream]) -> None:
        """Nothing to know."""

    def take(self, count: int) -> tuple[int, Sequence[int], Sequence[int]]:
        """Leaves all."""
        return 0, (), range(count)

    def chunks(self, streams: Sequence[CallStream], chunks: NDArray[np.int16]) -> NDArray[np.float64]:
        """One after the other."""
        raw = np.empty(chunks.shape, dtype=NETWORK_INT16)
        rows, size = raw.view(np.uint8).reshape(-1).data, 2 * chunks.shape[1]
        arrivals = [
            stream.copy_next_chunk(rows[number * size : (number + 1) * size]) for number, stream in enumerate(streams)
        ]
        chunks[:] = raw
        return np.array(arrivals)

    def heard(self, streams: Sequence[CallStream], probabilities: NDArray[np.float32]) -> Sequence[int]:
        """Leaves all."""
        return range(len(streams))
