"""Packets taken in C beside packets taken in Python: the same audio, times, counts and reports, whatever comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from compiled.library import library
from protocol.messages import Listen
from rtp_receiver.call_lines import CallLines, Report
from rtp_receiver.call_stream import CallStream, Segment, StreamSettings
from rtp_receiver.clocks import Clocks
from rtp_receiver.compiled_packets import CompiledPackets
from rtp_receiver.datagrams import BATCH, LONGEST_DATAGRAM, Datagrams, open_socket
from rtp_receiver.endpoint_rules import EndpointRules
from rtp_receiver.endpointing import Endpointer
from rtp_receiver.packets import Packets, PlainPackets
from rtp_receiver.reorder import MAX_MISORDER
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import PAYLOAD_TYPE
from rtp_receiver.sources import Address
from rtp_receiver.stream_state import StreamState
from tests.fuzz.mutations import mutated_bytes

LIBRARY = library(keeps_lock=True)
needs_the_library = pytest.mark.skipif(LIBRARY is None, reason="nothing was compiled: no C compiler at set-up")
CALLS = 5
STILL = Clocks(lambda: 100.0, lambda: 1e9)
SHORT = StreamSettings(max_samples=24_000)
"""Memory that is full, and moved, within seconds."""


class LoudnessVad:
    """Speech is what is loud: 0.9, 0.3 or 0.1."""

    chunk_samples = 512

    def __init__(self) -> None:
        self._opened = 0

    def open(self) -> int:
        self._opened += 1
        return self._opened

    def close(self, stream: int) -> None:
        """Nothing is kept."""

    def step(self, streams: Sequence[int], chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        loudness = np.abs(chunks.astype(np.float32)).mean(axis=1)
        return np.select([loudness > 2_000, loudness > 500], [0.9, 0.3], 0.1).astype(np.float32)


class Ear:
    """Call lines without a socket: the test puts the datagrams where they would be read."""

    def __init__(self, datagrams: Datagrams, packets: Packets) -> None:
        self.now = 100.0
        self.asked: list[Address] = []
        self.lines = CallLines(datagrams, LoudnessVad(), SHORT, packets, self.asked.append, 2.0, lambda: self.now)
        self._datagrams = datagrams
        self.reports: list[Report] = []

    def read(self, batch: Sequence[tuple[Address, bytes]], now: float) -> None:
        """What one read of the socket and one turn of the detector make of it."""
        arrays = self._datagrams.batch
        assert arrays is not None
        self.now = now
        for number, (address, data) in enumerate(batch):
            kept = data[:LONGEST_DATAGRAM]
            start = number * LONGEST_DATAGRAM
            arrays.memory[start : start + len(kept)] = np.frombuffer(kept, np.uint8)
            arrays.lengths[number] = len(kept)
            source = self._datagrams.source_of(address)
            assert isinstance(source, int)
            arrays.sources[number] = source
            arrays.arrivals[number] = now + number * 1e-5
        self._datagrams._count = len(batch)
        self.lines.take(len(batch))
        while self.lines.waits:
            self.lines.step()
        self.lines.watch(now)
        self.reports += self.lines.reports
        self.lines.reports = []


def told(reports: Sequence[Report]) -> list[Any]:
    """The reports call by call, comparable: calls do not wait for each other."""
    found = []
    for call_id, report in reports:
        fields: dict[str, Any] = asdict(report)
        if isinstance(report, Segment):
            fields["samples"] = report.samples.tobytes()
        found.append((call_id, type(report).__name__, fields))
    return sorted(found, key=lambda item: str(item[0]))


def numbers(stream: CallStream) -> dict[str, Any]:
    """All numbers of a stream, and the audio that is kept. Not the places in memory, nor what only C looks at."""
    state = stream.state
    left_out = ("audio", "arrived", "skipped", "follows", "energy", "in_a_row")
    names = [str(name) for name, *_ in StreamState._fields_ if name not in left_out]
    audio = stream._audio
    kept = audio.view(audio.start, audio.end).tobytes()
    row = min(state.in_a_row, MAX_MISORDER)
    seen = (stream._reorder._seen << row | (1 << row) - 1) & (1 << MAX_MISORDER) - 1
    return {name: getattr(state, name) for name in names} | {"audio": kept, "held": stream.held, "seen": seen}


@contextmanager
def ears() -> Iterator[tuple[Ear, Ear]]:
    """One in C and one in Python."""
    assert LIBRARY is not None
    with open_socket("127.0.0.1", 0) as one, open_socket("127.0.0.1", 0) as other:
        first, second = Datagrams(one, STILL), Datagrams(other, STILL)
        if first.batch is None:
            pytest.skip("datagrams are read one by one here")
        yield Ear(first, CompiledPackets(LIBRARY, first.batch)), Ear(second, PlainPackets())


class Talker:
    """A source of packets that mostly follow each other: a caller who speaks now and then, and a network."""

    def __init__(self, random: Random, number: int, trouble: float) -> None:
        self.address = ("127.0.0.1", 20_000 + number)
        self._random, self._trouble = random, trouble
        self._sequence, self._timestamp = random.choice([1, 65_500]), random.choice([0, 2**32 - 3_000])
        self._ssrc = number
        self._level = 0
        self._late: list[bytes] = []

    def next(self) -> list[bytes]:
        """The datagrams of some 20 ms."""
        random = self._random
        if random.random() < 0.06:
            self._level = random.choice([0, 0, 700, 9_000])
        if random.random() > self._trouble:
            return [self._packet(320)]
        match random.randrange(9):
            case 0:
                self._packet(320)  # lost
            case 1:
                self._late.append(self._packet(320))
                return [self._packet(320), *([] if random.random() < 0.5 else [self._late.pop()])]
            case 2:
                same = self._packet(320)
                return [same, same]
            case 3:
                return [self._packet(random.choice([0, 1, 160, 640, 1_010, 1_100]))]
            case 4:
                self._sequence += random.choice([1, 90, 3_000, -1, -120])
            case 5:
                self._timestamp += random.choice([-320, 320, 32_001, 2**31])
            case 6:
                self._ssrc += 10
            case 7:
                return [mutated_bytes(random, self._packet(320), random.randint(1, 3))]
            case 8:
                return [self._packet(320, random.randrange(128)), self._packet(320)[:-1]]
        return [self._packet(320), *self._late[: random.randrange(2)]]

    def _packet(self, samples: int, kind: int = PAYLOAD_TYPE) -> bytes:
        sound = np.full(samples, self._level, dtype=">i2")
        sound[::2] *= -1
        packet = RtpPacket(
            kind, self._sequence & 0xFFFF, self._timestamp & 0xFFFFFFFF, self._ssrc & 0xFFFFFFFF, sound.tobytes()
        )
        self._sequence += 1
        self._timestamp += samples
        return packet.to_bytes()


@needs_the_library
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.2, 0.9]))
@settings(deadline=None, max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_whatever_comes_both_hear_the_same(seed: int, trouble: float) -> None:
    random = Random(seed)
    talkers = [Talker(random, number, trouble) for number in range(CALLS)]
    stranger = ("127.0.0.1", 30_000)
    with ears() as (compiled, python):
        both = (compiled, python)
        now = 100.0
        for turn in range(300):
            number = random.randrange(CALLS)
            call_id = f"c{number}"
            stream = python.lines.stream(call_id)
            action = random.random()
            for ear in both:
                if stream is None and (action < 0.3 or turn > 10):
                    ear.lines.assign(talkers[number].address, call_id, Listen(call_id, 0.0, 1, "fr"), False)
                elif stream is not None and action < 0.02:
                    ear.lines.drop(call_id)
                elif action < 0.06 and (known := ear.lines.stream(call_id)) is not None:
                    known.listen(Listen(call_id, 0.0, turn, "fr", barge_in=True))
                elif action < 0.10 and (known := ear.lines.stream(call_id)) is not None:
                    known.bot_speaks(action < 0.08)
            batch = [(talker.address, data) for talker in talkers for data in talker.next() if random.random() < 0.995]
            if random.random() < trouble:
                random.shuffle(batch)
                batch.append((stranger, bytes(20)))
            now += 3.0 if random.random() < 0.01 else 0.02
            for ear in both:
                ear.read(batch[:BATCH], now)
            assert told(compiled.reports) == told(python.reports)
            compiled.reports, python.reports = [], []
            for name in (f"c{number}" for number in range(CALLS)):
                ours, theirs = compiled.lines.stream(name), python.lines.stream(name)
                assert (ours is None) == (theirs is None)
                if ours is not None and theirs is not None:
                    assert numbers(ours) == numbers(theirs)
            assert compiled.asked == python.asked
        assert compiled.lines.counts.streams == python.lines.counts.streams
        assert compiled.lines.counts.dropped == python.lines.counts.dropped
        assert compiled.lines.counts.packets == python.lines.counts.packets
        assert compiled.lines.counts.chunks == python.lines.counts.chunks
        assert list(compiled.lines.counts.lag_buckets) == list(python.lines.counts.lag_buckets)


@needs_the_library
def test_nearly_all_packets_of_a_good_line_are_taken_in_c() -> None:
    talkers = [Talker(Random(1), number, 0.0) for number in range(CALLS)]
    with ears() as (compiled, _):
        left: list[int] = []
        packets = compiled.lines._packets

        class Watched:
            know, chunks, heard = packets.know, packets.chunks, packets.heard

            def take(self, count: int) -> tuple[int, Sequence[int], Sequence[int]]:
                taken, ready, others = packets.take(count)
                left.append(len(others))
                return taken, ready, others

        compiled.lines._packets = Watched()
        for number, talker in enumerate(talkers):
            compiled.lines.assign(talker.address, f"c{number}", None, False)
        for turn in range(500):
            compiled.read([(talker.address, data) for talker in talkers for data in talker.next()], 100 + turn / 50)
        assert left[0] == CALLS  # the first of each
        assert sum(left[1:]) < 10  # where the memory of a call is moved to its front


@needs_the_library
def test_hundreds_of_calls_are_heard_at_once() -> None:
    talkers = [Talker(Random(number), number, 0.01) for number in range(240)]
    with ears() as (compiled, python):
        for ear in (compiled, python):
            for number, talker in enumerate(talkers):
                ear.lines.assign(talker.address, f"c{number}", Listen(f"c{number}", 0.0, 1, "fr"), False)
        for turn in range(150):
            batch = [(talker.address, data) for talker in talkers for data in talker.next()]
            for ear in (compiled, python):
                for start in range(0, len(batch), BATCH):
                    ear.read(batch[start : start + BATCH], 100 + turn / 50 + start * 1e-5)
        assert len(python.reports) > 240
        assert told(compiled.reports) == told(python.reports)


@needs_the_library
def test_a_table_of_many_sources_finds_each() -> None:
    assert LIBRARY is not None
    with open_socket("127.0.0.1", 0) as sock:
        datagrams = Datagrams(sock)
        assert datagrams.batch is not None
        packets = CompiledPackets(LIBRARY, datagrams.batch)
        streams = {}
        random = Random(3)
        for number in range(700):
            address = (f"10.{random.randrange(256)}.{random.randrange(256)}.7", random.randrange(1, 65_536))
            stream = CallStream("c", SHORT, number=number)
            stream.push(RtpPacket(PAYLOAD_TYPE, 1, 0, 5, bytes(640)), 1.0)
            stream.state.audible = True
            streams[datagrams.source_of(address)] = stream
        packets.know(streams)
        data = np.frombuffer(RtpPacket(PAYLOAD_TYPE, 2, 320, 5, bytes(640)).to_bytes(), np.uint8)
        for source, stream in streams.items():
            assert isinstance(source, int)
            datagrams.batch.memory[: len(data)] = data
            datagrams.batch.lengths[0], datagrams.batch.sources[0] = len(data), source
            assert packets.take(1) == (1, [stream.state.number], [])
        packets.know({})
        assert packets.take(1) == (0, [], [0])


@given(st.integers(0, 40), st.lists(st.floats(0, 1), max_size=60))
def test_skipping_quiet_chunks_is_hearing_them(quiet: int, after: list[float]) -> None:
    one, other = (Endpointer(EndpointRules(end_silence_ms=200)) for _ in range(2))
    for endpointer in (one, other):
        endpointer.listen(1, EndpointRules(end_silence_ms=200))
        for probability in (0.9, 0.9, 0.9, 0.9, *[0.0] * 30):
            endpointer.step(probability)
    assert one.quiet_below == EndpointRules().faint
    for _ in range(quiet):
        assert one.step(one.quiet_below - 0.01) == ()
    other.skip(quiet)
    assert [one.step(p) for p in after] == [other.step(p) for p in after]
    assert one.needs_from() == other.needs_from()
