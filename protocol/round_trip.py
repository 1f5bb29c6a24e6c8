"""Commands that go to Redis together, over a connection of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError


class RoundTrip:
    """For one task that writes all the time: takes half the processor time of a pipeline of redis-py, which takes a
    connection from the pool each time, and builds objects around every command."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._connection: AbstractConnection | None = None

    async def send(self, commands: Sequence[tuple[str | int, ...]]) -> None:
        """Sends all in one write and waits until Redis has done them. Not a transaction.

        Raises RedisError or OSError when Redis is away or refuses one; some of them may then be done.
        """
        pool: Any = self._redis.connection_pool
        connection = self._connection
        if connection is None:
            connection = self._connection = await pool.get_connection()
        refused: ResponseError | None = None
        try:
            packed = [part for command in commands for part in connection.pack_command(*command)]
            await connection.send_packed_command(packed, check_health=False)
            for _ in commands:
                try:
                    await connection.read_response()
                except ResponseError as error:
                    refused = refused or error
        except BaseException:  # also a cancellation: answers that nobody read would be taken for those of the next
            self._connection = None
            await connection.disconnect(nowait=True)
            await pool.release(connection)
            raise
        if refused is not None:
            raise refused
