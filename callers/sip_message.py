"""Bytes of a UDP datagram to a SIP message and back, and the few requests and answers that a caller needs (RFC 3261).

Pure: ids, tags and branches arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

Address = tuple[str, int]

# Compact forms of header names, RFC 3261 section 7.3.3.
_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
MAX_FORWARDS = 70


class MalformedSip(ValueError):
    """The bytes are no SIP message; the text says why."""


@dataclass(frozen=True)
class SipMessage:
    """A request or an answer."""

    start_line: str
    """`INVITE sip:bot@127.0.0.1 SIP/2.0` or `SIP/2.0 200 OK`."""
    headers: tuple[tuple[str, str], ...]
    """Name and value in the order of the wire; a name may occur more than once (Via)."""
    body: bytes = b""

    @property
    def is_request(self) -> bool:
        return not self.start_line.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """The method of a request, or that of the request which an answer belongs to (from CSeq)."""
        return self.start_line.split(" ")[0] if self.is_request else self.header("cseq").split(" ")[-1]

    @property
    def status(self) -> int:
        """Status code of an answer; 0 for a request."""
        return 0 if self.is_request else int(self.start_line.split(" ")[1])

    @property
    def cseq(self) -> int:
        """The sequence number of the request."""
        return int(self.header("cseq").split(" ")[0])

    def header(self, name: str) -> str:
        """The first value of a header. Raises MalformedSip when there is none."""
        for value in self.all(name):
            return value
        raise MalformedSip(f"no {name} header in {self.start_line!r}")

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if _long_name(key) == wanted]

    def encode(self) -> bytes:
        """The datagram; Content-Length is added. Bytes that are no UTF-8 are written as `surrogateescape` has them."""
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers)]
        text = "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""])
        return text.encode("utf-8", "surrogateescape") + self.body


def parse(datagram: bytes) -> SipMessage:
    """Reads one datagram. Raises MalformedSip."""
    head, separator, body = datagram.partition(b"\r\n\r\n")
    if not separator:
        raise MalformedSip("no empty line after the headers")
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")  # our own name comes back as we wrote it
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and headers:
            # a folded line continues the header before it
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedSip(f"header without a colon: {line!r}")
        if _long_name(name.strip()) != "content-length":
            headers.append((name.strip(), value.strip()))
    message = SipMessage(lines[0], tuple(headers), body)
    _check(message)
    return message


def _check(message: SipMessage) -> None:
    parts = message.start_line.split(" ", 2)
    if message.is_request:
        if len(parts) != 3 or parts[2] != "SIP/2.0":
            raise MalformedSip(f"not a request line: {message.start_line!r}")
    elif len(parts) < 2 or not (parts[1].isdigit() and len(parts[1]) == 3):
        raise MalformedSip(f"not a status line: {message.start_line!r}")
    number, _, method = message.header("cseq").partition(" ")
    if not number.isdigit() or not method:
        raise MalformedSip(f"CSeq is not a number and a method: {message.header('cseq')!r}")
    for name in ("via", "from", "to", "call-id"):
        message.header(name)


def _long_name(name: str) -> str:
    lower = name.lower()
    return _COMPACT.get(lower, lower)


@dataclass(frozen=True)
class Dialog:
    """What stays the same in one call, seen from the caller."""

    target: str
    """The number or name that is called."""
    remote: Address
    local: Address
    call_id: str
    tag: str
    """Our tag in From."""
    caller: str = "caller"
    """The number or name we show."""
    shown: str = ""
    """The whole address in From instead, as `"Name" <sip:...>`: some trunks write odd ones."""
    remote_to: str = ""
    """To of the answer, with the other side's tag; empty before the first answer."""
    remote_uri: str = ""
    """Contact of the answer: where requests within the call go."""
    routes: tuple[str, ...] = ()
    """Proxies that want to see every request of the call, nearest first."""

    @property
    def uri(self) -> str:
        """The address that is called."""
        return f"sip:{self.target}{'@' if self.target else ''}{_host(self.remote)}"

    def established(self, accepted: SipMessage) -> Dialog:
        """The dialog once a 2xx came: its tag, contact and route set (RFC 3261 section 12.1.2)."""
        contact = accepted.header("contact")
        uri = contact.partition("<")[2].partition(">")[0] or contact.partition(";")[0]
        routes = tuple(
            reversed([route.strip() for value in accepted.all("record-route") for route in value.split(",")])
        )
        return replace(self, remote_to=accepted.header("to"), remote_uri=uri, routes=routes)

    def refused(self, refusal: SipMessage) -> Dialog:
        """The dialog for the ACK of a refusal: only the tag is taken over."""
        return replace(self, remote_to=refusal.header("to"))

    def request(
        self,
        method: str,
        cseq: int,
        branch: str,
        body: bytes = b"",
        more: tuple[tuple[str, str], ...] = (),
        content: str = "application/sdp",
    ) -> SipMessage:
        """A request of this call. ACK of a 2xx and BYE take a branch of their own; CANCEL and the ACK of a refusal take
        that of the INVITE (RFC 3261 sections 9.1 and 17.1.1.3). `more`: headers beside the usual ones; `content`: the
        type of the body."""
        headers = [
            ("Via", f"SIP/2.0/UDP {_host(self.local)};branch=z9hG4bK{branch};rport"),
            ("Max-Forwards", str(MAX_FORWARDS)),
            ("From", f"{self.shown or f'<sip:{self.caller}@{_host(self.local)}>'};tag={self.tag}"),
            ("To", self.remote_to or f"<{self.uri}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<sip:{self.caller}@{_host(self.local)}>"),
            ("User-Agent", "pronto-caller"),
        ]
        headers += [("Route", route) for route in self.routes]
        headers += more
        if body:
            headers.append(("Content-Type", content))
        if method == "INVITE":
            headers.append(("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"))
        return SipMessage(f"{method} {self.remote_uri or self.uri} SIP/2.0", tuple(headers), body)


def answer(request: SipMessage, status: int, reason: str, contact: str = "", body: bytes = b"") -> SipMessage:
    """An answer to a request within a call: all Via lines, From, To, Call-ID and CSeq are copied (section 8.2.6.2)."""
    kept: Iterable[tuple[str, str]] = (
        (name, value) for name, value in request.headers if _long_name(name) in ("via", "from", "to", "call-id", "cseq")
    )
    own = [("Contact", f"<{contact}>")] if contact else []
    own += [("Content-Type", "application/sdp")] if body else []
    return SipMessage(f"SIP/2.0 {status} {reason}", (*kept, *own), body)


def options_request(remote: Address, local: Address) -> bytes:
    """A datagram that every SIP server answers: the way to see that one is there."""
    probe = Dialog("ping", remote, local, f"probe-{local[1]}", "probe", caller="probe")
    return probe.request("OPTIONS", 1, f"probe{local[1]}").encode()


def _host(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
