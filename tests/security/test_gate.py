"""Every HTTP server asks for the bearer token where one is set, trusts no page of another site, tells strangers no more
than its status, and takes no body that is too large."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from config import SERVICES, BadSettings, BotSettings, WhisperSettings, load
from intent_service.encoder import OpenedEncoder
from intent_service.service import MAX_BODY_BYTES
from intent_service.service import create_app as intent_app
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.gate import is_trusted
from observability.http import serve
from whisper_service.http_api import create_app as whisper_app
from whisper_service.service import Service

TOKEN = "a-token-of-24-characters"
WRONG = [
    {},
    {"Authorization": "Bearer"},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
    {"X-Token": TOKEN},
]
RIGHT = {"Authorization": f"Bearer {TOKEN}"}


class NoCatalogue:
    """As much of a catalogue as the intent service's HTTP side needs before anything is trained."""

    encoder = OpenedEncoder(None, "none", "")
    flows = Path("no flows")
    languages = ("fr",)

    def __init__(self) -> None:
        self.recognisers: dict[str, Any] = {}
        self.refused: dict[str, str] = {}
        self.reloads: dict[str, int] = {}

    def refresh(self) -> None:
        """Nothing changes."""


def asgi(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080")


def whisper(token: str) -> httpx.AsyncClient:
    return asgi(whisper_app(Service(load(WhisperSettings, {"PRONTO_TOKEN": token}), {})))


def intents(token: str) -> httpx.AsyncClient:
    return asgi(intent_app(NoCatalogue(), 3_600, lambda: None, token))  # type: ignore[arg-type]


@asynccontextmanager
async def small_server(token: str) -> AsyncIterator[httpx.AsyncClient]:
    """The server of controller, receiver and bot manager."""

    report = ServiceReport(
        lambda: {"calls": 7}, lambda: (True, ""), Drain(lambda: 0), {"/channels": lambda: {"channels": []}}
    )
    server = await serve(report, "127.0.0.1", 0, token)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            yield client
    finally:
        await server.stop()


SERVERS: dict[str, Callable[[str], Any]] = {"whisper": whisper, "intents": intents, "small": small_server}
CLOSED = {
    "whisper": [
        "/metrics",
        "/openapi.json",
        "/whisper",
        "/transcribe",
        "/v1/audio/transcriptions",
        "/nothing",
        "/drain",
    ],
    "intents": [
        "/metrics",
        "/openapi.json",
        "/docs",
        "/embedding_main/",
        "/embedding_faqs/",
        "/health/",
        "//health",
        "/drain",
    ],
    "small": ["/metrics", "/channels", "/nothing", "/health/..", "/ready/"],
}


@pytest.mark.parametrize("name", SERVERS)
async def test_with_a_token_only_health_and_readiness_are_open(name: str) -> None:
    async with SERVERS[name](TOKEN) as client:
        for headers in WRONG:
            for path, told in (("/health", "status"), ("/ready", "ready")):
                answer = await client.get(path, headers=headers)
                assert answer.status_code in (200, 503)
                assert list(answer.json()) == [told]
                for method in ("POST", "DELETE", "PUT"):
                    assert (await client.request(method, path, headers=headers)).status_code == 405
            for path in [*CLOSED[name], "/drain"]:
                for method in ("GET", "POST", "DELETE"):
                    answer = await client.request(method, path, headers=headers)
                    assert answer.status_code == 401, (method, path, headers)
                    assert answer.headers["www-authenticate"] == "Bearer"
                    assert TOKEN not in answer.text
        assert "pronto_draining 0.0" in (await client.get("/metrics", headers=RIGHT)).text
        assert "pronto_http_unauthorised_total" in (await client.get("/metrics", headers=RIGHT)).text
        assert (await client.get("/nothing", headers=RIGHT)).status_code == 404
        assert (await client.get("/health", headers=RIGHT)).json()["pid"] == os.getpid()
        assert "reason" in (await client.get("/ready", headers=RIGHT)).json()


@pytest.mark.parametrize("name", SERVERS)
async def test_without_a_token_everybody_on_the_machine_may_ask(name: str) -> None:
    async with SERVERS[name]("") as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/health")).json()["pid"] == os.getpid()
        assert (await client.post("/drain", headers=OWN_PAGE)).json()["draining"] is True
        assert (await client.delete("/drain")).json()["draining"] is False


OWN_PAGE = {"Host": "localhost:8081", "Origin": "http://localhost:8081", "Sec-Fetch-Site": "same-origin"}
OTHER_SITES = [
    {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port of this machine
    {"Host": "localhost:8081", "Origin": "http://localhost:3000"},
    {"Host": "rebound.example:8081"},
    {"Host": "rebound.example:8081", "Origin": "http://rebound.example:8081", "Sec-Fetch-Site": "same-origin"},
    {"Host": "127.0.0.1.rebound.example"},
]
"""What a browser on this machine sends for a page of another site, also of one whose name was made to lead here."""


@pytest.mark.parametrize("headers", OTHER_SITES, ids=str)
@pytest.mark.parametrize("name", SERVERS)
async def test_without_a_token_no_page_of_another_site_may_ask(name: str, headers: dict[str, str]) -> None:
    async with SERVERS[name]("") as client:
        for method, path in (("POST", "/drain"), ("DELETE", "/drain"), ("GET", "/metrics"), ("POST", CLOSED[name][3])):
            assert (await client.request(method, path, headers=headers)).status_code == 403
        assert list((await client.get("/health", headers=headers)).json()) == ["status"]
        assert (await client.get("/drain")).json()["draining"] is False


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8081", "LOCALHOST:1", "[::1]", "[::1]:8081", ""])
def test_every_name_of_this_machine_is_one(host: str) -> None:
    assert is_trusted({b"host": host.encode()}, "")
    assert not is_trusted({b"host": host.encode()}, TOKEN)


NEARLY = st.sampled_from([TOKEN[:length].encode() for length in range(len(TOKEN) + 1)] + [TOKEN.upper().encode()])
HEADERS = st.binary(max_size=80) | st.builds(
    lambda scheme, given_token: scheme + b" " + given_token,
    st.sampled_from([b"Bearer", b"bearer", b"Basic", b"Token", b""]),
    st.binary(max_size=40) | NEARLY,
)


@given(HEADERS)
def test_no_other_header_opens_the_gate(header: bytes) -> None:
    scheme, _, given_token = header.partition(b" ")
    right = scheme.lower() == b"bearer" and given_token.strip() == TOKEN.encode()
    assert is_trusted({b"authorization": header}, TOKEN) == right


@pytest.mark.parametrize("service", SERVICES)
def test_a_server_beyond_loopback_needs_a_token(service: str) -> None:
    cls = SERVICES[service]
    key = next(name for name in cls.__dataclass_fields__ if cls.__dataclass_fields__[name].metadata.get("serves"))
    given_settings = {"ARI_PASSWORD": "x"} if service == "ari_controller" else {}
    for host in ("0.0.0.0", "::", "10.0.0.7", "pronto.example", "", "127.0.0.1.example"):
        with pytest.raises(BadSettings, match=key.upper()):
            load(cls, {**given_settings, key.upper(): host})
        if host:
            load(cls, {**given_settings, key.upper(): host, "PRONTO_TOKEN": TOKEN})
    for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"):
        load(cls, {**given_settings, key.upper(): host})
    assert getattr(load(cls, given_settings), key) == "127.0.0.1"


@pytest.mark.parametrize("bad", ["guessable", "with a space in it....", "line\nbreak in a token", "é" * 20])
def test_a_token_that_can_be_guessed_or_not_be_sent_refuses_to_start_and_is_not_shown(bad: str) -> None:
    with pytest.raises(BadSettings, match="PRONTO_TOKEN") as caught:
        load(BotSettings, {"PRONTO_TOKEN": bad})
    assert bad not in str(caught.value)


async def test_a_body_that_is_too_large_is_refused_whether_or_not_its_size_is_told() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 4_096

    async with intents("") as client:
        told = await client.post("/embedding_main/", content=b" " * (MAX_BODY_BYTES + 1))
        untold = await client.post("/embedding_main/", content=endless())
        fits = await client.post("/embedding_main/", json={"sentence": "oui"})
    assert (told.status_code, untold.status_code, fits.status_code) == (413, 413, 503)
    assert untold.json()["error"] == "too_large"


BODIES = [
    b'{"sentence":"\\ud800"}', b'{"sentence":["\\ud800"]}', b'{"sentence":"oui","language":"\\ud800"}',
    b'{"sentence": 1e999}', b"NaN", b"\xff\xfe", b"[" * 60_000, b'{"sentence":' * 4_000, b'{"\\ud800":1}', b"", b"null",
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:30])
async def test_a_body_that_is_no_question_is_refused_and_not_repeated(body: bytes) -> None:
    async with intents("") as client:
        answer = await client.post("/embedding_main/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert "ud800" not in answer.text or "language" in answer.text


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 4_096
            yield b" " * 4_096
            await asyncio.sleep(0)

    async with intents("") as client:
        assert (await client.post("/embedding_main/", content=endless())).status_code == 413
    assert sent < 3 * MAX_BODY_BYTES
