"""What a server may ask of a caller in mid-call, played by a server of our own on a real socket."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callers.sdp import MalformedSdp, audio_target, describe
from callers.sip_caller import SipCaller
from callers.sip_message import SipMessage, answer, parse

Datagram = tuple[SipMessage, tuple[str, int]]


class Server(asyncio.DatagramProtocol):
    """Sends what a test tells it to and keeps what comes in."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[Datagram] = asyncio.Queue()
        self.invite: SipMessage | None = None
        self.caller = ("", 0)

    async def open(self) -> None:
        self.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.address: tuple[str, int] = self.transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait((parse(data), addr))

    async def next(self, method: str) -> SipMessage:
        """The next datagram of this method; others, such as repetitions, are passed over."""
        async with asyncio.timeout(10):
            while True:
                message, self.caller = await self.received.get()
                if message.method == method:
                    return message

    def send(self, message: SipMessage) -> None:
        self.transport.sendto(message.encode(), self.caller)

    def accepting(self, invite: SipMessage, body: bytes) -> SipMessage:
        """The 200 to an INVITE, with our tag and contact."""
        plain = answer(invite, 200, "OK", f"sip:server@{self.address[0]}:{self.address[1]}", body)
        headers = tuple((key, f"{value};tag=server" if key == "To" else value) for key, value in plain.headers)
        return SipMessage(plain.start_line, headers, body)

    def request(self, method: str, cseq: int, call_id: str, body: bytes = b"") -> SipMessage:
        """A request in the other direction."""
        assert self.invite is not None
        headers = (
            ("Via", f"SIP/2.0/UDP {self.address[0]}:{self.address[1]};branch=z9hG4bK{cseq}{method}"),
            ("From", f"{self.invite.header('to')};tag=server"),
            ("To", self.invite.header("from")),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        )
        return SipMessage(f"{method} sip:caller@127.0.0.1 SIP/2.0", headers, body)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    opened = Server()
    await opened.open()
    yield opened
    opened.transport.close()


@pytest_asyncio.fixture
async def answered(server: Server) -> AsyncIterator[SipCaller]:
    """A caller in a call with the server."""
    caller = SipCaller(server.address)
    dialing = asyncio.create_task(caller.dial("bot"))
    server.invite = await server.next("INVITE")
    server.send(server.accepting(server.invite, describe("127.0.0.1", 9)))
    assert await dialing == 200
    await server.next("ACK")
    yield caller
    closing = asyncio.create_task(caller.close())
    if caller.is_in_call:
        server.send(answer(await server.next("BYE"), 200, "OK"))
    await closing


async def ask(server: Server, caller: SipCaller, method: str, body: bytes = b"") -> SipMessage:
    """Sends a request within the call and gives its answer."""
    assert server.invite is not None
    server.send(server.request(method, 7, server.invite.header("call-id"), body))
    return await server.next(method)


async def test_a_new_description_is_answered_with_ours_and_a_higher_version(
    server: Server, answered: SipCaller
) -> None:
    assert server.invite is not None
    first, again = audio_target(server.invite.body), await ask(server, answered, "INVITE", describe("127.0.0.1", 10, 2))
    assert again.status == 200
    assert audio_target(again.body) == first
    assert b"o=caller 1 2 IN" in again.body
    assert again.header("contact").startswith("<sip:caller@127.0.0.1:")


async def test_options_are_answered_and_an_unknown_method_is_refused(server: Server, answered: SipCaller) -> None:
    assert (await ask(server, answered, "OPTIONS")).status == 200
    assert (await ask(server, answered, "UPDATE")).status == 200
    assert (await ask(server, answered, "PRACK")).status == 501
    assert answered.faults == ["unknown request PRACK"]


async def test_a_request_of_another_call_is_none_of_ours(server: Server, answered: SipCaller) -> None:
    server.send(server.request("BYE", 3, "another-call"))
    assert (await server.next("BYE")).status == 481
    assert answered.is_in_call


async def test_a_repeated_answer_is_acknowledged_again(server: Server, answered: SipCaller) -> None:
    assert server.invite is not None
    server.send(server.accepting(server.invite, describe("127.0.0.1", 9)))
    ack = await server.next("ACK")
    assert (ack.cseq, ack.header("to").endswith(";tag=server")) == (1, True)
    assert answered.statuses == [200]


async def test_the_servers_bye_ends_the_call(server: Server, answered: SipCaller) -> None:
    assert (await ask(server, answered, "BYE")).status == 200
    assert await answered.ended() == "them"


async def test_rubbish_is_noted_and_does_no_harm(server: Server, answered: SipCaller) -> None:
    server.transport.sendto(b"rubbish", server.caller)
    assert (await ask(server, answered, "OPTIONS")).status == 200
    assert answered.faults == ["no empty line after the headers"]


async def test_an_invite_is_repeated_until_it_is_heard(server: Server) -> None:
    caller = SipCaller(server.address)
    dialing = asyncio.create_task(caller.dial("bot"))
    first, second = await server.next("INVITE"), await server.next("INVITE")
    assert first == second
    server.send(answer(second, 603, "Decline"))
    assert await dialing == 603
    assert (await server.next("ACK")).header("via") == first.header("via")
    await caller.close()


async def test_an_answer_without_audio_for_us_is_an_error_and_ends_the_call(server: Server) -> None:
    caller = SipCaller(server.address)
    dialing = asyncio.create_task(caller.dial("bot"))
    server.send(server.accepting(await server.next("INVITE"), b"v=0\r\n"))
    with pytest.raises(MalformedSdp):
        await dialing
    await server.next("ACK")
    closing = asyncio.create_task(caller.close())
    server.send(answer(await server.next("BYE"), 200, "OK"))
    await closing
