"""An answer leaves in one write: a killed process has sent all of it or nothing."""

import asyncio

from uvicorn import Config
from uvicorn.server import ServerState

from observability.whole_answers import JoinedWrites, WholeAnswers


class Wire:
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("closed")

    def get_extra_info(self, name: str) -> tuple[str, int] | None:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else None

    def is_closing(self) -> bool:
        return False


async def test_writes_of_one_turn_are_one() -> None:
    wire = Wire()
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    joined.write(b"head ")
    joined.write(b"body")
    assert wire.told == []
    await asyncio.sleep(0)
    joined.write(b"next")
    joined.close()
    await asyncio.sleep(0)
    assert wire.told == [b"head body", b"next", "closed"]


async def test_the_server_sends_head_and_body_together() -> None:
    from starlette.responses import PlainTextResponse

    config = Config(PlainTextResponse("hello"), log_config=None)
    config.load()
    protocol, wire = WholeAnswers(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(10):
        while not wire.told:  # noqa: ASYNC110
            await asyncio.sleep(0)
    (answer,) = wire.told
    assert isinstance(answer, bytes)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nhello")
