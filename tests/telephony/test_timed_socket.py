"""The arrival time of a datagram is that of the kernel, however late it is read."""

import time

from callers.timed_socket import TimedSocket

LATE_S = 0.05


def wait_until_the_kernel_stamps(here: TimedSocket, there: TimedSocket) -> None:
    """Linux begins to stamp a moment after the first socket asked for it; until then it tells the time of reading."""
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        there.send(b"stamped?", ("127.0.0.1", here.port))
        late_s = time.monotonic() + LATE_S
        while time.monotonic() < late_s:
            pass
        if all(arrival_s < late_s - LATE_S / 2 for _, _, arrival_s in here.received()):
            return
    raise AssertionError("the kernel stamped no datagram within 30 s")


def test_a_datagram_that_is_read_late_tells_when_it_came() -> None:
    here, there = TimedSocket("127.0.0.1"), TimedSocket("127.0.0.1")
    wait_until_the_kernel_stamps(here, there)
    before_s = time.monotonic()
    sent_s = there.send(b"one", ("127.0.0.1", here.port))
    between_s = time.monotonic()
    # on loopback a datagram is there when sendto returns; it is read only after the next one was sent
    while time.monotonic() < between_s + LATE_S:
        there.send(b"more", ("127.0.0.1", here.port))
    (datagram, source, arrival_s), *others = here.received()
    assert (datagram, source) == (b"one", ("127.0.0.1", there.port))
    # the two clocks are read one after the other: a fraction of a millisecond between them
    assert before_s - 0.005 <= arrival_s <= between_s + 0.005
    assert before_s <= sent_s <= between_s
    arrivals_s = [arrival_s, *(time_s for _, _, time_s in others)]
    assert len(others) > 0
    assert arrivals_s[-1] > arrival_s
    assert list(here.received()) == []
    here.close()
    there.close()
    here.close()
