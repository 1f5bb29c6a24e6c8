"""Packets in any order to audio in the right one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtp_receiver.reorder import DEPTH, MAX_SILENCE_SAMPLES, ReorderBuffer
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import samples_of
from tests.rtp_receiver.packets import packets_of

RAMP = np.arange(1, 20 * 320 + 1, dtype=np.int16)


def play(buffer: ReorderBuffer, packets: list[RtpPacket]) -> list[int]:
    """All samples that come out, gaps as zeros."""
    out: list[int] = []
    for packet in packets:
        for silence, payload in buffer.push(packet):
            out += [0] * silence
            out += samples_of(payload).tolist()
    return out


def test_packets_in_order_pass_at_once() -> None:
    buffer = ReorderBuffer()
    assert [len(buffer.push(packet)) for packet in packets_of(RAMP)] == [1] * 20
    assert (buffer.counts.released, buffer.counts.lost) == (20, 0)


def test_sequence_and_timestamp_wrap_around_unnoticed() -> None:
    buffer = ReorderBuffer()
    assert play(buffer, packets_of(RAMP, sequence=0xFFF5, timestamp=0xFFFF_FFFF - 1_000)) == RAMP.tolist()
    assert buffer.counts.lost == buffer.counts.silence_samples == buffer.counts.timestamp_jumps == 0


def test_a_swapped_pair_is_put_right() -> None:
    buffer, packets = ReorderBuffer(), packets_of(RAMP)
    packets[4], packets[5] = packets[5], packets[4]
    assert play(buffer, packets) == RAMP.tolist()
    assert (buffer.counts.reordered, buffer.counts.lost) == (1, 0)


def test_a_lost_packet_becomes_silence_after_depth_more() -> None:
    buffer, packets = ReorderBuffer(), packets_of(RAMP)
    del packets[5]
    came = [len(buffer.push(packet)) for packet in packets]
    assert came == [1] * 5 + [0] * DEPTH + [DEPTH + 1] + [1] * (19 - 6 - DEPTH)
    expected = RAMP.copy()
    expected[5 * 320 : 6 * 320] = 0
    buffer = ReorderBuffer()
    assert play(buffer, packets) == expected.tolist()
    assert (buffer.counts.lost, buffer.counts.silence_samples) == (1, 320)


def test_duplicates_and_late_packets_are_told_apart() -> None:
    buffer, packets = ReorderBuffer(), packets_of(RAMP)
    late = packets.pop(3)
    play(buffer, packets[:10])
    assert buffer.push(packets[9]) == ()
    assert buffer.push(late) == ()
    assert (buffer.counts.duplicate, buffer.counts.late) == (1, 1)


def test_a_duplicate_of_a_waiting_packet_is_one() -> None:
    buffer, packets = ReorderBuffer(), packets_of(RAMP)
    play(buffer, [packets[0], packets[2], packets[2]])
    assert buffer.counts.duplicate == 1


def test_a_timestamp_gap_without_loss_is_silence() -> None:
    buffer = ReorderBuffer()
    first = packets_of(RAMP[:320])
    second = packets_of(RAMP[320:640], sequence=2, timestamp=640 + 1_600)
    assert play(buffer, [*first, *second]) == [*RAMP[:320].tolist(), *[0] * 1_600, *RAMP[320:640].tolist()]
    assert buffer.counts.lost == 0


def test_a_long_gap_is_shortened_and_a_step_back_makes_none() -> None:
    buffer = ReorderBuffer()
    packets = [
        *packets_of(RAMP[:320]),
        *packets_of(RAMP[320:640], sequence=2, timestamp=10_000_000),
        *packets_of(RAMP[640:960], sequence=3, timestamp=5_000),
    ]
    silences = [silence for packet in packets for silence, _ in buffer.push(packet)]
    assert silences == [0, MAX_SILENCE_SAMPLES, 0]
    assert buffer.counts.timestamp_jumps == 2


def test_a_new_ssrc_is_believed_with_its_second_packet() -> None:
    buffer = ReorderBuffer()
    play(buffer, packets_of(RAMP[:3200]))
    other = packets_of(RAMP[3200:], sequence=40_000, timestamp=9, ssrc=99)
    assert buffer.push(other[0]) == ()
    assert [len(buffer.push(packet)) for packet in other[1:3]] == [2, 1]
    assert (buffer.counts.ssrc_changes, buffer.counts.stray) == (1, 0)


def test_a_single_packet_of_another_source_changes_nothing() -> None:
    buffer, packets = ReorderBuffer(), packets_of(RAMP)
    stranger = packets_of(RAMP[:320], ssrc=99)
    assert play(buffer, [*packets[:5], *stranger, *packets[5:]]) == RAMP.tolist()
    assert buffer.counts.ssrc_changes == 0


def test_a_sequence_jump_is_believed_with_its_second_packet() -> None:
    buffer = ReorderBuffer()
    play(buffer, packets_of(RAMP[:320], sequence=1))
    jumped = packets_of(RAMP[320:1280], sequence=30_000, timestamp=640)
    assert play(buffer, jumped) == RAMP[320:1280].tolist()
    assert buffer.counts.sequence_jumps == 1


def test_after_resynchronise_a_gap_makes_no_silence() -> None:
    buffer = ReorderBuffer()
    play(buffer, packets_of(RAMP[:320]))
    buffer.resynchronise()
    assert [s for p in packets_of(RAMP[:320], sequence=2, timestamp=90_000) for s, _ in buffer.push(p)] == [0]


@given(st.data(), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF))
def test_any_reordering_within_the_depth_gives_the_audio_back(data: st.DataObject, sequence: int, stamp: int) -> None:
    packets = packets_of(RAMP, sequence=sequence, timestamp=stamp)
    first, rest = packets[:1], packets[1:]
    late = {i: i + data.draw(st.integers(0, DEPTH)) + 0.5 * (i % 2) for i in range(len(rest))}
    shuffled = first + [rest[i] for i in sorted(late, key=lambda i: (late[i], i))]
    repeated = [packet for packet in shuffled for _ in range(data.draw(st.integers(1, 2)))]
    buffer = ReorderBuffer()
    assert play(buffer, repeated) == RAMP.tolist()
    assert buffer.counts.lost == 0
    assert buffer.counts.duplicate == len(repeated) - len(packets)


@given(st.sets(st.integers(1, 15)))
def test_any_loss_leaves_every_other_sample_in_its_place(lost: set[int]) -> None:
    packets = [packet for number, packet in enumerate(packets_of(RAMP)) if number not in lost]
    expected = RAMP.copy()
    for number in lost:
        expected[number * 320 : (number + 1) * 320] = 0
    buffer = ReorderBuffer()
    assert play(buffer, packets) == expected.tolist()[: len(expected)]
    assert buffer.counts.lost == len(lost)


@given(
    st.lists(
        st.builds(
            RtpPacket,
            payload_type=st.just(118),
            sequence_number=st.integers(0, 0xFFFF),
            timestamp=st.integers(0, 0xFFFF_FFFF),
            ssrc=st.integers(0, 2),
            payload=st.sampled_from([b"", b"ab", b"abcd" * 80]),
        ),
        max_size=60,
    )
)
def test_any_packets_at_all_are_handled_and_accounted_for(packets: list[RtpPacket]) -> None:
    buffer = ReorderBuffer()
    released = [item for packet in packets for item in buffer.push(packet)]
    counts = buffer.counts
    assert all(0 <= silence <= MAX_SILENCE_SAMPLES for silence, _ in released)
    assert counts.released == len(released)
    known = counts.released + counts.duplicate + counts.late + counts.stray
    assert 0 <= len(packets) - known <= DEPTH + 1  # what still waits
