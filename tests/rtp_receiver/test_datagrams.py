"""Datagrams in batches: bytes, sources and times as they were sent, by every way of reading them."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtp_receiver.datagrams import (
    BATCH,
    LONGEST_DATAGRAM,
    RECEIVE_BUFFER_BYTES,
    Datagrams,
    open_socket,
    receive_buffer_bytes,
)
from rtp_receiver.media_counts import LAG_BUCKETS_S, MediaCounts


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Datagrams, socket.socket, list[socket.socket]]]:
    """A reader, its socket and three senders. IPv4 is read many at a time, IPv6 one by one."""
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    try:
        sock = open_socket(host, 0)
    except OSError:
        pytest.skip(f"no {host} here")
    senders = [socket.socket(request.param, socket.SOCK_DGRAM) for _ in range(3)]
    for sender in senders:
        sender.bind((host, 0))
        sender.connect(sock.getsockname()[:2])
    yield Datagrams(sock), sock, senders
    for each in (sock, *senders):
        each.close()


def test_what_was_sent_is_there_with_its_source_and_time(
    pair: tuple[Datagrams, socket.socket, list[socket.socket]],
) -> None:
    datagrams, _, senders = pair
    assert datagrams.receive() == 0
    sent = [(number % 3, bytes([number % 251]) * (1 + 7 * number)) for number in range(BATCH + 20)]
    before = time.monotonic()
    for number, data in sent:
        senders[number].send(data[:LONGEST_DATAGRAM])
    after = time.monotonic()
    names = [datagrams.source_of(sender.getsockname()[:2]) for sender in senders]
    found = []
    while count := datagrams.receive():
        assert count <= BATCH
        for n in range(count):
            start = n * LONGEST_DATAGRAM
            data = bytes(datagrams.memory[start : start + datagrams.lengths[n]])
            found.append((names.index(datagrams.sources[n]), data))
            assert datagrams.address_of(datagrams.sources[n]) == senders[found[-1][0]].getsockname()[:2]
        assert all(before - 0.01 <= at for at in datagrams.arrivals)
        if datagrams.source_of(("127.0.0.1", 1)) != ("127.0.0.1", 1):  # the kernel's own time, however late we read
            assert all(at <= after + 0.01 for at in datagrams.arrivals)
    assert found == [(number, data[:LONGEST_DATAGRAM]) for number, data in sent]


def test_the_socket_holds_seconds_of_many_calls() -> None:
    with open_socket("127.0.0.1", 0) as sock, open_socket("127.0.0.1", sock.getsockname()[1]) as other:
        assert sock.getsockname() == other.getsockname()
        # the kernel gives what its limit allows (net.core.rmem_max) and tells twice of it
        limit = int(Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii"))
        assert receive_buffer_bytes(sock) >= 2 * min(limit, RECEIVE_BUFFER_BYTES)


def test_what_is_no_address_is_refused() -> None:
    with open_socket("127.0.0.1", 0) as sock, pytest.raises(OSError, match="illegal IP address"):
        Datagrams(sock).source_of(("localhost", 5_060))


def test_lag_is_counted_in_its_bucket_and_beyond_40_ms_as_late() -> None:
    counts = MediaCounts()
    counts.judged([100.0, 99.999, 99.97, 99.95, 98.0, 100.5], now=100.0)
    buckets = dict(zip((*LAG_BUCKETS_S, float("inf")), counts.lag_buckets.tolist(), strict=True))
    assert {bound: count for bound, count in buckets.items() if count} == {0.002: 3, 0.04: 1, 0.08: 1, float("inf"): 1}
    assert (counts.chunks, counts.batches, counts.late_chunks) == (6, 1, 2)
    assert counts.lag_sum_s == pytest.approx(2.081)
