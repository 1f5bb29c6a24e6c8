"""Conversations in Redis: what a client and the bot have written, for as long as they are to be remembered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from protocol.bus import Outbox
from protocol.keys import (
    lease_key,
    text_key,
    text_link_key,
    text_link_owner_key,
    text_of_key,
    text_outgoing_key,
    text_resting_key,
)
from protocol.messages import Event
from text_service.conversation import TextConversation
from text_service.links import TextLink

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TextConversation).decode
_decode_link = msgspec.json.Decoder(TextLink).decode


class TextStore:
    """The conversations of a cell. Every method raises RedisError or OSError while Redis is away."""

    def __init__(self, redis: Redis, cell: str, remembered_s: int) -> None:
        self._redis = redis
        self._cell = cell
        self._remembered_s = remembered_s

    async def get(self, client_id: str) -> TextConversation | None:
        """What is known of a client; None where nothing is, or nothing that can be read."""
        text = await self._redis.get(text_key(self._cell, client_id))
        if text is None:
            return None
        try:
            return _decode(text)
        except msgspec.MsgspecError:
            log.error("conversation cannot be read: it begins anew")
            return None

    async def client_of(self, call_id: str) -> str:
        """The client of a conversation; empty for one that nobody knows."""
        return str(await self._redis.get(text_of_key(self._cell, call_id)) or "")

    async def put(self, now: TextConversation) -> None:
        """Keeps a conversation, and notes when something was last said in it."""
        last = now.messages[-1].at if now.messages else 0.0
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(text_key(self._cell, now.client_id), _encode(now).decode(), ex=self._remembered_s)
            if now.outgoing:
                pipe.sadd(text_outgoing_key(self._cell), now.client_id)
            else:
                pipe.srem(text_outgoing_key(self._cell), now.client_id)
            if now.goes_on or now.person:
                pipe.set(text_of_key(self._cell, now.call_id), now.client_id, ex=self._remembered_s)
                pipe.zadd(text_resting_key(self._cell), {now.client_id: last})
                pipe.expire(text_resting_key(self._cell), self._remembered_s)
            else:
                pipe.zrem(text_resting_key(self._cell), now.client_id)
            await pipe.execute()

    async def forget(self, now: TextConversation) -> None:
        """Nothing of it is left here."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(text_key(self._cell, now.client_id))
            if now.call_id:
                pipe.delete(text_of_key(self._cell, now.call_id))
            pipe.zrem(text_resting_key(self._cell), now.client_id)
            pipe.srem(text_outgoing_key(self._cell), now.client_id)
            if now.link:
                pipe.delete(text_link_key(self._cell, now.link), text_link_owner_key(self._cell, now.link))
            await pipe.execute()

    async def put_link(self, name: str, link: TextLink, within_s: int) -> None:
        """Keeps a link that is good for so long."""
        await self._redis.set(text_link_key(self._cell, name), _encode(link).decode(), ex=within_s)

    async def opened_link(self, name: str, client_id: str) -> tuple[TextLink, str] | None:
        """What a link leads to, and the client whose it is: this one, if nobody opened it before. None where there is
        none, or none any more."""
        key, owner = text_link_key(self._cell, name), text_link_owner_key(self._cell, name)
        text = await self._redis.get(key)
        if text is None:
            return None
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(owner, client_id, ex=self._remembered_s, nx=True)
            pipe.get(owner)
            pipe.expire(key, self._remembered_s)
            _, whose, _ = await pipe.execute()
        return _decode_link(text), str(whose)

    async def with_outgoing(self) -> Sequence[str]:
        """The clients of whose conversations a person's system is still to be told something."""
        found: Any = await self._redis.smembers(text_outgoing_key(self._cell))
        return [str(client_id) for client_id in found]

    async def going_on(self, last_said_before: float = float("inf")) -> Sequence[str]:
        """The clients in whose conversations nothing was said since then."""
        found: Any = await self._redis.zrangebyscore(text_resting_key(self._cell), "-inf", last_said_before)
        return [str(client_id) for client_id in found]

    async def is_answered_for(self) -> bool:
        """Whether a bot manager holds the lease of the cell."""
        return bool(await self._redis.exists(lease_key(self._cell, "bot_manager")))

    async def count(self) -> int:
        """Conversations that go on."""
        return int(await self._redis.zcard(text_resting_key(self._cell)))


async def sent(outbox: Outbox, events: Sequence[Event]) -> None:
    """Gives events to the bus; returns when Redis has them, or after a while that it does not take them."""
    for event in events:
        outbox.send(event)
    if events:
        await outbox.flush()
