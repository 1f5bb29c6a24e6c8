"""Packets and probabilities to segments: the audio, its times, and that packet sizes do not matter."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.messages import Listen
from rtp_receiver.call_stream import BACKLOG_SAMPLES, CallStream, Confirmed, Segment, StreamEvent, StreamSettings
from rtp_receiver.reorder import Counts
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import Samples
from tests.rtp_receiver.packets import packets_of, silence

LISTEN = Listen("c1", 0.0, 3, "fr", eager_silence_ms=200, end_silence_ms=600)
NOISE = np.random.default_rng(5).integers(-9_000, 9_000, 16_000 * 20).astype(np.int16)


def loud(seconds: float) -> Samples:
    return NOISE[: round(seconds * 16_000)]


def loudness(chunk: Samples) -> float:
    """A detector that is easy to predict."""
    return 1.0 if np.abs(chunk.astype(np.int32)).mean() > 1_000 else 0.0


@dataclass
class Listener:
    """Feeds a stream as the media thread does, at the pace of the audio, and keeps what was heard."""

    stream: CallStream
    now: float = 1_000.0

    def feed(self, packets: list[RtpPacket]) -> list[StreamEvent]:
        heard: list[StreamEvent] = []
        for packet in packets:
            self.now += len(packet.payload) / 32_000
            self.stream.push(packet, self.now)
            heard += self.judge()
        return heard

    def judge(self) -> list[StreamEvent]:
        heard: list[StreamEvent] = []
        while self.stream.waiting:
            heard += self.stream.heard(loudness(self.stream.next_chunk()))
        return heard


def listener(limits: StreamSettings | None = None, listen: Listen = LISTEN) -> Listener:
    stream = CallStream("c1", limits or StreamSettings())
    stream.listen(listen)
    return Listener(stream)


def segments(heard: list[StreamEvent]) -> list[Segment]:
    return [item for item in heard if isinstance(item, Segment)]


AUDIO = np.concatenate([silence(1.0), loud(0.8), silence(1.5)])


def test_an_utterance_has_its_audio_and_true_times() -> None:
    heard = listener().feed(packets_of(AUDIO))
    assert isinstance(heard[0], Confirmed)
    guess, end = segments(heard)
    assert (guess.is_end, guess.revision, end.is_end, end.revision, end.cause) == (False, 1, True, 1, "silence")
    assert guess.samples.tolist() == end.samples.tolist()
    # speech is in chunks 31 to 56, pre-roll from 23, at most 7 chunks of silence behind it
    assert end.samples.tolist() == AUDIO[23 * 512 : (56 + 7 + 1) * 512].tolist()
    assert end.speech_started_at == pytest.approx(1_001.0, abs=0.052)
    assert end.speech_ended_at == pytest.approx(1_001.8, abs=0.052)
    assert guess.heard_at - end.speech_ended_at == pytest.approx(0.224, abs=0.02)
    assert end.heard_at - end.speech_ended_at == pytest.approx(0.608, abs=0.02)


def test_doubtful_speech_over_a_prompt_has_its_audio() -> None:
    caller = listener(listen=replace(LISTEN, barge_in=True, barge_in_ms=2_000))
    caller.stream.bot_speaks(True)
    (aside,) = segments(caller.feed(packets_of(AUDIO)))
    assert (aside.aside, aside.is_end, aside.settled, aside.utterance, aside.revision) == (True, True, True, 1, 0)
    assert aside.samples.tolist() == AUDIO[23 * 512 : (56 + 7 + 1) * 512].tolist()
    assert aside.speech_ended_at == pytest.approx(1_001.8, abs=0.052)


def test_what_may_be_a_word_has_its_audio() -> None:
    audio = np.concatenate([silence(1.0), loud(0.05), silence(1.0)])
    (faint,) = segments(listener().feed(packets_of(audio)))
    assert (faint.faint, faint.aside, faint.is_end, faint.settled, faint.utterance) == (True, False, True, True, 1)
    assert faint.samples.tolist() == audio[23 * 512 : (32 + 7 + 1) * 512].tolist()


@given(st.lists(st.integers(1, 1_000), min_size=20, max_size=60))
def test_any_packet_sizes_give_the_same_utterances(sizes: list[int]) -> None:
    packets: list[RtpPacket] = []
    start = 0
    for index, size in enumerate([*sizes, len(AUDIO)]):
        packets += packets_of(AUDIO[start : start + size], sequence=index + 1, timestamp=320 + start, size=len(AUDIO))
        start += size
    expected = segments(listener().feed(packets_of(AUDIO)))
    found = segments(listener().feed([packet for packet in packets if packet.payload]))
    assert [(s.utterance, s.revision, s.cause) for s in found] == [(s.utterance, s.revision, s.cause) for s in expected]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(found, expected, strict=True))


def test_a_lost_packet_is_silence_in_the_utterance() -> None:
    packets = packets_of(AUDIO)
    del packets[60]
    end = segments(listener().feed(packets))[-1]
    expected = AUDIO.copy()
    expected[60 * 320 : 61 * 320] = 0
    assert end.samples.tolist() == expected[23 * 512 : 64 * 512].tolist()


def test_the_setting_ends_utterances_of_turns_that_name_no_silence() -> None:
    listen = Listen("c1", 0.0, 3, "fr", eager_silence_ms=100, end_silence_ms=0)
    heard = listener(StreamSettings(end_silence_ms=320), listen).feed(packets_of(AUDIO))
    end = segments(heard)[-1]
    assert end.heard_at - end.speech_ended_at == pytest.approx(0.32, abs=0.02)


def test_an_utterance_never_outgrows_the_buffer() -> None:
    limits = StreamSettings(max_samples=32_000)
    heard = listener(limits).feed(packets_of(np.concatenate([silence(1), loud(6), silence(2)])))
    ends = [segment for segment in segments(heard) if segment.is_end]
    assert [segment.cause for segment in ends] == ["too_long", "silence"]
    assert max(len(segment.samples) for segment in ends) <= 32_000
    cut, rest = (segment.samples for segment in ends)
    at = next(at for at in range(len(loud(6)) - len(cut) + 1) if np.array_equal(loud(6)[at : at + len(cut)], cut))
    story = loud(6)[at + len(cut) :]
    assert any(np.array_equal(story[first : first + 8_000], rest[:8_000]) for first in range(len(story)))


def test_speech_whose_packets_stop_is_ended_by_silence() -> None:
    ear = listener()
    heard = ear.feed(packets_of(np.concatenate([silence(1.0), loud(0.8)])))
    assert ear.stream.speaking
    ear.stream.stall(ear.now + 0.3)
    heard += ear.judge()
    assert segments(heard)[-1].is_end
    assert not ear.stream.speaking
    ear.feed(packets_of(silence(0.1), sequence=2_000, timestamp=16_000 * 60))
    assert ear.stream.waiting == 0


def test_the_listen_command_in_force_goes_with_the_segment() -> None:
    ear = listener()
    heard = ear.feed(packets_of(AUDIO))
    later = Listen("c1", 1.0, 4, "it", hints=("casa",))
    ear.stream.listen(later)
    heard += ear.feed(packets_of(AUDIO, sequence=500, timestamp=320 + len(AUDIO)))
    ends = [segment for segment in segments(heard) if segment.is_end]
    assert [(s.listen.turn, s.listen.language, s.utterance) for s in ends] == [(3, "fr", 1), (4, "it", 2)]


def test_hours_of_audio_need_no_more_memory() -> None:
    ear = listener(StreamSettings(max_samples=32_000))
    packets = packets_of(np.concatenate([silence(1), loud(0.5)]))
    ends = 0
    for round_number in range(200):
        for index, packet in enumerate(packets):
            packet.sequence_number = (1 + round_number * len(packets) + index) & 0xFFFF
            packet.timestamp = (320 + (round_number * len(packets) + index) * 320) & 0xFFFF_FFFF
        ends += sum(segment.is_end for segment in segments(ear.feed(packets)))
    assert ends == 199 or ends == 200


def test_gap_after_gap_without_a_detector_that_keeps_up_is_bounded() -> None:
    """Timestamps that jump make seconds of silence from one packet: what is too much is dropped and counted."""
    counts = Counts()
    stream = CallStream("c1", StreamSettings(max_samples=16_000), counts)
    stream.listen(LISTEN)
    ear = Listener(stream)
    for number in range(300):
        stream.push(packets_of(loud(0.02), sequence=number, timestamp=number * 31_000)[0], float(number))
        assert stream.waiting * 512 <= BACKLOG_SAMPLES
        if number % 7 == 0 and stream.waiting:
            stream.heard(loudness(stream.next_chunk()))
    ear.judge()
    assert counts.overrun > 0
    ear.feed(packets_of(silence(1.0), sequence=300, timestamp=300 * 31_000))
    assert stream.waiting == 0


def test_eight_streams_that_begin_together_complete_as_many_chunks_with_every_packet() -> None:
    streams = [CallStream(f"call-{phase}", StreamSettings(), head_start=64 * phase) for phase in range(8)]
    waiting = []
    for packet in packets_of(silence(0.5)):
        for stream in streams:
            stream.push(packet, 0.0)
        waiting.append(sum(stream.waiting for stream in streams))
    assert set(np.diff(waiting)) == {5}
