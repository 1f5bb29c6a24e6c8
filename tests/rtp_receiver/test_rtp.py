"""Datagrams to packets: every field, every way of being wrong, and the round trip."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp_receiver.rtp import BadRtp, RtpPacket, uint16_add, uint16_distance, uint32_distance

PLAIN = bytes([0x80, 0x80 | 118]) + struct.pack("!HII", 0xFFFE, 0xFFFFFF00, 0x1234ABCD) + b"\x01\x02\x03\x04"


def test_every_field_of_a_plain_packet() -> None:
    packet = RtpPacket.parse(PLAIN)
    assert packet == RtpPacket(118, 0xFFFE, 0xFFFFFF00, 0x1234ABCD, b"\x01\x02\x03\x04", marker=True)
    assert packet.to_bytes() == PLAIN


def test_csrc_extension_and_padding_are_taken_off_the_payload() -> None:
    header = bytes([0x80 | 0x20 | 0x10 | 2, 118]) + struct.pack("!HII", 5, 6, 7)
    extras = struct.pack("!II", 11, 12) + struct.pack("!HH", 0xBEDE, 2) + b"extended"
    packet = RtpPacket.parse(header + extras + b"\x09\x0a" + b"\x00\x00\x03")
    assert packet == RtpPacket(118, 5, 6, 7, b"\x09\x0a", False, (11, 12), 0xBEDE, b"extended")


def test_padding_may_be_all_there_is() -> None:
    assert RtpPacket.parse(bytes([0xA0, 118]) + bytes(10) + b"\x00\x00\x00\x04").payload == b""


@pytest.mark.parametrize(
    ("datagram", "code", "message"),
    [
        (b"", "too_short", "0 bytes are less than the 12"),
        (PLAIN[:11], "too_short", "11 bytes are less than the 12"),
        (b"\x40" + PLAIN[1:], "version", "RTP version is 1"),
        (b"\x8f" + PLAIN[1:], "csrc", "CSRC list of 15 entries is cut off after 16 bytes"),
        (b"\x90" + PLAIN[1:12] + b"\x00", "extension_header", "extension header is cut off after 13"),
        (b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00\x09", "extension", "extension of 36 bytes is cut off after 16"),
        (b"\xa0" + PLAIN[1:12] + b"\x01\x00", "padding_zero", "padding length is 0"),
        (b"\xa0" + PLAIN[1:12] + b"\x01\x03", "padding", "padding of 3 bytes is longer than the 2"),
        (b"\xa0" + PLAIN[1:11] + b"\x04", "padding", "padding of 4 bytes is longer than the 0"),
    ],
)
def test_every_way_of_being_wrong_has_its_own_message(datagram: bytes, code: str, message: str) -> None:
    with pytest.raises(BadRtp, match=message) as caught:
        RtpPacket.parse(datagram)
    assert caught.value.code == code


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_a_clear_error(data: bytes) -> None:
    error: BadRtp | None = None
    try:
        packet = RtpPacket.parse(data)
    except BadRtp as caught:
        error = caught
    if error is None:
        assert len(packet.payload) <= len(data) - 12
    else:
        assert str(error)
        assert error.code.isidentifier()


@given(
    st.builds(
        RtpPacket,
        payload_type=st.integers(0, 127),
        sequence_number=st.integers(0, 0xFFFF),
        timestamp=st.integers(0, 0xFFFF_FFFF),
        ssrc=st.integers(0, 0xFFFF_FFFF),
        payload=st.binary(max_size=40),
        marker=st.booleans(),
        csrc=st.lists(st.integers(0, 0xFFFF_FFFF), max_size=15).map(tuple),
        extension_profile=st.just(0xBEDE),
        extension=st.integers(0, 5).map(lambda words: b"abcd" * words),
    )
)
def test_a_written_packet_reads_the_same(packet: RtpPacket) -> None:
    assert RtpPacket.parse(packet.to_bytes()) == packet


def test_numbers_wrap_around() -> None:
    assert uint16_add(0xFFFF, 1) == 0
    assert uint16_distance(0xFFFF, 0) == 1
    assert uint16_distance(0, 0xFFFF) == -1
    assert uint16_distance(10, 10) == 0
    assert uint16_distance(0, 0x8000) == -0x8000
    assert uint32_distance(0xFFFF_FF00, 0x40) == 0x140
    assert uint32_distance(0x40, 0xFFFF_FF00) == -0x140
