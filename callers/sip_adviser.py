"""An adviser's telephone for tests: rings, answers, is busy, declines, or lets it ring.

    async with SipAdviser(status=486) as adviser:
        ...                                  # Dial(adviser.channel) in the dialplan
    adviser.calls                            # how many came

It has no audio of its own: who is answered hears nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import TracebackType

from callers.rtp_phone import RtpPhone
from callers.sdp import Offer, describe
from callers.sip_message import Address, MalformedSip, SipMessage, answer, parse

REASONS = {200: "OK", 486: "Busy Here", 603: "Decline", 480: "Temporarily Unavailable", 503: "Service Unavailable"}


class SipAdviser(asyncio.DatagramProtocol):
    """Answers every INVITE with `status`; 0 lets it ring until the other side gives up."""

    def __init__(self, status: int = 200, endpoint: str = "softphone", host: str = "127.0.0.1") -> None:
        self.status = status
        self.calls = 0
        self.is_rung = asyncio.Event()
        self._endpoint, self._host = endpoint, host
        self._phone = RtpPhone()
        self._ringing: dict[str, tuple[SipMessage, Address]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def channel(self) -> str:
        """What the dialplan rings: the endpoint at this address."""
        assert self._transport is not None, "open first"
        return f"PJSIP/{self._endpoint}/sip:adviser@{self._host}:{self._transport.get_extra_info('sockname')[1]}"

    async def __aenter__(self) -> SipAdviser:
        self._phone.open(self._host)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._phone.close()
        if self._transport is not None:
            self._transport.close()

    def give_up(self) -> None:
        """Refuses, with `status`, the calls that ring."""
        for request, addr in self._ringing.values():
            self._reply(request, self.status, REASONS[self.status], addr)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Takes a datagram of the server."""
        try:
            request = parse(data)
        except MalformedSip:
            return
        if not request.is_request or request.method == "ACK":
            return
        call_id = request.header("call-id")
        if request.method == "INVITE":
            self.calls += call_id not in self._ringing
            self.is_rung.set()
            self._ringing[call_id] = (request, addr)
            self._reply(request, 180, "Ringing", addr)
            if self.status:
                self._reply(request, self.status, REASONS[self.status], addr)
            return
        self._reply(request, 200, "OK", addr)
        if request.method == "CANCEL" and call_id in self._ringing:
            self._reply(self._ringing[call_id][0], 487, "Request Terminated", addr)

    def _reply(self, request: SipMessage, status: int, reason: str, addr: Address) -> None:
        assert self._transport is not None
        port = self._transport.get_extra_info("sockname")[1]
        is_answer = request.method == "INVITE" and status == 200
        body = describe(self._host, self._phone.port, 1, Offer()) if is_answer else b""
        reply = answer(request, status, reason, f"sip:adviser@{self._host}:{port}", body)
        tagged = tuple((name, _tagged(name, value)) for name, value in reply.headers)
        self._transport.sendto(replace(reply, headers=tagged).encode(), addr)


def _tagged(name: str, value: str) -> str:
    """To has our tag in every answer (RFC 3261 section 8.2.6.2)."""
    return f"{value};tag=adviser" if name.lower() in ("to", "t") and ";tag=" not in value else value
