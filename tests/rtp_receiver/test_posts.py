"""Posts over kept connections, against servers that answer in ways that HTTP allows, and in some that it does not."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rtp_receiver.posts import LONGEST_ANSWER, BadAnswer, Posts

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Who: me\r\n\r\nok"

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Server:
    """Answers each post with the next of `answers`, in the given pieces; None closes without one."""

    def __init__(self) -> None:
        self.answers: list[Sequence[bytes] | None] = []
        self.asked: list[bytes] = []
        self.connections = 0
        self.was_asked, self.closed = asyncio.Event(), asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                self.was_asked.set()
                pieces = self.answers.pop(0) if self.answers else [OK]
                if pieces is None:
                    break
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                if pieces and b"Connection: close" in pieces[0]:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.closed.set()


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def posting(server: Server, path: str = "/ask?a=1") -> AsyncIterator[Posts]:
    posts = Posts(f"http://127.0.0.1:{server.port}{path}", {"Authorization": "Bearer xyz"})
    try:
        yield posts
    finally:
        await posts.close()


async def test_posts_follow_each_other_on_one_connection() -> None:
    async with serving() as server, posting(server) as posts:
        for number in range(3):
            answer = await posts.post(b"body %d" % number)
            assert (answer.status, answer.headers["x-who"], answer.body) == (200, "me", b"ok")
        assert server.connections == 1
        assert server.asked[1].startswith(b"POST /ask?a=1 HTTP/1.1\r\n")
        assert f"\r\nHost: 127.0.0.1:{server.port}\r\n".encode() in server.asked[1]
        assert b"\r\nAuthorization: Bearer xyz\r\n" in server.asked[1]
        assert server.asked[1].endswith(b"\r\n\r\nbody 1")


async def test_posts_at_once_have_a_connection_each_and_these_are_kept() -> None:
    async with serving() as server, posting(server) as posts:
        await asyncio.gather(*(posts.post(b"x") for _ in range(5)))
        await asyncio.gather(*(posts.post(b"x") for _ in range(5)))
        assert server.connections == 5


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([OK[:20], OK[20:60], OK[60:]], 200, b"ok"),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"3\r\nyes\r\n0\r\n\r\n"],
            200,
            b"okyes",
        ),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], 200, b"ok"),
        ([b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n"], 302, b""),
        ([b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nto the ", b"end"], 200, b"to the end"),
        ([b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy"], 503, b"busy"),
    ],
)
async def test_an_answer_in_any_form(pieces: list[bytes], status: int, body: bytes) -> None:
    async with serving() as server, posting(server) as posts:
        server.answers.append(pieces)
        answer = await posts.post(b"x")
        assert (answer.status, answer.body) == (status, body)
        assert (await posts.post(b"y")).body == b"ok"


@pytest.mark.parametrize(
    "pieces",
    [
        [b"hello\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LONGEST_ANSWER + 1), b"x" * (LONGEST_ANSWER + 1)],
    ],
)
async def test_what_is_no_answer_is_refused_and_the_next_post_goes_on(pieces: list[bytes]) -> None:
    async with serving() as server, posting(server) as posts:
        server.answers.append(pieces)
        with pytest.raises(BadAnswer):
            await posts.post(b"x")
        assert (await posts.post(b"y")).body == b"ok"


@pytest.mark.parametrize("pieces", [None, [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf"]])
async def test_a_connection_that_breaks_is_an_error_and_the_next_post_goes_on(pieces: list[bytes] | None) -> None:
    async with serving() as server, posting(server) as posts:
        server.answers.append(pieces)
        with pytest.raises(ConnectionError):
            await posts.post(b"x")
        assert (await posts.post(b"y")).body == b"ok"


async def test_nobody_there_is_an_error() -> None:
    async with serving() as server:
        pass
    async with posting(server) as posts:
        with pytest.raises(ConnectionRefusedError):
            await posts.post(b"x")


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async with serving() as server, posting(server) as posts:
        server.answers.append([OK.replace(b"X-Who: me", b"Connection: close")])
        assert (await posts.post(b"x")).body == b"ok"
        await server.closed.wait()
        assert (await posts.post(b"y")).body == b"ok"
        assert server.connections == 2


async def test_an_answer_that_comes_too_late_is_nobody_elses() -> None:
    async with serving() as server, posting(server) as posts:
        server.answers.append([])  # nothing yet
        late = asyncio.create_task(posts.post(b"x"))
        await server.was_asked.wait()
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        assert (await posts.post(b"y")).body == b"ok"
        assert server.connections == 2


async def test_what_nobody_asked_for_closes_the_connection() -> None:
    async with serving() as server, posting(server) as posts:
        server.answers.append([OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"])
        assert (await posts.post(b"x")).body == b"ok"
        assert (await posts.post(b"y")).body == b"ok"


@pytest.mark.parametrize("url", ["ftp://host/x", "http:///x", "host:80"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no http or https URL"):
        Posts(url, {})


async def test_a_server_whose_certificate_nobody_knows_is_not_trusted(tmp_path: Path) -> None:
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem -out certificate.pem"
    )
    await asyncio.to_thread(subprocess.run, command.split(), cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    async with serving(tls) as server:
        posts = Posts(f"https://127.0.0.1:{server.port}/", {})
        with pytest.raises(ssl.SSLError):
            await posts.post(b"x")
        assert server.asked == []
