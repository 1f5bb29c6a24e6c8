"""The media thread by itself: real UDP, a detector that hears loudness; one call's fault is its own affair."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from devstack.processes import wait_for
from protocol.messages import Listen
from rtp_receiver.call_lines import MAX_BATCH, Audible, Report, Silent
from rtp_receiver.call_stream import Confirmed, Segment, StreamSettings
from rtp_receiver.datagrams import kernel_drops, open_socket
from rtp_receiver.media_thread import MediaThread
from rtp_receiver.sources import Address
from tests.rtp_receiver.fake_asterisk import MediaLeg
from tests.rtp_receiver.packets import silence
from tests.rtp_receiver.stepping import SteppingClocks

DEADLINE_S = 20.0
TONE = (9_000 * np.sin(np.arange(16_000) / 7)).astype(np.int16)


class LoudnessVad:
    """Speech is what is loud; counts how many streams are open and how large batches get."""

    chunk_samples = 512

    def __init__(self) -> None:
        self.open_streams: set[int] = set()
        self.largest_batch = 0
        self.poison = -1
        """A stream whose loud chunks get no probability, which nobody expects."""

    def open(self) -> int:
        stream = next(n for n in range(10_000) if n not in self.open_streams)
        self.open_streams.add(stream)
        return stream

    def close(self, stream: int) -> None:
        self.open_streams.remove(stream)

    def step(self, streams: Sequence[int], chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        assert set(streams) <= self.open_streams
        assert len(set(streams)) == len(streams) == len(chunks)
        self.largest_batch = max(self.largest_batch, len(streams))
        loudness: NDArray[np.float32] = (np.abs(chunks.astype(np.float32)).mean(axis=1) > 500).astype(np.float32)
        if self.poison not in streams or not loudness[list(streams).index(self.poison)]:
            return loudness
        return np.array([None if s == self.poison else p for s, p in zip(streams, loudness.tolist(), strict=True)])


@dataclass
class Ears:
    media: MediaThread
    vad: LoudnessVad
    address: Address
    clocks: SteppingClocks
    reports: list[Report] = field(default_factory=list)
    unknown: list[Address] = field(default_factory=list)

    def segments(self, call_id: str) -> list[Segment]:
        return [heard for name, heard in self.reports if name == call_id and isinstance(heard, Segment)]

    def ended(self, call_id: str) -> Callable[[], bool]:
        return lambda: any(segment.is_end for segment in self.segments(call_id))


@pytest.fixture
def ears() -> Iterator[Ears]:
    vad = LoudnessVad()
    sock = open_socket("127.0.0.1", 0)
    reports: list[Report] = []
    unknown: list[Address] = []
    clocks = SteppingClocks()
    media = MediaThread(sock, vad, StreamSettings(), reports.extend, unknown.append, 2.0, clocks.clocks)
    assert kernel_drops(sock) == 0
    media.start()
    yield Ears(media, vad, sock.getsockname(), clocks, reports, unknown)
    media.stop()
    assert media.error is None


def listen(call_id: str) -> Listen:
    return Listen(call_id, 0.0, 1, "fr")


SAID = np.concatenate([silence(0.4), TONE, silence(1.2)])


def test_many_calls_share_the_detector(ears: Ears) -> None:
    legs = [MediaLeg(ears.address, ssrc=n) for n in range(90)]
    for n, leg in enumerate(legs):
        ears.media.assign(leg.source, f"c{n}", listen(f"c{n}"), False)
    assert wait_for(lambda: ears.media.calls == 90, DEADLINE_S)
    for start in range(0, len(SAID), 3_200):
        for leg in legs:
            leg.send(SAID[start : start + 3_200])
    for n in range(90):
        assert wait_for(ears.ended(f"c{n}"), DEADLINE_S), n
    assert 1 < ears.vad.largest_batch <= MAX_BATCH
    for n, leg in enumerate(legs):
        ears.media.drop(f"c{n}")
        leg.close()
    assert wait_for(lambda: ears.media.calls == 0 and not ears.vad.open_streams, DEADLINE_S)


def test_packets_that_come_before_their_call_is_known_are_heard(ears: Ears) -> None:
    leg = MediaLeg(ears.address)
    leg.send(SAID[:12_800])
    assert wait_for(lambda: ears.unknown == [leg.source], DEADLINE_S)
    ears.media.assign(leg.source, "c1", listen("c1"), False)
    assert wait_for(lambda: ("c1", Audible()) in ears.reports, DEADLINE_S)
    leg.send(SAID[12_800:])
    assert wait_for(ears.ended("c1"), DEADLINE_S)
    guess = ears.segments("c1")[0]
    start = int(np.flatnonzero(np.abs(guess.samples.astype(np.int32)) > 500)[0])
    assert np.array_equal(guess.samples[start : start + 15_000], TONE[1:15_001])
    leg.close()


@pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 2), (3, 1)])
def test_who_is_assigned_twice_goes_on_behind_the_last_utterance_that_is_known(
    ears: Ears, first: int, second: int
) -> None:
    leg = MediaLeg(ears.address)
    ears.media.assign(leg.source, "c1", listen("c1"), False, first)
    ears.media.assign(leg.source, "c1", listen("c1"), False, second)
    leg.send(np.concatenate([silence(0.2), TONE, silence(1.5)]))
    assert wait_for(ears.ended("c1"), DEADLINE_S)
    assert {segment.utterance for segment in ears.segments("c1")} == {3}
    leg.close()


def test_a_bug_in_one_call_leaves_the_others_alone(ears: Ears) -> None:
    ears.vad.poison = 1
    legs = {name: MediaLeg(ears.address, ssrc=n) for n, name in enumerate(("bad", "good"))}
    for name in ("good", "bad"):
        ears.media.assign(legs[name].source, name, listen(name), False)
    for start in range(0, len(SAID), 1_600):
        for leg in legs.values():
            leg.send(SAID[start : start + 1_600])
    assert wait_for(ears.ended("good"), DEADLINE_S)
    assert wait_for(lambda: ("bad", Silent(0)) in ears.reports, DEADLINE_S)
    assert (ears.media.calls, ears.media.counts.failed_calls, len(ears.vad.open_streams)) == (1, 1, 1)
    for leg in legs.values():
        leg.close()


WATCHED = 20  # looks at the clock in which the thread has surely looked for calls without packets


@pytest.mark.parametrize("step_s", [0.4, 5.0, -5.0, 86_400.0])
def test_a_wall_clock_that_is_set_ends_no_speech_and_loses_no_audio(ears: Ears, step_s: float) -> None:
    leg = MediaLeg(ears.address)
    ears.media.assign(leg.source, "c1", listen("c1"), False)
    leg.send(SAID[:16_000])  # in the middle of the tone
    assert wait_for(lambda: any(isinstance(heard, Confirmed) for _, heard in ears.reports), DEADLINE_S)
    ears.clocks.wall_step_s = step_s
    ears.clocks.advance(0.2)
    ears.clocks.until_looked_at(WATCHED)
    leg.send(SAID[16_000:22_400])  # stamped by the kernel's clock, which is not the one that was stepped
    assert wait_for(lambda: ears.media.counts.packets == 70, DEADLINE_S)
    ears.clocks.advance(0.2)
    ears.clocks.until_looked_at(WATCHED)
    assert (ears.media.counts.stalls, len(ears.reports)) == (0, 2)
    ears.clocks.advance(0.2)  # by the clock that decides, too, it is quiet now
    assert wait_for(ears.ended("c1"), DEADLINE_S)
    ears.clocks.advance(2.0)
    assert wait_for(lambda: isinstance(ears.reports[-1][1], Silent), DEADLINE_S)
    assert ears.reports[-1][1] == Silent(2_400)
    leg.close()


def test_times_in_what_is_heard_are_those_of_the_wall_clock(ears: Ears) -> None:
    leg = MediaLeg(ears.address)
    ears.media.assign(leg.source, "c1", listen("c1"), False)
    before = time.time()
    leg.send(SAID)
    assert wait_for(ears.ended("c1"), DEADLINE_S)
    for segment in ears.segments("c1"):
        times = (segment.speech_started_at, segment.speech_ended_at, segment.heard_at)
        assert times == tuple(sorted(times))
        assert all(before - 0.1 <= at <= time.time() for at in times)
    leg.close()


def test_a_line_whose_end_was_missed_is_forgotten_and_asked_about_again(ears: Ears) -> None:
    leg = MediaLeg(ears.address)
    ears.media.assign(leg.source, "c1", listen("c1"), False)
    leg.send(SAID)
    assert wait_for(ears.ended("c1"), DEADLINE_S)
    assert wait_for(lambda: ears.media.counts.packets == len(SAID) // 320, DEADLINE_S)  # none comes later
    ears.clocks.advance(500.0)
    ears.clocks.until_looked_at(WATCHED)
    assert ears.media.calls == 1
    ears.clocks.advance(200.0)
    assert wait_for(lambda: ears.media.calls == 0, DEADLINE_S)
    leg.send(SAID[:640])
    assert wait_for(lambda: ears.unknown == [leg.source], DEADLINE_S)
    leg.close()


@pytest.mark.parametrize("host", ["1\0", "localhost", "", "1.2.3", "::1", "1" * 300])
def test_an_order_with_no_address_costs_one_call(ears: Ears, host: str) -> None:
    ears.media.assign((host, 5_060), "bad", listen("bad"), False)
    leg = MediaLeg(ears.address)
    ears.media.assign(leg.source, "good", listen("good"), False)
    leg.send(SAID)
    assert wait_for(ears.ended("good"), DEADLINE_S)
    assert ears.media.counts.dropped == {"no_address": 1}
    leg.close()
