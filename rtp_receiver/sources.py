"""Remembers the first packets of sources that nobody announced, until somebody says whose they are.

Everything is bounded: sources, packets of each, and how often a source is asked about. Pure: the time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]

MAX_SOURCES = 256
MAX_PACKETS = 50
ASK_AGAIN_S = 1.0
FORGET_AFTER_S = 5.0


def shown(address: Address) -> str:
    """`host:port`."""
    return f"{address[0]}:{address[1]}"


@dataclass(slots=True)
class _Stranger:
    asked_at: float
    heard_at: float
    packets: list[tuple[bytes, float]] = field(default_factory=list)


class UnknownSources:
    """Packets of sources that no call is known for."""

    def __init__(self) -> None:
        self._strangers: dict[Address, _Stranger] = {}

    def __len__(self) -> int:
        """Sources that are remembered."""
        return len(self._strangers)

    @property
    def held(self) -> int:
        """Packets that are kept."""
        return sum(len(stranger.packets) for stranger in list(self._strangers.values()))

    def keep(self, source: Address, data: bytes, now: float) -> tuple[bool, bool]:
        """Takes a packet: (it was kept, it is time to ask whose source this is)."""
        stranger = self._strangers.get(source)
        if stranger is None:
            if len(self._strangers) >= MAX_SOURCES:
                return False, False
            self._strangers[source] = _Stranger(now, now, [(data, now)])
            return True, True
        stranger.heard_at = now
        ask = now - stranger.asked_at >= ASK_AGAIN_S
        if ask:
            stranger.asked_at = now
        if len(stranger.packets) >= MAX_PACKETS:
            return False, ask
        stranger.packets.append((data, now))
        return True, ask

    def take(self, source: Address) -> list[tuple[bytes, float]]:
        """The kept packets with their times of arrival, oldest first; the source is forgotten."""
        stranger = self._strangers.pop(source, None)
        return [] if stranger is None else stranger.packets

    def drop_packets(self, source: Address) -> int:
        """Nobody knows the source for now: its packets go, it is remembered so that it is not asked at once again."""
        stranger = self._strangers.get(source)
        if stranger is None:
            return 0
        count = len(stranger.packets)
        stranger.packets.clear()
        return count

    def expire(self, now: float) -> int:
        """Forgets sources that are silent for `FORGET_AFTER_S`; how many kept packets were dropped."""
        old = [source for source, stranger in self._strangers.items() if now - stranger.heard_at >= FORGET_AFTER_S]
        return sum(len(self.take(source)) for source in old)
