"""Datagrams to SIP messages and back."""

import pytest

from callers.sip_message import Dialog, MalformedSip, SipMessage, answer, parse

RINGING = (
    b"SIP/2.0 200 OK\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5090;branch=z9hG4bKa\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb\r\n"
    b"f: <sip:caller@127.0.0.1>;tag=us\r\n"
    b"t: <sip:bot@127.0.0.1>;tag=them\r\n"
    b"i: abc\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"m: <sip:127.0.0.1:5060;transport=udp>\r\n"
    b"Record-Route: <sip:far;lr>, <sip:near;lr>\r\n"
    b"Subject: folded\r\n  line\r\n"
    b"l: 4\r\n\r\nv=0\n"
)
DIALOG = Dialog("bot", ("127.0.0.1", 5060), ("127.0.0.1", 5090), "abc", "us")


def test_an_answer_is_read() -> None:
    message = parse(RINGING)
    assert (message.is_request, message.status, message.method, message.cseq) == (False, 200, "INVITE", 1)
    assert message.header("Call-ID") == "abc"
    assert [via[-1] for via in message.all("via")] == ["a", "b"]
    assert message.header("subject") == "folded line"
    assert message.body == b"v=0\n"


def test_a_request_survives_the_wire() -> None:
    request = DIALOG.request("INVITE", 1, "x1", b"v=0\r\n")
    read = parse(request.encode())
    assert read == request
    assert read.start_line == "INVITE sip:bot@127.0.0.1:5060 SIP/2.0"
    assert read.header("via") == "SIP/2.0/UDP 127.0.0.1:5090;branch=z9hG4bKx1;rport"
    assert read.header("content-type") == "application/sdp"
    assert b"Content-Length: 5\r\n" in request.encode()


def test_requests_in_a_call_go_to_the_contact_through_the_proxies() -> None:
    bye = DIALOG.established(parse(RINGING)).request("BYE", 2, "x2")
    assert bye.start_line == "BYE sip:127.0.0.1:5060;transport=udp SIP/2.0"
    assert bye.all("route") == ["<sip:near;lr>", "<sip:far;lr>"]
    assert bye.header("to") == "<sip:bot@127.0.0.1>;tag=them"
    assert bye.header("from").endswith(";tag=us")


def test_the_ack_of_a_refusal_goes_where_the_invite_went() -> None:
    ack = DIALOG.refused(parse(RINGING)).request("ACK", 1, "x1")
    assert ack.start_line == "ACK sip:bot@127.0.0.1:5060 SIP/2.0"
    assert ack.header("to").endswith(";tag=them")


def test_an_answer_copies_every_via() -> None:
    request = SipMessage("BYE sip:caller@127.0.0.1 SIP/2.0", parse(RINGING).headers)
    reply = answer(request, 200, "OK")
    assert reply.start_line == "SIP/2.0 200 OK"
    assert reply.all("via") == request.all("via")
    assert reply.header("to") == request.header("to")
    assert reply.all("record-route") == []


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "no empty line"),
        (b"\r\n\r\n", "not a request line"),
        (b"\xff\xfe\r\n\r\n", "not a request line"),
        (RINGING.replace(b"200 OK", b"2x0 OK"), "not a status line"),
        (RINGING.replace(b"1 INVITE", b"INVITE"), "CSeq"),
        (RINGING.replace(b"CSeq: 1 INVITE", b"CSeq 1 INVITE"), "without a colon"),
        (RINGING.replace(b"i: abc\r\n", b""), "no call-id"),
        (b"INVITE sip:bot\r\nCSeq: 1 INVITE\r\n\r\n", "not a request line"),
    ],
)
def test_a_malformed_datagram_says_why(datagram: bytes, reason: str) -> None:
    with pytest.raises(MalformedSip, match=reason):
        parse(datagram)
