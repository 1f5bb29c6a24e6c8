"""Unknown sources: kept for a moment, asked about now and then, forgotten."""

from rtp_receiver.sources import ASK_AGAIN_S, FORGET_AFTER_S, MAX_PACKETS, MAX_SOURCES, UnknownSources

SOURCE = ("10.0.0.1", 4_000)


def test_the_first_packet_asks_and_is_kept() -> None:
    unknown = UnknownSources()
    assert unknown.keep(SOURCE, b"a", 1.0) == (True, True)
    assert unknown.keep(SOURCE, b"b", 1.1) == (True, False)
    assert unknown.take(SOURCE) == [(b"a", 1.0), (b"b", 1.1)]
    assert (unknown.take(SOURCE), len(unknown)) == ([], 0)


def test_a_source_is_asked_about_once_per_interval() -> None:
    unknown = UnknownSources()
    asked = [unknown.keep(SOURCE, b"", n * 0.02)[1] for n in range(200)]
    assert sum(asked) == 1 + int(199 * 0.02 / ASK_AGAIN_S)


def test_packets_and_sources_are_bounded() -> None:
    unknown = UnknownSources()
    assert sum(unknown.keep(SOURCE, b"", 0.0)[0] for _ in range(MAX_PACKETS + 9)) == MAX_PACKETS
    kept = [unknown.keep(("10.0.0.2", port), b"", 0.0)[0] for port in range(MAX_SOURCES + 9)]
    assert (len(unknown), sum(kept)) == (MAX_SOURCES, MAX_SOURCES - 1)


def test_what_nobody_knows_is_dropped_but_not_asked_again_at_once() -> None:
    unknown = UnknownSources()
    unknown.keep(SOURCE, b"a", 0.0)
    assert unknown.drop_packets(SOURCE) == 1
    assert unknown.keep(SOURCE, b"b", 0.02) == (True, False)
    assert unknown.drop_packets(("10.9.9.9", 1)) == 0


def test_silent_sources_are_forgotten() -> None:
    unknown = UnknownSources()
    unknown.keep(SOURCE, b"a", 0.0)
    assert unknown.expire(FORGET_AFTER_S - 0.1) == 0
    assert unknown.expire(FORGET_AFTER_S) == 1
    assert len(unknown) == 0
