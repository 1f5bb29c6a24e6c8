"""Samples and keys to packets, packets to samples."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callers.packet_lengths import Repacketiser
from callers.rtp_audio import CallerPacket, MalformedRtp, Packetiser, from_ulaw, parse, to_ulaw
from callers.sdp import PCMU


def test_ulaw_has_the_values_of_g711() -> None:
    # G.711 table 2a: the ends of both halves, and the two zeros
    assert from_ulaw(bytes([0x00, 0x80, 0xFF, 0x7F, 0xF0])).tolist() == [-32124, 32124, 0, 0, 120]
    assert to_ulaw(np.array([0, 32767, -32768, 120], dtype=np.int16)) == bytes([0xFF, 0x80, 0x00, 0xF0])


def test_every_code_comes_back() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # 0x7F is the second zero
    assert to_ulaw(from_ulaw(codes)) == codes


@given(st.integers(-32_768, 32_767))
def test_the_error_of_ulaw_is_small(value: int) -> None:
    back = int(from_ulaw(to_ulaw(np.array([value], dtype=np.int16)))[0])
    # 32124 is the largest value; below it a step is at most a sixteenth of the sample
    assert abs(back - max(-32_124, min(32_124, value))) <= max(8, abs(value) / 16)


@given(
    st.builds(
        CallerPacket,
        st.integers(0, 127),
        st.integers(0, 65_535),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=200),
        st.booleans(),
    )
)
def test_a_packet_survives_the_wire(packet: CallerPacket) -> None:
    assert parse(packet.encode()) == packet


def test_csrc_extension_and_padding_are_taken_off() -> None:
    header = struct.pack("!BBHII", 0xB1, 0, 7, 8, 9)
    extension = struct.pack("!HHI", 0xBEDE, 1, 0)
    packet = parse(header + b"CSRC" + extension + b"sound" + b"\0\0\3")
    assert packet.payload == b"sound"
    assert packet.sequence == 7


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"\x80\0\0", "less than a header"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x90" + bytes(11), "extension is cut off"),
        (b"\x8f" + bytes(11), "longer than the packet"),
        (b"\xa0" + bytes(10) + b"\x0d", "longer than the packet"),
    ],
)
def test_malformed_packets_say_why(datagram: bytes, reason: str) -> None:
    with pytest.raises(MalformedRtp, match=reason):
        parse(datagram)


def packets(packetiser: Packetiser, count: int) -> list[CallerPacket]:
    return [packetiser.next_packet()[0] for _ in range(count)]


def test_silence_is_sent_when_there_is_nothing_to_say() -> None:
    first, second = packets(Packetiser(ssrc=5, sequence=65_535, timestamp=2**32 - 160), 2)
    assert from_ulaw(first.payload).tolist() == [0] * 160
    assert (first.marker, second.marker) == (True, False)
    assert (first.sequence, second.sequence) == (65_535, 0)
    assert (first.timestamp, second.timestamp) == (2**32 - 160, 0)


def test_speech_is_cut_into_packets_that_know_their_utterance() -> None:
    packetiser = Packetiser(1, 0, 0)
    speech = np.full(200, 1_000, dtype=np.int16)
    number = packetiser.speak(speech)
    sent = [packetiser.next_packet() for _ in range(3)]
    assert [utterance for _, utterance in sent] == [number, number, None]
    heard = np.concatenate([from_ulaw(packet.payload) for packet, _ in sent])
    assert np.allclose(heard[:200], 1_000, atol=32)
    assert not heard[200:].any()
    assert packetiser.is_idle


def test_a_key_press_is_one_event_in_the_same_stream() -> None:
    packetiser = Packetiser(ssrc=1, sequence=100, timestamp=1_000, event_type=96)
    packetiser.press("#")
    sent = packets(packetiser, 12)
    events = [packet for packet in sent if packet.payload_type == 96]
    fields = [struct.unpack("!BBH", packet.payload) for packet in events]
    assert [packet.sequence for packet in sent] == list(range(100, 112))
    assert {packet.ssrc for packet in sent} == {1}
    assert {packet.timestamp for packet in events} == {1_000}
    assert [event for event, _, _ in fields] == [11] * 8
    assert [duration for _, _, duration in fields] == [160, 320, 480, 640, 800, 800, 800, 800]
    assert [bool(flags & 0x80) for _, flags, _ in fields] == [False] * 5 + [True] * 3
    assert [packet.marker for packet in events] == [True] + [False] * 7
    # the clock of the audio went on meanwhile
    assert sent[8].timestamp == 1_000 + 8 * 160


def test_two_keys_have_different_times_and_a_pause_between() -> None:
    packetiser = Packetiser(1, 0, 0)
    packetiser.press("1a")
    sent = packets(packetiser, 22)
    kinds = [packet.payload_type for packet in sent]
    assert kinds == ([101] * 8 + [0] * 3) * 2
    assert sent[11].timestamp == 11 * 160
    assert sent[11].payload[0] == 12


def test_a_key_that_no_keypad_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no such key: 'é'"):
        Packetiser(1, 0, 0).press("1é")


def test_stopping_drops_what_was_not_sent() -> None:
    packetiser = Packetiser(1, 0, 0)
    packetiser.speak(np.full(1_600, 1_000, dtype=np.int16))
    packetiser.next_packet()
    packetiser.stop_speaking()
    assert packetiser.is_idle
    assert not from_ulaw(packetiser.next_packet()[0].payload).any()


def offsets(audio: list[CallerPacket]) -> list[int]:
    """Where each packet begins, in samples from the first on; each begins where the one before ends, but for keys."""
    found = [(packet.timestamp - audio[0].timestamp) % 2**32 for packet in audio]
    gaps = [b - a - len(packet.payload) for a, b, packet in zip(found, found[1:], audio, strict=False)]
    assert all(gap == 0 or gap == 8 * 160 for gap in gaps)
    return found


@pytest.mark.parametrize("packet_ms", [10, 20, 30, 40, 60])
def test_packets_of_another_length_have_the_same_samples_and_no_gap(packet_ms: int) -> None:
    stream, packing = Packetiser(1, 65_530, 2**32 - 400), Repacketiser(packet_ms)
    spoken = np.arange(-4_000, 4_000, dtype=np.int16)
    stream.speak(spoken[:4_000])
    stream.press("5")
    stream.speak(spoken[4_000:])
    packets = [cut for _ in range(100) for cut in packing.take(stream.next_packet()[0])]
    audio = [packet for packet in packets if packet.payload_type == PCMU]
    steps = {(b.sequence - a.sequence) % 65_536 for a, b in pairwise(packets)}
    assert steps == {1}
    assert max(len(packet.payload) for packet in audio) == packet_ms * 8
    heard = {packet.timestamp: packet.payload for packet in audio}
    begin = next(iter(heard))
    whole = b"".join(heard[(begin + offset) % 2**32] for offset in offsets(audio))
    assert to_ulaw(spoken[:4_000]) in whole
    assert to_ulaw(spoken[4_000:]) in whole
    assert [packet.marker for packet in audio].count(True) == 1
    assert len([packet for packet in packets if packet.payload_type != PCMU]) == 8
