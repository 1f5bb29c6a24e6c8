"""A caller for tests, demonstrations and measurements: SIP over UDP and RTP in this process, many at once.

    async with SipCaller(("127.0.0.1", 5060)) as caller:
        status = await caller.dial("bot")                    # 200, or what the call was refused with
        prompt = await caller.phone.prompt_ended()
        await caller.phone.say(speech, "bonjour")
        await caller.hang_up()
    answer_times(caller.phone.said, caller.phone.frames)     # what the caller had to wait, as they heard it

It speaks PCMU and RFC 4733 keys, and sends silence when it says nothing, like a phone.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import time
from types import TracebackType

from callers.rtp_phone import RtpPhone
from callers.sdp import MalformedSdp, MediaDirection, Offer, audio_target, describe
from callers.sip_digest import credentials
from callers.sip_message import Address, Dialog, MalformedSip, SipMessage, answer, parse

# RFC 3261 timers: first repetition, longest time between two, and when to give up.
T1_S, T2_S, GIVE_UP_S = 0.5, 4.0, 32.0


class SipCaller(asyncio.DatagramProtocol):
    """One caller with one call. Times are seconds of `time.monotonic()`; None: it did not happen."""

    def __init__(self, server: Address, name: str = "caller", host: str = "127.0.0.1", password: str = ""):
        """`server`: where SIP is sent. `name`: the number or name shown to the other side. `host`: our address.
        `password`: that of the account `name`, where one is asked for."""
        self.phone = RtpPhone()
        self.offer = Offer()
        """What is asked for in the next INVITE."""
        self.more: tuple[tuple[str, str], ...] = ()
        """Headers beside the usual ones of an INVITE."""
        self.shown = ""
        """The whole address in From, where it is not simply our name."""
        self.ack_after_s: float | None = None
        """When set, the INVITE has no description: the other side offers, and gets our answer so long after its own
        (RFC 3264 section 5, a delayed offer)."""
        self.acks = True
        """False: the answer to an INVITE is never acknowledged, as by who lost the way back, or is gone."""
        self.accepted: SipMessage | None = None
        """The last answer 2xx to an INVITE."""
        self.refused: SipMessage | None = None
        """The last refusal."""
        self.statuses: list[int] = []
        """Every answer to the INVITE, provisional ones too."""
        self.faults: list[str] = []
        """Datagrams that could not be understood."""
        self.dialed_s: float | None = None
        self.answered_s: float | None = None
        self.ended_s: float | None = None
        self.ended_by: str | None = None
        """`us` or `them`, once an answered call is over."""
        self._server = server
        self._name = name
        self._host = host
        self._password = password
        self._description = 1
        self._branch = ""
        self._cseq = 0
        self._invite_heard = asyncio.Event()
        self._rings = asyncio.Event()
        self._bye_answered = asyncio.Event()
        self._answers: dict[int, asyncio.Future[SipMessage]] = {}
        self._ended = asyncio.Event()
        self._final: asyncio.Future[SipMessage] | None = None
        self._dialog: Dialog | None = None
        self._acks: dict[int, bytes] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def is_in_call(self) -> bool:
        """True from the answer to the end."""
        return self.answered_s is not None and self.ended_s is None

    async def dial(self, target: str, deadline_s: float = GIVE_UP_S) -> int:
        """Calls `target`. Returns the final status: 200 when answered (audio flows then), 486, 603 and so on when not.
        Raises TimeoutError when there is no final status by `deadline_s`, MalformedSdp when the answer has no audio for
        us, and UnknownChallenge when the password is asked for in a way we do not know."""
        loop = asyncio.get_running_loop()
        self.phone.open(self._host)
        # connected: datagrams of anyone else do not reach us, and a closed port is noticed
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._host, 0), remote_addr=self._server
        )
        local = self._transport.get_extra_info("sockname")
        self._dialog = Dialog(target, self._server, local, secrets.token_hex(12), secrets.token_hex(6), self._name)
        self._dialog = dataclasses.replace(self._dialog, shown=self.shown)
        self.dialed_s = time.monotonic()
        async with asyncio.timeout(deadline_s):
            final = await self._invite(self._dialog)
            if final.status in (401, 407) and self._password:
                uri, nonce = self._dialog.uri, secrets.token_hex(8)
                final = await self._invite(self._dialog, credentials(final, self._name, self._password, uri, nonce))
        if final.status >= 300:
            self.phone.close()
        return final.status

    async def ringing(self, deadline_s: float = 10.0) -> None:
        """Waits for the other side to ring. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            await self._rings.wait()

    async def cancel(self) -> None:
        """Gives up a call that rings; `dial` then returns 487."""
        assert self._dialog is not None, "dial first"
        cancel = self._dialog.request("CANCEL", self._cseq, self._branch)
        self._send(cancel.encode())

    async def hold(self, direction: MediaDirection = "sendonly", nowhere: bool = False) -> int:
        """Puts the call on hold, and sends nothing any more. Returns the status of the answer."""
        status = await self.describe_again(dataclasses.replace(self.offer, direction=direction, nowhere=nowhere))
        self.phone.muted = status < 300
        return status

    async def take_back(self) -> int:
        """Takes the call back from hold. Returns the status of the answer."""
        self.phone.muted = False
        return await self.describe_again(dataclasses.replace(self.offer, direction="sendrecv", nowhere=False))

    async def describe_again(self, offer: Offer) -> int:
        """Describes our audio anew (re-INVITE). Returns the status of the answer."""
        assert self._dialog is not None, "dial first"
        self.offer = offer
        self._description += 1
        return (await self._invite(self._dialog)).status

    async def request(self, method: str, body: bytes = b"", content: str = "", *more: tuple[str, str]) -> SipMessage:
        """Any other request within the call, with its body and the type of that; returns the answer to it. Raises
        TimeoutError."""
        assert self._dialog is not None, "dial first"
        self._cseq += 1
        answered: asyncio.Future[SipMessage] = asyncio.get_running_loop().create_future()
        self._answers[self._cseq] = answered
        request = self._dialog.request(method, self._cseq, secrets.token_hex(8), body, more, content)
        heard = asyncio.Event()
        answered.add_done_callback(lambda _: heard.set())
        async with asyncio.timeout(GIVE_UP_S):
            await self._repeat(request.encode(), heard)
        return answered.result()

    def vanish(self) -> None:
        """Is gone without a word, as a telephone whose battery is empty."""
        self._end("us")
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def hang_up(self) -> None:
        """Ends the call; returns when the other side has confirmed. Raises TimeoutError when it does not."""
        if not self.is_in_call or self._dialog is None:
            return
        self._end("us")
        bye = self._dialog.request("BYE", self._cseq + 1, secrets.token_hex(8)).encode()
        async with asyncio.timeout(GIVE_UP_S):
            await self._repeat(bye, self._bye_answered)

    async def ended(self, deadline_s: float = 60.0) -> str:
        """Waits for the end of the call, and says who ended it: `us` or `them`. Raises TimeoutError."""
        async with asyncio.timeout(deadline_s):
            await self._ended.wait()
        return self.ended_by or "us"

    async def close(self) -> None:
        """Ends what still goes on, call or ringing, and closes the sockets."""
        if self._final is not None and not self._final.done():
            await self.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(T2_S):
                    await asyncio.wait([self._final])
        with contextlib.suppress(TimeoutError):
            await self.hang_up()
        self.phone.close()
        if self._transport is not None:
            self._transport.close()

    async def __aenter__(self) -> SipCaller:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _invite(self, dialog: Dialog, *more: tuple[str, str]) -> SipMessage:
        self._cseq += 1
        self._branch = secrets.token_hex(8)
        self._invite_heard.clear()
        self._final = asyncio.get_running_loop().create_future()
        body = b"" if self.ack_after_s is not None else self._describe()
        invite = dialog.request("INVITE", self._cseq, self._branch, body, (*self.more, *more))
        await self._repeat(invite.encode(), self._invite_heard)
        # not awaited itself: a deadline of `dial` would cancel it, and `close` must see that the call is still open
        await asyncio.wait([self._final])
        return self._final.result()

    def _describe(self) -> bytes:
        return describe(self._host, self.phone.port, self._description, self.offer)

    async def _repeat(self, datagram: bytes, heard: asyncio.Event) -> None:
        pause_s = T1_S
        while not heard.is_set():
            self._send(datagram)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await heard.wait()
            pause_s = min(2 * pause_s, T2_S)

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None and datagram:
            self._transport.sendto(datagram)

    def _end(self, by: str) -> None:
        if self.ended_s is None:
            self.ended_s = time.monotonic()
            self.ended_by = by
            self.phone.close()
            self._ended.set()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Takes a datagram of the server."""
        try:
            message = parse(data)
            if message.is_request:
                self._take_request(message)
            elif message.method == "INVITE":
                self._take_invite_answer(message)
            elif message.method == "BYE":
                self._bye_answered.set()
            elif message.status >= 200 and message.cseq in self._answers:
                self._answers.pop(message.cseq).set_result(message)
        except (MalformedSip, MalformedSdp) as fault:
            self.faults.append(str(fault))

    def error_received(self, exc: Exception) -> None:
        """ICMP: nobody listens there. The requests are repeated until the deadline, as the server may be starting."""
        self.faults.append(str(exc))

    def _take_invite_answer(self, message: SipMessage) -> None:
        assert self._dialog is not None
        assert self._final is not None
        if message.cseq in self._acks:
            # our ACK was lost: the other side repeats its answer until it has one
            self._send(self._acks[message.cseq])
            return
        if message.cseq != self._cseq or self._final.done():
            return
        self._invite_heard.set()
        self.statuses.append(message.status)
        if message.status < 200:
            if message.status >= 180:
                self._rings.set()
            return
        if message.status < 300:
            if self.ack_after_s is not None:
                asyncio.get_running_loop().call_later(self.ack_after_s, self._accept, message, self._describe())
            else:
                self._accept(message)
            return
        ack = self._dialog.refused(message).request("ACK", self._cseq, self._branch).encode()
        self._acks[self._cseq] = ack
        self._send(ack)
        self.refused = message
        self._final.set_result(message)

    def _accept(self, message: SipMessage, body: bytes = b"") -> None:
        """The call is answered, or described anew."""
        assert self._dialog is not None
        assert self._final is not None
        if message.cseq in self._acks:
            return
        self._dialog = self._dialog.established(message) if self.answered_s is None else self._dialog
        ack = self._dialog.request("ACK", message.cseq, secrets.token_hex(8), body).encode()
        self.answered_s = self.answered_s or time.monotonic()
        self.accepted = message
        self._acks[message.cseq] = ack if self.acks else b""
        self._send(self._acks[message.cseq])
        try:
            self.phone.talk_to(audio_target(message.body))
        except MalformedSdp as fault:
            self._final.set_exception(fault)
        else:
            self._final.set_result(message)

    def _take_request(self, request: SipMessage) -> None:
        dialog = self._dialog
        if dialog is None or request.header("call-id") != dialog.call_id:
            self._send(answer(request, 481, "Call/Transaction Does Not Exist").encode())
            return
        contact = f"sip:{self._name}@{dialog.local[0]}:{dialog.local[1]}"
        match request.method:
            case "ACK":
                pass
            case "BYE":
                self._send(answer(request, 200, "OK").encode())
                self._end("them")
            case "INVITE":
                self._description += 1
                self._send(answer(request, 200, "OK", contact, self._describe()).encode())
                if request.body:
                    self.phone.talk_to(audio_target(request.body))
            case "OPTIONS" | "UPDATE" | "INFO" | "NOTIFY":
                self._send(answer(request, 200, "OK", contact).encode())
            case other:
                self._send(answer(request, 501, "Not Implemented", contact).encode())
                self.faults.append(f"unknown request {other}")
