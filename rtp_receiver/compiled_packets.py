"""The packets and the silence of many calls, in C: what is plain is done there, the rest is left to Python.

Around compiled/packets.c, whose `Batch` and `Stream` are laid out as `_Batch` and `StreamState` here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import Structure, addressof, c_int64, c_void_p

import numpy as np
from numpy.typing import NDArray

from compiled.library import library
from rtp_receiver.call_stream import FORGET_EVERY, CallStream
from rtp_receiver.datagrams import BATCH, LONGEST_DATAGRAM, ReadBatch, Source
from rtp_receiver.stream_state import StreamState

PLACES = 1_024
"""Of the table of sources at least; a quarter of it is used at most."""


class _Batch(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("memory", "lengths", "sources", "arrivals")),
        *((name, c_void_p) for name in ("keys", "values", "others", "ready")),
        *((name, c_int64) for name in ("length_stride", "source_stride", "datagram_bytes", "mask")),
        *((name, c_int64) for name in ("other_count", "ready_count")),
    ]


class CompiledPackets:
    """`Packets` in C, for the datagrams that are read into `batch`."""

    def __init__(self, lib: ctypes.CDLL, batch: ReadBatch) -> None:
        """`lib` is that of `compiled.library`, which keeps Python's lock: a call takes microseconds."""
        pointer = c_void_p
        lib.pronto_stream_bytes.restype = lib.pronto_batch_bytes.restype = c_int64
        assert lib.pronto_stream_bytes() == ctypes.sizeof(StreamState)
        assert lib.pronto_batch_bytes() == ctypes.sizeof(_Batch)
        self._know, self._take, self._chunks = lib.pronto_know, lib.pronto_take, lib.pronto_chunks
        self._heard = lib.pronto_heard
        self._know.argtypes = (pointer, pointer, c_int64, ctypes.c_uint64, pointer)
        self._take.argtypes = (pointer, c_int64)
        self._chunks.argtypes = (pointer, c_int64, pointer, pointer)
        self._heard.argtypes = (pointer, c_int64, pointer, c_int64, pointer)
        self._know.restype = self._chunks.restype = None
        self._take.restype = self._heard.restype = c_int64
        self._read = batch
        self._others, self._ready = (np.zeros(BATCH, dtype=np.int32) for _ in range(2))
        self._batch = _Batch(
            memory=batch.memory.ctypes.data,
            lengths=batch.lengths.ctypes.data,
            sources=batch.sources.ctypes.data,
            arrivals=batch.arrivals.ctypes.data,
            others=self._others.ctypes.data,
            ready=self._ready.ctypes.data,
            length_stride=batch.lengths.strides[0] // batch.lengths.itemsize,
            source_stride=batch.sources.strides[0] // batch.sources.itemsize,
            datagram_bytes=LONGEST_DATAGRAM,
        )
        self._batch_at = addressof(self._batch)
        self.know({})

    def know(self, sources: Mapping[Source, CallStream]) -> None:
        """Makes the table of sources anew."""
        size = max(PLACES, 1 << (4 * len(sources)).bit_length())
        self._keys, self._values = (np.zeros(size, dtype=np.uint64) for _ in range(2))
        self._streams = dict(sources)  # C has their addresses: they stay as long as the table
        keys, values = self._keys.ctypes.data, self._values.ctypes.data
        self._batch.keys, self._batch.values, self._batch.mask = keys, values, size - 1
        for source, stream in self._streams.items():
            self._know(keys, values, size - 1, source, addressof(stream.state))

    def take(self, count: int) -> tuple[int, Sequence[int], Sequence[int]]:
        """Takes packets that follow at once on the last one of their call."""
        taken = self._take(self._batch_at, count)
        batch = self._batch
        return taken, self._ready[: batch.ready_count].tolist(), self._others[: batch.other_count].tolist()

    def chunks(self, streams: Sequence[CallStream], chunks: NDArray[np.int16]) -> NDArray[np.float64]:
        """`chunks` is contiguous."""
        arrivals, addresses = np.empty(len(streams)), _addresses(streams)
        self._chunks(addresses.ctypes.data, len(streams), chunks.ctypes.data, arrivals.ctypes.data)
        return arrivals

    def heard(self, streams: Sequence[CallStream], probabilities: NDArray[np.float32]) -> Sequence[int]:
        """Counts silence where nobody speaks."""
        if probabilities.dtype != np.float32:
            return range(len(streams))
        speech, told = np.ascontiguousarray(probabilities), np.empty(len(streams), dtype=np.int32)
        addresses = _addresses(streams)
        found = self._heard(addresses.ctypes.data, len(streams), speech.ctypes.data, FORGET_EVERY, told.ctypes.data)
        left: list[int] = told[:found].tolist()
        return left


def _addresses(streams: Sequence[CallStream]) -> NDArray[np.uint64]:
    return np.array([stream.address for stream in streams], dtype=np.uint64)


def compiled_packets(batch: ReadBatch | None) -> CompiledPackets | None:
    """The compiled ones; None where nothing was compiled, or the datagrams are read one by one."""
    lib = library(keeps_lock=True)
    return None if lib is None or batch is None else CompiledPackets(lib, batch)
