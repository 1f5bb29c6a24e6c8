"""How often a client and an address may ask. Pure: time is an argument."""

from __future__ import annotations

from observability.rate import Rate


class Limits:
    """`client_rate` queries a minute per client, `address_rate` per address."""

    def __init__(self, client_rate: int, address_rate: int) -> None:
        self._clients, self._addresses = Rate(client_rate), Rate(address_rate)

    def wait_s(self, client_id: str, address: str, at_s: float) -> int:
        """0: the query is counted and may be asked. Otherwise the seconds after which it may, at least 1."""
        waits = self._clients.wait_s(client_id, at_s), self._addresses.wait_s(address, at_s)
        if any(waits):
            return max(waits)
        self._clients.count(client_id, at_s)
        self._addresses.count(address, at_s)
        return 0
