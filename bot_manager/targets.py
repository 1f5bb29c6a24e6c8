"""Which servers the actions of a flow may reach: those on a list, at addresses that are looked at on connecting.

A name that leads to a loopback, private, link-local or otherwise special address is refused unless it is on the list of
those that may, also when it leads there only the second time (rebinding): the connection goes to the very addresses
that were looked at. Numbers instead of names are looked at alike, in whatever way they are written.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class NotReached(OSError):
    """A target that is not reached; the message is the reason."""


@dataclass(frozen=True)
class Targets:
    """`public` and `private`: `server` or `server:port`. The private ones may have special addresses."""

    public: frozenset[str]
    private: frozenset[str]

    def check(self, url: str) -> str:
        """The target of a URL as `server:port`. Raises NotReached where it is on no list, or is a special address."""
        parts = urlsplit(url)
        server, port = (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)
        if not self.lists(server, port):
            raise NotReached(f"{server}:{port} is not among ACTION_HOSTS")
        self.check_addresses(server, port, [server] if _is_address(server) else [])
        return f"{server}:{port}"

    def lists(self, server: str, port: int) -> bool:
        """Whether a server is on either list. A name without a port stands for 80 and 443."""
        return any(_named(server, port) & names for names in (self.public, self.private))

    def check_addresses(self, server: str, port: int, addresses: Iterable[str]) -> None:
        """Raises NotReached when one of the addresses of a server is a special one, and may not be."""
        if _named(server, port) & self.private:
            return
        for address in addresses:
            if is_special(address):
                raise NotReached(f"{server}:{port} leads to an address that is not public")


def targets_of(public: str, private: str) -> Targets:
    """The lists of two settings, comma between entries."""
    return Targets(_entries(public), _entries(private))


def is_special(text: str) -> bool:
    """Whether an address is anything but a public one, whatever it is wrapped in. What is no address is special."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if any(address in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_special(str(inner))
    return not address.is_global or address.is_multicast or address.is_reserved


class LookingResolver(AbstractResolver):
    """Looks names up, and gives only addresses that may be reached."""

    def __init__(self, targets: Targets, inner: AbstractResolver | None = None) -> None:
        self._targets = targets
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises NotReached when one of the addresses may not be reached."""
        found = await self._inner.resolve(host, port, family)
        self._targets.check_addresses(host.rstrip("."), port, [one["host"] for one in found])
        return found

    async def close(self) -> None:
        await self._inner.close()


def session_to(targets: Targets, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """A client that reaches these targets and nothing else; who uses it follows no redirects."""
    looking = LookingResolver(targets, resolver)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=200, limit_per_host=50, resolver=looking, use_dns_cache=False),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def refusal_in(error: BaseException) -> NotReached | None:
    """The reason of ours in an error of the HTTP client."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, NotReached):
            return seen
        inner = getattr(seen, "os_error", None)
        seen = inner if isinstance(inner, NotReached) else seen.__cause__
    return None


def _entries(text: str) -> frozenset[str]:
    return frozenset(entry.strip().lower().rstrip(".") for entry in text.split(",") if entry.strip())


def _named(server: str, port: int) -> set[str]:
    """How a target may stand on a list."""
    server = server.lower()
    shown = f"[{server}]" if ":" in server else server
    return {f"{shown}:{port}"} | ({shown} if port in (80, 443) else set())


def _is_address(server: str) -> bool:
    """Whether a connection would go there without looking a name up."""
    try:
        ipaddress.ip_address(server.partition("%")[0])
    except ValueError:
        return False
    return True
