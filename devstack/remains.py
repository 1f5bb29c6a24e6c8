"""What a stack holds although no call is up: after the last call everything here should be empty."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from devstack.processes import wait_for
from devstack.stack import Stack
from protocol.keys import stream_key


@dataclass(frozen=True)
class Remains:
    """Ids of channels and bridges, and the keys of Redis that live for ever, its two streams left out."""

    channels: list[str]
    bridges: list[str]
    endless_keys: list[str]
    keys: int
    """All keys, those with an expiry too."""

    def counts(self) -> dict[str, int]:
        """What must be zero."""
        found = {"channels": self.channels, "bridges": self.bridges, "keys without expiry": self.endless_keys}
        return {kind: len(ids) for kind, ids in found.items()}


def remains(stack: Stack, patience_s: float) -> Remains:
    """What is still there once Asterisk is empty, or after `patience_s`."""

    def ids(kind: str) -> list[str]:
        return [item["id"] for item in stack.asterisk.get(kind)]

    wait_for(lambda: not ids("channels") and not ids("bridges"), patience_s)
    streams = {stream_key(stack.cell, "events"), stream_key(stack.cell, "commands")}
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        keys = [key for key in client.scan_iter(count=1_000) if key not in streams]
        endless = [key for key in keys if client.ttl(key) == -1]
    return Remains(ids("channels"), ids("bridges"), endless, len(keys))
